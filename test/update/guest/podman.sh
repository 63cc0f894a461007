#!/bin/sh
# In the full guest, with clients outside: containers of podman through one update
# after the other. Arguments: the kernels to go to; before them "given-up": one
# update is given up before. Podman itself is called seldom: it takes seconds here.
# shellcheck disable=SC1091,SC2154 # is there in the guest, and has store
. /usr/lib/update-lib.sh
given_up=
if [ "$1" = given-up ]; then given_up=1; shift; fi
hops=$#
# The test's own unit must not be that of the containers.
unset INVOCATION_ID
names='web plain alone member1 member2 systemd-quad'
# Those that hold connections to others.
holders='plain member2'

# A container's first process counts into a file of its own and onto standard output.
# shellcheck disable=SC2016 # expands there
counting='n=0; while :; do n=$((n + 1)); echo $n; echo $n >/count; sleep 1; done'

make_image()
{
	mkdir -p /srv/image/bin /srv/image/tmp
	cp /usr/bin/busybox /srv/image/bin/busybox
	cp /outside/talk /usr/bin/catatonit /srv/image/bin
	for applet in sh sleep cat nslookup date; do
		ln -s busybox "/srv/image/bin/$applet"
	done
	tar -C /srv/image -cf - . | podman import --quiet - localhost/box >/dev/null
}

# start NAME ARG...: a container, from the image
start()
{
	_started=$1
	shift
	check "start.$_started" podman run -d --name "$_started" "$@"
}

# holding ADDRESS: what holds connections to a server there, and leaves a verdict
holding()
{
	echo "talk hold $1 7000 3 500 /tmp/stop 2200 >/tmp/verdict & $counting"
}

start_quad()
{
	mkdir -p /etc/containers/systemd
	cat >/etc/containers/systemd/quad.container <<-UNIT
	[Container]
	Image=localhost/box
	Exec=/bin/talk serve 7000
	PublishPort=8002:7000
	[Install]
	WantedBy=multi-user.target
	UNIT
	systemctl daemon-reload
	check start.quad systemctl start quad.service
}

start_all()
{
	make_image
	echo secret-text | podman secret create word - >/dev/null
	podman network create named-net >/dev/null
	start web --network named-net --publish 8000:7000 --volume data:/data --secret word --restart always \
		--sysctl net.ipv4.tcp_fin_timeout=33 --health-cmd 'date +%s >/health' --health-interval 30s localhost/box \
		/bin/sh -c "echo volume-text >/data/kept; echo shm-text >/dev/shm/kept; talk serve 7000 & $counting"
	web=$(podman inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' web)
	start plain --runtime runc --rm --network named-net --memory 64m localhost/box \
		/bin/sh -c "$(holding "$web")"
	start alone --network none --sysctl net.core.somaxconn=8192 localhost/box /bin/sh -c "$counting"
	# podman would build an image of this program
	check start.pod podman pod create --name pod --publish 8001:7000 \
		--infra-image localhost/box --infra-command '/bin/catatonit -P'
	start member1 --pod pod localhost/box /bin/sh -c "talk serve 7000 & $counting"
	start member2 --pod pod localhost/box /bin/sh -c "$(holding 127.0.0.1)"
	start_quad
	cat >/etc/rebootless.conf <<-CONF
	dump-timeout = 200
	restore-timeout = 200
	verify = yes
	CONF
	describe >/srv/before
}

# What must be the same after an update; the pids go into files, for inside().
describe()
{
	# shellcheck disable=SC2086 # words
	podman inspect --format "{{.Name}} {{.State.Pid}} {{.State.ConmonPid}} {{.Id}} {{.Created}} \
{{.State.StartedAt}} {{.State.Status}} {{.RestartCount}} {{.HostConfig.AutoRemove}} \
{{.HostConfig.RestartPolicy.Name}} \
{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.MacAddress}} {{end}}" $names |
		while read -r name pid conmon rest; do
			echo "$pid" >"/run/pid.$name"
			echo "$conmon" >"/run/conmon.$name"
			echo "$name $rest"
		done
	podman pod inspect --format '{{.Name}} {{.Id}} {{.State}} {{.NumContainers}}' pod
}

# inside NAME FILE: what is in a file there
inside()
{
	cat "/proc/$(cat "/run/pid.$1")/root$2"
}

# The file is empty for a moment at each change.
count_of()
{
	for _ in 1 2 3 4 5; do
		count=$(inside "$1" /count)
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

# The healthcheck runs again and again.
healthy()
{
	then=$(date +%s)
	for _ in $(seq 120); do
		[ "$(inside web /health || echo 0)" -le "$then" ] || return 0
		sleep 1
	done
	return 1
}

confined() { grep -q '^containers-default.*(enforce)' "/proc/$(cat "/run/pid.$1")/attr/current"; }

# limit_of NAME: of its cgroup's memory
limit_of()
{
	cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(cat "/run/pid.$1")/cgroup")/memory.max"
}

ask()
{
	if [ "$1" != before ]; then
		describe >/srv/now
		check "$1.same" diff /srv/before /srv/now
	fi
	for name in web plain alone member1 member2; do goes_on "$1" "$name"; done
	for name in $holders; do check "$1.$name.holds" test "$(inside "$name" /tmp/verdict)" = 'connected 3'; done
	check "$1.ps" test "$(podman ps --quiet | wc -l)" = 7
	check "$1.web.secret" test "$(inside web /run/secrets/word)" = secret-text
	check "$1.web.shm" test "$(inside web /dev/shm/kept)" = shm-text
	check "$1.web.setting" test "$(nsenter --net --target "$(cat /run/pid.web)" \
		sysctl -n net.ipv4.tcp_fin_timeout)" = 33
	check "$1.alone.setting" test "$(nsenter --net --target "$(cat /run/pid.alone)" \
		sysctl -n net.core.somaxconn)" = 8192
	check "$1.web.volume" test "$(inside web /data/kept)" = volume-text
	check "$1.web.confined" confined web
	check "$1.plain.confined" confined plain
	check "$1.web.logs" test "$(podman logs --tail 1 web)" -ge "$(cat /srv/count.web)"
	check "$1.plain.dns" podman exec plain nslookup web
	check "$1.plain.limit" test "$(limit_of plain)" = 67108864
	check "$1.quad.active" systemctl is-active --quiet quad.service
	check "$1.quad.main" test "$(systemctl show --property MainPID --value quad.service)" = \
		"$(cat /run/conmon.systemd-quad)"
	check "$1.web.healthy" healthy
	# whose checks these are, should they have ended
	journalctl --boot --grep 'healthcheck|health_status' --lines 20
	systemctl list-units --all '*-*.timer' '*-*.service'
	check "$1.clean" test ! -e /var/lib/rebootless/keeper
}

give_up()
{
	REBOOTLESS_FAULT=held rebootless update --kernel "$1" >/run/update.out 2>&1
	check given-up.status test $? != 0
	cat /run/update.out
	check given-up.words grep -q 'nothing was updated' /run/update.out
	ask given-up
}

# Those inside leave their verdict when all has come back.
judge_holders()
{
	for name in $holders; do
		touch "/proc/$(cat "/run/pid.$name")/root/tmp/stop"
		for _ in $(seq 60); do
			! inside "$name" /tmp/verdict | grep -q 'complete' || break
			sleep 1
		done
		check "end.$name.held" test "$(inside "$name" /tmp/verdict | grep -c '^pass ')" = 3
		inside "$name" /tmp/verdict
	done
}

finish()
{
	judge_holders
	check end.stop podman stop --time 1 web
	check end.start podman start web
	check end.started podman exec web cat /count
	check end.rm podman rm --force --time 0 plain
	check end.pod podman pod rm --force --time 0 pod
	check end.quad.stop systemctl stop quad.service
	check end.left test "$(podman ps --all --quiet | wc -l)" = 1
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
	note "clients may begin"
	ask before
	[ -z "$given_up" ] || give_up "$1"
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
	note "clients may end"
	finish
	exit 0
fi
shift $((STAGE - 1))
update "$1" || fail "update$STAGE" "exit status $?"
say_failure /run/update.out 12
say_logs
