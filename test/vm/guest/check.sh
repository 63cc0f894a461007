#!/bin/sh
# Every case that the program prints is one of ours.
# shellcheck disable=SC1091
. /lib/guest-lib.sh

modprobe -a algif_hash af_alg sctp vsock fuse tls 2>/dev/null
/usr/local/bin/check_processes --criu >/tmp/cases 2>&1
while read -r word name why; do
	case $word in
	pass) pass "$name" ;;
	fail) fail "${name%:}" "$why" ;;
	skip) skip "${name%:}" "$why" ;;
	*) note "$word $name $why" ;;
	esac
done </tmp/cases
