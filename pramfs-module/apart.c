// SPDX-License-Identifier: GPL-2.0
/*
 * apart.c - the pages of a file that are not page cache: those that came from the
 * old kernel (held.c) and those of processes (adopt.c). A page is in one of the
 * three places; whoever needs it in the page cache activates it.
 */
#include "internal.h"

struct page *pramfs_apart_get(struct inode *inode, pgoff_t index)
{
	return pramfs_held_get(inode, index) ?: pramfs_adopted_get(inode, index);
}

int pramfs_apart_activate(struct inode *inode, pgoff_t first, pgoff_t last)
{
	return pramfs_held_activate(inode, first, last) ?:
	       pramfs_adopted_activate(inode, first, last);
}

void pramfs_apart_drop(struct inode *inode, pgoff_t first, pgoff_t last)
{
	pramfs_held_drop(inode, first, last);
	pramfs_adopted_drop(inode, first, last);
}

bool pramfs_apart_next(struct inode *inode, pgoff_t *index, unsigned long *pfn,
		       unsigned long *pages)
{
	unsigned long adopted_pfn, adopted_pages;
	pgoff_t adopted = *index;
	bool held = pramfs_held_next(inode, index, pfn, pages);

	if (!pramfs_adopted_next(inode, &adopted, &adopted_pfn, &adopted_pages) ||
	    (held && *index < adopted))
		return held;
	*index = adopted;
	*pfn = adopted_pfn;
	*pages = adopted_pages;
	return true;
}

unsigned long pramfs_apart_pages(struct inode *inode)
{
	return READ_ONCE(PRAMFS_I(inode)->held.left) + READ_ONCE(PRAMFS_I(inode)->nr_adopted);
}
