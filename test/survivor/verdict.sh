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
	# CRIU's words, which end with the guest
	grep -q '^fail ' /run/verdict || return 0
	_log=/run/rebootless/store/containers/$2/work/restore.log
	[ ! -e "$_log" ] || grep -a 'Error\|Warn\|unexpected\|unmap' "$_log" | tail -n 30 |
		while read -r line; do note "$line"; done
}
