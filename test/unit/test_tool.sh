#!/bin/bash
# test_tool.sh - the program pramfs on image files.
#
# usage: test_tool.sh PRAMFS SEED
# PRAMFS is the program, SEED the generator of images (test/fuzz/seed.c).
# Prints "pass NAME" or "fail NAME: why"; exit code 1 if one failed.
set -uo pipefail

[ $# -eq 2 ] || { echo "usage: $0 PRAMFS SEED" >&2; exit 2; }
pramfs=$1 seed=$2 failures=0
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/img"
"$seed" images "$dir/img" || exit 2
img=$dir/img

result() { # NAME STATUS WHY
	if [ "$2" -eq 0 ]; then
		echo "pass tool.$1"
	else
		echo "fail tool.$1: $3"
		failures=$((failures + 1))
	fi
}

# run NAME CODE ARG...: exit code as expected; output in $dir/out and $dir/err
run() {
	local name=$1 expected=$2 code
	shift 2
	"$pramfs" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	code=$?
	result "$name" $((code != expected)) "exit code $code, expected $expected: $(head -c 300 "$dir/err")"
}

# has NAME TEXT FILE: the text stands in what the last run wrote
has() {
	grep -qF -- "$2" "$dir/$3"
	result "$1" $? "no \"$2\" in: $(head -c 300 "$dir/$3")"
}

plain() { # NAME FILE: nothing in it that a terminal would obey
	! LC_ALL=C grep -q "[^ -~]" "$dir/$2"
	result "$1" $? "control characters in the output"
}

run usage.none 2
run usage.unknown 2 frobnicate
run usage.help 0 --help
has usage.help.text "inspect" out
run usage.version 0 --version
has usage.version.text "format 1.1" out
for command in inspect verify save discard status; do
	run "usage.$command.help" 0 $command --help
	run "usage.$command.option" 2 $command --frobnicate
	has "usage.$command.text" "usage: pramfs $command" err
done
run usage.inspect.two 2 inspect a b
run usage.save.none 2 save
run usage.discard.no_terminal 2 discard
has usage.discard.text "--yes" err

for image in "$img"/good-*.img; do
	name=$(basename "$image" .img)
	run "verify.$name" 0 verify "$image"
	has "verify.$name.text" "good:" out
	run "inspect.$name" 0 inspect --extents "$image"
	plain "inspect.$name.plain" out
	run "json.$name" 0 inspect --json --extents "$image"
	python3 -m json.tool "$dir/out" >"$dir/tool" 2>&1
	result "json.$name.valid" $? "$(head -c 300 "$dir/tool")"
	plain "json.$name.plain" out
done
for image in "$img"/bad-*.img; do
	name=$(basename "$image" .img)
	code=1
	[ "$name" = bad-root_state_claimed ] && code=3
	# In a file a page is found by the frame number that it says itself.
	[ "$name" = bad-page_swapped ] && code=0
	run "verify.$name" "$code" verify "$image"
	run "inspect.$name" "$code" inspect "$image"
	plain "inspect.$name.plain" err
	run "json.$name" "$code" inspect --json "$image"
	[ "$code" -eq 3 ] || python3 -m json.tool "$dir/out" >/dev/null 2>&1
	result "json.$name.valid" $? "not JSON"
done

run inspect.tree 0 inspect --extents "$img/good-tree.img"
has inspect.tree.mount "mount images: 7 inodes, 7 entries" out
has inspect.tree.link "/dir/symlink -> some/file" out
has inspect.tree.second_link "/dir/link  (2 extents, 8 pages)" out
has inspect.tree.extent "page 6 -> frame 0x6064, 4 pages" out
run verify.words 1 verify "$img/bad-page_crc.img"
has verify.words.check 'check "page crc" failed at offset 4 of the page in frame 0x2002' err
run verify.version 1 verify "$img/bad-root_major_newer.img"
has verify.version.words "not known to this version" err

: >"$dir/empty"
head -c 100 "$img/good-tree.img" >"$dir/short"
head -c 8000 "$img/good-tree.img" >"$dir/odd"
head -c 4096 "$img/good-tree.img" >"$dir/root_only"
head -c 12288 /dev/urandom >"$dir/noise"
for command in verify inspect; do
	run "$command.empty" 3 "$command" "$dir/empty"
	run "$command.short" 1 "$command" "$dir/short"
	run "$command.odd" 1 "$command" "$dir/odd"
	run "$command.root_only" 1 "$command" "$dir/root_only"
	has "$command.root_only.words" 'check "page missing"' err
	run "$command.noise" 1 "$command" "$dir/noise"
	run "$command.directory" 2 "$command" "$dir"
	run "$command.absent" 2 "$command" "$dir/absent"
done

if [ ! -e /dev/pramfs ]; then
	for command in status verify inspect "save $dir/saved" "discard --yes"; do
		# shellcheck disable=SC2086 # a command with its arguments
		run "no_device.${command%% *}" 2 $command
		has "no_device.${command%% *}.words" "not loaded" err
	done
	[ ! -e "$dir/saved" ]
	result no_device.save.no_file $? "a file was left behind"
fi

"$pramfs" inspect "$img/good-tree.img" >/dev/full 2>"$dir/err"
[ $? -eq 2 ]
result output.full $? "a full disk was not noticed"

[ "$failures" -eq 0 ]
