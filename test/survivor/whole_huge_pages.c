// SPDX-License-Identifier: GPL-2.0
/*
 * Transparent huge pages that are whole, of one process: some that nobody touches
 * again, some that are written, forked, moved, parted and given back at the first
 * look, and some that are not written before the fourth.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "large.h"
#include "survivor.h"

#define IN_HUGE (HUGE / PAGE)

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static struct region kept, used, late;
static int checks;

static struct region map_written(const char *name, size_t pages)
{
	struct region r = region_map_huge(name, pages);

	region_write(&r, 0, r.pages, 1);
	return r;
}

/* Whole again, for the next dump. */
static void renew(struct region *r)
{
	size_t pages = r->pages;

	must(munmap(r->at, pages * PAGE));
	free(r->generation);
	*r = map_written(r->name, pages);
}

static void set_up(void)
{
	kept = map_written("kept huge pages", large_pages() / 2);
	used = map_written("used huge pages", large_pages() / 4 + IN_HUGE);
	late = map_written("late huge pages", IN_HUGE);
}

/* To a place that is so many bytes behind a multiple of HUGE. */
static void move(struct region *r, size_t behind)
{
	size_t size = r->pages * PAGE;
	unsigned char *place = mmap(NULL, size + 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *at;

	at = place + HUGE - (uintptr_t)place % HUGE + behind;
	munmap(place, size + 2 * HUGE);	/* nobody else is here who would take it */
	at = mremap(r->at, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at);
	if (expect_call("mremap", at == MAP_FAILED ? -1 : 0))
		r->at = at;
	expect_region(r);
}

static void write_and_part(struct region *r)
{
	/* one ordinary page of each */
	region_write(r, checks % IN_HUGE, r->pages, IN_HUGE);
	expect_region(r);
	expect_call("MADV_DONTNEED", madvise(r->at + 17 * PAGE, 30 * PAGE, MADV_DONTNEED));
	region_forget(r, 17, 47);
	expect_call("mprotect", mprotect(r->at + 100 * PAGE, 50 * PAGE, PROT_READ));
	expect_region(r);
	expect_call("mprotect", mprotect(r->at + 100 * PAGE, 50 * PAGE, PROT_READ | PROT_WRITE));
	region_write(r, 90, 160, 1);
}

static void check(void)
{
	expect_region(&kept);
	expect_region(&used);
	expect_region(&late);
	expect_fork_keeps(&used);
	move(&used, 0);
	write_and_part(&used);
	expect_call("mlock", mlock(used.at, used.pages * PAGE));
	expect_call("munlock", munlock(used.at, used.pages * PAGE));
	move(&used, 3 * PAGE);
	/* without swap it does nothing */
	expect_call("MADV_PAGEOUT", madvise(used.at, used.pages * PAGE, MADV_PAGEOUT));
	expect_region(&used);
	renew(&used);
	if (++checks % 4 == 0) {
		region_write(&late, 0, late.pages, 1);
		expect_region(&late);
		expect_fork_keeps(&late);
		renew(&late);
	}
}

static void sabotage(int which)
{
	switch (which) {
	case 1: kept.at[kept.pages / 2 * PAGE] ^= 4; break;
	case 2: used.at[used.pages / 2 * PAGE + 8] ^= 1; break;
	case 3: madvise(late.at + PAGE, PAGE, MADV_DONTNEED); break;
	}
}

const struct survivor survivor_whole_huge_pages = {
	.name = "whole_huge_pages",
	.keeps = "transparent huge pages, of one process: untouched, written, moved, parted, given back",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
	.large = true,
};
