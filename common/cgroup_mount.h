/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cgroup_mount.h - keep the options of the cgroup hierarchy over a CRIU.
 *
 * To read and to make cgroups CRIU mounts the hierarchy for itself, without
 * options; but these (nsdelegate, memory_recursiveprot) are one set for all of
 * its mounts, and so the host loses what systemd has set.
 */
#ifndef REBOOTLESS_CGROUP_MOUNT_H
#define REBOOTLESS_CGROUP_MOUNT_H

/* The options now (allocated); NULL when they cannot be found out (logged). */
char *cgroup_options(void);
/* Set them again if they are others now; NULL: nothing is done. A failure is a warning. */
void cgroup_set_options(const char *options);

#endif
