// SPDX-License-Identifier: GPL-2.0
/* memfd: contents, size, seals, name, mappings, one that two processes share. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "survivor.h"

#define SIZE 100000
#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static int sealed, open_one;
static unsigned char *mapped;
static pid_t child;

static void child_check(void)
{
	expect_pattern("child: mapped memfd", mapped + 1, 2, 4000);
	mapped[0]++;
}

static int make(const char *name, unsigned int seed)
{
	unsigned char bytes[SIZE];
	int fd = must(memfd_create(name, MFD_ALLOW_SEALING | MFD_CLOEXEC));

	fill_pattern(bytes, seed, SIZE);
	must(write(fd, bytes, SIZE) == SIZE ? 0 : -1);
	return fd;
}

static void set_up(void)
{
	sealed = make("sealed", 1);
	must(lseek(sealed, 99, SEEK_SET));
	must(fcntl(sealed, F_ADD_SEALS, SEALS));
	open_one = make("open", 3);
	must(fcntl(open_one, F_ADD_SEALS, F_SEAL_SHRINK));
	mapped = must_map(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, open_one, 0), "mmap");
	fill_pattern(mapped + 1, 2, 4000);
	child = helper(NULL, child_check);
}

static void check(void)
{
	unsigned char bytes[SIZE], before;
	char path[64], link[64] = "";

	expect_num("offset", 99, lseek(sealed, 0, SEEK_CUR));
	expect_num("size", SIZE, pread(sealed, bytes, SIZE, 0));
	expect_pattern("contents", bytes, 1, SIZE);
	expect_num("seals", SEALS, fcntl(sealed, F_GET_SEALS));
	expect_num("write to a sealed one", -1, pwrite(sealed, "x", 1, 0));
	expect_num("its error", EPERM, errno);
	expect_num("seals of the other", F_SEAL_SHRINK, fcntl(open_one, F_GET_SEALS));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", sealed);
	if (readlink(path, link, sizeof(link) - 1) > 0)
		expect_text("name", "/memfd:sealed (deleted)", link);
	expect_pattern("mapped memfd", mapped + 1, 2, 4000);
	before = mapped[0];
	helper_check(child);
	expect_num("write of the child, mapped", (unsigned char)(before + 1), mapped[0]);
	expect_num("write of the child, read", 1, pread(open_one, bytes, 1, 0));
	expect_num("write of the child, read", mapped[0], bytes[0]);
	mapped[SIZE - 1]++;
	expect_num("own write, read", 1, pread(open_one, bytes, 1, SIZE - 1));
	expect_num("own write, read", mapped[SIZE - 1], bytes[0]);
}

static void sabotage(int which)
{
	switch (which) {
	case 1: lseek(sealed, 0, SEEK_SET); break;
	case 2: close(sealed); sealed = make("sealed", 1); lseek(sealed, 99, SEEK_SET); break;
	case 3: mapped[500] ^= 1; break;
	case 4: fcntl(open_one, F_ADD_SEALS, F_SEAL_GROW); break;
	case 5:
		/* The same bytes, no longer shared */
		mmap(mapped, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, open_one, 0);
		break;
	}
}

const struct survivor survivor_memfd = {
	.name = "memfd",
	.keeps = "memfd: contents, seals, names, mappings",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 5,
};
