/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - all that PramFS knows of the differences between kernel versions.
 * No other file may name a version. Written against 6.12, 7.2 and 7.3.
 */
#ifndef PRAMFS_COMPAT_H
#define PRAMFS_COMPAT_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "PramFS needs Linux 6.12 or newer"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 4, 0)
#error "PramFS has not been tried on this kernel yet: see pramfs-module/compat.h"
#endif

/*
 * Where giving pages (give.c) has been proven, and the kernel has what it needs.
 * On others pages are copied.
 */
#if defined(CONFIG_DEVICE_MIGRATION) && \
	((LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && \
	  LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)) || \
	 (LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0) && \
	  LINUX_VERSION_CODE < KERNEL_VERSION(7, 4, 0)))
#define PRAMFS_CAN_GIVE	1
#endif

/* Huge pages as such, where what give_huge.c mirrors has been read. */
#if defined(PRAMFS_CAN_GIVE) && defined(CONFIG_TRANSPARENT_HUGEPAGE) && defined(CONFIG_MEMCG) && \
	defined(CONFIG_ARCH_HAS_PMD_SOFTLEAVES) && LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define PRAMFS_CAN_GIVE_HUGE	1
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define pramfs_mkdir_ret	struct dentry *
#define PRAMFS_MKDIR_RET(err)	ERR_PTR(err)
#else
#define pramfs_mkdir_ret	int
#define PRAMFS_MKDIR_RET(err)	(err)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define pramfs_by_user(fn, sb)	fn(sb, FREEZE_HOLDER_USERSPACE, NULL)
#else
#define pramfs_by_user(fn, sb)	fn(sb, FREEZE_HOLDER_USERSPACE)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
typedef const struct kiocb *pramfs_write_ctx;
#else
typedef struct file *pramfs_write_ctx;
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define PRAMFS_CREATE_EXCL
#else
#define PRAMFS_CREATE_EXCL	, bool excl
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define pramfs_drop_inode	inode_just_drop
#define pramfs_kill_anon_super	kill_anon_super

static inline void pramfs_make_persistent(struct dentry *dentry, struct inode *inode)
{
	d_make_persistent(dentry, inode);
}

static inline void pramfs_no_dcache(struct super_block *sb)
{
	sb->s_d_flags |= DCACHE_DONTCACHE;
}
#else
#define pramfs_drop_inode	generic_delete_inode
#define pramfs_kill_anon_super	kill_litter_super

static inline void pramfs_make_persistent(struct dentry *dentry, struct inode *inode)
{
	d_instantiate(dentry, inode);
	if (d_unhashed(dentry))
		d_rehash(dentry);
	dget(dentry);
}

static inline void pramfs_no_dcache(struct super_block *sb)
{
}
#endif

/* It came between two versions that are tested, and the old value means something else to it. */
static inline int pramfs_contig(unsigned long pfn, unsigned long n)
{
#ifdef ACR_FLAGS_NONE
	return alloc_contig_range(pfn, pfn + n, ACR_FLAGS_NONE, GFP_KERNEL | __GFP_NOWARN);
#else
	return alloc_contig_range(pfn, pfn + n, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN);
#endif
}

#endif
