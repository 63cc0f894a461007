// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of common/socket_options.c on real sockets: a child has them, and so do we, by
 * which they are set and looked at.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/socket_options.h"
#include "test/unit/harness.h"

#define SHARED_FD 200	/* of the client's connection, in the child's own child */

static int listener, client, server, udp, udp6;
/* Of IPv6, with a peer of IPv6, and with one of IPv4. */
static int listener6, client6, server6, client4, server_mapped, closed;
static struct container container;
static struct containers list = { &container, 1 };

static int must(int value, const char *what)
{
	if (value >= 0)
		return value;
	perror(what);
	exit(1);
}

static int get(int fd, int level, int number)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, number, &value, &length) ? -1 : value;
}

static void set(int fd, int level, int number, int value)
{
	if (setsockopt(fd, level, number, &value, sizeof(value)))
		complain("option %d of level %d: %s", number, level, strerror(errno));
}

static const char *congestion(int fd)
{
	static char name[17];
	socklen_t length = sizeof(name) - 1;

	memset(name, 0, sizeof(name));
	getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length);
	return name;
}

/* Over loopback, to the port of one that listens. */
static int connected(int family, int to, int *accepted)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 addr6 = { 0 };
	socklen_t length = sizeof(addr6);
	int fd = must(socket(family, SOCK_STREAM, 0), "socket");

	must(getsockname(to, (struct sockaddr *)&addr6, &length), "getsockname");
	addr.sin_port = addr6.sin6_port;
	addr6.sin6_addr = in6addr_loopback;
	must(family == AF_INET ? connect(fd, (struct sockaddr *)&addr, sizeof(addr)) :
				 connect(fd, (struct sockaddr *)&addr6, sizeof(addr6)), "connect");
	*accepted = must(accept(to, NULL, NULL), "accept");
	return fd;
}

static void open_sockets(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(addr);
	int peer;

	listener = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	must(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), "bind");
	must(listen(listener, 5), "listen");
	must(getsockname(listener, (struct sockaddr *)&addr, &length), "getsockname");
	client = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	must(connect(client, (struct sockaddr *)&addr, sizeof(addr)), "connect");
	server = must(accept(listener, NULL, NULL), "accept");
	listener6 = must(socket(AF_INET6, SOCK_STREAM, 0), "socket of IPv6");
	must(listen(listener6, 5), "listen");
	client6 = connected(AF_INET6, listener6, &server6);
	client4 = connected(AF_INET, listener6, &server_mapped);
	udp = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	udp6 = must(socket(AF_INET6, SOCK_DGRAM, 0), "socket of IPv6");
	closed = connected(AF_INET, listener, &peer);
	shutdown(peer, SHUT_RDWR);
	shutdown(closed, SHUT_RDWR);
	close(peer);
}

static void start_child(void)
{
	int ready[2];
	char c;

	must(pipe(ready), "pipe");
	container = (struct container){ .name = "c", .state = CONTAINER_RUNNING };
	container.pid = must(fork(), "fork");
	if (!container.pid) {
		setpgid(0, 0);
		if (!fork())
			dup2(client, SHARED_FD);
		must((int)write(ready[1], "r", 1), "write");
		pause();
		_exit(0);
	}
	setpgid(container.pid, container.pid);
	if (read(ready[0], &c, 1) != 1 || read(ready[0], &c, 1) != 1)
		exit(1);
	close(ready[0]);
	close(ready[1]);
}

static struct json_object *noted(int fd)
{
	struct json_object *one = NULL;
	char key[32];

	snprintf(key, sizeof(key), "%d:%d", (int)container.pid, fd);
	json_object_object_get_ex(container.sockets, key, &one);
	return one;
}

static int noted_value(int fd, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(noted(fd), name, &value) ? json_object_get_int(value) : -1;
}

/* As after a restore: what was set is not set any more. */
static void set_again(void)
{
	container.state = CONTAINER_RESTORED;
	socket_options_set(&container);
	container.state = CONTAINER_RUNNING;
}

/* Of connections alone: what is accepted has it from the one that listens. */
static void test_keepalive(void)
{
	struct stat st = { 0 };

	begin();
	set(listener, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(client, SOL_SOCKET, SO_KEEPALIVE, 1);
	expect_ok(socket_options_note(&list));
	fstat(client, &st);
	EXPECT(noted_value(client, "SO_KEEPALIVE"), 1);
	EXPECT(noted_value(client, "ino"), st.st_ino);
	EXPECT(noted_value(listener, "SO_KEEPALIVE"), -1);
	EXPECT(noted_value(server, "SO_KEEPALIVE"), -1);
	set(client, SOL_SOCKET, SO_KEEPALIVE, 0);
	set_again();
	EXPECT(get(client, SOL_SOCKET, SO_KEEPALIVE), 1);
	set(client, SOL_SOCKET, SO_KEEPALIVE, 0);
	end("socket-options.keepalive");
}

/* Once, and under the first process's descriptor. */
static void test_note(void)
{
	begin();
	set(client, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
	expect_ok(socket_options_note(&list));
	/* those of TCP have their congestion control, and nothing else was set */
	EXPECT(json_object_object_length(container.sockets), 9);
	EXPECT(json_object_object_length(noted(listener6)), 2);
	EXPECT(json_object_object_length(noted(client6)), 2);
	EXPECT(json_object_object_length(noted(server6)), 2);
	EXPECT(json_object_object_length(noted(client4)), 2);
	EXPECT(json_object_object_length(noted(server_mapped)), 2);
	EXPECT(json_object_object_length(noted(client)), 3);
	EXPECT(noted_value(client, "TCP_USER_TIMEOUT"), 5000);
	EXPECT(noted(udp) == NULL, true);
	end("socket-options.note");
	set(client, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
}

/* What has another inode number by now is another socket. */
static void test_confirm(void)
{
	begin();
	expect_ok(socket_options_note(&list));
	json_object_object_add(noted(client), "ino", json_object_new_int64(1));
	json_object_object_add(container.sockets, "1:999", json_object_get(noted(server)));
	expect_ok(socket_options_confirm(&list));
	EXPECT(noted(client) == NULL, true);
	EXPECT(noted(server) != NULL, true);
	EXPECT(json_object_object_length(container.sockets), 8);
	end("socket-options.confirm");
}

/* What was in use while it was connected is more than may be set. */
static void test_closed(void)
{
	struct json_object *one;

	begin();
	EXPECT(get(closed, IPPROTO_TCP, TCP_MAXSEG) > 32767, true);
	expect_ok(socket_options_note(&list));
	one = noted(closed);
	EXPECT(one != NULL, true);
	EXPECT(json_object_object_get_ex(one, "TCP_MAXSEG", NULL), false);
	end("socket-options.closed");
}

static void test_every_option(void)
{
	const struct {
		int fd, level, number, value;
	} tries[] = {
		{ client, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000 },
		{ client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384 },
		{ client, IPPROTO_TCP, TCP_LINGER2, 20 },
		{ client, IPPROTO_TCP, TCP_INQ, 1 },
		{ client, IPPROTO_IP, IP_MINTTL, 5 },
		{ listener, IPPROTO_TCP, TCP_USER_TIMEOUT, 7000 },
		{ listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 3 },
		{ listener, IPPROTO_TCP, TCP_FASTOPEN, 9 },
		{ listener, IPPROTO_TCP, TCP_SAVE_SYN, 1 },
		{ listener, IPPROTO_TCP, TCP_MAXSEG, 900 },
		{ client6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9 },
		{ client6, IPPROTO_IPV6, IPV6_TCLASS, 8 },
		{ server_mapped, IPPROTO_IP, IP_MINTTL, 5 },
		{ udp, IPPROTO_UDP, UDP_SEGMENT, 700 },
		{ udp, IPPROTO_UDP, UDP_GRO, 1 },
		{ udp, SOL_SOCKET, SO_TIMESTAMPNS_OLD, 1 },
		{ udp, SOL_SOCKET, SO_RXQ_OVFL, 1 },
		{ udp, SOL_SOCKET, SO_MAX_PACING_RATE, 100000 },
		{ udp, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO },
		{ udp, IPPROTO_IP, IP_RECVERR, 1 },
		{ udp, IPPROTO_IP, IP_RECVTOS, 1 },
		{ udp, IPPROTO_IP, IP_RECVTTL, 1 },
		{ udp, IPPROTO_IP, IP_MULTICAST_TTL, 9 },
		{ udp, IPPROTO_IP, IP_MULTICAST_LOOP, 0 },
		{ udp6, SOL_SOCKET, SO_TIMESTAMP_NEW, 1 },
		{ udp6, IPPROTO_IPV6, IPV6_RECVERR, 1 },
		{ udp6, IPPROTO_IPV6, IPV6_RECVTCLASS, 1 },
		{ udp6, IPPROTO_IPV6, IPV6_TCLASS, 8 },
		{ udp6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9 },
		{ udp6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO },
		{ udp6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 4 },
	};
	int usual[sizeof(tries) / sizeof(tries[0])], found;
	size_t i;

	begin();
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		usual[i] = get(tries[i].fd, tries[i].level, tries[i].number);
		if (usual[i] == tries[i].value)
			complain("try %zu is what it is by itself", i);
		set(tries[i].fd, tries[i].level, tries[i].number, tries[i].value);
	}
	expect_ok(socket_options_note(&list));
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		set(tries[i].fd, tries[i].level, tries[i].number, usual[i]);
	set_again();
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		found = get(tries[i].fd, tries[i].level, tries[i].number);
		if (found != tries[i].value)
			complain("option %d of level %d is %d, expected %d", tries[i].number, tries[i].level,
				 found, tries[i].value);
		set(tries[i].fd, tries[i].level, tries[i].number, usual[i]);
	}
	EXPECT(said[0], 0);
	end("socket-options.every-one");
}

static void test_congestion(void)
{
	struct json_object *one;

	begin();
	if (setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "reno", 4))
		complain("reno: %s", strerror(errno));
	expect_ok(socket_options_note(&list));
	if (setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5))
		complain("cubic: %s", strerror(errno));
	set_again();
	if (strcmp(congestion(client), "reno"))
		complain("it is %s, expected reno", congestion(client));
	end("socket-options.congestion");

	begin();
	one = noted(client);
	json_object_object_add(one, "TCP_CONGESTION", json_object_new_string("nonesuch"));
	set_again();
	expect_said("container c: 1 options of its sockets could not be set again: TCP_CONGESTION of descriptor");
	end("socket-options.refused");
}

static bool backs_off(void)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &length);
	return info.tcpi_backoff || info.tcpi_probes;
}

/* A peer that has no room is asked again and again. */
static void test_repeating(void)
{
	static char bytes[65536];
	unsigned int i;

	begin();
	set(client, IPPROTO_TCP, TCP_USER_TIMEOUT, 100);
	expect_ok(socket_options_note(&list));
	set(client, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
	while (send(client, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	for (i = 0; i < 100 && !backs_off(); i++)
		usleep(100000);
	EXPECT(backs_off(), true);
	set_again();
	EXPECT(get(client, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
	container.state = CONTAINER_RESTORED;
	socket_options_set_late(&container);
	EXPECT(get(client, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
	for (i = 0; i < 500 && (backs_off() || poll(&(struct pollfd){ server, POLLIN, 0 }, 1, 100) > 0); i++)
		while (recv(server, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			;
	EXPECT(backs_off(), false);
	socket_options_set_late(&container);
	EXPECT(get(client, IPPROTO_TCP, TCP_USER_TIMEOUT), 100);
	end("socket-options.repeating");
}

static void test_ended(void)
{
	begin();
	kill(-container.pid, SIGKILL);
	waitpid(container.pid, NULL, 0);
	set_again();
	container.state = CONTAINER_RUNNING;
	expect_ok(socket_options_note(&list));
	EXPECT(container.sockets == NULL, true);
	EXPECT(said[0], 0);
	end("socket-options.ended");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_set_sink(sink);
	open_sockets();
	start_child();
	test_keepalive();
	test_note();
	test_confirm();
	test_closed();
	test_every_option();
	test_congestion();
	test_repeating();
	test_ended();
	return failed ? 1 : 0;
}
