#!/bin/sh
# Filesystems and cgroups noted under one kernel and made again under the other,
# see test/vm/filesystems.  usage: /test before|after
#
# Disks are known by their contents alone: after has them in another order.
# shellcheck disable=SC1091
. /lib/vm.sh
PATH=/vm:$PATH
notes=/tmp/notes

# disk_of NAME: the whole disk that "this is NAME" stands at the end of.
disk_of()
{
	for _disk in /sys/block/vd*; do
		_size=$(cat "$_disk/size")
		if dd if="/dev/${_disk##*/}" bs=512 skip=$((_size - 1)) count=1 2>/dev/null |
			grep -q "this is $1\$"; then
			echo "${_disk##*/}"
			return
		fi
	done
	echo "no disk $1" >&2
	return 1
}

# holds FILE TEXT
holds() { test "$(cat "$1" 2>/dev/null)" = "$2"; }

# has_option TARGET OPTION: of the mount that is to be seen there
has_option() { awk -v t="$1" '$2 == t {o = $4} END {print o}' /proc/mounts | tr , '\n' | grep -qx "$2"; }

# super_shows TARGET TEXT
super_shows() { grep " $1 " /proc/self/mountinfo | tail -n 1 | grep -q "$2"; }

# says TEXT COMMAND...: it fails, and says so
says()
{
	_text=$1
	shift
	if "$@" >/tmp/said 2>&1; then return 1; fi
	cat /tmp/said
	grep -q "$_text" /tmp/said
}

not() { ! "$@"; }

# host_mounts: what a host might have
host_mounts()
{
	mkdir -p /srv /data /m /bound /mem
	touch /onefile
	mount -o noatime "/dev/$(disk_of parted)1" /srv
	mkdir -p /srv/sub /srv/home /srv/up /srv/work
	echo ext4 >/srv/file
	echo sub >/srv/sub/file
	echo one >/srv/one
	ln -sfn /srv /srv/sub/link
	mount --bind /srv/sub /bound
	mount -o remount,bind,ro /bound
	mount --bind /srv/one /onefile
	mkdir -p /tmp/btrfs
	mount "/dev/$(disk_of btrfs)" /tmp/btrfs
	mounts subvolume /tmp/btrfs @home
	umount /tmp/btrfs
	mount -o "subvol=@home" "/dev/$(disk_of btrfs)" /srv/home
	echo btrfs >/srv/home/file
	mkdir -p /srv/home/part /part
	echo part >/srv/home/part/file
	mount --bind /srv/home/part /part
	mount -o nosuid,nodev "/dev/$(disk_of xfs)" /data
	mkdir -p /data/lower /data/fat
	echo lower >/data/lower/file
	mount "/dev/$(disk_of vfat)" /data/fat
	echo vfat >/data/fat/file
	mount -t overlay -o lowerdir=/data/lower,upperdir=/srv/up,workdir=/srv/work none /m
	echo upper >/m/new
	mount -t tmpfs none /mem
	echo memory >/mem/file
	cat /proc/self/mountinfo
}

# seen NAME ROOT: all that is there
seen()
{
	check "$1-ext4" holds "$2/srv/file" ext4
	check "$1-btrfs-subvolume" holds "$2/srv/home/file" btrfs
	check "$1-xfs" holds "$2/data/file" xfs
	check "$1-vfat" holds "$2/data/fat/file" vfat
	check "$1-bind" holds "$2/bound/file" sub
	check "$1-bind-of-subvolume" holds "$2/part/file" part
	check "$1-bind-is-a-part" test ! -e "$2/bound/sub"
	check "$1-bind-of-file" holds "$2/onefile" one
	check "$1-overlay-lower" holds "$2/m/file" lower
	check "$1-overlay-upper" holds "$2/m/new" upper
	check "$1-noatime" has_option "$2/srv" noatime
	check "$1-nosuid" has_option "$2/data" nosuid
	check "$1-bind-ro" has_option "$2/bound" ro
	check "$1-rest-rw" sh -c "echo x >$2/srv/t && echo x >$2/data/t && echo x >$2/m/t && rm $2/srv/t $2/data/t $2/m/t"
	check "$1-overlay-names" super_shows "$2/m" "lowerdir[+]*=/data/lower"
}

# take_note FILE: by every way there is
take_note()
{
	mounts note "$1" -p web:/srv/file -p web:/m/file -p web:/bound -p web:/onefile \
		-p web:/srv/home/file -p web:/data/fat -p web:/part >/tmp/findings 2>&1
	_status=$?
	cat "$1" /tmp/findings
	return $_status
}

notes_before()
{
	check insmod insmod /pramfs.ko
	check note take_note $notes
	check note-no-findings test ! -s /tmp/findings
	check note-overlay-is-behind sh -c "grep '\"target\"' $notes | tr -d '\\\\' |
		awk '/data\"/{d=NR} /srv\"/{s=NR} /m\"/{exit !(d && s)}'"

	# A container's mounts, by its namespace; and files that processes hold.
	unshare -m sh -c 'umount /data/fat; exec sleep 1000' &
	_pid=$!
	sleep 1
	check note-namespace sh -c "mounts note /tmp/ns -c box:$_pid >/tmp/findings 2>&1"
	cat /tmp/findings
	check note-namespace-finds sh -c "tr -d '\\\\' </tmp/ns | grep -q '\"/srv/home\"'"
	check note-tmpfs grep -q "finding box: its /mem lies on the host's tmpfs at /mem" /tmp/findings
	check note-no-pseudo sh -c "! grep -Eq 'proc|sysfs|devtmpfs' /tmp/findings"
	kill $_pid
	sleep 1000 <&- >/dev/null 2>/dev/null 3</mem/file &
	_pid=$!
	mounts note /tmp/ns -c plain:$_pid >/tmp/findings 2>&1
	check note-open-file grep -q "finding plain: /mem/file lies on the host's tmpfs at /mem" /tmp/findings
	check note-open-file-once test "$(grep -c /mem /tmp/findings)" = 1
	kill $_pid
	mounts note /tmp/ns -c web:0 -p web:/mem/file >/tmp/findings 2>&1
	check note-path-on-tmpfs grep -q "finding web: /mem/file lies on the host's tmpfs" /tmp/findings
	dd if=/dev/zero of=/srv/loop bs=1M count=0 seek=16 2>/dev/null
	mkfs.ext4 -q /srv/loop
	mkdir -p /loop
	check loop-mount mount -o loop /srv/loop /loop
	mounts note /tmp/ns -c web:0 -p web:/loop >/tmp/findings 2>&1
	check note-loop grep -q "finding web: /loop lies on the loop device" /tmp/findings
	check freeze-loop mounts freeze /loop/made
	umount /loop
}

freezing()
{
	for _path in /srv/made /data/made /srv/home/made /m/made; do
		check "freeze$(echo $_path | tr / -)" mounts freeze $_path
	done
	for _path in /srv/made /data/made /srv/home/made /m/made; do
		check "freeze-killed$(echo $_path | tr / -)" mounts killed $_path
	done
	# vfat cannot be frozen, and must not stop the others.
	check freeze-vfat-is-synced says "could be made while frozen" mounts freeze /data/fat/made
	fsfreeze_state
}

# fsfreeze_state: nothing is left frozen
fsfreeze_state()
{
	for _path in /srv /data /srv/home; do
		check "thawed$(echo $_path | tr / -)" timeout 5 touch $_path/thawed
	done
}

# fresh_root DIR: with the root filesystem's directories
fresh_root()
{
	mkdir -p "$1"
	mount -t tmpfs none "$1"
	mkdir -p "$1/srv" "$1/data" "$1/m" "$1/escape"
	touch "$1/onefile"
}

same_boot()
{
	fresh_root /sysroot
	check mount mounts mount $notes /sysroot 5
	seen same /sysroot
	_nr=$(wc -l </proc/mounts)
	check mount-again mounts mount $notes /sysroot 5
	check mount-again-is-nothing test "$(wc -l </proc/mounts)" = "$_nr"
	awk '$2 ~ "^/sysroot/" {print $2}' /proc/mounts | tac | xargs -n 1 umount
	umount /sysroot
}

# links_stay_inside: a mount point that is a link leads nowhere else
links_stay_inside()
{
	fresh_root /sysroot
	rmdir /sysroot/srv
	ln -s /../../../escape /sysroot/srv
	mkdir -p /escape
	check link-mount mounts mount $notes /sysroot 5
	check link-stays-inside holds /sysroot/escape/file ext4
	check link-not-outside test ! -e /escape/file
	awk '$2 ~ "^/sysroot/" {print $2}' /proc/mounts | tac | xargs -n 1 umount
	umount /sysroot
}

# unbind DISK / bind: take a disk away, and let it come again
unbind()
{
	_device=$(basename "$(readlink -f "/sys/block/$1/device")")
	echo "$_device" >/sys/bus/virtio/drivers/virtio_blk/unbind
}

bind() { echo "$_device" >/sys/bus/virtio/drivers/virtio_blk/bind; }

late_and_missing()
{
	fresh_root /sysroot
	unbind "$(disk_of xfs)"
	_since=$(cut -d. -f1 /proc/uptime)
	check missing-says says "no disk with UUID .*(xfs) came within 2 s: /data is not mounted" \
		mounts mount $notes /sysroot 2
	check missing-waited test $(($(cut -d. -f1 /proc/uptime) - _since)) -ge 2
	check missing-said-waiting grep -q "waiting for the disk with UUID" /tmp/said
	check missing-target grep -qx "missing /data" /tmp/said
	check missing-what-is-above sh -c "grep -qx 'missing /data/fat' /tmp/said && grep -qx 'missing /m' /tmp/said"
	check missing-others-are-there holds /sysroot/srv/home/file btrfs
	{ sleep 4; bind; } &
	_since=$(cut -d. -f1 /proc/uptime)
	check late-mount mounts mount $notes /sysroot 60
	metric late-wait $(($(cut -d. -f1 /proc/uptime) - _since)) s
	seen late /sysroot
	awk '$2 ~ "^/sysroot/" {print $2}' /proc/mounts | tac | xargs -n 1 umount
	umount /sysroot
}

# A root that the initramfs mounted read-only.
root_ro()
{
	mount -o ro "/dev/$(disk_of parted)1" /sysroot
	echo '[{"target": "/", "type": "ext4", "root": "/", "options": "rw,relatime", "super": "rw"}]' >/tmp/root
	check root-rw mounts mount /tmp/root /sysroot 1
	check root-is-rw touch /sysroot/written
	umount /sysroot
}

# One of the noted filesystems as the root, which nothing has mounted yet.
early_root()
{
	for _from in /srv:ext4 /data:xfs /srv/home:btrfs; do
		_type=${_from#*:} _from=${_from%:*}
		check "early-$_type" mounts mount-root $notes "$_from" /sysroot 5
		check "early-$_type-file" holds /sysroot/file "$_type"
		check "early-$_type-rw" touch /sysroot/written
		check "early-$_type-once" says "something is mounted there" \
			mounts mount-root $notes "$_from" /sysroot 5
		umount /sysroot
		check "early-$_type-alone" not mountpoint -q /sysroot
	done
	check early-missing says "no disk with UUID 12-34 (ext4) came within 1 s" \
		mounts mount-root $notes /srv /sysroot 1 12-34
	check early-no-root says "root is not among" mounts mount-root $notes /nowhere /sysroot 1
	check early-nothing not mountpoint -q /sysroot
}

# An option that no kernel has is left out, and said.
unknown_option()
{
	fresh_root /sysroot
	sed 's/"super": *"rw/&,nosuchoption=7/' $notes >/tmp/odd
	mounts mount /tmp/odd /sysroot 5 >/tmp/said 2>&1
	check unknown-option-mounts holds /sysroot/srv/file ext4
	check unknown-option-said grep -q "does not take the option nosuchoption=7" /tmp/said
	awk '$2 ~ "^/sysroot/" {print $2}' /proc/mounts | tac | xargs -n 1 umount
	umount /sysroot
}

cg=/sys/fs/cgroup

cgroups_mounted()
{
	mkdir -p $cg
	mount -t cgroup2 none $cg
}

cgroups_before()
{
	check cgroup-v1-refused says "is not cgroup version 2" mounts cgroup-note / /tmp/none
	cgroups_mounted
	read -r _all <$cg/cgroup.controllers
	for _controller in $_all; do
		echo "+$_controller" >$cg/cgroup.subtree_control
	done
	mkdir -p $cg/top/box $cg/top/threads
	for _controller in cpu memory pids io; do
		echo "+$_controller" >$cg/top/cgroup.subtree_control
	done
	echo 900000000 >$cg/top/memory.max
	echo "50000 200000" >$cg/top/box/cpu.max
	echo 150 >$cg/top/box/cpu.weight
	echo 400000000 >$cg/top/box/memory.max
	echo 300000000 >$cg/top/box/memory.high
	echo 1 >$cg/top/box/memory.oom.group
	echo 77 >$cg/top/box/pids.max
	echo 5 >$cg/top/box/cgroup.max.depth
	echo "$(cat "/sys/block/$(disk_of parted)/dev") rbps=1048576" >$cg/top/box/io.max
	echo "$(cat "/sys/block/$(disk_of xfs)/dev") wiops=99" >$cg/top/box/io.max
	mkdir $cg/top/threads/one
	echo threaded >$cg/top/threads/one/cgroup.type
	echo +pids >$cg/top/threads/cgroup.subtree_control
	echo 33 >$cg/top/threads/one/pids.max
	setfattr -n user.delegate -v 1 $cg/top/box
	setfattr -n trusted.note -v "a b" $cg/top/box
	chown 1000:1000 $cg/top/box $cg/top/box/cgroup.procs
	check cgroup-note mounts cgroup-note /top /tmp/cgroups
	cat /tmp/cgroups
	check cgroup-note-skips-actions sh -c "! grep -Eq 'cgroup.kill|cgroup.freeze|reclaim|nice|peak|[a-z]y.pressure' /tmp/cgroups"
	cgroups_spared
	rmdir $cg/top/threads/one $cg/top/threads $cg/top/box $cg/top
}

# spared PATH: is it marked?
spared() { getfattr -n user.survive_final_kill_signal "$cg$1" 2>/dev/null | grep -q '="1"$'; }

cgroups_spared()
{
	mkdir $cg/top/empty $cg/top/box/inner
	sleep 1000 &
	_pid=$!
	echo $_pid >$cg/top/box/inner/cgroup.procs
	check cgroup-spare mounts cgroup-spare /top
	for _path in /top /top/box /top/box/inner; do
		check "cgroup-spared$(echo $_path | tr / -)" spared $_path
	done
	check cgroup-empty-not-spared not spared /top/empty
	mounts cgroup-note /top/box /tmp/marked
	check cgroup-mark-not-noted sh -c "! grep -q survive /tmp/marked"
	check cgroup-unspare mounts cgroup-unspare /top
	check cgroup-unspared not spared /top/box/inner
	check cgroup-unspared-top not spared /top
	kill $_pid
	wait $_pid 2>/dev/null
	rmdir $cg/top/empty $cg/top/box/inner
}

cgroups_again()
{
	check "cgroup-make-$1" sh -c "mounts cgroup-make /tmp/cgroups >/tmp/said 2>&1"
	cat /tmp/said
	check "cgroup-make-$1-warns-of-nothing" test ! -s /tmp/said
	mounts cgroup-note /top /tmp/now
	check "cgroup-same-$1" mounts cgroup-same /tmp/cgroups /tmp/now
	check "cgroup-io-$1" grep -q "^$(cat "/sys/block/$(disk_of parted)/dev") rbps=1048576 " $cg/top/box/io.max
	check "cgroup-io-other-disk-$1" grep -q "^$(cat "/sys/block/$(disk_of xfs)/dev") .*wiops=99$" $cg/top/box/io.max
	check "cgroup-threaded-$1" holds $cg/top/threads/one/cgroup.type threaded
	echo 200 >$cg/top/box/cpu.weight
	echo max >$cg/top/box/memory.max
	# with the one that it lies in, but not above a slice
	mkdir -p $cg/top/some.slice/box
	echo +cpu >$cg/top/some.slice/cgroup.subtree_control
	echo "50000 200000" >$cg/top/some.slice/cpu.max
	echo "30000 100000" >$cg/top/some.slice/box/cpu.max
	mounts cgroup-unthrottle /top/some.slice/box
	check "cgroup-unthrottled-$1" holds $cg/top/some.slice/box/cpu.max "max 100000"
	check "cgroup-not-the-slice-$1" holds $cg/top/some.slice/cpu.max "50000 200000"
	rmdir $cg/top/some.slice/box $cg/top/some.slice
	mkdir $cg/top/box/inner
	mounts cgroup-unthrottle /top/box/inner
	rmdir $cg/top/box/inner
	check "cgroup-unthrottled-above-$1" holds $cg/top/box/cpu.max "max 200000"
	check "cgroup-unthrottle-none-$1" mounts cgroup-unthrottle /top/none
	check "cgroup-apply-$1" mounts cgroup-apply /tmp/cgroups
	check "cgroup-throttled-$1" holds $cg/top/box/cpu.max "50000 200000"
	check "cgroup-applied-$1" holds $cg/top/box/cpu.weight 150
	check "cgroup-make-again-$1" mounts cgroup-make /tmp/cgroups
	rmdir $cg/top/threads/one $cg/top/threads $cg/top/box $cg/top
}

# The notes go from one guest to the other on a disk of their own.
before()
{
	host_mounts
	echo xfs >/data/file
	notes_before
	freezing
	same_boot
	links_stay_inside
	cgroups_before
	cgroups_again same
	tar -cf "/dev/$(disk_of notes)" -C /tmp notes cgroups
	umount /m /data/fat /data /part /bound /onefile /srv/home /srv
}

after()
{
	tar -xf "/dev/$(disk_of notes)" -C /tmp
	fresh_root /sysroot
	check mount mounts mount $notes /sysroot 5
	seen after /sysroot
	awk '$2 ~ "^/sysroot/" {print $2}' /proc/mounts | tac | xargs -n 1 umount
	umount /sysroot
	late_and_missing
	unknown_option
	root_ro
	early_root
	cgroups_mounted
	cgroups_again after
}

"$1"
