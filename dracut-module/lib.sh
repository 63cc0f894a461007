#!/bin/sh
# What the hooks share. POSIX; sourced by dracut's shell.

# The type of the setup_data node by which a handover is known: PRAMFS_SETUP_TYPE
# in pramfs_format.h.
rebootless_type=0x50524d46

# Has a handover come? Reads a few bytes of /sys; `data` must not be read here,
# since for some nodes it is gigabytes.
rebootless_came()
{
	for rebootless_node in /sys/kernel/boot_params/setup_data/*/type; do
		[ -r "$rebootless_node" ] || continue
		read -r rebootless_found <"$rebootless_node" || continue
		[ "$rebootless_found" = "$rebootless_type" ] && return 0
	done
	return 1
}

# A shell on the console, with a text that says where one is. Blocks until it is left.
rebootless_shell()
{
	cat /lib/rebootless-emergency.txt >/dev/console
	rebootless-restore list >/dev/console 2>&1
	if ! getargbool 1 rd.shell; then
		echo "rebootless: rd.shell=0 forbids a shell, the boot goes on" >/dev/kmsg
		return
	fi
	case "$(getarg rd.emergency)" in
	reboot | poweroff | halt)
		# dracut does that when a shell is left, and every image is lost
		echo "rebootless: rd.emergency= forbids a shell, the boot goes on" >/dev/kmsg
		;;
	*) emergency_shell -n rebootless "rebootless: not all containers are restored" ;;
	esac
}
