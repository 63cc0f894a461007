/* SPDX-License-Identifier: GPL-2.0 */
/*
 * service_owners.h - the host's services that have to do with a container: those
 * in which it was started, or who looks after it runs, and those that take such a
 * one along when they are stopped.
 */
#ifndef REBOOTLESS_SERVICE_OWNERS_H
#define REBOOTLESS_SERVICE_OWNERS_H

#include "common/manifest.h"

/*
 * Take those out of a list of services. 0 or -errno (logged): systemd cannot be
 * asked; nothing may be stopped then.
 */
int service_owners_spare(const struct containers *list, char **units);

/*
 * The same, of what `systemctl show` says of them (services that it does not name
 * depend on nothing), and the cgroups of all that containers need. For the unit test.
 */
int service_owners_spare_shown(const struct containers *list, char *const *cgroups, char *shown,
			       char **units);

#endif
