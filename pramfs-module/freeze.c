// SPDX-License-Identifier: GPL-2.0
/*
 * freeze.c - disks are frozen before the jump for as long as the process lives
 * that asked for it.
 *
 * FIFREEZE would leave them frozen when that process is killed, and nobody could
 * log in to thaw them. A second process that watches over the first can be
 * killed with it (a session, a cgroup); a descriptor that is closed by exit cannot.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "compat.h"
#include "internal.h"

struct frozen {
	struct list_head link;
	struct file *holder;	/* of /dev/pramfs */
	fl_owner_t owner;	/* the process, as a child may have the holder as well */
	struct file *file;	/* keeps the filesystem mounted: it would stay frozen */
};

/* Newest first. */
static LIST_HEAD(all_frozen);
static DEFINE_MUTEX(frozen_lock);

static int freeze_one(struct super_block *sb)
{
	if (!sb->s_op->freeze_fs && !sb->s_op->freeze_super)
		return -EOPNOTSUPP;
	if (sb->s_op->freeze_super)
		return pramfs_by_user(sb->s_op->freeze_super, sb);
	return pramfs_by_user(freeze_super, sb);
}

static int thaw_one(struct super_block *sb)
{
	if (sb->s_op->thaw_super)
		return pramfs_by_user(sb->s_op->thaw_super, sb);
	return pramfs_by_user(thaw_super, sb);
}

int pramfs_freeze(struct file *holder, int fd)
{
	struct frozen *f = kzalloc(sizeof(*f), GFP_KERNEL);
	int err = -EBADF;

	if (!f)
		return -ENOMEM;
	f->holder = holder;
	f->owner = current->files;
	f->file = fget(fd);
	if (f->file)
		err = freeze_one(file_inode(f->file)->i_sb);
	if (err) {
		if (f->file)
			fput(f->file);
		kfree(f);
		return err;
	}
	mutex_lock(&frozen_lock);
	list_add(&f->link, &all_frozen);
	mutex_unlock(&frozen_lock);
	return 0;
}

int pramfs_thaw(struct file *holder, fl_owner_t owner)
{
	struct frozen *f, *next;
	int err, ret = 0;

	mutex_lock(&frozen_lock);
	list_for_each_entry_safe(f, next, &all_frozen, link) {
		if (f->holder != holder || f->owner != owner)
			continue;
		err = thaw_one(file_inode(f->file)->i_sb);
		/* Somebody has thawed it in our stead. */
		if (err && err != -EINVAL) {
			pr_err("cannot thaw the filesystem of %pD: %d\n", f->file, err);
			ret = err;
		}
		list_del(&f->link);
		fput(f->file);
		kfree(f);
	}
	mutex_unlock(&frozen_lock);
	return ret;
}
