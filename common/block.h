/* SPDX-License-Identifier: GPL-2.0 */
/*
 * block.h - block devices: by their numbers, and what they are known by in
 * every kernel. Nothing is logged but by block_wait(); -ENODEV: there is no such
 * device, -ENODATA: nothing was found on it.
 */
#ifndef REBOOTLESS_BLOCK_H
#define REBOOTLESS_BLOCK_H

#include <stddef.h>
#include <stdint.h>

/* "8:0" -> "/dev/sda", as the kernel calls it. */
int block_path(const char *numbers, char *path, size_t size);

/* UUID of the filesystem on it, by probing (allocated). */
int block_uuid(const char *path, char **uuid);

/* UUID of a disk: its partition table's, or that of the filesystem on it (allocated). */
int block_disk_id(const char *path, char **id);

/*
 * Wait until the filesystem with this UUID can be mounted at `target`, or the
 * deadline (deadline.h) passes, which is `timeout` seconds after the beginning.
 * Says what it waits for. *device is allocated; 0 or -errno (logged).
 */
int block_wait(const char *uuid, const char *type, const char *target, unsigned int timeout,
	       int64_t deadline, char **device);

#endif
