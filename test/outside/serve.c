// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "talk.h"

#define EVENTS 64
#define ROOM 4096
#define BACKLOG 1024

/* One connection: what was read and has to be said again. */
struct echo {
	int fd;
	unsigned char bytes[ROOM];
	size_t from, to;
	uint64_t passed;
	int ended;	/* the peer will say nothing more */
};

static int listen_on(uint16_t port)
{
	const struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = talk_must(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
	int on = 1, off = 0;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	talk_must(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), "bind");
	talk_must(listen(fd, BACKLOG), "listen");
	return fd;
}

static void watch(int epoll, struct echo *e, int op)
{
	struct epoll_event event = { .data.ptr = e };

	if (e->to == e->from && !e->ended)
		event.events = EPOLLIN;
	else
		event.events = EPOLLOUT;
	talk_must(epoll_ctl(epoll, op, e->fd, &event), "epoll_ctl");
}

static void accept_all(int epoll, int listener)
{
	struct echo *e;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		e = calloc(1, sizeof(*e));
		talk_must(e ? 0 : -1, "calloc");
		e->fd = fd;
		watch(epoll, e, EPOLL_CTL_ADD);
	}
}

static int take(struct echo *e, uint64_t garble)
{
	ssize_t n = read(e->fd, e->bytes, ROOM);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	e->from = 0;
	e->to = (size_t)n;
	e->ended = !n;
	if (garble > e->passed && garble <= e->passed + (uint64_t)n)
		e->bytes[garble - e->passed - 1] ^= 1;
	e->passed += (uint64_t)n;
	return 0;
}

static int say(struct echo *e)
{
	ssize_t n = write(e->fd, e->bytes + e->from, e->to - e->from);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	e->from += (size_t)n;
	return 0;
}

static void serve_one(int epoll, struct echo *e, uint64_t garble)
{
	int err = e->to == e->from ? take(e, garble) : 0;

	if (!err && e->to > e->from)
		err = say(e);
	if (err || (e->ended && e->to == e->from)) {
		close(e->fd);
		free(e);
		return;
	}
	watch(epoll, e, EPOLL_CTL_MOD);
}

int talk_serve(uint16_t port, uint64_t garble)
{
	const struct rlimit many = { 8192, 8192 };
	struct epoll_event event = { .events = EPOLLIN }, events[EVENTS];
	int listener = listen_on(port), epoll = talk_must(epoll_create1(EPOLL_CLOEXEC), "epoll");
	int i, n;

	setrlimit(RLIMIT_NOFILE, &many);
	talk_must(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS, -1);
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr)
				serve_one(epoll, events[i].data.ptr, garble);
			else
				accept_all(epoll, listener);
		}
	}
}
