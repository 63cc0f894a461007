/* SPDX-License-Identifier: GPL-2.0 */
/*
 * socket_options.h - what programs have set of their internet sockets and CRIU does
 * not carry, or too early.
 *
 * A container keeps it as JSON, in the manifest:
 *
 *   { "PID:DESCRIPTOR": { "TCP_USER_TIMEOUT": 5000, "TCP_CONGESTION": "bbr",
 *			   "ino": 4711, ... }, ... }
 *
 * PID is what the process has in its own pid namespace; a socket that several have is
 * there once. Only what is not as the kernel has it by itself is noted, and on a socket
 * that has it already it is not set. ino is the socket's inode number in the old kernel,
 * by which CRIU's images name it, too (keepalive.h).
 */
#ifndef REBOOTLESS_SOCKET_OPTIONS_H
#define REBOOTLESS_SOCKET_OPTIONS_H

#include <json-c/json.h>

#include "common/manifest.h"

#define SOCKET_KEEPALIVE "SO_KEEPALIVE"
#define SOCKET_INODE "ino"

/*
 * Note into each container that runs what its sockets have. Before the dumps: while CRIU
 * has the network locked, the kernel may give up a connection that asks often for its
 * peer, which is whole in the images. 0 or -errno (logged).
 */
int socket_options_note(struct containers *list);
/* Once all tasks are frozen: forget those that are not any more what was noted. */
int socket_options_confirm(struct containers *list);

/*
 * Set it again when it is restored and the network is not locked any more; nothing is
 * done with one that is not restored. TCP_USER_TIMEOUT counts from when something was
 * sent first: where that is being repeated, it would end the connection at once, and is
 * left for later. What could not be set is logged.
 */
void socket_options_set(const struct container *c);
/* The TCP_USER_TIMEOUTs that were left then. */
void socket_options_set_late(const struct container *c);

#endif
