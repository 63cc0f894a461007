// SPDX-License-Identifier: GPL-2.0
/* hugetlb: reserved huge pages, private ones, and a memfd of them that two processes share. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "large.h"
#include "survivor.h"

#define SIZE (4UL << 20)

static struct region private, shared;
static pid_t child;

static void child_check(void)
{
	expect_region(&shared);
}

static void set_up(void)
{
	void *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	int fd;

	if (p == MAP_FAILED)
		survivor_skip("no huge pages are reserved");
	private = region_at("private huge pages", p, SIZE / PAGE);
	fd = must(memfd_create("huge", MFD_HUGETLB | MFD_CLOEXEC));
	must(ftruncate(fd, SIZE));
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		survivor_skip("too few huge pages are reserved");
	shared = region_at("shared huge pages", p, SIZE / PAGE);
	region_write(&private, 0, private.pages, 1);
	region_write(&shared, 0, shared.pages, 1);
	child = helper(NULL, child_check);
}

static void check(void)
{
	expect_region(&private);
	expect_region(&shared);
	helper_check(child);
	region_write(&private, 0, private.pages, 3);
	expect_region(&private);
}

static void spoil(void)
{
	shared.at[shared.pages / 2 * PAGE] ^= 4;
}

static void sabotage(int which)
{
	switch (which) {
	case 1: private.at[12345] ^= 1; break;
	case 2: helper_do(child, spoil); break;
	}
}

const struct survivor survivor_huge_tlb = {
	.name = "huge_tlb",
	.keeps = "reserved huge pages: private, and a memfd of two processes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 2,
	.large = true,
};
