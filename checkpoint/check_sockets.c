// SPDX-License-Identifier: GPL-2.0
/*
 * check_sockets.c - sockets. Each is asked itself, through a copy of its
 * descriptor (pidfd_getfd), which is closed at once: no other way tells family
 * and protocol of all of them.
 *
 * Unix sockets also have to talk to each other within the container: CRIU does
 * not dump one whose other end somebody else has (the system's log or bus, the
 * journal behind a service's standard output).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "checkpoint/check_internal.h"
#include "checkpoint/urgent.h"
#include "common/cleanup.h"
#include "common/log.h"

#define PROTO_MPTCP 262
#define PROTO_UDPLITE 136
/* What a peer has to wait for: the jump, and a few containers, on a machine that is not emulated. */
#define EXPECTED_BLACKOUT_MS 30000

static const struct {
	int family;
	const char *name;
} families[] = {
	{ AF_VSOCK, "AF_VSOCK, to a hypervisor or its guests" },
	{ AF_ALG, "AF_ALG, the kernel's cryptography" },
	{ 44, "AF_XDP" },
	{ 43, "AF_SMC" },
	{ AF_BLUETOOTH, "AF_BLUETOOTH" },
	{ AF_CAN, "AF_CAN" },
	{ AF_TIPC, "AF_TIPC" },
	{ AF_KEY, "AF_KEY, IPsec's keys" },
	{ AF_RDS, "AF_RDS" },
	{ 45, "AF_MCTP" },
};

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, name, &value, &length) < 0 ? -1 : value;
}

static void refuse_family(struct check *k, const struct checked_socket *s)
{
	size_t i;

	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (families[i].family != s->family)
			continue;
		REFUSE(k, s->pid, "descriptor %d is a socket of the family %s, which CRIU cannot carry: let it be closed before the update",
		       s->fd, families[i].name);
		return;
	}
	REFUSE(k, s->pid, "descriptor %d is a socket of address family %d, which CRIU cannot carry (UNIX, INET, INET6, PACKET and NETLINK alone)",
	       s->fd, s->family);
}

/*
 * Ours go on where they stood. The other end's cannot be seen; a program that
 * sets a short one is likely to talk to one that does so too.
 */
static void check_patience(struct check *k, const struct checked_socket *s, int fd)
{
	int ms = option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT);

	if (ms > 0 && ms < EXPECTED_BLACKOUT_MS)
		WARN(k, s->pid, "descriptor %d is a TCP socket that gives its peer up after %d.%d s without an answer (TCP_USER_TIMEOUT); if its peer is as impatient, the connection is lost when the update takes longer (%d s are usual)",
		     s->fd, ms / 1000, ms % 1000 / 100, EXPECTED_BLACKOUT_MS / 1000);
}

static bool is_loopback(const struct sockaddr_storage *peer)
{
	const struct sockaddr_in *v4 = (const void *)peer;
	const struct sockaddr_in6 *v6 = (const void *)peer;

	if (peer->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
}

static void count_connection(struct check *k, int fd)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t length = sizeof(peer);

	if (!getpeername(fd, (struct sockaddr *)&peer, &length) && !is_loopback(&peer))
		k->connections++;
}

static void check_tcp(struct check *k, const struct checked_socket *s, int fd)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);
	char ulp[16] = "";

	if (!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) && info.tcpi_state == 10 &&
	    info.tcpi_unacked)
		WARN(k, s->pid, "descriptor %d listens and has %u connections that it has not accepted; if there are any at the freeze, CRIU refuses",
		     s->fd, info.tcpi_unacked);
	if (urgent_waits(fd))
		WARN(k, s->pid, "descriptor %d is a TCP connection with urgent data that the program does not read; if there are any at the freeze, the update is given up",
		     s->fd);
	length = sizeof(ulp) - 1;
	if (!getsockopt(fd, IPPROTO_TCP, TCP_ULP, ulp, &length) && ulp[0])
		REFUSE(k, s->pid, "descriptor %d is a TCP socket with kernel TLS or the like (%s), which CRIU does not carry: turn it off in the program",
		       s->fd, ulp);
	check_patience(k, s, fd);
	count_connection(k, fd);
}

static void check_inet(struct check *k, const struct checked_socket *s, int fd)
{
	int type = option(fd, SOL_SOCKET, SO_TYPE), protocol = option(fd, SOL_SOCKET, SO_PROTOCOL);

	if (type == SOCK_RAW)
		return;
	if (protocol == PROTO_MPTCP)
		REFUSE(k, s->pid, "descriptor %d is a socket of multipath TCP, which CRIU cannot carry: turn it off (Go programs: GODEBUG=multipathtcp=0)",
		       s->fd);
	else if (protocol == PROTO_UDPLITE)
		WARN(k, s->pid, "descriptor %d is a socket of UDP-Lite, which kernels from 7.1 on do not have any more",
		     s->fd);
	else if (protocol == IPPROTO_SCTP || (type != SOCK_STREAM && type != SOCK_DGRAM))
		REFUSE(k, s->pid, "descriptor %d is an internet socket of protocol %d, which CRIU cannot carry (TCP, UDP, ICMP and raw alone)",
		       s->fd, protocol);
	else if (type == SOCK_STREAM && protocol == IPPROTO_TCP)
		check_tcp(k, s, fd);
	else if (protocol != 0 && protocol != IPPROTO_UDP && protocol != IPPROTO_ICMP &&
		 protocol != IPPROTO_ICMPV6)
		REFUSE(k, s->pid, "descriptor %d is an internet socket of protocol %d, which CRIU cannot carry (TCP, UDP, ICMP and raw alone)",
		       s->fd, protocol);
}

static void check_netlink(struct check *k, const struct checked_socket *s, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, 0) > 0 && (p.revents & POLLIN))
		WARN(k, s->pid, "descriptor %d is a netlink socket with messages that the program does not read; if there are any at the freeze, CRIU refuses",
		     s->fd);
}

static bool seen_socket(const struct check *k, ino_t ino)
{
	size_t i;

	for (i = 0; i < k->nr_sockets; i++)
		if (k->socket[i].ino == ino)
			return true;
	return false;
}

void check_socket(struct check *k, pid_t pid, int fd, ino_t ino)
{
	_cleanup_close_ int process = -1, copy = -1;
	struct checked_socket s = { .ino = ino, .pid = pid, .fd = fd }, *list;

	if (seen_socket(k, ino))
		return;
	process = pidfd_open(pid, 0);
	copy = process < 0 ? -1 : pidfd_getfd(process, fd, 0);
	/* gone, or something else by now */
	if (copy < 0)
		return;
	s.family = option(copy, SOL_SOCKET, SO_DOMAIN);
	if (s.family < 0)
		return;
	list = check_room(k, k->socket, k->nr_sockets, sizeof(*list));
	if (!list)
		return;
	k->socket = list;
	k->socket[k->nr_sockets++] = s;
	switch (s.family) {
	case AF_UNIX: case AF_PACKET: break;
	case AF_INET: case AF_INET6: check_inet(k, &s, copy); break;
	case AF_NETLINK: check_netlink(k, &s, copy); break;
	default: refuse_family(k, &s); break;
	}
}

/* ---- the other ends of unix sockets -------------------------------------------- */

/* A socket that answers for the network namespace of a process. -errno (logged); -ESRCH: it has ended. */
static int diag_open(pid_t pid)
{
	_cleanup_close_ int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int theirs = -1;
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	theirs = open(path, O_RDONLY | O_CLOEXEC);
	if (theirs < 0 && errno == ENOENT)
		return -ESRCH;
	if (ours < 0 || theirs < 0 || setns(theirs, CLONE_NEWNET) < 0)
		return log_syserr(errno, "cannot look into the network namespace of process %d",
				  (int)pid);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	err = errno;
	if (setns(ours, CLONE_NEWNET) < 0) {
		if (fd >= 0)
			close(fd);
		return log_syserr(errno, "cannot come back from the network namespace of process %d",
				  (int)pid);
	}
	return fd < 0 ? log_syserr(err, "cannot ask for unix sockets (module unix_diag)") : fd;
}

static const struct checked_socket *find_unix(const struct check *k, ino_t ino)
{
	size_t i;

	for (i = 0; i < k->nr_sockets; i++)
		if (k->socket[i].ino == ino && k->socket[i].family == AF_UNIX)
			return &k->socket[i];
	return NULL;
}

static void check_peer(struct check *k, const struct unix_diag_msg *m, const struct rtattr *a, int bytes)
{
	const struct checked_socket *s = find_unix(k, m->udiag_ino);
	uint32_t peer = 0;

	for (; RTA_OK(a, bytes); a = RTA_NEXT(a, bytes))
		if (a->rta_type == UNIX_DIAG_PEER && RTA_PAYLOAD(a) >= sizeof(peer))
			memcpy(&peer, RTA_DATA(a), sizeof(peer));
	/* 0: not connected, or not accepted yet */
	if (!s || !peer || find_unix(k, peer))
		return;
	REFUSE(k, s->pid, "descriptor %d is a unix socket whose other end (socket %u) is not in the container, so that CRIU cannot carry it: end the connection (standard output of a service goes to the journal by one: StandardOutput=file:... or null)",
	       s->fd, peer);
}

/* One buffer of answers; false when it was the last. */
static bool check_answers(struct check *k, const void *buf, size_t bytes)
{
	const struct nlmsghdr *h;
	const struct unix_diag_msg *m;

	for (h = buf; NLMSG_OK(h, bytes); h = NLMSG_NEXT(h, bytes)) {
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return false;
		if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
			continue;
		m = NLMSG_DATA(h);
		check_peer(k, m, (const struct rtattr *)(m + 1),
			   (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*m))));
	}
	return true;
}

static void check_unix_of(struct check *k, pid_t pid)
{
	const struct {
		struct nlmsghdr head;
		struct unix_diag_req request;
	} ask = {
		.head = { .nlmsg_len = sizeof(ask), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.request = { .sdiag_family = AF_UNIX, .udiag_states = ~0u,
			     .udiag_show = UDIAG_SHOW_PEER },
	};
	_cleanup_close_ int fd = diag_open(pid);
	_Alignas(8) char buf[32768];
	ssize_t n;

	if (fd < 0)
		return;
	if (send(fd, &ask, sizeof(ask), 0) < 0) {
		log_syserr(errno, "cannot ask for the unix sockets of process %d", (int)pid);
		return;
	}
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		if (!check_answers(k, buf, (size_t)n))
			return;
}

void check_unix_peers(struct check *k)
{
	size_t i, j;

	for (i = 0; i < k->nr_pids; i++) {
		/* once for each network namespace */
		for (j = 0; j < i; j++)
			if (check_same_namespace(k->pid[i], k->pid[j], "net"))
				break;
		if (j == i)
			check_unix_of(k, k->pid[i]);
	}
}
