#!/bin/sh
# In the full guest: fault points of the new kernel, one update for each, to and
# fro. Arguments: rows of test/fault/table, as POINT:POLICY:OUTCOME.
# shellcheck disable=SC1091,SC2154 # are there in the guest
. /usr/lib/update-lib.sh
. /usr/lib/faults-lib.sh
all="$small crun-disk"

start_all()
{
	start_small
	mkfs.ext4 -q /dev/vdb
	mkdir -p /srv/second
	mount /dev/vdb /srv/second
	SURVIVORS_DIR=/srv/second start_survivors crun crun-disk files deleted_files
}

# victims POINT: whom it must hit, and nobody else
victims()
{
	case $1 in
	early | restore | restore-hang) echo crun-a ;;
	restore-fail) echo runc-a ;;
	mount-root) echo crun-disk ;;
	enter-root) echo "$all" ;;
	esac
}

# words POINT: what `status` must say of them
words()
{
	case $1 in
	restore) echo 'could not be started' ;;
	restore-fail) echo 'ended with status 1' ;;
	restore-hang) echo 'not restored within 40 s' ;;
	*) echo 'ended with status' ;;
	esac
}

verdicts()
{
	for name in $all; do
		case $name in crun-disk) dir=/srv/second ;; *) dir=/var/lib/survivors ;; esac
		SURVIVORS_DIR=$dir verdict "$1" "$name"
	done
}

# fire POINT:POLICY:OUTCOME, to the other kernel
fire()
{
	point=${1%%:*} policy=${1#*:} policy=${policy%:*}
	victim=$(victims "$point" | cut -d' ' -f1)
	case $point in early | restore*) point=$point:$victim ;; esac
	cat >/etc/rebootless.conf <<-CONF
	dump-timeout = 120
	restore-timeout = $(case $point in restore-hang*) echo 40 ;; *) echo 120 ;; esac)
	verify = yes
	on-restore-failure = $policy
	fault = $point
	[tree tree-a]
	pid-file = /var/lib/survivors/tree-a/pid
	CONF
	echo "$1" >/srv/row
	uname -r >/srv/from
	case $(uname -r) in 6.12*) to=7.3 ;; *) to=6.12 ;; esac
	update $to || fail "update.$1" "exit status $?"
	say_failure /run/update.out 8
}

judge_kept()
{
	check "$1.kernel" test "$(uname -r)" != "$(cat /srv/from)"
	rebootless status >/run/status
	for name in $all; do
		case " $(victims "$point") " in
		*" $name "*)
			check "$1.$name.failed" test "$(state "$name")" = failed
			check "$1.$name.images" test -e "$store/containers/$name/images/inventory.img"
			;;
		*) check "$1.$name.restored" test "$(state "$name")" = restored ;;
		esac
	done
	check "$1.words" grep -q "$(words "$point")" /run/status
	check "$1.update-refused" sh -c '! rebootless update'
	if ! mountpoint -q /srv/second; then mount /dev/vdb /srv/second; fi
	rebootless restore --all >/run/restore.out 2>&1 ||
		fail "$1.restore" "exit status $?: $(tail -n 2 /run/restore.out)"
	verdicts "$1"
	check "$1.committed" test "$(state crun-a)" = running
}

judge_carried()
{
	check "$1.kernel" test "$(uname -r)" != "$(cat /srv/from)"
	verdicts "$1"
	check "$1.unit" systemctl is-failed --quiet rebootless.service
	check "$1.kept" test "$(state crun-a)" = restored
	check "$1.words" sh -c "journalctl -b -u rebootless.service | grep -q 'fault point $point'"
	check "$1.by-hand" rebootless "$point"
	check "$1.done" test "$(state crun-a)" = running
}

# It failed once, and came back in its usual place.
judge_early()
{
	check "$1.kernel" test "$(uname -r)" != "$(cat /srv/from)"
	verdicts "$1"
	check "$1.words" sh -c "journalctl -b -u rebootless.service | grep -q 'fault point early'"
	check "$1.again" sh -c "journalctl -b -u rebootless.service | grep -q 'it is tried again when'"
	check "$1.committed" test "$(state crun-a)" = running
}

judge_rolled_back()
{
	check "$1.kernel" test "$(uname -r)" = "$(cat /srv/from)"
	rebootless status >/run/status
	check "$1.status" grep -q 'rolled back' /run/status
	check "$1.words" grep -q "fault point $point" "$store/log"
	verdicts "$1"
	check "$1.running" test "$(state runc-a)" = running
}

judge()
{
	point=${1%%:*}
	case $1 in
	early:*) judge_early "early.$(echo "$1" | cut -d: -f2)" ;;
	*:kept) judge_kept "$point" ;;
	*:carried) judge_carried "$point" ;;
	*:rolled-back) judge_rolled_back "$point.rollback" ;;
	esac
	check "$point.loaded" test "$(cat /sys/kernel/kexec_loaded)" = 0
	check "$point.clean" sh -c '! pgrep -x criu'
}

if [ "$STAGE" = 1 ]; then
	start_all
else
	sleep 2
	systemctl is-system-running --wait >/dev/null
	judge "$(cat /srv/row)"
fi
if [ "$STAGE" -gt $# ]; then exit 0; fi
shift $((STAGE - 1))
fire "$1"
