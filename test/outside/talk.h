/* SPDX-License-Identifier: GPL-2.0 */
/*
 * talk.h - a server that says everything again, and a client that holds many
 * connections to it and knows which byte comes next: what is lost, doubled or
 * out of order on the way there or back is seen.
 */
#ifndef TALK_H
#define TALK_H

#include <stdint.h>
#include <time.h>

/* End with a message when a call failed; its value otherwise. */
int talk_must(int value, const char *what);

/* talk serve [--garble N] PORT: IPv4 and IPv6; with N the Nth byte of each connection is changed. */
int talk_serve(uint16_t port, uint64_t garble);

struct talk_hold {
	const char *address, *port;
	unsigned int connections;
	unsigned int pause_ms;	/* between two sentences of a connection */
	const char *stop_file;	/* the end, when it is there */
	unsigned int seconds;	/* at most */
};
/* Talk until told to stop. 0: every byte came back once and in order, and nobody was reset. */
int talk_hold(const struct talk_hold *options);

static inline int64_t talk_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
