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

# The kernel moves pages when it likes, until they are sealed. The list lies in
# what is sealed, so it can only be made before: until one is right.
seal_with_frames()
{
	for _try in 1 2 3 4 5 6 7 8 9 10; do
		/vm/tree frames /mnt/p >/mnt/kit/frames
		/vm/sealing seal || fail "seal-$STAGE" "see the console"
		/vm/tree frames /mnt/p >/tmp/sealed
		! cmp /tmp/sealed /mnt/kit/frames || break
		/vm/sealing unseal
	done
	echo 1 >/proc/sys/vm/compact_memory
	/vm/tree frames /mnt/p >/tmp/compacted
	check "stay-$STAGE" cmp /tmp/compacted /mnt/kit/frames
	rm -f /tmp/sealed /tmp/compacted
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
	load "$(other_kernel)"
	dmesg_out
	seal_with_frames
	/vm/sealing jump
	fail "fire-$STAGE" "it came back"
else
	umount /mnt/p /mnt/kit
	check rmmod rmmod pramfs
	insmod /pramfs.ko
	check "nothing-left" test "$(/vm/pramfs status | grep -c pending)" = 0
	/vm/memstat
	look_for_leaks
fi
