// SPDX-License-Identifier: GPL-2.0
/*
 * loader_fire.c - seal the handover and jump. The point of no return is the
 * reboot call; whatever fails before it, or in it, is undone.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/log.h"
#include "device.h"
#include "kexec.h"
#include "loader.h"
#include "state.h"

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

int loader_check_ready(int device, char release[LOADER_RELEASE_MAX])
{
	struct state state;
	int err = check_ready(device, &state);

	if (!err && release)
		snprintf(release, LOADER_RELEASE_MAX, "%s", state.release);
	return err;
}

int loader_fire(int device)
{
	struct pramfs_ioc_seal seal;
	int err = fault_hit(FAULT_SEAL, NULL) ? -EIO : device_seal(device, &seal);

	if (err)
		return err;
	log_info("sealed: %llu mounts, %llu inodes, %llu KiB of data in %llu extents, %llu KiB of metadata, %llu ranges, %.1f ms",
		 (unsigned long long)seal.mounts, (unsigned long long)seal.inodes,
		 (unsigned long long)seal.data_bytes >> 10, (unsigned long long)seal.extents,
		 (unsigned long long)seal.metadata_bytes >> 10, (unsigned long long)seal.ranges,
		 (double)seal.nanoseconds / 1e6);
	sync();
	if (fault_hit(FAULT_KILLED, NULL))
		raise(SIGKILL);
	err = fault_hit(FAULT_JUMP, NULL) ? -EIO : kexec_jump();
	device_unseal(device);
	return err;
}
