// SPDX-License-Identifier: GPL-2.0
/*
 * rebootless unload - the inverse of load: kernel first, then arena, then note.
 * The other way round a jump could come when the arena is somebody else's.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "device.h"
#include "kexec.h"
#include "loader.h"
#include "rebootless.h"
#include "state.h"

static int parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		if (c != 'v')
			return CMD_USAGE;
		log_set_verbose(true);
	}
	if (optind != argc) {
		log_error("unload takes no argument, found %s", argv[optind]);
		return CMD_USAGE;
	}
	return 0;
}

int cmd_unload(int argc, char **argv)
{
	_cleanup_close_ int lock = -1, device = -1;
	int did, err = parse(argc, argv);

	if (err)
		return err;
	if (geteuid() != 0)
		return log_refusal(-EPERM, "only root can unload a kernel");
	lock = state_lock();
	if (lock < 0)
		return lock;
	/* without the module there is no arena, but a kernel may be left */
	if (access(PRAMFS_DEVICE, F_OK) == 0) {
		device = device_open();
		if (device < 0)
			return device;
	}
	err = unload_all(device, &did);
	if (err)
		return err;
	if (did)
		log_info("unloaded");
	else if (kexec_is_loaded() == 1)
		log_info("nothing of rebootless is loaded (a kernel loaded by another tool was left alone; `kexec -u` unloads it)");
	else
		log_info("nothing is loaded");
	return 0;
}
