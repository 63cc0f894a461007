// SPDX-License-Identifier: GPL-2.0
/*
 * seal.c - from trees to the handover format.
 *
 * Once the gate is shut (change.c) no tree changes and no page of a file moves,
 * so that everything below walks without further locks. Names come before
 * contents: a breadth-first list of all entries numbers the inodes, then the
 * inodes are written, then the entries, parents first.
 *
 * When memory runs out the walk goes on to the end, writing to a scratch page,
 * so that it can be said how much is missing. Nobody is killed for memory.
 *
 * Cost (verify=off): the page cache is read once, under RCU, in batches of runs; nothing is
 * copied but frames that no handover may name: below 16 MiB, at the end of RAM, in
 * memory that a driver has added.
 *
 * All under pramfs_op_lock.
 */
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>
#include <asm/msr.h>

#include "internal.h"

/* GFP_KERNEL alone would have the OOM killer choose among the containers. */
#define SEAL_GFP	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* Pages that exist for the handover alone, chained by page_private. */
static struct page *stream_first, *stream_last, *copies;
static u32 generation;
static bool is_sealed;

struct run {
	u64 index;
	unsigned long pfn;
	unsigned long pages;
};

#define RUN_BATCH	64

/* One entry of a tree: who it is, and the number of the directory it is in. */
struct entry {
	struct dentry *dentry;
	u32 parent;
};

struct seal {
	struct pramfs_writer w;
	struct pramfs_pfn_range range[PRAMFS_MAX_RANGES];
	int nr_ranges, hint;
	unsigned long first[PRAMFS_MAX_RANGES];	/* first and last owned frame of each */
	unsigned long last[PRAMFS_MAX_RANGES];
	struct run run[RUN_BATCH];
	struct inode *at;		/* whose contents are written */
	__le32 checksum[PRAMFS_CHECKSUM_BATCH];
	u32 nr_checksums;
	unsigned long changed;		/* pages that are not what was adopted */
	u64 inodes;
	struct page *unfit;		/* pages got that no handover may name, chained */
	struct page *scratch;		/* written to when there is no memory, to count on */
	unsigned long missing;		/* pages that could not be had */

	struct entry *entry;		/* of the mount at work */
	size_t nr_entries, max_entries;
	struct inode **inode;
	u32 nr_inodes, max_inodes;
};

/* ---- frames ------------------------------------------------------------- */

/*
 * Note that frames are owned. Returns how many from the first on lie in one
 * published range, 0 = the first lies in none.
 */
static unsigned long note_frames(struct seal *s, unsigned long pfn, unsigned long frames)
{
	int lo = 0, hi = s->nr_ranges, mid = s->hint;

	/* What comes next mostly lies where the last one did. */
	for (; lo < hi; mid = (lo + hi) / 2) {
		struct pramfs_pfn_range *r = &s->range[mid];

		if (pfn < r->pfn) {
			hi = mid;
		} else if (pfn >= r->pfn + r->frames) {
			lo = mid + 1;
		} else {
			frames = min(frames, r->pfn + r->frames - pfn);
			s->first[mid] = min(s->first[mid], pfn);
			s->last[mid] = max(s->last[mid], pfn + frames - 1);
			s->hint = mid;
			return frames;
		}
	}
	return 0;
}

/* Pages that are unfit are kept to the end, so that none is met twice. */
static struct page *seal_page(struct seal *s)
{
	for (;;) {
		struct page *page = alloc_page(SEAL_GFP | __GFP_ZERO);

		if (!page)
			return NULL;
		set_page_private(page, 0);
		if (note_frames(s, page_to_pfn(page), 1))
			return page;
		set_page_private(page, (unsigned long)s->unfit);
		s->unfit = page;
	}
}

static int new_stream_page(void *ctx, void **va, u64 *pfn)
{
	struct seal *s = ctx;
	struct page *page = s->missing ? NULL : seal_page(s);

	if (!page) {
		s->missing++;
		*va = page_address(s->scratch);
		*pfn = page_to_pfn(s->scratch);
		return 0;
	}
	if (stream_last)
		set_page_private(stream_last, (unsigned long)page);
	else
		stream_first = page;
	stream_last = page;
	*va = page_address(page);
	*pfn = page_to_pfn(page);
	return 0;
}

static void free_chain(struct page **chain)
{
	while (*chain) {
		struct page *page = *chain;

		*chain = (struct page *)page_private(page);
		set_page_private(page, 0);
		__free_page(page);
	}
}

/* ---- contents ----------------------------------------------------------- */

static int put_copy(struct seal *s, u64 index, unsigned long pfn)
{
	struct page *page = s->missing ? NULL : seal_page(s);

	if (!page) {
		s->missing++;
		return 0;
	}
	set_page_private(page, (unsigned long)copies);
	copies = page;
	copy_highpage(page, pfn_to_page(pfn));
	return pramfs_put_extent(&s->w, index, page_to_pfn(page), 1);
}

static int flush_checksums(struct seal *s)
{
	u32 nr = s->nr_checksums;

	s->nr_checksums = 0;
	return nr ? pramfs_put_checksums(&s->w, s->checksum, nr) : 0;
}

/* verify=on: of every page. */
static int put_checksums(struct seal *s, const struct run *run)
{
	unsigned long i;
	int err = 0;

	for (i = 0; i < run->pages && !err; i++) {
		u32 crc = pramfs_checksum(pfn_to_page(run->pfn + i));

		s->changed += pramfs_has_changed(s->at, run->index + i, crc);
		s->checksum[s->nr_checksums++] = cpu_to_le32(crc);
		if (s->nr_checksums == PRAMFS_CHECKSUM_BATCH)
			err = flush_checksums(s);
		cond_resched();
	}
	return err;
}

static int put_run(struct seal *s, const struct run *run)
{
	unsigned long at = 0, n;
	int err = 0;

	while (at < run->pages && !err) {
		n = note_frames(s, run->pfn + at, run->pages - at);
		if (n)
			err = pramfs_put_extent(&s->w, run->index + at, run->pfn + at, n);
		else
			err = put_copy(s, run->index + at, run->pfn + at);
		at += n ?: 1;
	}
	if (!err && PRAMFS_SB(s->at->i_sb)->verify)
		err = put_checksums(s, run);
	return err;
}

/* Fill the batch with runs of page cache from *index on; 0 = no more. */
static int cached_runs(struct seal *s, struct address_space *mapping, pgoff_t *index)
{
	XA_STATE(xas, &mapping->i_pages, *index);
	struct folio *folio;
	int nr = 0;

	rcu_read_lock();
	xas_for_each(&xas, folio, ULONG_MAX) {
		struct run *last = nr ? &s->run[nr - 1] : NULL;
		unsigned long pfn, pages;

		if (xas_retry(&xas, folio) || xa_is_value(folio))
			continue;
		pfn = folio_pfn(folio);
		pages = folio_nr_pages(folio);
		if (last && last->index + last->pages == folio->index &&
		    last->pfn + last->pages == pfn) {
			last->pages += pages;
		} else {
			if (nr == RUN_BATCH)
				break;
			s->run[nr++] = (struct run){ folio->index, pfn, pages };
		}
		*index = folio->index + pages;
	}
	rcu_read_unlock();
	return nr;
}

/* Runs that are not page cache, before this index; *apart goes on. */
static int put_apart(struct seal *s, struct inode *inode, pgoff_t *apart, pgoff_t before)
{
	unsigned long pfn, pages;
	int err = 0;

	while (!err && *apart < before && pramfs_apart_next(inode, apart, &pfn, &pages) &&
	       *apart < before) {
		struct run run = { *apart, pfn, pages };

		err = put_run(s, &run);
		*apart += pages;
	}
	return err;
}

static int put_contents(struct seal *s, struct inode *inode)
{
	pgoff_t index = 0, apart = 0;
	int nr, i, err = 0;

	s->at = inode;
	while (!err && (nr = cached_runs(s, inode->i_mapping, &index))) {
		for (i = 0; i < nr && !err; i++) {
			err = put_apart(s, inode, &apart, s->run[i].index);
			if (!err)
				err = put_run(s, &s->run[i]);
		}
		cond_resched();
	}
	err = err ?: put_apart(s, inode, &apart, ULONG_MAX);
	return err ?: flush_checksums(s);
}

static bool beyond_eof(struct inode *inode)
{
	pgoff_t index = DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE), apart = index;
	unsigned long cached = index, pfn, pages;

	return xa_find(&inode->i_mapping->i_pages, &cached, ULONG_MAX, XA_PRESENT) ||
	       pramfs_apart_next(inode, &apart, &pfn, &pages);
}

/*
 * Nobody may write through a mapping that exists: unmap, so that the next write
 * comes to page_mkwrite and waits there. Each folio is locked for it, since a
 * page_mkwrite that was let through before the gate shut holds that lock until
 * its page table entry is made.
 */
static void stop_mapped_writers(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;
	struct folio *folio;
	unsigned long index = 0;

	if (!mapping_writably_mapped(mapping))
		return;
	for (;;) {
		if (!xa_find(&mapping->i_pages, &index, ULONG_MAX, XA_PRESENT))
			return;
		folio = filemap_lock_folio(mapping, index);
		if (IS_ERR(folio)) {
			index++;
			continue;
		}
		unmap_mapping_range(mapping, folio_pos(folio), folio_size(folio), 0);
		index = folio->index + folio_nr_pages(folio);
		folio_unlock(folio);
		folio_put(folio);
		cond_resched();
	}
}

/* ---- inodes and names --------------------------------------------------- */

static struct pramfs_time put_time(struct timespec64 ts)
{
	return (struct pramfs_time){
		.sec = cpu_to_le64(ts.tv_sec),
		.nsec = cpu_to_le32(ts.tv_nsec),
	};
}

static int put_xattrs(struct seal *s, struct inode *inode)
{
	struct pramfs_xattr *x;
	int err = 0;

	list_for_each_entry(x, &PRAMFS_I(inode)->xattrs, list) {
		err = pramfs_put_xattr(&s->w, x->name, x->value, x->len);
		if (err)
			break;
	}
	return err;
}

static int put_inode(struct seal *s, struct inode *inode)
{
	struct pramfs_rec_inode rec = {
		.ino = cpu_to_le64(inode->i_ino),
		.mode = cpu_to_le32(inode->i_mode),
		.uid = cpu_to_le32(from_kuid(&init_user_ns, inode->i_uid)),
		.gid = cpu_to_le32(from_kgid(&init_user_ns, inode->i_gid)),
		.nlink = cpu_to_le32(inode->i_nlink),
		.generation = cpu_to_le32(inode->i_generation),
		.atime = put_time(inode_get_atime(inode)),
		.mtime = put_time(inode_get_mtime(inode)),
		.ctime = put_time(inode_get_ctime(inode)),
		.btime = put_time(PRAMFS_I(inode)->btime),
	};
	umode_t type = inode->i_mode & S_IFMT;
	int err;

	if (type == S_IFREG || type == S_IFLNK || type == S_IFDIR)
		rec.size = cpu_to_le64(i_size_read(inode));
	if (type == S_IFCHR || type == S_IFBLK) {
		rec.rdev_major = cpu_to_le32(MAJOR(inode->i_rdev));
		rec.rdev_minor = cpu_to_le32(MINOR(inode->i_rdev));
	}
	if (type == S_IFREG && beyond_eof(inode))
		rec.flags = cpu_to_le32(PRAMFS_INODE_BEYOND_EOF);
	err = pramfs_put_inode(&s->w, &rec);
	if (!err)
		err = put_xattrs(s, inode);
	if (!err && type == S_IFLNK)
		err = pramfs_put_target(&s->w, inode->i_link, i_size_read(inode));
	if (!err && type == S_IFREG)
		err = put_contents(s, inode);
	return err;
}

static int no_memory(size_t bytes, const char *what)
{
	pr_err("seal: %zu KiB of memory are missing for %s\n", DIV_ROUND_UP(bytes, 1024), what);
	return -ENOMEM;
}

static int grow(void **array, size_t *max, size_t nr, size_t size)
{
	size_t more = *max ? *max * 2 : 1024;
	void *new;

	if (nr < *max)
		return 0;
	new = kvmalloc_array(more, size, SEAL_GFP);
	if (!new)
		return no_memory(more * size, "a list of all names");
	if (*array)
		memcpy(new, *array, nr * size);
	kvfree(*array);
	*array = new;
	*max = more;
	return 0;
}

static int add_inode(struct seal *s, struct inode *inode)
{
	size_t max = s->max_inodes;
	int err;

	if (PRAMFS_I(inode)->seal_gen == generation)
		return 0;		/* another name of it was met already */
	err = grow((void **)&s->inode, &max, s->nr_inodes, sizeof(*s->inode));
	if (err)
		return err;
	s->max_inodes = max;
	PRAMFS_I(inode)->seal_gen = generation;
	PRAMFS_I(inode)->seal_nr = s->nr_inodes;
	s->inode[s->nr_inodes++] = inode;
	return 0;
}

static int add_children(struct seal *s, struct dentry *dir)
{
	u32 parent = PRAMFS_I(d_inode(dir))->seal_nr;
	struct dentry *child;
	unsigned long at = 0;
	int err;

	while ((child = pramfs_dir_next(d_inode(dir), &at))) {
		err = grow((void **)&s->entry, &s->max_entries, s->nr_entries, sizeof(*s->entry));
		if (err)
			return err;
		s->entry[s->nr_entries++] = (struct entry){ child, parent };
		err = add_inode(s, d_inode(child));
		if (err)
			return err;
	}
	return 0;
}

/* All entries of a tree, breadth first: a directory stands before what is in it. */
static int list_tree(struct seal *s, struct dentry *root)
{
	size_t i;
	int err;

	generation++;
	s->nr_entries = 0;
	s->nr_inodes = 0;
	err = add_inode(s, d_inode(root));
	if (!err)
		err = add_children(s, root);
	for (i = 0; i < s->nr_entries && !err; i++) {
		if (d_is_dir(s->entry[i].dentry))
			err = add_children(s, s->entry[i].dentry);
		cond_resched();
	}
	return err;
}

static int put_mount(struct seal *s, struct pramfs_sb *sbi)
{
	struct pramfs_rec_mount rec = {
		.max_pages = cpu_to_le64(sbi->max_pages),
		.max_inodes = cpu_to_le64(sbi->max_inodes),
		.next_ino = cpu_to_le64(atomic64_read(&sbi->next_ino)),
	};
	size_t i;
	u32 n;
	int err;

	err = list_tree(s, sbi->sb->s_root);
	if (err)
		return err;
	rec.nr_inodes = cpu_to_le64(s->nr_inodes);
	rec.nr_dirents = cpu_to_le64(s->nr_entries);
	err = pramfs_put_mount(&s->w, sbi->name, &rec);
	for (n = 0; n < s->nr_inodes && !err; n++) {
		stop_mapped_writers(s->inode[n]);
		err = put_inode(s, s->inode[n]);
		cond_resched();
	}
	for (i = 0; i < s->nr_entries && !err; i++) {
		struct dentry *d = s->entry[i].dentry;

		err = pramfs_put_dirent(&s->w, s->entry[i].parent,
					PRAMFS_I(d_inode(d))->seal_nr, d->d_name.name,
					d->d_name.len);
	}
	s->inodes += s->nr_inodes;
	return err;
}

/* ---- the whole ---------------------------------------------------------- */

/* Keep every instance alive and say that it is read-only, or undo both. */
static void pin_mounts(void)
{
	struct pramfs_sb *sbi, *next;

	list_for_each_entry_safe(sbi, next, &pramfs_mounts, list) {
		if (!atomic_inc_not_zero(&sbi->sb->s_active)) {
			list_del_init(&sbi->list);	/* it is going, and waits for the lock */
			continue;
		}
		sbi->made_readonly = !(sbi->sb->s_flags & SB_RDONLY);
		sbi->sb->s_flags |= SB_RDONLY;
	}
}

static void unpin_mounts(void)
{
	struct pramfs_sb *sbi, *next;
	LIST_HEAD(all);

	/* deactivate_super() may take an instance off the list, but not the next: that is pinned. */
	mutex_lock(&pramfs_mounts_lock);
	list_splice_init(&pramfs_mounts, &all);
	list_for_each_entry_safe(sbi, next, &all, list) {
		list_move_tail(&sbi->list, &pramfs_mounts);
		if (sbi->made_readonly)
			sbi->sb->s_flags &= ~SB_RDONLY;
		sbi->made_readonly = false;
		mutex_unlock(&pramfs_mounts_lock);
		deactivate_super(sbi->sb);
		mutex_lock(&pramfs_mounts_lock);
	}
	mutex_unlock(&pramfs_mounts_lock);
}

static int put_all_mounts(struct seal *s)
{
	struct pramfs_sb *sbi;
	int err = 0;

	list_for_each_entry(sbi, &pramfs_mounts, list) {
		err = put_mount(s, sbi);
		if (err) {
			pr_err("seal: %s: %d\n", sbi->name, err);
			break;
		}
	}
	return err ?: pramfs_put_end(&s->w);
}

/* Only what lies between the first and the last owned frame of a range is reserved. */
static int publish(struct seal *s)
{
	struct pramfs_root *root = pramfs_claimed_root();
	u64 pfn = virt_to_phys(root) >> PAGE_SHIFT;
	struct pramfs_span *span;
	u32 nr = 0;
	int i, err;

	if (!note_frames(s, pfn, 1))
		return -EFAULT;
	span = kcalloc(PRAMFS_MAX_RANGES, sizeof(*span), SEAL_GFP);
	if (!span)
		return no_memory(PRAMFS_MAX_RANGES * sizeof(*span), "the ranges");
	for (i = 0; i < s->nr_ranges; i++) {
		if (s->first[i] > s->last[i])
			continue;
		span[nr].pfn = cpu_to_le64(s->first[i]);
		span[nr++].frames = cpu_to_le64(s->last[i] - s->first[i] + 1);
	}
	memset(root, 0, sizeof(*root));
	pramfs_arena_spans(root);
	strscpy(root->kernel, init_utsname()->release, sizeof(root->kernel));
	root->sealed_tsc = cpu_to_le64(rdtsc_ordered());
	err = pramfs_put_root(root, pfn, &s->w, span, nr, 0);
	if (err)
		pramfs_put_empty_root(root, pfn);
	s->nr_ranges = nr;
	kfree(span);
	return err;
}

static int seal_all(struct seal *s)
{
	int i, err;

	err = pramfs_publishable(s->range, PRAMFS_MAX_RANGES);
	if (err < 0)
		return err;
	s->nr_ranges = err;
	for (i = 0; i < s->nr_ranges; i++)
		s->first[i] = ULONG_MAX;
	s->w.new_page = new_stream_page;
	s->w.ctx = s;
	s->scratch = alloc_page(SEAL_GFP);
	if (!s->scratch)
		return no_memory(PAGE_SIZE, "a page to begin with");
	err = put_all_mounts(s);
	__free_page(s->scratch);
	free_chain(&s->unfit);
	if (!err && s->missing) {
		pr_err("seal: %lu KiB of memory are missing for the description of %llu inodes and %llu extents\n",
		       s->missing << (PAGE_SHIFT - 10), s->inodes, s->w.extents);
		err = -ENOMEM;
	}
	if (s->changed)
		pr_warn("seal: %lu pages changed after they were adopted: more than a page or two for each thread, and somebody has not been kept stopped\n",
			s->changed);
	return err ?: publish(s);
}

int pramfs_seal(struct pramfs_ioc_seal *out)
{
	u64 start = ktime_get_ns();
	struct seal *s;
	int err;

	if (!pramfs_is_claimed()) {
		pr_err("seal: no arena is claimed: nothing could boot beside the handover\n");
		return -EBUSY;
	}
	if (is_sealed || pramfs_came())
		return -EBUSY;
	s = kvzalloc(sizeof(*s), SEAL_GFP);
	if (!s)
		return no_memory(sizeof(*s), "the work on it");
	mutex_lock(&pramfs_mounts_lock);
	pramfs_gate_shut();
	pin_mounts();
	err = seal_all(s);
	mutex_unlock(&pramfs_mounts_lock);
	is_sealed = true;
	if (err) {
		pramfs_unseal();
	} else {
		*out = (struct pramfs_ioc_seal){
			.mounts = s->w.nr_mounts,
			.inodes = s->inodes,
			.data_bytes = s->w.frames << PAGE_SHIFT,
			.metadata_bytes = (s->w.pages + 1) << PAGE_SHIFT,
			.ranges = s->nr_ranges,
			.extents = s->w.extents,
			.nanoseconds = ktime_get_ns() - start,
		};
	}
	kvfree(s->entry);
	kvfree(s->inode);
	kvfree(s);
	return err;
}

void pramfs_unseal(void)
{
	struct pramfs_root *root;

	if (!is_sealed)
		return;
	root = pramfs_claimed_root();
	pramfs_put_empty_root(root, virt_to_phys(root) >> PAGE_SHIFT);
	free_chain(&stream_first);
	stream_last = NULL;
	free_chain(&copies);
	unpin_mounts();
	is_sealed = false;
	pramfs_gate_open();
}

int pramfs_sealed_pages(int (*fn)(void *ctx, const void *page), void *ctx)
{
	struct page *page;
	int err;

	if (!is_sealed)
		return 0;
	err = fn(ctx, pramfs_claimed_root());
	for (page = stream_first; page && !err; page = (struct page *)page_private(page))
		err = fn(ctx, page_address(page));
	return err;
}
