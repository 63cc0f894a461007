#!/bin/sh
# In the full guest: programs.py's containers through one update after the other.
# Arguments: the kernels to go to.
# shellcheck disable=SC1091,SC2154 # are there in the guest, and has store
. /usr/lib/update-lib.sh
programs() { python3 /usr/lib/programs.py "$@"; }
names=$(programs names)
# Those of which can be asked how often they were asked.
counting='mariadb memcached node'

start()
{
	programs bundle "$1"
	# as somebody does it who has read no more than crun(1)
	if crun run --detach --bundle "/srv/programs/$1" "$1" </dev/null >"/var/log/$1.log" 2>&1; then
		pass "start.$1"
	else
		fail "start.$1" "$(tail -n 1 "/var/log/$1.log")"
	fi
}

# answers NAME: what it says is kept in /run
answers() { programs ask "$1" >"/run/$1.said" 2>"/run/$1.error"; }

start_all()
{
	# MariaDB and Node.js do without, where they must
	sysctl -q kernel.io_uring_disabled=2
	check start.names test "$(echo "$names" | wc -w)" -ge 10
	for name in $names; do start "$name"; done
	for name in $names; do
		check "start.$name.answers" await 150 answers "$name"
		cp "/run/$name.said" "/srv/programs/$name/said"
	done
	for name in $counting; do check "start.$name.counts" test "$(programs count "$name")" = 1; done
	for name in $names; do stat -c %i "/var/log/$name.log" >"/srv/programs/$name/log"; done
	cat >/etc/rebootless.conf <<-CONF
	dump-timeout = 300
	restore-timeout = 300
	verify = yes
	CONF
}

# What it writes into is its log of before, and has its name.
has_log()
{
	stat -c %i "/var/log/$1.log" | cmp - "/srv/programs/$1/log" &&
		test "$(readlink "/proc/$(crun list | awk -v name="$1" '$1 == name { print $2 }')/fd/2")" = "/var/log/$1.log"
}

ask()
{
	for name in $names; do
		check "$1.$name.answers" await 100 answers "$name"
		check "$1.$name.same" cmp "/run/$name.said" "/srv/programs/$name/said"
		check "$1.$name.log" has_log "$name"
	done
	for name in $counting; do check "$1.$name.counts" test "$(programs count "$name")" = "$STAGE"; done
	rebootless status
	tell_times "$1"
}

if [ "$STAGE" = 1 ]; then
	start_all
else
	ask "hop$((STAGE - 1))"
fi
if [ "$STAGE" -gt $# ]; then exit 0; fi
shift $((STAGE - 1))
update "$1" || fail "update$STAGE" "exit status $?: $(tail -n 1 /run/update.out)"
