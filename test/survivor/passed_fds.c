// SPDX-License-Identifier: GPL-2.0
/* Descriptors on their way through a unix socket: sent, not yet received. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "survivor.h"

static int pair[2], kept;

static void put(int fd)
{
	char byte = 'f', control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	must(sendmsg(pair[0], &msg, 0));
}

static int take(void)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd = -1;

	if (!expect_call("recvmsg", recvmsg(pair[1], &msg, MSG_DONTWAIT)))
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

static void set_up(void)
{
	int ends[2], file;

	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	/* The only reading end of this pipe is on its way. */
	must(pipe(ends));
	must(write(ends[1], "in the pipe", 11) == 11 ? 0 : -1);
	put(ends[0]);
	close(ends[0]);
	kept = ends[1];
	file = must(open(own_path("file"), O_RDWR | O_CREAT | O_TRUNC, 0600));
	must(ftruncate(file, 1000));
	must(lseek(file, 321, SEEK_SET));
	put(file);
	close(file);
}

static void check(void)
{
	char text[32] = "";
	int fd = take();

	expect_range("passed pipe", 0, 100000, fd);
	expect_num("bytes in it", 11, read(fd, text, sizeof(text) - 1));
	expect_text("contents", "in the pipe", text);
	expect_num("write to it", 11, write(kept, "in the pipe", 11));
	put(fd);
	close(fd);
	fd = take();
	expect_range("passed file", 0, 100000, fd);
	expect_num("its offset", 321, lseek(fd, 0, SEEK_CUR));
	put(fd);
	close(fd);
}

static void sabotage(int which)
{
	char bytes[4];
	int fd;

	switch (which) {
	case 1:
		fd = take();
		put(fd);
		break;
	case 2:
		fd = take();
		(void)!read(fd, bytes, sizeof(bytes));
		put(fd);
		put(take());
		break;
	}
}

const struct survivor survivor_passed_fds = {
	.name = "passed_fds",
	.keeps = "descriptors that were sent through a unix socket and not received yet",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 2,
};
