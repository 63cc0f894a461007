// SPDX-License-Identifier: GPL-2.0
/*
 * What programs set of their sockets and CRIU does not carry, so that only an update
 * does; and a connection that asks for its peer so often that it would be given up
 * while the network is locked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "survivor.h"

/*
 * Given up 20 seconds after the last that was heard: longer than its own dump takes where
 * CPUs are emulated. On a fast machine all may be restored by then.
 */
#define IDLE_SECONDS 10
#define BETWEEN_SECONDS 5
#define PROBES 2
#define USER_TIMEOUT_MS 20000
#define LOWAT_BYTES 32768
#define HOPS 77

static int udp, listening, client, server;

static void set(int fd, int level, int name, int value)
{
	must(setsockopt(fd, level, name, &value, sizeof(value)));
}

static int get(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	expect_call("getsockopt", getsockopt(fd, level, name, &value, &len));
	return value;
}

static void set_up(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	bring_loopback_up();
	udp = must(socket(AF_INET, SOCK_DGRAM, 0));
	set(udp, IPPROTO_IP, IP_RECVERR, 1);
	set(udp, IPPROTO_IP, IP_RECVTTL, 1);
	set(udp, IPPROTO_IP, IP_MULTICAST_TTL, HOPS);
	set(udp, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	listening = must(socket(AF_INET, SOCK_STREAM, 0));
	set(listening, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
	must(bind(listening, (struct sockaddr *)&addr, sizeof(addr)));
	must(listen(listening, 5));
	must(getsockname(listening, (struct sockaddr *)&addr, &len));
	client = must(socket(AF_INET, SOCK_STREAM, 0));
	set(client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, LOWAT_BYTES);
	set(client, IPPROTO_TCP, TCP_KEEPIDLE, IDLE_SECONDS);
	set(client, IPPROTO_TCP, TCP_KEEPINTVL, BETWEEN_SECONDS);
	set(client, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
	must(setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	must(connect(client, (struct sockaddr *)&addr, sizeof(addr)));
	server = must(accept(listening, NULL, NULL));
	set(client, SOL_SOCKET, SO_KEEPALIVE, 1);
}

static void check(void)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	char name[17] = "";

	expect_num("IP_RECVERR", 1, get(udp, IPPROTO_IP, IP_RECVERR));
	expect_num("IP_RECVTTL", 1, get(udp, IPPROTO_IP, IP_RECVTTL));
	expect_num("IP_MULTICAST_TTL", HOPS, get(udp, IPPROTO_IP, IP_MULTICAST_TTL));
	expect_num("SO_TIMESTAMPNS", 1, get(udp, SOL_SOCKET, SO_TIMESTAMPNS));
	expect_num("TCP_USER_TIMEOUT of the listening one", USER_TIMEOUT_MS,
		   get(listening, IPPROTO_TCP, TCP_USER_TIMEOUT));
	expect_num("TCP_USER_TIMEOUT, as inherited", USER_TIMEOUT_MS,
		   get(server, IPPROTO_TCP, TCP_USER_TIMEOUT));
	expect_num("TCP_NOTSENT_LOWAT", LOWAT_BYTES, get(client, IPPROTO_TCP, TCP_NOTSENT_LOWAT));
	expect_num("SO_KEEPALIVE", 1, get(client, SOL_SOCKET, SO_KEEPALIVE));
	expect_call("TCP_INFO", getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &len));
	expect_num("state of the connection that asks often", TCP_ESTABLISHED, info.tcpi_state);
	len = sizeof(name) - 1;
	expect_call("TCP_CONGESTION", getsockopt(client, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	expect_text("TCP_CONGESTION", "reno", name);
}

static void sabotage(int which)
{
	switch (which) {
	case 1: set(udp, IPPROTO_IP, IP_RECVERR, 0); break;
	case 2: set(server, IPPROTO_TCP, TCP_USER_TIMEOUT, 0); break;
	case 3: set(client, SOL_SOCKET, SO_KEEPALIVE, 0); break;
	case 4: shutdown(client, SHUT_RDWR); break;
	case 5: must(setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5)); break;
	}
}

const struct survivor survivor_socket_options = {
	.name = "socket_options",
	.keeps = "options of sockets that CRIU does not carry, a connection with a short keepalive",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 5,
	.by_update = true,
};
