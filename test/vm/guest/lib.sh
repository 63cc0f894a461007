# shellcheck shell=sh
# What the guests' scripts share. /lib/guest-lib.sh is the lab's.
# shellcheck disable=SC1091
. /lib/guest-lib.sh

# load_pramfs: the module, and an instance for the test's own files on /mnt/kit.
load_pramfs()
{
	insmod /pramfs.ko || fail "insmod-$STAGE" "see the console"
	mkdir -p /mnt/kit /mnt/p
	mount -t pramfs kit /mnt/kit || fail "mount-kit-$STAGE" "see the console"
	ls /mnt/kit >/dev/null	# what came and nobody opens stays when it is unmounted
	if [ -d /next ]; then
		mv /next /mnt/kit/
	fi
}

# load SERIES [LOAD-ARG...]: put that kernel beside the running one.
load()
{
	_series=$1
	shift
	_status=0
	/vm/rebootless load -v --kernel "/mnt/kit/next/vmlinuz-$_series" \
		--initrd "/mnt/kit/next/initrd-$_series" --append "$(next_cmdline)" "$@" \
		>/tmp/loading 2>&1 || _status=$?
	cat /tmp/loading
	[ $_status != 0 ] || return 0
	fail "load-$STAGE" "status $_status: $(tail -n 5 /tmp/loading | tr '\n' ';')"
	return 1
}

# jump SERIES [LOAD-ARG...]: load that kernel and start it; comes back only on failure.
jump()
{
	load "$@" || return 1
	# What is noted in the tree after this line is not in the log of this kernel.
	dmesg_out
	/vm/rebootless fire -v
	fail "fire-$STAGE" "it came back"
	return 1
}

# kib NAME: a line of /proc/meminfo, in KiB.
kib()
{
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}

# look_for_leaks: on the debug kernel, what nobody refers to, and pages that are
# the module's although nothing of it is mounted. Call it at the end of a test.
look_for_leaks()
{
	mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
	if [ ! -e /sys/kernel/debug/kmemleak ]; then return; fi
	rmmod pramfs || fail "leaks-$STAGE.rmmod" "it is in use"
	# what was freed a moment ago, and by RCU, is told from a leak by a second scan
	for _ in 1 2 3; do
		echo scan >/sys/kernel/debug/kmemleak
		sleep 2
	done
	cat /sys/kernel/debug/kmemleak >/tmp/kmemleak
	cat /tmp/kmemleak
	check "leaks-$STAGE.kmemleak" test ! -s /tmp/kmemleak
	cat /sys/kernel/debug/page_owner >/tmp/page_owner
	check "leaks-$STAGE.page_owner-works" grep -q 'Page allocated via order' /tmp/page_owner
	grep -B 12 '\[pramfs\]' /tmp/page_owner | head -n 60
	check "leaks-$STAGE.page_owner" test "$(grep -c '\[pramfs\]' /tmp/page_owner)" = 0
}
