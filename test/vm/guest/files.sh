#!/bin/sh
# What programs expect of a filesystem like tmpfs, and random operations against
# tmpfs as the model, before and after a hop.
# shellcheck disable=SC1091
. /lib/vm.sh

load_pramfs
mount -t pramfs files /mnt/p || fail "mount-$STAGE" "see the console"

if [ "$STAGE" = 1 ]; then
	mkdir /mnt/p/ops
	# Reported one by one by the program itself.
	/vm/fsops /mnt/p/ops
	mkdir -p /mnt/small /tmp/model
	mount -t pramfs -o size=8m,nr_inodes=100 small /mnt/small
	/vm/fsops /mnt/small --limits
	umount /mnt/small
	for bad in size=1x size= nr_inodes=-1 mode=9 nonsense=1; do
		if mount -t pramfs -o "$bad" bad /mnt/small 2>/dev/null; then
			fail "option-$bad" "was taken"
			umount /mnt/small
		else
			pass "option-$bad-refused"
		fi
	done
fi
# The tree is left behind by one stage and compared by the next.
if [ "$STAGE" -gt 1 ]; then
	last=$((STAGE - 1))
	/vm/fsmodel "/mnt/p/model-$last" --check --seed "$last" --state "/mnt/kit/state-$last"
fi
if [ "$STAGE" -lt 3 ]; then
	mkdir -p "/mnt/p/model-$STAGE" "/tmp/model-$STAGE"
	/vm/fsmodel "/mnt/p/model-$STAGE" --model "/tmp/model-$STAGE" --seed "$STAGE" \
		--ops 110000 --threads 2 --no-map --state "/mnt/kit/state-$STAGE"
	rm -rf "/tmp/model-$STAGE"
	case $(uname -r) in
	6.12*) jump 7.3 ;;
	*) jump 6.12 ;;
	esac
else
	umount /mnt/p /mnt/kit
	look_for_leaks
fi
