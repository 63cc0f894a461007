/* SPDX-License-Identifier: GPL-2.0 */
/*
 * apparmor.h - the AppArmor profiles that containers run under. The runtimes load
 * them when they create a container, and not when they restore one; so they go
 * over as the kernel has them (apparmorfs, policy/profiles/NAME/raw_data), in
 * STORE/apparmor/.
 */
#ifndef REBOOTLESS_APPARMOR_H
#define REBOOTLESS_APPARMOR_H

#include "common/manifest.h"

/* Save those of all running containers. 0 (none too) or -errno (logged). */
int apparmor_save(const struct containers *list, const char *store);

/* Load what was saved. A profile that this kernel refuses is a warning: CRIU names who needs it. */
void apparmor_load(const char *store);

#endif
