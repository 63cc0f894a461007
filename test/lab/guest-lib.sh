# shellcheck shell=sh
# What a test in a guest uses to report; sourced as /lib/guest-lib.sh.
#
# One line per report goes to the file $REPORT (a virtio-serial port), from
# programs just the same: open, write one line, close.  A port can be open
# only once at a time, so never keep it open.
#
#   pass NAME | fail NAME REASON | skip NAME REASON | note TEXT
#   metric NAME VALUE UNIT | stage N KVER
#   dmesg_out       send this kernel's log to the host; call it before a kexec
#   next_cmdline    this kernel's command line with test.stage one higher
#   check NAME CMD...  pass or fail by CMD's exit status

report()
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		if { printf '%s\n' "$*" >"$REPORT"; } 2>/dev/null; then return 0; fi
		sleep 0.1
	done
	echo "report port busy, lost: $*" >/dev/console
	return 1
}

pass() { report "pass $1"; }
fail() { _name=$1; shift; report "fail $_name: $*"; }
skip() { _name=$1; shift; report "skip $_name: $*"; }
note() { report "note $*"; }
metric() { report "metric $1 $2 $3"; }
stage() { report "stage $1 $2"; }

check()
{
	_check=$1
	shift
	if "$@"; then pass "$_check"; else fail "$_check" "exit status $? of: $*"; fi
}

dmesg_out()
{
	{
		echo "=== dmesg of stage ${STAGE:-?}, $(uname -r)"
		dmesg
		echo "=== end of dmesg of stage ${STAGE:-?}"
	} >"$LOG"
}

next_cmdline()
{
	_n=$((${STAGE:-1} + 1))
	sed "s/ *test\.stage=[0-9]*//; s/\$/ test.stage=$_n/" /proc/cmdline
}
