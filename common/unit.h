/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit.h - systemd units whose processes came through an update.
 *
 * A unit takes its process over: for its next start, which comes with the real
 * root, it is told (by a drop-in below /run) to start nothing but to read the pid
 * from a file of root's. Settling takes the drop-in away again, when it has been
 * read: the unit's next start is one of its own. Of a unit that could not be started
 * by then it stays, since without it the unit would start a second process.
 */
#ifndef REBOOTLESS_UNIT_H
#define REBOOTLESS_UNIT_H

#include <stdbool.h>
#include <sys/types.h>

/* The drop-in: /run/systemd/system/UNIT.d/ this. */
#define UNIT_DROP_IN "90-rebootless.conf"

/*
 * Have `unit` take over process `pid` of container `name` at its next start.
 * subgroup: where in the unit's cgroup there is room for a process, NULL = in
 * itself. 0 or -errno (logged).
 */
int unit_hand_over(const char *name, const char *unit, pid_t pid, const char *subgroup);

/*
 * Have `unit` not start while the file or directory `path` is there: its
 * container waits to be restored. 0 or -errno (logged).
 */
int unit_hold_back(const char *unit, const char *path);

/* Has systemd started it, or is about to start or stop it? */
bool unit_runs(const char *unit);

#endif
