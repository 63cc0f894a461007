// SPDX-License-Identifier: GPL-2.0
/*
 * Containers of runc. Its CRIU is steered by RPC and reads no options of
 * ours but those in CRIU's configuration file.
 */
#include "common/oci.h"

static int list(const struct config *config, struct containers *list_)
{
	(void)config;
	return oci_list(&engine_runc, list_);
}

const struct engine engine_runc = {
	.name = "runc",
	.program = "runc",
	.list = list,
	.check = oci_check,
	.dump_command = oci_dump_command,
	.needs_criu_config = true,
	.empties_network = true,
	.before_restore = oci_before_restore,
	.restored = oci_restored,
	.restore_command = oci_restore_command,
	.forget_command = oci_forget_command,
	.needs_systemd = oci_needs_systemd,
	.owns_cgroup = true,
	.carries_outside_files = true,
	.restored_pid = oci_restored_pid,
};
