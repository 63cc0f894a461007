// SPDX-License-Identifier: GPL-2.0
/*
 * rebootless fire - seal the handover and jump. The point of no return is the
 * reboot call; whatever fails before it, or in it, is undone.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "device.h"
#include "loader.h"
#include "rebootless.h"
#include "state.h"

static int parse(int argc, char **argv, bool *dry_run)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		switch (c) {
		case 'n':
			*dry_run = true;
			break;
		case 'v':
			log_set_verbose(true);
			break;
		default:
			return CMD_USAGE;
		}
	}
	if (optind != argc) {
		log_error("fire takes no argument, found %s", argv[optind]);
		return CMD_USAGE;
	}
	return 0;
}

int cmd_fire(int argc, char **argv)
{
	_cleanup_close_ int lock = -1, device = -1;
	char release[LOADER_RELEASE_MAX];
	bool dry_run = false;
	int err = parse(argc, argv, &dry_run);

	if (err)
		return err;
	if (geteuid() != 0)
		return log_refusal(-EPERM, "only root can start another kernel");
	lock = state_lock();
	if (lock < 0)
		return lock;
	device = device_open();
	if (device < 0)
		return device;
	err = loader_check_ready(device, release);
	if (err)
		return err;
	if (dry_run) {
		log_info("ready to start %s; nothing was changed", release);
		return 0;
	}
	log_detail("starting %s", release);
	return loader_fire(device);
}
