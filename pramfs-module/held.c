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

struct page *pramfs_held_get(struct inode *inode, pgoff_t index)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	struct page *page = NULL;
	struct held_run run;

	if (!READ_ONCE(pi->held.left))
		return NULL;
	mutex_lock(&pi->held_lock);
	if (next_run(&pi->held, index, &run) && run.index == index) {
		page = pfn_to_page(run.pfn);
		get_page(page);
	}
	mutex_unlock(&pi->held_lock);
	return page;
}

/* ---- taking pages out --------------------------------------------------- */

/* Takes over the reference that the frame was reserved with. */
static int activate_page(struct inode *inode, pgoff_t index, struct page *page)
{
	struct address_space *mapping = inode->i_mapping;
	struct folio *folio = page_folio(page);
	int err;

	__ClearPageReserved(page);
	err = filemap_add_folio(mapping, folio, index, mapping_gfp_mask(mapping));
	if (err) {
		__SetPageReserved(page);
		return err;
	}
	folio_mark_uptodate(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

static int activate_run(struct inode *inode, const struct held_run *run)
{
	struct pramfs_held *h = &PRAMFS_I(inode)->held;
	unsigned long done = 0;
	int err = 0;

	if (!taken_bits(h, GFP_KERNEL))
		return -ENOMEM;
	bitmap_set(h->taken, run->ordinal, run->pages);
	while (done < run->pages) {
		err = activate_page(inode, run->index + done, pfn_to_page(run->pfn + done));
		if (err)
			break;
		done++;
		cond_resched();
	}
	bitmap_clear(h->taken, run->ordinal + done, run->pages - done);
	pramfs_frames_managed(run->pfn, done);
	WRITE_ONCE(h->left, h->left - done);
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
		err = activate_run(inode, &run);
		first = run.index + run.pages;
	}
	mutex_unlock(&pi->held_lock);
	return err;
}

static void free_run(const struct held_run *run)
{
	unsigned long i;

	pramfs_frames_managed(run->pfn, run->pages);
	for (i = 0; i < run->pages; i++) {
		__ClearPageReserved(pfn_to_page(run->pfn + i));
		put_page(pfn_to_page(run->pfn + i));	/* a reader may have one, too */
	}
	cond_resched();
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
		free_run(&run);
		first = run.index + run.pages;
	}
	if (all)
		WRITE_ONCE(h->nr, 0);
	mutex_unlock(&pi->held_lock);
}
