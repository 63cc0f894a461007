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
	if [ -d /next ]; then
		mv /next /mnt/kit/
	fi
}

# load SERIES [LOAD-ARG...]: put that kernel beside the running one.
load()
{
	_series=$1
	shift
	/vm/rebootless load -v --kernel "/mnt/kit/next/vmlinuz-$_series" \
		--initrd "/mnt/kit/next/initrd-$_series" --append "$(next_cmdline)" "$@" && return
	fail "load-$STAGE" "see the console"
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
