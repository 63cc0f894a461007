/* SPDX-License-Identifier: GPL-2.0 */
/*
 * services.h - the host's own services are stopped in order before the freeze,
 * as a reboot would, so that what they keep on disk is whole.
 */
#ifndef REBOOTLESS_SERVICES_H
#define REBOOTLESS_SERVICES_H

#include "common/config.h"
#include "common/manifest.h"

/*
 * Stop what is a running daemon and neither part of the system's ground (see
 * services.c), nor named by keep-services, nor one that a container or this program
 * has to do with (service_owners.h). Waits for the end. *stopped: their names, also when
 * it fails. 0 or -errno (logged). Without systemd there is nothing to stop.
 * journald goes on, but closes its files on the disk.
 */
int services_stop(const struct config *config, const struct containers *list, char ***stopped);

/* The inverse, after an update that was given up; a failure is a warning. */
void services_start(char *const *stopped);
/* The same for those that one that was killed has left stopped, if there was one. */
void services_start_left(void);

#endif
