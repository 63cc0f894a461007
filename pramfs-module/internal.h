/* SPDX-License-Identifier: GPL-2.0 */
/*
 * internal.h - what the files of PramFS share, grouped by the file it is in.
 *
 * Lock order, outermost first:
 *   pramfs_op_lock (device.c)	one operation of /dev/pramfs at a time
 *   s_umount
 *   pramfs_mounts_lock (super.c)	list of instances
 *   came_lock (open.c)		the handover that came
 *   inode rwsem, mmap_lock, invalidate_lock: as the VFS orders them
 *   seal_lock (change.c)	read: any change of a tree; write: seal and unseal
 *   folio lock
 *   pramfs_inode.held_lock
 *   pramfs_inode.lock
 *
 * Changes never hold seal_lock while they touch user memory.
 */
#ifndef PRAMFS_INTERNAL_H
#define PRAMFS_INTERNAL_H

#undef pr_fmt
#define pr_fmt(fmt) "pramfs: " fmt

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/percpu_counter.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "compat.h"
#include "format.h"
#include "pramfs_ioctl.h"

#define PRAMFS_SUPER_MAGIC	0x50524d46	/* "PRMF", f_type of statfs(2) */
#define PRAMFS_BLOCKS_PER_PAGE	(PAGE_SIZE / 512)
/* What a directory entry adds to its directory's st_size; tmpfs says the same. */
#define PRAMFS_DIRENT_SIZE	20
/* From this length on a symlink's target counts as a page, as on tmpfs. */
#define PRAMFS_LONG_TARGET	128

/* Pages that adopt= and give= were asked for, since the instance was first mounted. */
struct pramfs_counters {
	atomic64_t adopted, adopt_copied;
	atomic64_t given, give_copied;
};

struct pramfs_sb {
	char name[PRAMFS_MAX_NAME + 1];
	struct list_head list;		/* on pramfs_mounts */
	struct super_block *sb;
	u64 max_pages;			/* 0 = no limit */
	u64 max_inodes;			/* 0 = no limit */
	struct percpu_counter pages;	/* in files: page cache, held and adopted */
	atomic64_t inodes;
	atomic64_t next_ino;
	umode_t mode;			/* of the root directory, at the first mount */
	kuid_t uid;
	kgid_t gid;
	bool opening;			/* held frames still belong to the handover */
	bool unopened;			/* came, and nothing in it has been opened yet */
	bool made_readonly;		/* by the seal */
	bool adopt, give, verify;	/* options of the same name */
	struct pramfs_counters counters;
	struct xarray huge_cgroups;	/* give_huge.c */
};

/* Frames that came from the old kernel and are not page cache yet: see held.c. */
struct pramfs_held {
	struct pramfs_held_extent *extent;	/* sorted by index */
	unsigned long *taken;			/* NULL: none has been taken */
	u32 *checksum;				/* of each page, by ordinal; see checksum.c */
	unsigned long checksums, max_checksums;	/* how many there are, and room for */
	unsigned long pages;			/* in all extents */
	unsigned long left;			/* of them, not taken */
	u32 nr, max;
};

struct pramfs_inode {
	struct inode vfs_inode;
	struct list_head xattrs;	/* struct pramfs_xattr; changed under inode rwsem */
	struct rw_semaphore xattr_lock;
	struct timespec64 btime;

	struct mutex held_lock;
	struct pramfs_held held;
	struct xarray adopted;		/* struct page, by index; see adopt.c */
	unsigned long nr_adopted;
	struct xarray checksums;	/* xa_value, by index; see checksum.c */

	spinlock_t lock;
	unsigned long pages;		/* charged to the instance; under lock */

	struct maple_tree entries;	/* of a directory, by position; see dir.c */
	unsigned long next_position;

	struct task_struct *splitter;	/* truncates right now; under inode rwsem */

	u32 seal_nr;			/* number in the handover, valid in seal_gen */
	u32 seal_gen;
};

static inline struct pramfs_inode *PRAMFS_I(const struct inode *inode)
{
	return container_of(inode, struct pramfs_inode, vfs_inode);
}

static inline struct pramfs_sb *PRAMFS_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

/* change.c: the gate that a seal shuts */

int pramfs_change_init(void);
void pramfs_change_exit(void);
/* Every change of a tree happens between these two. -EROFS when sealed. */
int pramfs_change_begin(void);
void pramfs_change_end(void);
/* For callers that must not wait: false when sealed or being sealed. */
bool pramfs_change_trybegin(void);
bool pramfs_is_sealed(void);
/* Shut waits for the changes under way; open lets waiting writers go on. */
void pramfs_gate_shut(void);
void pramfs_gate_open(void);
/* Wait until the gate is open; -EINTR on a fatal signal. */
int pramfs_gate_wait(void);

/* super.c */

extern struct mutex pramfs_mounts_lock;
extern struct list_head pramfs_mounts;
int pramfs_super_init(void);
/* A file or directory of this instance is being opened. */
void pramfs_opened(struct super_block *sb);
/* The page counters of all instances. */
void pramfs_count_pages(struct pramfs_ioc_status *status);
void pramfs_super_exit(void);

/* inode.c */

/* mode decides the kind; -ENOSPC when the instance has no inode left. */
struct inode *pramfs_new_inode(struct mnt_idmap *idmap, struct super_block *sb,
			       const struct inode *dir, umode_t mode, dev_t dev);
/* Count inodes, and what counts as such, against nr_inodes=; -ENOSPC. */
int pramfs_count_inodes(struct super_block *sb, u64 n);
void pramfs_uncount_inodes(struct super_block *sb, u64 n);
/* Sets the operations that belong to inode->i_mode. */
void pramfs_inode_ops(struct inode *inode, dev_t dev);

/* dir.c: positions of directory entries; the directory's rwsem is held */

extern const struct file_operations pramfs_dir_operations;
int pramfs_dir_add(struct inode *dir, struct dentry *dentry);
void pramfs_dir_remove(struct inode *dir, struct dentry *dentry);
/* Between the two, or instead of the second the undo, an entry has its old position, too. */
int pramfs_dir_move_begin(struct inode *new_dir, struct dentry *dentry, unsigned long *old);
void pramfs_dir_move_end(struct inode *old_dir, unsigned long old);
void pramfs_dir_move_undo(struct inode *new_dir, struct dentry *dentry, unsigned long old);
int pramfs_dir_exchange(struct inode *a_dir, struct dentry *a, struct inode *b_dir,
			struct dentry *b);
/* The entry at or after *at, which is moved behind it; NULL = no more. */
struct dentry *pramfs_dir_next(const struct inode *dir, unsigned long *at);

/* xattr.c */

struct pramfs_xattr {
	struct list_head list;
	char *name;
	u32 len;
	u8 value[] __counted_by(len);
};

extern const struct xattr_handler *const pramfs_xattr_handlers[];
ssize_t pramfs_listxattr(struct dentry *dentry, char *buffer, size_t size);
/* Adds one that is known not to be there. */
int pramfs_xattr_add(struct inode *inode, const char *name, const void *value, size_t len);
void pramfs_xattrs_free(struct inode *inode);

/* file.c */

extern const struct file_operations pramfs_file_operations;
extern const struct address_space_operations pramfs_aops;
/* Change the size of a regular file; inode rwsem and the change gate held. */
int pramfs_set_size(struct inode *inode, loff_t size);
/* Charge pages that are not page cache (a long symlink) for an inode's life; -ENOSPC. */
int pramfs_charge(struct inode *inode, long pages);
/* Bring the charge of an inode in line with what it has. */
void pramfs_recount(struct inode *inode);
/*
 * The same for pages that are about to be added: begin charges the instance or
 * fails with -ENOSPC, end says whether they were.
 */
int pramfs_charge_begin(struct inode *inode, long pages);
void pramfs_charge_end(struct inode *inode, long pages, bool added);
/* Make page cache with the contents of a page. */
int pramfs_copy_to_cache(struct inode *inode, pgoff_t index, struct page *page);
/* Write n bytes of a page; inode rwsem held. At most to the end of a folio: bytes or -errno. */
int pramfs_write_page(struct inode *inode, loff_t pos, struct page *page, size_t offset, size_t n);
/* A write beyond the end is to come: clear what lies behind it; inode rwsem held. */
int pramfs_grow_to(struct inode *inode, loff_t pos);

/* held.c: frames of the old kernel */

/* Ascending, while nobody else knows the inode. */
int pramfs_held_add(struct inode *inode, u64 index, u64 pfn, u64 pages);
void pramfs_held_free(struct inode *inode);
/* The page at this index with a reference, or NULL. */
struct page *pramfs_held_get(struct inode *inode, pgoff_t index);
/* Make page cache of what is held in [first, last]. */
int pramfs_held_activate(struct inode *inode, pgoff_t first, pgoff_t last);
/* Free what is held in [first, last]. */
void pramfs_held_drop(struct inode *inode, pgoff_t first, pgoff_t last);
/* Next held run at or after *index; false when there is none. */
bool pramfs_held_next(struct inode *inode, pgoff_t *index, unsigned long *pfn, unsigned long *pages);
/* The checksums of the next pages, while nobody else knows the inode. */
int pramfs_held_add_checksums(struct inode *inode, const __le32 *checksum, u32 nr);
/*
 * The pages from index on that are held and still reserved, at most max; -EIO when
 * one is not what was sealed. held_lock is held; no references are taken.
 */
int pramfs_held_reserved(struct inode *inode, pgoff_t index, unsigned long max,
			 struct page **page, unsigned long *nr);
/* Such pages become the system's; the file keeps the reference that each has. */
void pramfs_held_unreserve(struct page **page, unsigned long nr);

/* adopt.c: pages of processes; as the functions of held.c */

ssize_t pramfs_splice_write(struct pipe_inode_info *pipe, struct file *out, loff_t *ppos,
			    size_t len, unsigned int flags);
struct page *pramfs_adopted_get(struct inode *inode, pgoff_t index);
int pramfs_adopted_activate(struct inode *inode, pgoff_t first, pgoff_t last);
void pramfs_adopted_drop(struct inode *inode, pgoff_t first, pgoff_t last);
bool pramfs_adopted_next(struct inode *inode, pgoff_t *index, unsigned long *pfn,
			 unsigned long *pages);

/* apart.c: what of a file is not page cache, be it held or adopted */

/* A page with a reference; NULL: there is none; -EIO: it is not what was sealed. */
struct page *pramfs_apart_get(struct inode *inode, pgoff_t index);
int pramfs_apart_activate(struct inode *inode, pgoff_t first, pgoff_t last);
void pramfs_apart_drop(struct inode *inode, pgoff_t first, pgoff_t last);
bool pramfs_apart_next(struct inode *inode, pgoff_t *index, unsigned long *pfn,
		       unsigned long *pages);
unsigned long pramfs_apart_pages(struct inode *inode);

/* give.c */

/* Say once if this kernel cannot do what give=on asks for. */
void pramfs_tell_give(void);

/*
 * Map held pages where they are to be read to: bytes, and *to is advanced; 0: they
 * must be copied; -EIO, -EINTR.
 */
ssize_t pramfs_give(struct inode *inode, loff_t pos, struct iov_iter *to, size_t len);

/* give_huge.c: a batch as one huge page */

struct migrate_vma;

#ifdef PRAMFS_CAN_GIVE_HUGE
/*
 * Before migrate_vma_setup(): ask for a hole that a huge page fits in, if the pages make
 * one. False: they are to be copied.
 */
bool pramfs_select_huge(struct pramfs_sb *sbi, struct migrate_vma *m, struct page **page);
/* After it: there is such a hole. */
bool pramfs_hole_is_huge(const struct migrate_vma *m);
/* Fill it, and call migrate_vma_finalize(): how many pages are mapped, all or 0. */
unsigned long pramfs_map_huge(struct migrate_vma *m, struct page **page);
#else
static inline bool pramfs_select_huge(struct pramfs_sb *sbi, struct migrate_vma *m,
				      struct page **page)
{
	return true;
}

static inline bool pramfs_hole_is_huge(const struct migrate_vma *m)
{
	return false;
}

static inline unsigned long pramfs_map_huge(struct migrate_vma *m, struct page **page)
{
	return 0;
}
#endif

/* room.c: false: so many more pages are better copied, since they could not be reclaimed */

bool pramfs_reader_has_room(unsigned long pages);
bool pramfs_owner_has_room(struct folio *folio);

/* checksum.c */

u32 pramfs_checksum(struct page *page);
int pramfs_note_checksum(struct inode *inode, pgoff_t index, struct page *page);
/* Whether the page has changed since it was noted, if it was. */
bool pramfs_has_changed(struct inode *inode, pgoff_t index, u32 crc);
/* -EIO, and it is said, when the page is not what was sealed. */
int pramfs_check_came(struct inode *inode, pgoff_t index, struct page *page, u32 expected);

/* frames.c: reserved frames that become the system's */

/* Free frames that the boot memory allocator reserved; counts those freed. */
unsigned long pramfs_give_back(unsigned long pfn, unsigned long frames);
/* Account frames to their zones as managed memory. */
void pramfs_frames_managed(unsigned long pfn, unsigned long frames);
/* A page that may be handed over: at or above PRAMFS_LOWEST_PFN. NULL = no memory. */
struct page *pramfs_alloc_page(gfp_t gfp);

/* arena.c */

struct pramfs_pfn_range {
	unsigned long pfn;
	unsigned long frames;
};

extern struct task_struct *pramfs_claimer;	/* claims right now */
/* For what is allocated on the way: a claim fails before anybody is killed for memory. */
static inline gfp_t pramfs_spare_others(void)
{
	return READ_ONCE(pramfs_claimer) == current ? __GFP_RETRY_MAYFAIL | __GFP_NOWARN : 0;
}

int pramfs_claim(struct pramfs_ioc_claim *claim);
void pramfs_release(void);
bool pramfs_is_claimed(void);
/* The root page that the loaded kernel will find. */
struct pramfs_root *pramfs_claimed_root(void);
unsigned long pramfs_arena_frames(void);
/* The arenas, for the root page. */
void pramfs_arena_spans(struct pramfs_root *root);
/*
 * What may be reserved for a handover: system RAM from 16 MiB on, without the
 * arenas, the crash kernel's region and what drivers have added (virtio-mem, CXL).
 * Returns the number, or -E2BIG. range NULL: only to know.
 */
int pramfs_publishable(struct pramfs_pfn_range *range, int max);

/* seal.c */

int pramfs_seal(struct pramfs_ioc_seal *out);
void pramfs_unseal(void);
/* Call fn for the root and each stream page of the sealed handover. */
int pramfs_sealed_pages(int (*fn)(void *ctx, const void *page), void *ctx);

/* open.c: the handover that came */

int pramfs_open_init(void);
void pramfs_open_exit(void);
bool pramfs_came(void);			/* something is pending or refused */
bool pramfs_came_mounts(const char *name);
/* Build the tree of the pending mount with this name into a new super block. */
int pramfs_open_mount(struct super_block *sb, const char *name);
void pramfs_came_status(struct pramfs_ioc_status *status);
int pramfs_came_pages(int (*fn)(void *ctx, const void *page), void *ctx);
int pramfs_discard(void);

/* carrier_setup_data.c: how the next kernel is told */

/*
 * Frame of the root page that the boot loader passed, in *pfn. -ENOENT: none.
 */
int pramfs_carrier_find(unsigned long *pfn);

/*
 * freeze.c: 0 or -errno. What was frozen is thawed, newest first, by pramfs_thaw
 * with the same holder (an open /dev/pramfs) and owner (a process).
 */
int pramfs_freeze(struct file *holder, int fd);
int pramfs_thaw(struct file *holder, fl_owner_t owner);

/* device.c */

int pramfs_device_init(void);
void pramfs_device_exit(void);

#endif
