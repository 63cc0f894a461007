/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dump.h - capture all containers, and hold them captured.
 *
 * After dump_all() every container is frozen, its images are complete, and its
 * CRIU waits. dump_abort() lets all of them run on where they stood; the other
 * way out is the jump.
 */
#ifndef REBOOTLESS_DUMP_H
#define REBOOTLESS_DUMP_H

#include "common/jobs.h"

struct dump {
	struct jobs jobs;
	struct dump_options options;
	const char *store;
	char *cgroup_options;	/* of before; see cgroup_mount.h */
};

/* Before the network is locked: what takes time and changes nothing. */
void dump_prepare(struct dump *dump);
/* 0 or -errno (logged, with CRIU's own words); then all that was captured runs again. */
int dump_all(struct dump *dump, struct containers *list, const struct config *config,
	     const char *store);
void dump_abort(struct dump *dump);
void dump_free(struct dump *dump);
#define _cleanup_dump_ __attribute__((cleanup(dump_free)))

#endif
