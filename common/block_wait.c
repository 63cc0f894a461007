// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for a disk, in an initramfs with udev or without.
 */
#include <blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <linux/btrfs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "block.h"
#include "cleanup.h"
#include "deadline.h"
#include "log.h"

#define SAY_EVERY_MS 3000
#define LOOK_EVERY_US 200000

/* Without udev nobody has told the kernel which disks are one btrfs. */
static bool is_complete(const char *device, const char *type)
{
	struct btrfs_ioctl_vol_args args = { 0 };
	_cleanup_close_ int fd = -1;

	if (strcmp(type, "btrfs"))
		return true;
	fd = open("/dev/btrfs-control", O_RDWR | O_CLOEXEC);
	snprintf(args.name, sizeof(args.name), "%s", device);
	return fd < 0 || ioctl(fd, BTRFS_IOC_DEVICES_READY, &args) <= 0;
}

static void cleanup_cache(blkid_cache *cache)
{
	if (*cache)
		blkid_put_cache(*cache);
}

/*
 * All devices there are, probed anew: no file of an older look is asked. Of
 * several with one UUID (the parts of a btrfs, a disk below device mapper)
 * libblkid knows which to take.
 */
static int probe_all(const char *uuid, const char *type, char **device)
{
	_cleanup_(cleanup_cache) blkid_cache cache = NULL;
	blkid_dev_iterate iter;
	bool complete = false;
	blkid_dev dev;

	if (blkid_get_cache(&cache, "/dev/null") < 0 || blkid_probe_all(cache) < 0)
		return -ENODEV;
	iter = blkid_dev_iterate_begin(cache);
	blkid_dev_set_search(iter, "UUID", uuid);
	while (!blkid_dev_next(iter, &dev))
		complete = is_complete(blkid_dev_devname(dev), type);
	blkid_dev_iterate_end(iter);
	*device = complete ? blkid_get_devname(cache, "UUID", uuid) : NULL;
	return *device ? 0 : -ENODEV;
}

static int find_device(const char *uuid, const char *type, char **device)
{
	_cleanup_free_ char *found = NULL;
	char path[128];

	/* udev's link is a hint, and may be of a disk that was there before. */
	snprintf(path, sizeof(path), "/dev/disk/by-uuid/%s", uuid);
	if (!block_uuid(path, &found) && !strcmp(found, uuid) && is_complete(path, type)) {
		/* by its name among the device mapper's, if it is one of those */
		*device = mnt_resolve_path(path, NULL);
		if (*device)
			return 0;
	}
	return probe_all(uuid, type, device);
}

int block_wait(const char *uuid, const char *type, const char *target, unsigned int timeout,
	       int64_t deadline, char **device)
{
	int64_t say = deadline_now();

	while (find_device(uuid, type, device)) {
		if (!deadline_left(deadline))
			return log_refusal(-ENODEV,
					   "no disk with UUID %s (%s) came within %u s: %s is not mounted. Is its driver in the initramfs, and is LVM, RAID or encryption on it set up there?",
					   uuid, type, timeout, target);
		if (deadline_now() >= say) {
			log_info("waiting for the disk with UUID %s, for %s", uuid, target);
			say = deadline_now() + SAY_EVERY_MS;
		}
		usleep(LOOK_EVERY_US);
	}
	return 0;
}
