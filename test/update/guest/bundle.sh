# shellcheck shell=sh
# Containers of crun out of the guest's own programs; sourced after update-lib.sh.

# What the next bundle is to have: a network of its own ("host": the host's), and no
# capabilities (a list in JSON).
# shellcheck disable=SC2034 # set by those that source this
network=own capabilities='[]'

# bundle NAME MEMORY-MIB UID PROGRAM...: a container of /srv/NAME that runs standard
# input as /start, with /work as its place to write to
bundle()
{
	name=$1 memory=$2 uid=$3 root=/srv/$1/rootfs
	own='{ "type": "network" },'
	[ "$network" = own ] || own=
	shift 3
	mkdir -p "$root/bin" "$root/proc" "$root/dev" "$root/sys" "$root/etc" "$root/work"
	cp /usr/bin/busybox "$root/bin/busybox"
	for applet in sh sleep cat mkfifo tail; do ln -sf busybox "$root/bin/$applet"; done
	grep '^\(root\|postgres\):' /etc/passwd >"$root/etc/passwd"
	for program; do
		for file in "$program" $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*\.so[^ ]*'); do
			mkdir -p "$root$(dirname "$file")"
			cp -L "$file" "$root$file"
		done
	done
	cat >"$root/start"
	chmod 755 "$root/start"
	chown -R "$uid" "$root/work"
	cat >"/srv/$name/config.json" <<-CONFIG
	{
	"ociVersion": "1.0.2",
	"process": { "terminal": false, "user": { "uid": $uid, "gid": $uid }, "cwd": "/work",
		"args": ["/start"], "noNewPrivileges": false,
		"capabilities": { "bounding": $capabilities, "effective": $capabilities,
			"permitted": $capabilities },
		"env": ["PATH=/usr/bin:/bin", "LC_ALL=C"] },
	"root": { "path": "rootfs", "readonly": false },
	"hostname": "$name",
	"mounts": [
		{ "destination": "/proc", "type": "proc", "source": "proc" },
		{ "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
		  "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
		{ "destination": "/dev/shm", "type": "tmpfs", "source": "shm",
		  "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] }
	],
	"linux": { "cgroupsPath": "/$name", "resources": { "memory": { "limit": $((memory << 20)) } },
		"namespaces": [ { "type": "pid" }, $own { "type": "ipc" },
			{ "type": "uts" }, { "type": "mount" }, { "type": "cgroup" } ] }
	}
	CONFIG
}

# start NAME: until /work/ready is there
start()
{
	if ! crun --log /run/crun.log run --detach --bundle "/srv/$1" "$1" </dev/null >/dev/null 2>&1; then
		fail "start.$1" "$(tail -n 1 /run/crun.log)"
		return 1
	fi
	tries=0
	until [ -e "/srv/$1/rootfs/work/ready" ]; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || { fail "start.$1" "not ready: $(tail -n 1 "/srv/$1/rootfs/work/log")"; return 1; }
		sleep 0.5
	done
	pass "start.$1"
}
