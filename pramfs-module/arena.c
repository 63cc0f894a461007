// SPDX-License-Identifier: GPL-2.0
/*
 * arena.c - the boot arena: contiguous memory in which the next kernel starts.
 *
 * All other memory from 16 MiB on may be reserved for the handover, so the next
 * kernel's image, initrd and early allocations must find room here. The arenas
 * are claimed while everything runs: what is movable is moved out of the way.
 * They consist of blocks of 2 MiB.
 *
 * To find them, every block of system RAM is looked at once and marked as
 * hopeful or not (something in it cannot move). A run of hopeful blocks is then
 * claimed whole; where that fails, its blocks are tried one by one, and those
 * that will not are marked. So every failure makes the search shorter.
 *
 * All under pramfs_op_lock.
 */
#include <linux/bitmap.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mmzone.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include "internal.h"

#define BLOCK_FRAMES	512ul
#define BLOCK_BYTES	(BLOCK_FRAMES << PAGE_SHIFT)
#define PIECE_FRAMES	(64 * BLOCK_FRAMES)	/* 128 MiB: some 20 ms */
#define LOW_BLOCKS	((1ul << 32) / BLOCK_BYTES)	/* 4 GiB */
#define FUTILE_TRIES	3
#define MIN_RUN		2ul		/* blocks; smaller arenas are of no use */
#define MAX_RAM		256

struct task_struct *pramfs_claimer;
static struct page *root_page;
static struct pramfs_pfn_range arena[PRAMFS_MAX_ARENAS];
static int nr_arenas;
#define NR_FENCES	2
static unsigned long fences[NR_FENCES];
static int nr_fences;

/* ---- system RAM --------------------------------------------------------- */

struct ram {
	struct pramfs_pfn_range range[MAX_RAM];
	int nr;
};

static int add_ram(struct resource *res, void *arg)
{
	struct ram *ram = arg;
	struct pramfs_pfn_range *last = ram->nr ? &ram->range[ram->nr - 1] : NULL;
	unsigned long start = max_t(unsigned long, PFN_UP(res->start), PRAMFS_LOWEST_PFN);
	unsigned long end = PFN_DOWN(res->end + 1);

	/* What a driver has added, the next kernel has not until its driver adds it again. */
	if (start >= end || (res->flags & IORESOURCE_SYSRAM_DRIVER_MANAGED))
		return 0;
	if (last && last->pfn + last->frames == start) {
		last->frames = end - last->pfn;
		return 0;
	}
	if (ram->nr == MAX_RAM)
		return -E2BIG;
	ram->range[ram->nr++] = (struct pramfs_pfn_range){ start, end - start };
	return 0;
}

static int cut(struct pramfs_pfn_range *range, int *nr, int max, unsigned long pfn,
	       unsigned long frames)
{
	unsigned long end = pfn + frames;
	int i;

	for (i = 0; i < *nr; i++) {
		struct pramfs_pfn_range *r = &range[i];
		unsigned long r_end = r->pfn + r->frames;

		if (r_end <= pfn || r->pfn >= end)
			continue;
		if (r->pfn < pfn && r_end > end) {
			if (*nr == max)
				return -E2BIG;
			memmove(r + 1, r, (*nr - i) * sizeof(*r));
			++*nr;
			r[0].frames = pfn - r[0].pfn;
			r[1].frames = r_end - end;
			r[1].pfn = end;
			i++;
		} else if (r->pfn < pfn) {
			r->frames = pfn - r->pfn;
		} else if (r_end > end) {
			r->pfn = end;
			r->frames = r_end - end;
		} else {
			memmove(r, r + 1, (*nr - i - 1) * sizeof(*r));
			--*nr;
			i--;
		}
	}
	return 0;
}

static int cut_crash(struct resource *res, void *arg)
{
	struct ram *ram = arg;

	return cut(ram->range, &ram->nr, MAX_RAM, PFN_DOWN(res->start),
		   PFN_UP(res->end + 1) - PFN_DOWN(res->start));
}

/* All that the firmware tells of, from 16 MiB on, sorted, without the crash kernel's region. */
static int system_ram(struct ram *ram)
{
	int err;

	ram->nr = 0;
	err = walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0, -1,
				  ram, add_ram);
	if (err < 0)
		return err;
	err = walk_iomem_res_desc(IORES_DESC_CRASH_KERNEL, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				  0, -1, ram, cut_crash);
	return err == -EINVAL ? 0 : err;	/* -EINVAL: there is none */
}

/*
 * Kernels of the 6.x series take what is reserved by a handover for something
 * other than RAM when they look for the end of RAM, all of it and that below
 * 4 GiB: with its last frame reserved they believe that RAM ends sooner, and die
 * when they meet the rest. So these frames are never reserved.
 */
static int fence_frames(const struct ram *ram, unsigned long *fence)
{
	const unsigned long low = LOW_BLOCKS * BLOCK_FRAMES;
	int i, nr = 0;

	for (i = 0; i < ram->nr; i++) {
		unsigned long end = ram->range[i].pfn + ram->range[i].frames;
		bool last = i + 1 == ram->nr;

		if (ram->range[i].pfn < low && (last || ram->range[i + 1].pfn >= low))
			fence[nr++] = min(end, low) - 1;
		if (last && end > low)
			fence[nr++] = end - 1;
	}
	return nr;
}

static int cut_fences(struct ram *ram)
{
	unsigned long fence[NR_FENCES];
	int i, err = 0, nr = fence_frames(ram, fence);

	for (i = 0; i < nr && !err; i++)
		err = cut(ram->range, &ram->nr, MAX_RAM, fence[i], 1);
	return err;
}

/*
 * Keep files off these frames. The kernel refuses where their block of 2 MiB has
 * something immovable, as the end of RAM often has: then the seal copies the page.
 */
static void claim_fences(const struct ram *ram)
{
	unsigned long frame[NR_FENCES];
	int i, nr = fence_frames(ram, frame);

	for (i = 0; i < nr; i++)
		if (!pramfs_contig(frame[i], 1))
			fences[nr_fences++] = frame[i];
}

int pramfs_publishable(struct pramfs_pfn_range *range, int max)
{
	struct ram *ram = kmalloc(sizeof(*ram), GFP_KERNEL);
	int i, err;

	if (!ram)
		return -ENOMEM;
	err = system_ram(ram);
	if (!err)
		err = cut_fences(ram);
	for (i = 0; i < nr_arenas && !err; i++)
		err = cut(ram->range, &ram->nr, MAX_RAM, arena[i].pfn, arena[i].frames);
	if (!err && ram->nr > max)
		err = -E2BIG;
	if (!err) {
		if (range)
			memcpy(range, ram->range, ram->nr * sizeof(*range));
		err = ram->nr;
	} else {
		pr_err("system RAM has too many parts for one handover: %d\n", err);
	}
	kfree(ram);
	return err;
}

/* ---- looking ------------------------------------------------------------ */

struct search {
	unsigned long *hopeful;		/* one bit a block */
	unsigned long nr;		/* blocks, from address 0 */
};

/* A guess; claiming is what shows. */
static bool page_moves(struct page *page)
{
	struct page *head = compound_head(page);

	if (PageReserved(page) || PageSlab(head) || PageTable(head))
		return false;
	if (!page_count(head))
		return true;		/* free, or just being freed */
	return PageLRU(head) || READ_ONCE(head->mapping);
}

static bool block_moves(unsigned long block)
{
	unsigned long pfn = block * BLOCK_FRAMES, i;
	struct zone *zone;

	if (!pfn_valid(pfn) || !pfn_to_online_page(pfn))
		return false;
	zone = page_zone(pfn_to_page(pfn));
	for (i = 0; i < BLOCK_FRAMES; i++) {
		struct page *page = pfn_to_online_page(pfn + i);

		if (!page || page_zone(page) != zone || !page_moves(page))
			return false;
	}
	return true;
}

static int search_start(struct search *s)
{
	struct ram *ram = kmalloc(sizeof(*ram), GFP_KERNEL);
	unsigned long block, end;
	int i, err;

	if (!ram)
		return -ENOMEM;
	err = system_ram(ram);
	if (err || !ram->nr)
		goto out;
	claim_fences(ram);
	end = ram->range[ram->nr - 1].pfn + ram->range[ram->nr - 1].frames;
	s->nr = end / BLOCK_FRAMES;
	s->hopeful = kvzalloc(BITS_TO_LONGS(s->nr) * sizeof(long), GFP_KERNEL);
	if (!s->hopeful) {
		err = -ENOMEM;
		goto out;
	}
	for (i = 0; i < ram->nr; i++) {
		struct pramfs_pfn_range *r = &ram->range[i];

		for (block = DIV_ROUND_UP(r->pfn, BLOCK_FRAMES);
		     (block + 1) * BLOCK_FRAMES <= r->pfn + r->frames; block++) {
			if (block_moves(block))
				__set_bit(block, s->hopeful);
			cond_resched();
		}
	}
out:
	kfree(ram);
	return err;
}

static bool same_zone(unsigned long a, unsigned long b)
{
	return page_zone(pfn_to_page(a * BLOCK_FRAMES)) == page_zone(pfn_to_page(b * BLOCK_FRAMES));
}

/*
 * The longest run of hopeful blocks in [from, to), but no longer than want; of
 * those the first. Returns its length, 0 = none.
 */
static unsigned long longest_run(struct search *s, unsigned long from, unsigned long to,
				 unsigned long want, unsigned long *at)
{
	unsigned long best = 0, start = 0, run = 0, b;

	for (b = from; b < min(to, s->nr) && best < want; b++) {
		if (!test_bit(b, s->hopeful)) {
			run = 0;
			continue;
		}
		if (!run || !same_zone(start, b)) {
			start = b;
			run = 0;
		}
		if (++run > best) {
			best = run;
			*at = start;
		}
	}
	return best;
}

/* ---- claiming ----------------------------------------------------------- */

/* Mark the blocks of a run that cannot be claimed; returns whether there were any. */
static bool blame(struct search *s, unsigned long at, unsigned long n)
{
	bool found = false;
	unsigned long b;

	for (b = at; b < at + n; b++) {
		if (!pramfs_contig(b * BLOCK_FRAMES, BLOCK_FRAMES)) {
			free_contig_range(b * BLOCK_FRAMES, BLOCK_FRAMES);
			continue;
		}
		__clear_bit(b, s->hopeful);
		found = true;
	}
	return found;
}

/*
 * The kernel zeroes what it hands out, without a pause: in pieces, so that a
 * large arena does not hold up a CPU for as long as its memory takes.
 */
static int claim_pieces(unsigned long pfn, unsigned long frames)
{
	unsigned long done, n;
	int err;

	for (done = 0; done < frames; done += n) {
		n = min(frames - done, PIECE_FRAMES);
		err = pramfs_contig(pfn + done, n);
		if (err) {
			if (done)
				free_contig_range(pfn, done);
			return err;
		}
		cond_resched();
	}
	return 0;
}

/*
 * Claim up to want blocks in [from, to) as one arena, at least least. Returns
 * how many, 0 = not to be had.
 */
static unsigned long claim_run(struct search *s, unsigned long from, unsigned long to,
			       unsigned long want, unsigned long least)
{
	unsigned long at, n;
	int err, futile = 0;

	if (nr_arenas == PRAMFS_MAX_ARENAS)
		return 0;
	for (;;) {
		n = longest_run(s, from, to, want, &at);
		if (!n || n < least || fatal_signal_pending(current))
			return 0;
		err = claim_pieces(at * BLOCK_FRAMES, n * BLOCK_FRAMES);
		if (!err)
			break;
		if (err == -ENOMEM)	/* there is nowhere to move things to */
			return 0;
		/*
		 * Where each block can be claimed alone, something was in use
		 * just then, which may pass; if it does not, part of the run is
		 * given up.
		 */
		if (!blame(s, at, n) && ++futile > FUTILE_TRIES)
			bitmap_clear(s->hopeful, at, n / 8 + 1);
		cond_resched();
	}
	bitmap_clear(s->hopeful, at, n);
	arena[nr_arenas++] = (struct pramfs_pfn_range){ at * BLOCK_FRAMES, n * BLOCK_FRAMES };
	return n;
}

/* Claim blocks in [from, to) as few arenas; returns how many are missing. */
static unsigned long claim_blocks(struct search *s, unsigned long from, unsigned long to,
				  unsigned long want)
{
	unsigned long n;

	while (want) {
		n = claim_run(s, from, to, want, min(MIN_RUN, want));
		if (!n)
			break;
		want -= n;
	}
	return want;
}

static unsigned long blocks(u64 bytes)
{
	return min_t(u64, bytes, 1ull << 52) / BLOCK_BYTES + !!(bytes % BLOCK_BYTES);
}

static int claim_all(struct search *s, struct pramfs_ioc_claim *c)
{
	unsigned long contig = blocks(c->contig), low = max(blocks(c->low), contig);
	unsigned long any = blocks(c->any), n;
	unsigned long room = max(si_mem_available(), 0l) / BLOCK_FRAMES;

	/* What is moved out of the way must find room elsewhere. */
	if (low + any > room) {
		c->low_missing = (low + any - room) * BLOCK_BYTES;
		return -ENOMEM;
	}
	/* All in one piece if that can be had, else the piece that must be. */
	n = claim_run(s, 0, LOW_BLOCKS, low, low);
	if (!n && contig) {
		n = claim_run(s, 0, LOW_BLOCKS, low, contig);
		if (!n) {
			unsigned long at;

			n = longest_run(s, 0, LOW_BLOCKS, contig, &at);
			c->contig_missing = (contig - n) * BLOCK_BYTES;
			return -ENOMEM;
		}
	}
	c->low_missing = claim_blocks(s, 0, LOW_BLOCKS, low - n) * BLOCK_BYTES;
	any = claim_blocks(s, LOW_BLOCKS, s->nr, any);
	c->any_missing = claim_blocks(s, 0, LOW_BLOCKS, any) * BLOCK_BYTES;
	return c->low_missing || c->any_missing ? -ENOMEM : 0;
}

static int by_pfn(const void *a, const void *b)
{
	const struct pramfs_pfn_range *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

/* What was held in place must be able to move now. */
static int activate_everything(void)
{
	struct pramfs_sb *sbi;
	struct inode *inode, *prev = NULL;
	int err = 0;

	mutex_lock(&pramfs_mounts_lock);
	list_for_each_entry(sbi, &pramfs_mounts, list) {
		struct super_block *sb = sbi->sb;

		spin_lock(&sb->s_inode_list_lock);
		list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
			if (!pramfs_apart_pages(inode) || !igrab(inode))
				continue;
			spin_unlock(&sb->s_inode_list_lock);
			iput(prev);	/* not before the list has been left: it holds our place */
			prev = inode;
			err = pramfs_change_begin();
			if (!err) {
				err = pramfs_apart_activate(inode, 0, ULONG_MAX);
				pramfs_change_end();
			}
			spin_lock(&sb->s_inode_list_lock);
			if (err)
				break;
		}
		spin_unlock(&sb->s_inode_list_lock);
		iput(prev);
		prev = NULL;
		if (err)
			break;
	}
	mutex_unlock(&pramfs_mounts_lock);
	return err;
}

int pramfs_claim(struct pramfs_ioc_claim *c)
{
	struct search s = {};
	int err, i;

	c->contig_missing = 0;
	c->low_missing = 0;
	c->any_missing = 0;
	if (root_page) {
		pr_err("claim: an arena is claimed already\n");
		return -EBUSY;
	}
	if (pramfs_came()) {
		pr_err("claim: a handover from the old kernel is still there: mount it or discard it\n");
		return -EBUSY;
	}
	WRITE_ONCE(pramfs_claimer, current);
	err = activate_everything();
	if (!err) {
		root_page = pramfs_alloc_page(GFP_KERNEL | __GFP_ZERO | pramfs_spare_others());
		err = root_page ? search_start(&s) : -ENOMEM;
	}
	if (!err)
		err = claim_all(&s, c);
	WRITE_ONCE(pramfs_claimer, NULL);
	kvfree(s.hopeful);
	if (!err)	/* what the arenas leave could not be sealed, when all else is done */
		err = min(pramfs_publishable(NULL, PRAMFS_MAX_RANGES), 0);
	if (err) {
		pramfs_release();
		return err;
	}
	sort(arena, nr_arenas, sizeof(arena[0]), by_pfn, NULL);
	c->nr = nr_arenas;
	for (i = 0; i < nr_arenas; i++) {
		c->arena[i].start = PFN_PHYS(arena[i].pfn);
		c->arena[i].bytes = PFN_PHYS(arena[i].frames);
	}
	c->root = page_to_phys(root_page);
	pramfs_put_empty_root(page_address(root_page), page_to_pfn(root_page));
	return 0;
}

void pramfs_release(void)
{
	while (nr_arenas) {
		nr_arenas--;
		free_contig_range(arena[nr_arenas].pfn, arena[nr_arenas].frames);
	}
	while (nr_fences)
		free_contig_range(fences[--nr_fences], 1);
	if (root_page)
		__free_page(root_page);
	root_page = NULL;
}

bool pramfs_is_claimed(void)
{
	return root_page;
}

struct pramfs_root *pramfs_claimed_root(void)
{
	return page_address(root_page);
}

unsigned long pramfs_arena_frames(void)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i < nr_arenas; i++)
		sum += arena[i].frames;
	return sum;
}

void pramfs_arena_spans(struct pramfs_root *root)
{
	int i;

	for (i = 0; i < nr_arenas; i++) {
		root->arena[i].pfn = cpu_to_le64(arena[i].pfn);
		root->arena[i].frames = cpu_to_le64(arena[i].frames);
	}
	root->nr_arenas = cpu_to_le32(nr_arenas);
}
