// SPDX-License-Identifier: GPL-2.0
/* Shared anonymous memory: one object seen by several processes at several places. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "survivor.h"

#define PAGE 4096UL
#define PAGES 64UL

static unsigned char *shared, *part;
static volatile unsigned int *counter;
static pid_t child;

static void child_set_up(void)
{
	/* The same object again at another place, from the child alone */
	part = must_map(mremap(shared + 8 * PAGE, 0, 8 * PAGE, MREMAP_MAYMOVE), "mremap");
}

static void child_check(void)
{
	expect_pattern("child: shared memory", shared + PAGE, 1, (PAGES - 1) * PAGE);
	expect_bytes("child: the same at two places", shared + 8 * PAGE, part, 8 * PAGE);
	counter[1] = counter[0] + 1;
	part[0] ^= 0xff;
	expect_num("child: a write is seen at the other place", part[0], shared[8 * PAGE]);
	part[0] ^= 0xff;
}

static void set_up(void)
{
	shared = must_map(mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0), "mmap");
	counter = (unsigned int *)shared;
	fill_pattern(shared + PAGE, 1, (PAGES - 1) * PAGE);
	child = helper(child_set_up, child_check);
	must(mprotect(shared + (PAGES - 1) * PAGE, PAGE, PROT_READ));
}

static void check(void)
{
	expect_pattern("shared memory", shared + PAGE, 1, (PAGES - 1) * PAGE);
	counter[0] += 5;
	helper_check(child);
	expect_num("what the child has written", counter[0] + 1, counter[1]);
}

static void unshare_it(void)
{
	/* What a restore that forgets the sharing would give. */
	void *copy = malloc(PAGES * PAGE);

	memcpy(copy, shared, PAGES * PAGE);
	mmap(shared, PAGES * PAGE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memcpy(shared, copy, PAGES * PAGE);
	free(copy);
}

static void sabotage(int which)
{
	switch (which) {
	case 1: helper_do(child, unshare_it); break;
	case 2: unshare_it(); break;
	case 3: shared[17 * PAGE] ^= 1; break;
	}
}

const struct survivor survivor_shared_memory = {
	.name = "shared_memory",
	.keeps = "shared anonymous memory of two processes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
};
