// SPDX-License-Identifier: GPL-2.0
/* Internet sockets on the loopback link: udp, listening tcp, a tcp connection with data. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "survivor.h"

static int udp, listening, client, server;
static struct sockaddr_in udp_address, tcp_address;

static int bound(int type, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = must(socket(AF_INET, type, 0)), on = 1;

	*addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	must(bind(fd, (struct sockaddr *)addr, sizeof(*addr)));
	must(getsockname(fd, (struct sockaddr *)addr, &len));
	return fd;
}

static void put(int fd, unsigned int seed, size_t size)
{
	unsigned char bytes[4096];

	fill_pattern(bytes, seed, size);
	must(send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1);
}

static void expect_data(const char *what, int fd, unsigned int seed, size_t size)
{
	unsigned char bytes[4096];
	struct timeval limit = { .tv_sec = 20 };
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	n = recv(fd, bytes, size, MSG_WAITALL);
	expect_num(what, size, n);
	if (n == (ssize_t)size)
		expect_pattern(what, bytes, seed, size);
}

static void set_up(void)
{
	struct timeval limit = { .tv_sec = 5 };
	int on = 1, idle = 1234;

	bring_loopback_up();
	udp = bound(SOCK_DGRAM, &udp_address);
	must(setsockopt(udp, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)));
	must(setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	listening = bound(SOCK_STREAM, &tcp_address);
	must(listen(listening, 5));
	client = must(socket(AF_INET, SOCK_STREAM, 0));
	must(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	must(setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
	must(setsockopt(client, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle)));
	must(connect(client, (struct sockaddr *)&tcp_address, sizeof(tcp_address)));
	server = must(accept(listening, NULL, NULL));
	put(client, 1, 3000);
	put(server, 2, 2000);
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	expect_call("getsockopt", getsockopt(fd, level, name, &value, &len));
	return value;
}

static void check(void)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	unsigned char bytes[16];
	int fd, to;

	expect_call("getsockname", getsockname(udp, (struct sockaddr *)&addr, &len));
	expect_num("port of udp", udp_address.sin_port, addr.sin_port);
	expect_num("SO_BROADCAST", 1, option(udp, SOL_SOCKET, SO_BROADCAST));
	expect_num("datagram to itself", 5, sendto(udp, "hello", 5, 0, (struct sockaddr *)&udp_address, sizeof(udp_address)));
	expect_num("datagram of itself", 5, recv(udp, bytes, sizeof(bytes), 0));
	expect_data("tcp: data to the server", server, 1, 3000);
	expect_data("tcp: data to the client", client, 2, 2000);
	expect_num("TCP_NODELAY", 1, !!option(client, IPPROTO_TCP, TCP_NODELAY));
	expect_num("SO_KEEPALIVE", 1, option(client, SOL_SOCKET, SO_KEEPALIVE));
	expect_num("TCP_KEEPIDLE", 1234, option(client, IPPROTO_TCP, TCP_KEEPIDLE));
	put(client, 1, 3000);
	put(server, 2, 2000);
	expect_num("listens", 1, option(listening, SOL_SOCKET, SO_ACCEPTCONN));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (expect_call("connect", connect(fd, (struct sockaddr *)&tcp_address, sizeof(tcp_address)))) {
		to = accept(listening, NULL, NULL);
		put(fd, 3, 100);
		expect_data("data of a new connection", to, 3, 100);
		/* No TIME_WAIT left behind: it is reset. */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
		close(fd);
		close(to);
	}
}

static void sabotage(int which)
{
	unsigned char bytes[4];
	int off = 0;

	switch (which) {
	case 1: recv(server, bytes, sizeof(bytes), 0); break;
	case 2: dup2(open("/dev/null", O_RDWR), udp); break;
	case 3: shutdown(listening, SHUT_RD); break;
	case 4: setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &off, sizeof(off)); break;
	}
}

const struct survivor survivor_inet_sockets = {
	.name = "inet_sockets",
	.keeps = "udp, listening tcp and a tcp connection with data, on the loopback link",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
};
