/* SPDX-License-Identifier: GPL-2.0 */
/*
 * network_tables.h - nftables' tables of a network namespace, and the connections
 * that its kernel tracks: port mappings and translated addresses go on.
 *
 * Tables are noted as nft(8) lists them, which has the counters and what is in
 * the sets. Not carried: tables that iptables-nft has made with extensions, which
 * nft can list and not read (a warning), and those of iptables-legacy.
 *
 * JSON, in a network (network.h): "tables": [ "table ip nat {...}" ],
 * "tracked": [ HEX... ] with one message of ctnetlink in each string.
 */
#ifndef REBOOTLESS_NETWORK_TABLES_H
#define REBOOTLESS_NETWORK_TABLES_H

#include <json-c/json.h>

/* Add the caller's namespace's tables to `noted`; what cannot be noted is a warning. */
void network_tables_note(struct json_object *noted);
/* Make those that are not there; each that cannot be made is a warning. */
void network_tables_make(struct json_object *noted);

/* The same of the connections; last of all in the old kernel, and before the lock goes in the new. */
void network_tracked_note(struct json_object *noted);
void network_tracked_make(struct json_object *noted);

#endif
