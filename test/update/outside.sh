# shellcheck shell=bash
# What the tests of updates with clients outside share; sourced after lib.sh by a
# test that runs itself again beside the guest's network (test/lab/outside).
# shellcheck disable=SC2034,SC2154 # used by those that source this; from lib.sh
stop=$work/stop
talk=$BUILD/outside/talk
begin=$work/begin
clients=()

# outside: run this test again inside, and then judge what was captured.
outside()
{
	local status=0
	rm -f "$stop" "$begin" "$BUILD/lab/runs/$(basename "$0")/report" "$work"/*.out "$work"/*.err
	mkfifo "$begin"
	"$LAB/outside" "$work" "$0" || status=$?
	if [ -s "$work/refused" ]; then
		echo "fail refused: the guest refused $(wc -l <"$work/refused") times: $(head -n 1 "$work/refused")"
		status=1
	else
		echo "pass refused"
	fi
	return "$status"
}

# clients_may_begin: wait until somebody writes, as outside_guest does when the guest
# says so; who asks before is refused.
clients_may_begin() { : <"$begin"; }

# client NAME CMD...: talk, with its lines in $work/NAME.out
client()
{
	local name=$1
	shift
	clients+=("$name")
	(
		clients_may_begin
		exec setpriv --pdeathsig KILL "$talk" "$@"
	) >"$work/$name.out" 2>"$work/$name.err" &
}

# tell_clients NAME: wait for what the guest of that name says to them
tell_clients()
{
	until grep -qs '^note clients may begin' "$BUILD/lab/runs/$1/report" || [ -e "$stop" ]; do
		sleep 1
	done
	exec 9>"$begin"
	until grep -qs '^note clients may end' "$BUILD/lab/runs/$1/report" || [ -e "$stop" ]; do
		sleep 1
	done
	touch "$stop"
}

# outside_guest WORDS: boot it with a link to the clients, who are told to end when it
# says so, or has ended.
outside_guest()
{
	local name
	name=$(basename "$0")
	tell_clients "$name" &
	update_guest "$name" 6.12 "$work/disk" "$1" --qemu "$OUTSIDE_QEMU" --ordered "${one_cpu[@]}"
	touch "$stop"
	wait
}

# judge_client NAME: report a client's cases, in $work/NAME.out, as those of this test
judge_client()
{
	if ! grep -q '^\(pass\|fail\) ' "$work/$1.out"; then
		echo "fail $1: it said nothing: $(tail -n 1 "$work/$1.err")"
		vm_failed=1
	fi
	sed -n "s/^\(pass\|fail\|metric\) /\1 $1./p" "$work/$1.out"
	if grep -q '^fail' "$work/$1.out"; then
		vm_failed=1
		sed "s/^/note $1: /" "$work/$1.err"
	fi
}
