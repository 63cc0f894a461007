// SPDX-License-Identifier: GPL-2.0
/*
 * held.c - frames that came from the old kernel and lie where they lay.
 *
 * Opening a handover costs per extent, not per page: a file's frames are only
 * noted, as ranges of page index, and stay reserved. A frame becomes page cache
 * ("is activated") when somebody maps it, writes to it, or when it must become
 * movable; reading copies straight from it; truncation frees it.
 *
 * A range holds pfn - index, which is the same for all of its pages, so that
 * taking pages out of its middle needs no rewriting of what is left.
 *
 * Page cache and held frames of a file never overlap: a page is taken out of
 * the ranges before it enters the page cache, both under held_lock, and a
 * reader looks first here, then there.
 */
#include <linux/pagemap.h>

#include "internal.h"

#define DELTA_MASK	((1ul << 62) - 1)
/* Range bookkeeping of a few hundred bytes: losing track of frames is no choice. */
#define GFP_HELD	(GFP_KERNEL | __GFP_NOFAIL)

static void *delta_entry(u64 index, u64 pfn)
{
	return xa_mk_value((pfn - index) & DELTA_MASK);
}

static unsigned long entry_pfn(void *entry, unsigned long index)
{
	return (xa_to_value(entry) + index) & DELTA_MASK;
}

int pramfs_held_add(struct inode *inode, u64 index, u64 pfn, u64 pages)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	int err;

	err = mtree_store_range(&pi->held, index, index + pages - 1,
				delta_entry(index, pfn), GFP_KERNEL);
	if (!err)
		pi->nr_held += pages;
	return err;
}

bool pramfs_held_next(struct inode *inode, pgoff_t *index, unsigned long *pfn, unsigned long *pages)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	MA_STATE(mas, &pi->held, *index, *index);
	void *entry;
	bool found = false;

	if (!READ_ONCE(pi->nr_held))
		return false;
	mas_lock(&mas);
	entry = mas_find(&mas, ULONG_MAX);
	if (entry) {
		*index = max(*index, mas.index);
		*pfn = entry_pfn(entry, *index);
		*pages = mas.last - *index + 1;
		found = true;
	}
	mas_unlock(&mas);
	return found;
}

struct page *pramfs_held_get(struct inode *inode, pgoff_t index)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	struct page *page = NULL;
	void *entry;

	if (!READ_ONCE(pi->nr_held))
		return NULL;
	mutex_lock(&pi->held_lock);
	entry = mtree_load(&pi->held, index);
	if (entry) {
		page = pfn_to_page(entry_pfn(entry, index));
		get_page(page);
	}
	mutex_unlock(&pi->held_lock);
	return page;
}

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

static int activate_range(struct inode *inode, pgoff_t index, unsigned long pfn, unsigned long pages)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	unsigned long done;
	int err = 0;

	mtree_store_range(&pi->held, index, index + pages - 1, NULL, GFP_HELD);
	for (done = 0; done < pages && !err; done++) {
		err = activate_page(inode, index + done, pfn_to_page(pfn + done));
		cond_resched();
	}
	if (err) {
		done--;
		mtree_store_range(&pi->held, index + done, index + pages - 1,
				  delta_entry(index, pfn), GFP_HELD);
	}
	pramfs_frames_managed(pfn, done);
	WRITE_ONCE(pi->nr_held, pi->nr_held - done);
	return err;
}

int pramfs_held_activate(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	unsigned long pfn, pages;
	int err = 0;

	if (!READ_ONCE(pi->nr_held))
		return 0;
	mutex_lock(&pi->held_lock);
	while (!err && first <= last && pramfs_held_next(inode, &first, &pfn, &pages) && first <= last) {
		pages = min(pages - 1, last - first) + 1;	/* last may be the largest number */
		err = activate_range(inode, first, pfn, pages);
		first += pages;
	}
	mutex_unlock(&pi->held_lock);
	return err;
}

void pramfs_held_drop(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	unsigned long pfn, pages, i;

	if (!READ_ONCE(pi->nr_held))
		return;
	mutex_lock(&pi->held_lock);
	while (first <= last && pramfs_held_next(inode, &first, &pfn, &pages) && first <= last) {
		pages = min(pages - 1, last - first) + 1;	/* last may be the largest number */
		mtree_store_range(&pi->held, first, first + pages - 1, NULL, GFP_HELD);
		pramfs_frames_managed(pfn, pages);
		for (i = 0; i < pages; i++) {
			__ClearPageReserved(pfn_to_page(pfn + i));
			put_page(pfn_to_page(pfn + i));	/* a reader may have one, too */
		}
		WRITE_ONCE(pi->nr_held, pi->nr_held - pages);
		first += pages;
		cond_resched();
	}
	mutex_unlock(&pi->held_lock);
}
