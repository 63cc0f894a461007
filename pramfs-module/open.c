// SPDX-License-Identifier: GPL-2.0
/*
 * open.c - the handover that came from the old kernel.
 *
 * As the module is loaded, the whole image is checked; only then is every
 * frame of the reserved ranges that it does not own given back. A mount takes
 * its tree over. When the last tree has been taken, the metadata is freed, too.
 * A tree that was taken stays, mounted or not, until somebody has opened something
 * in it: see super.c.
 *
 * An image that fails a check is refused whole. Nothing of it is freed: its
 * frames stay reserved until DISCARD. Where memory to check it is missing, the
 * module is not loaded, and may be later.
 *
 * While a handover is there the module cannot be unloaded: nobody else would
 * know what the reserved memory is.
 *
 * All under came_lock.
 */
#include <linux/dcache.h>
#include <linux/iversion.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "internal.h"

static DEFINE_MUTEX(came_lock);
static const struct pramfs_root *root;		/* NULL: nothing came, or all was taken */
static unsigned long root_pfn;
static bool refused;
static bool lost;				/* refused, and not even the root page is known */
static struct pramfs_finding finding;
static struct came_mount {
	char name[PRAMFS_MAX_NAME + 1];
	u64 max_pages, max_inodes, next_ino;
	bool taken;
} *mounts;					/* of an image that was accepted */
static u32 pending;				/* not taken */
static unsigned long came_frames, kept_frames, given_back;
static u64 check_ns, give_back_ns;

/* ---- reading it --------------------------------------------------------- */

static const void *source_page(void *ctx, u64 pfn)
{
	if (!pfn_valid(pfn) || !PageReserved(pfn_to_page(pfn)))
		return NULL;
	return page_address(pfn_to_page(pfn));
}

static void *source_alloc(void *ctx, size_t bytes)
{
	return kvzalloc(bytes, GFP_KERNEL | __GFP_NOWARN);
}

static void source_free(void *ctx, void *p)
{
	kvfree(p);
}

static const struct pramfs_source source = {
	.page = source_page,
	.alloc = source_alloc,
	.free = source_free,
};

static void tell_finding(const char *what, int err)
{
	if (err == -ENOMEM)
		pr_err("%s: not enough memory to check the handover\n", what);
	else
		pr_err("%s: check \"%s\" failed in frame 0x%llx at offset %u: found 0x%llx, expected 0x%llx\n",
		       what, finding.check ?: "?", finding.pfn, finding.offset, finding.found,
		       finding.expected);
}

/* ---- building a tree ---------------------------------------------------- */

struct build {
	struct super_block *sb;
	struct inode **inode;		/* by number */
	struct dentry **dir;		/* entry of each directory that has one, by number */
	u32 nr, max;
};

static struct timespec64 get_time(const struct pramfs_time *t)
{
	return (struct timespec64){ le64_to_cpu(t->sec), le32_to_cpu(t->nsec) };
}

static int build_mount(void *ctx, u32 nr, const char *name, const struct pramfs_rec_mount *m)
{
	struct build *b = ctx;
	struct pramfs_sb *sbi = PRAMFS_SB(b->sb);

	b->max = le64_to_cpu(m->nr_inodes);
	b->inode = kvcalloc(b->max, sizeof(*b->inode), GFP_KERNEL);
	b->dir = kvcalloc(b->max, sizeof(*b->dir), GFP_KERNEL);
	if (!b->inode || !b->dir)
		return -ENOMEM;
	/* Limits are set at the end: what is there, is there. */
	sbi->max_pages = 0;
	sbi->max_inodes = 0;
	return 0;
}

static int build_inode(void *ctx, u32 nr, const struct pramfs_rec_inode *rec)
{
	struct build *b = ctx;
	umode_t mode = le32_to_cpu(rec->mode);
	struct inode *inode;

	inode = pramfs_new_inode(&nop_mnt_idmap, b->sb, NULL, mode,
				 MKDEV(le32_to_cpu(rec->rdev_major), le32_to_cpu(rec->rdev_minor)));
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	b->inode[nr] = inode;
	b->nr = nr + 1;
	remove_inode_hash(inode);
	inode->i_ino = le64_to_cpu(rec->ino);
	insert_inode_hash(inode);
	inode->i_uid = make_kuid(&init_user_ns, le32_to_cpu(rec->uid));
	inode->i_gid = make_kgid(&init_user_ns, le32_to_cpu(rec->gid));
	inode->i_generation = le32_to_cpu(rec->generation);
	set_nlink(inode, le32_to_cpu(rec->nlink));
	if (!S_ISDIR(mode))
		pramfs_count_inodes(b->sb, inode->i_nlink - 1);	/* its other names */
	i_size_write(inode, le64_to_cpu(rec->size));
	inode_set_atime_to_ts(inode, get_time(&rec->atime));
	inode_set_mtime_to_ts(inode, get_time(&rec->mtime));
	inode_set_ctime_to_ts(inode, get_time(&rec->ctime));
	PRAMFS_I(inode)->btime = get_time(&rec->btime);
	return 0;
}

static int build_xattr(void *ctx, u32 nr, const char *name, const void *value, u32 len)
{
	struct build *b = ctx;

	return pramfs_xattr_add(b->inode[nr], name, value, len);
}

static int build_target(void *ctx, u32 nr, const char *target, u32 len)
{
	struct build *b = ctx;

	b->inode[nr]->i_link = kmemdup_nul(target, len, GFP_KERNEL_ACCOUNT);
	if (!b->inode[nr]->i_link)
		return -ENOMEM;
	return len < PRAMFS_LONG_TARGET ? 0 : pramfs_charge(b->inode[nr], 1);
}

static int build_extent(void *ctx, u32 nr, u64 index, u64 pfn, u64 pages)
{
	struct build *b = ctx;

	/* The checks have seen to it that no other file has this frame. */
	return pramfs_held_add(b->inode[nr], index, pfn, pages);
}

static int build_checksums(void *ctx, u32 nr, const __le32 *checksum, u32 n)
{
	struct build *b = ctx;

	return pramfs_held_add_checksums(b->inode[nr], checksum, n);
}

/* Charge the instance for what the files hold: once a file, not once an extent. */
static void charge_held(const struct build *b)
{
	u32 i;

	for (i = 0; i < b->nr; i++) {
		struct inode *inode = b->inode[i];
		unsigned long pages = PRAMFS_I(inode)->held.pages;

		if (!pages)
			continue;
		PRAMFS_I(inode)->pages += pages;
		inode_add_bytes(inode, (loff_t)pages << PAGE_SHIFT);
		percpu_counter_add(&PRAMFS_SB(b->sb)->pages, pages);
	}
}

/* The root directory becomes the tree's root with the first entry, or at the end. */
static int build_root(struct build *b)
{
	if (b->sb->s_root)
		return 0;
	b->sb->s_root = d_make_root(b->inode[0]);
	if (!b->sb->s_root) {
		b->inode[0] = NULL;	/* d_make_root() has put it */
		return -ENOMEM;
	}
	b->dir[0] = b->sb->s_root;
	ihold(b->inode[0]);		/* ours is put with all others */
	return 0;
}

static int build_dirent(void *ctx, u32 parent, u32 child, const char *name, u32 len)
{
	struct build *b = ctx;
	struct inode *inode = b->inode[child];
	struct qstr q = QSTR_INIT(name, len);
	struct dentry *dentry, *twin;
	int err;

	err = build_root(b);
	if (err)
		return err;
	q.hash = full_name_hash(b->dir[parent], q.name, q.len);
	twin = d_lookup(b->dir[parent], &q);
	if (twin) {
		dput(twin);
		finding = (struct pramfs_finding){ .check = "dirent twin", .found = child };
		return -EUCLEAN;
	}
	dentry = d_alloc(b->dir[parent], &q);
	if (!dentry)
		return -ENOMEM;
	err = pramfs_dir_add(b->inode[parent], dentry);
	if (err) {
		dput(dentry);
		return err;
	}
	ihold(inode);
	pramfs_make_persistent(dentry, inode);
	if (S_ISDIR(inode->i_mode))
		b->dir[child] = dentry;	/* pinned by the tree */
	dput(dentry);
	return 0;
}

static const struct pramfs_visitor build_visitor = {
	.mount = build_mount,
	.inode = build_inode,
	.xattr = build_xattr,
	.target = build_target,
	.extent = build_extent,
	.checksums = build_checksums,
	.dirent = build_dirent,
};

static void build_end(struct build *b)
{
	u32 i;

	for (i = 0; b->inode && i < b->nr; i++)
		iput(b->inode[i]);
	kvfree(b->inode);
	kvfree(b->dir);
}

/* ---- which mounts ------------------------------------------------------- */

/* While the image is checked, so that nobody need look again. */
static int note_mount(void *ctx, u32 nr, const char *name, const struct pramfs_rec_mount *m)
{
	mounts[nr] = (struct came_mount){
		.max_pages = le64_to_cpu(m->max_pages),
		.max_inodes = le64_to_cpu(m->max_inodes),
		.next_ino = le64_to_cpu(m->next_ino),
	};
	strscpy(mounts[nr].name, name, sizeof(mounts[nr].name));
	return 0;
}

/* Number of the mount with this name that is to be had, or -ENOENT. */
static int find_mount(const char *name)
{
	u32 i;

	for (i = 0; mounts && i < le32_to_cpu(root->nr_mounts); i++)
		if (!mounts[i].taken && !strcmp(mounts[i].name, name))
			return i;
	return -ENOENT;
}

bool pramfs_came_mounts(const char *name)
{
	bool there;

	mutex_lock(&came_lock);
	there = find_mount(name) >= 0;
	mutex_unlock(&came_lock);
	return there;
}

/* ---- letting go --------------------------------------------------------- */

struct page_list {
	unsigned long *pfn;
	unsigned long nr, max;
};

static int list_page(void *ctx, u64 pfn)
{
	struct page_list *l = ctx;

	if (l->nr < l->max)
		l->pfn[l->nr++] = pfn;
	return 0;
}

/*
 * The root page itself stays reserved, as a node that hands over nothing: the
 * kernel walks the list that it is part of whenever somebody reads it in /sys.
 */
static void forget(void)
{
	pramfs_put_empty_root((struct pramfs_root *)root, root_pfn);
	root = NULL;
	kept_frames = 0;
	pending = 0;
	refused = false;
	kvfree(mounts);
	mounts = NULL;
	module_put(THIS_MODULE);
}

/* All trees have been taken: the metadata is nobody's any more. */
static int free_metadata(void)
{
	struct page_list l = { .max = le64_to_cpu(root->stream_pages) };
	unsigned long i;
	int err;

	l.pfn = kvmalloc_array(l.max, sizeof(*l.pfn), GFP_KERNEL);
	if (!l.pfn)
		return -ENOMEM;
	err = pramfs_walk_pages(&source, root, list_page, &l, &finding);
	if (err) {
		tell_finding("the metadata stay reserved", err);
		kvfree(l.pfn);
		return err;
	}
	for (i = 0; i < l.nr; i++) {
		clear_page(page_address(pfn_to_page(l.pfn[i])));
		pramfs_give_back(l.pfn[i], 1);
	}
	kvfree(l.pfn);
	forget();
	return 0;
}

int pramfs_open_mount(struct super_block *sb, const char *name)
{
	struct pramfs_sb *sbi = PRAMFS_SB(sb);
	struct build b = { .sb = sb };
	struct pramfs_visitor v = build_visitor;
	int nr, err;

	mutex_lock(&came_lock);
	nr = find_mount(name);
	if (nr < 0) {
		err = nr;
		goto out;
	}
	v.ctx = &b;
	err = pramfs_walk(&source, root, nr, &v, &finding);
	if (!err)
		err = build_root(&b);
	if (err) {
		tell_finding(name, err);
		goto out;
	}
	charge_held(&b);
	sbi->max_pages = mounts[nr].max_pages;
	sbi->max_inodes = mounts[nr].max_inodes;
	sbi->mode = d_inode(sb->s_root)->i_mode & 07777;
	atomic64_set(&sbi->next_ino, mounts[nr].next_ino);
	mounts[nr].taken = true;
	kept_frames -= min_t(u64, kept_frames, percpu_counter_sum_positive(&sbi->pages));
	if (!--pending)
		free_metadata();	/* if that fails, DISCARD does it */
out:
	build_end(&b);
	mutex_unlock(&came_lock);
	return err;
}

static int discard_extent(void *ctx, u32 inode, u64 index, u64 pfn, u64 pages)
{
	pramfs_give_back(pfn, pages);
	return 0;
}

static int discard_pending(void)
{
	struct pramfs_visitor v = { .extent = discard_extent };
	u32 i, nr = le32_to_cpu(root->nr_mounts);
	int err;

	for (i = 0; i < nr; i++) {
		if (mounts[i].taken)
			continue;
		err = pramfs_walk(&source, root, i, &v, &finding);
		if (err)
			return err;
		mounts[i].taken = true;
	}
	return free_metadata();
}

/* The frames of all ranges are memory of this kernel's, or nothing can be said of them. */
static int check_frames(struct pramfs_finding *f)
{
	u64 pfn, end;
	u32 i;

	for (i = 0; i < le32_to_cpu(root->nr_ranges); i++) {
		pfn = le64_to_cpu(root->node[i].addr) >> PAGE_SHIFT;
		end = pfn + (le64_to_cpu(root->node[i].bytes) >> PAGE_SHIFT);
		/* as finely as the kernel knows it */
		for (; pfn < end; pfn = ALIGN(pfn + 1, PAGES_PER_SUBSECTION)) {
			if (pfn_valid(pfn))
				continue;
			*f = (struct pramfs_finding){
				.check = "range memory", .pfn = root_pfn, .found = pfn,
				.offset = offsetof(struct pramfs_root, node) +
					  i * sizeof(root->node[0]),
			};
			return -EUCLEAN;
		}
	}
	return 0;
}

/* All of a range but one frame. */
static void give_back_around(unsigned long pfn, unsigned long frames, unsigned long but)
{
	unsigned long before = frames;

	if (but >= pfn && but < pfn + frames) {
		before = but - pfn;
		pramfs_give_back(but + 1, frames - before - 1);
	}
	pramfs_give_back(pfn, before);
}

/* The ranges of a root page that is whole are what this kernel reserved. */
static int discard_refused(void)
{
	struct pramfs_pfn_range *range;
	u32 i, nr = le32_to_cpu(root->nr_ranges);
	struct pramfs_finding f;

	if (pramfs_check_root(root, root_pfn, &f) || check_frames(&f))
		return -EUCLEAN;
	range = kcalloc(nr, sizeof(*range), GFP_KERNEL);
	if (!range)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		range[i].pfn = le64_to_cpu(root->node[i].addr) >> PAGE_SHIFT;
		range[i].frames = le64_to_cpu(root->node[i].bytes) >> PAGE_SHIFT;
	}
	forget();
	for (i = 0; i < nr; i++)
		give_back_around(range[i].pfn, range[i].frames, root_pfn);
	kfree(range);
	return 0;
}

int pramfs_discard(void)
{
	int err;

	mutex_lock(&came_lock);
	if (!root)
		err = lost ? -EUCLEAN : -ENOENT;
	else if (refused)
		err = discard_refused();
	else if (!pending)
		err = free_metadata();
	else if (pending < le32_to_cpu(root->nr_mounts))
		err = -EBUSY;	/* the rest can be mounted and deleted */
	else
		err = discard_pending();
	mutex_unlock(&came_lock);
	return err;
}

/* ---- at load ------------------------------------------------------------ */

static void give_back_unowned(const struct pramfs_owned *owned)
{
	u64 start = ktime_get_ns();
	u32 r;

	for (r = 0; r < owned->nr; r++) {
		u64 pfn = owned->range[r].pfn, frames;

		came_frames += owned->range[r].frames;
		while (pramfs_unowned_run(owned, r, &pfn, &frames)) {
			given_back += pramfs_give_back(pfn, frames);
			pfn += frames;
		}
	}
	kept_frames = came_frames - given_back;
	give_back_ns = ktime_get_ns() - start;
}

static void count_reserved(void)
{
	struct pramfs_finding f;
	u32 i;

	if (pramfs_check_root(root, root_pfn, &f))
		return;
	for (i = 0; i < le32_to_cpu(root->nr_ranges); i++)
		came_frames += le64_to_cpu(root->node[i].bytes) >> PAGE_SHIFT;
	kept_frames = came_frames;
}

static int open_image(void)
{
	u64 start = ktime_get_ns();
	const struct pramfs_visitor v = { .mount = note_mount };
	struct pramfs_owned owned = {};
	int err;

	mounts = kvcalloc(PRAMFS_MAX_MOUNTS, sizeof(*mounts), GFP_KERNEL);
	if (!mounts)
		return -ENOMEM;
	err = pramfs_check(&source, root, root_pfn, &owned, &v, &finding);
	if (!err) {
		err = check_frames(&finding);
		if (err)
			pramfs_owned_free(&source, &owned);
	}
	check_ns = ktime_get_ns() - start;
	if (err) {
		kvfree(mounts);
		mounts = NULL;
		return err;
	}
	pending = le32_to_cpu(root->nr_mounts);
	give_back_unowned(&owned);
	pramfs_owned_free(&source, &owned);
	return 0;
}

int pramfs_open_init(void)
{
	int err;

	err = pramfs_carrier_find(&root_pfn);
	if (err == -EUCLEAN) {
		/* Nothing can be done about it before the next boot, so go on without. */
		lost = true;
		finding.check = "root place";
		return 0;
	}
	if (err)
		return err == -ENOENT ? 0 : err;
	root = page_address(pfn_to_page(root_pfn));
	__module_get(THIS_MODULE);
	err = open_image();
	if (err == -ENOENT) {		/* nothing was sealed, or it has been taken over before */
		forget();
		return 0;
	}
	if (err == -ENOMEM) {		/* nothing was touched: it can be loaded again */
		tell_finding("the handover is left as it is", err);
		root = NULL;
		module_put(THIS_MODULE);
		return err;
	}
	if (err) {
		refused = true;
		count_reserved();
		tell_finding("the handover is refused, its memory stays reserved", err);
		return 0;
	}
	pr_info("handover of %s: %u mounts, %lu MiB kept, %lu MiB given back\n", root->kernel,
		pending, kept_frames >> (20 - PAGE_SHIFT), given_back >> (20 - PAGE_SHIFT));
	if (!pending)
		free_metadata();
	return 0;
}

/* The module goes only when no handover is there, or when loading it failed. */
void pramfs_open_exit(void)
{
	kvfree(mounts);
}

bool pramfs_came(void)
{
	bool came;

	mutex_lock(&came_lock);
	came = root;
	mutex_unlock(&came_lock);
	return came;
}

void pramfs_came_status(struct pramfs_ioc_status *st)
{
	mutex_lock(&came_lock);
	st->came_bytes = (u64)came_frames << PAGE_SHIFT;
	st->given_back_bytes = (u64)given_back << PAGE_SHIFT;
	st->check_ns = check_ns;
	st->give_back_ns = give_back_ns;
	if (root) {
		st->flags |= refused ? PRAMFS_REFUSED : PRAMFS_PENDING;
		st->root = PFN_PHYS(root_pfn);
		st->reserved_bytes = (u64)kept_frames << PAGE_SHIFT;
		st->pending_mounts = pending;
	}
	if (lost)
		st->flags |= PRAMFS_REFUSED;
	if (lost || (root && refused)) {
		strscpy(st->refused_check, finding.check, sizeof(st->refused_check));
		st->refused_pfn = finding.pfn;
		st->refused_offset = finding.offset;
		st->refused_found = finding.found;
		st->refused_expected = finding.expected;
	}
	mutex_unlock(&came_lock);
}

struct tell_page {
	int (*fn)(void *ctx, const void *page);
	void *ctx;
};

static int tell_page(void *ctx, u64 pfn)
{
	struct tell_page *t = ctx;
	const void *page = source_page(NULL, pfn);

	return page ? t->fn(t->ctx, page) : -EUCLEAN;
}

int pramfs_came_pages(int (*fn)(void *ctx, const void *page), void *ctx)
{
	struct tell_page t = { fn, ctx };
	struct pramfs_finding f;
	int err = 0;

	mutex_lock(&came_lock);
	if (root)
		err = fn(ctx, root);
	if (root && !err && !pramfs_check_root(root, root_pfn, &f))
		err = pramfs_walk_pages(&source, root, tell_page, &t, &f);
	mutex_unlock(&came_lock);
	/* What lies behind a damaged page cannot be found; that is told elsewhere. */
	return err == -EUCLEAN || err == -EPROTONOSUPPORT ? 0 : err;
}
