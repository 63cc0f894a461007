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
#include "kexec.h"
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

/* Is what is loaded, as well as can be known (see state.h), what we loaded? */
static int check_ready(int device, struct state *state)
{
	struct pramfs_ioc_status status;
	int loaded = kexec_is_loaded(), err;

	if (loaded < 0)
		return loaded;
	err = state_read(state);
	if (!err)
		err = device_status(device, &status);
	if (err)
		return err;
	if (!loaded && state->there)
		return log_refusal(-ENOENT,
				   "the kernel %s that rebootless had loaded was unloaded by another tool; run `rebootless unload`, then `rebootless load`",
				   state->release);
	if (!loaded)
		return log_refusal(-ENOENT, "no kernel is loaded; run `rebootless load`");
	if (!state->there)
		return log_refusal(-ENOENT,
				   "a kernel is loaded, but not by rebootless; `kexec -u` unloads it, then run `rebootless load`");
	if (!(status.flags & PRAMFS_CLAIMED))
		return log_refusal(-ENOENT,
				   "a kernel is loaded but no arena is claimed; run `rebootless unload`, then `rebootless load`");
	if (status.flags & PRAMFS_SEALED)
		return log_refusal(-EBUSY, "the handover is sealed already, by another program");
	if (status.root != state->root)
		return log_refusal(-ESTALE,
				   "the root page lies at 0x%llx, but the loaded kernel was told 0x%llx; run `rebootless unload`, then `rebootless load`",
				   (unsigned long long)status.root, (unsigned long long)state->root);
	return 0;
}

static int seal_and_jump(int device)
{
	struct pramfs_ioc_seal seal;
	int err = device_seal(device, &seal);

	if (err)
		return err;
	log_info("sealed: %llu mounts, %llu inodes, %llu KiB of data in %llu extents, %llu KiB of metadata, %llu ranges, %.1f ms",
		 (unsigned long long)seal.mounts, (unsigned long long)seal.inodes,
		 (unsigned long long)seal.data_bytes >> 10, (unsigned long long)seal.extents,
		 (unsigned long long)seal.metadata_bytes >> 10, (unsigned long long)seal.ranges,
		 (double)seal.nanoseconds / 1e6);
	fflush(stdout);
	sync();
	err = kexec_jump();
	device_unseal(device);
	return err;
}

int cmd_fire(int argc, char **argv)
{
	_cleanup_close_ int lock = -1, device = -1;
	struct state state;
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
	err = check_ready(device, &state);
	if (err)
		return err;
	if (dry_run) {
		log_info("ready to start %s; nothing was changed", state.release);
		return 0;
	}
	log_detail("starting %s", state.release);
	return seal_and_jump(device);
}
