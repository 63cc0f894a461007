/* SPDX-License-Identifier: GPL-2.0 */
/*
 * network_link.h - the links of network.h: found or made again, and which
 * number each has now.
 */
#ifndef REBOOTLESS_NETWORK_LINK_H
#define REBOOTLESS_NETWORK_LINK_H

#include <json-c/json.h>
#include <stddef.h>

#include "common/netlink.h"

struct link_numbers {
	int old, now;
};

struct network_links {
	struct link_numbers *link;
	size_t nr;
};

/*
 * Find or make every link of the array, named as it was, waiting up to `seconds`
 * for physical ones that were up. Those of which nothing can be made are left
 * out (a warning). 0 or -ENOMEM (logged).
 */
int network_links_make(struct mnl_socket *nl, struct json_object *array, unsigned int seconds,
		       struct network_links *links);
/*
 * Make the pairs of veth of which one end is among `ours` and the other among
 * `theirs`, the links of the namespace of a descriptor. What is there already,
 * or cannot be made (a warning), is left.
 */
void network_pairs_make(struct mnl_socket *nl, struct json_object *ours, struct json_object *theirs,
			int netns);
/* Set what each had beside its name: master, size of packets, up or down. */
void network_links_set(struct mnl_socket *nl, struct json_object *array,
		       const struct network_links *links);
/* Its number now; 0: there is none. */
int network_link_now(const struct network_links *links, int old);
void network_links_free(struct network_links *links);

#endif
