// SPDX-License-Identifier: GPL-2.0
/* eventfd: the count, and one that two processes share. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "survivor.h"

#define COUNT 0x89abcdefULL

static int plain, shared;
static pid_t child;

static void child_check(void)
{
	uint64_t value = 5;

	expect_num("child: write", 8, write(shared, &value, 8));
}

static void set_up(void)
{
	uint64_t value = COUNT;

	plain = must(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	must(write(plain, &value, 8));
	shared = must(eventfd(0, EFD_NONBLOCK));
	child = helper(NULL, child_check);
}

static void check(void)
{
	uint64_t value = 0;

	expect_num("read", 8, read(plain, &value, 8));
	expect_num("count", COUNT, value);
	expect_num("read of nothing", -1, read(plain, &value, 8));
	value = COUNT;
	expect_num("write", 8, write(plain, &value, 8));
	helper_check(child);
	expect_num("shared: read", 8, read(shared, &value, 8));
	expect_num("shared: what the child wrote", 5, value);
}

static void sabotage(int which)
{
	uint64_t value = 1;

	switch (which) {
	case 1: write(plain, &value, 8); break;
	case 2: close(shared); shared = eventfd(0, EFD_NONBLOCK); break;
	}
}

const struct survivor survivor_eventfd = {
	.name = "eventfd",
	.keeps = "eventfd: the count, shared by two processes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 2,
};
