#!/bin/sh
# In the full guest: servers that everybody knows, in crun containers in the host's
# network, for clients outside: sshd, nginx, redis, PostgreSQL.
# Arguments: the kernels to go to.
# shellcheck disable=SC1091,SC2034 # are there in the guest; for bundle.sh
. /usr/lib/update-lib.sh
. /usr/lib/bundle.sh
# of sshd, nginx, redis, PostgreSQL
ports='2222 8080 6379 5432'
network=host

start_sshd()
{
	capabilities='["CAP_SETUID","CAP_SETGID","CAP_CHOWN","CAP_KILL","CAP_SYS_CHROOT","CAP_DAC_OVERRIDE"]'
	bundle sshd 256 0 /usr/sbin/sshd /usr/lib/openssh/sshd-session /usr/lib/openssh/sshd-auth <<-'SCRIPT'
	#!/bin/sh
	echo >/work/ready
	exec /usr/sbin/sshd -D -e -p 2222 -h /work/hostkey -o AuthorizedKeysFile=/work/key.pub -o UsePAM=no \
		-o StrictModes=no -o PidFile=none >/work/log 2>&1
	SCRIPT
	capabilities='[]'
	grep '^sshd:' /etc/passwd >>/srv/sshd/rootfs/etc/passwd
	mkdir -p /srv/sshd/rootfs/run/sshd /srv/sshd/rootfs/root /srv/sshd/rootfs/etc/ssh
	: >/srv/sshd/rootfs/etc/ssh/sshd_config
	# busybox's is there
	sed -i 's,^\(root:.*\):[^:]*$,\1:/bin/sh,' /srv/sshd/rootfs/etc/passwd
	cp /srv/keys/hostkey /srv/keys/key.pub /srv/sshd/rootfs/work/
	chmod 600 /srv/sshd/rootfs/work/hostkey
	start sshd
}

start_nginx()
{
	uid=$(id -u www-data)
	bundle nginx 256 "$uid" /usr/sbin/nginx <<-'SCRIPT'
	#!/bin/sh
	echo >/work/ready
	exec /usr/sbin/nginx -p /work -e /work/log -c /work/nginx.conf >>/work/log 2>&1
	SCRIPT
	grep '^\(www-data\|nobody\):' /etc/passwd >>/srv/nginx/rootfs/etc/passwd
	grep '^\(www-data\|nogroup\):' /etc/group >/srv/nginx/rootfs/etc/group
	mkdir -p /srv/nginx/rootfs/work/www /srv/nginx/rootfs/var/lib/nginx
	cat >/srv/nginx/rootfs/work/nginx.conf <<-'CONF'
	daemon off;
	worker_processes 1;
	pid /work/pid;
	events {}
	http {
		access_log off;
		client_max_body_size 0;
		client_body_temp_path /work/body; proxy_temp_path /work/proxy; fastcgi_temp_path /work/fastcgi;
		uwsgi_temp_path /work/uwsgi; scgi_temp_path /work/scgi;
		# longer than a peer may take to come back
		client_body_timeout 600s; send_timeout 600s;
		server { listen 8080; root /work/www; location / { dav_methods PUT; } }
	}
	CONF
	dd if=/dev/urandom of=/srv/nginx/rootfs/work/www/down bs=64k count=$((size / 65536)) 2>/dev/null
	sha256sum </srv/nginx/rootfs/work/www/down >/srv/nginx/rootfs/work/www/sum
	chown -R "$uid" /srv/nginx/rootfs/work
	start nginx
}

start_redis()
{
	bundle redis 256 0 /usr/bin/redis-server <<-'SCRIPT'
	#!/bin/sh
	echo >/work/ready
	exec redis-server --bind 0.0.0.0 --protected-mode no --save '' --appendonly no --dir /work >/work/log 2>&1
	SCRIPT
	start redis
}

start_postgresql()
{
	postgres=$(echo /usr/lib/postgresql/*)
	uid=$(id -u postgres)
	bundle postgresql 512 "$uid" "$postgres/bin/postgres" "$postgres/bin/initdb" <<-SCRIPT
	#!/bin/sh
	$postgres/bin/initdb -U postgres -D /work/data >/work/log 2>&1
	echo 'host all all 10.77.0.0/24 trust' >>/work/data/pg_hba.conf
	echo >/work/ready
	exec $postgres/bin/postgres -D /work/data -k /work -c listen_addresses=0.0.0.0 -c shared_buffers=16MB \\
		-c dynamic_shared_memory_type=mmap >>/work/log 2>&1
	SCRIPT
	for dir in "$postgres/lib" "/usr/share/postgresql/${postgres##*/}" /usr/share/zoneinfo/UTC /etc/postgresql-common; do
		mkdir -p "/srv/postgresql/rootfs$(dirname "$dir")"
		cp -a "$dir" "/srv/postgresql/rootfs$dir"
	done
	start postgresql
}

all_listen()
{
	for port in $ports; do ss -Htln "( sport = :$port )" | grep -q . || return 1; done
}

connected() { ss -Htn state established "( sport = :$1 )" | wc -l; }

# ssh; pub, sub, pipelined and counting; the transaction
all_talk()
{
	[ "$(connected 2222)" -ge 1 ] && [ "$(connected 6379)" -ge 4 ] && [ "$(connected 5432)" -ge 1 ]
}

# and the download and the upload, which may be over after the update
all_connected() { all_talk && [ "$(connected 8080)" -ge 2 ]; }

none_connected()
{
	for port in $ports; do [ "$(connected "$port")" = 0 ] || return 1; done
}

size=$1
shift
if [ "$STAGE" = 1 ]; then
	cat >/etc/rebootless.conf <<-CONF
	dump-timeout = 300
	restore-timeout = 300
	verify = yes
	CONF
	start_sshd
	start_nginx
	start_redis
	start_postgresql
	check start.link await 60 sh -c 'ip address | grep -q 10.77.0.2'
	check start.listen await 120 all_listen
	note "clients may begin"
	check start.connections await 300 all_connected
	# all of them amid something
	sleep 5
else
	sleep 2
	systemctl is-system-running --wait >/dev/null
	rebootless status
	check "hop$((STAGE - 1)).connections" all_talk
fi
if [ "$STAGE" -gt $# ]; then
	# peers come back by their own timers, which have doubled meanwhile
	sleep 30
	note "clients may end"
	check end.connections await 600 none_connected
	for name in sshd nginx redis postgresql; do
		check "end.$name" sh -c "crun list | grep -q '^$name .*running'"
		say_failure "/srv/$name/rootfs/work/log" 3
	done
	exit 0
fi
shift $((STAGE - 1))
update "$1" || fail "update$STAGE" "exit status $?"
say_failure /run/update.out 12
