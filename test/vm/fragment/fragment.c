// SPDX-License-Identifier: GPL-2.0
/*
 * fragment.c - make memory fragmented, for tests of claims and handovers.
 *
 *	insmod fragment.ko mib=N [low=1]
 *
 * Takes N MiB of single pages and gives those with an odd frame number back, so
 * that no two free frames of them are neighbours. The others are unmovable and
 * stay until rmmod. low=1 takes them below 4 GiB.
 *
 * When not all of N MiB can be had, none is kept: -ENOMEM.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>

static unsigned int mib;
module_param(mib, uint, 0444);
MODULE_PARM_DESC(mib, "MiB to take; about half of it stays");

static bool low;
module_param(low, bool, 0444);
MODULE_PARM_DESC(low, "take it below 4 GiB");

static struct page **pages;
static unsigned long nr_pages;

static void free_pages_where(bool (*wanted)(struct page *page))
{
	for (unsigned long i = 0; i < nr_pages; i++) {
		if (!pages[i] || !wanted(pages[i]))
			continue;
		__free_page(pages[i]);
		pages[i] = NULL;
		cond_resched();
	}
}

static bool any(struct page *page)
{
	return true;
}

static bool odd(struct page *page)
{
	return page_to_pfn(page) & 1;
}

static int take_pages(void)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL | (low ? GFP_DMA32 : 0);

	for (unsigned long i = 0; i < nr_pages; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		pages[i] = alloc_page(gfp);
		if (!pages[i])
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

static int __init fragment_init(void)
{
	unsigned long kept = 0;
	int err;

	nr_pages = (unsigned long)mib << (20 - PAGE_SHIFT);
	if (!nr_pages)
		return -EINVAL;
	pages = kvcalloc(nr_pages, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	err = take_pages();
	if (err) {
		pr_err("fragment: cannot take %u MiB: %d\n", mib, err);
		free_pages_where(any);
		kvfree(pages);
		return err;
	}
	free_pages_where(odd);
	for (unsigned long i = 0; i < nr_pages; i++)
		kept += !!pages[i];
	pr_info("fragment: keeps %lu of %lu pages\n", kept, nr_pages);
	return 0;
}

static void __exit fragment_exit(void)
{
	free_pages_where(any);
	kvfree(pages);
}

module_init(fragment_init);
module_exit(fragment_exit);
MODULE_DESCRIPTION("Fragment memory, for tests");
MODULE_LICENSE("GPL");
