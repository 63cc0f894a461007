#!/bin/sh
# In the full guest, with a client outside: servers in the host's network and in
# containers' own, whose connections are to go on through the updates.
# Arguments: the unit that manages the network, connections to each address, those to
# each server of other kinds, and the kernels to go to. Each server has three ports, 10 apart: talk's plain, small and ending.
# shellcheck disable=SC1091 # is there in the guest
. /usr/lib/update-lib.sh

manager=$1
connections=$2
others=$3
shift 3
hops=$#
ports='7000 7001 7002'

# sockets PORT [SS-ARG...]: of the server on that port; 7002's is in a namespace
sockets()
{
	_port=$1
	shift
	set -- -Htno "$@" "( sport = :$_port or sport = :$((_port + 10)) or sport = :$((_port + 20)) )"
	if [ "$_port" = 7002 ]; then ip netns exec web ss "$@"; else ss "$@"; fi
}

# connected PORT: how many connections it has that a peer has not ended whole. Those
# that come and go, of visitors, are for a moment among them.
connected()
{
	sockets "$1" state established state close-wait state fin-wait-2 | wc -l
}

# keeps_asking PORT: is there one that has nothing to say, and will ask for its peer?
keeps_asking()
{
	sockets "$1" state established | grep -q 'timer:(keepalive,[1-9]'
}

# wanted PORT: how many there are to be
wanted()
{
	case $1 in
	7002) echo $((connections * 2 + others)) ;;
	*) echo $((connections + others)) ;;
	esac
}

all_listen()
{
	for port in $ports; do [ "$(sockets "$port" -l | wc -l)" = 3 ] || return 1; done
}

has_all() { [ "$(connected "$1")" -ge "$(wanted "$1")" ]; }

all_connected()
{
	for port in $ports; do has_all "$port" || return 1; done
}

# Visitors count as well, and may for a moment make up for one that is still to come.
stay_connected() { all_connected && sleep 5 && all_connected; }

none_connected()
{
	for port in $ports; do [ "$(connected "$port")" = 0 ] || return 1; done
}

# A tree in the host's namespaces, with pids that no new system has given away.
start_tree()
{
	mkdir -p /srv/tree /sys/fs/cgroup/tree-host
	echo 20000 >/proc/sys/kernel/ns_last_pid
	# shellcheck disable=SC2016 # expands there
	sh -c 'echo 0 >/sys/fs/cgroup/tree-host/cgroup.procs; exec setsid /outside/talk serve 7000 --small 7010 --ending 7020' \
		</dev/null >/dev/null 2>&1 &
	echo $! >/srv/tree/pid
	cat >/etc/rebootless.conf <<-CONF
	dump-timeout = 200
	restore-timeout = 200
	verify = yes
	[tree tree-host]
	pid-file = /srv/tree/pid
	CONF
}

# start_container NAME PORT [NETWORK-NAMESPACE]: by crun; in the host's network unless said.
start_container()
{
	bundle=/srv/$1
	mkdir -p "$bundle/rootfs/bin" "$bundle/rootfs/proc" "$bundle/rootfs/dev" "$bundle/rootfs/sys"
	cp /outside/talk "$bundle/rootfs/bin/talk"
	(cd "$bundle" && crun spec) && python3 - "$bundle/config.json" "$2" "${3:-}" <<-'EDIT'
	import json, sys
	path, port, network = sys.argv[1:]
	with open(path) as f:
	    config = json.load(f)
	# CRIU needs a place in it to put the old root
	config["root"]["readonly"] = False
	config["process"].update(terminal=False, args=["/bin/talk", "serve", port,
	    "--small", str(int(port) + 10), "--ending", str(int(port) + 20)])
	config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": 8192, "soft": 8192}]
	namespaces = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]
	if network:
	    namespaces.append({"type": "network", "path": network})
	    config["linux"]["sysctl"] = {"net.core.somaxconn": "8192", "net.ipv4.tcp_fin_timeout": "33"}
	config["linux"]["namespaces"] = namespaces
	with open(path, "w") as f:
	    json.dump(config, f)
	EDIT
	check "start.$1" crun run --detach --bundle "$bundle" "$1" </dev/null >/dev/null 2>&1
}

# Somebody's network for a container: a namespace with a name, a pair of links,
# a bridge, ports of the host's that lead there, and addresses translated on the
# way out; with IPv6 it has an address that is known outside. Nobody makes it again
# but the update.
make_network()
{
	ip netns add web
	ip link add web0 type bridge
	ip link add to-web type veth peer name eth0 netns web
	ip link set to-web master web0 up
	ip link set web0 up
	ip address add 10.88.0.1/24 dev web0
	ip -n web link set lo up
	ip -n web link set eth0 up
	ip -n web address add 10.88.0.2/24 dev eth0
	ip -n web route add default via 10.88.0.1
	ip address add fd88::1/64 dev web0 nodad
	ip -n web address add fd88::2/64 dev eth0 nodad
	ip -n web route add default via fd88::1
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	nft -f - <<-NFT
	table ip web {
		chain arriving {
			type nat hook prerouting priority dstnat
			tcp dport { 7002, 7012, 7022 } dnat to 10.88.0.2
			udp dport 7002 dnat to 10.88.0.2
		}
		chain leaving {
			type nat hook postrouting priority srcnat
			ip saddr 10.88.0.0/24 oifname != web0 masquerade
		}
	}
	NFT
}

start_all()
{
	check start.link await 60 sh -c 'ip address | grep -q 10.77.0.2'
	start_tree
	start_container crun-host 7001
	check start.network make_network
	start_container crun-web 7002 /run/netns/web
	echo 1 >/proc/sys/vm/overcommit_memory
	check start.listen await 60 all_listen
	note "clients may begin"
}

# Does its manager know the link for its own, and is content?
managed()
{
	systemctl is-active --quiet "$manager" || return 1
	case $manager in
	systemd-networkd) networkctl | grep -q 'ens3 .*configured' ;;
	networking) ifquery --state | grep -q '^ens3=ens3' ;;
	NetworkManager) nmcli -t -f DEVICE,STATE,CONNECTION device | grep '^ens3:connected' ;;
	esac
}

# The real root's network manager, too, has to have left it alone by now.
ask_host()
{
	for port in $ports; do
		# an end that was said in the pause is said again up to twice as long after it
		check "$1.connections.$port" await 240 has_all "$port"
		check "$1.backlog.$port" test "$(sockets "$port" -l | awk '$3 == 1024' | wc -l)" = 3
		check "$1.keepalive.$port" keeps_asking "$port"
	done
	check "$1.address" sh -c 'ip address | grep -q 10.77.0.2/24'
	check "$1.address6" sh -c 'ip address | grep -q fd77::2/64'
	check "$1.route" sh -c 'ip route | grep -q "198.51.100.0/24 via 10.77.0.1"'
	# nft says why in the initramfs
	check "$1.locked" sh -c '! journalctl -b -u rebootless.service | grep "cannot be locked"'
	check "$1.options" sh -c '! journalctl -b -u rebootless.service | grep "set again: "'
	check "$1.unlocked" sh -c '! nft list table inet rebootless'
	check "$1.manager" managed
	check "$1.before-systemd" before_systemd crun-host
	for name in crun-host crun-web; do
		check "$1.$name" sh -c "crun list | grep -q '^$name .*running'"
	done
	check "$1.overcommit" test "$(cat /proc/sys/vm/overcommit_memory)" = 1
	# of its config.json: the runtime does not write them when it restores
	check "$1.settings" test "$(ip netns exec web sysctl -n net.core.somaxconn net.ipv4.tcp_fin_timeout |
		xargs)" = '8192 33'
	check "$1.mapping" sh -c 'nft list table ip web | grep -q "dnat to 10.88.0.2"'
	check "$1.bridge" sh -c 'ip link show master web0 | grep -q to-web'
	check "$1.tracked" sh -c "test \$(conntrack -L -p tcp --dport 7002 2>/dev/null | grep -c src=10.88.0.2) -ge $connections"
}

tell()
{
	rebootless status
	metric "$1.blackout" "$(rebootless status --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["timeline"]["blackout"])')" s
	journalctl -b -u rebootless.service | grep -i 'network\|again' | while read -r line; do
		note "$line"
	done
	ip address; ip route; ip rule
}

if [ "$STAGE" = 1 ]; then
	start_all
	check start.connections await 300 stay_connected
else
	sleep 2
	systemctl is-system-running --wait >/dev/null
	tell "hop$((STAGE - 1))"
	# peers come back by their own timers, which have doubled meanwhile
	sleep 30
	ask_host "hop$((STAGE - 1))"
fi
if [ "$STAGE" -gt "$hops" ]; then
	note "clients may end"
	# as long as the clients wait for what is still to come (test/outside/hold.c: FINISH_MS)
	check end.connections await 300 none_connected
	exit 0
fi
shift $((STAGE - 1))
update "$1" || fail "update$STAGE" "exit status $?"
say_failure /run/update.out 12
