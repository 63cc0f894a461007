#!/bin/sh
# Large memory through one kernel after the other, without a copy: captured by CRIU
# into PramFS and held there until the jump, restored out of it.
#
# arguments: MIB of each survivor, the series of this kernel, those to go to
# shellcheck disable=SC1091,SC2154 # are there in the guest; verdict reads SURVIVORS_DIR
. /lib/vm.sh
. /survivor/verdict.sh
export SURVIVORS_DIR=/mnt/d/survivors SURVIVOR_PROGRAM=/survivor/survivor
# The kernel notes a task's CPU in the rseq area that glibc registers whenever the
# parasite returns to user space, also in pages that were captured: verify=on would
# take that for a task that was not kept stopped, and the seal be refused.
export SURVIVORS_ENV=GLIBC_TUNABLES=glibc.pthread.rseq=0
mib=$1 cgroups=/sys/fs/cgroup
shift
options=adopt=on,give=on,verify=on

set_up()
{
	insmod /pramfs.ko || fail "insmod-$STAGE" "see the console"
	# CRIU tries a connection to itself
	ifconfig lo 127.0.0.1 up
	mkdir -p /mnt/p /mnt/d /mnt/kit $cgroups
	check "mount-$STAGE" mount -t pramfs -o $options images /mnt/p
	mount -t ext4 /dev/vda /mnt/d || fail "disk-$STAGE" "see the console"
	ln -sfn /mnt/d/next /mnt/kit/next
	mount -t cgroup2 cgroup $cgroups
	echo '+memory +pids' >$cgroups/cgroup.subtree_control
	mkswap /dev/vdb >/dev/null
	check "swap-$STAGE" swapon /dev/vdb
	# A kernel that finds less than 512 MiB free at boot has none; rebootless-restore
	# brings the old kernel's settings.
	echo always >/sys/kernel/mm/transparent_hugepage/enabled
	if [ -e /sys/kernel/mm/ksm/run ]; then
		echo 2000 >/sys/kernel/mm/ksm/pages_to_scan
		echo 1 >/sys/kernel/mm/ksm/run
	fi
}

# make_cgroup NAME MEMORY.MAX: swap too, but not all of it
make_cgroup()
{
	mkdir -p "$cgroups/survivors-$1"
	echo "$2" >"$cgroups/survivors-$1/memory.max"
	echo 400M >"$cgroups/survivors-$1/memory.swap.max"
}

start()
{
	if ! /survivor/start host-tree "$@" 2>/run/start.out; then
		fail "start.$1" "$(tail -n 1 /run/start.out)"
	fi
}

start_all()
{
	make_cgroup large max
	# shellcheck disable=SC2046 # words
	SURVIVOR_LARGE_MIB=$mib start large $(/survivor/survivor --list-large | cut -d' ' -f1)
	make_cgroup limited max
	SURVIVOR_LARGE_MIB=$mib start limited large_memory private_files
}

# limit BYTES: what the cgroup `limited` may take, and what verify expects of it
limit()
{
	echo "$1" >$cgroups/survivors-limited/memory.max
	sed -i "s/^memory.max=.*/memory.max=$(cat $cgroups/survivors-limited/memory.max)/" \
		$SURVIVORS_DIR/limited/limits
}

# All that the cgroup has, in swap as well
all_of_limited()
{
	echo $(($(cat $cgroups/survivors-limited/memory.current) + $(cat $cgroups/survivors-limited/memory.swap.current)))
}

criu_says()
{
	grep -h 'Error\|Warn' "$1" | tail -n 8 | while read -r line; do note "criu: $line"; done
}

# Pages of the mount that came by this way, as `pramfs status` says
counter() { /vm/pramfs status --json | grep -o "\"$1\": *[0-9]*" | grep -o '[0-9]*$' | tail -n 1; }

# capture NAME: comes back when all is written and the tasks stand still, for good
capture()
{
	mkdir -p "/mnt/p/$1"
	cat >"/run/hold-$1" <<-HOLD
	#!/bin/sh
	[ "\$CRTOOLS_SCRIPT_ACTION" = post-dump ] || exit 0
	echo >/run/held-$1
	sleep 1000000
	HOLD
	chmod 755 "/run/hold-$1"
	criu dump --images-dir "/mnt/p/$1" --log-file /run/dump.log -v4 --shell-job --file-locks \
		--manage-cgroups=soft --tree "$(cat $SURVIVORS_DIR/"$1"/pid)" \
		--action-script "/run/hold-$1" >/run/dump.out 2>&1 &
	criu=$!
	until [ -e "/run/held-$1" ]; do
		if ! kill -0 $criu 2>/dev/null; then
			fail "capture-$STAGE.$1" "$(tail -n 1 /run/dump.out)"
			criu_says /run/dump.log
			return 1
		fi
		sleep 0.2
	done
	pass "capture-$STAGE.$1"
}

restore()
{
	if ! criu restore --images-dir "/mnt/p/$1" --log-file /run/restore.log -v4 --shell-job --file-locks \
		--manage-cgroups=soft --restore-detached >/run/restore.out 2>&1 </dev/null; then
		fail "restore-$STAGE.$1" "$(tail -n 1 /run/restore.out)"
		criu_says /run/restore.log
		return 1
	fi
	pass "restore-$STAGE.$1"
}

# At its limit, not beyond it, and charged for all that it has. What it writes from
# now on, it has twice until its images are gone: as images are of nobody's cgroup.
ask_limit()
{
	now=$(cat $cgroups/survivors-limited/memory.current)
	most=$(cat $cgroups/survivors-limited/memory.max)
	check "limit-$STAGE.not-beyond" test "$now" -le "$most"
	# large_memory alone has as much that nobody shares with other cgroups
	_anon=$(sed -n 's/^anon //p' $cgroups/survivors-limited/memory.stat)
	_swap=$(cat $cgroups/survivors-limited/memory.swap.current)
	check "limit-$STAGE.charged" test $((_anon + _swap)) -ge $((mib << 20))
	note "limited: $now of $most bytes, $_anon of processes, $_swap in swap"
	limit $((most * 2 + (64 << 20)))
	check "limit-$STAGE.no-oom" grep -qx 'oom_kill 0' $cgroups/survivors-limited/memory.events
}

stop_limited()
{
	while read -r _pid; do kill -"$1" "$_pid"; done <$cgroups/survivors-limited/cgroup.procs
}

# A hog in the full cgroup is killed, by name, and nobody else. The kernel tells of
# it with a stack trace, which is no mistake here: it is read, and taken out.
ask_oom()
{
	dmesg_out
	dmesg -c >/dev/null
	dmesg -n 1
	# who faults while the hog dies could be killed as well
	stop_limited STOP
	sh -c "echo 0 >$cgroups/survivors-limited/cgroup.procs; echo 1000 >/proc/self/oom_score_adj; exec tail /dev/zero"
	_status=$?
	stop_limited CONT
	dmesg -c >/run/oom
	dmesg -n 7
	grep 'Killed process' /run/oom
	check "oom-$STAGE.killed" test $_status = 137
	check "oom-$STAGE.once" test "$(grep -c 'Memory cgroup out of memory: Killed process' /run/oom)" = 1
	check "oom-$STAGE.who" grep -q 'Killed process [0-9]* (tail)' /run/oom
	if grep -E 'BUG|WARNING|KASAN|Bad page|bad_page|lockdep' /run/oom >/dev/console; then
		fail "oom-$STAGE.clean" "see the console"
	fi
}

# More than there is, as shared memory that goes to swap, and everybody else with it.
press()
{
	mkdir -p /mnt/t
	mount -t tmpfs -o size=100% press /mnt/t
	_mib=$(($(kib MemAvailable) / 1024 + 120))
	dd if=/dev/zero of=/mnt/t/much bs=1M count=$_mib 2>/dev/null
	note "swapped out under pressure: $(($(kib SwapTotal) - $(kib SwapFree))) KiB"
	check "pressure-$STAGE.swapped" test $(($(kib SwapTotal) - $(kib SwapFree))) -gt 51200
	umount /mnt/t
}

tell_counters()
{
	for _counter in adopted_pages adopt_copied_pages given_pages give_copied_pages; do
		metric "stage$STAGE.$_counter" "$(counter $_counter)" pages
	done
}

# How many bytes of the survivors' memory are huge pages
huge() { sed -n 's/^anon_thp //p' $cgroups/survivors-large/memory.stat; }

# For the next kernel. Whatever comes later, there are some at first.
note_huge()
{
	huge >/mnt/d/huge
	metric "stage$STAGE.captured.huge" "$(cat /mnt/d/huge)" bytes
	[ "$STAGE" != 1 ] || check huge-1 test "$(cat /mnt/d/huge)" -gt 0
}

# Those of one process are given as such where the kernel can; those of several are
# copied, and may be anything.
ask_huge()
{
	_huge=$(huge)
	metric "stage$STAGE.restored.huge" "$_huge" bytes
	case $(uname -r) in
	7.3*) check "huge-$STAGE" test $((_huge * 2)) -ge "$(cat /mnt/d/huge)" ;;
	esac
}

ask()
{
	for _name in large limited; do verdict "$1-$STAGE" $_name; done
}

# The whole memory is there again when nobody has it any more.
end_all()
{
	for _name in large limited; do echo 1 >$cgroups/survivors-$_name/cgroup.kill; done
	sleep 1
	rm -rf /mnt/p/large /mnt/p/limited
	check end.empty umount /mnt/p
	sync
	echo 3 >/proc/sys/vm/drop_caches
	_free=$(kib MemFree) _then=$(cat /mnt/d/free)
	note "free at the start $_then KiB, at the end $_free KiB"
	check end.memory test "$_free" -gt $((_then - 40960))
	look_for_leaks
}

# After the hog and the pressure the tasks are as they were.
after_hop()
{
	tell_counters
	for _name in large limited; do
		make_cgroup $_name "$(sed -n 's/^memory.max=//p' $SURVIVORS_DIR/$_name/limits)"
		restore $_name || return 1
	done
	# threads that they start from now on: free in the next kernel
	echo $((20000 + STAGE * 1000)) >/proc/sys/kernel/ns_last_pid
	tell_counters
	ask_huge
	ask_limit
	ask restored
	press
	ask pressed
	ask_oom
	ask again
	rm -rf /mnt/p/large /mnt/p/limited
	ask committed
}

set_up
if [ "$STAGE" = 1 ]; then
	sync
	echo 3 >/proc/sys/vm/drop_caches
	kib MemFree >/mnt/d/free
	start_all
	sleep 2
	ask before
else
	after_hop || exit 0
fi
metric "stage$STAGE.merged" "$(cat /sys/kernel/mm/ksm/pages_sharing 2>/dev/null)" pages
shift "$STAGE"
if [ $# = 0 ]; then
	end_all
	exit 0
fi
load "$1" || exit 0
# CRIU's own memory in there, and page tables
limit $(($(all_of_limited) + (8 << 20)))
note_huge
for name in large limited; do capture $name || exit 0; done
tell_counters
sync
dmesg_out
/vm/rebootless fire -v
fail "fire-$STAGE" "it came back"
