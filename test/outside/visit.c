// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "talk.h"

#define QUESTION 1000
/* A connection that is not answered yet tries again after 1, 2, 4, ... 64 s. */
#define PATIENCE_SECONDS 400

static int converse(int fd, unsigned int number)
{
	unsigned char bytes[QUESTION], answer[QUESTION];
	size_t heard = 0, i;
	ssize_t n;

	for (i = 0; i < QUESTION; i++)
		bytes[i] = talk_byte(number, i);
	if (send(fd, bytes, QUESTION, 0) != QUESTION || shutdown(fd, SHUT_WR) < 0)
		return -errno;
	while ((n = recv(fd, answer + heard, QUESTION - heard, 0)) > 0)
		heard += (size_t)n;
	if (n < 0)
		return -errno;
	return heard == QUESTION && !memcmp(bytes, answer, QUESTION) ? 0 : -EBADMSG;
}

/*
 * The visitor's own kernel has given up: its 7 SYNs (127 s) or its 3 questions for the
 * peer's link address (3 s) went unheard. A pause may be longer than that.
 */
static bool is_unheard(int err)
{
	return err == -ETIMEDOUT || err == -EHOSTUNREACH;
}

/* *connected: the error, if there is one, came after that. */
static int visit(const struct talk_hold *o, unsigned int number, bool *connected)
{
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	struct addrinfo *to = talk_address(o->address, o->port);
	int fd = talk_must(socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	int err;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	*connected = !connect(fd, to->ai_addr, to->ai_addrlen);
	err = *connected ? converse(fd, number) : -errno;
	freeaddrinfo(to);
	close(fd);
	return err;
}

int talk_visit(const struct talk_hold *o)
{
	const struct timespec pause = {
		.tv_sec = o->pause_ms / 1000,
		.tv_nsec = o->pause_ms % 1000 * 1000000L,
	};
	int64_t start = talk_now_ms(), began, took, longest = 0;
	unsigned int visits = 0, failed = 0, unheard = 0;
	bool connected, heard = true;
	int err;

	/* the server may not be there yet */
	while ((err = visit(o, 0, &connected)) && !talk_is_over(o, start))
		nanosleep(&pause, NULL);
	for (; !err && !talk_is_over(o, start); visits++) {
		began = talk_now_ms();
		err = visit(o, visits, &connected);
		took = talk_now_ms() - began;
		longest = took > longest ? took : longest;
		heard = !err || connected || !is_unheard(err);
		if (!heard)
			unheard++;
		else if (err)
			failed++;
		if (err)
			fprintf(stderr, "visit %u, after %" PRId64 " ms: %s\n", visits, took, strerror(-err));
		err = 0;
		nanosleep(&pause, NULL);
	}
	printf("metric visits %u n\n", visits);
	printf("metric longest-visit %.1f s\n", (double)longest / 1000);
	printf("metric unheard %u n\n", unheard);
	/* the last one was: it is over, then */
	if (!err && visits && !failed && heard) {
		puts("pass visits");
		return 0;
	}
	printf("fail visits: %u of %u failed%s\n", failed, visits, heard ? "" : ", and the last was not heard");
	return 1;
}
