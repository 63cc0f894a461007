// SPDX-License-Identifier: GPL-2.0
/*
 * held.c - frames that came from the old kernel and lie where they lay.
 *
 * Opening a handover costs per extent, and little: a file's frames are only
 * noted, and stay reserved. A frame becomes page cache ("is activated") when
 * somebody maps it, writes to it, or when it must become movable; reading copies
 * straight from it; truncation frees it.
 *
 * What is noted is the list of extents as the handover has it; it never changes.
 * Each page has an ordinal in it, and a bit, made when the first page is taken,
 * says whether it has been taken.
 *
 * Page cache and held frames of a file never overlap: a page is marked as taken
 * before it enters the page cache, both under held_lock, and a reader looks
 * first here, then there.
 *
 * A held page that was given to a process (give.c) is not reserved any more, but
 * a page of that process to which the file has a reference; it stays what it was
 * while the file has it. It is read and handed over like the others; it becomes
 * page cache by being copied.
 */
#include <linux/bitmap.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "internal.h"

struct pramfs_held_extent {
	u64 index;		/* in the file */
	u64 first;		/* ordinal of its first page in the list */
	u64 frames;		/* struct pramfs_extent */
};

struct held_run {
	pgoff_t index;
	unsigned long pfn;
	unsigned long pages;
	unsigned long ordinal;
};

/* ---- the list ----------------------------------------------------------- */

int pramfs_held_add(struct inode *inode, u64 index, u64 pfn, u64 pages)
{
	struct pramfs_held *h = &PRAMFS_I(inode)->held;
	struct pramfs_held_extent *more;
	u32 max = h->max ? h->max * 2 : 1;

	if (h->nr == h->max) {
		more = kvmalloc_array(max, sizeof(*more), GFP_KERNEL_ACCOUNT);
		if (!more)
			return -ENOMEM;
		if (h->nr)
			memcpy(more, h->extent, h->nr * sizeof(*more));
		kvfree(h->extent);
		h->extent = more;
		h->max = max;
	}
	h->extent[h->nr++] = (struct pramfs_held_extent){
		index, h->pages, pfn | (pages - 1) << PRAMFS_PFN_BITS
	};
	h->pages += pages;
	h->left += pages;
	return 0;
}

void pramfs_held_free(struct inode *inode)
{
	struct pramfs_held *h = &PRAMFS_I(inode)->held;

	kvfree(h->extent);
	kvfree(h->taken);
	kvfree(h->checksum);
	memset(h, 0, sizeof(*h));
}

/* The first extent that ends behind index. */
static u32 find_extent(const struct pramfs_held *h, pgoff_t index)
{
	u32 lo = 0, hi = READ_ONCE(h->nr);

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;
		const struct pramfs_held_extent *e = &h->extent[mid];

		if (e->index + pramfs_extent_pages(e->frames) > index)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* The next run at or after index. Without held_lock the answer may be old. */
static bool next_run(const struct pramfs_held *h, pgoff_t index, struct held_run *run)
{
	/* Pairs with taken_bits(): the bits are seen as they were made. */
	const unsigned long *taken = smp_load_acquire(&h->taken);
	u32 i;

	for (i = find_extent(h, index); i < READ_ONCE(h->nr); i++) {
		const struct pramfs_held_extent *e = &h->extent[i];
		unsigned long at = e->first + (index > e->index ? index - e->index : 0);
		unsigned long end = e->first + pramfs_extent_pages(e->frames);

		if (taken) {
			at = find_next_zero_bit(taken, end, at);
			if (at >= end)
				continue;
			end = find_next_bit(taken, end, at);
		}
		run->index = e->index + (at - e->first);
		run->pfn = pramfs_extent_pfn(e->frames) + (at - e->first);
		run->pages = end - at;
		run->ordinal = at;
		return true;
	}
	return false;
}

/* next_run(), cut at last. */
static bool next_run_to(const struct pramfs_held *h, pgoff_t index, pgoff_t last,
			struct held_run *run)
{
	if (index > last || !next_run(h, index, run) || run->index > last)
		return false;
	run->pages = min(run->pages - 1, last - run->index) + 1;	/* last may be ~0 */
	return true;
}

/* The bits, made at need. */
static unsigned long *taken_bits(struct pramfs_held *h, gfp_t gfp)
{
	if (!h->taken) {
		/* Pairs with next_run(), which may look without held_lock. */
		smp_store_release(&h->taken, kvzalloc(BITS_TO_LONGS(h->pages) * sizeof(long), gfp));
	}
	return h->taken;
}

bool pramfs_held_next(struct inode *inode, pgoff_t *index, unsigned long *pfn, unsigned long *pages)
{
	struct pramfs_held *h = &PRAMFS_I(inode)->held;
	struct held_run run;

	if (!READ_ONCE(h->left) || !next_run(h, *index, &run))
		return false;
	*index = run.index;
	*pfn = run.pfn;
	*pages = run.pages;
	return true;
}

/* That frame i of a run is what was sealed, where that is known. */
static int check_frame(struct inode *inode, const struct held_run *run, unsigned long i)
{
	const struct pramfs_held *h = &PRAMFS_I(inode)->held;

	if (run->ordinal + i >= h->checksums)
		return 0;
	return pramfs_check_came(inode, run->index + i, pfn_to_page(run->pfn + i),
				 h->checksum[run->ordinal + i]);
}

struct page *pramfs_held_get(struct inode *inode, pgoff_t index)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	struct page *page = NULL;
	struct held_run run;
	int err;

	if (!READ_ONCE(pi->held.left))
		return NULL;
	mutex_lock(&pi->held_lock);
	if (next_run(&pi->held, index, &run) && run.index == index) {
		err = check_frame(inode, &run, 0);
		page = err ? ERR_PTR(err) : pfn_to_page(run.pfn);
		if (!err)
			get_page(page);
	}
	mutex_unlock(&pi->held_lock);
	return page;
}

int pramfs_held_add_checksums(struct inode *inode, const __le32 *checksum, u32 nr)
{
	struct pramfs_held *h = &PRAMFS_I(inode)->held;
	unsigned long need = h->checksums + nr;
	u32 *more, i;

	if (need > h->max_checksums) {
		need = max(need, 2 * h->max_checksums);
		more = kvmalloc_array(need, sizeof(*more), GFP_KERNEL_ACCOUNT);
		if (!more)
			return -ENOMEM;
		if (h->checksums)
			memcpy(more, h->checksum, h->checksums * sizeof(*more));
		kvfree(h->checksum);
		h->checksum = more;
		h->max_checksums = need;
	}
	for (i = 0; i < nr; i++)
		h->checksum[h->checksums++] = le32_to_cpu(checksum[i]);
	return 0;
}

/* ---- giving pages away (give.c) ----------------------------------------- */

int pramfs_held_reserved(struct inode *inode, pgoff_t index, unsigned long max,
			 struct page **page, unsigned long *nr)
{
	struct held_run run = {};
	unsigned long i = 0;
	int err;

	for (*nr = 0; *nr < max; (*nr)++, i++) {
		if (i == run.pages) {
			if (!next_run(&PRAMFS_I(inode)->held, index + *nr, &run) ||
			    run.index != index + *nr)
				return 0;
			i = 0;
		}
		if (!PageReserved(pfn_to_page(run.pfn + i)))
			return 0;
		err = check_frame(inode, &run, i);
		if (err)
			return err;
		page[*nr] = pfn_to_page(run.pfn + i);
	}
	return 0;
}

void pramfs_held_unreserve(struct page **page, unsigned long nr)
{
	unsigned long pfn = 0, frames = 0, i;

	for (i = 0; i < nr; i++) {
		ClearPageReserved(page[i]);
		if (frames && page_to_pfn(page[i]) == pfn + frames) {
			frames++;
			continue;
		}
		pramfs_frames_managed(pfn, frames);
		pfn = page_to_pfn(page[i]);
		frames = 1;
	}
	pramfs_frames_managed(pfn, frames);
}

/* ---- taking pages out --------------------------------------------------- */

/* Takes over the reference that the frame was reserved with. */
static int activate_page(struct inode *inode, pgoff_t index, struct page *page)
{
	struct address_space *mapping = inode->i_mapping;
	struct folio *folio = page_folio(page);
	int err;

	__ClearPageReserved(page);
	err = filemap_add_folio(mapping, folio, index,
				mapping_gfp_mask(mapping) | pramfs_spare_others());
	if (err) {
		__SetPageReserved(page);
		return err;
	}
	folio_mark_uptodate(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

/* What was given stays the process's, and the file gets a copy. */
static int activate_given(struct inode *inode, pgoff_t index, struct page *page)
{
	int err = pramfs_copy_to_cache(inode, index, page);

	if (!err)
		put_page(page);
	return err;
}

/* How many frames of a run, from its first on, are reserved as the first is, or not. */
static unsigned long alike(const struct held_run *run)
{
	bool reserved = PageReserved(pfn_to_page(run->pfn));
	unsigned long n = 1;

	while (n < run->pages && PageReserved(pfn_to_page(run->pfn + n)) == reserved)
		n++;
	return n;
}

/* The first part of a run with frames of one kind; *done of them are page cache then. */
static int activate_part(struct inode *inode, const struct held_run *run, unsigned long *done)
{
	unsigned long pages = alike(run);
	bool reserved = PageReserved(pfn_to_page(run->pfn));
	int err = 0;

	for (*done = 0; *done < pages && !err; cond_resched()) {
		struct page *page = pfn_to_page(run->pfn + *done);

		err = check_frame(inode, run, *done);
		if (!err)
			err = reserved ? activate_page(inode, run->index + *done, page) :
				activate_given(inode, run->index + *done, page);
		*done += !err;
	}
	if (reserved)
		pramfs_frames_managed(run->pfn, *done);
	return err;
}

static int activate_run(struct inode *inode, struct held_run run)
{
	struct pramfs_held *h = &PRAMFS_I(inode)->held;
	unsigned long done;
	int err = 0;

	if (!taken_bits(h, GFP_KERNEL | pramfs_spare_others()))
		return -ENOMEM;
	bitmap_set(h->taken, run.ordinal, run.pages);
	while (run.pages && !err) {
		err = activate_part(inode, &run, &done);
		WRITE_ONCE(h->left, h->left - done);
		run.index += done;
		run.pfn += done;
		run.ordinal += done;
		run.pages -= done;
	}
	bitmap_clear(h->taken, run.ordinal, run.pages);
	return err;
}

int pramfs_held_activate(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	struct held_run run;
	int err = 0;

	if (!READ_ONCE(pi->held.left))
		return 0;
	mutex_lock(&pi->held_lock);
	while (!err && next_run_to(&pi->held, first, last, &run)) {
		err = activate_run(inode, run);
		first = run.index + run.pages;
	}
	mutex_unlock(&pi->held_lock);
	return err;
}

static void free_run(struct held_run run)
{
	unsigned long i, n;

	for (; run.pages; run.pfn += n, run.pages -= n) {
		bool reserved = PageReserved(pfn_to_page(run.pfn));

		n = alike(&run);
		if (reserved)
			pramfs_frames_managed(run.pfn, n);
		for (i = 0; i < n; i++) {
			struct page *page = pfn_to_page(run.pfn + i);

			if (reserved)
				__ClearPageReserved(page);
			put_page(page);	/* a reader or a process may have one, too */
		}
		cond_resched();
	}
}

void pramfs_held_drop(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	struct pramfs_held *h = &pi->held;
	bool all = !first && last == ULONG_MAX;
	struct held_run run;

	if (!READ_ONCE(h->left))
		return;
	mutex_lock(&pi->held_lock);
	while (next_run_to(h, first, last, &run)) {
		/* A truncation cannot fail; of the whole it needs no bits. */
		if (!all)
			bitmap_set(taken_bits(h, GFP_KERNEL | __GFP_NOFAIL), run.ordinal, run.pages);
		WRITE_ONCE(h->left, h->left - run.pages);
		free_run(run);
		first = run.index + run.pages;
	}
	if (all)
		WRITE_ONCE(h->nr, 0);
	mutex_unlock(&pi->held_lock);
}
