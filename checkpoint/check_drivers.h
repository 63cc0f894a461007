/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_drivers.h - has the next kernel, in its initramfs, the drivers of the
 * devices that containers need?
 *
 * An initramfs made for one host has only the drivers of what was mounted and
 * plugged in when it was made. Which it has are remembered, so that the hook can load
 * them before udev has looked at every device: until then all containers stand still.
 */
#ifndef REBOOTLESS_CHECK_DRIVERS_H
#define REBOOTLESS_CHECK_DRIVERS_H

#include "checkpoint/initrd_contents.h"
#include "common/findings.h"
#include "common/manifest.h"

struct drivers {
	const char *sysfs;			/* "/sys" */
	/* kernels_module() */
	int (*module)(const char *release, const char *alias, char **module);
	const struct installed_kernel *to;
	const struct initrd_contents *contents;
	struct findings *findings;
	char **found;				/* modules that drive devices, each once */
};

/*
 * The module by this name or alias, which `what` needs ("/srv"). What the initramfs
 * lacks is a finding. 0, -ENOENT: the next kernel knows none, or -errno (logged).
 */
int check_driver(const struct drivers *d, const char *what, const char *alias);

/*
 * The drivers of a device, by its path below /sys, and of all that it hangs on.
 * One that is built in here shows no module, and one that the next kernel does not
 * know may have been merged into another. 0 or -errno (logged).
 */
int check_device_drivers(struct drivers *d, const char *what, const char *device);

/*
 * Those of the network devices that are up. must: processes have sockets on their
 * addresses, which could not be restored; else what is lacking is but a warning.
 */
int check_link_drivers(struct drivers *d, bool must);

#endif
