#!/bin/sh
# The guest of test/bench/updates: a container with so much dirty memory, made anew for
# each update, through one after the other. All figures are raw.
#
# usage: /test FROM TO MIB.WAY...
#
# WAY is zero, copy, or late (as zero, but not restored early); each goes there and back.
# shellcheck disable=SC1091 # is there in the guest
. /usr/lib/update-lib.sh
from=$1 to=$2
shift 2
root=/srv/dirty/rootfs

start()
{
	mkdir -p $root/dev $root/proc $root/work
	cp /bench/dirty $root/dirty
	rm -f $root/work/*
	cat >/srv/dirty/config.json <<-CONFIG
	{ "ociVersion": "1.0.2", "root": { "path": "rootfs" },
	  "process": { "user": { "uid": 0, "gid": 0 }, "cwd": "/", "args": ["/dirty", "$1", "/work"] },
	  "mounts": [ { "destination": "/proc", "type": "proc", "source": "proc" },
	              { "destination": "/dev", "type": "tmpfs", "source": "tmpfs" } ],
	  "linux": { "cgroupsPath": "/dirty",
	             "namespaces": [ { "type": "pid" }, { "type": "mount" }, { "type": "ipc" } ] } }
	CONFIG
	crun run --detach --bundle /srv/dirty dirty </dev/null >/run/crun.out 2>&1 ||
		{ fail "start-$1" "$(tail -n 1 /run/crun.out)"; return 1; }
	wait_for ready || fail "start-$1" "it is not ready"
}

# wait_for FILE: that the task writes
wait_for()
{
	_tries=0
	until [ -s "$root/work/$1" ]; do
		_tries=$((_tries + 1))
		[ $_tries -lt 600 ] || return 1
		sleep 0.5
	done
}

# verify NAME: every word of it, then be rid of it
verify()
{
	crun kill dirty USR1
	wait_for verified
	check "verify-$1" grep -q '^0 ' $root/work/verified
	crun kill dirty KILL
	sleep 1
	crun delete dirty
}

# name N: of the Nth update, MIB.WAY.there or .back; nothing behind the last
name()
{
	echo "$words" | awk -v n="$1" '{ w = $(int((n + 1) / 2)); if (w != "") print w "." (n % 2 ? "there" : "back") }'
}

words=$*
done=$(name $((STAGE - 1)))
next=$(name "$STAGE")
if [ "$STAGE" != 1 ]; then
	sleep 2
	systemctl is-system-running --wait >/dev/null
	tell_times "$done"
	verify "$done"
fi
[ -n "$next" ] || exit 0
case $next in *.copy.*) zero_copy=no ;; *) zero_copy=yes ;; esac
restore_early=yes
case $next in *.late.*) restore_early=no ;; esac
case $next in *.back) to=$from ;; esac
cat >/etc/rebootless.conf <<-CONF
dump-timeout = 600
restore-timeout = 600
zero-copy = $zero_copy
restore-early = $restore_early
CONF
start "${next%%.*}" || exit 0
update "$to" || fail "update-$next" "exit status $?"
say_failure /run/update.out 12
