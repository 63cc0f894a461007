/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hold.h - CRIU is held at the end of a dump, or of a restore, until it is
 * known what becomes of the whole update; and before a dump saves anything, until
 * it is known whether the tasks stand where they can be captured.
 *
 * CRIU calls rebootless-hold as its action script, with the action and the
 * directory of the images in the environment. That connects to HOLD_SOCKET and
 * says "ACTION DEVICE INODE\n" (of the images' directory, in decimal, by which
 * it is known whose it is); then it waits for one byte:
 *   'c'	go on (exit status 0)
 *   anything else, or the end of the connection: give up (exit status 1)
 * Given up at network-lock or post-dump, CRIU lets the tasks run on where they stood; at
 * post-restore it takes away what it has restored. So nobody is left frozen
 * when rebootless dies. Without a socket there is no update: exit status 0.
 */
#ifndef REBOOTLESS_HOLD_H
#define REBOOTLESS_HOLD_H

#include <sys/types.h>

#define HOLD_SOCKET "/run/rebootless/hold"
#define HOLD_SCRIPT LIBEXECDIR "/rebootless-hold"
#define HOLD_GO_ON 'c'

/* Who is held. */
struct held {
	int fd;			/* owned by whoever took it */
	char action[32];	/* network-lock, post-dump, post-restore */
	dev_t dev;
	ino_t ino;
};

/* Listen; the socket is 0600 in a directory of 0700. The descriptor or -errno (logged). */
int hold_listen(void);
/* Stop listening. */
void hold_close(int *fd);
/* Take one that has connected. 0, -EAGAIN when nobody has, or -errno (logged). */
int hold_accept(int fd, struct held *held);
/* Let it go on, or (false) give up; closes its descriptor. */
void hold_answer(int *fd, int go_on);

#endif
