/* SPDX-License-Identifier: GPL-2.0 */
/*
 * containers.h - bring captured containers back.
 */
#ifndef REBOOTLESS_RESTORE_CONTAINERS_H
#define REBOOTLESS_RESTORE_CONTAINERS_H

#include <stdbool.h>

#include "common/manifest.h"

struct restore {
	const char *store;
	const char *root;	/* the real root in an initramfs; NULL: we are in it */
	/*
	 * None runs before all are restored; if one fails, those that came back
	 * are taken away again before they have run, and all are CAPTURED.
	 */
	bool all_or_none;
	bool early;		/* a failure is not the last word */
	bool verbose;		/* show what the engines say */
};

/*
 * Restore those of the manifest that are CAPTURED or FAILED, or of them only
 * those named. State and error of each go into the manifest, which is written
 * at every change. In an initramfs their cgroups are marked to be spared.
 * 0; -ECANCELED when one or more failed (logged); -errno (logged).
 */
int restore_containers(struct manifest *m, char *const *only, const struct restore *restore);

/* It is not restored, or is lost again: its images are kept, and whoever would start it anew is kept from it. */
void container_failed(struct container *c, const char *store, const char *why);

/* Mark the cgroups of a restored one, and of who looks after it, to be spared at the switch; or not. */
void container_spare(const struct container *c, bool spare);

#endif
