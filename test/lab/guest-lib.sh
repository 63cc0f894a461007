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

# What follows is for guest-init and guest-service, not for tests.

# find_ports: set REPORT and LOG; the ports come up a moment after the driver.
find_ports()
{
	_tries=0
	while [ $_tries -lt 100 ]; do
		for _port in /sys/class/virtio-ports/*; do
			case $(cat "$_port/name" 2>/dev/null) in
			rebootless.report) REPORT=/dev/${_port##*/} ;;
			rebootless.log) LOG=/dev/${_port##*/} ;;
			esac
		done
		if [ -c "${REPORT:-}" ] && [ -c "${LOG:-}" ]; then break; fi
		_tries=$((_tries + 1))
		sleep 0.05
	done
	if ! [ -c "${LOG:-}" ]; then
		echo "guest: no report port" >/dev/console
		REPORT=/dev/console LOG=/dev/null
	fi
	export REPORT LOG
}

# run_test [STAGE]: run /test and report on it, up to and with `end`.
#
# From the kernel command line: test.arg=WORD (several: several words) are
# /test's arguments, test.stage=N the stage (1 unless said; kexec'd kernels are
# given 2 and on).  /test may kexec, and then this never comes back.
run_test()
{
	STAGE=${1:-1}
	set --
	# shellcheck disable=SC2013 # words, not lines
	for _word in $(cat /proc/cmdline); do
		case $_word in
		test.stage=*) STAGE=${_word#test.stage=} ;;
		test.arg=*) set -- "$@" "${_word#test.arg=}" ;;
		esac
	done
	export STAGE
	stage "$STAGE" "$(uname -r)"
	metric "boot.stage$STAGE" "$(cut -d' ' -f1 /proc/uptime)" s
	if [ -x /test ]; then
		# shellcheck disable=SC2065 # this is not test(1)
		/test "$@" </dev/null >/dev/console 2>&1 || fail test "exit status $?"
	else
		fail test "the guest has no /test"
	fi
	dmesg_out
	report end
}
