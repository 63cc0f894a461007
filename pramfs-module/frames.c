// SPDX-License-Identifier: GPL-2.0
/*
 * frames.c - frames that were reserved at boot become the system's memory.
 *
 * A frame in a reserved range of the handover has been left alone by the boot
 * memory allocator: its struct page is initialised, has a reference count of 1
 * and PG_reserved, and its zone does not count it as managed. This is what
 * memory hot-add and the balloon drivers meet too; the difference is that we
 * free in blocks as large as the buddy allocator takes, since a machine has
 * millions of such frames and somebody is waiting.
 */
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mmzone.h>
#include <linux/sched.h>

#include "internal.h"

void pramfs_frames_managed(unsigned long pfn, unsigned long frames)
{
	while (frames) {
		struct page *page = pfn_to_page(pfn);
		unsigned long n = min(frames, zone_end_pfn(page_zone(page)) - pfn);

		adjust_managed_page_count(page, n);
		pfn += n;
		frames -= n;
	}
}

/* A block of 2^order frames, aligned to its size, all of them reserved. */
static void free_block(unsigned long pfn, unsigned int order)
{
	struct page *page = pfn_to_page(pfn);
	unsigned long i;

	for (i = 0; i < 1ul << order; i++) {
		__ClearPageReserved(page + i);
		set_page_count(page + i, 0);
	}
	set_page_count(page, 1);
	__free_pages(page, order);
}

static bool all_reserved(unsigned long pfn, unsigned long frames)
{
	unsigned long i;

	for (i = 0; i < frames; i++)
		if (!PageReserved(pfn_to_page(pfn + i)))
			return false;
	return true;
}

unsigned long pramfs_give_back(unsigned long pfn, unsigned long frames)
{
	unsigned long start = pfn, run = 0, total = 0;

	while (frames) {
		unsigned int order = min_t(unsigned int, MAX_PAGE_ORDER, ilog2(frames));

		if (pfn)
			order = min_t(unsigned int, order, __ffs(pfn));
		/* A frame that the kernel did take for itself is its own already. */
		while (order && !all_reserved(pfn, 1ul << order))
			order--;
		if (!order && !PageReserved(pfn_to_page(pfn))) {
			pramfs_frames_managed(start, run);
			start = pfn + 1;
			run = 0;
		} else {
			free_block(pfn, order);
			run += 1ul << order;
			total += 1ul << order;
		}
		pfn += 1ul << order;
		frames -= 1ul << order;
		cond_resched();
	}
	pramfs_frames_managed(start, run);
	return total;
}

struct page *pramfs_alloc_page(gfp_t gfp)
{
	struct page *page, *low = NULL;

	/* Low frames are set aside until a good one comes; there are few of them. */
	for (;;) {
		page = alloc_page(gfp);
		if (!page || page_to_pfn(page) >= PRAMFS_LOWEST_PFN)
			break;
		set_page_private(page, (unsigned long)low);
		low = page;
	}
	while (low) {
		struct page *next = (struct page *)page_private(low);

		set_page_private(low, 0);
		__free_page(low);
		low = next;
	}
	return page;
}
