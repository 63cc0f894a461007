// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commit.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/host_limits.h"
#include "common/log.h"
#include "common/store.h"
#include "common/timeline.h"
#include "limits.h"

static int remove_images(const char *name)
{
	char path[512];
	int err = container_dir(STORE_DIR, name, "images", path, sizeof(path));

	return err ? err : store_remove(path);
}

int commit(struct manifest *m, bool force)
{
	struct containers *list = &m->containers;
	struct container *c;
	size_t i;
	int err;

	for (c = list->container; c < list->container + list->nr; c++)
		if (container_is_kept(c) && !force)
			return log_refusal(-EBUSY,
					   "container %s is not restored, its images are all that is left of it: `rebootless restore %s`, or `rebootless commit --force` to give it up",
					   c->name, c->name);
	if (fault_hit(FAULT_COMMIT, NULL))
		return -EIO;
	for (i = list->nr; i-- > 0;) {
		c = &list->container[i];
		err = remove_images(c->name);
		if (err)
			return err;
		if (container_is_kept(c)) {
			log_warning("gave up container %s", c->name);
			containers_remove(list, c);
		} else {
			c->state = CONTAINER_RUNNING;
		}
	}
	/* with the images gone, every page is charged once */
	limits_set(list, 0);
	host_limits_count_reserves();
	timeline_stamp(STORE_DIR, STAMP_COMMITTED, NULL);
	log_info("committed: the images are deleted");
	return manifest_write(STORE_DIR, m);
}
