// SPDX-License-Identifier: GPL-2.0
/* A network namespace of a process's own: its link, addresses, settings, a listening socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "survivor.h"

#define PORT 7777

static pid_t child;
static int listening = -1;

static const struct sockaddr_in where = {
	.sin_family = AF_INET,
};

static struct ifreq request(const char *address)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	struct sockaddr_in *in = (struct sockaddr_in *)&ifr.ifr_addr;

	if (address) {
		in->sin_family = AF_INET;
		inet_pton(AF_INET, address, &in->sin_addr);
	}
	return ifr;
}

static void child_set_up(void)
{
	struct sockaddr_in addr = where;
	struct ifreq ifr;
	int fd;

	must(unshare(CLONE_NEWNET));
	fd = must(socket(AF_INET, SOCK_DGRAM, 0));
	ifr = request("127.0.0.1");
	must(ioctl(fd, SIOCSIFADDR, &ifr));
	ifr = request(NULL);
	must(ioctl(fd, SIOCGIFFLAGS, &ifr));
	ifr.ifr_flags |= IFF_UP;
	must(ioctl(fd, SIOCSIFFLAGS, &ifr));
	strcpy(ifr.ifr_name, "lo:1");
	((struct sockaddr_in *)&ifr.ifr_addr)->sin_family = AF_INET;
	inet_pton(AF_INET, "10.99.0.1", &((struct sockaddr_in *)&ifr.ifr_addr)->sin_addr);
	must(ioctl(fd, SIOCSIFADDR, &ifr));
	close(fd);
	addr.sin_port = htons(PORT);
	inet_pton(AF_INET, "10.99.0.1", &addr.sin_addr);
	listening = must(socket(AF_INET, SOCK_STREAM, 0));
	must(bind(listening, (struct sockaddr *)&addr, sizeof(addr)));
	must(listen(listening, 1));
}

static void child_check(void)
{
	struct ifreq ifr = request(NULL);
	struct sockaddr_in addr = where;
	int fd = socket(AF_INET, SOCK_STREAM, 0), to;

	expect_call("SIOCGIFFLAGS", ioctl(fd, SIOCGIFFLAGS, &ifr));
	expect_num("link is up", IFF_UP, ifr.ifr_flags & IFF_UP);
	addr.sin_port = htons(PORT);
	inet_pton(AF_INET, "10.99.0.1", &addr.sin_addr);
	if (expect_call("connect to an address of the namespace",
			connect(fd, (struct sockaddr *)&addr, sizeof(addr)))) {
		to = accept(listening, NULL, NULL);
		expect_call("accept", to);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
		close(to);
	}
	close(fd);
}

static void set_up(void)
{
	child = helper(child_set_up, child_check);
}

static void check(void)
{
	struct sockaddr_in addr = where;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, "10.99.0.1", &addr.sin_addr);
	expect_num("its address outside", -1, bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	close(fd);
	helper_check(child);
}

static void link_down(void)
{
	struct ifreq ifr = request(NULL);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
}

static void stop_listening(void)
{
	close(listening);
}

static void sabotage(int which)
{
	switch (which) {
	case 1: helper_do(child, link_down); break;
	case 2: helper_do(child, stop_listening); break;
	}
}

const struct survivor survivor_net_namespace = {
	.name = "net_namespace",
	.keeps = "a nested network namespace: its link, addresses, a listening socket",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 2,
};
