// SPDX-License-Identifier: GPL-2.0
/* epoll: what is watched, for what, edge and level, one-shot, with its data; nested. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "survivor.h"

static int set, outer, level[2], edge[2], once, idle;
#define TOKEN(n) (0x1122334455660000ULL + (n))

static void watch(int in, int fd, unsigned int events, int n)
{
	struct epoll_event event = { .events = events, .data.u64 = TOKEN(n) };

	must(epoll_ctl(in, EPOLL_CTL_ADD, fd, &event));
}

static void set_up(void)
{
	set = must(epoll_create1(EPOLL_CLOEXEC));
	outer = must(epoll_create1(0));
	must(pipe(level));
	must(pipe(edge));
	once = must(eventfd(0, EFD_NONBLOCK));
	idle = must(eventfd(0, 0));
	watch(set, level[0], EPOLLIN, 1);
	watch(set, edge[0], EPOLLIN | EPOLLET, 2);
	watch(set, once, EPOLLIN | EPOLLONESHOT, 3);
	watch(set, idle, EPOLLIN | EPOLLPRI, 4);
	watch(outer, set, EPOLLIN, 5);
	must(write(level[1], "x", 1));
}

/* The token of the only event, 0 = none, -1 = several. */
static long long one_event(int fd, unsigned int *events)
{
	struct epoll_event event[4];
	int n = epoll_wait(fd, event, 4, 0);

	*events = 0;
	if (n == 1) {
		*events = event[0].events;
		return event[0].data.u64 - TOKEN(0);
	}
	return n ? -1 : 0;
}

static void rearm(int n)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.u64 = TOKEN(n) };

	expect_call("rearm", epoll_ctl(set, EPOLL_CTL_MOD, once, &event));
}

static void check(void)
{
	unsigned long long one = 1;
	unsigned int events;
	char byte;

	expect_num("level-triggered event", 1, one_event(set, &events));
	expect_num("its events", EPOLLIN, events);
	expect_num("the set in a set", 5, one_event(outer, &events));
	expect_num("it stays", 1, one_event(set, &events));
	expect_num("byte", 1, read(level[0], &byte, 1));
	expect_num("no event", 0, one_event(set, &events));
	expect_num("write", 1, write(edge[1], "y", 1));
	expect_num("edge-triggered event", 2, one_event(set, &events));
	expect_num("it does not stay", 0, one_event(set, &events));
	expect_num("byte", 1, read(edge[0], &byte, 1));
	expect_num("write", 8, write(once, &one, 8));
	expect_num("one-shot event", 3, one_event(set, &events));
	expect_num("read", 8, read(once, &one, 8));
	one = 1;
	expect_num("write", 8, write(once, &one, 8));
	expect_num("one shot was one", 0, one_event(set, &events));
	expect_num("read", 8, read(once, &one, 8));
	rearm(3);
	one = 1;
	expect_num("write", 8, write(idle, &one, 8));
	expect_num("event of the idle one", 4, one_event(set, &events));
	expect_num("read", 8, read(idle, &one, 8));
	expect_num("write", 1, write(level[1], "x", 1));
}

static void sabotage(int which)
{
	switch (which) {
	case 1: epoll_ctl(set, EPOLL_CTL_DEL, idle, NULL); break;
	case 2: rearm(9); break;
	case 3: epoll_ctl(outer, EPOLL_CTL_DEL, set, NULL); break;
	case 4:
		epoll_ctl(set, EPOLL_CTL_DEL, edge[0], NULL);
		watch(set, edge[0], EPOLLIN, 2);
		break;
	}
}

const struct survivor survivor_epoll = {
	.name = "epoll",
	.keeps = "epoll sets: level, edge, one-shot, their data, one within another",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
};
