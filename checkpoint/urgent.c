// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "checkpoint/urgent.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/processes.h"

static bool is_socket(int dir, const char *name)
{
	char link[32];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);

	return n > 0 && !strncmp(link, "socket:", strlen("socket:"));
}

bool urgent_waits(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };

	return poll(&p, 1, 0) > 0 && p.revents & POLLPRI;
}

static bool has_urgent(int process, int fd)
{
	_cleanup_close_ int copy = pidfd_getfd(process, fd, 0);
	int protocol = 0;
	socklen_t length = sizeof(protocol);

	return copy >= 0 && !getsockopt(copy, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) &&
	       protocol == IPPROTO_TCP && urgent_waits(copy);
}

static int refuse_of(const struct container *c, pid_t pid)
{
	_cleanup_close_ int process = pidfd_open(pid, 0);
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	char path[64];
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = process < 0 ? NULL : opendir(path);
	if (!dir)
		return log_syserr(errno, "cannot look into %s", path);
	while (!err && (entry = readdir(dir)))
		if (is_socket(dirfd(dir), entry->d_name) && has_urgent(process, atoi(entry->d_name)))
			err = log_refusal(-EAGAIN, "container %s, process %d: descriptor %s is a TCP connection with urgent data that the program has not read, which CRIU would lose; try again",
					  c->name, (int)pid, entry->d_name);
	return err;
}

int urgent_refuse(const struct containers *list)
{
	const struct container *c;
	size_t nr, i;
	int err = 0;

	for (c = list->container; !err && c < list->container + list->nr; c++) {
		_cleanup_free_ pid_t *pids = NULL;

		/* to look at all processes takes a while, and somebody waits */
		if (!c->connections)
			continue;
		nr = 0;
		err = process_descendants(c->pid, &pids, &nr);
		for (i = 0; !err && i < nr; i++)
			err = refuse_of(c, pids[i]);
	}
	return err;
}
