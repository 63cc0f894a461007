/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_early.h - can the initramfs mount the real root by itself, and restore the
 * containers before udev and dracut have come to it?
 *
 * What dracut does until root is mounted takes longer than a restore, and containers
 * need none of it where all of their filesystems, and root, are on plain disks or
 * partitions: those are there as soon as their drivers are. Whatever is more than
 * that (device mapper, md, a network, an overlay as root, another root= than what
 * is mounted) is dracut's.
 */
#ifndef REBOOTLESS_CHECK_EARLY_H
#define REBOOTLESS_CHECK_EARLY_H

#include <json-c/json.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/mount_table.h"

struct early_host {
	const char *sysfs;			/* "/sys" */
	const struct mount_table *mounts;	/* the host's */
	const char *cmdline;			/* that of the kernel that comes */
	const char *words;			/* what its initramfs adds to it */
	dev_t (*device)(const char *spec);	/* early_device() */
};

/* The block device that root= means: a path, UUID=, LABEL=, PARTUUID= ...; 0 = none. */
dev_t early_device(const char *spec);

/* filesystems: those that are noted (filesystems.h). *why is static, and set if it is false. */
bool check_early(const struct early_host *host, struct json_object *filesystems, const char **why);

#endif
