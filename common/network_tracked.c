// SPDX-License-Identifier: GPL-2.0
/*
 * The connections that the kernel tracks. A connection whose addresses are
 * translated is told to the kernel as its first packet had it, together with the
 * translation: told the answer's addresses alone, it would track and translate
 * nothing.
 */
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/netlink.h"
#include "common/network_tables.h"

static struct nlmsghdr *request(void *buf, uint16_t type, uint8_t family)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *m;

	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | type;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->nfgen_family = family;
	m->version = NFNETLINK_V0;
	return h;
}

static int keep(const struct nlmsghdr *h, void *arg)
{
	return netlink_to_json(arg, h) < 0 ? MNL_CB_STOP : MNL_CB_OK;
}

void network_tracked_note(struct json_object *noted)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	_cleanup_netlink_ struct mnl_socket *nl = netlink_open(NETLINK_NETFILTER);
	struct json_object *array = json_object_new_array();
	_Alignas(8) char buf[256];
	size_t i;
	int err;

	json_object_object_add(noted, "tracked", array);
	for (i = 0; nl && i < sizeof(families); i++) {
		err = netlink_dump(nl, request(buf, IPCTNL_MSG_CT_GET, families[i]), keep, array);
		/* nothing is tracked, and nobody can */
		if (err && err != -EOPNOTSUPP && err != -EINVAL && err != -EPROTONOSUPPORT)
			log_warning("the connections that the kernel tracks cannot be noted: %s",
				    strerror(-err));
	}
}

static void copy_address(struct nf_conntrack *ct, bool v6, int to4, int from4, int to6, int from6)
{
	if (v6)
		nfct_set_attr(ct, to6, nfct_get_attr(ct, from6));
	else
		nfct_set_attr_u32(ct, to4, nfct_get_attr_u32(ct, from4));
}

/* Where the answers come from and go to says how the first packet was translated. */
static void set_translation(struct nf_conntrack *ct)
{
	bool v6 = nfct_get_attr_u8(ct, ATTR_L3PROTO) == AF_INET6;

	if (nfct_getobjopt(ct, NFCT_GOPT_IS_SNAT))
		copy_address(ct, v6, ATTR_SNAT_IPV4, ATTR_REPL_IPV4_DST, ATTR_SNAT_IPV6,
			     ATTR_REPL_IPV6_DST);
	if (nfct_getobjopt(ct, NFCT_GOPT_IS_DNAT))
		copy_address(ct, v6, ATTR_DNAT_IPV4, ATTR_REPL_IPV4_SRC, ATTR_DNAT_IPV6,
			     ATTR_REPL_IPV6_SRC);
	if (nfct_getobjopt(ct, NFCT_GOPT_IS_SPAT))
		nfct_set_attr_u16(ct, ATTR_SNAT_PORT, nfct_get_attr_u16(ct, ATTR_REPL_PORT_DST));
	if (nfct_getobjopt(ct, NFCT_GOPT_IS_DPAT))
		nfct_set_attr_u16(ct, ATTR_DNAT_PORT, nfct_get_attr_u16(ct, ATTR_REPL_PORT_SRC));
}

/* What has been sent meanwhile is not known: sequence numbers may be anything. */
static void be_liberal(struct nf_conntrack *ct)
{
	if (nfct_get_attr_u8(ct, ATTR_L4PROTO) != IPPROTO_TCP)
		return;
	nfct_set_attr_u8(ct, ATTR_TCP_FLAGS_ORIG, IP_CT_TCP_FLAG_BE_LIBERAL);
	nfct_set_attr_u8(ct, ATTR_TCP_MASK_ORIG, IP_CT_TCP_FLAG_BE_LIBERAL);
	nfct_set_attr_u8(ct, ATTR_TCP_FLAGS_REPL, IP_CT_TCP_FLAG_BE_LIBERAL);
	nfct_set_attr_u8(ct, ATTR_TCP_MASK_REPL, IP_CT_TCP_FLAG_BE_LIBERAL);
}

static int make_one(struct mnl_socket *nl, const struct nlmsghdr *said)
{
	_Alignas(8) char buf[NETLINK_MESSAGE_MAX];
	struct nf_conntrack *ct = nfct_new();
	struct nlmsghdr *h;
	int err = ct ? 0 : -ENOMEM;

	if (ct && nfct_nlmsg_parse(said, ct) < 0)
		err = -EINVAL;
	if (!err) {
		set_translation(ct);
		nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
		be_liberal(ct);
		nfct_set_attr_u32(ct, ATTR_STATUS, IPS_CONFIRMED |
				  (nfct_get_attr_u32(ct, ATTR_STATUS) & (IPS_SEEN_REPLY | IPS_ASSURED)));
		h = request(buf, IPCTNL_MSG_CT_NEW, nfct_get_attr_u8(ct, ATTR_L3PROTO));
		h->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
		err = nfct_nlmsg_build(h, ct) < 0 ? -EINVAL : netlink_do(nl, h);
	}
	if (ct)
		nfct_destroy(ct);
	return err == -EEXIST ? 0 : err;
}

void network_tracked_make(struct json_object *noted)
{
	_cleanup_netlink_ struct mnl_socket *nl = NULL;
	_Alignas(8) char buf[NETLINK_MESSAGE_MAX];
	struct json_object *array;
	struct nlmsghdr *h;
	size_t i, failed = 0;
	int err, last = 0;

	if (!json_object_object_get_ex(noted, "tracked", &array) ||
	    !json_object_is_type(array, json_type_array) || !json_object_array_length(array))
		return;
	nl = netlink_open(NETLINK_NETFILTER);
	for (i = 0; nl && i < json_object_array_length(array); i++) {
		h = netlink_from_json(json_object_array_get_idx(array, i), buf,
				      sizeof(struct nfgenmsg));
		err = h ? make_one(nl, h) : 0;
		failed += err != 0;
		last = err ? err : last;
	}
	if (failed)
		log_warning("%zu of %zu tracked connections could not be told to this kernel: %s", failed,
			    i, strerror(-last));
}
