/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sockets.h - the sockets of a container's processes, by copies of their
 * descriptors (pidfd_getfd(2)): what is asked of a copy is answered of the socket.
 */
#ifndef REBOOTLESS_SOCKETS_H
#define REBOOTLESS_SOCKETS_H

#include "common/manifest.h"

struct socket_of {
	const struct container *container;
	pid_t pid;
	int number;	/* of the descriptor in that process */
	int fd;		/* our copy, closed after the call */
};

/*
 * Call a function for every descriptor that is a socket, of every process. What it
 * returns that is not 0 ends this and is returned. 0 or -errno (logged).
 */
int sockets_each(const struct container *c, int (*each)(const struct socket_of *s, void *arg),
		 void *arg);

#endif
