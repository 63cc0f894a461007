// SPDX-License-Identifier: GPL-2.0
/*
 * onebyone.c - how long it takes to give reserved memory back page by page.
 *
 *	insmod onebyone.ko mib=N
 *
 * Three times: takes N MiB in the largest blocks there are, makes of every page
 * what the boot allocator makes of a reserved one (PG_reserved, one reference,
 * not managed), and frees them in the way of free_reserved_page(). The time of
 * the freeing alone goes to the log. What pramfs_give_back() does is compared
 * with it.
 *
 * Always fails to load: -ECANCELED when it has measured, so that it need not be
 * unloaded, -ENOMEM when N MiB are not to be had.
 */
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#define ROUNDS	3

static unsigned int mib = 256;
module_param(mib, uint, 0444);
MODULE_PARM_DESC(mib, "MiB to free");

static struct page **block;
static unsigned long nr_blocks;

static void free_blocks(unsigned long nr)
{
	while (nr)
		__free_pages(block[--nr], MAX_PAGE_ORDER);
}

static int take_blocks(void)
{
	unsigned long i;

	for (i = 0; i < nr_blocks; i++) {
		block[i] = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL, MAX_PAGE_ORDER);
		if (!block[i]) {
			free_blocks(i);
			return -ENOMEM;
		}
		cond_resched();
	}
	return 0;
}

static void reserve_block(struct page *page)
{
	unsigned long i;

	split_page(page, MAX_PAGE_ORDER);	/* one reference each */
	for (i = 0; i < MAX_ORDER_NR_PAGES; i++)
		SetPageReserved(page + i);
	adjust_managed_page_count(page, -(long)MAX_ORDER_NR_PAGES);
}

static void free_block(struct page *page)
{
	unsigned long i;

	for (i = 0; i < MAX_ORDER_NR_PAGES; i++) {
		ClearPageReserved(page + i);
		init_page_count(page + i);
		__free_page(page + i);
		adjust_managed_page_count(page + i, 1);
	}
}

static int measure(void)
{
	unsigned long i;
	u64 start, took;
	int err;

	err = take_blocks();
	if (err)
		return err;
	for (i = 0; i < nr_blocks; i++)
		reserve_block(block[i]);
	start = ktime_get_ns();
	for (i = 0; i < nr_blocks; i++) {
		free_block(block[i]);
		cond_resched();
	}
	took = ktime_get_ns() - start;
	pr_info("onebyone: %lu pages in %llu ns\n", nr_blocks * MAX_ORDER_NR_PAGES, took);
	return 0;
}

static int __init onebyone_init(void)
{
	int round, err = 0;

	nr_blocks = ((unsigned long)mib << (20 - PAGE_SHIFT)) / MAX_ORDER_NR_PAGES;
	if (!nr_blocks)
		return -EINVAL;
	block = kvcalloc(nr_blocks, sizeof(*block), GFP_KERNEL);
	if (!block)
		return -ENOMEM;
	for (round = 0; round < ROUNDS && !err; round++)
		err = measure();
	kvfree(block);
	if (err)
		pr_err("onebyone: cannot have %u MiB: %d\n", mib, err);
	return err ?: -ECANCELED;
}

module_init(onebyone_init);
MODULE_DESCRIPTION("Time giving memory back page by page, for the benchmark");
MODULE_LICENSE("GPL");
