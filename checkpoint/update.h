/* SPDX-License-Identifier: GPL-2.0 */
/*
 * update.h - an update from the first check to the jump.
 */
#ifndef REBOOTLESS_UPDATE_H
#define REBOOTLESS_UPDATE_H

#include <stdbool.h>

#include "common/config.h"
#include "common/manifest.h"

struct update_request {
	const char *config;	/* path of the configuration */
	const char *kernel;	/* version asked for, NULL = newest installed */
	char *const *names;	/* only these containers, NULL or empty = all */
	bool dry_run;		/* all checks, then stop; nothing is changed */
	bool rollback;		/* to the kernel before, kept images included */
};

/* Comes back when it failed, or after a dry run. 0 or -errno (logged). */
int update(const struct update_request *request);

#endif
