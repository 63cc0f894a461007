#!/bin/bash
# dracut's way to put rebootless into an initramfs: what brings the containers
# back on the boot that follows a `rebootless update`, and the tools for when it
# does not. On any other boot the first hook sees that there is nothing to do.
#
# Installed as /usr/lib/dracut/modules.d/90rebootless/module-setup.sh, with the
# hooks beside it. dracut calls these functions, and sets moddir; its PATH knows
# nothing of /usr/local, so that `make install` puts in here where our programs are.
# shellcheck disable=SC2154

check()
{
	require_binaries @sbindir@/rebootless-restore || return 1
	return 0
}

depends()
{
	echo base
	# Runtimes ask systemd for cgroups by the bus.
	if dracut_module_included systemd; then echo dbus; fi
	return 0
}

installkernel()
{
	# Without pramfs.ko for this kernel the initramfs is of no use to an update.
	hostonly='' instmods pramfs
	# The host's network devices; those of any host where the image is for any.
	if [[ $hostonly ]]; then
		local driver
		for driver in /sys/class/net/*/device/driver/module; do
			if [ -e "$driver" ]; then instmods "$(basename "$(readlink -f "$driver")")"; fi
		done
	else
		instmods -o virtio_net vmxnet3 hv_netvsc xen-netfront "=drivers/net/ethernet"
	fi
	# The filesystems that are mounted now: a host's own image has the root's only.
	if [[ $hostonly ]]; then
		local filesystem
		while read -r filesystem; do
			hostonly='' instmods -o "$filesystem"
		done < <(findmnt --noheadings --real --list --output FSTYPE | sort -u)
	fi
	# What CRIU and the containers' networks need before the real root is there.
	hostonly='' instmods -o overlay veth bridge tun \
		unix_diag inet_diag tcp_diag udp_diag raw_diag af_packet_diag netlink_diag \
		nf_tables nf_conntrack nf_conntrack_netlink nft_ct nf_nat nft_chain_nat nft_nat nft_masq \
		nft_redir nft_reject nft_reject_inet nft_fib nft_fib_inet nft_fib_ipv4 nft_fib_ipv6 nft_limit nft_log nft_numgen \
		nft_meta_bridge nft_compat xt_mark xt_MASQUERADE xt_conntrack xt_addrtype xt_comment \
		tcp_bbr tcp_dctcp tcp_htcp tcp_westwood tcp_vegas tcp_veno tcp_bic tcp_illinois tcp_yeah \
		tcp_highspeed tcp_hybla tcp_scalable tcp_lp tcp_nv tcp_cdg \
		nfnetlink ip_tables iptable_filter ip6table_filter br_netfilter dummy 8021q
}

install()
{
	local program
	# There the PATH is as short.
	for program in rebootless-restore pramfs; do
		inst "@sbindir@/$program" "/usr/sbin/$program"
	done
	# What the loader puts over /init where containers can be restored before systemd.
	mkdir -p "$initdir/usr/lib"
	ln -sf /usr/sbin/rebootless-restore "$initdir/usr/lib/rebootless-init"
	inst_multiple modprobe sleep
	inst_multiple -o busybox blkid nft
	inst_hook cmdline 05 "$moddir/open.sh"
	inst_hook pre-pivot 95 "$moddir/restore.sh"
	inst_simple "$moddir/lib.sh" /lib/rebootless-lib.sh
	inst_simple "$moddir/emergency.txt" /lib/rebootless-emergency.txt
}
