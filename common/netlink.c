// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/netlink.h"

/* A host that starts containers changes its links for a moment, now and then. */
#define DUMP_TRIES 60
#define DUMP_PAUSE_MS 50

struct mnl_socket *netlink_open(int bus)
{
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);

	if (nl && !mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		return nl;
	log_syserr(errno, "cannot ask the kernel for its network (netlink %d)", bus);
	cleanup_netlink(&nl);
	return NULL;
}

static int put(struct mnl_socket *nl, struct nlmsghdr *h)
{
	static unsigned int seq;

	h->nlmsg_seq = ++seq;
	h->nlmsg_pid = 0;
	return mnl_socket_sendto(nl, h, h->nlmsg_len) < 0 ? -errno : 0;
}

static ssize_t get(struct mnl_socket *nl, char *buf)
{
	ssize_t n;

	do
		n = mnl_socket_recvfrom(nl, buf, NETLINK_MESSAGE_MAX);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

struct answer {
	char *data;
	size_t len;
};

static void cleanup_answer(struct answer *a)
{
	free(a->data);
}

/* Does this datagram end the dump? *torn is set if the kernel says that it changed meanwhile. */
static bool ends(const void *data, size_t len, bool *torn)
{
	const struct nlmsghdr *h = data;
	int left = (int)len;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			*torn = true;
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return true;
	}
	return false;
}

/* All of it, since what is left of a dump is in the way of the next request. */
static int collect(struct mnl_socket *nl, struct answer *all)
{
	bool torn = false, last = false;
	ssize_t n;
	char *more;

	while (!last) {
		more = realloc(all->data, all->len + NETLINK_MESSAGE_MAX);
		if (!more)
			return -ENOMEM;
		all->data = more;
		n = get(nl, all->data + all->len);
		if (n < 0)
			return (int)n;
		last = ends(all->data + all->len, (size_t)n, &torn);
		all->len += MNL_ALIGN((size_t)n);
	}
	return torn ? -EINTR : 0;
}

static int dump_once(struct mnl_socket *nl, struct nlmsghdr *request, mnl_cb_t each, void *arg)
{
	__attribute__((cleanup(cleanup_answer))) struct answer all = { NULL, 0 };
	int err = put(nl, request);

	if (!err)
		err = collect(nl, &all);
	if (err)
		return err;
	return mnl_cb_run(all.data, all.len, request->nlmsg_seq, mnl_socket_get_portid(nl), each,
			  arg) < 0 ? -errno : 0;
}

int netlink_dump(struct mnl_socket *nl, struct nlmsghdr *request, mnl_cb_t each, void *arg)
{
	int tries, err;

	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	for (tries = 1; ; tries++) {
		err = dump_once(nl, request, each, arg);
		if (err != -EINTR || tries == DUMP_TRIES)
			return err;
		usleep(1000 * DUMP_PAUSE_MS);
	}
}

int netlink_do(struct mnl_socket *nl, struct nlmsghdr *request)
{
	_cleanup_free_ char *buf = malloc(NETLINK_MESSAGE_MAX);
	ssize_t n;
	int err;

	if (!buf)
		return -ENOMEM;
	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	err = put(nl, request);
	if (err)
		return err;
	n = get(nl, buf);
	if (n < 0)
		return (int)n;
	return mnl_cb_run(buf, (size_t)n, request->nlmsg_seq, mnl_socket_get_portid(nl), NULL,
			  NULL) < 0 ? -errno : 0;
}

int netlink_to_json(struct json_object *array, const struct nlmsghdr *h)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *byte = (const unsigned char *)h;
	_cleanup_free_ char *text = malloc(2 * (size_t)h->nlmsg_len + 1);
	size_t i;

	if (!text)
		return -ENOMEM;
	for (i = 0; i < h->nlmsg_len; i++) {
		text[2 * i] = digits[byte[i] >> 4];
		text[2 * i + 1] = digits[byte[i] & 15];
	}
	return json_object_array_add(array, json_object_new_string_len(text, (int)(2 * i))) ?
		       -ENOMEM : 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct nlmsghdr *netlink_from_json(struct json_object *text, void *buf, size_t payload)
{
	const char *s = json_object_is_type(text, json_type_string) ? json_object_get_string(text) : "";
	size_t length = strlen(s) / 2, i;
	unsigned char *byte = buf;
	struct nlmsghdr *h = buf;

	for (i = 0; i < length && i < NETLINK_MESSAGE_MAX; i++) {
		if (digit(s[2 * i]) < 0 || digit(s[2 * i + 1]) < 0)
			break;
		byte[i] = (unsigned char)(digit(s[2 * i]) << 4 | digit(s[2 * i + 1]));
	}
	if (i == length && i >= MNL_NLMSG_HDRLEN && h->nlmsg_len == i &&
	    mnl_nlmsg_get_payload_len(h) >= payload)
		return h;
	log_error("the manifest's network: expected a netlink message in hexadecimal digits, found \"%.40s\"",
		  s);
	return NULL;
}
