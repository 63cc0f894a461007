// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/deadline.h"
#include "common/log.h"
#include "common/network_link.h"

#define POLL_NSEC 100000000

/* Kinds whose settings can be given back as the kernel says them. */
static const char *const kinds[] = { "bridge", "vlan", "dummy" };

/* Of a bridge, what is a setting and no state. */
static const uint16_t bridge_settings[] = {
	IFLA_BR_FORWARD_DELAY, IFLA_BR_HELLO_TIME, IFLA_BR_MAX_AGE, IFLA_BR_AGEING_TIME,
	IFLA_BR_STP_STATE, IFLA_BR_PRIORITY, IFLA_BR_VLAN_FILTERING, IFLA_BR_VLAN_PROTOCOL,
	IFLA_BR_VLAN_DEFAULT_PVID, IFLA_BR_MCAST_SNOOPING, IFLA_BR_MCAST_QUERIER,
	IFLA_BR_GROUP_FWD_MASK,
};

/* What a link's message says, pointing into it. */
struct link_said {
	const struct ifinfomsg *info;
	const char *name, *kind;
	const struct nlattr *address, *permanent, *data, *mtu, *queue, *lower, *master;
};

static void read_linkinfo(const struct nlattr *nest, struct link_said *said)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest) {
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			said->kind = mnl_attr_get_str(a);
		if (mnl_attr_get_type(a) == IFLA_INFO_DATA)
			said->data = a;
	}
}

static void read_attribute(const struct nlattr *a, struct link_said *said)
{
	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME: said->name = mnl_attr_get_str(a); break;
	case IFLA_ADDRESS: said->address = a; break;
	case IFLA_PERM_ADDRESS: said->permanent = a; break;
	case IFLA_MTU: said->mtu = a; break;
	case IFLA_TXQLEN: said->queue = a; break;
	case IFLA_LINK: said->lower = a; break;
	case IFLA_MASTER: said->master = a; break;
	case IFLA_LINKINFO: read_linkinfo(a, said); break;
	default: break;
	}
}

static bool read_link(const struct nlmsghdr *h, struct link_said *said)
{
	const struct nlattr *a;

	*said = (struct link_said){ .info = mnl_nlmsg_get_payload(h) };
	mnl_attr_for_each(a, h, sizeof(*said->info))
		read_attribute(a, said);
	return said->name && strnlen(said->name, IFNAMSIZ) < IFNAMSIZ;
}

static bool link_from_json(struct json_object *text, void *buf, struct link_said *said)
{
	const struct nlmsghdr *h = netlink_from_json(text, buf, sizeof(*said->info));

	return h && read_link(h, said);
}

static bool same_bytes(const struct nlattr *a, const struct nlattr *b)
{
	return a && b && mnl_attr_get_payload_len(a) == mnl_attr_get_payload_len(b) &&
	       !memcmp(mnl_attr_get_payload(a), mnl_attr_get_payload(b),
		       mnl_attr_get_payload_len(a));
}

struct wanted {
	const struct link_said *said;
	int now;
};

/* The same device, or one of software that somebody has made already. */
static int compare(const struct nlmsghdr *h, void *arg)
{
	struct wanted *wanted = arg;
	const struct link_said *said = wanted->said;
	struct link_said here;

	if (!read_link(h, &here))
		return MNL_CB_OK;
	if (!said->kind && !here.kind &&
	    (said->info->ifi_flags & here.info->ifi_flags & IFF_LOOPBACK ||
	     same_bytes(said->permanent ? said->permanent : said->address,
			here.permanent ? here.permanent : here.address)))
		wanted->now = here.info->ifi_index;
	if (said->kind && here.kind && !strcmp(said->kind, here.kind) &&
	    !strcmp(said->name, here.name))
		wanted->now = here.info->ifi_index;
	return MNL_CB_OK;
}

static int find(struct mnl_socket *nl, const struct link_said *said)
{
	struct wanted wanted = { .said = said };
	_Alignas(8) char buf[256];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return netlink_dump(nl, h, compare, &wanted) < 0 ? 0 : wanted.now;
}

/* The device's driver may still be looking at it. */
static int await(struct mnl_socket *nl, const struct link_said *said, int64_t deadline)
{
	const struct timespec pause = { .tv_nsec = POLL_NSEC };
	int now = find(nl, said);

	while (!now && said->info->ifi_flags & IFF_UP && deadline_left(deadline)) {
		nanosleep(&pause, NULL);
		now = find(nl, said);
	}
	if (!now && said->info->ifi_flags & IFF_UP)
		log_warning("the network device of %s has not come: is its driver in the initramfs?",
			    said->name);
	return now;
}

static struct nlmsghdr *link_request(void *buf, int index)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *info;

	h->nlmsg_type = RTM_NEWLINK;
	info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	info->ifi_index = index;
	return h;
}

static void put_copy(struct nlmsghdr *h, const struct nlattr *a)
{
	if (a)
		mnl_attr_put(h, mnl_attr_get_type(a), mnl_attr_get_payload_len(a),
			     mnl_attr_get_payload(a));
}

static bool is_setting(const char *kind, const struct nlattr *a)
{
	uint16_t type = mnl_attr_get_type(a);
	size_t i;

	if (strcmp(kind, "bridge"))
		return true;
	/* a kernel without it says no, and takes not even that */
	if (type == IFLA_BR_VLAN_FILTERING && !mnl_attr_get_u8(a))
		return false;
	for (i = 0; i < sizeof(bridge_settings) / sizeof(bridge_settings[0]); i++)
		if (bridge_settings[i] == type)
			return true;
	return false;
}

static bool can_make(const char *kind)
{
	size_t i;

	for (i = 0; kind && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

/* With the number that it had, if that is free; else with any. */
static int make_one(struct mnl_socket *nl, const struct link_said *said, int lower)
{
	_Alignas(8) char buf[NETLINK_MESSAGE_MAX];
	struct nlmsghdr *h = link_request(buf, said->info->ifi_index);
	struct nlattr *linkinfo, *data;
	const struct nlattr *a;
	int err;

	mnl_attr_put_strz(h, IFLA_IFNAME, said->name);
	put_copy(h, said->address);
	if (lower)
		mnl_attr_put_u32(h, IFLA_LINK, (uint32_t)lower);
	linkinfo = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, said->kind);
	if (said->data) {
		data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
		mnl_attr_for_each_nested(a, said->data)
			if (is_setting(said->kind, a))
				put_copy(h, a);
		mnl_attr_nest_end(h, data);
	}
	mnl_attr_nest_end(h, linkinfo);
	h->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	err = netlink_do(nl, h);
	if (err) {
		((struct ifinfomsg *)mnl_nlmsg_get_payload(h))->ifi_index = 0;
		h->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
		err = netlink_do(nl, h);
	}
	if (err)
		log_warning("cannot make the %s %s again: %s", said->kind, said->name, strerror(-err));
	return err ? 0 : find(nl, said);
}

static bool is_pair(const struct link_said *a, const struct link_said *b)
{
	return a->kind && b->kind && !strcmp(a->kind, "veth") && !strcmp(b->kind, "veth") &&
	       a->lower && b->lower &&
	       (int)mnl_attr_get_u32(a->lower) == b->info->ifi_index &&
	       (int)mnl_attr_get_u32(b->lower) == a->info->ifi_index;
}

static void make_pair(struct mnl_socket *nl, const struct link_said *our,
		      const struct link_said *their, int netns)
{
	_Alignas(8) char buf[1024];
	struct nlmsghdr *h = link_request(buf, our->info->ifi_index);
	struct nlattr *linkinfo, *data, *peer;
	struct ifinfomsg *info;
	int err;

	mnl_attr_put_strz(h, IFLA_IFNAME, our->name);
	put_copy(h, our->address);
	linkinfo = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, our->kind);
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	info->ifi_index = their->info->ifi_index;
	mnl_attr_put_strz(h, IFLA_IFNAME, their->name);
	put_copy(h, their->address);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)netns);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, linkinfo);
	h->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	err = netlink_do(nl, h);
	if (err)
		log_warning("cannot make the pair of links %s and %s again: %s", our->name,
			    their->name, strerror(-err));
}

void network_pairs_make(struct mnl_socket *nl, struct json_object *ours, struct json_object *theirs,
			int netns)
{
	_Alignas(8) char our_buf[NETLINK_MESSAGE_MAX], their_buf[NETLINK_MESSAGE_MAX];
	struct link_said our, their;
	size_t i, j;

	for (i = 0; i < json_object_array_length(theirs); i++) {
		if (!link_from_json(json_object_array_get_idx(theirs, i), their_buf, &their) ||
		    !their.lower)
			continue;
		for (j = 0; j < json_object_array_length(ours); j++)
			if (link_from_json(json_object_array_get_idx(ours, j), our_buf, &our) &&
			    is_pair(&our, &their) && !find(nl, &our))
				make_pair(nl, &our, &their, netns);
	}
}

static int make_or_find(struct mnl_socket *nl, const struct link_said *said,
			const struct network_links *links, int64_t deadline)
{
	int now = said->kind ? find(nl, said) : await(nl, said, deadline);

	if (now || !said->kind)
		return now;
	if (can_make(said->kind))
		return make_one(nl, said, said->lower ?
			network_link_now(links, (int)mnl_attr_get_u32(said->lower)) : 0);
	if (said->info->ifi_flags & IFF_UP)
		log_detail("%s is a link of kind %s, which is not made again here", said->name,
			   said->kind);
	return 0;
}

static int add_numbers(struct network_links *links, int old, int now)
{
	struct link_numbers *longer = reallocarray(links->link, links->nr + 1, sizeof(*longer));

	if (!longer)
		return log_syserr(ENOMEM, "cannot keep the network's links");
	links->link = longer;
	links->link[links->nr++] = (struct link_numbers){ old, now };
	return 0;
}

static void rename_link(struct mnl_socket *nl, const struct link_said *said, int now)
{
	_Alignas(8) char buf[512];
	struct nlmsghdr *h = link_request(buf, now);
	int err;

	mnl_attr_put_strz(h, IFLA_IFNAME, said->name);
	err = netlink_do(nl, h);
	if (err)
		log_warning("cannot name a network device %s again: %s", said->name, strerror(-err));
}

int network_links_make(struct mnl_socket *nl, struct json_object *array, unsigned int seconds,
		       struct network_links *links)
{
	_Alignas(8) char buf[NETLINK_MESSAGE_MAX];
	int64_t deadline = deadline_in(seconds);
	struct link_said said;
	size_t i;
	int now, err = 0;

	for (i = 0; !err && i < json_object_array_length(array); i++) {
		if (!link_from_json(json_object_array_get_idx(array, i), buf, &said))
			continue;
		now = make_or_find(nl, &said, links, deadline);
		if (!now)
			continue;
		if (!said.kind && !(said.info->ifi_flags & IFF_LOOPBACK))
			rename_link(nl, &said, now);
		err = add_numbers(links, said.info->ifi_index, now);
	}
	return err;
}

static void set_one(struct mnl_socket *nl, const struct link_said *said, int now, int master)
{
	const unsigned int flags = IFF_UP | IFF_PROMISC | IFF_ALLMULTI | IFF_NOARP;
	_Alignas(8) char buf[1024];
	struct nlmsghdr *h = link_request(buf, now);
	struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
	int err;

	info->ifi_flags = said->info->ifi_flags & flags;
	info->ifi_change = flags;
	put_copy(h, said->mtu);
	put_copy(h, said->queue);
	/* many devices take no other address while they are up */
	if (said->permanent && !same_bytes(said->permanent, said->address))
		put_copy(h, said->address);
	if (master)
		mnl_attr_put_u32(h, IFLA_MASTER, (uint32_t)master);
	err = netlink_do(nl, h);
	if (err)
		log_warning("cannot set the link %s as it was: %s", said->name, strerror(-err));
}

void network_links_set(struct mnl_socket *nl, struct json_object *array,
		       const struct network_links *links)
{
	_Alignas(8) char buf[NETLINK_MESSAGE_MAX];
	struct link_said said;
	size_t i;
	int now;

	for (i = 0; i < json_object_array_length(array); i++) {
		if (!link_from_json(json_object_array_get_idx(array, i), buf, &said))
			continue;
		now = network_link_now(links, said.info->ifi_index);
		if (now)
			set_one(nl, &said, now, said.master ?
				network_link_now(links, (int)mnl_attr_get_u32(said.master)) : 0);
	}
}

int network_link_now(const struct network_links *links, int old)
{
	size_t i;

	for (i = 0; i < links->nr; i++)
		if (links->link[i].old == old)
			return links->link[i].now;
	return 0;
}

void network_links_free(struct network_links *links)
{
	free(links->link);
	*links = (struct network_links){ 0 };
}
