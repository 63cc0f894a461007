/* SPDX-License-Identifier: GPL-2.0 */
/*
 * outside_files.h - files of the host that a container has open, in none of its mounts:
 * `crun run --detach web >/var/log/web`. CRIU looks for a file in the container's mounts,
 * so that it is told of these: at the dump that they are external, at the restore by
 * which descriptor it inherits each (criu(8): --external file[...], --inherit-fd). Flags
 * and position are in its images.
 *
 * JSON, by what CRIU calls it, mount and inode in hexadecimal: { "file[1d:23f]": "/var/log/web" }
 */
#ifndef REBOOTLESS_OUTSIDE_FILES_H
#define REBOOTLESS_OUTSIDE_FILES_H

#include <stdint.h>
#include <stdio.h>

#include "common/manifest.h"

#define OUTSIDE_FILES_MAX 64	/* of one container */

/*
 * One more, by its mount's identifier and its inode; path of the host, canonical.
 * 0, -ENOSPC: it has too many, or -ENOMEM.
 */
int outside_files_add(struct container *c, long mount, uint64_t inode, const char *path);

/* CRIU's settings for the dump of all of these. */
void outside_files_external(const struct containers *list, FILE *to);
/* CRIU's settings for the restore of this one (allocated), "" when it has none; NULL: no memory (logged). */
char *outside_files_inherited(const struct container *c);

/*
 * In the child that becomes the runtime: open them where outside_files_inherited() says,
 * in the system below root ("" = here). One that is not there, or is another now, is a
 * warning, and CRIU refuses what stands for it. 0 or -errno (logged).
 */
int outside_files_open(const struct container *c, const char *root);

#endif
