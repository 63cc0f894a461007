// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/netlink.h"
#include "common/network.h"

/* Of these an entry for "all", "default" and each link is noted. */
static const char *const link_sysctls[] = {
	"ipv4/conf/%s/forwarding", "ipv4/conf/%s/rp_filter", "ipv4/conf/%s/route_localnet",
	"ipv4/conf/%s/accept_local", "ipv4/conf/%s/proxy_arp", "ipv4/conf/%s/arp_ignore",
	"ipv4/conf/%s/arp_announce", "ipv6/conf/%s/disable_ipv6", "ipv6/conf/%s/accept_ra",
	"ipv6/conf/%s/forwarding", "ipv6/conf/%s/addr_gen_mode", "ipv6/conf/%s/use_tempaddr",
	"ipv6/conf/%s/proxy_ndp",
};

static const char *const sysctls[] = {
	"ipv4/ip_forward", "ipv4/ip_nonlocal_bind", "ipv6/ip_nonlocal_bind",
	"ipv4/ip_unprivileged_port_start", "ipv4/ip_local_port_range",
	"core/somaxconn", "unix/max_dgram_qlen",
	"netfilter/nf_conntrack_tcp_loose",
};

struct note {
	struct json_object *array;
	/* Is it for us to make again? */
	bool (*wanted)(const struct nlmsghdr *h);
};

static bool every_link(const struct nlmsghdr *h)
{
	return h->nlmsg_type == RTM_NEWLINK;
}

static bool every_address(const struct nlmsghdr *h)
{
	return h->nlmsg_type == RTM_NEWADDR;
}

/*
 * What the kernel makes itself comes with addresses and links, but is noted all the same:
 * NetworkManager makes routes in its name, and addresses (noprefixroute) that bring none.
 */
static bool wanted_route(const struct nlmsghdr *h)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(h);

	return h->nlmsg_type == RTM_NEWROUTE &&
	       r->rtm_protocol != RTPROT_REDIRECT && !(r->rtm_flags & RTM_F_CLONED) &&
	       r->rtm_table != RT_TABLE_LOCAL;
}

/* Those that are there from the start have no protocol but the kernel's. */
static bool wanted_rule(const struct nlmsghdr *h)
{
	const struct fib_rule_hdr *r = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(*r))
		if (mnl_attr_get_type(a) == FRA_PROTOCOL && mnl_attr_get_u8(a) == RTPROT_KERNEL)
			return false;
	return h->nlmsg_type == RTM_NEWRULE;
}

static int keep(const struct nlmsghdr *h, void *arg)
{
	struct note *note = arg;

	if (note->wanted(h) && netlink_to_json(note->array, h) < 0) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	return MNL_CB_OK;
}

static int dump(struct mnl_socket *nl, uint16_t type, unsigned char family, struct note *note)
{
	_Alignas(8) char buf[256];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	/* all four kinds of header are as long or shorter, and begin with the family */
	h->nlmsg_type = type;
	i->ifi_family = family;
	if (type == RTM_GETLINK)
		mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return netlink_dump(nl, h, keep, note);
}

/* Once for each family, where each has its own list. */
static int note_all(struct mnl_socket *nl, struct json_object *o, const char *key, uint16_t type,
		    bool by_family, bool (*wanted)(const struct nlmsghdr *h))
{
	struct note note = { .array = json_object_new_array(), .wanted = wanted };
	int err;

	json_object_object_add(o, key, note.array);
	err = dump(nl, type, by_family ? AF_INET : AF_UNSPEC, &note);
	if (!err && by_family)
		err = dump(nl, type, AF_INET6, &note);
	/* a kernel without IPv6, or without rules, has none */
	if (err == -EOPNOTSUPP || err == -EAFNOSUPPORT)
		err = 0;
	return err ? log_syserr(-err, "cannot note the network's %s", key) : 0;
}

static void note_sysctl(struct json_object *o, const char *name)
{
	char path[160], value[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	if (file_read_line(path, value, sizeof(value)) > 0)
		json_object_object_add(o, path + strlen("/proc/sys/"), json_object_new_string(value));
}

static void note_link_sysctls(struct json_object *o, const char *link)
{
	char name[128];
	size_t i;

	for (i = 0; i < sizeof(link_sysctls) / sizeof(link_sysctls[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(name, sizeof(name), link_sysctls[i], link);
#pragma GCC diagnostic pop
		note_sysctl(o, name);
	}
}

static void note_sysctls(struct json_object *o, struct json_object *links)
{
	struct json_object *values = json_object_new_object();
	_Alignas(8) char buf[NETLINK_MESSAGE_MAX];
	const struct nlmsghdr *h;
	const struct nlattr *a;
	size_t i;

	for (i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++)
		note_sysctl(values, sysctls[i]);
	note_link_sysctls(values, "all");
	note_link_sysctls(values, "default");
	for (i = 0; i < json_object_array_length(links); i++) {
		h = netlink_from_json(json_object_array_get_idx(links, i), buf,
				      sizeof(struct ifinfomsg));
		if (!h)
			continue;
		mnl_attr_for_each(a, h, sizeof(struct ifinfomsg))
			if (mnl_attr_get_type(a) == IFLA_IFNAME)
				note_link_sysctls(values, mnl_attr_get_str(a));
	}
	json_object_object_add(o, "sysctl", values);
}

int network_note(struct json_object **out)
{
	_cleanup_netlink_ struct mnl_socket *nl = netlink_open(NETLINK_ROUTE);
	struct json_object *o, *links;
	int err;

	if (!nl)
		return -EIO;
	o = json_object_new_object();
	err = note_all(nl, o, "links", RTM_GETLINK, false, every_link);
	if (!err)
		err = note_all(nl, o, "addresses", RTM_GETADDR, false, every_address);
	if (!err)
		err = note_all(nl, o, "routes", RTM_GETROUTE, true, wanted_route);
	if (!err)
		err = note_all(nl, o, "rules", RTM_GETRULE, true, wanted_rule);
	if (!err && json_object_object_get_ex(o, "links", &links))
		note_sysctls(o, links);
	if (err) {
		json_object_put(o);
		return err;
	}
	*out = o;
	return 0;
}

bool network_is_up(struct json_object *noted)
{
	_Alignas(8) char buf[NETLINK_MESSAGE_MAX];
	const struct ifinfomsg *i;
	struct json_object *links;
	struct nlmsghdr *h;
	size_t n;

	if (!noted || !json_object_object_get_ex(noted, "links", &links))
		return false;
	for (n = 0; n < json_object_array_length(links); n++) {
		h = netlink_from_json(json_object_array_get_idx(links, n), buf, sizeof(*i));
		i = h ? mnl_nlmsg_get_payload(h) : NULL;
		if (i && i->ifi_flags & IFF_UP && !(i->ifi_flags & IFF_LOOPBACK))
			return true;
	}
	return false;
}
