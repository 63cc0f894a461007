// SPDX-License-Identifier: GPL-2.0
/* Mapped files: private with written pages, shared, longer than the file, deleted. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "survivor.h"

#define PAGE 4096UL
#define PAGES 16UL

static unsigned char *private, *shared, *deleted;
static int shared_fd;

static int make_file(const char *name, unsigned int seed)
{
	unsigned char *bytes = malloc(PAGES * PAGE);
	int fd = must(open(own_path(name), O_RDWR | O_CREAT | O_TRUNC, 0600));

	fill_pattern(bytes, seed, PAGES * PAGE);
	must(write(fd, bytes, PAGES * PAGE) == PAGES * PAGE ? 0 : -1);
	free(bytes);
	return fd;
}

static unsigned char *map(int fd, int flags)
{
	return must_map(mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0), "mmap");
}

static void set_up(void)
{
	int fd = make_file("private", 1);

	private = map(fd, MAP_PRIVATE);
	close(fd);
	/* Every third page is written: a page of the file, a page of ours, ... */
	for (size_t i = 0; i < PAGES; i += 3)
		fill_pattern(private + i * PAGE, 100 + i, PAGE);
	shared_fd = make_file("shared", 2);
	shared = map(shared_fd, MAP_SHARED);
	fill_pattern(shared + PAGE, 3, PAGE);
	fd = make_file("deleted", 4);
	deleted = map(fd, MAP_SHARED);
	close(fd);
	must(unlink(own_path("deleted")));
}

static void check(void)
{
	unsigned char expected[PAGES * PAGE], byte;

	fill_pattern(expected, 1, sizeof(expected));
	for (size_t i = 0; i < PAGES; i += 3)
		fill_pattern(expected + i * PAGE, 100 + i, PAGE);
	expect_bytes("private mapping", expected, private, sizeof(expected));
	fill_pattern(expected, 2, sizeof(expected));
	fill_pattern(expected + PAGE, 3, PAGE);
	expect_bytes("shared mapping", expected, shared, sizeof(expected));
	expect_pattern("mapping of a deleted file", deleted, 4, PAGES * PAGE);
	/* A write goes to the file, and back. */
	shared[2 * PAGE] ^= 0xff;
	expect_call("pread", pread(shared_fd, &byte, 1, 2 * PAGE));
	expect_num("byte of the file", shared[2 * PAGE], byte);
	shared[2 * PAGE] ^= 0xff;
	expect_num("the private mapping's file is as it was", PAGES * PAGE,
		   lseek(shared_fd, 0, SEEK_END));
}

static void sabotage(int which)
{
	switch (which) {
	case 1: madvise(private + 3 * PAGE, PAGE, MADV_DONTNEED); break;
	case 2: shared[PAGE] ^= 1; break;
	case 3:
		mmap(shared, PAGES * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_FIXED, shared_fd, 0);
		break;
	case 4:
		mmap(deleted, PAGES * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	}
}

const struct survivor survivor_mapped_files = {
	.name = "mapped_files",
	.keeps = "mapped files: private with written pages, shared, deleted",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
};
