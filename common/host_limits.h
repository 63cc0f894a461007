/* SPDX-License-Identifier: GPL-2.0 */
/*
 * host_limits.h - the host's limits, which are to be what they were before
 * containers are restored. A kernel derives some from the size of memory as it boots,
 * and after an update it boots in the arena, so that they come out far too small; others
 * were raised, which the real root would do again too late. So it is with the pools of
 * huge pages (hugetlb). Transparent huge pages, which a kernel turns off below 512 MiB,
 * are one of them: only what is off is set, and what the command line says of it goes
 * before.
 *
 * Not set: sizes of hash tables (dentries, inodes, TCP), which are fixed.
 *
 * JSON: { "sysctl": { "kernel/threads-max": "46213" }, "tmpfs": { "/run": 617000960 },
 *         "rlimit": { "nproc": 23106 }, "thp": { "enabled": "always" },
 *         "hugetlb": { "hugepages-2048kB/nr_hugepages": "12" } }
 */
#ifndef REBOOTLESS_HOST_LIMITS_H
#define REBOOTLESS_HOST_LIMITS_H

#include <json-c/json.h>

/* NULL (logged) when memory is out. */
struct json_object *host_limits_note(void);
/* Raise what is lower than noted, overcommit as it was; what cannot be set is a warning. */
void host_limits_apply(struct json_object *noted);
/*
 * What lower zones of memory keep from those who can have higher ones: a share of what
 * is there, which grows when images are deleted. A part of host_limits_apply().
 */
void host_limits_count_reserves(void);

#endif
