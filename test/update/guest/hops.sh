#!/bin/sh
# In the full guest: seven to nine containers of all engines, of which each checks
# itself, through one update after the other. Arguments: the kernels to go to.
# shellcheck disable=SC1091,SC2154 # is there in the guest, and has store
. /usr/lib/update-lib.sh
hops=$#

containers='crun-all runc-all tree-all crun-two runc-two unit-tree tree-answers tree-asks crun-disk crun-scope runc-scope'

# start_scope ENGINE NAME: a container whose cgroup is made by systemd, with a root
# that is read-only and has no /tmp. Only where systemd runs in the initramfs too:
# nobody else could make the cgroup there.
start_scope()
{
	bundle=/srv/$2
	mkdir -p "$bundle/out" "$bundle/rootfs/bin" "$bundle/rootfs/proc" "$bundle/rootfs/dev" \
		"$bundle/rootfs/sys" "$bundle/rootfs/out"
	cp /usr/bin/busybox "$bundle/rootfs/bin/sh"
	(cd "$bundle" && "$1" spec) && python3 - "$bundle/config.json" "$2" <<-'EDIT'
	import json, sys
	with open(sys.argv[1]) as f:
	    config = json.load(f)
	config["process"].update(terminal=False, args=["/bin/sh", "-c",
	    "n=0; while :; do n=$((n + 1)); echo $n >/out/count; sleep 0.1; done"])
	config["root"]["readonly"] = True
	config["mounts"].append({"destination": "/out", "type": "bind",
	    "source": sys.argv[1].replace("config.json", "out"), "options": ["bind"]})
	config["linux"]["cgroupsPath"] = "system.slice:test:" + sys.argv[2]
	config["linux"]["resources"] = {"memory": {"limit": 64 << 20}}
	with open(sys.argv[1], "w") as f:
	    json.dump(config, f)
	EDIT
	check "start.$2" "$1" --systemd-cgroup run --detach --bundle "$bundle" "$2" \
		</dev/null >/dev/null 2>&1
}

# goes_on NAME FILE: does the number in it rise? It is empty for a moment at each change.
goes_on()
{
	before=
	while [ -z "$before" ]; do before=$(cat "$2"); done
	sleep 1
	now=
	while [ -z "$now" ]; do now=$(cat "$2"); done
	check "$1.counts" test "$now" -gt "$before"
}

ask_scope()
{
	goes_on "$1.$3" "/srv/$3/out/count"
	check "$1.$3.root" test ! -e "/srv/$3/rootfs/tmp"
	check "$1.$3.scope" systemctl is-active --quiet "test-$3.scope"
	check "$1.$3.limit" grep -q 67108864 "/sys/fs/cgroup/system.slice/test-$3.scope/memory.max"
	check "$1.$3.exec" sh -c "$2 exec $3 /bin/sh -c true </dev/null"
}

# Limits that a kernel makes of the size of memory, and some that start_all() raises, by name.
limits()
{
	for name in kernel/threads-max fs/inotify/max_user_watches fs/epoll/max_user_watches \
		vm/min_free_kbytes vm/user_reserve_kbytes vm/max_map_count vm/nr_hugepages; do
		echo "$(echo $name | tr / .) $(cat /proc/sys/$name)"
	done
	# pages that the first zone keeps from those who can have higher ones
	echo "protection $(sed -n 's/^ *protection: (0, \([0-9]*\),.*/\1/p' /proc/zoneinfo | head -n 1)"
}

thp() { (cd /sys/kernel/mm/transparent_hugepage && cat enabled defrag use_zero_page khugepaged/defrag); }

# start_tree NAME COMMAND...: in the host's namespaces, with pids that no new system has given away
start_tree()
{
	mkdir -p "/sys/fs/cgroup/$1" /srv/trees
	# shellcheck disable=SC2016 # expands there
	sh -c 'echo 0 >"/sys/fs/cgroup/$0/cgroup.procs"; exec setsid "$@"' "$@" </dev/null >/dev/null 2>&1 &
	echo $! >"/srv/trees/$1"
}

# Two that talk to each other over loopback, on a host that has no other link.
start_talk()
{
	echo 0 >/srv/answered
	# shellcheck disable=SC2016 # expand there
	echo 'while read -r n; do echo $((n + 1)); sleep 0.1; done' >/srv/answer
	# shellcheck disable=SC2016
	echo 'n=0; while echo $n && read -r n; do echo $n >/srv/answered; done' >/srv/ask
	start_tree tree-answers busybox nc -l -p 7100 -e sh /srv/answer
	sleep 1
	start_tree tree-asks busybox nc 127.0.0.1 7100 -e sh /srv/ask
	# shellcheck disable=SC2016
	check start.talk await 20 sh -c 'test "$(cat /srv/answered)" -gt 0'
}

# What no new kernel allows by itself, and a host's settings are read much later.
raise_limits()
{
	sysctl -q fs.nr_open=2000000 fs.aio-max-nr=300000 fs.inotify.max_user_instances=600 \
		vm.max_map_count=262144 vm.nr_hugepages=8
}

start_all()
{
	raise_limits
	# All survivors in one, since each costs an emulated machine time in every
	# second; that every engine carries every one is shown by test/vm/survivors.
	start_survivors crun crun-all
	start_survivors runc runc-all process_tree threads signals files pipes epoll seccomp cgroup
	# with a mapping larger than all memory, which the new kernel would not grant
	echo 1 >/proc/sys/vm/overcommit_memory
	SURVIVORS_ENV=SURVIVOR_GRANTED_GIB=8 start_survivors host-tree tree-all process_tree memory \
		timers fifos ptys inotify eventfd cgroup socket_options raised_limits huge_tlb shared_code
	echo 0 >/proc/sys/vm/overcommit_memory
	for name in raised_limits huge_tlb; do
		check "start.$name" test -e "$(cat /var/lib/survivors/tree-all/dir)/$name.ready"
	done
	start_talk
	# little, since vdso takes all of it, see clock_reader()
	SURVIVORS_LOG=/var/log/crun-two SURVIVORS_CPU_QUOTA=15000 \
		start_survivors crun crun-two memory timers vdso socket_options outside_log shared_code
	SURVIVORS_LOG=/var/log/runc-two start_survivors runc runc-two unix_sockets clocks outside_log shared_code
	# A unit that is enabled, as a host's services are.
	mkdir -p /srv/unit-tree
	cat >/etc/systemd/system/unit-tree.service <<-UNIT
	[Unit]
	Description=a plain process tree
	[Service]
	StandardOutput=null
	StandardError=null
	ExecStart=/bin/sh -c 'n=0; while :; do n=\$\$((n + 1)); echo \$\$n >/srv/unit-tree/count; sleep 0.1; done'
	[Install]
	WantedBy=multi-user.target
	UNIT
	systemctl daemon-reload
	systemctl enable --now unit-tree.service
	# A service that is none of the update's: stopped in order, and started by the new system.
	cat >/etc/systemd/system/bystander.service <<-UNIT
	[Service]
	ExecStart=/bin/sleep infinity
	ExecStopPost=/bin/sh -c 'echo stopped >>/srv/bystander'
	[Install]
	WantedBy=multi-user.target
	UNIT
	systemctl daemon-reload
	systemctl enable --now bystander.service
	# A container whose files lie on a second disk.
	mkfs.ext4 -q /dev/vdb
	mkdir -p /srv/second
	mount /dev/vdb /srv/second
	SURVIVORS_DIR=/srv/second start_survivors crun crun-disk files deleted_files mapped_files
	if [ -e /srv/scopes ]; then
		start_scope crun crun-scope
		start_scope runc runc-scope
	fi
	cat >/etc/rebootless.conf <<-CONF
	restore-early = $(early 1)
	dump-timeout = 200
	restore-timeout = 200
	verify = yes
	[tree tree-all]
	pid-file = /var/lib/survivors/tree-all/pid
	[tree tree-answers]
	pid-file = /srv/trees/tree-answers
	[tree tree-asks]
	pid-file = /srv/trees/tree-asks
	[tree unit-tree]
	unit = unit-tree.service
	[container crun-two]
	after = runc-two
	CONF
	sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo >/srv/memory
	limits >/srv/limits
	thp >/srv/thp
	echo "huge pages before: $(tr '\n' ' ' </srv/thp)"
}

# clock_reader CMD: touch, and crun-two reads the clock from now on; rm, and it ends.
clock_reader() { "$1" "$(cat /var/lib/survivors/crun-two/dir)/vdso.d/busy"; }

# early HOP: is it to restore before the initramfs looks for root? In every other one, with
# systemd in the first.
early()
{
	[ -e /srv/scopes ] && odd=yes even=no || odd=no even=yes
	[ $(($1 % 2)) = 0 ] && echo "$even" || echo "$odd"
}

# Scopes of systemd's keep the others from being restored before it: the last hop that is
# early goes without them, where there are three and more.
alone=$((hops - 1 + hops % 2))
[ "$hops" -ge 3 ] && [ -e /srv/scopes ] || alone=0
has_scopes() { [ -e /srv/scopes ] && { [ $alone = 0 ] || [ "$1" -lt $alone ]; }; }

end_scopes()
{
	for engine in crun runc; do
		check "end.$engine-scope.kill" $engine kill $engine-scope KILL
		sleep 1
		check "end.$engine-scope.delete" $engine delete $engine-scope
	done
}

# quota_held NAME: crun-two, which never rests, has been kept to its part of a CPU ever since
# it was restored, while systemd started as well: its periods of 0.1 s are counted.
quota_held()
{
	restored=$(dmesg | sed -n 's/^\[ *\([0-9]*\)\..*\] restored crun-two$/\1/p' | tail -n 1)
	periods=$(sed -n 's/^nr_periods //p' "$(cat /var/lib/survivors/crun-two/cgroup)/cpu.stat")
	now=$(cut -d. -f1 /proc/uptime)
	echo "quota: ${periods:-0} periods in $((now - ${restored:-0})) s"
	check "$1" test "${periods:-0}" -ge $((8 * (now - ${restored:-0})))
}

# What the runtimes and systemd know of them.
ask_runtimes()
{
	for name in crun-all crun-two crun-disk; do
		check "$1.$name.list" sh -c "crun list | grep -q '^$name .*running'"
		check "$1.$name.exec" sh -c "crun exec $name /bin/busybox true </dev/null"
	done
	for name in runc-all runc-two; do
		check "$1.$name.list" sh -c "runc list | grep -q '^$name .*running'"
		check "$1.$name.exec" sh -c "runc exec $name /bin/busybox true </dev/null"
	done
	check "$1.overcommit" test "$(cat /proc/sys/vm/overcommit_memory)" = 0
	check "$1.unit-tree.active" systemctl is-active --quiet unit-tree.service
	check "$1.unit-tree.once" test "$(pgrep -fc 'srv/unit-tree/count')" = 1
	goes_on "$1.unit-tree" /srv/unit-tree/count
	goes_on "$1.talk" /srv/answered
	check "$1.bystander.active" systemctl is-active --quiet bystander.service
	check "$1.bystander.stopped" test -s /srv/bystander
}

ask_host()
{
	# Kernels differ a little in what they keep for themselves.
	now=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	before=$(cat /srv/memory)
	check "$1.memory" test $((100 * now)) -ge $((98 * before))
	limits >/run/limits
	while read -r name before; do
		now=$(sed -n "s/^$name //p" /run/limits)
		check "$1.$name" test $((100 * ${now:-0})) -ge $((95 * before))
	done </srv/limits
	# counted from all memory of the zone above, as it is when the images are gone
	# shellcheck disable=SC2016 # awk's
	check "$1.reserves" awk '/^ *managed/ { pages[n++] = $2 }
		/^ *protection: \(0, / && !kept { gsub(/[(),]/, ""); kept = $3 }
		END { exit !(kept * 256 >= 0.995 * pages[1]) }' /proc/zoneinfo
	check "$1.huge-pages" test "$(thp)" = "$(cat /srv/thp)"
	check "$1.khugepaged" pgrep -x khugepaged
	check "$1.holder" test ! -e /sys/fs/cgroup/rebootless
	check "$1.committed" sh -c "! ls -d /run/rebootless/store/containers/*/images"
	check "$1.journal" sh -c 'journalctl -b -u rebootless.service | grep -q "restored crun-all"'
	check "$1.journal-whole" sh -c '! journalctl -b | grep "uncleanly shut down"'
	check "$1.options" sh -c '! journalctl -b -u rebootless.service | grep "set again: "'
	# socket_options would live without it where all is restored within its 20 seconds
	check "$1.keepalive" sh -c 'journalctl -b -u rebootless.service |
		grep -q "container tree-all: keepalive of [0-9]* connections is off until"'
	# not by udev, which comes to it much later
	check "$1.disk-first" sh -c 'dmesg | awk "
		/virtio_blk.*\[vda\]/ && !came { there = 1 } /an update has come into kernel/ { came = 1 }
		END { exit !(there && came) }"'
	check "$1.no-kdat" test ! -e /run/criu.kdat
	tried=no
	[ ! -e /run/rebootless/early ] || tried=yes
	check "$1.early" test $tried = "$(early "$((STAGE - 1))")"
	[ "$STAGE" != $((alone + 1)) ] || check "$1.before-systemd" before_systemd crun-all
	check "$1.at-once" sh -c '! journalctl -b -u rebootless.service | grep "it is tried again when"'
}

# systemd must not take them away later.
shake()
{
	systemctl daemon-reload
	systemctl isolate default.target
	sleep 1
}

finish()
{
	for name in crun-all crun-two crun-disk; do
		check "end.$name.kill" crun kill "$name" KILL
		sleep 1
		check "end.$name.delete" crun delete "$name"
	done
	for name in runc-all runc-two; do
		check "end.$name.kill" runc kill "$name" KILL
		sleep 1
		check "end.$name.delete" runc delete "$name"
	done
	check end.unit-tree.stop systemctl stop unit-tree.service
	check end.unit-tree.gone test "$(pgrep -fc 'srv/unit-tree/count')" = 0
}

if [ "$STAGE" = 1 ]; then
	start_all
else
	sleep 2
	systemctl is-system-running --wait >/dev/null
	quota_held "hop$((STAGE - 1)).quota-held"
	clock_reader rm
	rebootless status
	tell_times "hop$((STAGE - 1))"
	shake
	for name in crun-all runc-all tree-all crun-two runc-two; do
		verdict "hop$((STAGE - 1))" "$name"
	done
	SURVIVORS_DIR=/srv/second verdict "hop$((STAGE - 1))" crun-disk
	ask_runtimes "hop$((STAGE - 1))"
	if has_scopes $((STAGE - 1)); then
		ask_scope "hop$((STAGE - 1))" crun crun-scope
		ask_scope "hop$((STAGE - 1))" runc runc-scope
	fi
	ask_host "hop$((STAGE - 1))"
fi
if [ "$STAGE" -gt "$hops" ]; then
	finish
	exit 0
fi
[ "$STAGE" != $alone ] || end_scopes
shift $((STAGE - 1))
sed -i "s/^restore-early = .*/restore-early = $(early "$STAGE")/" /etc/rebootless.conf
if [ "$STAGE" != 1 ] || rebootless check --kernel "$1"; then
	clock_reader touch
	update "$1" || fail "update$STAGE" "exit status $?"
else
	fail "check" "exit status $?"
fi
say_failure /run/update.out 12
for name in $containers; do say_failure "$store/containers/$name/work/dump.log" 3; done
