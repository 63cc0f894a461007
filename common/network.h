/* SPDX-License-Identifier: GPL-2.0 */
/*
 * network.h - links, addresses, routes and rules of a network namespace: noted
 * in the old kernel, made again in the new one.
 *
 * Noted are rtnetlink's own messages, as the kernel says them, so that they go
 * back with every attribute (protocol, lifetimes, flags) by which a network
 * manager knows what is its own. Only the numbers of links differ in the new
 * kernel: a physical link is found again by its permanent address, and named as
 * it was; one that the kernel makes by software is made again.
 *
 * Made again: bridges, VLANs, dummies, pairs of veth. Not carried: bonds,
 * tunnels and other kinds (their own manager makes them again), nexthop objects,
 * traffic control, neighbours (asked for again), multicast memberships.
 *
 * JSON: { "links": [ HEX... ], "addresses": [ HEX... ], "routes": [ HEX... ],
 *         "rules": [ HEX... ], "sysctl": { "net/ipv4/ip_forward": "1" } }
 * with one netlink message in each string.
 */
#ifndef REBOOTLESS_NETWORK_H
#define REBOOTLESS_NETWORK_H

#include <json-c/json.h>
#include <stdbool.h>

/* What the caller's namespace has. *out is new. 0 or -errno (logged). */
int network_note(struct json_object **out);
/* Is a link up, other than loopback, so that somebody could be talking? */
bool network_is_up(struct json_object *noted);

/*
 * Make it again in the caller's namespace, waiting up to `seconds` for physical
 * links that were up. What cannot be made is a warning, and the rest is made.
 * 0 or -errno (logged): nothing could be.
 */
int network_make(struct json_object *noted, unsigned int seconds);

/* Write a setting of the caller's namespace, as in "net/ipv4/ip_forward". 0 or -errno, not logged. */
int network_sysctl_set(const char *name, const char *value);

#endif
