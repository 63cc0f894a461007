/* SPDX-License-Identifier: GPL-2.0 */
/*
 * system.h - what the engines and CRIU expect of a system, in an initramfs that
 * has not got it yet.
 */
#ifndef REBOOTLESS_RESTORE_SYSTEM_H
#define REBOOTLESS_RESTORE_SYSTEM_H

#include "common/manifest.h"

/*
 * Load the drivers of disks and networks (manifest.h). udev looks at every device of the
 * machine before it comes to the disk that root is on, unless the disk is there by then.
 * What the command line forbids is not loaded.
 */
void system_load_drivers(char *const *drivers);

/*
 * Kernel modules, cgroups, the loopback device, and the bus by which systemd is
 * asked for cgroups if a container needs that. 0 or -errno (logged).
 */
int system_prepare(const struct manifest *m);

#endif
