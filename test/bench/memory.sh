#!/bin/sh
# The guest of test/bench/memory: tasks of several sizes, dumped in one kernel and
# restored in the next one by CRIU, by way of tmpfs, of PramFS that copies, and of
# PramFS that does not. All figures are raw.
#
# usage: /test ROUNDS NEXT-SERIES MIB...
# shellcheck disable=SC1091
. /lib/vm.sh
rounds=$1 next=$2
shift 2

set_up()
{
	ifconfig lo 127.0.0.1 up
	mkdir -p /mnt/t /mnt/copy /mnt/zero /mnt/kit
	insmod /pramfs.ko || fail "insmod-$STAGE" "see the console"
	mount -t tmpfs -o size=100% tmpfs /mnt/t
	mount -t pramfs -o adopt=off,give=off,verify=off copy /mnt/copy
	check "mount-$STAGE" mount -t pramfs -o adopt=on,give=on,verify=off zero /mnt/zero
	mount -t pramfs kit /mnt/kit
}

# A virtual machine gets its memory from the host page by page, when it touches it first:
# that takes longer than what is measured, and would be whose turn comes first's.
touch_memory()
{
	dd if=/dev/zero of=/mnt/t/all bs=1M count=$(($(kib MemAvailable) / 1024 - 300)) 2>/dev/null
	rm -f /mnt/t/all
}

uptime_ms() { sed 's/\([0-9]*\)\.\([0-9][0-9]\).*/\1\20/' /proc/uptime; }

# fits MIB: so much more, and some to breathe
fits() { test $(($(kib MemAvailable) / 1024)) -gt $(($1 + 200)); }

# start TASK: one for each size and round, MIB.ROUND, since pages are given only once
start()
{
	mkdir -p "/tmp/$1"
	# high, so that it is free in the next kernel
	pids=$((${pids:-20000} + 20))
	echo $pids >/proc/sys/kernel/ns_last_pid
	/bench/dirty "${1%.*}" "/tmp/$1" &
	echo $! >"/mnt/kit/$1.pid"
	until [ -e "/tmp/$1/ready" ]; do sleep 0.2; done
}

# On the way CRIU runs this, when all images are written: what memory is left.
write_script()
{
	cat >/run/script <<-'SCRIPT'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" = post-dump ] || exit 0
	sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo >/run/free
	[ -e /run/hold ] || exit 0
	echo >/run/held
	sleep 1000000
	SCRIPT
	chmod 755 /run/script
}

dump()
{
	criu dump --images-dir "$1" --log-file /run/dump.log --shell-job --tree "$(cat "/mnt/kit/$2.pid")" \
		--action-script /run/script "$3" >/run/dump.out 2>&1
}

# measure_dump TASK WHERE DIR: the task goes on afterwards
measure_dump()
{
	mkdir -p "$3"
	_free=$(kib MemFree)
	if dump "$3" "$1" --leave-running; then
		/bench/criu_stats "${1%.*}.$2.dump" "$3/stats-dump"
		metric "${1%.*}.$2.dump.extra_kib" $((_free - $(cat /run/free))) KiB
		pass "dump-$1-$2"
	else
		fail "dump-$1-$2" "$(grep Error /run/dump.log | head -n 1)"
	fi
	rm -rf "$3"
}

dump_all()
{
	for _mib; do
		for _round in $(seq "$rounds"); do
			start "$_mib.$_round"
			if fits "$_mib"; then
				measure_dump "$_mib.$_round" tmpfs /mnt/t/images
				measure_dump "$_mib.$_round" copy /mnt/copy/images
			else
				note "$_mib MiB: no room for a copy of it"
			fi
			measure_dump "$_mib.$_round" zero /mnt/zero/images
		done
	done
}

# hold TASK: captured, and kept so until the kexec
hold()
{
	mkdir -p "/mnt/zero/$1"
	rm -f /run/held
	touch /run/hold
	dump "/mnt/zero/$1" "$1" -v4 &
	until [ -e /run/held ]; do
		kill -0 $! 2>/dev/null || { fail "hold-$1" "$(grep Error /run/dump.log | head -n 1)"; return 1; }
		sleep 0.1
	done
}

hold_all()
{
	for _mib; do
		for _round in $(seq "$rounds"); do
			hold "$_mib.$_round" || return 1
		done
	done
}

# Pages of all mounts that were taken as they are, as `pramfs status` says
counter() { /vm/pramfs status --json | grep -o "\"$1\": *[0-9]*" | grep -o '[0-9]*$'; }

# measure_restore TASK WHERE DIR
measure_restore()
{
	_name=${1%.*}.$2.restore
	_given=$(counter given_pages)
	_free=$(kib MemFree) _from=$(uptime_ms)
	if ! criu restore --images-dir "$3" --log-file /run/restore.log --shell-job --restore-detached \
		>/run/restore.out 2>&1 </dev/null; then
		fail "restore-$1-$2" "$(grep Error /run/restore.log | head -n 1)"
		return
	fi
	metric "$_name.wall_us" $((($(uptime_ms) - _from) * 1000)) us
	metric "$_name.extra_kib" $((_free - $(kib MemFree))) KiB
	metric "$_name.given" $(($(counter given_pages) - _given)) pages
	/bench/criu_stats "$_name" "$3/stats-restore"
	rm -f "/tmp/$1/verified"
	kill -USR1 "$(cat "/mnt/kit/$1.pid")"
	until [ -e "/tmp/$1/verified" ]; do sleep 0.2; done
	sleep 0.2
	check "verify-$1-$2" grep -q '^0 ' "/tmp/$1/verified"
	kill -KILL "$(cat "/mnt/kit/$1.pid")"
	sleep 1
}

# The largest last: when its images are copied, no others need room.
restore_all()
{
	# as rebootless-restore does it: images count as no memory
	echo 1 >/proc/sys/vm/overcommit_memory
	for _mib; do
		for _round in $(seq "$rounds"); do
			_task=$_mib.$_round
			mkdir -p "/tmp/$_task"
			mount -o remount,give=on /mnt/zero
			measure_restore "$_task" zero "/mnt/zero/$_task"
			if fits "$_mib"; then
				mount -o remount,give=off /mnt/zero
				measure_restore "$_task" copy "/mnt/zero/$_task"
			else
				note "$_mib MiB: no room for a copy of it"
			fi
			if fits $((_mib * 2)); then
				cp -r "/mnt/zero/$_task" /mnt/t/images
				measure_restore "$_task" tmpfs /mnt/t/images
				rm -rf /mnt/t/images
			fi
			rm -rf "/mnt/zero/$_task"
		done
	done
}

set_up
write_script
if [ "$STAGE" = 1 ]; then
	touch_memory
	mv /next /mnt/kit/
	dump_all "$@"
	load "$next" || exit 0
	hold_all "$@" || exit 0
	dmesg_out
	/vm/rebootless fire -v
	fail fire "it came back"
else
	restore_all "$@"
fi
