// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/deadline.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/network_lock.h"
#include "common/network_namespaces.h"
#include "common/network_tables.h"
#include "common/run.h"

#define NFT_SECONDS 20
/* The lock stands, or may: /run goes over to the real root. */
#define LOCK_MARK "/run/rebootless/network-locked"
#define DRAIN_SECONDS 1
#define DRAIN_PAUSE_NSEC 10000000

/* States of sockets in /proc/net/tcp. */
enum {
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
	TCP_CLOSING = 11,
};

/*
 * Behind connection tracking (-200), before addresses are translated (-100).
 * An empty table first: adding what is there would double its rules.
 */
#define UNLOCK "table inet rebootless\ndelete table inet rebootless\n"
#define LOCK_HEAD UNLOCK "table inet rebootless {\nchain arriving {\n" \
	"type filter hook prerouting priority -150\n"
#define LOCK_TAIL "\n}\n}\n"
#define UNLOCK_BETWEEN "table bridge rebootless\ndelete table bridge rebootless\n"
/* What containers on the same bridge say to each other. */
#define LOCK_BETWEEN(rules) UNLOCK_BETWEEN "table bridge rebootless {\nchain passing {\n" \
	"type filter hook forward priority -150\n" rules LOCK_TAIL
#define TRANSPORTS "meta l4proto { tcp, udp, udplite, sctp } drop\n"
/* By which a peer would be told that nobody is here; loopback is no exception. */
#define UNREACHABLE "icmp type destination-unreachable drop\nicmpv6 type destination-unreachable drop"
#define REFUSALS "tcp flags & rst == rst drop\n" UNREACHABLE
#define SYN "tcp flags & (fin|syn|rst|ack) == syn"
/*
 * What a socket says while CRIU has not made all of it: to put unsent data back it lets the
 * kernel ask the peer for its window, and that tells of a window of a gigabyte. It is of no
 * connection that the kernel has seen begin.
 */
#define UNFINISHED "tcp flags & (fin|syn|rst|ack) != syn ct state != { established, related } drop\n"
/* 0xC114: CRIU's own (SOCCR_MARK) */
#define LOCK_ALL LOCK_HEAD "iif lo accept\nmeta mark 0xc114 accept\nct state established,related accept\n" \
	TRANSPORTS "}\nchain passing {\ntype filter hook forward priority -150\n" \
	TRANSPORTS REFUSALS "\n}\n" \
	"chain leaving {\ntype filter hook output priority -150\n" \
	REFUSALS "\nmeta mark 0xc114 accept\n" UNFINISHED LOCK_TAIL
/*
 * Over loopback, and a bridge, as well: a peer may still run whose other end is captured.
 * CRIU's lock within a container leaves the host's questions for its IPv6 address
 * unanswered, so that it would tell peers that nobody is there.
 */
#define LOCK_NEW LOCK_HEAD SYN " drop\n}\nchain leaving {\n" \
	"type filter hook output priority -150\n" UNREACHABLE LOCK_TAIL

static int nft(const char *rules)
{
	char *argv[] = { "nft", (char *)rules, NULL };
	int status = run(argv, NULL, NFT_SECONDS);

	if (status > 0)
		return log_refusal(-EIO, "nft ended with status %d: the network cannot be locked", status);
	return status;
}

/* A kernel may have no nftables for bridges: then without. */
static int lock(const char *with_bridge, const char *without)
{
	_cleanup_close_ int fd = open(LOCK_MARK, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return log_syserr(errno, "cannot make %s", LOCK_MARK);
	return nft(with_bridge) ? nft(without) : 0;
}

int network_lock_new(void)
{
	return lock(LOCK_NEW LOCK_BETWEEN(SYN " drop"), LOCK_NEW);
}

int network_lock_all(void)
{
	return lock(LOCK_ALL LOCK_BETWEEN(TRANSPORTS), LOCK_ALL);
}

bool network_is_locked(void)
{
	return !access(LOCK_MARK, F_OK);
}

void network_unlock(void)
{
	if (!network_is_locked())
		return;
	/* of tables that are there or not */
	if (!nft(UNLOCK UNLOCK_BETWEEN) || !nft(UNLOCK))
		unlink(LOCK_MARK);
}

void network_lock_inside(struct json_object *network)
{
	(void)network;
	nft(LOCK_ALL);
}

static void unlock_inside(struct json_object *network)
{
	(void)network;
	nft(UNLOCK);
}

void network_unlock_all(struct json_object *noted, const struct containers *list)
{
	const struct container *c;
	char path[64];

	if (noted) {
		network_tracked_make(noted);
		network_namespaces_each(noted, unlock_inside);
		for (c = list->container; c < list->container + list->nr; c++) {
			if (c->state != CONTAINER_RESTORED || !c->engine->makes_network)
				continue;
			snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)c->pid);
			network_namespace_do(path, unlock_inside, NULL);
		}
	}
	network_unlock();
}

/*
 * Does one wait to be accepted, or for the end of its handshake; or is it nobody's
 * any more, and has something that its peer has not got?
 */
static bool waits(const char *line)
{
	unsigned int state, unsent, queue;
	unsigned long inode;

	if (sscanf(line, "%*s %*s %*s %x %x:%x %*s %*s %*s %*s %lu", &state, &unsent, &queue, &inode) != 4)
		return false;
	if (!inode && (state == TCP_FIN_WAIT1 || state == TCP_LAST_ACK || state == TCP_CLOSING))
		return true;
	return state == TCP_SYN_RECV || (state == TCP_LISTEN && queue);
}

static bool is_waiting(pid_t pid, const char *name)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	size_t room = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, name);
	f = fopen(path, "re");
	while (f && getline(&line, &room, f) > 0)
		if (waits(line))
			return true;
	return false;
}

void network_lock_drain(const struct containers *list)
{
	const struct timespec pause = { .tv_nsec = DRAIN_PAUSE_NSEC };
	int64_t deadline = deadline_in(DRAIN_SECONDS);
	const struct container *c = list->container;

	while (c < list->container + list->nr && deadline_left(deadline)) {
		if (is_waiting(c->pid, "tcp") || is_waiting(c->pid, "tcp6"))
			nanosleep(&pause, NULL);
		else
			c++;
	}
}
