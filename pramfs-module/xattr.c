// SPDX-License-Identifier: GPL-2.0
/*
 * xattr.c - extended attributes: user., trusted. and security.
 *
 * The kernel's own simple_xattr code is not exported to modules. A file has
 * few attributes, so a list it is.
 */
#include <linux/capability.h>
#include <linux/iversion.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "internal.h"

static struct pramfs_xattr *xattr_find(struct pramfs_inode *pi, const char *name)
{
	struct pramfs_xattr *x;

	list_for_each_entry(x, &pi->xattrs, list)
		if (!strcmp(x->name, name))
			return x;
	return NULL;
}

static struct pramfs_xattr *xattr_alloc(const char *name, const void *value, size_t len)
{
	struct pramfs_xattr *x = kvmalloc(struct_size(x, value, len), GFP_KERNEL_ACCOUNT);

	if (!x)
		return NULL;
	x->name = kstrdup(name, GFP_KERNEL_ACCOUNT);
	if (!x->name) {
		kvfree(x);
		return NULL;
	}
	x->len = len;
	memcpy(x->value, value, len);
	return x;
}

static void xattr_free(struct pramfs_xattr *x)
{
	if (!x)
		return;
	kfree(x->name);
	kvfree(x);
}

/* What an attribute counts as, in inodes. */
static u64 xattr_weight(const struct pramfs_xattr *x)
{
	return x ? DIV_ROUND_UP(sizeof(*x) + strlen(x->name) + x->len, 1024) : 0;
}

int pramfs_xattr_add(struct inode *inode, const char *name, const void *value, size_t len)
{
	struct pramfs_xattr *x = xattr_alloc(name, value, len);
	int err;

	if (!x)
		return -ENOMEM;
	err = pramfs_count_inodes(inode->i_sb, xattr_weight(x));
	if (err) {
		xattr_free(x);
		return err;
	}
	list_add_tail(&x->list, &PRAMFS_I(inode)->xattrs);
	return 0;
}

void pramfs_xattrs_free(struct inode *inode)
{
	struct pramfs_xattr *x, *next;

	list_for_each_entry_safe(x, next, &PRAMFS_I(inode)->xattrs, list) {
		pramfs_uncount_inodes(inode->i_sb, xattr_weight(x));
		xattr_free(x);
	}
	INIT_LIST_HEAD(&PRAMFS_I(inode)->xattrs);
}

static int xattr_get(const struct xattr_handler *handler, struct dentry *unused,
		     struct inode *inode, const char *suffix, void *buffer, size_t size)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	struct pramfs_xattr *x;
	int ret = -ENODATA;

	down_read(&pi->xattr_lock);
	x = xattr_find(pi, xattr_full_name(handler, suffix));
	if (x) {
		ret = x->len;
		if (buffer && size < x->len)
			ret = -ERANGE;
		else if (buffer)
			memcpy(buffer, x->value, x->len);
	}
	up_read(&pi->xattr_lock);
	return ret;
}

/* new: counted already, ours from here on; NULL: remove */
static int xattr_replace(struct inode *inode, const char *name, struct pramfs_xattr *new, int flags)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	struct pramfs_xattr *old;
	int err = 0;

	down_write(&pi->xattr_lock);
	old = xattr_find(pi, name);
	if (old && (flags & XATTR_CREATE)) {
		err = -EEXIST;
		old = NULL;
	} else if (!old && ((flags & XATTR_REPLACE) || !new)) {
		err = -ENODATA;
	} else {
		if (old)
			list_del(&old->list);
		if (new)
			list_add_tail(&new->list, &pi->xattrs);
	}
	up_write(&pi->xattr_lock);
	if (err)
		old = new;
	pramfs_uncount_inodes(inode->i_sb, xattr_weight(old));
	xattr_free(old);
	return err;
}

static int xattr_set(const struct xattr_handler *handler, struct mnt_idmap *idmap,
		     struct dentry *unused, struct inode *inode, const char *suffix,
		     const void *value, size_t size, int flags)
{
	const char *name = xattr_full_name(handler, suffix);
	struct pramfs_xattr *new = NULL;
	int err;

	if (value) {
		new = xattr_alloc(name, value, size);
		if (!new)
			return -ENOMEM;
	}
	err = pramfs_change_begin();
	if (err) {
		xattr_free(new);
		return err;
	}
	err = pramfs_count_inodes(inode->i_sb, xattr_weight(new));
	if (err)
		xattr_free(new);
	else
		err = xattr_replace(inode, name, new, flags);
	if (!err) {
		inode_set_ctime_current(inode);
		inode_inc_iversion(inode);
	}
	pramfs_change_end();
	return err;
}

ssize_t pramfs_listxattr(struct dentry *dentry, char *buffer, size_t size)
{
	struct pramfs_inode *pi = PRAMFS_I(d_inode(dentry));
	bool trusted = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
	struct pramfs_xattr *x;
	ssize_t used = 0;

	down_read(&pi->xattr_lock);
	list_for_each_entry(x, &pi->xattrs, list) {
		size_t len = strlen(x->name) + 1;

		if (!trusted && !strncmp(x->name, XATTR_TRUSTED_PREFIX, XATTR_TRUSTED_PREFIX_LEN))
			continue;
		if (buffer && used + len > size) {
			used = -ERANGE;
			break;
		}
		if (buffer)
			memcpy(buffer + used, x->name, len);
		used += len;
	}
	up_read(&pi->xattr_lock);
	return used;
}

static const struct xattr_handler user_handler = {
	.prefix = XATTR_USER_PREFIX,
	.get = xattr_get,
	.set = xattr_set,
};

static const struct xattr_handler trusted_handler = {
	.prefix = XATTR_TRUSTED_PREFIX,
	.get = xattr_get,
	.set = xattr_set,
};

static const struct xattr_handler security_handler = {
	.prefix = XATTR_SECURITY_PREFIX,
	.get = xattr_get,
	.set = xattr_set,
};

const struct xattr_handler *const pramfs_xattr_handlers[] = {
	&user_handler,
	&trusted_handler,
	&security_handler,
	NULL
};
