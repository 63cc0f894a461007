#!/bin/sh
# Files through the hops of one kind of machine, see test/vm/boots.
# usage: /test efi|bios|large|split
# shellcheck disable=SC1091
. /lib/vm.sh
kind=$1
files='--mib 48 --files 40'

# take_next: the kernels of the hops, from the disk.
take_next()
{
	mkdir /mnt/kit/next
	check take-next tar -xf /dev/vda -C /mnt/kit/next
}

# idle: nothing is claimed, sealed or pending
idle()
{
	/vm/pramfs status >/tmp/status
	grep -q '^state *idle$' /tmp/status && return
	cat /tmp/status
	return 1
}

# files_came: all files are there, and the handover is done with.
files_came()
{
	check "mount-$STAGE" mount -t pramfs tree /mnt/p
	# shellcheck disable=SC2086 # words
	/vm/fill /mnt/p $files --verify
	check "idle-$STAGE" idle
}

paging_is()
{
	if grep -qw la57 /proc/cpuinfo; then _levels=5; else _levels=4; fi
	check "paging-$STAGE-$1-levels" test "$_levels" = "$1"
}

# kdump_armed: the crash kernel's region is there, and takes a kernel.
kdump_armed()
{
	check "crash-size-$STAGE" test "$(cat /sys/kernel/kexec_crash_size)" = $((192 << 20))
	check "crash-load-$STAGE" kexec -p /mnt/kit/next/vmlinuz-7.3 \
		--initrd=/mnt/kit/next/initrd-7.3 --append=console=ttyS0
	check "crash-loaded-$STAGE" test "$(cat /sys/kernel/kexec_crash_loaded)" = 1
}

huge_pages()
{
	check "hugepages-$STAGE" test "$(sed -n 's/^HugePages_Free: *//p' /proc/meminfo)" = 64
}

# refused NAME TEXT LOAD-ARG...: that load fails, says TEXT and changes nothing.
refused()
{
	_name=refuse-$1 _text=$2
	shift 2
	_free=$(kib MemFree) _status=0
	_since=$(cut -d. -f1 /proc/uptime)
	timeout 60 /vm/rebootless load --append "$(next_cmdline)" "$@" 2>/tmp/said || _status=$?
	_lost=$((_free - $(kib MemFree)))
	cat /tmp/said
	metric "$_name" $(($(cut -d. -f1 /proc/uptime) - _since)) s
	if [ $_status = 0 ]; then
		fail "$_name" "it was loaded"
		/vm/rebootless unload
	elif [ $_status = 143 ]; then
		fail "$_name" "it takes longer than 60 s"
	elif ! grep -Eq "$_text" /tmp/said; then
		fail "$_name" "no \"$_text\" in: $(tr '\n' ';' </tmp/said)"
	elif [ "$(cat /sys/kernel/kexec_loaded)" != 0 ]; then
		fail "$_name" "a kernel is loaded"
	elif ! idle; then
		fail "$_name" "status: $(tr '\n' ';' </tmp/status)"
	elif [ "$_lost" -gt 8192 ]; then
		fail "$_name" "$_lost KiB less are free"
	else
		pass "$_name"
	fi
}

refusals()
{
	_kernel=/mnt/kit/next/vmlinuz-7.3 _initrd=/mnt/kit/next/initrd-7.3
	head -c 5000000 $_kernel >/tmp/truncated
	head -c 600 $_kernel >/tmp/header
	gzip -c /etc/modules.load >/tmp/file.gz
	: >/tmp/empty
	refused truncated 'truncated: it has 5000000 bytes, its header says [0-9]+' \
		--kernel /tmp/truncated --initrd $_initrd
	refused header 'truncated: it has 600 bytes' --kernel /tmp/header --initrd $_initrd
	refused gzip 'a gzip file' --kernel /tmp/file.gz --initrd $_initrd
	refused elf 'an ELF file' --kernel /vm/pramfs --initrd $_initrd
	refused cpio 'a cpio archive' --kernel $_initrd --initrd $_initrd
	refused empty 'the file is empty' --kernel /tmp/empty --initrd $_initrd
	refused directory '/tmp' --kernel /tmp --initrd $_initrd
	refused missing '/tmp/none' --kernel /tmp/none --initrd $_initrd
	refused initrd-kernel 'not an initramfs' --kernel $_kernel --initrd $_kernel
	refused initrd-empty 'not an initramfs' --kernel $_kernel --initrd /tmp/empty
	refused no-memmap '/tmp/none' --kernel $_kernel --initrd $_initrd --memmap /tmp/none
	refused huge-1g '[0-9]+ MiB.* missing' --kernel $_kernel --initrd $_initrd \
		--append "hugepagesz=1G hugepages=8"

	# All memory but 100 MiB is a file's.
	mount -t pramfs hog /mnt/hog
	fallocate -l "$(($(kib MemAvailable) - 102400))k" /mnt/hog/file ||
		fail hog "no file of that size"
	refused no-memory '[0-9]+ MiB .*(missing|too small)' --kernel $_kernel --initrd $_initrd
	rm /mnt/hog/file
	umount /mnt/hog
}

# many_entries DIR: this machine's memory map as the firmware could have given
# it, RAM in many pieces, and many reserved pages where no memory is.
many_entries()
{
	rm -rf "$1"
	mkdir "$1"
	_nr=0
	for _entry in /sys/firmware/memmap/*; do
		read -r _start <"$_entry/start"
		read -r _end <"$_entry/end"
		read -r _type <"$_entry/type"
		_step=$((_end - _start + 1))
		if [ "$_type" = "System RAM" ] && [ $_step -gt $((256 << 20)) ]; then
			_step=$(((_step / 150) & ~4095))
		fi
		_end=$((_end + 1)) _start=$((_start))
		while [ $_start -lt $_end ]; do
			_to=$((_start + _step))
			if [ $_to -gt $_end ]; then _to=$_end; fi
			one_entry "$1/$_nr" $_start $((_to - 1)) "$_type"
			_start=$_to
			_nr=$((_nr + 1))
		done
	done
	_i=0
	while [ $_i -lt 150 ]; do
		_start=$(((1 << 40) + (_i << 20)))
		one_entry "$1/$_nr" $_start $((_start + 4095)) Reserved
		_i=$((_i + 1))
		_nr=$((_nr + 1))
	done
	note "memory map of $_nr entries"
}

one_entry()
{
	mkdir "$1"
	printf '0x%x\n' "$2" >"$1/start"
	printf '0x%x\n' "$3" >"$1/end"
	echo "$4" >"$1/type"
}

efi()
{
	check "efi-$STAGE" test -d /sys/firmware/efi
	paging_is 5
	kdump_armed
	case $STAGE in
	1) jump 6.12 --append "$(next_cmdline) hugepages=64" ;;
	2) huge_pages
	   jump 7.3 ;;
	3) huge_pages ;;
	esac
}

bios()
{
	check "bios-$STAGE" test ! -d /sys/firmware/efi
	paging_is 4
	case $STAGE in
	1) refusals
	   jump 7.3 --append "$(next_cmdline) crashkernel=192M" ;;
	2) kdump_armed
	   many_entries /tmp/memmap
	   jump 6.12 --memmap /tmp/memmap ;;
	*) kdump_armed
	   check "memmap-$STAGE" test "$(find /sys/firmware/memmap/ -name type | wc -l)" -gt 128
	   # SETUP_E820_EXT
	   check "e820-ext-$STAGE" grep -qx 0x1 /sys/kernel/boot_params/setup_data/*/type
	   if [ "$STAGE" = 3 ]; then jump 7.3; fi ;;
	esac
}

large()
{
	paging_is 5
	case $STAGE in
	1) check large-initrd test "$(wc -c </mnt/kit/next/large-6.12)" -gt $((200 << 20))
	   jump 6.12 --initrd /mnt/kit/next/large-6.12 ;;
	2) check padding md5sum -c padding.md5
	   /vm/tree frames /mnt/p >/tmp/frames
	   # frame 0x100000 is at 4 GiB
	   check above-4g test "$(cut -f3 /tmp/frames | grep -Ec '^[1-9a-f][0-9a-f]{5}')" -gt 10000 ;;
	esac
}

# last_frames: of RAM, and of what of it is below 4 GiB
last_frames()
{
	sed -n 's/^ *[0-9a-f]*-\([0-9a-f]*\) : System RAM$/0x\1/p' /proc/iomem | {
		while read -r _end; do
			if [ $((_end)) -lt $((1 << 32)) ]; then _low=$_end; fi
			_last=$_end
		done
		printf '%x\n' $((_low >> 12)) $((_last >> 12))
	}
}

# file_with FRAME: the name of the file in /tmp/frames that has it
file_with()
{
	awk -v frame="$1" '$3 == frame { n = split($1, part, "/"); print part[n] }' /tmp/frames
}

# own_last_frames: files of /mnt/own have as many of these frames as can be had.
own_last_frames()
{
	_nr=0
	mount -t pramfs own /mnt/own
	while [ "$(kib MemFree)" -gt 131072 ]; do
		fallocate -l 4m /mnt/own/$_nr || break
		_nr=$((_nr + 1))
	done
	/vm/tree frames /mnt/own >/tmp/frames
	for _frame in $(last_frames); do
		_file=$(file_with "$_frame")
		note "frame $_frame: ${_file:-of no file}"
		if [ -n "$_file" ]; then
			mv "/mnt/own/$_file" "/mnt/own/own-$_frame"
			dd if=/mnt/kit/next/initrd-7.3 of="/mnt/own/own-$_frame" bs=1M count=4 conv=notrunc
		fi
	done
	rm -f /mnt/own/[0-9]* /tmp/frames
	check own-last-frames test -n "$(ls /mnt/own)"
	(cd /mnt/own && md5sum own-*) >/mnt/kit/own.md5
}

# A kernel that finds the last frame of RAM reserved may take RAM to end before it.
last_frames_are_free()
{
	/vm/sealing seal
	/vm/pramfs inspect --json >/tmp/sealed
	/vm/sealing unseal
	# one range a line: start and length
	sed -n '/"ranges"/,/"arenas"/s/.*"\(start\|bytes\)": *\([0-9]*\).*/\2/p' /tmp/sealed |
		paste -d' ' - - >/tmp/ranges
	cat /tmp/ranges
	check ranges test -s /tmp/ranges
	for _frame in $(last_frames); do
		check "not-reserved-$_frame" not_reserved $((0x$_frame << 12))
	done
	/vm/tree frames /mnt/own >/mnt/kit/own.frames
}

# Of these files' pages only those in the last frames have been copied.
only_last_copied()
{
	/vm/tree frames /mnt/own >/tmp/frames
	awk 'NR == FNR { was[$1, $2] = $3; next } was[$1, $2] != $3 { print was[$1, $2] }' \
		/mnt/kit/own.frames /tmp/frames >/tmp/copied
	for _frame in $(last_frames); do sed -i "/^$_frame\$/d" /tmp/copied; done
	check only-last-copied test ! -s /tmp/copied
	check all-pages-there test "$(grep -c / /tmp/frames)" = "$(grep -c / /mnt/kit/own.frames)"
}

not_reserved()
{
	while read -r _start _bytes; do
		if [ "$_start" -le "$1" ] && [ $((_start + _bytes)) -gt "$1" ]; then return 1; fi
	done </tmp/ranges
}

# The memory that the command line asked for by name: only a driver says where it is.
reserved_by_name()
{
	_driver=$(find /lib/modules -name ramoops.ko)
	rmmod ramoops
	check "reserve-mem-$STAGE" insmod "$_driver" mem_name=oops
	dmesg | grep 'ramoops: using' | tail -n1
	check "reserve-mem-size-$STAGE" dmesg_has 'ramoops: using 0x800000@'
}

dmesg_has()
{
	dmesg | grep -q "$1"
}

# Memory with a gap below 4 GiB, where a file has the last frame (that of all RAM is
# the kernel's own on every machine seen); and areas that the next kernels set aside.
split()
{
	case $STAGE in
	1) own_last_frames
	   load 6.12 --append "$(next_cmdline) reserve_mem=8M:4096:oops cma=64M"
	   last_frames_are_free
	   dmesg_out
	   /vm/rebootless fire -v
	   fail fire "it came back" ;;
	2) check own sh -c 'cd /mnt/own && md5sum -c /mnt/kit/own.md5'
	   only_last_copied
	   reserved_by_name
	   jump 7.3 ;;
	3) reserved_by_name
	   # 6.12 of the cloud flavour has no CMA.
	   check cma test "$(kib CmaTotal)" = 65536 ;;
	esac
}

mkdir -p /mnt/hog /mnt/own
load_pramfs
if [ "$STAGE" = 1 ]; then
	take_next
	check mount mount -t pramfs tree /mnt/p
	# shellcheck disable=SC2086 # words
	/vm/fill /mnt/p $files
else
	/vm/pramfs inspect >/tmp/inspect
	if [ "$kind" = large ]; then
		check arena-low grep -Eq '^arena +0x0000[0-9a-f]{8} ' /tmp/inspect
		check arena-high grep -Eq '^arena +0x000[1-9a-f][0-9a-f]{8} ' /tmp/inspect
	fi
	if [ -f /mnt/kit/own.md5 ]; then check "mount-own-$STAGE" mount -t pramfs own /mnt/own; fi
	files_came
fi
$kind
