// SPDX-License-Identifier: GPL-2.0
/* Private memory: contents, holes, protections, locks, heap, what a fork shares. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "survivor.h"

#define PAGE 4096UL
#define SPARSE (1UL << 30)

static size_t large_size, granted_size;
static unsigned char *large, *sparse, *read_only, *no_access, *code, *grows, *heap, *locked;
static unsigned char *common_page, *granted;
static pid_t child;
static int pipe_fds[2];

static bool can_read(const void *p)
{
	char c;

	if (write(pipe_fds[1], p, 1) != 1)
		return false;
	return read(pipe_fds[0], &c, 1) == 1;
}

/* The byte that is there is written over itself. */
static bool can_write(void *p)
{
	char c;

	if (write(pipe_fds[1], p, 1) != 1)
		return false;
	if (read(pipe_fds[0], p, 1) == 1)
		return true;
	/* It is still in the pipe. */
	(void)!read(pipe_fds[0], &c, 1);
	return false;
}

static void *map(size_t size, int flags)
{
	return must_map(mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0), "mmap");
}

static void child_set_up(void)
{
	fill_pattern(common_page + PAGE, 77, PAGE);
}

static void child_check(void)
{
	expect_pattern("child: page shared since the fork", common_page, 7, PAGE);
	expect_pattern("child: page that it wrote", common_page + PAGE, 77, PAGE);
}

static void set_up(void)
{
	const char *mib = getenv("SURVIVOR_MEMORY_MIB"), *gib = getenv("SURVIVOR_GRANTED_GIB");

	must(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK));
	large_size = (mib ? atoi(mib) : 8) * (1UL << 20);
	large = map(large_size, 0);
	fill_pattern(large, 1, large_size);
	sparse = map(SPARSE, MAP_NORESERVE);
	sparse[0] = 1;
	sparse[SPARSE / 2] = 2;
	sparse[SPARSE - 1] = 3;
	/* more than a kernel grants unless vm.overcommit_memory is 1 */
	granted_size = (gib ? atoi(gib) : 0) * (1UL << 30);
	if (granted_size) {
		granted = map(granted_size, 0);
		granted[0] = 4;
		granted[granted_size - 1] = 5;
	}
	read_only = map(3 * PAGE, 0);
	fill_pattern(read_only, 2, 3 * PAGE);
	must(mprotect(read_only + PAGE, PAGE, PROT_READ));
	no_access = map(PAGE, 0);
	fill_pattern(no_access, 3, PAGE);
	must(mprotect(no_access, PAGE, PROT_NONE));
	code = map(PAGE, 0);
	memcpy(code, "\xb8\x2a\x00\x00\x00\xc3", 6);	/* mov $42,%eax; ret */
	must(mprotect(code, PAGE, PROT_READ | PROT_EXEC));
	grows = map(64 * PAGE, MAP_GROWSDOWN);
	fill_pattern(grows, 4, 64 * PAGE);
	heap = malloc(100000);
	fill_pattern(heap, 5, 100000);
	locked = map(4 * PAGE, 0);
	fill_pattern(locked, 6, 4 * PAGE);
	must(mlock(locked, 4 * PAGE));
	common_page = map(2 * PAGE, 0);
	fill_pattern(common_page, 7, 2 * PAGE);
	child = helper(child_set_up, child_check);
}

static void check(void)
{
	unsigned char zeros[PAGE] = { 0 };
	char what[32];

	expect_pattern("large memory", large, 1, large_size);
	expect_num("start of a sparse mapping", 1, sparse[0]);
	expect_num("middle of a sparse mapping", 2, sparse[SPARSE / 2]);
	expect_num("end of a sparse mapping", 3, sparse[SPARSE - 1]);
	expect_bytes("untouched page", zeros, sparse + SPARSE / 4, PAGE);
	if (granted_size) {
		expect_num("start of a large mapping", 4, granted[0]);
		expect_num("end of a large mapping", 5, granted[granted_size - 1]);
	}
	expect_pattern("read-only memory", read_only, 2, 3 * PAGE);
	for (int i = 0; i < 3; i++) {
		snprintf(what, sizeof(what), "page %d can be written", i);
		expect_num(what, i != 1, can_write(read_only + i * PAGE));
	}
	expect_num("PROT_NONE can be read", 0, can_read(no_access));
	expect_call("mprotect", mprotect(no_access, PAGE, PROT_READ));
	expect_pattern("memory that was PROT_NONE", no_access, 3, PAGE);
	expect_call("mprotect", mprotect(no_access, PAGE, PROT_NONE));
	expect_num("result of code", 42, can_read(code) ? ((int (*)(void))code)() : -1);
	expect_num("code can be written", 0, can_write(code));
	expect_pattern("stack-like memory", grows, 4, 64 * PAGE);
	expect_pattern("heap", heap, 5, 100000);
	expect_pattern("locked memory", locked, 6, 4 * PAGE);
	expect_text("locked", "16 kB", proc_status(getpid(), "VmLck"));
	expect_pattern("pages shared since the fork", common_page, 7, 2 * PAGE);
	helper_check(child);
}

static void spoil_page(void)
{
	common_page[PAGE + 5] ^= 1;
}

static void sabotage(int which)
{
	switch (which) {
	case 1: large[large_size - 12345] ^= 1; break;
	case 2: madvise(large + (large_size / 2), PAGE, MADV_DONTNEED); break;
	case 3: mprotect(read_only, 3 * PAGE, PROT_READ | PROT_WRITE); break;
	case 4: mprotect(no_access, PAGE, PROT_READ); break;
	case 5: munlock(locked, 4 * PAGE); break;
	case 6: sparse[SPARSE / 4 + 9] = 1; break;
	case 7: helper_do(child, spoil_page); break;
	}
}

const struct survivor survivor_memory = {
	.name = "memory",
	.keeps = "private memory: contents, holes, protections, mlock, heap, pages shared since a fork",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 7,
};
