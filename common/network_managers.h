/* SPDX-License-Identifier: GPL-2.0 */
/*
 * network_managers.h - what programs that manage the host's network keep in /run
 * of what they have set up. With it they know that it is done; ifupdown would set
 * it up once more, and fail.
 *
 * JSON, in the host's network (network.h): "managers": { "/run/network/ifstate.eth0":
 * "eth0" }
 */
#ifndef REBOOTLESS_NETWORK_MANAGERS_H
#define REBOOTLESS_NETWORK_MANAGERS_H

#include <json-c/json.h>

/* Add it to `noted`; what cannot be noted is a warning. */
void network_managers_note(struct json_object *noted);
/* In the initramfs, whose /run goes over; files that are there are left. */
void network_managers_make(struct json_object *noted);

#endif
