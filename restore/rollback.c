// SPDX-License-Identifier: GPL-2.0
/*
 * The way back: the old kernel is loaded from the real root, told to restore,
 * and started. The images were not touched: nothing that was restored from them
 * has run, or (by hand) what has run is lost with this kernel.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint/device.h"
#include "checkpoint/loader.h"
#include "checkpoint/state.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/filesystems.h"
#include "common/log.h"
#include "restore/restore.h"

static void turn_round(struct manifest *m)
{
	struct installed_kernel from = m->from;

	m->from = m->to;
	m->to = from;
	m->rolling_back = !m->rolling_back;
	m->tried = 0;
}

/* What failed here is tried again there; what runs here stays behind. */
static int count_running(struct manifest *m)
{
	struct container *c;
	int running = 0;

	for (c = m->containers.container; c < m->containers.container + m->containers.nr; c++) {
		running += c->state == CONTAINER_RESTORED;
		if (c->state == CONTAINER_FAILED)
			c->state = CONTAINER_CAPTURED;
	}
	return running;
}

static int fire(struct manifest *m, int device)
{
	int err;

	turn_round(m);
	err = manifest_write(STORE_DIR, m);
	if (err) {
		turn_round(m);
		return err;
	}
	log_hold(true);
	err = filesystems_freeze(device);
	if (!err) {
		err = loader_fire(device);
		filesystems_thaw(device);
	}
	log_hold(false);
	turn_round(m);
	manifest_write(STORE_DIR, m);
	return err;
}

int roll_back(struct manifest *m, const char *root)
{
	_cleanup_close_ int lock = -1, device = -1;
	char kernel[PATH_MAX], initrd[PATH_MAX];
	const struct load_request request = {
		.kernel = kernel,
		.initrd = initrd,
		.append = m->from.cmdline,
	};
	int err, did;

	if (fault_hit(FAULT_ROLLBACK, NULL))
		return -EIO;
	if (!m->from.kernel || !m->from.initrd || !m->from.cmdline)
		return log_refusal(-ENOENT, "the update does not say where the old kernel is");
	if (count_running(m))
		return log_refusal(-EBUSY,
				   "containers run here already, and would be lost; boot on, and use `rebootless rollback`, which takes them along");
	log_warning("going back to %s", m->from.release);
	snprintf(kernel, sizeof(kernel), "%s%s", root, m->from.kernel);
	snprintf(initrd, sizeof(initrd), "%s%s", root, m->from.initrd);
	lock = state_lock();
	if (lock < 0)
		return lock;
	device = device_open();
	if (device < 0)
		return device;
	err = loader_load(&request, device);
	if (err)
		return err;
	err = fire(m, device);
	unload_all(device, &did);
	return err;
}
