# shellcheck shell=bash
# What the guests' Debian archive has: a private apt state under build/lab/apt,
# so that the machine's own sources do not matter.  Sourced by test/lab/tree.

APT_DIR=$LAB/apt
APT=(-o "Dir::Etc::sourcelist=$APT_DIR/sources.list"
     -o Dir::Etc::sourceparts=/dev/null
     -o "Dir::Etc::preferences=$APT_DIR/preferences"
     -o Dir::Etc::preferencesparts=/dev/null
     -o "Dir::State::lists=$APT_DIR/lists"
     -o "Dir::Cache=$APT_DIR/cache"
     -o Dir::State::status=/dev/null
     -o Acquire::Languages=none
     -o APT::Architecture=amd64
     -o APT::Install-Recommends=false)

# Of sid only CRIU and what it needs: trixie's cannot dump on 7.x.
SID_PACKAGES='criu libcriu2 libcompel1 libnet9 libnl-3-200 libnl-genl-3-200'

# archive_update [refresh]: fetch the lists when they are missing, or always.
archive_update()
{
	mkdir -p "$APT_DIR/lists/partial" "$APT_DIR/cache/archives/partial"
	local key
	key=/usr/share/keyrings/debian-archive-keyring.gpg
	# A mirror's sid may be older than its Valid-Until; the guests do not mind.
	cat >"$APT_DIR/sources.list" <<-EOF
	deb [signed-by=$key] http://deb.debian.org/debian trixie main
	deb [signed-by=$key] http://deb.debian.org/debian trixie-updates main
	deb [signed-by=$key] http://deb.debian.org/debian-security trixie-security main
	deb [signed-by=$key] http://deb.debian.org/debian trixie-backports main
	deb [signed-by=$key check-valid-until=no] http://deb.debian.org/debian sid main
	EOF
	cat >"$APT_DIR/preferences" <<-EOF
	Package: *
	Pin: release n=sid
	Pin-Priority: -1

	Package: $SID_PACKAGES
	Pin: release n=sid
	Pin-Priority: 990

	Package: linux-base
	Pin: release n=trixie-backports
	Pin-Priority: 990
	EOF
	if [ "${1:-}" != refresh ] && [ -e "$APT_DIR/fetched" ]; then return 0; fi
	say "fetching the archive's package lists"
	rm -f "$APT_DIR/fetched"
	apt-get "${APT[@]}" -qq update >&2
	date -u +%FT%TZ >"$APT_DIR/fetched"
}

# archive_kernel SERIES PREFIX: the newest package that PREFIX-cloud-amd64 of
# this series depends on, as in "linux-image" -> linux-image-KVER. Of a series
# that it has gone on from, the newest that is left.
archive_kernel()
{
	local version
	version=$(apt-cache "${APT[@]}" madison "$2-cloud-amd64" | grep -v '/debian sid/' |
		awk -v s="$1." 'index($3, s) == 1 { print $3 }' | sort -Vr | head -n1)
	if [ -z "$version" ]; then
		archive_left "$1" "$2"
		return
	fi
	apt-cache "${APT[@]}" show "$2-cloud-amd64=$version" |
		sed -n "s/^Depends:.*\\($2-[^ ,]*-cloud-amd64\\).*/\\1/p" | head -n1
}

# archive_left SERIES PREFIX: the newest PREFIX-KVER by its name.
archive_left()
{
	local newest
	newest=$(apt-cache "${APT[@]}" pkgnames "$2-$1." | grep -e '-cloud-amd64$' |
		xargs -r apt-cache "${APT[@]}" madison | grep -v '/debian sid/' |
		awk '{ print $1 }' | sort -V | tail -n1)
	[ -n "$newest" ] || die "the archive has no $2-cloud-amd64 of series $1"
	echo "$newest"
}

# archive_resolve PACKAGE...: every package and version that would be installed,
# but for the essential ones that nothing depends on.
archive_resolve()
{
	apt-get "${APT[@]}" -s install apt "$@" |
		sed -n 's/^Inst \([^ ]*\) (\([^ ]*\).*/\1=\2/p' | sort
}
