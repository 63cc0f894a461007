// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/processes.h"
#include "common/socket_options.h"
#include "common/sockets.h"

#define CONGESTION "TCP_CONGESTION"
#define CONGESTION_MAX 16	/* linux: TCP_CA_NAME_MAX */
#define KEY_MAX 32

/* What a socket is, and what an option is of. */
enum {
	TCP_CONNECTED = 1,	/* or on the way to it, or from it */
	TCP_OTHER = 2,		/* listens, or does nothing yet */
	UDP = 4,
	OTHER = 8,		/* raw, ICMP */
	TCP = TCP_CONNECTED | TCP_OTHER,
	NOT_TCP = UDP | OTHER,
	ANY = TCP | NOT_TCP,
	V4 = 16,		/* in addition; an option with neither is of both */
	V6 = 32,
	FAMILY = V4 | V6,
};

/*
 * Of those that a socket has for itself (linux: sock_getsockopt(), do_tcp_getsockopt(),
 * do_ip_getsockopt(), do_ipv6_getsockopt(), udp_lib_getsockopt()), the ones that CRIU
 * does not save (criu/sockets.c, sk-inet.c, sk-tcp.c); and SO_KEEPALIVE, which is taken
 * out of its images.
 * Groups of multicast cannot be asked for.
 */
static const struct option {
	const char *name;
	int level, number;
	int usual;		/* what a new one has */
	unsigned int of;
} options[] = {
	{ SOCKET_KEEPALIVE, SOL_SOCKET, SO_KEEPALIVE, 0, TCP_CONNECTED },
	{ "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 0, TCP },
	{ "TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, 0, TCP },
	{ "TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2, 60, TCP },
	{ "TCP_INQ", IPPROTO_TCP, TCP_INQ, 0, TCP },
	{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, TCP_OTHER },
	{ "TCP_FASTOPEN", IPPROTO_TCP, TCP_FASTOPEN, 0, TCP_OTHER },
	{ "TCP_SAVE_SYN", IPPROTO_TCP, TCP_SAVE_SYN, 0, TCP_OTHER },
	/* of one that is connected it says what is in use, not what was set */
	{ "TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG, 536, TCP_OTHER },
	{ "UDP_SEGMENT", IPPROTO_UDP, UDP_SEGMENT, 0, UDP },
	{ "UDP_GRO", IPPROTO_UDP, UDP_GRO, 0, UDP },
	{ "UDP_NO_CHECK6_TX", IPPROTO_UDP, UDP_NO_CHECK6_TX, 0, UDP },
	{ "UDP_NO_CHECK6_RX", IPPROTO_UDP, UDP_NO_CHECK6_RX, 0, UDP },
	/* the older forms first: they take the mark of the newer ones away */
	{ "SO_TIMESTAMP_OLD", SOL_SOCKET, SO_TIMESTAMP_OLD, 0, ANY },
	{ "SO_TIMESTAMPNS_OLD", SOL_SOCKET, SO_TIMESTAMPNS_OLD, 0, ANY },
	{ "SO_TIMESTAMPING_OLD", SOL_SOCKET, SO_TIMESTAMPING_OLD, 0, ANY },
	{ "SO_TIMESTAMP_NEW", SOL_SOCKET, SO_TIMESTAMP_NEW, 0, ANY },
	{ "SO_TIMESTAMPNS_NEW", SOL_SOCKET, SO_TIMESTAMPNS_NEW, 0, ANY },
	{ "SO_TIMESTAMPING_NEW", SOL_SOCKET, SO_TIMESTAMPING_NEW, 0, ANY },
	{ "SO_ZEROCOPY", SOL_SOCKET, SO_ZEROCOPY, 0, TCP | UDP },
	{ "SO_MAX_PACING_RATE", SOL_SOCKET, SO_MAX_PACING_RATE, -1, TCP | UDP },
	{ "SO_RXQ_OVFL", SOL_SOCKET, SO_RXQ_OVFL, 0, NOT_TCP },
	{ "IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT, ANY },
	{ "IP_RECVERR", IPPROTO_IP, IP_RECVERR, 0, ANY },
	{ "IP_MINTTL", IPPROTO_IP, IP_MINTTL, 0, ANY },
	{ "IP_TRANSPARENT", IPPROTO_IP, IP_TRANSPARENT, 0, ANY },
	{ "IP_RECVTTL", IPPROTO_IP, IP_RECVTTL, 0, NOT_TCP },
	{ "IP_RECVTOS", IPPROTO_IP, IP_RECVTOS, 0, NOT_TCP },
	{ "IP_RECVOPTS", IPPROTO_IP, IP_RECVOPTS, 0, NOT_TCP },
	{ "IP_RETOPTS", IPPROTO_IP, IP_RETOPTS, 0, NOT_TCP },
	{ "IP_RECVORIGDSTADDR", IPPROTO_IP, IP_RECVORIGDSTADDR, 0, NOT_TCP },
	{ "IP_CHECKSUM", IPPROTO_IP, IP_CHECKSUM, 0, UDP },
	{ "IP_MULTICAST_TTL", IPPROTO_IP, IP_MULTICAST_TTL, 1, NOT_TCP },
	{ "IP_MULTICAST_LOOP", IPPROTO_IP, IP_MULTICAST_LOOP, 1, NOT_TCP },
	{ "IP_MULTICAST_ALL", IPPROTO_IP, IP_MULTICAST_ALL, 1, NOT_TCP | V4 },
	{ "IPV6_MTU_DISCOVER", IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_WANT, ANY | V6 },
	{ "IPV6_RECVERR", IPPROTO_IPV6, IPV6_RECVERR, 0, ANY | V6 },
	{ "IPV6_MINHOPCOUNT", IPPROTO_IPV6, IPV6_MINHOPCOUNT, 0, ANY | V6 },
	{ "IPV6_TRANSPARENT", IPPROTO_IPV6, IPV6_TRANSPARENT, 0, ANY | V6 },
	{ "IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, 0, ANY | V6 },
	{ "IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64, ANY | V6 },
	{ "IPV6_DONTFRAG", IPPROTO_IPV6, IPV6_DONTFRAG, 0, NOT_TCP | V6 },
	{ "IPV6_RECVTCLASS", IPPROTO_IPV6, IPV6_RECVTCLASS, 0, NOT_TCP | V6 },
	{ "IPV6_RECVHOPLIMIT", IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 0, NOT_TCP | V6 },
	{ "IPV6_RECVPATHMTU", IPPROTO_IPV6, IPV6_RECVPATHMTU, 0, NOT_TCP | V6 },
	{ "IPV6_RECVORIGDSTADDR", IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, 0, NOT_TCP | V6 },
	{ "IPV6_MULTICAST_HOPS", IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1, NOT_TCP | V6 },
	{ "IPV6_MULTICAST_LOOP", IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1, NOT_TCP | V6 },
	{ "IPV6_MULTICAST_ALL", IPPROTO_IPV6, IPV6_MULTICAST_ALL, 1, NOT_TCP | V6 },
};

#define NR_OPTIONS (sizeof(options) / sizeof(options[0]))

/* false: it has none of that kind. */
static bool get(int fd, int level, int number, int *value)
{
	socklen_t length = sizeof(*value);

	*value = 0;
	return !getsockopt(fd, level, number, value, &length);
}

static bool set(int fd, const struct option *o, int value)
{
	return !setsockopt(fd, o->level, o->number, &value, sizeof(value));
}

static unsigned int tcp_kind(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
		return OTHER;	/* multipath TCP and the like */
	return info.tcpi_state == TCP_CLOSE || info.tcpi_state == TCP_LISTEN ? TCP_OTHER : TCP_CONNECTED;
}

/* 0: not an internet socket. */
static unsigned int kind_of(int fd)
{
	int domain, protocol;
	unsigned int kind = OTHER;

	if (!get(fd, SOL_SOCKET, SO_DOMAIN, &domain) || (domain != AF_INET && domain != AF_INET6) ||
	    !get(fd, SOL_SOCKET, SO_PROTOCOL, &protocol))
		return 0;
	if (protocol == IPPROTO_TCP)
		kind = tcp_kind(fd);
	else if (protocol == IPPROTO_UDP)
		kind = UDP;
	return kind | (domain == AF_INET6 ? V6 : V4);
}

/* What was sent is being sent again, or the peer is asked whether it has room. */
static bool is_repeating(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) &&
	       (info.tcpi_retransmits || info.tcpi_probes || info.tcpi_backoff);
}

static bool is_user_timeout(const struct option *o)
{
	return o->level == IPPROTO_TCP && o->number == TCP_USER_TIMEOUT;
}

static bool has(unsigned int kind, const struct option *o)
{
	return o->of & kind & ANY && (!(o->of & FAMILY) || o->of & kind & FAMILY);
}

static int out_of_memory(void)
{
	return log_syserr(ENOMEM, "cannot note the options of sockets");
}

static int add(struct json_object *o, const char *key, struct json_object *value)
{
	if (value && !json_object_object_add(o, key, value))
		return 0;
	json_object_put(value);
	return out_of_memory();
}

#define TCP_MAXSEG_MAX 32767	/* Linux: MAX_TCP_WINDOW */

/* By a socket that was connected and is closed; over loopback it is more than anybody may set. */
static bool is_in_use(const struct option *o, int value)
{
	return o->level == IPPROTO_TCP && o->number == TCP_MAXSEG && value > TCP_MAXSEG_MAX;
}

/* ---- noting ---------------------------------------------------------------------- */

struct note {
	struct json_object *seen;	/* keys: inode numbers */
	struct json_object *out;
	pid_t pid, own;			/* of the process before, here and in its namespace */
};

static int note_congestion(int fd, struct json_object *out)
{
	char name[CONGESTION_MAX + 1] = "";
	socklen_t length = CONGESTION_MAX;

	/* there is no usual one: a network namespace has its own */
	if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length) || !name[0])
		return 0;
	return add(out, CONGESTION, json_object_new_string(name));
}

static int note_options(const struct socket_of *s, unsigned int kind, struct json_object *out)
{
	const struct option *o;
	int value, err = 0;

	for (o = options; !err && o < options + NR_OPTIONS; o++)
		if (has(kind, o) && get(s->fd, o->level, o->number, &value) && value != o->usual &&
		    !is_in_use(o, value))
			err = add(out, o->name, json_object_new_int(value));
	return !err && kind & TCP ? note_congestion(s->fd, out) : err;
}

static int key_of(const struct socket_of *s, pid_t *pid, pid_t *own, char key[KEY_MAX])
{
	if (s->pid != *pid) {
		*pid = s->pid;
		*own = process_own_pid(s->pid);
	}
	snprintf(key, KEY_MAX, "%d:%d", (int)*own, s->number);
	return *own ? 0 : -ESRCH;
}

static int note_one(const struct socket_of *s, void *arg)
{
	struct note *n = arg;
	struct json_object *one;
	unsigned int kind = kind_of(s->fd);
	struct stat st = { 0 };
	char key[KEY_MAX];
	int err;

	fstat(s->fd, &st);
	snprintf(key, sizeof(key), "%ju", (uintmax_t)st.st_ino);
	if (!kind || json_object_object_get_ex(n->seen, key, NULL))
		return 0;
	err = add(n->seen, key, json_object_new_boolean(true));
	if (err || key_of(s, &n->pid, &n->own, key))
		return err;
	one = json_object_new_object();
	err = one ? note_options(s, kind, one) : out_of_memory();
	if (err || !json_object_object_length(one)) {
		json_object_put(one);
		return err;
	}
	err = add(n->out, key, one);
	return err ? err : add(one, SOCKET_INODE, json_object_new_int64((int64_t)st.st_ino));
}

static int note_container(struct container *c)
{
	struct note n = { .seen = json_object_new_object(), .out = json_object_new_object() };
	int err = n.seen && n.out ? sockets_each(c, note_one, &n) : out_of_memory();

	json_object_put(n.seen);
	json_object_put(steal_ptr(c->sockets));
	if (!err && json_object_object_length(n.out))
		c->sockets = n.out;
	else
		json_object_put(n.out);
	return err;
}

int socket_options_note(struct containers *list)
{
	struct container *c;
	int err = 0;

	for (c = list->container; !err && c < list->container + list->nr; c++)
		if (c->state == CONTAINER_RUNNING && c->pid)
			err = note_container(c);
	return err;
}

struct confirm {
	struct json_object *noted, *kept;
	pid_t pid, own;
};

static int confirm_one(const struct socket_of *s, void *arg)
{
	struct confirm *n = arg;
	struct json_object *one, *inode;
	struct stat st = { 0 };
	char key[KEY_MAX];

	if (fstat(s->fd, &st) || key_of(s, &n->pid, &n->own, key) ||
	    !json_object_object_get_ex(n->noted, key, &one) ||
	    !json_object_object_get_ex(one, SOCKET_INODE, &inode) ||
	    json_object_get_int64(inode) != (int64_t)st.st_ino)
		return 0;
	return add(n->kept, key, json_object_get(one));
}

int socket_options_confirm(struct containers *list)
{
	struct container *c;
	struct confirm n;
	int err = 0;

	for (c = list->container; !err && c < list->container + list->nr; c++) {
		if (c->state != CONTAINER_RUNNING || !c->sockets)
			continue;
		n = (struct confirm){ .noted = c->sockets, .kept = json_object_new_object() };
		err = n.kept ? sockets_each(c, confirm_one, &n) : out_of_memory();
		json_object_put(c->sockets);
		c->sockets = n.kept;
	}
	return err;
}

/* ---- setting --------------------------------------------------------------------- */

struct again {
	const struct container *container;
	bool late;
	pid_t pid, own;
	unsigned int failed, left;
	char first[160];	/* what failed first, and why */
};

static void failed(struct again *a, const struct socket_of *s, const char *name)
{
	if (!a->failed++)
		snprintf(a->first, sizeof(a->first), "%s of descriptor %d of process %d: %s", name,
			 s->number, (int)s->pid, strerror(errno));
}

static void set_congestion(const struct socket_of *s, const char *name, struct again *a)
{
	char now[CONGESTION_MAX + 1] = "";
	socklen_t length = CONGESTION_MAX;

	if (!getsockopt(s->fd, IPPROTO_TCP, TCP_CONGESTION, now, &length) && !strcmp(now, name))
		return;
	if (setsockopt(s->fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)))
		failed(a, s, CONGESTION);
}

static void set_option(const struct socket_of *s, const struct option *o, int value, struct again *a)
{
	int now;

	if (get(s->fd, o->level, o->number, &now) && now == value)
		return;
	if (is_user_timeout(o) && is_repeating(s->fd))
		a->left++;
	else if (!set(s->fd, o, value))
		failed(a, s, o->name);
}

static int set_one(const struct socket_of *s, void *arg)
{
	struct again *a = arg;
	struct json_object *one, *value;
	const struct option *o;
	char key[KEY_MAX];

	if (key_of(s, &a->pid, &a->own, key) ||
	    !json_object_object_get_ex(a->container->sockets, key, &one) || !kind_of(s->fd))
		return 0;
	for (o = options; o < options + NR_OPTIONS; o++)
		if ((!a->late || is_user_timeout(o)) &&
		    json_object_object_get_ex(one, o->name, &value))
			set_option(s, o, json_object_get_int(value), a);
	if (!a->late && json_object_object_get_ex(one, CONGESTION, &value))
		set_congestion(s, json_object_get_string(value), a);
	return 0;
}

static void set_container(const struct container *c, bool late)
{
	struct again a = { .container = c, .late = late };

	if (c->state != CONTAINER_RESTORED || !c->sockets)
		return;
	sockets_each(c, set_one, &a);
	if (a.failed)
		log_warning("container %s: %u options of its sockets could not be set again: %s%s",
			    c->name, a.failed, a.first, a.failed > 1 ? ", and others" : "");
	if (a.left)
		log_detail("container %s: TCP_USER_TIMEOUT of %u connections is not set%s: their peers have not answered yet",
			   c->name, a.left, late ? "" : " before the settling");
}

void socket_options_set(const struct container *c)
{
	set_container(c, false);
}

void socket_options_set_late(const struct container *c)
{
	set_container(c, true);
}
