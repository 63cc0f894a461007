// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "commit.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/timeline.h"

#define OPEN_FILES 16

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) < 0 ? errno : 0;
}

static int remove_images(const char *name)
{
	char path[512];
	int err = container_dir(STORE_DIR, name, "images", path, sizeof(path));

	if (err)
		return err;
	err = nftw(path, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (err < 0 && errno == ENOENT)
		return 0;
	return err ? log_syserr(err > 0 ? err : errno, "cannot remove %s", path) : 0;
}

static bool is_kept(const struct container *c)
{
	return c->state == CONTAINER_FAILED || c->state == CONTAINER_CAPTURED;
}

int commit(struct manifest *m, bool force)
{
	struct container *c, *end = m->containers.container + m->containers.nr;
	int err = 0;

	for (c = m->containers.container; c < end; c++)
		if (is_kept(c) && !force)
			return log_refusal(-EBUSY,
					   "container %s is not restored, its images are all that is left of it: `rebootless restore %s`, or `rebootless commit --force` to give it up",
					   c->name, c->name);
	if (fault_hit(FAULT_COMMIT, NULL))
		return -EIO;
	for (c = m->containers.container; !err && c < end; c++) {
		err = remove_images(c->name);
		if (!err && is_kept(c))
			log_warning("gave up container %s", c->name);
		else if (!err)
			c->state = CONTAINER_RUNNING;
	}
	if (err)
		return err;
	timeline_stamp(STORE_DIR, STAMP_COMMITTED, NULL);
	log_info("committed: the images are deleted");
	return manifest_write(STORE_DIR, m);
}
