# shellcheck shell=bash
# Shared by the scripts of the lab; sourced, never run.
#
# Sets: LAB_DIR (test/lab), TOP (the repository), BUILD, LAB (where all
# artefacts of the lab lie), TREES (the guests' root trees), and gives say, die, need_root, stamp_of, kver_of,
# build_tree and lab_lock.  The scripts' own output on stdout is for programs; steps go
# to stderr, one line each: "[lab  12s] what is being done".

# Debian's own tools (mmdebstrap is of many) take the python3 that they find: of
# one that a version manager puts first, each start takes ten times as long.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$LAB_DIR/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
mkdir -p "$BUILD/lab"
LAB=$(cd "$BUILD/lab" && pwd)
# The kernel series of the guests, oldest first; exact versions are resolved
# from the archive by test/lab/tree. With LAB_WIDE=1, as test/soak has it, those
# as well that not every `make test` is to pay for, in trees of their own. Of
# 6.16 to 7.1 the archive has images, but no headers to build the module with.
# shellcheck disable=SC2034
if [ "${LAB_WIDE:-}" = 1 ]; then
	LAB_SERIES=(6.12 7.2 7.3) TREES=$LAB/wide
else
	LAB_SERIES=(6.12 7.3) TREES=$LAB
fi
# Debug kernels, for bare guests only, each in a tree of its own; they are not built
# unless they are asked for.
# shellcheck disable=SC2034
LAB_DEBUG='6.12-debug 7.3-debug'
# dracut's modules that bring up a network, which a host with local disks has not.
LAB_NO_NETWORK='network network-legacy network-manager connman systemd-networkd
	systemd-network-management net-lib kernel-network-modules qemu-net nbd iscsi nfs'

say()
{
	printf '[lab %3ds] %s\n' "$SECONDS" "$*" >&2
}

die()
{
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit "${DIE:-1}"
}

need_root()
{
	[ "$(id -u)" = 0 ] || die "root is needed $*"
}

# Print the file's head comment: usage texts live there only.
usage()
{
	sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0" >&2
	exit 64
}

# stamp_of WORD-OR-FILE...: one sha256 over words and file contents.
stamp_of()
{
	local a
	for a in "$@"; do
		if [ -f "$a" ]; then sha256sum <"$a"; else echo "$a"; fi
	done | sha256sum | cut -d' ' -f1
}

# kver_of KVER|SERIES: a series' KVER
kver_of()
{
	case " ${LAB_SERIES[*]} $LAB_DEBUG " in
	*" $1 "*) "$LAB_DIR/kernel" "$1" kver ;;
	*) echo "$1" ;;
	esac
}

# build_tree KVER: the tree that modules for it are built in
build_tree()
{
	case $1 in *-debug) echo "${1%.*}-debug" ;; *) echo kbuild ;; esac
}

# lab_lock NAME: one at a time from here to the end of the script.
lab_lock()
{
	exec 9>"$LAB/lock.$1"
	flock -n 9 || { say "waiting for another $1 to finish"; flock 9; }
}
