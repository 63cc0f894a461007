// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/hold.h"

#define GREETING_MS 5000

int hold_listen(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = HOLD_SOCKET };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int err;

	if (fd < 0)
		return log_syserr(errno, "cannot make a socket");
	/* left by one that died; the lock says that nobody else is at work */
	unlink(HOLD_SOCKET);
	mask = umask(0177);
	err = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 128) < 0 ? errno : 0;
	umask(mask);
	if (err)
		return log_syserr(err, "cannot listen at %s", HOLD_SOCKET);
	return steal_fd(&fd);
}

void hold_close(int *fd)
{
	if (*fd < 0)
		return;
	unlink(HOLD_SOCKET);
	close(*fd);
	*fd = -1;
}

int hold_accept(int fd, struct held *held)
{
	_cleanup_close_ int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	unsigned long long dev, ino;
	struct pollfd poll_conn = { .fd = conn, .events = POLLIN };
	char line[128];
	ssize_t n;

	if (conn < 0)
		return errno == EAGAIN || errno == ECONNABORTED ?
			       -EAGAIN : log_syserr(errno, "cannot take a connection at %s", HOLD_SOCKET);
	/* It writes its line at once, in one piece. */
	if (poll(&poll_conn, 1, GREETING_MS) != 1)
		return -EAGAIN;
	n = read(conn, line, sizeof(line) - 1);
	if (n <= 0)
		return -EAGAIN;
	line[n] = '\0';
	if (sscanf(line, "%31s %llu %llu", held->action, &dev, &ino) != 3)
		return log_refusal(-EPROTO, "%s: expected ACTION DEVICE INODE, found \"%s\"",
				   HOLD_SOCKET, line);
	held->dev = dev;
	held->ino = ino;
	held->fd = steal_fd(&conn);
	return 0;
}

void hold_answer(int *fd, int go_on)
{
	if (*fd < 0)
		return;
	if (go_on && write(*fd, &(char){ HOLD_GO_ON }, 1) < 0)
		log_syserr(errno, "cannot let a CRIU go on");
	close(*fd);
	*fd = -1;
}
