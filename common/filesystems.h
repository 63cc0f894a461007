/* SPDX-License-Identifier: GPL-2.0 */
/*
 * filesystems.h - the filesystems that containers need: noted in the old
 * kernel, found again in the new one.
 *
 * Noted: every mount of the host that a container's processes can reach (same
 * device), and what carries it: filesystems on block devices by UUID (libblkid),
 * bind mounts of a part of one, overlays over them. Root is always noted. What
 * cannot be found again (tmpfs, network, FUSE, /proc-like ones are made anew and
 * need no note) and has something of a container in it is a finding.
 * In the new kernel they are mounted below the new root, each behind what it
 * lies on, with the options that they had.
 *
 * JSON, an array in that order:
 *   { "target": "/srv/data", "type": "ext4", "uuid": "...", "root": "/",
 *     "options": "rw,noatime", "super": "errors=remount-ro" }     on a disk
 *   { ..., "root": "/sub" }            a bind mount of part of that disk
 *   { "target": ..., "type": "overlay", "options":..., "super": "lowerdir=..." }
 */
#ifndef REBOOTLESS_FILESYSTEMS_H
#define REBOOTLESS_FILESYSTEMS_H

#include <json-c/json.h>

#include "common/findings.h"
#include "common/manifest.h"

/*
 * Note what these containers need: each one's mounts (/proc/PID/mountinfo of
 * every process's mount namespace) and the paths (absolute, of the host) in
 * `paths` (bundles, say; belongs to container NAME: "NAME\tPATH").
 * *out is a new array. 0 or -errno (logged).
 */
int filesystems_note(const struct containers *list, char *const *paths,
		     struct findings *findings, struct json_object **out);

/*
 * Add those of `more`, noted by an update before, whose targets are not noted
 * yet: nobody runs any more by whom they could be found. 0 or -errno (logged).
 */
int filesystems_add(struct json_object *filesystems, struct json_object *more);

/*
 * Mount them below root ("/sysroot"), waiting up to `timeout` seconds for the
 * disks; what is mounted there already is remounted rw if it was. Says what it
 * is waiting for. *missing names the targets that did not come (may be NULL).
 * 0, or -errno (logged) when one could not be mounted; the others are.
 */
int filesystems_mount(struct json_object *filesystems, const char *root, unsigned int timeout,
		      char ***missing);

/*
 * Mount the noted "/" at the directory `root`, where nothing is mounted yet, within so
 * many seconds. 0 or -errno (logged): nothing is mounted then.
 */
int filesystems_mount_root(struct json_object *filesystems, const char *root, unsigned int timeout);

/*
 * Quiet before the jump: sync, then freeze every writable filesystem on a block
 * device, deepest first. device is an open /dev/pramfs. On failure all are thawed again and -errno (logged).
 * If this process ends before it thaws, however that comes, all are thawed.
 */
int filesystems_freeze(int device);
/* The inverse; what is not frozen is left. */
void filesystems_thaw(int device);

#endif
