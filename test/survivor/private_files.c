// SPDX-License-Identifier: GPL-2.0
/* A large file mapped privately by two processes, of which each has written pages of its own. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "large.h"
#include "survivor.h"

static struct region file, mapped;
static pid_t child;
static int fd, checks;

static void child_set_up(void)
{
	region_write(&mapped, 1, mapped.pages, 6);
}

static void child_check(void)
{
	expect_region(&mapped);
}

static void set_up(void)
{
	unsigned char bytes[PAGE];
	size_t pages = large_pages() / 2;

	fd = must(open(own_path("file"), O_RDWR | O_CREAT | O_TRUNC, 0600));
	file = region_at("file", NULL, pages);
	memset(file.generation, 1, pages);
	for (size_t i = 0; i < pages; i++) {
		region_page(&file, i, bytes);
		must(write(fd, bytes, PAGE) == PAGE ? 0 : -1);
	}
	mapped = region_at("file mapped privately",
			   must_map(mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0),
				    "mmap"), pages);
	memset(mapped.generation, 1, pages);
	region_write(&mapped, 0, pages, 3);
	child = helper(child_set_up, child_check);
}

static void check(void)
{
	unsigned char bytes[PAGE], expected[PAGE];

	expect_region(&mapped);
	helper_check(child);
	for (size_t i = 0; i < file.pages; i += 7) {
		region_page(&file, i, expected);
		expect_num("read", PAGE, pread(fd, bytes, PAGE, i * PAGE));
		expect_bytes("the file itself", expected, bytes, PAGE);
	}
	region_write(&mapped, checks++ % 8, mapped.pages, 8);
	expect_fork_keeps(&mapped);
}

static void spoil(void)
{
	mapped.at[7 * PAGE] ^= 4;
}

static void sabotage(int which)
{
	switch (which) {
	case 1: mapped.at[3 * PAGE] ^= 1; break;
	case 2: mapped.at[4 * PAGE] ^= 1; break;
	case 3: helper_do(child, spoil); break;
	case 4: madvise(mapped.at + 6 * PAGE, PAGE, MADV_DONTNEED); break;
	}
}

const struct survivor survivor_private_files = {
	.name = "private_files",
	.keeps = "large private file mapping with written pages, two processes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
	.large = true,
};
