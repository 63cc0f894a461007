// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "talk.h"

/* Answered so shortly before the end, it goes on. */
#define GOES_ON_MS 10000

struct asking {
	int fd;
	int64_t last_ms, longest_ms;	/* when an answer came, and between two of them */
	uint64_t asked, answered;
	struct talk_datagram last;	/* answer */
	unsigned int refused;
	bool is_wrong;
};

/* Each is numbered, and the server says how many it has heard: one that is new begins again. */
static void hear(struct asking *a)
{
	struct talk_datagram d;
	ssize_t n = recv(a->fd, &d, sizeof(d), 0);
	int64_t now = talk_now_ms();

	if (n < 0) {
		a->refused += errno == ECONNREFUSED;
		return;
	}
	/* sent twice, or out of order, is not wrong for datagrams; nobody does it here */
	if (n != sizeof(d) || d.number <= a->last.number || d.number > a->asked ||
	    (a->answered && (d.heard <= a->last.heard ||
			     d.heard - a->last.heard > d.number - a->last.number))) {
		fprintf(stderr, "answer of %zd bytes: number %" PRIu64 " after %" PRIu64
			", heard %" PRIu64 " after %" PRIu64 "\n", n, d.number, a->last.number,
			d.heard, a->last.heard);
		a->is_wrong = true;
		return;
	}
	if (a->answered && now - a->last_ms > a->longest_ms)
		a->longest_ms = now - a->last_ms;
	a->last_ms = now;
	a->last = d;
	a->answered++;
}

static void ask(struct asking *a, unsigned int pause_ms)
{
	const struct talk_datagram d = { .number = ++a->asked };
	struct pollfd p = { .fd = a->fd, .events = POLLIN };
	int64_t end = talk_now_ms() + pause_ms, left;

	/* an error here is one that came for the one before */
	if (send(a->fd, &d, sizeof(d), 0) < 0)
		a->refused += errno == ECONNREFUSED;
	while ((left = end - talk_now_ms()) > 0)
		if (poll(&p, 1, (int)left) > 0)
			hear(a);
}

int talk_ask(const struct talk_hold *o)
{
	struct addrinfo *to = talk_address(o->address, o->port);
	int64_t start = talk_now_ms();
	struct asking a = { 0 };
	bool goes_on;

	a.fd = talk_must(socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	talk_must(connect(a.fd, to->ai_addr, to->ai_addrlen), "connect");
	freeaddrinfo(to);
	while (!talk_is_over(o, start))
		ask(&a, o->pause_ms);
	close(a.fd);
	printf("metric asked %" PRIu64 " n\n", a.asked);
	printf("metric answered %" PRIu64 " n\n", a.answered);
	printf("metric longest-silence %.1f s\n", (double)a.longest_ms / 1000);
	goes_on = a.answered && talk_now_ms() - a.last_ms < GOES_ON_MS;
	if (goes_on && !a.refused && !a.is_wrong) {
		puts("pass datagrams");
		return 0;
	}
	printf("fail datagrams: %" PRIu64 " of %" PRIu64 " answered, %u refused%s%s\n", a.answered,
	       a.asked, a.refused, a.is_wrong ? ", a wrong one" : "",
	       goes_on ? "" : ", and none at the end");
	return 1;
}
