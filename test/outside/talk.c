// SPDX-License-Identifier: GPL-2.0
/*
 * usage: talk serve [--garble N] PORT
 *        talk hold ADDRESS PORT CONNECTIONS PAUSE-MS STOP-FILE SECONDS
 *
 * hold prints lines for the test that runs it: `connected N`, and at its end
 * `metric NAME VALUE UNIT`, `pass NAME` and `fail NAME: why`.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "talk.h"

int talk_must(int value, const char *what)
{
	if (value >= 0)
		return value;
	fprintf(stderr, "talk: %s: %s\n", what, strerror(errno));
	exit(3);
}

static int usage(void)
{
	fputs("usage: talk serve [--garble N] PORT\n"
	      "       talk hold ADDRESS PORT CONNECTIONS PAUSE-MS STOP-FILE SECONDS\n", stderr);
	return 64;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return talk_serve((uint16_t)atoi(argv[2]), 0);
	if (argc == 5 && !strcmp(argv[1], "serve") && !strcmp(argv[2], "--garble"))
		return talk_serve((uint16_t)atoi(argv[4]), strtoull(argv[3], NULL, 10));
	if (argc == 8 && !strcmp(argv[1], "hold"))
		return talk_hold(&(struct talk_hold){
			.address = argv[2],
			.port = argv[3],
			.connections = (unsigned int)atoi(argv[4]),
			.pause_ms = (unsigned int)atoi(argv[5]),
			.stop_file = argv[6],
			.seconds = (unsigned int)atoi(argv[7]),
		});
	return usage();
}
