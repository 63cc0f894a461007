#!/bin/sh
# In the full guest: each engine's survivors through a checkpoint and a restore
# in one boot, by the engine's own commands. What fails here is CRIU's, not ours.
#
# arguments: engines (crun runc tree host-tree), or engine:survivor to run just that one
# shellcheck disable=SC1091 # is there in the guest
. /lib/guest-lib.sh
. /survivor/verdict.sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
# Debian's default wants iptables, which it does not depend on; runc has its own
# file and does not read the other.
mkdir -p /etc/criu
# A named semaphore is a file that was linked to its name: link-remap.
for conf in default runc; do
	printf '%s\n' 'network-lock nftables' link-remap >>/etc/criu/$conf.conf
done
images=/var/tmp/images
# What an update of ours adds to CRIU, see there.
export SURVIVORS_EXCEPT=sleeps

# What CRIU complained of, for the host
criu_says()
{
	grep -h 'Error' "$images"/*.log | head -n 8 | while read -r line; do note "criu: $line"; done
}

# criu_tree dump|restore ENGINE ARG...
criu_tree()
{
	verb=$1 kind=$2
	shift 2
	if [ "$kind" = tree ]; then
		# In its mount namespace are all of the host's mounts. Without --root
		# CRIU 4.2.1 dies in the restore of one whose mounts are all external.
		set -- "$@" --external 'mnt[]:m'
		if [ "$verb" = restore ]; then set -- "$@" --root /; fi
	fi
	criu "$verb" --images-dir $images --log-file "$verb.log" -v4 --tcp-established \
		--file-locks --shell-job --manage-cgroups=soft --link-remap "$@"
}

checkpoint()
{
	case $1 in
	*tree) criu_tree dump "$1" --tree "$(cat /var/lib/survivors/"$2"/pid)" ;;
	*)
		"$1" checkpoint --image-path $images --work-path $images --tcp-established \
			--file-locks --manage-cgroups-mode soft "$2"
		;;
	esac
}

restore()
{
	case $1 in
	*tree)
		criu_tree restore "$1" --restore-detached --pidfile $images/pid &&
			cp $images/pid /var/lib/survivors/"$2"/pid
		;;
	*)
		"$1" restore --detach --image-path $images --work-path $images --tcp-established \
			--file-locks --manage-cgroups-mode soft \
			--bundle /var/lib/survivors/"$2" "$2"
		;;
	esac </dev/null >/tmp/restore.out 2>&1
}

round()
{
	engine=$1 name=$2 when=$3
	rm -rf $images
	mkdir $images
	from=$(cut -d' ' -f1 /proc/uptime)
	if ! checkpoint "$engine" "$name" >/tmp/checkpoint.out 2>&1; then
		fail "$when.$name.checkpoint" "$(tail -n 1 /tmp/checkpoint.out)"
		criu_says
		return 1
	fi
	pass "$when.$name.checkpoint"
	to=$(cut -d' ' -f1 /proc/uptime)
	metric "$when.$name.checkpoint" "$(echo "$from $to" | awk '{ print $2 - $1 }')" s
	if ! restore "$engine" "$name"; then
		fail "$when.$name.restore" "$(tail -n 1 /tmp/restore.out)"
		criu_says
		return 1
	fi
	pass "$when.$name.restore"
	from=$(cut -d' ' -f1 /proc/uptime)
	metric "$when.$name.restore" "$(echo "$to $from" | awk '{ print $2 - $1 }')" s
	verdict "$when" "$name"
}

[ $# != 0 ] || set -- crun runc tree host-tree
for word; do
	engine=${word%%:*} only=${word#"$engine"} name=$engine-1
	# shellcheck disable=SC2086 # a word or none
	if ! /survivor/start "$engine" "$name" ${only#:} 2>/tmp/start.out; then
		fail "$name.start" "$(tail -n 1 /tmp/start.out)"
		continue
	fi
	verdict before "$name"
	# What was restored must be good for another time.
	round "$engine" "$name" restored && round "$engine" "$name" again
	# It would only take time from the next one.
	case $engine in
	*tree) echo 1 >/sys/fs/cgroup/survivors-"$name"/cgroup.kill ;;
	*) "$engine" delete --force "$name" ;;
	esac
done
