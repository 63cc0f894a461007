# shellcheck shell=sh
# Sourced in a guest, behind guest-lib.sh.

# verdict WHEN NAME: ask the survivors of a container; each line becomes a report.
verdict()
{
	/survivor/verify "$2" >/run/verdict
	while read -r what case; do
		case $what in
		pass) pass "$1.$case" ;;
		skip) skip "$1.${case%%: *}" "${case#*: }" ;;
		*) fail "$1.${case%%: *}" "${case#*: }" ;;
		esac
	done </run/verdict
}
