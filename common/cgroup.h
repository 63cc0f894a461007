/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cgroup.h - cgroups (version 2) of containers: noted with their values in the
 * old kernel, made again in the new one, and marked so that PID 1 spares what
 * is in them at the switch to the real root.
 *
 * JSON: { "path": "/a/b",  "parents": [ { "path": "/a", "controllers": "cpu memory",
 *         "values": { "memory.max": "..." } }, ... ],
 *         "tree": [ { "path": "/a/b", "controllers": ..., "values": {...},
 *                     "type": "domain", "xattrs": { "user.delegate": "1" } }, ... ] }
 * Values are those files of a cgroup that can be written, hold a setting (not
 * a count, nor an action such as cgroup.kill), and do not have their default.
 */
#ifndef REBOOTLESS_CGROUP_H
#define REBOOTLESS_CGROUP_H

#include <json-c/json.h>
#include <sys/types.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_SURVIVE "user.survive_final_kill_signal"

/* The cgroup of a process as "/a/b" (allocated). 0 or -errno (logged). */
int cgroup_of(pid_t pid, char **path);

/* Note a cgroup, everything above and everything below it. 0 or -errno (logged). */
int cgroup_note(const char *path, struct json_object **out);

/*
 * Before a restore: make the parents and the tree, enable the controllers and
 * write the values; what is there already keeps its processes. A value that the
 * new kernel refuses is a warning. 0 or -errno (logged).
 */
int cgroup_make(struct json_object *noted);
/* After a restore, since engines write their own: the values again. */
int cgroup_apply(struct json_object *noted);

/* Set the mark on this cgroup and all below it that have processes; and take it away. */
int cgroup_spare(const char *path);
int cgroup_unspare(const char *path);

#endif
