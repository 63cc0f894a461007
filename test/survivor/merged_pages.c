// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the kernel may merge (KSM): many pages alike, in two processes. It
 * merges when /sys/kernel/mm/ksm/run is 1; a write takes a page out of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "large.h"
#include "survivor.h"

static struct region alike;
static pid_t child;
static int checks;

static void child_set_up(void)
{
	region_write(&alike, 0, alike.pages, 6);
}

static void child_check(void)
{
	expect_region(&alike);
	region_write(&alike, checks++ % 9, alike.pages, 9);
}

static void set_up(void)
{
	alike = region_map("pages alike", large_pages());
	alike.alike = 4;
	if (madvise(alike.at, alike.pages * PAGE, MADV_MERGEABLE)) {
		if (errno == EINVAL)
			survivor_skip("this kernel merges no pages");
		must(-1);
	}
	region_write(&alike, 0, alike.pages, 1);
	child = helper(child_set_up, child_check);
}

/* Is the flag still on the mapping that holds our memory? */
static bool mergeable(void)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long from, to, at = (unsigned long)alike.at;
	bool ours = false, found = false;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			ours = from <= at && at < to;
		else if (ours && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, " mg");
	}
	if (f)
		fclose(f);
	return found;
}

static void check(void)
{
	expect_region(&alike);
	expect_true("MADV_MERGEABLE", mergeable());
	expect_fork_keeps(&alike);
	region_write(&alike, checks++ % 5, alike.pages, 5);
	helper_check(child);
	expect_region(&alike);
}

static void spoil(void)
{
	alike.at[alike.pages / 3 * PAGE] ^= 4;
}

static void sabotage(int which)
{
	switch (which) {
	case 1: spoil(); break;
	case 2: helper_do(child, spoil); break;
	case 3: madvise(alike.at, alike.pages * PAGE, MADV_UNMERGEABLE); break;
	}
}

const struct survivor survivor_merged_pages = {
	.name = "merged_pages",
	.keeps = "memory that the kernel merges (KSM), two processes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
	.large = true,
};
