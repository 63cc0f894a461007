/* SPDX-License-Identifier: GPL-2.0 */
/*
 * status.h - what `rebootless status` knows, and the ways to show it.
 *
 * The three below are pure: they write to a FILE and ask nobody. What could
 * not be written is seen with ferror().
 */
#ifndef REBOOTLESS_STATUS_H
#define REBOOTLESS_STATUS_H

#include <stdbool.h>
#include <stdio.h>

#include "common/manifest.h"
#include "phases.h"

#define STATUS_LOG_LINES 5	/* at most, of one container's log */

struct container_log {
	char *path;		/* CRIU's log; NULL = there is nothing to say */
	char **lines;		/* the last of it that tell of an error */
};

struct status {
	const char *running;		/* release of the running kernel */
	const char *loaded;		/* of the one that `load` has loaded; NULL = none */
	bool loaded_by_other;		/* a kernel is loaded, but another tool did that */
	bool pramfs;			/* the module is there: */
	unsigned int pramfs_flags;	/* pramfs_ioctl.h */
	const struct manifest *manifest;	/* NULL = none */
	const struct container_log *log;	/* one for each container of the manifest */
	struct phases phases;
};

/* Was there ever an update, as far as the store knows? */
bool status_has_update(const struct status *status);

struct text_options {
	unsigned int width;	/* columns */
	bool colour;
};

void status_text(const struct status *status, const struct text_options *options, FILE *to);
/* The format is in rebootless(8). 0 or -errno (logged). */
int status_json(const struct status *status, FILE *to);
void status_svg(const struct status *status, FILE *to);

#endif
