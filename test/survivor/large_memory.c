// SPDX-License-Identifier: GPL-2.0
/*
 * Large private memory in ordinary pages: three processes that share it since a
 * fork and write to it, holes, what is moved, grown, given back, locked and
 * swapped out. Every check goes through all bytes and then changes some.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "large.h"
#include "survivor.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static struct region shared, moved, locked;
static pid_t child[2];
static int checks;

/* The generations are the child's own from here on. */
static void first_child(void)
{
	region_write(&shared, 0, shared.pages, 4);
}

static void second_child(void)
{
	region_write(&shared, 1, shared.pages, 5);
	must(munmap(moved.at, moved.pages * PAGE));
	moved.pages = 0;
}

static void child_check(void)
{
	expect_region(&shared);
	expect_region(&moved);
	region_write(&shared, checks++ % 7, shared.pages, 7);
}

static void set_up(void)
{
	size_t pages = large_pages();

	shared = region_map("memory since a fork", pages);
	moved = region_map("moved memory", pages / 4);
	locked = region_map("locked memory", 8);
	region_write(&shared, 0, pages, 1);
	/* what was never written lies between what was */
	region_write(&moved, 0, moved.pages, 2);
	region_write(&locked, 0, locked.pages, 1);
	must(mlock(locked.at, locked.pages * PAGE));
	child[0] = helper(first_child, child_check);
	child[1] = helper(second_child, child_check);
}

static void move_and_grow(void)
{
	size_t size = moved.pages * PAGE;
	void *at = mremap(moved.at, size, size + 64 * PAGE, MREMAP_MAYMOVE);
	unsigned char zeros[PAGE] = { 0 }, *place;

	if (!expect_call("mremap that grows", at == MAP_FAILED ? -1 : 0))
		return;
	moved.at = at;
	expect_bytes("what it grew by", zeros, moved.at + size + 63 * PAGE, PAGE);
	expect_call("mremap that shrinks",
		    mremap(moved.at, size + 64 * PAGE, size, 0) == MAP_FAILED ? -1 : 0);
	place = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	at = mremap(moved.at, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (expect_call("mremap to another place", at == MAP_FAILED ? -1 : 0))
		moved.at = at;
	expect_region(&moved);
}

static void give_back(void)
{
	size_t from = moved.pages / 3, to = moved.pages / 2;

	expect_call("MADV_DONTNEED", madvise(moved.at + from * PAGE, (to - from) * PAGE, MADV_DONTNEED));
	region_forget(&moved, from, to);
	expect_region(&moved);
	region_write(&moved, from, to, 2);
}

static void check(void)
{
	expect_region(&shared);
	expect_region(&moved);
	expect_region(&locked);
	expect_text("locked", "32 kB", proc_status(getpid(), "VmLck"));
	move_and_grow();
	give_back();
	expect_fork_keeps(&shared);
	region_write(&locked, 0, locked.pages, 3);
	region_write(&shared, checks++ % 11, shared.pages, 11);
	/* without swap it does nothing */
	expect_call("MADV_PAGEOUT", madvise(shared.at, shared.pages / 2 * PAGE, MADV_PAGEOUT));
	expect_region(&shared);
	helper_check(child[0]);
	helper_check(child[1]);
	expect_region(&shared);
	/* so that some lie in swap when the next dump comes */
	expect_call("MADV_PAGEOUT", madvise(shared.at, shared.pages / 4 * PAGE, MADV_PAGEOUT));
}

static void spoil(void)
{
	shared.at[shared.pages / 2 * PAGE + 77] ^= 1;
}

static void sabotage(int which)
{
	switch (which) {
	case 1: spoil(); break;
	case 2: moved.at[PAGE + 9] = 1; break;
	case 3: madvise(shared.at + PAGE, PAGE, MADV_DONTNEED); break;
	case 4: munlock(locked.at, PAGE); break;
	case 5: helper_do(child[0], spoil); break;
	case 6: helper_do(child[1], spoil); break;
	}
}

const struct survivor survivor_large_memory = {
	.name = "large_memory",
	.keeps = "large private memory: of three processes, moved, grown, locked, swapped out",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 6,
	.large = true,
};
