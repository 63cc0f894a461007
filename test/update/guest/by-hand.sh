#!/bin/sh
# In the full guest: restores that fail for real, the ways back, and what an
# administrator does by hand. Arguments: the steps to take, one update each.
#
#   rolled-back  on-restore-failure = rollback: the old kernel comes back by itself
#   no-way-back  the same, but the old kernel is gone: as with `continue`
#   rollback     `continue`: boot on, and `rebootless rollback` in the new kernel
#   skip         rebootless.skip on the command line
#   shell        on-restore-failure = shell: mend it there, restore, boot on
#   break        rd.break=pre-pivot: restore one in the shell there, boot on
#
# In the initramfs the files /srv/before (before all of ours, the disk at /disk)
# and /srv/emergency (where a shell would come) are run: that one is the
# administrator. What makes CRIU refuse is a program that has another size.
# shellcheck disable=SC1091,SC2154 # are there in the guest
. /usr/lib/update-lib.sh
. /usr/lib/faults-lib.sh
program=/var/lib/survivors/runc-a/rootfs/bin/survivor

# settings POLICY [LINE]
settings()
{
	cat >/etc/rebootless.conf <<-CONF
	dump-timeout = 120
	restore-timeout = 120
	verify = yes
	on-restore-failure = $1
	$2
	[tree tree-a]
	pid-file = /var/lib/survivors/tree-a/pid
	CONF
}

# sabotage: in the kernel that comes next, and nowhere else, runc-a's program is longer
sabotage()
{
	cat >/srv/before <<-HOOK
	case \$(uname -r) in
	$(uname -r)) cat /disk/srv/whole >/disk$program ;;
	*) echo more >>/disk$program ;;
	esac
	HOOK
}

mend() { cat /srv/whole >$program; }

# take STEP: set it up, and update to the other kernel
take()
{
	rm -f /srv/before /srv/emergency
	cp $program /srv/whole
	case $1 in
	rolled-back) settings rollback; sabotage ;;
	rollback) settings continue; sabotage ;;
	no-way-back)
		settings rollback
		sabotage
		echo "mv /disk/boot/vmlinuz-$(uname -r) /disk/srv/vmlinuz" >>/srv/before
		;;
	skip) settings continue 'append = rebootless.skip' ;;
	shell)
		settings shell
		sabotage
		cat >/srv/emergency <<-HOOK
		rebootless-restore list >/run/admin.list 2>&1
		rebootless-restore rollback >/run/admin.rollback 2>&1
		rebootless-restore try runc-a >/run/admin.fails 2>&1
		echo \$? >>/run/admin.fails
		cat /sysroot/srv/whole >/sysroot$program
		rebootless-restore try -v runc-a >/run/admin.try 2>&1
		echo \$? >>/run/admin.try
		pramfs status >/run/admin.status 2>&1
		echo \$? >>/run/admin.status
		busybox true && echo 0 >>/run/admin.busybox
		exit 0
		HOOK
		;;
	break)
		settings continue 'append = rd.break=pre-pivot'
		cat >/srv/emergency <<-HOOK
		rebootless-restore list >/run/admin.list 2>&1
		rebootless-restore try runc-a >/run/admin.try 2>&1
		echo \$? >>/run/admin.try
		exit 0
		HOOK
		;;
	esac
	echo "$1" >/srv/step
	uname -r >/srv/from
	case $(uname -r) in 6.12*) to=7.3 ;; *) to=6.12 ;; esac
	update $to || fail "$1.update" "exit status $?"
	say_failure /run/update.out 8
}

verdicts() { for name in $small; do verdict "$1" "$name"; done; }

# states CASE STATE-OF-crun-a STATE-OF-runc-a
states()
{
	check "$1.crun-a" test "$(state crun-a)" = "$2"
	check "$1.runc-a" test "$(state runc-a)" = "$3"
	check "$1.tree-a" test "$(state tree-a)" = "$2"
}

same_kernel() { test "$(uname -r)" = "$(cat /srv/from)"; }
other_kernel() { ! same_kernel; }

# restored CASE: what is left is restored by hand
restored()
{
	rebootless restore --all >/run/restore.out 2>&1 ||
		fail "$1.restore" "exit status $?: $(tail -n 2 /run/restore.out)"
	verdicts "$1"
	states "$1.after" running running
}

judge()
{
	rebootless status >/run/status
	case $1 in
	rolled-back)
		check "$1.kernel" same_kernel
		verdicts "$1"
		check "$1.status" grep -q 'rolled back' /run/status
		check "$1.words" grep -q 'container runc-a: .*bad size' "$store/log"
		states "$1" running running
		;;
	rollback)
		# twice: first in the new kernel
		if [ -e /srv/second-half ]; then
			rm /srv/second-half
			check "$1.kernel" same_kernel
			verdicts "$1"
			check "$1.status" grep -q 'rolled back' /run/status
			states "$1" running running
			return
		fi
		check "$1.new-kernel" other_kernel
		states "$1.kept" restored failed
		check "$1.words" grep -q 'bad size' /run/status
		for name in crun-a tree-a; do verdict "$1.kept" $name; done
		check "$1.still-fails" sh -c '! rebootless restore runc-a >/run/restore.out 2>&1'
		check "$1.criu-says" grep -q 'bad size' /run/restore.out
		# the hook of the old kernel mends it
		# and tells the second half from the first
		touch /srv/second-half
		dmesg_out
		rebootless rollback -v >/run/update.out 2>&1
		fail "$1.by-hand" "exit status $?"
		say_failure /run/update.out 8
		mend
		restored "$1"
		;;
	no-way-back)
		check "$1.kernel" other_kernel
		mv /srv/vmlinuz "/boot/vmlinuz-$(cat /srv/from)"
		states "$1.kept" restored failed
		check "$1.words" grep -q 'bad size' /run/status
		mend
		restored "$1"
		;;
	skip)
		check "$1.kernel" other_kernel
		check "$1.cmdline" grep -qw rebootless.skip /proc/cmdline
		states "$1.skipped" failed failed
		check "$1.status" grep -q 'rebootless.skip was on' /run/status
		restored "$1"
		;;
	shell)
		check "$1.kernel" other_kernel
		check "$1.list" grep -q 'runc-a .*failed' /run/admin.list
		check "$1.no-rollback" grep -q 'would be lost' /run/admin.rollback
		check "$1.fails" grep -q '^1$' /run/admin.fails
		check "$1.criu-says" grep -q 'bad size' /run/admin.fails
		check "$1.try" grep -q '^0$' /run/admin.try
		check "$1.status" grep -q '^0$' /run/admin.status
		check "$1.busybox" grep -q '^0$' /run/admin.busybox
		for log in rollback fails try status; do say_failure /run/admin.$log 4; done
		verdicts "$1"
		states "$1" running running
		;;
	break)
		check "$1.kernel" other_kernel
		check "$1.list" grep -q 'runc-a .*captured' /run/admin.list
		check "$1.try" grep -q '^0$' /run/admin.try
		say_failure /run/admin.try 4
		verdicts "$1"
		states "$1" running running
		;;
	esac
}

if [ "$STAGE" = 1 ]; then
	start_small
	: >/srv/taken
else
	sleep 2
	systemctl is-system-running --wait >/dev/null
	judge "$(cat /srv/step)"
fi
shift "$(wc -l </srv/taken)"
if [ $# = 0 ]; then exit 0; fi
echo "$1" >>/srv/taken
take "$1"
