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
	check mount-2 mount -t pramfs data /mnt/p
	check verify /vm/fill /mnt/p "$@" --verify
	before=$(kib MemFree)
	umount /mnt/p
	note "free before and after deleting: $before and $(kib MemFree) KiB"
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
many)
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
