// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "talk.h"

#define TICK_MS 20
#define SENTENCE 160
#define ROOM 4096
/*
 * For what is on the way to come back at the end: after a long pause the next probe or
 * repetition of either side may be two minutes away (kernel: TCP_RTO_MAX).
 */
#define FINISH_MS 270000
#define CONNECT_PAUSE_NSEC 200000000
/* Sentences with urgent data at the beginning; there is one at the end. */
#define URGENT_SENTENCES 3

struct kind {
	const char *name;
	uint64_t window;	/* what may be on the way */
	bool eager;		/* says as much as there is room for, not a sentence at a time */
	uint64_t total;		/* says so much, and that this was all; 0: talks on */
	size_t slow;		/* reads so much at a time, so that all queues are full; 0: all there is */
	int buffer;		/* of the socket, each way; 0: the kernel's */
	bool idle;		/* says nothing before the end, the kernel asks whether the peer is there */
	bool urgent;		/* the last byte of a few sentences is urgent */
	bool one_way;		/* the peer has nothing to say, and checks what it hears */
};

static const struct kind kinds[] = {
	{ .name = "plain", .window = 2048 },
	{ .name = "full", .window = UINT64_MAX, .eager = true, .slow = 64, .buffer = 16384 },
	/*
	 * More than fits into the queues of both, a small port among them: a server that
	 * has said all closes, and what nobody owns any more is not carried.
	 */
	{ .name = "half", .window = UINT64_MAX, .eager = true, .slow = 64, .buffer = 65536, .total = 220000 },
	{ .name = "one-way", .window = UINT64_MAX, .one_way = true },
	{ .name = "idle", .idle = true },
	{ .name = "urgent", .window = 2048, .urgent = true },
};

struct talker {
	int fd;
	const struct kind *kind;
	unsigned int number;
	uint64_t said, heard;
	int64_t heard_at, silence;	/* ms: last, and the longest between two */
	int64_t say_next, hear_next;
	unsigned int urgent_said, urgent_heard;
	int error;			/* errno of its end, 0 = none */
	bool wrong, ended, finished, silent;
	bool early;			/* it ended before we did */
};

static const struct kind *find_kind(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name ? name : "plain"))
			return &kinds[i];
	errno = EINVAL;
	talk_must(-1, name);
	return NULL;
}

static void set(int fd, int level, int name, int value)
{
	talk_must(setsockopt(fd, level, name, &value, sizeof(value)), "setsockopt");
}

static void set_up(int fd, const struct kind *kind)
{
	set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	if (kind->buffer) {
		set(fd, SOL_SOCKET, SO_SNDBUF, kind->buffer);
		set(fd, SOL_SOCKET, SO_RCVBUF, kind->buffer);
	}
	if (kind->idle) {
		set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
		set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 5);
		set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
		set(fd, IPPROTO_TCP, TCP_KEEPCNT, 120);
	}
}

static int try_connect(const struct talk_hold *o, const struct kind *kind)
{
	struct addrinfo *to = talk_address(o->address, o->port);
	int fd, err;

	fd = talk_must(socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	set_up(fd, kind);
	err = connect(fd, to->ai_addr, to->ai_addrlen) < 0 ? errno : 0;
	freeaddrinfo(to);
	if (!err)
		return fd;
	close(fd);
	errno = err;
	return -1;
}

/* The server may not be there yet. */
static int connect_soon(const struct talk_hold *o, const struct kind *kind, int64_t start)
{
	const struct timespec pause = { .tv_nsec = CONNECT_PAUSE_NSEC };
	int fd;

	while ((fd = try_connect(o, kind)) < 0 && !talk_is_over(o, start))
		nanosleep(&pause, NULL);
	return talk_must(fd, o->address);
}

static void end(struct talker *t, int error)
{
	t->error = error;
	t->early = !t->finished;
	t->ended = true;
}

/* All was said. */
static void be_silent(struct talker *t)
{
	if (!t->silent && !t->ended)
		shutdown(t->fd, SHUT_WR);
	t->silent = true;
}

static size_t sentence_of(const struct talker *t)
{
	size_t most = t->kind->eager ? ROOM : SENTENCE;

	if (t->kind->total && t->kind->total - t->said < most)
		return (size_t)(t->kind->total - t->said);
	return most;
}

static bool is_urgent(const struct talker *t)
{
	return t->kind->urgent && (t->urgent_said < URGENT_SENTENCES || t->finished);
}

/* Returns whether there may be room for more. */
static bool say_one(struct talker *t)
{
	bool urgent = is_urgent(t);
	size_t length = sentence_of(t), i;
	unsigned int connection = t->kind->one_way ? 0 : t->number;
	unsigned char bytes[ROOM];
	ssize_t n;

	for (i = 0; i < length; i++)
		bytes[i] = talk_byte(connection, t->said + i);
	n = send(t->fd, bytes, length, MSG_DONTWAIT | (urgent ? MSG_OOB : 0));
	if (n < 0) {
		if (errno != EAGAIN)
			end(t, errno);
		return false;
	}
	t->said += (uint64_t)n;
	t->urgent_said += urgent;
	return t->kind->eager;
}

static void speak(struct talker *t, const struct talk_hold *o, int64_t now)
{
	if (t->ended || t->finished || t->silent || t->kind->idle || now < t->say_next ||
	    t->said - t->heard + SENTENCE > t->kind->window)
		return;
	/* TCP has one mark: that of the sentence before goes if nobody has come to it yet */
	if (is_urgent(t) && t->said != t->heard)
		return;
	while ((!t->kind->total || t->said < t->kind->total) && say_one(t))
		;
	if (t->kind->total && t->said == t->kind->total)
		be_silent(t);
	t->say_next = now + o->pause_ms;
}

static void hear(struct talker *t, const struct talk_hold *o, int64_t now)
{
	unsigned char bytes[ROOM];
	size_t room = t->kind->slow && !t->finished ? t->kind->slow : ROOM;
	bool urgent = sockatmark(t->fd) == 1;
	ssize_t n = recv(t->fd, bytes, room, MSG_DONTWAIT), i;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(t, n < 0 ? errno : 0);
		return;
	}
	for (i = 0; i < n; i++)
		if (bytes[i] != talk_byte(t->number, t->heard + (uint64_t)i))
			t->wrong = true;
	t->heard += (uint64_t)n;
	t->urgent_heard += urgent;
	if (now - t->heard_at > t->silence)
		t->silence = now - t->heard_at;
	t->heard_at = now;
	t->hear_next = t->kind->slow && !t->finished ? now + o->pause_ms : 0;
}

/* Its peer ended its half at once: what is left to know is how the other half ends. */
static void look_at_half(struct talker *t)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);
	int error = 0;

	if (getsockopt(t->fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0 || info.tcpi_state != TCP_CLOSE)
		return;
	length = sizeof(error);
	getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	end(t, error);
}

static bool is_due(const struct talker *t, int64_t now)
{
	return !t->ended && !t->kind->one_way && (t->finished || now >= t->hear_next);
}

static bool round_of_all(struct talker *talkers, struct pollfd *polls, const struct talk_hold *o)
{
	int64_t now = talk_now_ms();
	unsigned int i, alive = 0;

	for (i = 0; i < o->connections; i++) {
		polls[i] = (struct pollfd){ .fd = is_due(&talkers[i], now) ? talkers[i].fd : -1,
					    .events = POLLIN };
		alive += !talkers[i].ended;
	}
	poll(polls, o->connections, TICK_MS);
	now = talk_now_ms();
	for (i = 0; i < o->connections; i++) {
		if (polls[i].fd >= 0 && polls[i].revents)
			hear(&talkers[i], o, now);
		if (talkers[i].kind->one_way && !talkers[i].ended)
			look_at_half(&talkers[i]);
		speak(&talkers[i], o, now);
	}
	return alive != 0;
}

static void finish(struct talker *talkers, struct pollfd *polls, const struct talk_hold *o)
{
	int64_t deadline = talk_now_ms() + FINISH_MS;
	struct talker *t;

	for (t = talkers; t < talkers + o->connections; t++) {
		t->finished = true;
		if (!t->ended && (t->kind->idle || t->kind->urgent))
			say_one(t);
		be_silent(t);
	}
	while (talk_now_ms() < deadline && round_of_all(talkers, polls, o))
		;
}

static int verdict(const char *name, unsigned int bad, unsigned int all, const char *why)
{
	if (!bad)
		printf("pass %s\n", name);
	else
		printf("fail %s: %u of %u connections %s\n", name, bad, all, why);
	return bad != 0;
}

static void tell_silence(const struct talker *talkers, unsigned int nr)
{
	int64_t longest = 0, shortest = INT64_MAX;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		longest = talkers[i].silence > longest ? talkers[i].silence : longest;
		shortest = talkers[i].silence < shortest ? talkers[i].silence : shortest;
	}
	printf("metric longest-silence %.1f s\n", (double)longest / 1000);
	printf("metric shortest-longest-silence %.1f s\n", (double)shortest / 1000);
}

static bool is_incomplete(const struct talker *t)
{
	return !t->error && (!t->ended || t->early || (!t->kind->one_way && t->heard != t->said));
}

/* What became of it, and where its socket stands, for who must find out what it waits for. */
static void describe(const struct talker *t, char *text, size_t size)
{
	struct tcp_info i = { 0 };
	socklen_t length = sizeof(i);

	getsockopt(t->fd, IPPROTO_TCP, TCP_INFO, &i, &length);
	snprintf(text, size,
		 "did not bring back all that was said; number %u said %" PRIu64 " bytes, heard %" PRIu64
		 ", %s; state %u, %u not acknowledged, repeats %u, probes %u, backoff %u, last data sent %u ms and heard %u ms ago",
		 t->number, t->said, t->heard,
		 t->early ? "ended early" : t->ended ? "ended" : "goes on", i.tcpi_state,
		 i.tcpi_unacked, i.tcpi_retransmits, i.tcpi_probes, i.tcpi_backoff,
		 i.tcpi_last_data_sent, i.tcpi_last_data_recv);
}

static int report(const struct talker *talkers, const struct talk_hold *o)
{
	unsigned int reset = 0, wrong = 0, lost = 0, unmarked = 0;
	const struct kind *kind = talkers->kind;
	const struct talker *t;
	char first_lost[400] = "";
	uint64_t bytes = 0;
	int failed;

	for (t = talkers; t < talkers + o->connections; t++) {
		reset += t->error != 0;
		wrong += t->wrong;
		unmarked += t->urgent_heard != t->urgent_said;
		bytes += t->said;
		if (is_incomplete(t)) {
			if (!lost++)
				describe(t, first_lost, sizeof(first_lost));
		}
		if (t->error)
			fprintf(stderr, "connection %u: %s\n", t->number, strerror(t->error));
	}
	printf("metric bytes %" PRIu64 " B\n", bytes);
	if (kind == &kinds[0])
		tell_silence(talkers, o->connections);
	failed = verdict("reset", reset, o->connections, "were reset or broke");
	failed |= verdict("order", wrong, o->connections, "had a byte that is not the one due");
	failed |= verdict("complete", lost, o->connections, first_lost);
	if (kind->urgent)
		failed |= verdict("urgent", unmarked, o->connections, "did not mark as urgent what was");
	return failed;
}

int talk_hold(const struct talk_hold *o)
{
	const struct rlimit many = { 8192, 8192 };
	struct talker *talkers = calloc(o->connections, sizeof(*talkers));
	struct pollfd *polls = calloc(o->connections, sizeof(*polls));
	const struct kind *kind = find_kind(o->kind);
	int64_t start = talk_now_ms(), now;
	unsigned int i;

	talk_must(talkers && polls ? 0 : -1, "calloc");
	setrlimit(RLIMIT_NOFILE, &many);
	for (i = 0; i < o->connections; i++) {
		talkers[i] = (struct talker){ .number = i, .kind = kind };
		talkers[i].fd = connect_soon(o, kind, start);
		now = talk_now_ms();
		talkers[i].heard_at = now;
		/* spread over the pause, so that they do not all talk at once */
		talkers[i].say_next = now + o->pause_ms * i / o->connections;
	}
	printf("connected %u\n", o->connections);
	while (!talk_is_over(o, start) && round_of_all(talkers, polls, o))
		;
	finish(talkers, polls, o);
	return report(talkers, o);
}
