// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "common/sockets.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/processes.h"

static bool is_socket(int dir, const char *name)
{
	char link[32];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);

	return n > 0 && !strncmp(link, "socket:", strlen("socket:"));
}

static int each_of(struct socket_of *s, int (*each)(const struct socket_of *s, void *arg), void *arg)
{
	_cleanup_close_ int process = pidfd_open(s->pid, 0);
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	char path[64];
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)s->pid);
	dir = process < 0 ? NULL : opendir(path);
	/* one that has ended has none */
	if (!dir)
		return errno == ESRCH || errno == ENOENT ? 0 : log_syserr(errno, "cannot look into %s", path);
	while (!err && (entry = readdir(dir))) {
		_cleanup_close_ int copy = -1;

		if (!is_socket(dirfd(dir), entry->d_name))
			continue;
		s->number = atoi(entry->d_name);
		s->fd = copy = pidfd_getfd(process, s->number, 0);
		err = copy < 0 ? 0 : each(s, arg);
	}
	return err;
}

int sockets_each(const struct container *c, int (*each)(const struct socket_of *s, void *arg),
		 void *arg)
{
	struct socket_of s = { .container = c };
	_cleanup_free_ pid_t *pids = NULL;
	size_t nr = 0, i;
	int err = process_descendants(c->pid, &pids, &nr);

	for (i = 0; !err && i < nr; i++) {
		s.pid = pids[i];
		err = each_of(&s, each, arg);
	}
	return err;
}
