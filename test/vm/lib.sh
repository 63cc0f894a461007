# shellcheck shell=bash
# What the VM tests share; each test/vm/NAME sources it.
#
# A test prints one line per case on stdout, `pass NAME` or `fail NAME: why`;
# everything else that it prints is progress. It exits non-zero when one failed.
set -euo pipefail

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$VM_DIR/../.." && pwd)
export BUILD=${BUILD:-$TOP/build}
LAB=$TOP/test/lab
work=$BUILD/vm-work/$(basename "$0")
mkdir -p "$work"
export vm_failed=0	# what a test exits with
# Whence a test goes that has the same way in both directions: both in a soak only,
# since three hops from 6.12 have been on both kernels and gone both ways.
# shellcheck disable=SC2034 # used by those that source this
case ${SOAK:-} in 1) begins_with=(6.12 7.3) ;; *) begins_with=(6.12) ;; esac

# One CPU where the second shows nothing new: a fifth less for QEMU to do, which has
# one thread for both. In a soak always two.
# shellcheck disable=SC2034
one_cpu=(--cpus 1)
[ "${SOAK:-}" != 1 ] || one_cpu=()

# The programs that go into every guest.
build_programs()
{
	(
		flock 9
		make -s -C "$VM_DIR/src" BUILD="$BUILD"
		make -s -C "$TOP/checkpoint" BUILD="$BUILD" static
		make -s -C "$TOP/pramfs-module/tool" O="$BUILD/tool-static" STATIC=1
	) 9>"$BUILD/vm-programs.lock" >&2
}

# What asks kernel objects how they are, at build/survivor. Two tests start at the same time.
build_survivors()
{
	(
		flock 9
		make -s -C "$TOP/test/survivor" BUILD="$BUILD"
	) 9>"$BUILD/survivors.lock" >&2
}

# initrd SERIES OUT SCRIPT [ARG-OF-test/lab/initramfs...]: a bare guest that
# runs test/vm/guest/SCRIPT and has our programs under /vm.
initrd()
{
	local series=$1 out=$2 script=$3 program
	shift 3
	local -a add=(--add "$VM_DIR/guest/$script:/test" --add "$VM_DIR/guest/lib.sh:/lib/vm.sh")

	for program in "$BUILD"/vm/*; do
		if [ -f "$program" ]; then add+=(--add "$program:/vm/$(basename "$program")"); fi
	done
	add+=(--add "$BUILD/checkpoint/rebootless.static:/vm/rebootless"
	      --add "$BUILD/tool-static/pramfs:/vm/pramfs")
	# 6.12 has CRC32C in a module; later kernels have it built in.
	if [ "$series" = 6.12 ]; then add+=(--module libcrc32c); fi
	"$LAB/initramfs" "$series" "$out" "${add[@]}" "$@" >&2
}

# initrd_next SERIES OUT SCRIPT NEXT-SERIES... : such a guest that also has the
# kernels named and an initramfs for each, as /next/vmlinuz-SERIES and initrd-SERIES.
initrd_next()
{
	local series=$1 out=$2 script=$3 next
	shift 3
	local -a add=()

	for next in "$@"; do
		initrd "$next" "$work/next-$next.cpio" "$script"
		add+=(--add "$work/next-$next.cpio:/next/initrd-$next"
		      --add "$("$LAB/kernel" "$next" vmlinuz):/next/vmlinuz-$next")
	done
	initrd "$series" "$out" "$script" "${add[@]}"
}

# guest NAME SERIES INITRD [ARG-OF-test/lab/vm...]: run it and report its cases.
guest()
{
	local name=$1 series=$2 image=$3 status=0 report
	shift 3

	"$LAB/vm" --kernel "$("$LAB/kernel" "$series" vmlinuz)" --initrd "$image" \
		--name "$name" --append "console=ttyS0" --timeout 300 "$@" >"$work/$name.out" 2>&1 ||
		status=$?
	report=$BUILD/lab/runs/$name/report
	sed -n "s/^\(pass\|fail\|skip\) /\1 $name./p; s/^metric /metric $name./p" "$report" 2>/dev/null || true
	case $status in
	0) return 0 ;;
	1) ;;
	*)
		echo "fail $name: the guest ended with status $status (2 silent, 3 timeout, 4 dirty log, 5 panic)"
		tail -n 60 "$work/$name.out" | sed 's/^/    /'
		;;
	esac
	vm_failed=1
	return 0
}
