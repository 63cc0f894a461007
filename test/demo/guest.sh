#!/bin/sh
# The demo inside the guest: stage 1 under the old kernel, stage 2 under the new.
# test/demo/run prints what is reported here: `note STEP ...` as a headline.
# shellcheck disable=SC1091
. /lib/vm.sh

FILES=16 FILE_MIB=24
step() { note "STEP $*"; }
show() { note "SHOW $*"; }

mib()
{
	echo "$(($(kib "$1") / 1024)) MiB"
}

# json NAME: a number out of pramfs status
json()
{
	/vm/pramfs status --json | sed -n "s/^ *\"$1\": *\([0-9]*\),*$/\1/p"
}

ms()
{
	awk "BEGIN { printf \"%.1f ms\", $1 / 1e6 }"
}

# lines: standard input, each line as one of the demo
lines()
{
	while read -r line; do show "$line"; done
}

# letters: text that one recognises, a few pages each
letters()
{
	for n in 1 2 3 4; do
		awk -v n=$n -v kernel="$(uname -r)" 'BEGIN {
			for (i = 1; i <= 1000; i++)
				print "letter " n ", line " i ", written under Linux " kernel
		}' >"/mnt/p/letter-$n"
	done
}

before()
{
	step "Linux $(uname -r) is running; $(mib MemTotal) of memory, $(mib MemFree) free"
	load_pramfs
	check mount mount -t pramfs demo /mnt/p

	step "$((FILES * FILE_MIB)) MiB of files are written into PramFS (mount -t pramfs demo /mnt/p)"
	letters
	check write /vm/fill /mnt/p --files $FILES --bytes $((FILE_MIB << 20))
	show "free now: $(mib MemFree)"
	show "the last line of letter-1: $(tail -n 1 /mnt/p/letter-1)"
	(cd /mnt/p && find . -type f | sort | xargs md5sum) >/mnt/kit/sums
	head -n 4 /mnt/kit/sums | lines
	show "... checksums of $(wc -l </mnt/kit/sums) files noted, in PramFS"

	step "rebootless load: the next kernel is put beside the running one"
	if ! /vm/rebootless load -v --kernel /mnt/kit/next/vmlinuz-7.3 \
		--initrd /mnt/kit/next/initrd-7.3 --append "$(next_cmdline)" >/tmp/load 2>&1; then
		fail load "$(tail -n 1 /tmp/load)"
		return
	fi
	pass load
	lines </tmp/load
	# Claiming moves pages; where they are from here on is where they stay.
	/vm/tree frames /mnt/p >/mnt/kit/frames
	show "page frames of $(wc -l </mnt/kit/frames) pages noted, in PramFS"
	/vm/tree frames /mnt/p | awk '/letter-1\t/ && n++ < 3 { print $1, "page", $2 + 0, "is in frame", "0x" $3 }' | lines
	uname -r >/mnt/kit/kernel
	kib MemFree >/mnt/kit/free
	dmesg_out

	step "rebootless fire: seal, sync, jump"
	/vm/rebootless fire -v
	fail fire "it came back"
}

after()
{
	step "Linux $(uname -r) is running; $(mib MemTotal) of memory, $(mib MemFree) free: all it has is the boot arena"
	load_pramfs
	show "pramfs.ko loaded: $(mib MemTotal) of memory, $(mib MemFree) free"
	show "$(($(json came_bytes) >> 20)) MiB came in reserved ranges; the check took $(ms "$(json check_ns)")," \
		"giving $(($(json given_back_bytes) >> 20)) MiB back $(ms "$(json give_back_ns)")"
	check verify /vm/pramfs verify
	/vm/pramfs inspect >/tmp/inspect
	head -n 12 /tmp/inspect | lines

	step "The same files, mounted again"
	check mount-again mount -t pramfs demo /mnt/p
	check other-kernel test "$(uname -r)" != "$(cat /mnt/kit/kernel)"
	show "the last line of letter-1: $(tail -n 1 /mnt/p/letter-1)"
	(cd /mnt/p && find . -type f | sort | xargs md5sum) >/tmp/sums
	head -n 4 /tmp/sums | lines
	check "same-checksums ($(wc -l </tmp/sums) files)" cmp /tmp/sums /mnt/kit/sums
	check "same-contents (computed, not compared)" \
		/vm/fill /mnt/p --files $FILES --bytes $((FILE_MIB << 20)) --verify
	/vm/tree frames /mnt/p >/tmp/frames
	awk '/letter-1\t/ && n++ < 3 { print $1, "page", $2 + 0, "is in frame", "0x" $3 }' \
		/tmp/frames | lines
	check "same-page-frames ($(wc -l </tmp/frames) pages)" cmp /tmp/frames /mnt/kit/frames
	check "enough-pages" test "$(wc -l </tmp/frames)" -gt $((FILES * FILE_MIB * 256))

	step "The files are deleted; their memory is the system's"
	show "free before: $(mib MemFree)"
	rm -rf /mnt/p/* /mnt/kit/* /tmp/*
	umount /mnt/p /mnt/kit
	show "free after: $(mib MemFree) of $(mib MemTotal)"
	check rmmod rmmod pramfs
}

case $STAGE in
1) before ;;
*) after ;;
esac
