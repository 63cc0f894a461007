// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/netlink.h"
#include "common/network.h"
#include "common/network_link.h"
#include "common/network_lock.h"
#include "common/network_namespaces.h"
#include "common/network_tables.h"

#define PROC_SYS "/proc/sys/"
/* A route may need one that comes after it to reach its gateway. */
#define ROUTE_ROUNDS 3

/* Values that the kernel says and does not take, or that mean another thing by now. */
static const uint16_t route_leave_out[] = { RTA_CACHEINFO, RTA_IIF, 0 };
static const uint16_t address_leave_out[] = { IFA_FLAGS, 0 };
static const uint16_t rule_leave_out[] = { 0 };

static bool has(const uint16_t *types, uint16_t type)
{
	for (; *types; types++)
		if (*types == type)
			return true;
	return false;
}

/* The same request as was said, in `buf`. */
static struct nlmsghdr *say_again(const struct nlmsghdr *said, size_t head, void *buf,
				  const uint16_t *leave_out)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	const struct nlattr *a;

	h->nlmsg_type = said->nlmsg_type;
	h->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	memcpy(mnl_nlmsg_put_extra_header(h, head), mnl_nlmsg_get_payload(said), head);
	mnl_attr_for_each(a, said, head)
		if (!has(leave_out, mnl_attr_get_type(a)))
			mnl_attr_put(h, a->nla_type & ~NLA_F_NESTED, mnl_attr_get_payload_len(a),
				     mnl_attr_get_payload(a));
	return h;
}

/* Everything but the state of the search for others who have it. */
static uint32_t address_flags(const struct nlmsghdr *said)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(said);
	uint32_t flags = m->ifa_flags;
	const struct nlattr *a;

	mnl_attr_for_each(a, said, sizeof(*m))
		if (mnl_attr_get_type(a) == IFA_FLAGS)
			flags = mnl_attr_get_u32(a);
	flags &= ~(IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_OPTIMISTIC);
	return m->ifa_family == AF_INET6 && m->ifa_scope != RT_SCOPE_HOST ? flags | IFA_F_NODAD : flags;
}

static int make_address(struct mnl_socket *nl, const struct nlmsghdr *said,
			const struct network_links *links)
{
	_Alignas(8) char buf[NETLINK_MESSAGE_MAX];
	struct nlmsghdr *h = say_again(said, sizeof(struct ifaddrmsg), buf, address_leave_out);
	struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	int now = network_link_now(links, (int)m->ifa_index), err;

	if (!now)
		return 0;
	/* one that came with the link, or by the initramfs's own network, is as it should be */
	h->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	m->ifa_index = (uint32_t)now;
	m->ifa_flags = (uint8_t)address_flags(said);
	mnl_attr_put_u32(h, IFA_FLAGS, address_flags(said));
	err = netlink_do(nl, h);
	return err == -EEXIST ? 0 : err;
}

/* Each way of a route with several: false when a link is not there. */
static bool translate_ways(struct nlattr *nest, const struct network_links *links)
{
	struct rtnexthop *way = mnl_attr_get_payload(nest);
	int left = mnl_attr_get_payload_len(nest);

	for (; RTNH_OK(way, left); left -= NLMSG_ALIGN(way->rtnh_len), way = RTNH_NEXT(way)) {
		way->rtnh_ifindex = network_link_now(links, way->rtnh_ifindex);
		way->rtnh_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
		if (!way->rtnh_ifindex)
			return false;
	}
	return true;
}

static int make_route(struct mnl_socket *nl, const struct nlmsghdr *said,
		      const struct network_links *links)
{
	_Alignas(8) char buf[NETLINK_MESSAGE_MAX];
	struct nlmsghdr *h = say_again(said, sizeof(struct rtmsg), buf, route_leave_out);
	struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct nlattr *a;
	uint32_t now;
	int err;

	/* one that came with its address is as it should be */
	if (m->rtm_protocol == RTPROT_KERNEL)
		h->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	m->rtm_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
	mnl_attr_for_each(a, h, sizeof(*m)) {
		if (mnl_attr_get_type(a) == RTA_OIF) {
			now = (uint32_t)network_link_now(links, (int)mnl_attr_get_u32(a));
			if (!now)
				return 0;
			memcpy(mnl_attr_get_payload(a), &now, sizeof(now));
		}
		if (mnl_attr_get_type(a) == RTA_MULTIPATH && !translate_ways(a, links))
			return 0;
	}
	err = netlink_do(nl, h);
	return err == -EEXIST && m->rtm_protocol == RTPROT_KERNEL ? 0 : err;
}

static int make_rule(struct mnl_socket *nl, const struct nlmsghdr *said,
		     const struct network_links *links)
{
	_Alignas(8) char buf[NETLINK_MESSAGE_MAX];
	struct nlmsghdr *h = say_again(said, sizeof(struct fib_rule_hdr), buf, rule_leave_out);
	int err;

	(void)links;
	h->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	err = netlink_do(nl, h);
	return err == -EEXIST ? 0 : err;
}

struct maker {
	const char *key;
	const char *word;
	uint16_t type;
	size_t head;
	unsigned int rounds;
	int (*make)(struct mnl_socket *nl, const struct nlmsghdr *said,
		    const struct network_links *links);
};

/* Returns how many could not be made. */
static size_t make_each(struct mnl_socket *nl, struct json_object *array, const struct maker *maker,
			const struct network_links *links, bool last)
{
	_Alignas(8) char buf[NETLINK_MESSAGE_MAX];
	struct nlmsghdr *h;
	size_t i, failed = 0;
	int err;

	for (i = 0; i < json_object_array_length(array); i++) {
		h = netlink_from_json(json_object_array_get_idx(array, i), buf, maker->head);
		if (!h || h->nlmsg_type != maker->type)
			continue;
		err = maker->make(nl, h, links);
		failed += err != 0;
		if (err && last)
			log_warning("cannot make %s %zu of the network again: %s", maker->word, i + 1,
				    strerror(-err));
	}
	return failed;
}

static void make_all(struct mnl_socket *nl, struct json_object *noted, const struct maker *maker,
		     const struct network_links *links)
{
	struct json_object *array;
	unsigned int round;

	if (!json_object_object_get_ex(noted, maker->key, &array) ||
	    !json_object_is_type(array, json_type_array))
		return;
	for (round = 1; make_each(nl, array, maker, links, round == maker->rounds); round++)
		if (round == maker->rounds)
			return;
}

/* The name comes from a file: it must not lead elsewhere. */
int network_sysctl_set(const char *name, const char *value)
{
	char path[192];

	if (strncmp(name, "net/", 4) || strstr(name, ".."))
		return -EINVAL;
	snprintf(path, sizeof(path), PROC_SYS "%s", name);
	return file_put(path, value);
}

static void set_sysctl(const char *name, const char *value)
{
	int err = network_sysctl_set(name, value);

	if (err)
		log_detail("cannot set %s to %s again: %s", name, value, strerror(-err));
}

/* In the order noted: "all" first, which changes what others have. */
static void set_sysctls(struct json_object *noted)
{
	struct json_object *values;

	if (!json_object_object_get_ex(noted, "sysctl", &values) ||
	    !json_object_is_type(values, json_type_object))
		return;
	json_object_object_foreach(values, name, value)
		if (json_object_is_type(value, json_type_string))
			set_sysctl(name, json_object_get_string(value));
}

/* A namespace has no physical link to wait for. */
static void make_inside(struct json_object *network)
{
	network_lock_inside(network);
	network_make(network, 0);
}

int network_make(struct json_object *noted, unsigned int seconds)
{
	static const struct maker makers[] = {
		{ "addresses", "address", RTM_NEWADDR, sizeof(struct ifaddrmsg), 1, make_address },
		{ "routes", "route", RTM_NEWROUTE, sizeof(struct rtmsg), ROUTE_ROUNDS, make_route },
		{ "rules", "rule", RTM_NEWRULE, sizeof(struct fib_rule_hdr), 1, make_rule },
	};
	_cleanup_netlink_ struct mnl_socket *nl = netlink_open(NETLINK_ROUTE);
	_cleanup_(network_links_free) struct network_links links = { 0 };
	struct json_object *array;
	size_t i;
	int err;

	if (!nl)
		return -EIO;
	if (!json_object_object_get_ex(noted, "links", &array) ||
	    !json_object_is_type(array, json_type_array))
		return log_refusal(-EUCLEAN, "the manifest's network has no links");
	network_namespaces_make(nl, noted);
	err = network_links_make(nl, array, seconds, &links);
	if (err)
		return err;
	set_sysctls(noted);
	network_links_set(nl, array, &links);
	for (i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		make_all(nl, noted, &makers[i], &links);
	network_tables_make(noted);
	network_namespaces_each(noted, make_inside);
	return 0;
}
