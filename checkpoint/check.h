/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check.h - everything that can be known before a container is touched.
 */
#ifndef REBOOTLESS_CHECK_H
#define REBOOTLESS_CHECK_H

#include "common/config.h"
#include "common/findings.h"
#include "common/manifest.h"

/* What speaks against carrying each of them; filesystems noted on the way (NULL: not wanted). */
int check_containers(struct containers *list, const struct config *config,
		     struct findings *findings, struct json_object **filesystems);

/*
 * What speaks against the update as a whole: target kernel, initrd, CRIU, memory.
 * m->drivers are set on the way.
 */
int check_host(struct manifest *m, bool zero_copy, struct findings *findings);

/*
 * What speaks against going back to `from` out of the initramfs of `to`: warnings, and
 * with `must` (on-restore-failure = rollback) reasons not to update. The filesystems of its
 * kernel and initramfs are added to `filesystems`, so that they are mounted there.
 */
int check_way_back(const struct containers *list, const struct installed_kernel *from,
		   const struct installed_kernel *to, bool must, struct findings *findings,
		   struct json_object *filesystems);

#endif
