/* SPDX-License-Identifier: GPL-2.0 */
/*
 * socket_options.h - what programs have set of their internet sockets and CRIU does
 * not carry; and the patience of connections while nobody can answer.
 *
 * A container keeps it as JSON, in the manifest:
 *
 *   { "PID:DESCRIPTOR": { "TCP_USER_TIMEOUT": 5000, "TCP_CONGESTION": "bbr", ... }, ... }
 *
 * PID is what the process has in its own pid namespace; a socket that several have is
 * there once. Only what is not as the kernel has it by itself is noted, and on a socket
 * that has it already it is not set.
 *
 * Connections are made patient before the dumps: SO_KEEPALIVE and TCP_USER_TIMEOUT
 * count on while CRIU has the network locked, in the old kernel as in the new one, where
 * sockets are there before the memory is. A connection whose limit is shorter than that
 * would be ended by our own side.
 */
#ifndef REBOOTLESS_SOCKET_OPTIONS_H
#define REBOOTLESS_SOCKET_OPTIONS_H

#include <json-c/json.h>

#include "common/manifest.h"

/*
 * Switch both off for the connections of all that run. *were: what they were, by the
 * sockets' inode numbers; valid in this kernel. 0 or -errno (logged).
 */
int socket_options_calm(const struct containers *list, struct json_object **were);
/* The inverse, when no update comes of it. A failure is logged. */
void socket_options_uncalm(const struct containers *list, struct json_object *were);

/*
 * Note into each container that runs what its sockets have; of those that were made
 * patient, what they had. All tasks are frozen. 0 or -errno (logged).
 */
int socket_options_note(struct containers *list, struct json_object *were);

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
