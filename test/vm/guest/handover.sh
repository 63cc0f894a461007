#!/bin/sh
# Three hops with a tree that has everything in it. Free memory must come back:
# a fresh boot of each kernel is measured by test/vm/handover beside it.
# shellcheck disable=SC1091
. /lib/vm.sh

# other_kernel: the series that is not running
other_kernel()
{
	case $(uname -r) in
	6.12*) echo 7.3 ;;
	*) echo 6.12 ;;
	esac
}

# Without anything handed over: only what a fresh boot has.
if [ "${1:-}" = fresh ]; then
	insmod /pramfs.ko
	/vm/memstat
	pass fresh
	exit 0
fi

# Before the module: it empties the root page once all is mounted.
[ "$STAGE" = 1 ] || /vm/stamps "-$STAGE"
load_pramfs
check "mount-$STAGE" mount -t pramfs tree /mnt/p
if [ "$STAGE" = 1 ]; then
	check make /vm/tree make /mnt/p --scale full
	/vm/tree manifest /mnt/p >/mnt/kit/manifest
	/vm/tree frames /mnt/p >/mnt/kit/frames
else
	# Contents are read before frames are: reading from held frames is one way
	# to them, mapping the other.
	/vm/tree manifest /mnt/p >/tmp/manifest
	check "same-$STAGE" cmp /tmp/manifest /mnt/kit/manifest
	/vm/tree frames /mnt/p >/tmp/frames
	check "frames-$STAGE" cmp /tmp/frames /mnt/kit/frames
	rm -f /tmp/frames /tmp/manifest
fi
if [ "$STAGE" -lt 4 ]; then
	# Claiming the arena may move pages; where they are then is where they stay.
	/vm/rebootless load -v --kernel "/mnt/kit/next/vmlinuz-$(other_kernel)" \
		--initrd "/mnt/kit/next/initrd-$(other_kernel)" --append "$(next_cmdline)" ||
		fail "load-$STAGE" "see the console"
	/vm/tree frames /mnt/p >/mnt/kit/frames
	dmesg_out
	/vm/rebootless fire -v
	fail "fire-$STAGE" "it came back"
else
	umount /mnt/p /mnt/kit
	check rmmod rmmod pramfs
	insmod /pramfs.ko
	check "nothing-left" test "$(/vm/pramfs status | grep -c pending)" = 0
	/vm/memstat
	look_for_leaks
fi
