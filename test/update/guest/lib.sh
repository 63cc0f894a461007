# shellcheck shell=sh
# What the guests' scripts of whole updates share. /lib/guest-lib.sh is the lab's.
# shellcheck disable=SC1091
. /lib/guest-lib.sh
# shellcheck disable=SC1091
. /survivor/verdict.sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
store=/run/rebootless/store

# start_survivors ENGINE NAME [SURVIVOR...]
start_survivors()
{
	if /survivor/start "$@" 2>/run/start.out; then
		pass "start.$2"
	else
		fail "start.$2" "$(tail -n 1 /run/start.out)"
	fi
}

# update SERIES [ARG-OF-rebootless-update...]: comes back only on failure, which is returned.
update()
{
	_to=$1
	shift
	dmesg_out
	rebootless update --kernel "$_to" -v "$@" >/run/update.out 2>&1
	_status=$?
	cat /run/update.out
	return $_status
}

# say_failure FILE: the last lines of a log, for the host
say_failure()
{
	tail -n "${2:-6}" "$1" 2>/dev/null | while read -r line; do note "$line"; done
}

# state NAME: what `rebootless status` says of a container
state()
{
	rebootless status --json | python3 -c '
import json, sys
status = json.load(sys.stdin)
print([c["state"] for c in status["containers"] if c["name"] == sys.argv[1]][0])' "$1"
}

# await SECONDS CMD...: until it succeeds
await()
{
	_left=$(($1 * 2))
	shift
	until "$@"; do
		_left=$((_left - 1))
		[ $_left -gt 0 ] || return 1
		sleep 0.5
	done
}

# tell_times NAME: the figures of the last update, of the whole and of each phase
tell_times()
{
	rebootless status --json | python3 -c '
import json, sys
timeline = json.load(sys.stdin)["timeline"]
print("blackout", timeline["blackout"])
for phase in timeline["phases"]:
    print(phase["phase"], phase["takes"])
' | while read -r name value; do metric "$1.$name" "$value" s; done
}

# before_systemd NAME: was it restored before systemd had begun? By the kernel's log, which has both.
before_systemd()
{
	dmesg | awk -v name="restored $1" '
		/systemd\[1\]: systemd .* running in system mode/ { late = 1 }
		index($0, name) { found = 1; exit }
		END { exit !found || late }'
}
