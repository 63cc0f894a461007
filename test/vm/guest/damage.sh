#!/bin/sh
# Hops with handovers that are damaged, or given up, see test/vm/damage. Stage N
# judges what hop N-1 brought, then makes hop N.
# usage: /test fresh|seal|stream
# shellcheck disable=SC1091
. /lib/vm.sh
# kinds of `sealing kinds`, and hops of this script's: plain, half, again
case $1 in
seal) hops='again plain half root-crc root-version root-moved root-magic range-cut' ;;
stream) hops='crc-bit first-bit last-bit magic-bit swapped zeroed next-outside next-loop next-data
	extent-arena extent-other extent-metadata extent-nowhere record-unknown' ;;
fresh)
	/vm/memstat
	pass fresh
	exit 0 ;;
esac

# hop N: the Nth of them, empty behind the last
hop()
{
	# shellcheck disable=SC2086 # words
	printf '%s\n' start $hops | sed -n "$(($1 + 1))p"
}

before=$(hop $((STAGE - 1)))
now=$(hop "$STAGE")
# Names of cases say which hop they belong to.
name=$before-$STAGE
case $(uname -r) in
6.12*) series=6.12 next=7.3 disk=/dev/vdb ;;
*) series=7.3 next=6.12 disk=/dev/vda ;;
esac
fresh=$(tr ' ' '\n' </proc/cmdline | sed -n "s/^fresh.$series=//p")
reserved_mib=300

# ---- what everybody uses ----------------------------------------------------

load_next()
{
	/vm/rebootless load --kernel /tmp/vmlinuz-$next --initrd /tmp/initrd-$next \
		--append "$(next_cmdline | sed 's/ rebooted//')"
}

# status NAME: of `pramfs status --json`
status()
{
	/vm/pramfs status --json | sed -n "s/^ *\"$1\": *\"*\([^\",]*\).*/\1/p"
}

idle()
{
	/vm/pramfs status | grep -q '^state *idle$'
}

# says TEXT COMMAND...: it fails, and TEXT is in what it says.
says()
{
	_text=$1
	shift
	if "$@" >/tmp/said 2>&1; then
		echo "no failure of: $*"
		return 1
	fi
	cat /tmp/said
	grep -q "$_text" /tmp/said
}

exits()
{
	_want=$1 _got=0
	shift
	"$@" || _got=$?
	[ $_got = "$_want" ] || { echo "exit status $_got of: $*"; return 1; }
}

memory_is_whole()
{
	_total=$(kib MemTotal)
	if [ $((_total * 100)) -ge $((fresh * 99)) ]; then
		pass "memory-$name (KiB: fresh $fresh, now $_total)"
	else
		fail "memory-$name" "fresh $fresh KiB, now $_total KiB"
	fi
}

# memory_is_kept [BYTES]: what is reserved is not in use, and is much.
memory_is_kept()
{
	_total=$(kib MemTotal)
	if [ $((_total + reserved_mib * 1024)) -gt "$fresh" ]; then
		fail "kept-$name" "fresh $fresh KiB, now $_total KiB, $reserved_mib MiB should be kept"
	elif [ $# = 1 ] && [ $(((_total + $1 / 1024) * 100)) -lt $((fresh * 99)) ]; then
		fail "kept-$name" "fresh $fresh KiB, now $_total KiB and $(($1 / 1024)) KiB kept"
	else
		pass "kept-$name"
	fi
}

# ---- what came --------------------------------------------------------------

# A name of a refused handover is not mounted: an empty instance comes up.
new_instance()
{
	mount -t pramfs one /mnt/one && [ -z "$(ls -A /mnt/one)" ] && echo text >/mnt/one/file &&
		grep -q text /mnt/one/file && umount /mnt/one
}

# finding OF: check, frame and offset of a refusal in the text on stdin
finding()
{
	sed -n 's/.*check "\([^"]*\)".*offset \([0-9]*\).*/\1 \2/p' | tail -n1
}

refused()
{
	_check=$(/vm/sealing kinds | sed -n "s/^$before://p")
	_log=$(dmesg | grep 'the handover is refused' | finding)
	if [ "$before" = range-cut ]; then reserved_mib=100; fi
	case $_log in
	*"$_check "*) pass "check-$name ($_log)" ;;
	*) fail "check-$name" "expected \"$_check\", the log says \"$_log\"" ;;
	esac
	check "refused-$name" test "$(status refused)" = true
	check "status-$name" test "$(/vm/pramfs status | finding)" = "$_log"
	memory_is_kept
	check "verify-$name" exits 1 /vm/pramfs verify
	check "save-$name" /vm/pramfs save /tmp/saved
	/vm/pramfs verify /tmp/saved >/tmp/verify-saved 2>&1
	check "verify-saved-$name" exits 1 /vm/pramfs verify /tmp/saved
	check "inspect-saved-$name" exits 1 /vm/pramfs inspect /tmp/saved
	# An image knows a page by the frame number that stands in it.
	case $before in
	swapped|zeroed|next-data) _log="page missing 24" ;;
	esac
	check "same-saved-$name" test "$(finding </tmp/verify-saved)" = "$_log"
	rm -f /tmp/saved
	check "new-instance-$name" new_instance
	check "load-$name" says 'was refused' load_next
	check "still-refused-$name" test "$(status refused)" = true
	memory_is_kept "$(status reserved_bytes)"
	check "discard-$name" /vm/pramfs discard --yes
	given_up
}

given_up()
{
	check "idle-$name" idle
	check "discard-again-$name" exits 3 /vm/pramfs discard --yes
	check "empty-$name" new_instance
	memory_is_whole
}

# Nobody knows what to give back: all is kept until the next boot.
root_refused()
{
	_check=$(/vm/sealing kinds | sed -n "s/^$before://p")
	check "check-$name" in_log "the handover is refused.*check \"$_check\""
	check "refused-$name" test "$(status refused)" = true
	check "save-$name" /vm/pramfs save /tmp/saved
	check "verify-$name" exits 1 /vm/pramfs verify
	check "verify-saved-$name" exits 1 /vm/pramfs verify /tmp/saved
	check "new-instance-$name" new_instance
	check "load-$name" says 'was refused' load_next
	check "discard-$name" says 'root page is damaged' /vm/pramfs discard --yes
	memory_is_kept
	plain_kexec
}

in_log()
{
	dmesg | grep "$1"
}

# The next boot, without us, has all memory; the hop after that is made there.
plain_kexec()
{
	if ! kexec -c -l /tmp/vmlinuz-$next --initrd=/tmp/initrd-$next --append="$(cat /proc/cmdline) rebooted"; then
		fail "kexec-$name" "see the console"
		return
	fi
	dmesg_out
	/vm/sealing jump
	fail "kexec-$name" "it came back"
}

# A handover that is good, and is given up.
plain()
{
	check "pending-$name" test "$(status pending_mounts)" = 2
	check "verify-$name" /vm/pramfs verify
	check "inspect-$name" /vm/pramfs inspect
	check "load-$name" says 'not taken over; mount or discard' load_next
	check "discard-$name" /vm/pramfs discard --yes
	given_up
}

# One of two instances is mounted: pramfs_ioctl.h says that then nothing is discarded.
half()
{
	check "mount-$name" mount -t pramfs two /mnt/two
	check "file-$name" grep -q "stage $((STAGE - 1))" /mnt/two/file
	check "discard-$name" says 'a part of the handover is mounted' /vm/pramfs discard --yes
	check "load-$name" says 'not taken over; mount or discard' load_next
	/vm/rebootless unload
	check "alive-$name" grep -q "stage $((STAGE - 1))" /mnt/two/file
	# The other one can still be had, or given up once this one is gone.
	check "mount-one-$name" mount -t pramfs one /mnt/one
	check "verify-$name" /vm/fill /mnt/one --mib 8 --pattern scattered --verify
	umount /mnt/one /mnt/two
	given_up
}

again()
{
	check "mount-$name" mount -t pramfs one /mnt/one
	check "mount-two-$name" mount -t pramfs two /mnt/two
	check "idle-$name" idle
	/vm/fill /mnt/one --mib 8 --pattern scattered --verify
	check "written-$name" test "$(cat /mnt/one/unsealed)" = "written after unseal"
	check "gone-$name" test ! -e /mnt/one/removed
	check "pinned-$name" test "$(cat /mnt/one/pinned)" = pinned
	check "two-$name" grep -q stage /mnt/two/file
	umount /mnt/one /mnt/two
	memory_is_whole
}

# ---- what goes --------------------------------------------------------------

fill()
{
	mkdir -p /mnt/one /mnt/two
	check "fill-one-$name" mount -t pramfs one /mnt/one
	check "fill-two-$name" mount -t pramfs two /mnt/two
	# The range that is reserved reaches over all of this.
	fallocate -l ${reserved_mib}M /mnt/one/large || fail "fallocate-$name"
	/vm/fill /mnt/one --mib 8 --pattern scattered
	echo "stage $STAGE" >/mnt/two/file
}

readonly_while_sealed()
{
	check sealed-create says 'Read-only' touch /mnt/one/new
	check sealed-write says 'Read-only' dd if=/dev/zero of=/mnt/one/unsealed bs=1 count=1 conv=notrunc
	check sealed-mkdir says 'Read-only' mkdir /mnt/one/dir
	check sealed-unlink says 'Read-only' unlink /mnt/one/removed
	check sealed-rename says 'Read-only' mv /mnt/one/removed /mnt/one/renamed
	check sealed-link says 'Read-only' ln /mnt/one/removed /mnt/one/link
	check sealed-truncate says 'Read-only' truncate -s 0 /mnt/one/removed
	check sealed-chmod says 'Read-only' chmod 600 /mnt/one/removed
	check sealed-xattr says 'Read-only' setfattr -n user.a -v b /mnt/one/removed
	# through a file that was open before
	check sealed-open-file says 'Read-only' sh -c 'echo text >&7'
	check sealed-remount says 'busy' mount -o remount,size=1g /mnt/one
	mkdir -p /mnt/three
	check sealed-new says 'busy' mount -t pramfs three /mnt/three
	check sealed-read grep -q contents /mnt/one/removed
	check sealed-load says 'sealed' load_next
	check sealed-unload says 'sealed' /vm/rebootless unload
	check sealed-twice exits 1 /vm/sealing seal
	check sealed-status test "$(status sealed)" = true
	check sealed-verify /vm/pramfs verify
}

# What is sealed, in a file for another machine.
saved_while_sealed()
{
	rm -f /tmp/saved
	check sealed-save /vm/pramfs save /tmp/saved
	check sealed-save-again says 'exists' /vm/pramfs save /tmp/saved
	check sealed-saved-verify /vm/pramfs verify /tmp/saved
	/vm/pramfs inspect --json --extents >/tmp/inspect-live
	check sealed-saved-inspect /vm/pramfs inspect --json --extents /tmp/saved
	/vm/pramfs inspect --json --extents /tmp/saved >/tmp/inspect-saved
	check sealed-saved-same cmp /tmp/inspect-live /tmp/inspect-saved
	check sealed-saved-names grep -q '"/removed"' /tmp/inspect-saved
	/vm/sealing image /tmp/image
	check sealed-saved-image cmp /tmp/image /tmp/saved
	rm -f /tmp/saved /tmp/image
}

# Everything that can be done with a seal, and then the jump is for the new contents.
seal_and_unseal()
{
	echo contents >/mnt/one/removed
	echo contents >/mnt/one/unsealed
	check seal-unclaimed exits 1 /vm/sealing seal
	check load-again load_next
	exec 7>>/mnt/one/unsealed
	check seal /vm/sealing seal
	readonly_while_sealed
	saved_while_sealed
	check unseal /vm/sealing unseal
	exec 7>&-
	check unsealed-status test "$(status sealed)" = false
	check unsealed-rm rm /mnt/one/removed
	echo "written after unseal" >/mnt/one/unsealed
	check mapped /vm/sealing mapped /mnt/one/mapped

	# What is unmounted while sealed is kept by the seal, and mounted again is there.
	echo pinned >/mnt/one/pinned
	check seal-2 /vm/sealing seal
	check sealed-umount umount /mnt/one
	check sealed-mount mount -t pramfs -o ro one /mnt/one
	check sealed-there grep -q pinned /mnt/one/pinned
	check unseal-2 /vm/sealing unseal
	check unsealed-there grep -q pinned /mnt/one/pinned
	check unsealed-remount mount -o remount,rw /mnt/one
	check unsealed-write touch /mnt/one/pinned

	check seal-3 /vm/sealing seal
	umount /mnt/one
	check unseal-3 /vm/sealing unseal
	# Nothing held it any more.
	check unsealed-gone new_instance
	check unload-again /vm/rebootless unload
	check unloaded idle
	umount /mnt/two
	fill
	echo "written after unseal" >/mnt/one/unsealed
	echo pinned >/mnt/one/pinned
}

damage()
{
	check "image-$now" /vm/sealing image /tmp/image
	check "good-$now" /vm/pramfs verify /tmp/image
	/vm/sealing damage /tmp/image "$now" >/tmp/patches || fail "damage-$now" "see the console"
	while read -r _patch; do
		# shellcheck disable=SC2086 # words
		check "damage-$now" says 'anceled' insmod /damage.ko $_patch
	done </tmp/patches
}

go()
{
	fill
	if [ "$now" = again ]; then seal_and_unseal; fi
	check "load-$now" load_next
	check "seal-$now" /vm/sealing seal
	case $now in
	again) umount /mnt/one ;;
	plain|half) ;;
	*) damage ;;
	esac
	dmesg_out
	/vm/sealing jump
	fail "jump-$now" "it came back"
}

mkdir -p /mnt/one /mnt/two
tar -xf $disk -C /tmp
check "insmod-$name" insmod /pramfs.ko
if grep -q rebooted /proc/cmdline; then
	name=$name-rebooted
	memory_is_whole
else
	case $before in
	start) ;;
	root-magic) memory_is_kept; plain_kexec ;;
	root-*) root_refused ;;
	plain|half|again) "$before" ;;
	*) refused ;;
	esac
fi
if [ -n "$now" ]; then go; fi
