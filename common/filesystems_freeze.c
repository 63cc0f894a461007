// SPDX-License-Identifier: GPL-2.0
/*
 * Quiet disks before the jump.
 *
 * Whoever writes to a frozen filesystem sleeps until it is thawed, we as well:
 * between freeze and thaw nothing may be written but into PramFS, so nothing is
 * logged here while something is frozen. The module freezes, so that it thaws
 * when we are killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "fault.h"
#include "filesystems.h"
#include "log.h"
#include "mount_table.h"
#include "pramfs-module/pramfs_ioctl.h"

/* The first mount of a writable filesystem that is on a block device? */
static bool is_to_freeze(const struct mount_table *t, size_t at)
{
	const struct mount *m = &t->mount[at];
	size_t i;

	if (m->kind != MOUNT_DISK || mount_option_set(m->super, "ro"))
		return false;
	for (i = 0; i < at; i++)
		if (t->mount[i].dev == m->dev)
			return false;
	return true;
}

/* A descriptor on this filesystem, by whichever of its mounts is not hidden. */
static int open_filesystem(const struct mount_table *t, dev_t dev)
{
	size_t i;

	for (i = 0; i < t->nr; i++) {
		const struct mount *m = &t->mount[i];
		_cleanup_close_ int fd = -1;
		struct statx st;

		if (m->dev != dev)
			continue;
		fd = open(m->target, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 && !statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) &&
		    (int)st.stx_mnt_id == m->id)
			return steal_fd(&fd);
	}
	return -ENOENT;
}

/* 0 or -errno, not logged. */
static int freeze_one(int device, int fd)
{
	if (ioctl(device, PRAMFS_IOC_FREEZE, fd) == 0)
		return 0;
	/* Somebody else's freeze is as good, and his to undo. */
	if (errno == EBUSY)
		return 0;
	/*
	 * vfat, for one, cannot be frozen. Remounting it read-only would fail
	 * for every file that is open for writing: synced must do.
	 */
	if (errno == EOPNOTSUPP && syncfs(fd) == 0)
		return 0;
	return -errno;
}

int filesystems_freeze(int device)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };
	/* asked before the freeze, as it is logged */
	bool fault = fault_hit(FAULT_FREEZE_DISKS, NULL);
	const char *target = "";
	int err = mount_table_read(HOST_MOUNTINFO, &t);
	size_t i;

	if (err)
		return err;
	/* Most of it is written while nobody has to wait. */
	sync();
	/*
	 * The table is in the order of mounting, so the last is the deepest: on
	 * another's directory, or on a loop device in another's file.
	 */
	for (i = t.nr; !err && i > 0; i--) {
		_cleanup_close_ int fd = -1;

		if (!is_to_freeze(&t, i - 1))
			continue;
		target = t.mount[i - 1].target;
		fd = open_filesystem(&t, t.mount[i - 1].dev);
		/* Hidden below another mount: synced it is. */
		err = fd == -ENOENT ? 0 : freeze_one(device, fd);
	}
	if (!err && fault)
		err = -EIO;
	if (!err)
		return 0;
	filesystems_thaw(device);
	return log_syserr(-err, "cannot freeze the filesystem at %s", target);
}

void filesystems_thaw(int device)
{
	if (ioctl(device, PRAMFS_IOC_THAW) < 0)
		log_syserr(errno, "not all frozen filesystems could be thawed (fsfreeze -u)");
}
