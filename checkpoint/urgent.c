// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "checkpoint/urgent.h"
#include "common/log.h"
#include "common/sockets.h"

bool urgent_waits(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };

	return poll(&p, 1, 0) > 0 && p.revents & POLLPRI;
}

static int refuse(const struct socket_of *s, void *unused)
{
	int protocol = 0;
	socklen_t length = sizeof(protocol);

	(void)unused;
	if (getsockopt(s->fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) ||
	    protocol != IPPROTO_TCP || !urgent_waits(s->fd))
		return 0;
	return log_refusal(-EAGAIN, "container %s, process %d: descriptor %d is a TCP connection with urgent data that the program has not read, which CRIU would lose; try again",
			   s->container->name, (int)s->pid, s->number);
}

int urgent_refuse(const struct containers *list)
{
	const struct container *c;
	int err = 0;

	/* to look at all processes takes a while, and somebody waits */
	for (c = list->container; !err && c < list->container + list->nr; c++)
		if (c->connections)
			err = sockets_each(c, refuse, NULL);
	return err;
}
