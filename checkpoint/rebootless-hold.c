// SPDX-License-Identifier: GPL-2.0
/*
 * rebootless-hold - CRIU's action script; see hold.h. It runs with every
 * action of every CRIU that has it in its configuration: most just pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/hold.h"
#include "common/loopback.h"

static int fail(const char *what)
{
	fprintf(stderr, "rebootless-hold: %s: %s\n", what, strerror(errno));
	return 1;
}

/*
 * runc has CRIU make an empty network namespace at a restore, in which not even
 * loopback is up, as it was when runc made the first: sockets need it.
 */
static int bring_loopback_up(const char *pid)
{
	char path[64];
	int ns;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", atoi(pid));
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		return fail(path);
	errno = -loopback_up();
	return errno ? fail("loopback") : 0;
}

static int wait_for_verdict(int fd, const char *action, const struct stat *images)
{
	char byte = 0;
	ssize_t n;

	if (dprintf(fd, "%s %llu %llu\n", action, (unsigned long long)images->st_dev,
		    (unsigned long long)images->st_ino) < 0)
		return fail("cannot tell rebootless of the hold");
	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	return n == 1 && byte == HOLD_GO_ON ? 0 : 1;
}

int main(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = HOLD_SOCKET };
	const char *action = getenv("CRTOOLS_SCRIPT_ACTION");
	const char *dir = getenv("CRTOOLS_IMAGE_DIR"), *pid = getenv("CRTOOLS_INIT_PID");
	struct stat images;
	int fd;

	if (action && pid && !strcmp(action, "setup-namespaces"))
		return bring_loopback_up(pid);
	if (!action || (strcmp(action, "network-lock") && strcmp(action, "post-dump") &&
			strcmp(action, "post-restore")))
		return 0;
	if (access(HOLD_SOCKET, F_OK) < 0)
		return 0;
	if (!dir || stat(dir, &images) < 0)
		return fail("CRTOOLS_IMAGE_DIR");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return fail(HOLD_SOCKET);
	return wait_for_verdict(fd, action, &images);
}
