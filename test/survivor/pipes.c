// SPDX-License-Identifier: GPL-2.0
/* Pipes: what is in them, their sizes and flags, ends that are closed, ends in two processes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "survivor.h"

#define DATA 30000
#define CAPACITY (1 << 18)

static int full[2], closed[2], deaf[2], to_child[2], from_child[2];
static pid_t child;

static void put(int fd, unsigned int seed, size_t size)
{
	unsigned char *bytes = malloc(size);

	fill_pattern(bytes, seed, size);
	must(write(fd, bytes, size) == (ssize_t)size ? 0 : -1);
	free(bytes);
}

static void child_check(void)
{
	unsigned char bytes[500];

	expect_num("child: bytes from the parent", 500, read(to_child[0], bytes, 500));
	expect_pattern("child: what the parent wrote", bytes, 9, 500);
	put(from_child[1], 10, 700);
}

static void child_set_up(void)
{
	close(to_child[1]);
	close(from_child[0]);
}

static void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	must(pipe2(to_child, 0));
	must(pipe2(from_child, O_NONBLOCK));
	child = helper(child_set_up, child_check);
	close(to_child[0]);
	close(from_child[1]);
	must(pipe2(full, O_NONBLOCK | O_CLOEXEC));
	must(fcntl(full[1], F_SETPIPE_SZ, CAPACITY));
	put(full[1], 1, DATA);
	/* What was written before the end was closed is still to be read. */
	must(pipe2(closed, 0));
	put(closed[1], 2, 100);
	close(closed[1]);
	must(pipe2(deaf, 0));
	close(deaf[0]);
}

static void check(void)
{
	unsigned char bytes[DATA + 1];
	struct pollfd poll_closed = { .fd = closed[0], .events = POLLIN };
	int there = 0;

	expect_call("FIONREAD", ioctl(closed[0], FIONREAD, &there));
	expect_num("bytes in a closed pipe", 100, there);
	expect_num("poll of a closed pipe", 1, poll(&poll_closed, 1, 0));
	expect_num("its events", POLLIN | POLLHUP, poll_closed.revents);
	expect_num("write without a reader", -1, write(deaf[1], "x", 1));
	expect_num("its error", EPIPE, errno);
	expect_num("capacity", CAPACITY, fcntl(full[0], F_GETPIPE_SZ));
	expect_num("O_NONBLOCK", O_NONBLOCK, fcntl(full[0], F_GETFL) & O_NONBLOCK);
	expect_num("bytes in a pipe", DATA, read(full[0], bytes, sizeof(bytes)));
	expect_pattern("contents of a pipe", bytes, 1, DATA);
	expect_num("empty pipe", -1, read(full[0], bytes, 1));
	put(full[1], 1, DATA);
	put(to_child[1], 9, 500);
	helper_check(child);
	expect_num("bytes from the child", 700, read(from_child[0], bytes, sizeof(bytes)));
	expect_pattern("what the child wrote", bytes, 10, 700);
}

static void sabotage(int which)
{
	char byte;

	switch (which) {
	case 1: if (read(full[0], &byte, 1) != 1) abort(); break;
	case 2: fcntl(full[0], F_SETPIPE_SZ, 65536); break;
	case 3: if (read(closed[0], &byte, 1) != 1) abort(); break;
	case 4: if (pipe2(deaf, 0)) abort(); break;
	case 5: close(from_child[0]); break;
	}
}

const struct survivor survivor_pipes = {
	.name = "pipes",
	.keeps = "pipes with data in them, sizes, flags, closed ends, between processes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 5,
};
