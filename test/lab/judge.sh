# shellcheck shell=bash
# Judge a run of a guest from what it left in its directory; sourced by vm.

# What no healthy kernel says.  dmesg-allow has the exceptions.
DIRTY='BUG:|WARNING:|Oops|[Bb]ad page|general protection|double fault|invalid opcode'
DIRTY+='|soft lockup|hard lockup|detected stall|self-detected stall|blocked for more than'
DIRTY+='|possible (circular|recursive) locking|inconsistent lock state|suspicious RCU'
DIRTY+='|KASAN|UBSAN|KCSAN|KFENCE|Call Trace|Kernel panic|refcount_t|(list_add|list_del) corruption'
DIRTY+='|workqueue lockup|page allocation failure'
# A program that dies so has lost its state, whatever the test asked.
DIRTY+='|segfault at|traps: .* trap '

# dirty_lines RUN: the bad lines of console and log, each once, numbered by file.
dirty_lines()
{
	local allow
	allow=$(grep -v -e '^#' -e '^$' "$LAB_DIR/dmesg-allow" | paste -sd'|') || true
	for file in log console; do
		[ -e "$1/$file" ] || continue
		tr -d '\r' <"$1/$file" | grep -anE "$DIRTY" |
			grep -avE "${allow:-^\$}" | sed "s/^/$file:/" || true
	done | awk '{ t = $0; sub(/^[a-z]+:[0-9]+:(\[[^]]*\] *)*/, "", t) } !seen[t]++'
}

# show_context RUN DIRTY-LINES: the first few of them as they stand in the file.
show_context()
{
	local file line n=0
	while IFS=: read -r file line _; do
		n=$((n + 1))
		[ $n -le 3 ] || break
		echo "--- $file, line $line:"
		tr -d '\r' <"$1/$file" | sed -n "$((line > 3 ? line - 3 : 1)),$((line + 25))p"
	done <<<"$2"
}

# judge RUN TIMED_OUT SECONDS: write RUN/result, say what it was, and exit.
judge()
{
	local run=$1 outcome code dirty ndirty pass fail skip ended=''
	count() { grep -ac "^$1 " "$run/report" || true; }
	pass=$(count pass) fail=$(count fail) skip=$(count skip)
	if grep -qax end "$run/report"; then ended=1; fi
	dirty=$(dirty_lines "$run")
	ndirty=$(printf '%s' "$dirty" | grep -c '' || true)

	if grep -qa 'Kernel panic - not syncing' "$run/console"; then
		outcome=panic code=5
	elif [ -n "$2" ]; then
		outcome=timeout code=3
	elif [ "$fail" != 0 ]; then
		outcome=fail code=1
	elif [ -z "$ended" ] || [ "$pass" = 0 ]; then
		outcome=silent code=2
	elif [ -n "$dirty" ]; then
		outcome=dirty code=4
	else
		outcome=pass code=0
	fi
	cat >"$run/result" <<-EOF
	outcome=$outcome
	exit=$code
	pass=$pass
	fail=$fail
	skip=$skip
	dirty=$ndirty
	ended=${ended:-0}
	stages=$(count stage)
	seconds=$3
	EOF
	if [ -n "$dirty" ]; then
		echo "$dirty" | head -n 20
		show_context "$run" "$dirty"
	fi
	if [ "$code" != 0 ] && [ "$code" != 1 ] && [ "$code" != 4 ]; then
		echo "--- the console's end:"
		tr -d '\r' <"$run/console" | tail -n 25
	fi
	if [ "$fail" != 0 ]; then grep -a '^fail ' "$run/report"; fi
	echo "$(basename "$run"): $outcome ($pass passed, $fail failed, $skip skipped, $ndirty bad log lines) in $3 s; see $run"
	exit "$code"
}
