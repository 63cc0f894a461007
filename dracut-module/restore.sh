#!/bin/sh
# pre-pivot hook, behind all others: the real root is mounted, bring the
# containers back into it that are not there yet.
# shellcheck disable=SC1091 # there in the initramfs
. /lib/rebootless-lib.sh

if [ -e /run/rebootless/store/manifest.json ]; then
	rebootless-restore run --root "$NEWROOT" >/dev/kmsg 2>&1
	# 3: RESTORE_SHELL in restore.h
	[ $? -ne 3 ] || rebootless_shell
fi
