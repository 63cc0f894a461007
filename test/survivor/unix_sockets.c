// SPDX-License-Identifier: GPL-2.0
/* Unix sockets: stream, datagram, sequenced; with data, options and names; listening ones. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "survivor.h"

static int stream[2], packets[2], half[2], idle[2], datagrams, sender, listening, client, server, abstract;
static pid_t child;

static void put(int fd, unsigned int seed, size_t size)
{
	unsigned char bytes[4096];

	fill_pattern(bytes, seed, size);
	must(send(fd, bytes, size, 0) == (ssize_t)size ? 0 : -1);
}

static void expect_data(const char *what, int fd, unsigned int seed, size_t size)
{
	unsigned char bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	expect_num(what, size, n);
	if (n == (ssize_t)size)
		expect_pattern(what, bytes, seed, size);
}

static socklen_t address(struct sockaddr_un *addr, const char *name)
{
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	if (*name == '@') {
		/* Two runs in one network namespace must not meet. */
		snprintf(addr->sun_path + 1, sizeof(addr->sun_path) - 1, "%s-%d", name + 1, getpid());
		return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(addr->sun_path + 1);
	}
	/* A relative one: the directory's may be too long. */
	snprintf(addr->sun_path, sizeof(addr->sun_path), "%s", name);
	return sizeof(*addr);
}

static int bound(int type, const char *name)
{
	struct sockaddr_un addr;
	socklen_t size = address(&addr, name);
	int fd = must(socket(AF_UNIX, type, 0));

	unlink(name);
	must(bind(fd, (struct sockaddr *)&addr, size));
	return fd;
}

static int connected(int type, const char *name)
{
	struct sockaddr_un addr;
	socklen_t size = address(&addr, name);
	int fd = must(socket(AF_UNIX, type, 0));

	must(connect(fd, (struct sockaddr *)&addr, size));
	return fd;
}

static void child_check(void)
{
	expect_data("child: data of the parent", stream[1], 21, 100);
	put(stream[1], 22, 200);
}

static void fill(void)
{
	put(stream[0], 1, 3000);
	put(stream[1], 2, 2000);
	for (int i = 0; i < 4; i++) {
		put(packets[0], 10 + i, 100 + i);
		put(sender, 20 + i, 50 + i);
	}
	put(client, 5, 1000);
}

static void set_up(void)
{
	int on = 1, size = 100000;

	must(chdir(own_path("")));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, stream));
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, packets));
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, idle));
	must(setsockopt(idle[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	must(setsockopt(stream[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, half));
	put(half[0], 6, 77);
	must(shutdown(half[0], SHUT_WR));
	datagrams = bound(SOCK_DGRAM, "datagrams");
	sender = connected(SOCK_DGRAM, "datagrams");
	listening = bound(SOCK_STREAM, "listening");
	must(listen(listening, 7));
	client = connected(SOCK_STREAM, "listening");
	server = must(accept(listening, NULL, NULL));
	abstract = bound(SOCK_SEQPACKET, "@survivor");
	must(listen(abstract, 3));
	child = helper(NULL, child_check);
	fill();
}

static void check_listening(int fd, int type, const char *name)
{
	int value = 0, from, to;
	socklen_t len = sizeof(value);

	expect_call(name, getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
	expect_num("socket listens", 1, value);
	from = connected(type, name);
	to = accept(fd, NULL, NULL);
	expect_call("accept", to);
	put(from, 30, 10);
	expect_data("data of a new connection", to, 30, 10);
	close(from);
	close(to);
}

static void check(void)
{
	socklen_t len;
	struct ucred cred = { 0 };
	char byte, bytes[100];
	int on = 0;

	expect_data("data in a stream", stream[1], 1, 3000);
	expect_data("data of the other direction", stream[0], 2, 2000);
	for (int i = 0; i < 4; i++) {
		expect_data("sequenced packet", packets[1], 10 + i, 100 + i);
		expect_data("datagram", datagrams, 20 + i, 50 + i);
	}
	expect_data("data of a connection", server, 5, 1000);
	expect_num("data of a half-closed socket", 77, recv(half[1], bytes, sizeof(bytes), MSG_PEEK));
	expect_num("write after shutdown", -1, send(half[0], "x", 1, MSG_NOSIGNAL));
	expect_num("other direction after shutdown", 1, send(half[1], "y", 1, 0));
	expect_num("other direction after shutdown", 1, recv(half[0], &byte, 1, 0));
	len = sizeof(on);
	expect_call("SO_PASSCRED", getsockopt(idle[1], SOL_SOCKET, SO_PASSCRED, &on, &len));
	expect_num("SO_PASSCRED", 1, on);
	len = sizeof(on);
	expect_call("SO_SNDBUF", getsockopt(stream[0], SOL_SOCKET, SO_SNDBUF, &on, &len));
	expect_num("SO_SNDBUF", 200000, on);
	expect_num("O_NONBLOCK", O_NONBLOCK, fcntl(packets[0], F_GETFL) & O_NONBLOCK);
	len = sizeof(cred);
	expect_call("SO_PEERCRED", getsockopt(client, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	expect_num("pid of the peer", getpid(), cred.pid);
	check_listening(listening, SOCK_STREAM, "listening");
	check_listening(abstract, SOCK_SEQPACKET, "@survivor");
	put(stream[0], 21, 100);
	helper_check(child);
	expect_data("data of the child", stream[0], 22, 200);
	fill();
}

static void sabotage(int which)
{
	char bytes[4096];

	switch (which) {
	case 1: recv(stream[1], bytes, 1, 0); break;
	case 2: recv(packets[1], bytes, sizeof(bytes), 0); break;
	case 3: recv(datagrams, bytes, sizeof(bytes), 0); break;
	case 4: shutdown(listening, SHUT_RD); break;
	case 5: recv(half[1], bytes, 1, 0); break;
	case 6: close(client); client = stream[0]; break;
	}
}

const struct survivor survivor_unix_sockets = {
	.name = "unix_sockets",
	.keeps = "stream, datagram and sequenced unix sockets with data, options, names; listening",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 6,
};
