#!/bin/sh
# In the full guest: two databases of MIB each in crun containers, through one
# update after the other. Arguments: MIB, the kernels to go to.
# shellcheck disable=SC1091 # are there in the guest
. /usr/lib/update-lib.sh
. /usr/lib/bundle.sh
mib=$1 noted=/srv/noted
shift
# A value or row of 1 KiB each
rows=$((mib * 1024))

# ---- redis -------------------------------------------------------------------

redis() { crun exec redis /usr/bin/redis-cli "$@" </dev/null; }

redis_digest()
{
	redis EVAL "local d = ''
		for i = 1, $rows do d = redis.sha1hex(d .. redis.call('GET', 'value:' .. i)) end
		return d" 0
}

redis_info() { redis INFO | tr -d '\r' | sed -n "s/^$1://p"; }

start_redis()
{
	bundle redis $((mib * 3 + 128)) 0 /usr/bin/redis-server /usr/bin/redis-cli <<-'SCRIPT'
	#!/bin/sh
	redis-server --bind 127.0.0.1 --save '' --appendonly no --dir /work --busy-reply-threshold 0 \
		>/work/log 2>&1 &
	until redis-cli PING >/dev/null 2>&1; do sleep 0.1; done
	echo >/work/ready
	# one connection that is never made again; its keepalive is shorter than reading a GiB takes
	exec redis-cli -r -1 -i 0.1 INCR ticks >/dev/null 2>/work/client
	SCRIPT
	start redis || return 1
	check fill.redis redis EVAL "for i = 1, $rows do
			redis.call('SET', 'value:' .. i, string.rep(redis.sha1hex(ARGV[1] .. i), 25))
		end return 'OK'" 0 "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
	redis_digest >$noted/redis
	redis_info run_id >$noted/run_id
}

ask_redis()
{
	crun state redis | grep -q '"running"' || tail -n 60 /srv/redis/rootfs/work/log /srv/redis/rootfs/work/client
	check "$1.redis.data" test "$(redis_digest)" = "$(cat $noted/redis)"
	check "$1.redis.process" test "$(redis_info run_id)" = "$(cat $noted/run_id)"
	check "$1.redis.size" test "$(redis DBSIZE)" = $((rows + 1))
	ticks=$(redis GET ticks)
	sleep 2
	check "$1.redis.counts" test "$(redis GET ticks)" -gt "$ticks"
	check "$1.redis.write" test "$(redis SET "value:$((rows / 2))" "$(redis GET "value:$((rows / 2))")")" = OK
}

# ---- PostgreSQL --------------------------------------------------------------

postgres=$(echo /usr/lib/postgresql/*)

# sql STATEMENT: in a session of its own
sql()
{
	crun exec postgresql "$postgres/bin/psql" -XAtq -h /work -U postgres -c "$1" postgres </dev/null
}

# session STATEMENT: in the one that stays open; what it prints
session()
{
	: >$talk/out
	printf '%s\n\\echo all-said\n' "$1" >$talk/in
	tries=0
	until grep -qx all-said $talk/out; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return 1
		sleep 0.1
	done
	sed '/^all-said$/d' $talk/out
}
talk=/srv/postgresql/rootfs/work

# Every row whole, and the index
table_digest()
{
	sql "SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY id)) FROM t"
}

start_postgresql()
{
	uid=$(id -u postgres)
	bundle postgresql $((mib * 4 + 384)) "$uid" "$postgres/bin/postgres" "$postgres/bin/initdb" \
		"$postgres/bin/psql" <<-SCRIPT
	#!/bin/sh
	$postgres/bin/initdb -k -U postgres -D /work/data >/work/log 2>&1
	$postgres/bin/postgres -D /work/data -k /work -c listen_addresses= -c shared_buffers=$((mib * 2 + 16))MB \\
		-c max_wal_size=4GB -c autovacuum=off -c dynamic_shared_memory_type=mmap \\
		-c jit=off >>/work/log 2>&1 &
	until $postgres/bin/psql -h /work -U postgres -c 'SELECT 1' postgres >/dev/null 2>&1; do sleep 0.2; done
	# a session that stays open: it reads what is written into a fifo
	mkfifo /work/in
	sleep 1000000000 >/work/in &
	$postgres/bin/psql -XAtq -h /work -U postgres postgres </work/in >>/work/out 2>&1 &
	echo >/work/ready
	wait
	SCRIPT
	for dir in "$postgres/lib" "/usr/share/postgresql/${postgres##*/}" /usr/share/zoneinfo/UTC /etc/postgresql-common; do
		mkdir -p "/srv/postgresql/rootfs$(dirname "$dir")"
		cp -a "$dir" "/srv/postgresql/rootfs$dir"
	done
	start postgresql || return 1
	check fill.postgresql sql "CREATE TABLE t AS SELECT i AS id, repeat(md5(random()::text), 30) AS data
		FROM generate_series(1, $rows) AS i; CREATE INDEX ON t (id); CHECKPOINT"
	table_digest >$noted/table
	session "CREATE TEMP TABLE mine AS SELECT i, md5(i::text) AS m FROM generate_series(1, 5000) AS i;
		SELECT pg_backend_pid(), md5(string_agg(m, '')) FROM mine;" >$noted/session
	check postgresql.session test -s $noted/session
	session "BEGIN; INSERT INTO t VALUES (0, 'not committed yet');" >/dev/null
}

ask_postgresql()
{
	check "$1.postgresql.data" test "$(table_digest)" = "$(cat $noted/table)"
	check "$1.postgresql.index" test "$(sql "SET enable_seqscan = off;
		SELECT count(*) FROM t WHERE id BETWEEN 1 AND $rows")" = "$rows"
	check "$1.postgresql.session" test "$(session "SELECT pg_backend_pid(), md5(string_agg(m, '')) FROM mine;")" = \
		"$(cat $noted/session)"
	session 'COMMIT;' >/dev/null
	check "$1.postgresql.commit" test "$(sql 'SELECT data FROM t WHERE id = 0')" = 'not committed yet'
	check "$1.postgresql.write" sql "UPDATE t SET data = upper(data) WHERE id % 3 = 0; CHECKPOINT;
		UPDATE t SET data = lower(data) WHERE id % 3 = 0; DELETE FROM t WHERE id = 0; CHECKPOINT"
	check "$1.postgresql.after-write" test "$(table_digest)" = "$(cat $noted/table)"
	# not what initdb says, nor what is FATAL for who asks while the server starts
	check "$1.postgresql.log" sh -c "! grep -vE '^Data page checksums are enabled|database system is starting up' \
		$talk/log | grep -E 'PANIC|FATAL|invalid page|checksum'"
	session "BEGIN; INSERT INTO t VALUES (0, 'not committed yet');" >/dev/null
}

if [ "$STAGE" = 1 ]; then
	mkdir -p $noted
	cat >/etc/rebootless.conf <<-CONF
	dump-timeout = 600
	restore-timeout = 600
	verify = yes
	CONF
	start_redis || exit 0
	start_postgresql || exit 0
else
	sleep 2
	systemctl is-system-running --wait >/dev/null
	tell_times "hop$((STAGE - 1))"
	ask_redis "hop$((STAGE - 1))"
	ask_postgresql "hop$((STAGE - 1))"
fi
if [ "$STAGE" -gt $# ]; then exit 0; fi
shift $((STAGE - 1))
update "$1" || fail "update$STAGE" "exit status $?"
say_failure /run/update.out 12
