/* SPDX-License-Identifier: GPL-2.0 */
/*
 * network_namespaces.h - network namespaces of containers that somebody else has
 * made and named (a file that one is mounted on, as `ip netns add` does): CRIU
 * takes such a one as given, so it is noted and made again with the host's.
 *
 * A pair of veth with one end in it and the other in the host is made again with
 * both ends, names, addresses and numbers. Not carried: pairs between two such
 * namespaces, and links of one that has no name.
 *
 * JSON, in the host's network (network.h): "namespaces": [ { "path":
 * "/run/netns/web", "links": ... as the host's } ]
 */
#ifndef REBOOTLESS_NETWORK_NAMESPACES_H
#define REBOOTLESS_NETWORK_NAMESPACES_H

#include <json-c/json.h>

#include "common/manifest.h"
#include "common/netlink.h"

/* Add those of these containers to `noted`. 0 or -errno (logged). */
int network_namespaces_note(const struct containers *list, struct json_object *noted);

/* How many of these containers are in the host's. */
size_t network_namespaces_in_hosts(const struct containers *list);

/* Make each that is not there, empty, and the pairs of veth that lead into them. */
void network_namespaces_make(struct mnl_socket *nl, struct json_object *noted);
/* Call a function with each, in it. */
void network_namespaces_each(struct json_object *noted, void (*each)(struct json_object *network));
/* Call a function in the namespace of a file; one that cannot be entered is logged. */
void network_namespace_do(const char *path, void (*what)(struct json_object *network),
			  struct json_object *network);

#endif
