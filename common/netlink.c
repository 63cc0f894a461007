// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/netlink.h"

struct mnl_socket *netlink_open(int bus)
{
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);

	if (nl && !mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		return nl;
	log_syserr(errno, "cannot ask the kernel for its network (netlink %d)", bus);
	cleanup_netlink(&nl);
	return NULL;
}

static int receive(struct mnl_socket *nl, unsigned int seq, mnl_cb_t each, void *arg)
{
	_cleanup_free_ char *buf = malloc(NETLINK_MESSAGE_MAX);
	ssize_t n;
	int ret = MNL_CB_OK;

	if (!buf)
		return -ENOMEM;
	while (ret > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(nl, buf, NETLINK_MESSAGE_MAX);
		if (n < 0)
			return -errno;
		ret = mnl_cb_run(buf, (size_t)n, seq, mnl_socket_get_portid(nl), each, arg);
		if (ret < 0)
			return -errno;
	}
	return 0;
}

static int ask(struct mnl_socket *nl, struct nlmsghdr *h, mnl_cb_t each, void *arg)
{
	static unsigned int seq;

	h->nlmsg_seq = ++seq;
	h->nlmsg_pid = 0;
	if (mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
		return -errno;
	return receive(nl, h->nlmsg_seq, each, arg);
}

int netlink_dump(struct mnl_socket *nl, struct nlmsghdr *request, mnl_cb_t each, void *arg)
{
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	return ask(nl, request, each, arg);
}

int netlink_do(struct mnl_socket *nl, struct nlmsghdr *request)
{
	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	return ask(nl, request, NULL, NULL);
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
