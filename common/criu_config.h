/* SPDX-License-Identifier: GPL-2.0 */
/*
 * criu_config.h - telling a CRIU that somebody else starts what we want of it.
 *
 * CRIU reads /etc/criu/default.conf, whoever calls it. A file of ours, with the
 * administrator's own lines in it, is mounted over that one in a mount namespace
 * that only the one command sees, so that nothing is left behind.
 */
#ifndef REBOOTLESS_CRIU_CONFIG_H
#define REBOOTLESS_CRIU_CONFIG_H

#include <stdbool.h>

/*
 * Write ours: the administrator's lines (of the system below root, "" = here)
 * but those that `lines` sets, then `lines`. 0 or -errno (logged).
 */
int criu_config_write(const char *root, const char *lines);
/* Write another at `path`: ours, then `lines`; for the one that mounts it. 0 or -errno (logged). */
int criu_config_extend(const char *path, const char *lines);
/*
 * In a child: mount it, or the other one at `extended` (NULL = none); `is_private` says
 * that the mount namespace is the child's own already.
 */
int criu_config_mount(bool is_private, const char *extended);
void criu_config_remove(void);

/* Is there one? For a program that runs in the middle of a restore, or does not. */
bool criu_config_is_written(void);

#endif
