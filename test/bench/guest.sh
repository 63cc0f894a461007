#!/bin/sh
# The benchmark's guest, three kernels in one boot: pramfs beside tmpfs, then a
# handover of large files, then one of scattered pages. All metrics are raw;
# test/bench/run takes the medians.
#
# usage: /test FILES-MIB FSBENCH-ROUNDS HELD-MIB
# shellcheck disable=SC1091
. /lib/vm.sh
files_mib=$1 rounds=$2 held_mib=$3

# number KEY FILE: the value of KEY in JSON
number()
{
	sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$2"
}

# sealed WORDS FILE: the number before WORDS in what `sealing seal` prints
sealed()
{
	sed -n "s/.* \([0-9]*\) $1.*/\1/p" "$2"
}

# seal_rounds SHAPE: yardstick and seal in turn
seal_rounds()
{
	for _ in 1 2 3 4 5; do
		/vm/stopwatch memcpy "$1" || fail "memcpy-$1" "see the console"
		if ! /vm/sealing seal >/tmp/sealed; then
			fail "seal-$1" "see the console"
			return
		fi
		/vm/sealing unseal || fail "unseal-$1" "see the console"
		metric "$1.seal_ns" "$(sealed ns /tmp/sealed)" ns
	done
	metric "$1.data_bytes" "$(sealed 'data bytes' /tmp/sealed)" bytes
	metric "$1.metadata_bytes" "$(sealed 'metadata bytes' /tmp/sealed)" bytes
	metric "$1.extents" "$(sealed extents /tmp/sealed)" extents
	cat /tmp/sealed
	pass "seal-$1"
}

load()
{
	/vm/rebootless load -v --kernel /mnt/kit/next/vmlinuz --initrd /mnt/kit/next/initrd \
		--append "$(next_cmdline)" || fail "load-$STAGE" "see the console"
}

fire()
{
	dmesg_out
	/vm/rebootless fire -v
	fail "fire-$STAGE" "it came back"
}

# opened SHAPE: module and mounts, and what the module says of it
opened()
{
	mkdir -p /mnt/kit /mnt/p
	check "open-$1" /vm/stopwatch open "$1" /pramfs.ko kit /mnt/kit data /mnt/p
	/vm/pramfs status --json >/tmp/status
	for _key in check_ns give_back_ns given_back_bytes; do
		metric "$1.$_key" "$(number $_key /tmp/status)" "${_key##*_}"
	done
	for _ in 1 2 3 4 5; do /vm/stopwatch memcpy "$1.after"; done
}

# page_by_page SHAPE: the same kernel, the same memory, the obvious way
page_by_page()
{
	# Busybox tries a second way when the first fails, as it does: six rounds, not three.
	insmod /onebyone.ko mib=256 2>/dev/null
	dmesg | sed -n 's/.*onebyone: \([0-9]*\) pages in \([0-9]*\) ns$/\1 \2/p' >/tmp/onebyone
	check "onebyone-$1" test "$(grep -c . /tmp/onebyone)" -ge 3
	while read -r _pages _ns; do
		metric "$1.onebyone_ps" $((_ns * 1000 / _pages)) ps
	done </tmp/onebyone
}

case $STAGE in
1)
	mkdir -p /mnt/kit /mnt/p /mnt/t
	# What loading the module costs when nothing came.
	check open-nothing /vm/stopwatch open nothing /pramfs.ko kit /mnt/kit data /mnt/p
	mv /next /mnt/kit/
	mount -t tmpfs -o size=1g tmpfs /mnt/t
	/vm/fsbench /mnt/p /mnt/t --size 256m --rounds "$rounds" || fail fsbench "see the console"
	umount /mnt/t
	/vm/fill /mnt/p --mib "$files_mib" --files 4 || fail fill-large "see the console"
	load
	seal_rounds large
	fire
	;;
2)
	opened large
	page_by_page large
	check verify-large /vm/fill /mnt/p --mib "$files_mib" --files 4 --verify
	rm -rf /mnt/p/*
	# The arena first: it could not be had from what is left then.
	load
	insmod /fragment.ko mib="$held_mib" || fail fragment "see the console"
	/vm/fill /mnt/p --mib "$files_mib" --files 4 --pattern scattered || fail fill-scattered "see the console"
	seal_rounds scattered
	fire
	;;
3)
	opened scattered
	page_by_page scattered
	check verify-scattered /vm/fill /mnt/p --mib "$files_mib" --files 4 --verify
	;;
esac
