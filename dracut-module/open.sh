#!/bin/sh
# cmdline hook: take the store over from the old kernel, as early as can be, and
# restore the containers if nothing is needed for that which udev has yet to bring.
# Where `rebootless-restore` has been the first program (init.c), both are done.
# shellcheck disable=SC1091 # there in the initramfs
. /lib/rebootless-lib.sh

if rebootless_came; then
	{ [ -e /run/rebootless/store/manifest.json ] || rebootless-restore open >/dev/kmsg 2>&1; } &&
		rebootless-restore early --root "${NEWROOT:-/sysroot}" >/dev/kmsg 2>&1
fi
