/* SPDX-License-Identifier: GPL-2.0 */
/*
 * netlink.h - talking to the kernel by libmnl: ask for all of something, or
 * have one thing done; and messages as text.
 */
#ifndef REBOOTLESS_NETLINK_H
#define REBOOTLESS_NETLINK_H

#include <json-c/json.h>
#include <libmnl/libmnl.h>

/* Room for one message: the kernel says no longer ones in a dump. */
#define NETLINK_MESSAGE_MAX 32768

/* A socket for the caller's network namespace; NULL (logged). `bus`: NETLINK_ROUTE, say. */
struct mnl_socket *netlink_open(int bus);

/*
 * Send a request for a dump, and call `each` for every answer. What changes while the
 * kernel tells it is asked again, for some seconds; `each` hears one whole dump. 0 or
 * -errno (not logged); -EINTR: it did not stop changing.
 */
int netlink_dump(struct mnl_socket *nl, struct nlmsghdr *request, mnl_cb_t each, void *arg);
/* Send a request and take the kernel's word for it. 0 or -errno (not logged). */
int netlink_do(struct mnl_socket *nl, struct nlmsghdr *request);

/* Append a message to an array, as hexadecimal digits. 0 or -ENOMEM. */
int netlink_to_json(struct json_object *array, const struct nlmsghdr *h);
/*
 * The inverse, into buf (NETLINK_MESSAGE_MAX bytes), with at least `payload`
 * bytes in it. NULL (logged): it is none.
 */
struct nlmsghdr *netlink_from_json(struct json_object *text, void *buf, size_t payload);

static inline void cleanup_netlink(struct mnl_socket **nl)
{
	if (*nl)
		mnl_socket_close(*nl);
}
#define _cleanup_netlink_ __attribute__((cleanup(cleanup_netlink)))

#endif
