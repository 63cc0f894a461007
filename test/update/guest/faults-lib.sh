# shellcheck shell=sh
# What the tests of failed updates share: containers that are quick to dump, and
# what must be the same before and after an update that was given up.

# start_small: one container of each engine
start_small()
{
	start_survivors crun crun-a memory threads timers sleeps
	start_survivors runc runc-a unix_sockets clocks files inet_sockets
	start_survivors host-tree tree-a memory pipes signals
	cat >/etc/rebootless.conf <<-CONF
	dump-timeout = 120
	restore-timeout = 120
	verify = yes
	[tree tree-a]
	pid-file = /var/lib/survivors/tree-a/pid
	CONF
}
small='crun-a runc-a tree-a'

# who NAME: its processes, each with the time of its start
who()
{
	find "$(cat "/var/lib/survivors/$1/cgroup")" -name cgroup.procs -exec cat {} + | sort -n |
		while read -r pid; do
			echo "$pid $(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)"
		done
}

mounts() { cut -d' ' -f3- /proc/self/mountinfo | sort; }
# those that end by themselves when nobody asks them left out
services()
{
	systemctl list-units --type=service --state=running --plain --no-legend | cut -d' ' -f1 |
		grep -v '^netavark'
}
leftovers() { pgrep -a 'criu|rebootless' | grep -v rebootless-guest; pgrep -af '(crun|runc) (checkpoint|restore)'; }
rules()
{
	nft list ruleset
	for name in $small; do nsenter -n -t "$(head -n 1 "/var/lib/survivors/$name/pid")" nft list ruleset; done
}

# picture DIR: all of this, to be compared
picture()
{
	mkdir -p "$1"
	for name in $small; do who "$name" >"$1/processes-of-$name"; done
	mounts >"$1/mounts"
	services >"$1/services"
	leftovers >"$1/leftovers"
	rules >"$1/nftables" 2>&1
	cksum /etc/criu/* >"$1/criu-config" 2>&1
	cat /sys/kernel/kexec_loaded >"$1/kexec_loaded"
	find /srv /etc/systemd/system /run/systemd/system >"$1/files"
}

available() { awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo; }

# survivors_of NAME: what they complain of, if they do
survivors_of()
{
	/survivor/verify "$1" | grep '^fail '
}

# compare CASE: pass if nothing but the messages of an update is left
compare()
{
	wrong=
	tries=0
	while :; do
		picture /run/after
		diff -r /run/before /run/after >/run/difference && break
		# those that go on by themselves need a moment
		tries=$((tries + 1))
		[ $tries -lt 5 ] || { wrong="left behind: $(grep '^[<>d]' /run/difference | tr '\n' ' '); "; break; }
		sleep 1
	done
	for name in $small; do wrong="$wrong$(survivors_of "$name")"; done
	if [ -c /dev/pramfs ]; then
		pramfs status --json >/run/pramfs.json 2>&1
		grep -q '"claimed": *false' /run/pramfs.json || wrong="$wrong arena: $(cat /run/pramfs.json); "
	fi
	if [ -e /run/rebootless/store/manifest.json ]; then wrong="$wrong the store is there; "; fi
	timeout 10 sh -c 'echo x >/srv/written && sync /srv/written' || wrong="$wrong the disk is frozen; "
	rm -f /srv/written
	[ -e /run/systemd/journal/flushed ] || wrong="$wrong the journal is not on the disk; "
	[ "$(available)" -gt $(($(cat /run/available) - 200)) ] ||
		wrong="$wrong $(cat /run/available) MiB were there before, $(available) MiB are now; "
	if [ -z "$wrong" ]; then pass "$1"; else fail "$1" "$(echo "$wrong" | tr '\n' ' ')"; fi
}
