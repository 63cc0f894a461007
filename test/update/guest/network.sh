#!/bin/sh
# In the full guest, with a client outside: servers in the host's network and in
# containers' own, whose connections are to go on through the updates.
# Arguments: connections to each server, and the kernels to go to.
# shellcheck disable=SC1091 # is there in the guest
. /usr/lib/update-lib.sh

connections=$1
shift
hops=$#
ports='7000 7001 7002'

# established PORT: how many connections that server has; 7002's is in a namespace
established()
{
	if [ "$1" = 7002 ]; then
		ip netns exec web ss -Htn state established "( sport = :$1 )" | wc -l
	else
		ss -Htn state established "( sport = :$1 )" | wc -l
	fi
}

# await SECONDS CMD...
await()
{
	_left=$(($1 * 2))
	shift
	until "$@"; do
		_left=$((_left - 1))
		[ $_left -gt 0 ] || return 1
		sleep 0.5
	done
}

all_connected()
{
	for port in $ports; do [ "$(established "$port")" = "$connections" ] || return 1; done
}

none_connected()
{
	for port in $ports; do [ "$(established "$port")" = 0 ] || return 1; done
}

# A tree in the host's namespaces, with pids that no new system has given away.
start_tree()
{
	mkdir -p /srv/tree /sys/fs/cgroup/tree-host
	echo 20000 >/proc/sys/kernel/ns_last_pid
	# shellcheck disable=SC2016 # expands there
	sh -c 'echo 0 >/sys/fs/cgroup/tree-host/cgroup.procs; exec setsid /outside/talk serve 7000' \
		</dev/null >/dev/null 2>&1 &
	echo $! >/srv/tree/pid
	cat >/etc/rebootless.conf <<-CONF
	dump-timeout = 200
	restore-timeout = 200
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
	config["process"].update(terminal=False, args=["/bin/talk", "serve", port])
	config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": 8192, "soft": 8192}]
	namespaces = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]
	if network:
	    namespaces.append({"type": "network", "path": network})
	config["linux"]["namespaces"] = namespaces
	with open(path, "w") as f:
	    json.dump(config, f)
	EDIT
	check "start.$1" crun run --detach --bundle "$bundle" "$1" </dev/null >/dev/null 2>&1
}

# Somebody's network for a container: a namespace with a name, a pair of links,
# a bridge, a port of the host's that leads there, and addresses translated on the
# way out. Nobody makes it again but the update.
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
	echo 1 >/proc/sys/net/ipv4/ip_forward
	nft -f - <<-NFT
	table ip web {
		chain map {
			type nat hook prerouting priority dstnat
			tcp dport 7002 dnat to 10.88.0.2:7002
		}
		chain out {
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
	make_network
	start_container crun-web 7002 /run/netns/web
	await 300 all_connected
}

# The real root's network manager, too, has to have left it alone by now.
ask_host()
{
	for port in $ports; do
		check "$1.connections.$port" test "$(established "$port")" = "$connections"
	done
	check "$1.address" sh -c 'ip address | grep -q 10.77.0.2/24'
	check "$1.address6" sh -c 'ip address | grep -q fd77::2/64'
	check "$1.route" sh -c 'ip route | grep -q "198.51.100.0/24 via 10.77.0.1"'
	check "$1.unlocked" sh -c '! nft list table inet rebootless'
	check "$1.networkd" sh -c 'networkctl | grep -q configured'
	for name in crun-host crun-web; do
		check "$1.$name" sh -c "crun list | grep -q '^$name .*running'"
	done
	check "$1.mapping" sh -c 'nft list table ip web | grep -q "dnat to 10.88.0.2:7002"'
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
	check start.connections all_connected
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
	check end.connections await 120 none_connected
	exit 0
fi
shift $((STAGE - 1))
update "$1" || fail "update$STAGE" "exit status $?"
say_failure /run/update.out 12
