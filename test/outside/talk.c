// SPDX-License-Identifier: GPL-2.0
/*
 * usage: talk serve [--garble N | --small | --ending] PORT...
 *        talk hold ADDRESS PORT CONNECTIONS PAUSE-MS STOP-FILE SECONDS [KIND]
 *        talk visit ADDRESS PORT PAUSE-MS STOP-FILE SECONDS
 *        talk ask ADDRESS PORT PAUSE-MS STOP-FILE SECONDS
 *
 * An option of serve is of the port behind it. KIND is in hold.c. hold, visit and ask
 * print lines for the test that runs them: `connected N`, and at the end
 * `metric NAME VALUE UNIT`, `pass NAME` and `fail NAME: why`.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "talk.h"

#define PORTS_MAX 16

int talk_must(int value, const char *what)
{
	if (value >= 0)
		return value;
	fprintf(stderr, "talk: %s: %s\n", what, strerror(errno));
	exit(3);
}

unsigned char talk_byte(unsigned int connection, uint64_t place)
{
	uint64_t x = (place + 1) * 0x9e3779b97f4a7c15ull + connection * 0xbf58476d1ce4e5b9ull;

	return (unsigned char)(x >> 56 ^ x >> 31);
}

struct addrinfo *talk_address(const char *address, const char *port)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *to;

	errno = EINVAL;
	talk_must(getaddrinfo(address, port, &hints, &to) ? -1 : 0, address);
	return to;
}

bool talk_is_over(const struct talk_hold *o, int64_t start)
{
	return !access(o->stop_file, F_OK) || talk_now_ms() - start >= (int64_t)o->seconds * 1000;
}

static int usage(void)
{
	fputs("usage: talk serve [--garble N | --small | --ending] PORT...\n"
	      "       talk hold ADDRESS PORT CONNECTIONS PAUSE-MS STOP-FILE SECONDS [KIND]\n"
	      "       talk visit ADDRESS PORT PAUSE-MS STOP-FILE SECONDS\n"
	      "       talk ask ADDRESS PORT PAUSE-MS STOP-FILE SECONDS\n", stderr);
	return 64;
}

static int serve(int argc, char **argv)
{
	struct talk_port ports[PORTS_MAX] = { 0 };
	size_t nr = 0;
	int i;

	for (i = 0; i < argc && nr < PORTS_MAX; i++) {
		if (!strcmp(argv[i], "--garble") && i + 1 < argc)
			ports[nr].garble = strtoull(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--small"))
			ports[nr].small = true;
		else if (!strcmp(argv[i], "--ending"))
			ports[nr].ending = true;
		else
			ports[nr++].port = (uint16_t)atoi(argv[i]);
	}
	return nr ? talk_serve(ports, nr) : usage();
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc >= 3 && !strcmp(argv[1], "serve"))
		return serve(argc - 2, argv + 2);
	if ((argc == 8 || argc == 9) && !strcmp(argv[1], "hold"))
		return talk_hold(&(struct talk_hold){
			.address = argv[2],
			.port = argv[3],
			.connections = (unsigned int)atoi(argv[4]),
			.pause_ms = (unsigned int)atoi(argv[5]),
			.stop_file = argv[6],
			.seconds = (unsigned int)atoi(argv[7]),
			.kind = argv[8],
		});
	if (argc == 7 && (!strcmp(argv[1], "visit") || !strcmp(argv[1], "ask"))) {
		const struct talk_hold options = {
			.address = argv[2],
			.port = argv[3],
			.pause_ms = (unsigned int)atoi(argv[4]),
			.stop_file = argv[5],
			.seconds = (unsigned int)atoi(argv[6]),
		};

		return !strcmp(argv[1], "ask") ? talk_ask(&options) : talk_visit(&options);
	}
	return usage();
}
