# shellcheck shell=bash
# What the benchmarks share; sourced behind test/vm/lib.sh.
# shellcheck disable=SC2034 # used by those that source this
out=$BUILD/bench
mkdir -p "$out"

say() { printf '[bench %4ds] %s\n' "$SECONDS" "$*" >&2; }

need_root_to_boot()
{
	if [ "$(id -u)" != 0 ]; then
		echo "root is needed: guests are built and booted here; run it as root or with sudo"
		exit 1
	fi
}

# sizes_of [ARG]...: sets from and to, and small and large of the sizes in MiB: what
# goes into a guest where there is room for a copy of it, and what does not
sizes_of()
{
	from=6.12 to=7.3 small=() large=()
	while [ $# -gt 0 ]; do
		case $1 in
		--from) from=$2; shift ;;
		--to) to=$2; shift ;;
		*[!0-9]* | '') sed -n '2,/^BENCH_DIR/s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
		*) if [ "$1" -gt 1024 ]; then large+=("$1"); else small+=("$1"); fi ;;
		esac
		shift
	done
	[ ${#small[@]} != 0 ] || [ ${#large[@]} != 0 ] || { small=(64 256 1024) large=(4096); }
}

# build_dirty: the task that is measured
build_dirty()
{
	gcc -O2 -Wall -Wextra -Werror -static -o "$out/dirty" "$BENCH_DIR/dirty.c"
}

# medians REPORT: "NAME MEDIAN" of all metrics, those of one name together
medians()
{
	sed -n 's/^metric \([^ ]*\) \([^ ]*\).*/\1 \2/p' "$1" | sort -k1,1 -k2,2g |
		awk 'function put() { if (n) print name, n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }
			$1 != name { put(); name = $1; n = 0 }
			{ v[++n] = $2 }
			END { put() }'
}

# The plots are gnuplot's; only a benchmark needs it.
need_gnuplot()
{
	command -v gnuplot >/dev/null && return
	say "installing gnuplot"
	DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends gnuplot-nox >/dev/null ||
		{ echo "gnuplot cannot be installed: the plot needs it (package gnuplot-nox)" >&2; exit 70; }
}

# plot_over_size TITLE DATA SVG SETTINGS LINE...: DATA has the MiB and then a value of
# each LINE in a row, "-" where there is none; SETTINGS are gnuplot's
plot_over_size()
{
	local title=$1 data=$2 svg=$3 settings=$4 line column=2 lines=''
	shift 4
	for line; do
		lines+=", '$data' using 1:$column with linespoints lw 2 pt 7 title '$line'"
		column=$((column + 1))
	done
	gnuplot <<-PLOT
	set terminal svg size 720,440 font 'sans,13' background 'white'
	set output '$svg'
	set title "$title"
	set xlabel 'dirty memory, MiB'
	set logscale x 2
	set grid
	set key left top
	set datafile missing '-'
	$settings
	plot ${lines#, }
	PLOT
}
