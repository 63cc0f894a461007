// SPDX-License-Identifier: GPL-2.0
/*
 * Large shared memory of two processes: anonymous, a memfd with a hole, and a
 * System V segment where the IPC namespace is our own.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "large.h"
#include "survivor.h"

static struct region anonymous, memfd, segment;
static int fd, id = -1;
static pid_t child;
static int checks;

static void child_check(void)
{
	/* the generations are the child's; what was written is everybody's */
	expect_region(&anonymous);
	expect_region(&memfd);
	expect_region(&segment);
}

static void remove_segment(void)
{
	shmctl(id, IPC_RMID, NULL);
}

static void set_up_segment(size_t pages)
{
	void *p;

	segment = region_at("segment", NULL, 0);
	if (!getenv("SURVIVOR_OWN_NAMESPACES"))
		return;
	id = must(shmget(IPC_PRIVATE, pages * PAGE, IPC_CREAT | 0600));
	p = shmat(id, NULL, 0);
	atexit(remove_segment);
	segment = region_at("segment", must_map(p == (void *)-1 ? NULL : p, "shmat"), pages);
	region_write(&segment, 0, pages, 1);
}

static void set_up(void)
{
	size_t pages = large_pages() / 2;

	anonymous = region_at("anonymous shared memory",
			      must_map(mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0), "mmap"), pages);
	region_write(&anonymous, 0, pages, 1);
	fd = must(memfd_create("large", MFD_CLOEXEC));
	must(ftruncate(fd, pages * PAGE + 100));
	memfd = region_at("memfd",
			  must_map(mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
				   "mmap"), pages);
	region_write(&memfd, 0, pages, 1);
	must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 20 * PAGE, 30 * PAGE));
	region_forget(&memfd, 20, 50);
	set_up_segment(pages);
	child = helper(NULL, child_check);
}

/* By read(2) as well as through the mapping */
static void check_file(void)
{
	unsigned char bytes[PAGE], expected[PAGE];

	expect_num("size of the memfd", memfd.pages * PAGE + 100, lseek(fd, 0, SEEK_END));
	for (size_t i = 0; i < memfd.pages; i += 17) {
		region_page(&memfd, i, expected);
		expect_num("read", PAGE, pread(fd, bytes, PAGE, i * PAGE));
		expect_bytes("memfd by read", expected, bytes, PAGE);
	}
}

/* One side writes and the other side sees it: by the same steps in both. */
static void write_all(void)
{
	region_write(&anonymous, checks % 7, anonymous.pages, 7);
	region_write(&memfd, checks % 7, memfd.pages, 7);
	region_write(&segment, checks % 7, segment.pages, 7);
	checks++;
}

static void check(void)
{
	child_check();
	check_file();
	helper_check(child);
	write_all();
	helper_do(child, write_all);
	child_check();
	helper_check(child);
}

static void spoil(void)
{
	memfd.at[memfd.pages / 2 * PAGE] ^= 4;
}

static void sabotage(int which)
{
	switch (which) {
	case 1: anonymous.at[12345] ^= 1; break;
	case 2: helper_do(child, spoil); break;
	case 3: memfd.at[25 * PAGE] = 1; break;
	}
}

const struct survivor survivor_large_shared = {
	.name = "large_shared",
	.keeps = "large shared memory: anonymous, memfd, System V; two processes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
	.large = true,
};
