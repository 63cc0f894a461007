// SPDX-License-Identifier: GPL-2.0
/*
 * dir.c - reading directories, with positions that last.
 *
 * The entries themselves are the dentry cache's. Beside it each directory has a
 * tree of them by position: an entry gets the next number when it is made and
 * keeps it (in d_fsdata) until it goes, so that telldir(3) and seekdir(3) work
 * whatever is added or deleted meanwhile. 0 and 1 are "." and "..".
 *
 * A reader is told the entries that were there when it opened or rewound, so
 * that one who renames what it reads comes to an end.
 *
 * All under the directory's rwsem: shared to read, exclusive to change.
 */
#include <linux/maple_tree.h>

#include "internal.h"

#define FIRST_POSITION	2

static unsigned long position(const struct dentry *dentry)
{
	return (unsigned long)dentry->d_fsdata;
}

int pramfs_dir_add(struct inode *dir, struct dentry *dentry)
{
	struct pramfs_inode *pi = PRAMFS_I(dir);
	unsigned long at;
	int err;

	err = mtree_alloc_cyclic(&pi->entries, &at, dentry, FIRST_POSITION, LONG_MAX,
				 &pi->next_position, GFP_KERNEL);
	if (err < 0)
		return err;
	dentry->d_fsdata = (void *)at;
	return 0;
}

void pramfs_dir_remove(struct inode *dir, struct dentry *dentry)
{
	mtree_erase(&PRAMFS_I(dir)->entries, position(dentry));
	dentry->d_fsdata = NULL;
}

int pramfs_dir_move_begin(struct inode *new_dir, struct dentry *dentry, unsigned long *old)
{
	*old = position(dentry);
	return pramfs_dir_add(new_dir, dentry);
}

void pramfs_dir_move_undo(struct inode *new_dir, struct dentry *dentry, unsigned long old)
{
	pramfs_dir_remove(new_dir, dentry);
	dentry->d_fsdata = (void *)old;
}

void pramfs_dir_move_end(struct inode *old_dir, unsigned long old)
{
	mtree_erase(&PRAMFS_I(old_dir)->entries, old);
}

int pramfs_dir_exchange(struct inode *a_dir, struct dentry *a, struct inode *b_dir,
			struct dentry *b)
{
	unsigned long a_at = position(a), b_at = position(b);
	int err;

	/* Both places are taken, so that nothing needs to be allocated but by chance. */
	err = mtree_store_range(&PRAMFS_I(a_dir)->entries, a_at, a_at, b, GFP_KERNEL);
	if (err)
		return err;
	err = mtree_store_range(&PRAMFS_I(b_dir)->entries, b_at, b_at, a, GFP_KERNEL);
	if (err) {
		mtree_store_range(&PRAMFS_I(a_dir)->entries, a_at, a_at, a,
				  GFP_KERNEL | __GFP_NOFAIL);
		return err;
	}
	a->d_fsdata = (void *)b_at;
	b->d_fsdata = (void *)a_at;
	return 0;
}

struct dentry *pramfs_dir_next(const struct inode *dir, unsigned long *at)
{
	return mt_find(&PRAMFS_I(dir)->entries, at, LONG_MAX);
}

static void remember_end(struct file *file)
{
	file->private_data = (void *)READ_ONCE(PRAMFS_I(file_inode(file))->next_position);
}

static int pramfs_dir_open(struct inode *inode, struct file *file)
{
	pramfs_opened(inode->i_sb);
	remember_end(file);
	return 0;
}

static loff_t pramfs_dir_llseek(struct file *file, loff_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += file->f_pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (!offset)
		remember_end(file);
	return vfs_setpos(file, offset, LONG_MAX);
}

static int pramfs_readdir(struct file *file, struct dir_context *ctx)
{
	unsigned long end = (unsigned long)file->private_data;
	struct dentry *dentry;
	unsigned long at;

	if (!dir_emit_dots(file, ctx))
		return 0;
	at = ctx->pos;
	while (at < end && (dentry = pramfs_dir_next(file_inode(file), &at))) {
		struct inode *inode = d_inode(dentry);

		ctx->pos = position(dentry);
		if (ctx->pos >= end ||
		    !dir_emit(ctx, dentry->d_name.name, dentry->d_name.len, inode->i_ino,
			      fs_umode_to_dtype(inode->i_mode)))
			break;
		ctx->pos++;
	}
	return 0;
}

const struct file_operations pramfs_dir_operations = {
	.open = pramfs_dir_open,
	.llseek = pramfs_dir_llseek,
	.read = generic_read_dir,
	.iterate_shared = pramfs_readdir,
	.fsync = noop_fsync,
};
