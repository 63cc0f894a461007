#!/bin/sh
# In the full guest: containers of podman through one update after the other.
# Arguments: the kernels to go to.
# shellcheck disable=SC1091,SC2154 # is there in the guest, and has store
. /usr/lib/update-lib.sh
hops=$#
# The test's own unit must not be that of the containers.
unset INVOCATION_ID
names='web plain bare named member1 member2 systemd-quad'

# A container's first process: counts into a file of its own and onto standard output.
# shellcheck disable=SC2016 # expands there
counting='n=0; while :; do n=$((n + 1)); echo $n; echo $n >/count; sleep 0.5; done'

make_image()
{
	mkdir -p /srv/image/bin /srv/image/tmp /srv/image/www
	cp /usr/bin/busybox /srv/image/bin/busybox
	cp /survivor/survivor /srv/image/bin/survivor
	for applet in sh sleep cat ls nc ip wget nslookup httpd; do
		ln -s busybox "/srv/image/bin/$applet"
	done
	tar -C /srv/image -cf - . | podman import --quiet - localhost/box >/dev/null
}

start_all()
{
	make_image
	echo secret-text | podman secret create word - >/dev/null
	podman volume create data >/dev/null
	podman network create named-net >/dev/null
	check start.web podman run -d --name web --publish 8080:80 --volume data:/www --secret word \
		--restart always --health-cmd 'cat /count' --health-interval 12s localhost/box \
		/bin/sh -c "echo hello >/www/index; echo shm-text >/dev/shm/kept
			httpd -p 80 -h /www; $counting"
	check start.plain podman run -d --runtime runc --name plain --restart on-failure \
		localhost/box /bin/sh -c "$counting"
	check start.bare podman run -d --runtime runc --name bare --network none \
		localhost/box /bin/sh -c "$counting"
	check start.named podman run -d --name named --network named-net --memory 64m \
		localhost/box /bin/sh -c "$counting"
	check start.pod podman pod create --name pod --publish 9090:90
	check start.member1 podman run -d --pod pod --name member1 localhost/box \
		/bin/sh -c "mkdir /tmp/www; echo pod >/tmp/www/index; httpd -p 90 -h /tmp/www; $counting"
	check start.member2 podman run -d --pod pod --name member2 localhost/box /bin/sh -c "$counting"
	mkdir -p /etc/containers/systemd
	cat >/etc/containers/systemd/quad.container <<-UNIT
	[Container]
	Image=localhost/box
	Exec=/bin/sh -c 'httpd -p 70 -h /bin; n=0; while :; do n=\$\$((n + 1)); echo \$\$n >/count; sleep 0.5; done'
	PublishPort=7070:70
	[Install]
	WantedBy=multi-user.target
	UNIT
	systemctl daemon-reload
	check start.quad systemctl start quad.service
	cat >/etc/rebootless.conf <<-CONF
	engines = podman crun runc tree
	dump-timeout = 200
	restore-timeout = 200
	verify = yes
	CONF
	describe >/srv/before
}

# What must be the same after an update.
describe()
{
	for name in $names; do
		podman inspect --format "{{.Name}} {{.Id}} {{.Created}} {{.State.StartedAt}} {{.State.Status}} \
{{.RestartCount}} {{.HostConfig.AutoRemove}} {{.HostConfig.RestartPolicy.Name}} \
{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.MacAddress}} {{end}}" "$name"
	done
	podman pod inspect --format '{{.Name}} {{.Id}} {{.State}} {{.NumContainers}}' pod
}

# The file is empty for a moment at each change.
count_of()
{
	for _ in 1 2 3 4 5; do
		count=$(podman exec "$1" cat /count)
		[ -z "$count" ] || break
	done
	echo "$count"
}

# goes_on WHEN NAME: it counts, from where it was and not from 1
goes_on()
{
	first=$(count_of "$2")
	sleep 2
	second=$(count_of "$2")
	last=$(cat "/srv/count.$2" 2>/dev/null || echo 0)
	if [ "${first:-0}" -ge "$last" ] && [ "${second:-0}" -gt "${first:-0}" ]; then
		pass "$1.$2.counts"
	else
		fail "$1.$2.counts" "was $last, then $first, then $second"
	fi
	echo "$second" >"/srv/count.$2"
}

fetch() { wget -q -T 5 -O - "http://127.0.0.1:$1/$2"; }
wget() { busybox wget "$@"; }

ask()
{
	for name in $names; do goes_on "$1" "$name"; done
	if [ "$1" != before ]; then
		describe >/srv/now
		check "$1.same" diff /srv/before /srv/now
	fi
	check "$1.ps" test "$(podman ps --quiet | wc -l)" = 8
	check "$1.ps-all" test "$(podman ps --all --quiet | wc -l)" = 8
	check "$1.web.port" test "$(fetch 8080 index)" = hello
	check "$1.pod.port" test "$(fetch 9090 index)" = pod
	check "$1.quad.port" sh -c 'busybox wget -q -T 5 -O /dev/null http://127.0.0.1:7070/sh'
	check "$1.web.secret" test "$(podman exec web cat /run/secrets/word)" = secret-text
	check "$1.web.shm" test "$(podman exec web cat /dev/shm/kept)" = shm-text
	check "$1.web.logs" sh -c 'podman logs web | tail -n 1 | grep -q "^[0-9]*$"'
	check "$1.named.dns" podman exec named nslookup named
	check "$1.named.limit" test "$(podman exec named cat /sys/fs/cgroup/memory.max)" = 67108864
	check "$1.bare.lo" sh -c 'podman exec bare ip link show lo | grep -q UP'
	check "$1.member2.shares" podman exec member2 wget -q -T 5 -O /dev/null http://127.0.0.1:90/index
	check "$1.pod.uts" test "$(podman exec member1 busybox hostname)" = pod
	check "$1.quad.active" systemctl is-active --quiet quad.service
	check "$1.quad.main" test "$(systemctl show --property MainPID --value quad.service)" = \
		"$(podman inspect --format '{{.State.ConmonPid}}' systemd-quad)"
	check "$1.web.healthy" healthy
	check "$1.check-clean" test ! -e /var/lib/rebootless/keeper
}

# The healthcheck runs again and again.
healthy()
{
	then=$(date +%s)
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		sleep 2
		last=$(podman inspect --format \
			'{{range .State.Health.Log}}{{.Start}} {{.ExitCode}}{{println}}{{end}}' web |
			grep . | tail -n 1)
		if [ "${last#* }" = 0 ] && [ "$(date -d "${last% *}" +%s)" -gt "$then" ]; then
			return 0
		fi
	done
	echo "last healthcheck: $last, asked since $then"
	return 1
}

given_up()
{
	REBOOTLESS_FAULT=held rebootless update --kernel "$1" >/run/update.out 2>&1
	check given-up.status test $? != 0
	check given-up.words grep -q 'nothing was updated' /run/update.out
	ask given-up
}

finish()
{
	check end.stop podman stop --time 3 web
	check end.start podman start web
	check end.started sh -c 'sleep 2; podman exec web cat /count'
	check end.rm podman rm --force --time 1 plain bare named
	check end.pod podman pod rm --force --time 1 pod
	check end.quad.stop systemctl stop quad.service
	check end.quad.gone sh -c '! podman container exists systemd-quad'
	check end.quad.start systemctl start quad.service
	check end.left test "$(podman ps --all --quiet | wc -l)" = 2
}

say_logs()
{
	for log in "$store"/containers/*/work/*; do
		note "$log"
		say_failure "$log" 4
	done
}

if [ "$STAGE" = 1 ]; then
	start_all
	ask before
	given_up "$1"
	rebootless list
else
	sleep 2
	systemctl is-system-running --wait >/dev/null
	rebootless status
	tell_times "hop$((STAGE - 1))"
	systemctl daemon-reload
	ask "hop$((STAGE - 1))"
	journalctl -b -u rebootless.service --no-pager | tail -n 60
fi
if [ "$STAGE" -gt "$hops" ]; then
	finish
	exit 0
fi
shift $((STAGE - 1))
update "$1" || fail "update$STAGE" "exit status $?"
say_failure /run/update.out 12
say_logs
