#!/bin/sh
# In the full guest: every fault point of the old kernel, one update after the
# other, of which none may leave a trace; then a rebootless that is killed while
# containers are held; then an update that works, after all that.
# Argument: the kernel to go to.
# shellcheck disable=SC1091,SC2154 # are there in the guest
. /usr/lib/update-lib.sh
. /usr/lib/faults-lib.sh

# given_up CASE: the last update (its words are in update.out) failed as it must
given_up()
{
	if [ "$status" = 0 ]; then fail "$1.status" "0, expected another"; fi
	grep -q 'nothing was updated: all containers run on' /run/update.out ||
		fail "$1.words" "it does not say that nothing was updated: $(tail -n 2 /run/update.out)"
	grep -q "$2" /run/update.out || fail "$1.words" "no \"$2\" in what it says"
	compare "$1"
}

row()
{
	case $1 in
	dump-hang) sed 's/^dump-timeout.*/dump-timeout = 30/' /etc/rebootless.conf >/run/short.conf ;;
	*) cp /etc/rebootless.conf /run/short.conf ;;
	esac
	case $1 in dump*) spec=$1:runc-a ;; *) spec=$1 ;; esac
	REBOOTLESS_FAULT=$spec timeout 200 rebootless update --kernel "$to" --config /run/short.conf \
		>/run/update.out 2>&1
	status=$?
	given_up "old.$1" "the fault point $spec"
}

# hold: an update that has two containers held and waits for the third
hold()
{
	REBOOTLESS_FAULT=dump-hang:tree-a rebootless update --kernel "$to" >/run/update.out 2>&1 &
	updater=$!
	tries=0
	until [ "$(grep -c '^captured' /run/update.out)" = 2 ]; do
		tries=$((tries + 1))
		[ $tries -lt 1500 ] || { fail hold "$(tail -n 2 /run/update.out)"; return; }
		sleep 0.1
	done
}

# runs_on CASE: a rebootless that was killed has left all containers, with limits that
# are lifted until the next one, and a disk that can be written to. What waits for a frozen disk cannot be ended: it is left.
runs_on()
{
	for name in $small; do
		wrong=$(survivors_of "$name" | grep -v '\.limits: ')
		who "$name" | diff - "/run/before/processes-of-$name" >/run/difference ||
			wrong="$wrong $(cat /run/difference)"
		if [ -z "$wrong" ]; then pass "$1.$name"; else fail "$1.$name" "$wrong"; fi
	done
	check "$1.no-criu" sh -c '! pgrep criu'
}

# thawed CASE
thawed()
{
	(echo x >/srv/written && sync /srv/written && : >/run/written) &
	sleep 5
	check "$1.thawed" test -e /run/written
	# for the cases that follow, were it not
	[ -e /run/written ] || fsfreeze -u /
	rm -f /srv/written /run/written
}

old_kernel()
{
	cat >/etc/systemd/system/bystander.service <<-UNIT
	[Service]
	ExecStart=/bin/sleep infinity
	[Install]
	WantedBy=multi-user.target
	UNIT
	systemctl daemon-reload
	systemctl enable --now bystander.service
	# after it: systemd takes controllers away that no unit of its own asks for
	start_small
	sleep 1
	picture /run/before
	available >/run/available
	while read -r point kernel _ outcome; do
		if [ "$kernel" = old ] && [ "$outcome" = aborted ]; then
			begun=$(cut -d. -f1 /proc/uptime)
			row "$point"
			note "$point took $(($(cut -d. -f1 /proc/uptime) - begun)) s"
		fi
	done </fault-table

	hold
	kill -TERM $updater
	# who is on the way to its hold is waited for
	pkill -f '^sleep infinity$' -P $updater
	wait $updater
	status=$?
	given_up terminated 'container tree-a'

	hold
	# what CRIU does is charged to them
	check held.unthrottled grep -q '^max ' "$(cat /var/lib/survivors/crun-a/cgroup)/cpu.max"
	kill -KILL $updater
	wait $updater
	# what stood for a CRIU here would have ended at its hold
	pkill -f '^sleep infinity$' -P 1 -u root -n
	sleep 1
	runs_on killed-held
	check killed-held.restore-refused sh -c '! rebootless restore --all'
	# releases what that one has left, and is killed where disks are frozen
	REBOOTLESS_FAULT=killed timeout 200 rebootless update --kernel "$to" >/run/update.out 2>&1
	check killed.status test $? = 137
	thawed killed
	runs_on killed
	check killed.journal test ! -e /run/systemd/journal/flushed
	REBOOTLESS_FAULT=settle rebootless update --kernel "$to" >/run/update.out 2>&1
	fail update "exit status $?"
	cat /run/update.out
	say_failure /run/update.out 8
}

# The rows of the new kernel that need no restore that fails.
new_kernel()
{
	sleep 2
	systemctl is-system-running --wait >/dev/null
	for name in $small; do verdict updated "$name"; done
	check updated.journal sh -c '! journalctl -b -u systemd-journald | grep uncleanly'
	check settle.failed systemctl is-failed --quiet rebootless.service
	check settle.words sh -c 'journalctl -b -u rebootless.service | grep -q "fault point settle"'
	check settle.by-hand rebootless settle
	check settle.state test "$(state crun-a)" = running
	check settle.bystander systemctl is-active --quiet bystander.service
	# as every update sets it by the configuration, also one that is given up
	mount -o remount,verify=on /run/rebootless/store
	picture /run/before
	available >/run/available
	REBOOTLESS_FAULT=rollback timeout 200 rebootless rollback >/run/update.out 2>&1
	status=$?
	cat /run/update.out
	given_up_rollback
}

given_up_rollback()
{
	if [ $status = 0 ]; then fail rollback.status "0, expected another"; fi
	check rollback.words grep -q 'fault point rollback' /run/update.out
	check rollback.state test "$(state crun-a)" = running
	mv /run/rebootless/store/manifest.json /run/rebootless/store/aside
	compare rollback
	mv /run/rebootless/store/aside /run/rebootless/store/manifest.json
}

to=$1
if [ "$STAGE" = 1 ]; then old_kernel; else new_kernel; fi
