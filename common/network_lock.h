/* SPDX-License-Identifier: GPL-2.0 */
/*
 * network_lock.h - the host's network while containers are not there to answer.
 *
 * A kernel that gets a segment for a connection it does not know answers with a
 * reset, and the connection is lost. So in the new kernel nothing arrives at
 * TCP, UDP or SCTP before all is restored, but for what the initramfs itself has
 * asked for (a root filesystem over the network), loopback, and what CRIU sends
 * itself while it repairs sockets (marked); nothing is refused, not by loopback
 * either; connections that were restored say nothing yet, since CRIU lets a socket
 * speak before it has set its window; and containers on one bridge do not hear each
 * other.
 *
 * In the old kernel connections that are there are locked by CRIU, one by one;
 * new ones must not come in once their listener has been captured: a peer would
 * take itself for connected and be unknown in the new kernel. Kept out before,
 * it just tries again. That goes for loopback and bridges too, and nobody is told
 * that an address cannot be reached.
 *
 * The table is nftables', made and removed by nft(8); it does not live longer
 * than its kernel.
 */
#ifndef REBOOTLESS_NETWORK_LOCK_H
#define REBOOTLESS_NETWORK_LOCK_H

#include "common/manifest.h"

#define NETWORK_LOCK_TABLE "rebootless"

/* Old kernel: no new connections. 0 or -errno (logged). */
int network_lock_new(void);
/*
 * Then: wait (a second at most) until the containers' programs have accepted
 * what has connected before, and what they have closed is gone: CRIU knows
 * neither. Those that close at the last moment lose what is not sent by then.
 */
void network_lock_drain(const struct containers *list);
/*
 * New kernel: nothing arrives, and nothing passes through: what a container sends
 * first must not be tracked as a new connection. 0 or -errno (logged).
 */
int network_lock_all(void);
/*
 * The same in the caller's namespace, a container's: others must not find it empty,
 * nor one of two who share it the other. A failure is logged. network: not asked for.
 */
void network_lock_inside(struct json_object *network);
/* Does the host's lock stand? */
bool network_is_locked(void);
/* The inverse of the host's; fine when there is no lock. */
void network_unlock(void);
/*
 * The inverse of all of them, when the kernel has been told of the connections
 * that it tracked (network_tables.h). noted: the host's, NULL = none; list: all
 * containers, of which some have namespaces that their engines have made.
 */
void network_unlock_all(struct json_object *noted, const struct containers *list);

#endif
