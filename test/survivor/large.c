// SPDX-License-Identifier: GPL-2.0
/* large.c - memory of which every byte is known; see large.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "large.h"
#include "survivor.h"

#define WORDS (PAGE / sizeof(uint64_t))

size_t large_pages(void)
{
	const char *mib = getenv("SURVIVOR_LARGE_MIB");

	return (mib ? strtoul(mib, NULL, 10) : 4) * ((1UL << 20) / PAGE);
}

struct region region_at(const char *name, void *memory, size_t pages)
{
	struct region r = { .name = name, .at = memory, .pages = pages };

	r.generation = calloc(pages, 1);
	must(r.generation ? 0 : -1);
	return r;
}

struct region region_map(const char *name, size_t pages)
{
	void *p = must_map(mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), "mmap");

	/* a kernel without huge pages has nothing to be told */
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	return region_at(name, p, pages);
}

struct region region_map_huge(const char *name, size_t pages)
{
	size_t size = (pages * PAGE + HUGE - 1) / HUGE * HUGE, before;
	unsigned char *p = must_map(mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), "mmap");

	before = HUGE - (uintptr_t)p % HUGE;
	must(munmap(p, before));
	p += before;
	if (before < HUGE)
		must(munmap(p + size, HUGE - before));
	/* a kernel without them gives ordinary pages */
	madvise(p, size, MADV_HUGEPAGE);
	return region_at(name, p, size / PAGE);
}

static uint64_t first_word(const struct region *r, size_t i)
{
	size_t number = r->alike ? i % r->alike : i;
	uint64_t x = (number << 8 | r->generation[i]) * 0x9e3779b97f4a7c15ULL;

	/* of the name too: pages of one region do not pass for those of another */
	return (x ^ x >> 29) * 0xbf58476d1ce4e5b9ULL + (unsigned char)r->name[0];
}

void region_page(const struct region *r, size_t i, void *bytes)
{
	uint64_t *word = bytes, w = first_word(r, i);

	for (size_t n = 0; n < WORDS; n++, w += 0x6c8e9cf570932bd5ULL)
		word[n] = r->generation[i] ? w : 0;
}

void region_write(struct region *r, size_t from, size_t to, size_t step)
{
	for (size_t i = from; i < to; i += step) {
		/* 0 is left to what was never written */
		r->generation[i] = r->generation[i] % 255 + 1;
		region_page(r, i, r->at + i * PAGE);
	}
}

void region_forget(struct region *r, size_t from, size_t to)
{
	memset(r->generation + from, 0, to - from);
}

void expect_region(const struct region *r)
{
	unsigned char expected[PAGE];
	char what[96];

	for (size_t i = 0; i < r->pages; i++) {
		region_page(r, i, expected);
		if (!memcmp(expected, r->at + i * PAGE, PAGE))
			continue;
		snprintf(what, sizeof(what), "%s, page %zu of %zu, generation %d", r->name, i,
			 r->pages, r->generation[i]);
		expect_bytes(what, expected, r->at + i * PAGE, PAGE);
		return;
	}
}

void expect_fork_keeps(struct region *r)
{
	int status = -1, pipe_fds[2];
	char byte;
	pid_t pid;

	if (!expect_call("pipe", pipe(pipe_fds)))
		return;
	pid = fork();
	if (!pid) {
		/* what the child finds is counted as the survivor's: common is shared */
		expect_region(r);
		region_write(r, r->pages / 4, r->pages * 3 / 4, 3);
		expect_region(r);
		/* the parent has written by then */
		(void)!read(pipe_fds[0], &byte, 1);
		expect_region(r);
		_exit(0);
	}
	if (expect_call("fork", pid)) {
		region_write(r, r->pages / 2, r->pages, 5);
		(void)!write(pipe_fds[1], "", 1);
		waitpid(pid, &status, 0);
		expect_num("status of a child", 0, status);
		expect_region(r);
	}
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}
