/* SPDX-License-Identifier: GPL-2.0 */
/*
 * talk.h - a server that says everything again, and clients that know which byte
 * comes next: what is lost, doubled or out of order on the way there or back is seen.
 */
#ifndef TALK_H
#define TALK_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* End with a message when a call failed; its value otherwise. */
int talk_must(int value, const char *what);
/* The byte due at a place of a connection; it does not repeat soon. */
unsigned char talk_byte(unsigned int connection, uint64_t place);
/* Of numbers alone: no library is asked for names. Ends the program when they are none. */
struct addrinfo *talk_address(const char *address, const char *port);

/* What a server does with its connections beside echoing. */
struct talk_port {
	uint16_t port;
	uint64_t garble;	/* the byte of each that is changed, from 1; 0 = none */
	bool small;		/* little is sent ahead: the peer's pace is ours */
	bool ending;		/* says no more from the start; checks what it hears, and resets if it is wrong */
};
/* IPv4 and IPv6, for ever. */
int talk_serve(const struct talk_port *ports, size_t nr);

struct talk_hold {
	const char *address, *port;
	unsigned int connections;
	unsigned int pause_ms;	/* between two sentences of a connection */
	const char *stop_file;	/* the end, when it is there */
	unsigned int seconds;	/* at most */
	const char *kind;	/* one of hold.c's; NULL = plain */
};
/* Talk until told to stop. 0: every byte came back once and in order, and nobody was reset. */
int talk_hold(const struct talk_hold *options);

/*
 * One short connection after the other until told to stop. 0: each was answered, however
 * late, or not heard at all during a pause; none was refused, cut off or answered wrongly.
 */
int talk_visit(const struct talk_hold *options);

/* What clients send by UDP, and servers send back with `heard` set; in the host's byte order. */
struct talk_datagram {
	uint64_t number;	/* of the question, from 1 */
	uint64_t heard;		/* by the server at this port, from anybody, with this one */
};
/*
 * One datagram after the other to a server's port, by UDP, until told to stop. 0: they
 * are answered at the end as at the beginning, by the same server; none was refused.
 */
int talk_ask(const struct talk_hold *options);

/* Has the time come to stop? */
bool talk_is_over(const struct talk_hold *options, int64_t start);

static inline int64_t talk_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
