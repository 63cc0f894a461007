# shellcheck shell=bash
# What the tests of whole updates share; each test/update/NAME sources it.
# Cases are reported as in test/vm; build_programs and guest() are from there.
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"
# shellcheck disable=SC2034 # used by those that source this
UPDATE_DIR=$TOP/test/update

# update_disk OUT systemd|busybox SCRIPT [ARG-OF-test/lab/update-disk...]: a guest
# on which updates work, that runs test/update/guest/SCRIPT and has the survivors.
update_disk()
{
	local out=$1 kind=$2 script=$3
	shift 3
	build_survivors
	"$LAB/update-disk" "$out" --initramfs "$kind" \
		--add "$UPDATE_DIR/guest/$script:/test" \
		--add "$UPDATE_DIR/guest/lib.sh:/usr/lib/update-lib.sh" \
		--add "$BUILD/survivor/survivor:/survivor/survivor" \
		--add "$TOP/test/survivor/start:/survivor/start" \
		--add "$TOP/test/survivor/verdict.sh:/survivor/verdict.sh" \
		--add "$TOP/test/survivor/verify:/survivor/verify" "$@" >&2
}

# update_guest NAME SERIES DISK-DIR CMDLINE [ARG-OF-test/lab/vm...]: boot it and report its cases.
update_guest()
{
	local name=$1 series=$2 disk=$3 words=$4
	shift 4
	guest "$name" "$series" "$disk/initrd-$series" --mem 3G --timeout "${UPDATE_TIMEOUT:-1200}" \
		--kernel "$("$LAB/kernel" "$series" vmlinuz guest)" \
		--disk "$disk/disk.img" --append "root=/dev/vda $words" "$@"
}
