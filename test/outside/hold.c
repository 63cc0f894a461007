// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
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
/* What may be on the way; a peer that is silent holds us back. */
#define WINDOW 2048
/* For what is on the way to come back at the end. */
#define FINISH_MS 120000
#define CONNECT_PAUSE_NSEC 200000000

struct talker {
	int fd;
	uint64_t said, heard;
	int64_t heard_at, silence;	/* ms: last, and the longest between two */
	int64_t next;			/* when it says the next sentence */
	unsigned int number;
	int error;			/* errno of its end, 0 = none */
	int wrong, ended, finished;
	int early;			/* it ended before we did */
};

/* Depends on the connection and on the place in it, and does not repeat soon. */
static unsigned char byte_at(unsigned int number, uint64_t place)
{
	uint64_t x = (place + 1) * 0x9e3779b97f4a7c15ull + number * 0xbf58476d1ce4e5b9ull;

	return (unsigned char)(x >> 56 ^ x >> 31);
}

static int try_connect(const struct talk_hold *o)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
	struct addrinfo *to;
	int fd, err;

	/* numbers alone: no library is asked for names */
	if (getaddrinfo(o->address, o->port, &hints, &to)) {
		errno = EINVAL;
		talk_must(-1, o->address);
	}
	fd = talk_must(socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	err = connect(fd, to->ai_addr, to->ai_addrlen) < 0 ? errno : 0;
	freeaddrinfo(to);
	if (!err)
		return fd;
	close(fd);
	errno = err;
	return -1;
}

/* The server may not be there yet. */
static int connect_soon(const struct talk_hold *o, int64_t deadline)
{
	const struct timespec pause = { .tv_nsec = CONNECT_PAUSE_NSEC };
	int fd;

	while ((fd = try_connect(o)) < 0 && talk_now_ms() < deadline)
		nanosleep(&pause, NULL);
	return talk_must(fd, o->address);
}

static void end(struct talker *t, int error)
{
	t->error = error;
	t->early = !t->finished;
	t->ended = 1;
}

static void speak(struct talker *t, const struct talk_hold *o, int64_t now)
{
	unsigned char bytes[SENTENCE];
	ssize_t n;
	size_t i;

	if (t->ended || t->finished || now < t->next || t->said - t->heard + SENTENCE > WINDOW)
		return;
	for (i = 0; i < SENTENCE; i++)
		bytes[i] = byte_at(t->number, t->said + i);
	n = send(t->fd, bytes, SENTENCE, MSG_DONTWAIT);
	if (n > 0)
		t->said += (uint64_t)n;
	else if (n < 0 && errno != EAGAIN)
		end(t, errno);
	t->next = now + o->pause_ms;
}

static void listen_to(struct talker *t, int64_t now)
{
	unsigned char bytes[WINDOW];
	ssize_t n = recv(t->fd, bytes, sizeof(bytes), MSG_DONTWAIT), i;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(t, n < 0 ? errno : 0);
		return;
	}
	for (i = 0; i < n; i++)
		if (bytes[i] != byte_at(t->number, t->heard + (uint64_t)i))
			t->wrong = 1;
	t->heard += (uint64_t)n;
	if (now - t->heard_at > t->silence)
		t->silence = now - t->heard_at;
	t->heard_at = now;
}

static int round_of_all(struct talker *talkers, struct pollfd *polls, const struct talk_hold *o)
{
	unsigned int i, alive = 0;
	int64_t now;

	for (i = 0; i < o->connections; i++) {
		polls[i] = (struct pollfd){ .fd = talkers[i].ended ? -1 : talkers[i].fd,
					    .events = POLLIN };
		alive += !talkers[i].ended;
	}
	poll(polls, o->connections, TICK_MS);
	now = talk_now_ms();
	for (i = 0; i < o->connections; i++) {
		if (!talkers[i].ended && polls[i].revents)
			listen_to(&talkers[i], now);
		speak(&talkers[i], o, now);
	}
	return alive != 0;
}

static void finish(struct talker *talkers, struct pollfd *polls, const struct talk_hold *o)
{
	int64_t deadline = talk_now_ms() + FINISH_MS;
	unsigned int i;

	for (i = 0; i < o->connections; i++) {
		talkers[i].finished = 1;
		shutdown(talkers[i].fd, SHUT_WR);
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

static int report(const struct talker *talkers, const struct talk_hold *o)
{
	unsigned int i, reset = 0, wrong = 0, lost = 0;
	int64_t longest = 0, shortest = INT64_MAX;
	uint64_t bytes = 0;
	int failed;

	for (i = 0; i < o->connections; i++) {
		const struct talker *t = &talkers[i];

		reset += t->error != 0;
		wrong += t->wrong;
		lost += !t->error && (!t->ended || t->early || t->heard != t->said);
		bytes += t->heard;
		longest = t->silence > longest ? t->silence : longest;
		shortest = t->silence < shortest ? t->silence : shortest;
		if (t->error)
			fprintf(stderr, "connection %u: %s\n", i, strerror(t->error));
	}
	printf("metric bytes %" PRIu64 " B\n", bytes);
	printf("metric longest-silence %.1f s\n", (double)longest / 1000);
	printf("metric shortest-longest-silence %.1f s\n", (double)shortest / 1000);
	failed = verdict("reset", reset, o->connections, "were reset or broke");
	failed |= verdict("order", wrong, o->connections, "had a byte that is not the one due");
	failed |= verdict("complete", lost, o->connections, "did not bring back all that was said");
	return failed;
}

int talk_hold(const struct talk_hold *o)
{
	const struct rlimit many = { 8192, 8192 };
	struct talker *talkers = calloc(o->connections, sizeof(*talkers));
	struct pollfd *polls = calloc(o->connections, sizeof(*polls));
	int64_t start = talk_now_ms(), limit = (int64_t)o->seconds * 1000;
	unsigned int i;

	talk_must(talkers && polls ? 0 : -1, "calloc");
	setrlimit(RLIMIT_NOFILE, &many);
	for (i = 0; i < o->connections; i++) {
		talkers[i] = (struct talker){ .number = i, .fd = connect_soon(o, start + limit) };
		talkers[i].heard_at = talk_now_ms();
		/* spread over the pause, so that they do not all talk at once */
		talkers[i].next = talkers[i].heard_at + o->pause_ms * i / o->connections;
	}
	printf("connected %u\n", o->connections);
	while (access(o->stop_file, F_OK) < 0 && talk_now_ms() - start < limit &&
	       round_of_all(talkers, polls, o))
		;
	finish(talkers, polls, o);
	return report(talkers, o);
}
