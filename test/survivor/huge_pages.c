// SPDX-License-Identifier: GPL-2.0
/* Memory of transparent huge pages: whole ones, one with a hole, some written on both sides of a fork. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "large.h"
#include "survivor.h"

static struct region huge;
static pid_t child;
static int checks;

static void child_set_up(void)
{
	/* one ordinary page of each huge one, but for the first two */
	region_write(&huge, 2 * HUGE / PAGE + 3, huge.pages, HUGE / PAGE);
}

static void child_check(void)
{
	expect_region(&huge);
}

static void set_up(void)
{
	huge = region_map_huge("huge pages", large_pages() + HUGE / PAGE);
	region_write(&huge, 0, huge.pages, 1);
	/* a hole in the first: it is no longer mapped as one */
	must(madvise(huge.at + 100 * PAGE, 10 * PAGE, MADV_DONTNEED));
	region_forget(&huge, 100, 110);
	child = helper(child_set_up, child_check);
	region_write(&huge, HUGE / PAGE + 5, huge.pages, HUGE / PAGE);
}

static void check(void)
{
	expect_region(&huge);
	helper_check(child);
	expect_fork_keeps(&huge);
	region_write(&huge, checks++ % 13, huge.pages, 13);
	expect_call("mprotect", mprotect(huge.at + 7 * PAGE, PAGE, PROT_READ));
	expect_call("mprotect", mprotect(huge.at + 7 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	expect_region(&huge);
}

static void spoil(void)
{
	huge.at[huge.pages / 2 * PAGE] ^= 4;
}

static void sabotage(int which)
{
	switch (which) {
	case 1: spoil(); break;
	case 2: huge.at[105 * PAGE] = 1; break;
	case 3: helper_do(child, spoil); break;
	}
}

const struct survivor survivor_huge_pages = {
	.name = "huge_pages",
	.keeps = "large private memory of transparent huge pages, two processes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
	.large = true,
};
