#!/bin/sh
# In the full guest: an initramfs that dracut makes here, for this host alone. What it
# lacks is found by `rebootless check`, whose advice is followed. Argument: the kernel
# to go to.
# shellcheck disable=SC1091 # is there in the guest
. /usr/lib/update-lib.sh
kver=$(basename /usr/lib/modules/"$1".*)

# initramfs [ARG-OF-dracut...]
initramfs()
{
	check "dracut${*:+.$2}" dracut --force --kver "$kver" "$@"
	metric "dracut.size${*:+.$2}" "$(($(stat -c %s "/boot/initrd.img-$kver") >> 20))" MiB
}

# refused NAME TEXT: check says so
refused()
{
	if rebootless check --kernel "$kver" >/run/check.out 2>&1; then
		fail "$1" "check finds nothing wrong"
	else
		check "$1" grep -qF "$2" /run/check.out
		say_failure /run/check.out 12
	fi
}

start_all()
{
	cp /usr/lib/dracut/dracut.conf.d/hostonly/50-hostonly.conf /etc/dracut.conf.d
	printf 'dump-timeout = 120\nrestore-timeout = 120\n' >/etc/rebootless.conf
	initramfs
	mkdir -p /srv/xfs /srv/volume
	mount /dev/vdb /srv/xfs
	SURVIVORS_DIR=/srv/xfs start_survivors crun crun-xfs files deleted_files mapped_files
	refused xfs "/srv/xfs needs the driver xfs, which /boot/initrd.img-$kver does not have"
	initramfs --add-drivers xfs
	check xfs.check rebootless check --kernel "$kver"

	check lvm.group vgcreate -q data /dev/vdc
	check lvm.volume lvcreate -q --yes --size 200M --name containers data
	mkfs.ext4 -q /dev/data/containers
	mount /dev/data/containers /srv/volume
	SURVIVORS_DIR=/srv/volume start_survivors runc runc-volume files deleted_files mapped_files
	refused lvm "add rd.lvm.lv=data/containers to append"
	check lvm.program grep -qF "dracut --force --add lvm --kver $kver" /run/check.out
	echo 'append = rd.lvm.lv=data/containers' >>/etc/rebootless.conf
	# xfs is mounted by now, and needs no word more
	initramfs --add lvm
	check lvm.check rebootless check --kernel "$kver"
}

if [ "$STAGE" = 1 ]; then
	start_all
	update "$kver" || fail update "exit status $?"
	say_failure /run/update.out 12
	exit 0
fi
sleep 2
systemctl is-system-running --wait >/dev/null
rebootless status
check kernel test "$(uname -r)" = "$kver"
SURVIVORS_DIR=/srv/xfs verdict hop1 crun-xfs
SURVIVORS_DIR=/srv/volume verdict hop1 runc-volume
check xfs.mounted grep -q ' /srv/xfs xfs ' /proc/mounts
check lvm.mounted grep -q '^/dev/mapper/data-containers /srv/volume ' /proc/mounts
