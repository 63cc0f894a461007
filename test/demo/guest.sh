#!/bin/sh
# The demo inside the guest, /test there: stage 1 is the old kernel, stage 2 the
# new one. test/demo/run prints what is reported: STEP is a headline, SHOW a line
# below it, WAIT says what takes long now.
# shellcheck disable=SC1091 # is there in the guest
. /lib/guest-lib.sh
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
bundle=/srv/redis state=/var/lib/demo
VALUES=32000

step() { note "STEP $*"; }
show() { note "SHOW $*"; }
waiting() { note "WAIT $*"; }

# lines: standard input, each line as one of the demo
lines()
{
	while IFS= read -r line; do show "$line"; done
}

redis()
{
	crun exec redis /usr/bin/redis-cli "$@" </dev/null
}

# info KEY: of what redis says about itself
info()
{
	redis INFO | tr -d '\r' | sed -n "s/^$1://p"
}

ticks()
{
	redis GET ticks
}

# The connection over which the ticks come: its number, which a new one would not have.
connection()
{
	redis CLIENT LIST | tr -d '\r' |
		sed -n 's/^id=\([0-9]*\) addr=127.0.0.1:.* cmd=incr .*/\1/p'
}

# A checksum over all values, made by redis out of its memory.
digest()
{
	redis EVAL "local d = ''
		for i = 1, $VALUES do d = redis.sha1hex(d .. redis.call('GET', 'value:' .. i)) end
		return d" 0
}

# What redis needs, out of this system's own files, and nothing that it could write to.
make_bundle()
{
	root=$bundle/rootfs
	mkdir -p $root/bin $root/proc $root/dev $root/tmp $root/sys
	cp "$(command -v busybox)" $root/bin/busybox
	ln -s busybox $root/bin/sh
	ln -s busybox $root/bin/sleep
	for file in /usr/bin/redis-server /usr/bin/redis-cli \
		$(ldd /usr/bin/redis-server /usr/bin/redis-cli | grep -o '/[^ ]*\.so[^ ]*' | sort -u); do
		mkdir -p "$root$(dirname "$file")"
		cp -L "$file" "$root$file"
	done
	cat >$root/bin/start <<-'SCRIPT'
	#!/bin/sh
	redis-server --bind 0.0.0.0 --protected-mode no --save '' --appendonly no --dir /tmp --busy-reply-threshold 0 \
		>/dev/null 2>&1 &
	until redis-cli PING >/dev/null 2>&1; do sleep 0.1; done
	# One connection, that is never made again if all goes well.
	exec redis-cli -r -1 -i 0.1 INCR ticks >/dev/null
	SCRIPT
	chmod 755 $root/bin/start
	cat >$bundle/config.json <<-CONFIG
	{
	"ociVersion": "1.0.2",
	"process": { "terminal": false, "user": { "uid": 0, "gid": 0 }, "cwd": "/",
		"args": ["/bin/start"], "env": ["PATH=/usr/bin:/bin"] },
	"root": { "path": "rootfs", "readonly": true },
	"hostname": "redis",
	"mounts": [
		{ "destination": "/proc", "type": "proc", "source": "proc" },
		{ "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
		  "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
		{ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=65536k"] }
	],
	"linux": { "cgroupsPath": "/redis", "resources": { "memory": { "limit": 268435456 } },
		"namespaces": [ { "type": "pid" }, { "type": "ipc" },
			{ "type": "uts" }, { "type": "mount" }, { "type": "cgroup" } ] }
	}
	CONFIG
}

start_redis()
{
	crun run --detach --bundle $bundle redis </dev/null >/dev/null 2>&1 || return 1
	tries=0
	until [ "$(ticks 2>/dev/null)" -gt 5 ] 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 60 ] || return 1
		sleep 0.5
	done
}

# The values begin with random bytes that are written down nowhere else.
fill()
{
	redis EVAL "for i = 1, $VALUES do
			redis.call('SET', 'value:' .. i, string.rep(redis.sha1hex(ARGV[1] .. i), 25))
		end return 'OK'" 0 "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" | grep -qx OK
}

# tell TICKS RUN-ID CONNECTION CHECKSUM: what makes a redis this one and no other
tell()
{
	show "ticks             $1"
	show "run id            $2     (a new one at each start of redis)"
	show "connection        no. $3, over which the ticks come"
	show "checksum          $4, over $(redis DBSIZE) keys"
	show "memory            $(info used_memory_human)"
}

# update SERIES: comes back only if it fails
update()
{
	step "\$ rebootless update --kernel $1"
	waiting "the checks, and room in memory for the next kernel"
	sync
	dmesg_out
	{
		rebootless update --kernel "$1" 2>&1
		echo "exit status $?"
	} | while IFS= read -r line; do
		show "$line"
		echo "$line" >>/run/update.out
		case $line in *'freezing redis'*) waiting "the container is being saved to PramFS" ;; esac
	done
	fail update "$(grep '^rebootless: ' /run/update.out | grep -v ': warning:' | head -n 1)"
}

before()
{
	step "Linux $(uname -r) runs. A crun container is started: redis, on a read-only root, saving nothing to disk"
	waiting "redis to start, and to be given its data"
	make_bundle
	check container start_redis
	check data fill
	note "client may begin"
	step "redis counts (a client in the container adds 1 ten times a second) and holds data"
	waiting "a checksum over all that redis holds"
	mkdir -p $state
	digest >$state/digest
	info run_id >$state/run_id
	connection >$state/connection
	uname -r >$state/kernel
	ticks >$state/ticks
	tell "$(cat $state/ticks)" "$(cat $state/run_id)" "$(cat $state/connection)" "$(cat $state/digest)"
	crun list | lines
	step "\$ rebootless list"
	rebootless list 2>&1 | lines
	update "$1"
}

# Stage 2: what it says now, and then what it said before.
compare()
{
	now=$(ticks) run_id=$(info run_id) connection=$(connection) digest=$(digest)
	tell "$now (before: $(cat $state/ticks))" "$run_id" "$connection" "$digest"
	check other-kernel test "$(uname -r)" != "$(cat $state/kernel)"
	check same-process test "$run_id" = "$(cat $state/run_id)"
	check same-data test "$digest" = "$(cat $state/digest)"
	check same-connection test "$connection" = "$(cat $state/connection)"
	check counts-on test "$now" -gt "$(cat $state/ticks)"
	sleep 2
	check counts-still test "$(ticks)" -gt "$now"
	check nothing-from-disk test -z "$(find $bundle /var/lib/redis -name '*.rdb' -o -name '*.aof' 2>/dev/null)"
	check answers test "$(redis SET question answered)" = OK
	waiting "the client outside to say that it is done"
	await_client
	show "client outside    $(redis GET outside) questions so far"
	note "client may end"
	check client await_end
}

# Its kernel asks again at intervals that have doubled meanwhile: up to twice the blackout.
await_client()
{
	tries=0 first=$(redis GET outside)
	until [ "$(redis GET outside)" -gt "$first" ]; do
		tries=$((tries + 1))
		[ $tries -lt 60 ] || return 1
		sleep 1
	done
}

await_end()
{
	tries=0
	while redis CLIENT LIST | grep -q ' addr=10.77.0.1:'; do
		tries=$((tries + 1))
		[ $tries -lt 60 ] || return 1
		sleep 0.5
	done
}

after()
{
	step "Linux $(uname -r) runs; it was $(cat $state/kernel). The same container answers:"
	waiting "the same questions to be answered"
	compare
	crun list | lines
	step "\$ rebootless status"
	COLUMNS=78 rebootless status 2>&1 | lines
	check status rebootless status --json >/run/status.json
	rebootless status --svg /run/timeline.svg && {
		echo "=== timeline.svg"
		cat /run/timeline.svg
		echo "=== end of timeline.svg"
	} >"$LOG"
	check timeline test -s /run/timeline.svg
	metric blackout "$(python3 -c 'import json, sys
print("%.1f" % json.load(sys.stdin)["timeline"]["blackout"])' </run/status.json)" s
}

if [ "$STAGE" = 1 ]; then before "$@"; else after; fi
