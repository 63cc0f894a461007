#!/bin/sh
# Handovers of unusual shape, one hop each; the argument says which.
# shellcheck disable=SC1091
. /lib/vm.sh

# prove WHAT ARG...: fill at the first stage, verify at the second
prove()
{
	if [ "$STAGE" = 1 ]; then
		mount -t pramfs data /mnt/p || fail mount-1 "see the console"
		/vm/fill /mnt/p "$@" || fail fill "exit status $?"
		return
	fi
	# Nothing is lost by mounts that fail, or that nobody looks into.
	check halfway /vm/sealing halfway data
	check unopened sh -c 'mount -t pramfs data /mnt/p && umount /mnt/p'
	check mount-2 mount -t pramfs data /mnt/p
	check verify /vm/fill /mnt/p "$@" --verify
	before=$(kib MemFree)
	umount /mnt/p
	note "free before and after deleting: $before and $(kib MemFree) KiB"
}

# A seal that cannot have the memory for its metadata says how much is missing,
# and all is as it was, the next kernel still loaded.
too_little()
{
	mkdir /mnt/hog
	mount -t tmpfs -o size=100% hog /mnt/hog
	# MemAvailable counts the inodes of PramFS, which cannot go.
	echo 4096 >/proc/sys/vm/min_free_kbytes
	# Of what is left 16 MiB are the lowest memory, of which others get little.
	fallocate -l "$(($(kib MemFree) - 28672))k" /mnt/hog/file || fail hog "no file of that size"
	_status=0
	dmesg -c >/tmp/dmesg
	/vm/rebootless fire 2>/tmp/said || _status=$?
	cat /tmp/said
	dmesg >/tmp/dmesg.seal
	_missing=$(sed -n 's/.*seal: \([0-9]*\) KiB of memory are missing.*/\1/p' /tmp/dmesg.seal)
	check short-fails test $_status != 0
	check short-says grep -q 'Cannot allocate memory' /tmp/said
	# All of the metadata is some 32 MiB.
	metric missing "${_missing:-0}" KiB
	check short-figure test "${_missing:-0}" -gt 8192 -a "${_missing:-0}" -lt 32768
	check short-spares-others test -z "$(grep -i 'out of memory' /tmp/dmesg.seal)"
	/vm/pramfs status >/tmp/status
	check short-state grep -q '^state *memory is claimed' /tmp/status
	check short-unsealed test "$(grep -c sealed /tmp/status)" = 0
	check short-writable sh -c 'echo text >/mnt/p/written && rm /mnt/p/written'
	check short-intact /vm/fill /mnt/p "$@" --verify
	umount /mnt/hog
}

# sealed WHAT: a figure of what `sealing seal` said
sealed()
{
	sed -n "s/.* \([0-9]*\) $1[,.]*.*/\1/p" /tmp/sealed
}

case $1 in
nothing)
	# No instance at all: the kernels for the next hop come from the initramfs.
	insmod /pramfs.ko
	if [ "$STAGE" = 1 ]; then
		/vm/rebootless load --kernel /next/vmlinuz-7.3 --initrd /next/initrd-7.3 \
			--append "$(next_cmdline)" || fail load "see the console"
		# The loaded kernel will look for the root page of this module.
		if rmmod pramfs 2>/dev/null; then
			fail stays-when-claimed "rmmod took it away"
		else
			pass stays-when-claimed
		fi
		dmesg_out
		/vm/rebootless fire -v
		fail fire "it came back"
	fi
	/vm/pramfs status
	check nothing-pending test "$(dmesg | grep -c 'pramfs: handover of .* 0 mounts')" = 1
	check rmmod rmmod pramfs
	exit 0
	;;
empty)
	load_pramfs
	if [ "$STAGE" = 1 ]; then
		mount -t pramfs -o mode=1751,uid=12,gid=34,size=3m,nr_inodes=77 data /mnt/p
		stat -c '%a %u %g' /mnt/p >/mnt/kit/root
		grep ' /mnt/p ' /proc/mounts >/mnt/kit/options
	else
		mount -t pramfs data /mnt/p
		check root test "$(stat -c '%a %u %g' /mnt/p)" = "$(cat /mnt/kit/root)"
		check is-empty test -z "$(ls -A /mnt/p)"
		note "$(cat /mnt/kit/options)"
		note "$(grep ' /mnt/p ' /proc/mounts)"
		check limits test "$(grep ' /mnt/p ' /proc/mounts | grep -o 'size=.*nr_inodes=[0-9]*')" = \
			"$(grep -o 'size=.*nr_inodes=[0-9]*' /mnt/kit/options)"
	fi
	;;
many | short)
	load_pramfs
	prove --files 200000 --bytes 100
	;;
large)
	load_pramfs
	# Of 2 GiB, 1.1 in one file: more than half.
	prove --mib 1126 --files 1
	;;
fragmented)
	load_pramfs
	if [ "$STAGE" = 1 ]; then
		# Every second page of 1 GiB stays with the helper: the other half is
		# all that the files can have.
		insmod "/fragment-$(uname -r | cut -d. -f1,2).ko" mib=1024 || fail fragment "see the console"
	fi
	prove --mib 600 --files 5 --pattern scattered
	;;
esac
if [ "$STAGE" = 1 ]; then
	/vm/rebootless load -v --kernel /mnt/kit/next/vmlinuz-7.3 --initrd /mnt/kit/next/initrd-7.3 \
		--append "$(next_cmdline)" || fail load "see the console"
	if [ "$1" = short ]; then too_little --files 200000 --bytes 100; fi
	/vm/sealing seal >/tmp/sealed || fail seal "see the console"
	/vm/sealing unseal
	note "$(cat /tmp/sealed)"
	data=$(sealed "data bytes") metadata=$(sealed "metadata bytes") extents=$(sealed extents)
	case $1 in
	large) check metadata-contiguous test $((metadata * 10000)) -lt "$data" ;;
	fragmented)
		check is-fragmented test "$extents" -gt 100000
		check metadata-worst test $((metadata * 200)) -lt "$data"
		;;
	esac
	dmesg_out
	/vm/rebootless fire -v
	fail fire "it came back"
else
	umount /mnt/p 2>/dev/null
	umount /mnt/kit
	check rmmod rmmod pramfs
fi
