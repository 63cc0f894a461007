// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
#define SMALL_BUFFER 16384
#define KEEPALIVE_SECONDS 20

/* A listener, datagrams, or a connection: what was read and has to be said again. */
struct watched {
	int fd;
	const struct talk_port *port;
	bool listens, is_datagrams;
	unsigned char bytes[ROOM];
	size_t from, to;
	uint64_t passed;	/* bytes, or datagrams */
	bool ended;	/* the peer will say nothing more */
	bool urgent;	/* the first of them is */
};

static void set(int fd, int level, int name, int value)
{
	talk_must(setsockopt(fd, level, name, &value, sizeof(value)), "setsockopt");
}

static int bound(int type, uint16_t port)
{
	const struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = talk_must(socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");

	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	talk_must(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), "bind");
	return fd;
}

/* What is set here, connections inherit. */
static int listen_on(const struct talk_port *port)
{
	int fd = bound(SOCK_STREAM, port->port);

	set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_SECONDS);
	if (port->small)
		set(fd, SOL_SOCKET, SO_SNDBUF, SMALL_BUFFER);
	talk_must(listen(fd, BACKLOG), "listen");
	return fd;
}

static void watch(int epoll, struct watched *w, int op)
{
	struct epoll_event event = { .data.ptr = w };

	if (w->listens || w->is_datagrams || (w->to == w->from && !w->ended))
		event.events = EPOLLIN;
	else
		event.events = EPOLLOUT;
	talk_must(epoll_ctl(epoll, op, w->fd, &event), "epoll_ctl");
}

static struct watched *new_watched(int fd, const struct talk_port *port, bool listens)
{
	struct watched *w = calloc(1, sizeof(*w));

	talk_must(w ? 0 : -1, "calloc");
	w->fd = fd;
	w->port = port;
	w->listens = listens;
	return w;
}

static void accept_all(int epoll, const struct watched *listener)
{
	int fd;

	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (listener->port->ending)
			shutdown(fd, SHUT_WR);
		watch(epoll, new_watched(fd, listener->port, false), EPOLL_CTL_ADD);
	}
}

static void answer_all(struct watched *w)
{
	struct sockaddr_storage from;
	struct talk_datagram d;
	socklen_t length;

	while (length = sizeof(from),
	       recvfrom(w->fd, &d, sizeof(d), 0, (struct sockaddr *)&from, &length) == sizeof(d)) {
		d.heard = ++w->passed;
		sendto(w->fd, &d, sizeof(d), 0, (struct sockaddr *)&from, length);
	}
}

static int take(struct watched *w)
{
	uint64_t garble = w->port->garble;
	bool urgent = sockatmark(w->fd) == 1;
	ssize_t n = read(w->fd, w->bytes, ROOM);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	w->from = 0;
	w->to = (size_t)n;
	w->ended = !n;
	w->urgent = urgent;
	if (garble > w->passed && garble <= w->passed + (uint64_t)n)
		w->bytes[garble - w->passed - 1] ^= 1;
	w->passed += (uint64_t)n;
	return 0;
}

static int say(struct watched *w)
{
	ssize_t n = w->urgent ? send(w->fd, w->bytes + w->from, 1, MSG_OOB) :
				write(w->fd, w->bytes + w->from, w->to - w->from);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	w->urgent = false;
	w->from += (size_t)n;
	return 0;
}

/* Instead of saying it: the peer is told of a wrong byte by a reset. */
static int judge(struct watched *w)
{
	const struct linger reset = { .l_onoff = 1 };
	uint64_t place = w->passed - w->to;
	size_t i;

	for (i = 0; i < w->to; i++) {
		if (w->bytes[i] == talk_byte(0, place + i))
			continue;
		setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		return -1;
	}
	w->from = w->to;
	return 0;
}

static void serve_one(int epoll, struct watched *w)
{
	int err = w->to == w->from ? take(w) : 0;

	if (!err && w->to > w->from)
		err = w->port->ending ? judge(w) : say(w);
	if (err || (w->ended && w->to == w->from)) {
		close(w->fd);
		free(w);
		return;
	}
	watch(epoll, w, EPOLL_CTL_MOD);
}

int talk_serve(const struct talk_port *ports, size_t nr)
{
	const struct rlimit many = { 8192, 8192 };
	struct epoll_event events[EVENTS];
	int epoll = talk_must(epoll_create1(EPOLL_CLOEXEC), "epoll"), i, n;
	struct watched *w;
	size_t p;

	setrlimit(RLIMIT_NOFILE, &many);
	for (p = 0; p < nr; p++) {
		watch(epoll, new_watched(listen_on(&ports[p]), &ports[p], true), EPOLL_CTL_ADD);
		w = new_watched(bound(SOCK_DGRAM, ports[p].port), &ports[p], false);
		w->is_datagrams = true;
		watch(epoll, w, EPOLL_CTL_ADD);
	}
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS, -1);
		for (i = 0; i < n; i++) {
			w = events[i].data.ptr;
			if (w->listens)
				accept_all(epoll, w);
			else if (w->is_datagrams)
				answer_all(w);
			else
				serve_one(epoll, w);
		}
	}
}
