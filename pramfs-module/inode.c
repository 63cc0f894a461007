// SPDX-License-Identifier: GPL-2.0
/*
 * inode.c - inodes and directories. A directory is the dentry cache itself, as
 * in ramfs: every entry is pinned until it is unlinked.
 */
#include <linux/iversion.h>
#include <linux/pagemap.h>
#include <linux/random.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "internal.h"

static const struct inode_operations pramfs_dir_inode_operations;
static const struct inode_operations pramfs_file_inode_operations;
static const struct inode_operations pramfs_symlink_inode_operations;
static const struct inode_operations pramfs_special_inode_operations;

/*
 * Every name of a file counts as an inode, and so does every KiB of extended
 * attributes, as on tmpfs: they need memory that size= does not count.
 */
int pramfs_count_inodes(struct super_block *sb, u64 n)
{
	struct pramfs_sb *sbi = PRAMFS_SB(sb);

	if (atomic64_add_return(n, &sbi->inodes) > sbi->max_inodes && sbi->max_inodes) {
		atomic64_sub(n, &sbi->inodes);
		return -ENOSPC;
	}
	return 0;
}

void pramfs_uncount_inodes(struct super_block *sb, u64 n)
{
	atomic64_sub(n, &PRAMFS_SB(sb)->inodes);
}

void pramfs_inode_ops(struct inode *inode, dev_t dev)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &pramfs_file_inode_operations;
		inode->i_fop = &pramfs_file_operations;
		inode->i_mapping->a_ops = &pramfs_aops;
		mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER_MOVABLE);
		mapping_set_unevictable(inode->i_mapping);
		mapping_set_release_always(inode->i_mapping);
		mapping_set_large_folios(inode->i_mapping);
		break;
	case S_IFDIR:
		inode->i_op = &pramfs_dir_inode_operations;
		inode->i_fop = &pramfs_dir_operations;
		break;
	case S_IFLNK:
		inode->i_op = &pramfs_symlink_inode_operations;
		break;
	default:
		inode->i_op = &pramfs_special_inode_operations;
		init_special_inode(inode, inode->i_mode, dev);
		break;
	}
}

struct inode *pramfs_new_inode(struct mnt_idmap *idmap, struct super_block *sb,
			       const struct inode *dir, umode_t mode, dev_t dev)
{
	struct pramfs_sb *sbi = PRAMFS_SB(sb);
	struct inode *inode;
	int err;

	err = pramfs_count_inodes(sb, 1);
	if (err)
		return ERR_PTR(err);
	inode = new_inode(sb);
	if (!inode) {
		pramfs_uncount_inodes(sb, 1);
		return ERR_PTR(-ENOSPC);
	}
	inode->i_ino = atomic64_inc_return(&sbi->next_ino) - 1;
	inode->i_generation = get_random_u32();
	insert_inode_hash(inode);	/* for file handles */
	inode_init_owner(idmap, inode, dir, mode);
	PRAMFS_I(inode)->btime = simple_inode_init_ts(inode);
	pramfs_inode_ops(inode, dev);
	if (S_ISDIR(mode)) {
		inc_nlink(inode);	/* its own "." */
		i_size_write(inode, 2 * PRAMFS_DIRENT_SIZE);
	}
	return inode;
}

/* ---- attributes --------------------------------------------------------- */

static int pramfs_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat,
			  u32 request_mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);

	generic_fillattr(idmap, request_mask, inode, stat);
	if (request_mask & STATX_BTIME) {
		stat->result_mask |= STATX_BTIME;
		stat->btime = PRAMFS_I(inode)->btime;
	}
	return 0;
}

static int pramfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	err = pramfs_change_begin();
	if (err)
		return err;
	if ((attr->ia_valid & ATTR_SIZE) && S_ISREG(inode->i_mode)) {
		err = pramfs_set_size(inode, attr->ia_size);
		if (err)
			goto out;
	}
	setattr_copy(idmap, inode, attr);
	if (attr->ia_valid & (ATTR_CTIME | ATTR_MTIME | ATTR_SIZE))
		inode_inc_iversion(inode);
out:
	pramfs_change_end();
	return err;
}

/* A name goes and leaves others; the last one is counted by the inode itself. */
static void uncount_name(const struct inode *inode, unsigned int others)
{
	if (!S_ISDIR(inode->i_mode) && others)
		pramfs_uncount_inodes(inode->i_sb, 1);
}

/* ---- directories -------------------------------------------------------- */

static void dir_changed(struct inode *dir, int entries)
{
	i_size_write(dir, i_size_read(dir) + entries * PRAMFS_DIRENT_SIZE);
	inode_inc_iversion(dir);
}

static int init_xattrs(struct inode *inode, const struct xattr *array, void *unused)
{
	const struct xattr *x;
	int err = 0;

	for (x = array; x->name && !err; x++) {
		char *name = kasprintf(GFP_KERNEL, XATTR_SECURITY_PREFIX "%s", x->name);

		err = name ? pramfs_xattr_add(inode, name, x->value, x->value_len) : -ENOMEM;
		kfree(name);
	}
	return err;
}

static struct inode *new_labelled_inode(struct mnt_idmap *idmap, struct inode *dir,
					const struct qstr *name, umode_t mode, dev_t dev)
{
	struct inode *inode = pramfs_new_inode(idmap, dir->i_sb, dir, mode, dev);
	int err;

	if (IS_ERR(inode))
		return inode;
	err = security_inode_init_security(inode, dir, name, init_xattrs, NULL);
	if (err && err != -EOPNOTSUPP) {
		iput(inode);
		return ERR_PTR(err);
	}
	return inode;
}

static int pramfs_make(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		       umode_t mode, dev_t dev, const char *target)
{
	struct inode *inode;
	char *link = NULL;
	int err;

	if (target) {
		link = kstrdup(target, GFP_KERNEL_ACCOUNT);
		if (!link)
			return -ENOMEM;
	}
	err = pramfs_change_begin();
	if (err)
		goto out_link;
	inode = new_labelled_inode(idmap, dir, &dentry->d_name, mode, dev);
	if (IS_ERR(inode)) {
		err = PTR_ERR(inode);
		goto out_change;
	}
	if (link) {
		inode->i_link = link;
		i_size_write(inode, strlen(link));
		link = NULL;
		if (inode->i_size >= PRAMFS_LONG_TARGET)
			err = pramfs_charge(inode, 1);
		if (err) {
			iput(inode);
			goto out_change;
		}
	}
	err = pramfs_dir_add(dir, dentry);
	if (err) {
		iput(inode);
		goto out_change;
	}
	if (S_ISDIR(mode))
		inc_nlink(dir);
	pramfs_make_persistent(dentry, inode);
	inode_set_mtime_to_ts(dir, inode_set_ctime_current(dir));
	dir_changed(dir, 1);
out_change:
	pramfs_change_end();
out_link:
	kfree(link);
	return err;
}

static int pramfs_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			umode_t mode, dev_t dev)
{
	return pramfs_make(idmap, dir, dentry, mode, dev, NULL);
}

static int pramfs_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			 umode_t mode PRAMFS_CREATE_EXCL)
{
	return pramfs_make(idmap, dir, dentry, mode | S_IFREG, 0, NULL);
}

static pramfs_mkdir_ret pramfs_mkdir(struct mnt_idmap *idmap, struct inode *dir,
				     struct dentry *dentry, umode_t mode)
{
	return PRAMFS_MKDIR_RET(pramfs_make(idmap, dir, dentry, mode | S_IFDIR, 0, NULL));
}

static int pramfs_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			  const char *target)
{
	return pramfs_make(idmap, dir, dentry, S_IFLNK | 0777, 0, target);
}

static int pramfs_tmpfile(struct mnt_idmap *idmap, struct inode *dir, struct file *file,
			  umode_t mode)
{
	struct inode *inode;
	int err;

	err = pramfs_change_begin();
	if (err)
		return finish_open_simple(file, err);
	inode = new_labelled_inode(idmap, dir, NULL, mode, 0);
	if (IS_ERR(inode))
		err = PTR_ERR(inode);
	else
		d_tmpfile(file, inode);
	pramfs_change_end();
	return finish_open_simple(file, err);
}

static int pramfs_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	int err;

	err = pramfs_change_begin();
	if (err)
		return err;
	if (d_inode(old)->i_nlink) {	/* not the first name of an O_TMPFILE */
		err = pramfs_count_inodes(dir->i_sb, 1);
		if (err)
			goto out;
	}
	err = pramfs_dir_add(dir, dentry);
	if (err) {
		uncount_name(d_inode(old), d_inode(old)->i_nlink);
		goto out;
	}
	err = simple_link(old, dir, dentry);
	dir_changed(dir, 1);
out:
	pramfs_change_end();
	return err;
}

static int pramfs_unlink(struct inode *dir, struct dentry *dentry)
{
	int err;

	err = pramfs_change_begin();
	if (err)
		return err;
	uncount_name(d_inode(dentry), d_inode(dentry)->i_nlink - 1);
	pramfs_dir_remove(dir, dentry);
	err = simple_unlink(dir, dentry);
	dir_changed(dir, -1);
	pramfs_change_end();
	return err;
}

static int pramfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	int err;

	err = pramfs_change_begin();
	if (err)
		return err;
	if (simple_empty(dentry)) {
		pramfs_dir_remove(dir, dentry);
		err = simple_rmdir(dir, dentry);
		dir_changed(dir, -1);
	} else {
		err = -ENOTEMPTY;
	}
	pramfs_change_end();
	return err;
}

/* The entry that overlayfs leaves behind: a 0:0 character device of the old name. */
static int leave_whiteout(struct mnt_idmap *idmap, struct inode *dir, const struct dentry *old)
{
	struct dentry *whiteout = d_alloc(old->d_parent, &old->d_name);
	struct inode *inode;
	int err;

	if (!whiteout)
		return -ENOMEM;
	inode = new_labelled_inode(idmap, dir, &old->d_name, S_IFCHR | WHITEOUT_MODE, WHITEOUT_DEV);
	if (IS_ERR(inode)) {
		dput(whiteout);
		return PTR_ERR(inode);
	}
	err = pramfs_dir_add(dir, whiteout);
	if (err) {
		iput(inode);
		dput(whiteout);
		return err;
	}
	pramfs_make_persistent(whiteout, inode);
	dput(whiteout);
	dir_changed(dir, 1);
	return 0;
}

/* All that can fail; the VFS moves the entry itself afterwards. */
static int move_entry(struct mnt_idmap *idmap, struct inode *old_dir, struct dentry *old,
		      struct inode *new_dir, bool whiteout)
{
	unsigned long position;
	int err;

	err = pramfs_dir_move_begin(new_dir, old, &position);
	if (err)
		return err;
	if (whiteout)
		err = leave_whiteout(idmap, old_dir, old);
	if (err)
		pramfs_dir_move_undo(new_dir, old, position);
	else
		pramfs_dir_move_end(old_dir, position);
	return err;
}

static int pramfs_rename(struct mnt_idmap *idmap, struct inode *old_dir, struct dentry *old,
			 struct inode *new_dir, struct dentry *new, unsigned int flags)
{
	bool replaces = d_really_is_positive(new) && !(flags & RENAME_EXCHANGE);
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	err = pramfs_change_begin();
	if (err)
		return err;
	if (replaces && !simple_empty(new)) {
		err = -ENOTEMPTY;
		goto out;
	}
	if (flags & RENAME_EXCHANGE)
		err = pramfs_dir_exchange(old_dir, old, new_dir, new);
	else
		err = move_entry(idmap, old_dir, old, new_dir, flags & RENAME_WHITEOUT);
	if (err)
		goto out;
	if (replaces) {
		uncount_name(d_inode(new), d_inode(new)->i_nlink - 1);
		pramfs_dir_remove(new_dir, new);
	}
	simple_rename(idmap, old_dir, old, new_dir, new, flags & ~RENAME_WHITEOUT);
	if (flags & RENAME_EXCHANGE)
		goto out;
	dir_changed(old_dir, -1);
	dir_changed(new_dir, replaces ? 0 : 1);
out:
	pramfs_change_end();
	return err;
}

static const struct inode_operations pramfs_dir_inode_operations = {
	.create = pramfs_create,
	.lookup = simple_lookup,
	.link = pramfs_link,
	.unlink = pramfs_unlink,
	.symlink = pramfs_symlink,
	.mkdir = pramfs_mkdir,
	.rmdir = pramfs_rmdir,
	.mknod = pramfs_mknod,
	.rename = pramfs_rename,
	.tmpfile = pramfs_tmpfile,
	.getattr = pramfs_getattr,
	.setattr = pramfs_setattr,
	.listxattr = pramfs_listxattr,
};

static const struct inode_operations pramfs_file_inode_operations = {
	.getattr = pramfs_getattr,
	.setattr = pramfs_setattr,
	.listxattr = pramfs_listxattr,
};

static const struct inode_operations pramfs_symlink_inode_operations = {
	.get_link = simple_get_link,
	.getattr = pramfs_getattr,
	.setattr = pramfs_setattr,
	.listxattr = pramfs_listxattr,
};

static const struct inode_operations pramfs_special_inode_operations = {
	.getattr = pramfs_getattr,
	.setattr = pramfs_setattr,
	.listxattr = pramfs_listxattr,
};
