#!/bin/sh
# Pages adopted, handed over, given, through three hops: the files stay what they
# are while processes write to the pages that they were given, in one kernel and
# in the next; then the files are deleted.
#
# usage: /test MIB
# shellcheck disable=SC1091
. /lib/vm.sh
mib=$1

other_kernel()
{
	case $(uname -r) in
	6.12*) echo 7.3 ;;
	*) echo 6.12 ;;
	esac
}

# stopped COMMAND...: run `pages` until it has stopped itself
stopped()
{
	/vm/pages "$@" &
	_pid=$!
	while ! grep -q '^State:.T' /proc/$_pid/status; do
		if [ ! -d /proc/$_pid ]; then
			fail "pages-$1" "it ended"
			return
		fi
		sleep 0.2
	done
}

# swap_on: on a disk, so that pages go out and come in
swap_on()
{
	{ mkswap /dev/vda >/dev/null && swapon /dev/vda; } || fail "swapon-$STAGE" "see the console"
}

go()
{
	load "$(other_kernel)" || exit
	dmesg_out
	/vm/rebootless fire -v
	fail "fire-$STAGE" "it came back"
}

load_pramfs
check "mount-$STAGE" mount -t pramfs -o adopt=on,give=on,verify=on pages /mnt/p
swap_on
case $STAGE in
1)
	check options grep -q 'adopt=on,give=on,verify=on' /proc/mounts
	check bad-option sh -c '! mount -t pramfs -o give=perhaps other /mnt/p 2>/dev/null'
	# What was adopted should not change: the seal says so.
	load "$(other_kernel)" || exit
	stopped change /mnt/p "$mib"
	check changed /vm/sealing seal
	check changed-is-said sh -c 'dmesg | grep -q "1 pages changed after they were adopted"'
	check unseal /vm/sealing unseal
	kill -KILL $_pid
	rm /mnt/p/changed
	check unload /vm/rebootless unload
	stopped adopt /mnt/p "$mib"
	go
	;;
2 | 3)
	/vm/pages give /mnt/p "$mib" || fail "give-$STAGE" "see the report"
	/vm/pramfs status
	# For the next hop; own and twice are there still.
	stopped adopt-shared /mnt/p "$mib"
	go
	;;
4)
	/vm/pages deleted /mnt/p "$mib" || fail "deleted-$STAGE" "see the report"
	umount /mnt/p /mnt/kit
	check rmmod rmmod pramfs
	;;
esac
