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

# plot_over_size TITLE DATA SVG: lines "MIB TMPFS COPYING ZERO-COPY" in ms, "-" where there is none
plot_over_size()
{
	gnuplot <<-PLOT
	set terminal svg size 720,440 font 'sans,13' background 'white'
	set output '$3'
	set title "$1"
	set xlabel 'dirty memory, MiB'
	set ylabel 'ms'
	set logscale x 2
	set logscale y 10
	set grid
	set key left top
	set datafile missing '-'
	plot '$2' using 1:2 with linespoints lw 2 pt 7 title 'tmpfs', \
		'' using 1:3 with linespoints lw 2 pt 7 title 'PramFS, copying', \
		'' using 1:4 with linespoints lw 2 pt 7 title 'PramFS, zero copy'
	PLOT
}
