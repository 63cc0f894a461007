// SPDX-License-Identifier: GPL-2.0
/* eventfd: the count, semaphore mode, and one that two processes share. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "survivor.h"

#define COUNT 0x123456789ULL

static int plain, semaphore, shared;
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
	semaphore = must(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
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
	for (int i = 0; i < 3; i++) {
		expect_num("semaphore: read", 8, read(semaphore, &value, 8));
		expect_num("semaphore: value", 1, value);
	}
	expect_num("semaphore: read of nothing", -1, read(semaphore, &value, 8));
	value = 3;
	expect_num("semaphore: write", 8, write(semaphore, &value, 8));
	helper_check(child);
	expect_num("shared: read", 8, read(shared, &value, 8));
	expect_num("shared: what the child wrote", 5, value);
}

static void sabotage(int which)
{
	uint64_t value = 1;

	switch (which) {
	case 1: write(plain, &value, 8); break;
	case 2: read(semaphore, &value, 8); break;
	case 3: close(shared); shared = eventfd(0, EFD_NONBLOCK); break;
	}
}

const struct survivor survivor_eventfd = {
	.name = "eventfd",
	.keeps = "eventfd: the count, semaphore mode, shared by two processes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
};
