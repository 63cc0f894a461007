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
 * Values are those files of a cgroup that can be written and hold a setting (not
 * a count, nor an action such as cgroup.kill). Written back are those that the
 * new cgroup does not have already. "defaults" are those of a new cgroup beside
 * it: only of a value that somebody has set is it worth a warning that the new
 * kernel does not know it.
 * Limits by device (io.max) name it by the numbers 8:0; "disks" says which disk
 * that is, { "8:0": "UUID" }, since another kernel may number it otherwise.
 */
#ifndef REBOOTLESS_CGROUP_H
#define REBOOTLESS_CGROUP_H

#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_SURVIVE "user.survive_final_kill_signal"
#define CGROUP_PATH_MAX 4096

/* 0, or -EOPNOTSUPP (logged) on a host of version 1, or of both. */
int cgroup_check_version(void);

/* The cgroup of a process as "/a/b" (allocated). 0 or -errno (logged). */
int cgroup_of(pid_t pid, char **path);

/*
 * The cgroup that is "/" in the cgroup namespace of a process, as we name it (allocated);
 * NULL: it has ours. The calling thread visits that namespace. 0 or -errno (logged).
 */
int cgroup_namespace_root(pid_t pid, char **root);

/*
 * A container's cgroup when its first process has moved itself into one below it, as
 * systemd does: shorten `path`, the first process's, to what all of them are in, and by
 * a last "init.scope". Those that have ended are passed over. 0 or -errno (logged).
 */
int cgroup_widen(char *path, const pid_t *pids, size_t nr);

/* Is it `outer`, or one below that? NULL is nowhere. */
bool cgroup_is_within(const char *path, const char *outer);

/* CGROUP_ROOT/path/file, "" = the directory. 0 or -errno (logged): ".." is refused. */
int cgroup_file(const char *path, const char *file, char *full, size_t size);

/*
 * Visit a cgroup and all below it: `before` what is below, `after` it (either
 * may be NULL). What is not 0 ends it and is returned; -ENOENT, of one that was
 * just removed, does not.
 */
typedef int (*cgroup_visit)(const char *path, void *arg);
int cgroup_walk(const char *path, cgroup_visit before, cgroup_visit after, void *arg);

/* All processes in it and below (allocated). 0 or -errno (logged). */
int cgroup_pids(const char *path, pid_t **pids, size_t *nr);

/* Note a cgroup, everything above and everything below it. 0 or -errno (logged). */
int cgroup_note(const char *path, struct json_object **out);
/*
 * Noted while more was allowed than an update before had noted (cgroup_allow_memory):
 * its memory.max and memory.high are taken where they are less.
 */
void cgroup_take_less_memory(struct json_object *noted, struct json_object *before);

/*
 * Before a restore: make the parents and the tree, enable the controllers and
 * write the values; what is there already keeps its processes. A value that the
 * new kernel refuses is a warning. 0 or -errno (logged).
 */
int cgroup_make(struct json_object *noted);
/* After a restore, since engines write their own: the values again. */
int cgroup_apply(struct json_object *noted);

/*
 * systemd, as it starts, takes controllers that none of its units asks for from the cgroups
 * it knows, and with them the limits of those below. Not where a cgroup there passes them
 * on: an empty one, "rebootless", does in each of the parents until it is let go.
 */
void cgroup_hold_controllers(struct json_object *noted);
void cgroup_let_controllers_go(struct json_object *noted);

/*
 * How many bytes more than noted both allow from now on for memory.max and
 * memory.high. Pages that PramFS has adopted or given stay charged and cannot be
 * swapped; until the commit one that is written to is charged twice.
 */
#define CGROUP_UNLIMITED ULLONG_MAX
void cgroup_allow_memory(unsigned long long more);

/*
 * Let it have all CPU time (cpu.max) until cgroup_apply(), and what it lies in up to the
 * next slice: what CRIU does in the name of its tasks is charged to it. It need not be there.
 */
void cgroup_unthrottle(const char *path);

/* Set the mark on this cgroup and all below it that have processes; and take it away. */
int cgroup_spare(const char *path);
int cgroup_unspare(const char *path);

/*
 * cgroup_disks.c: write down which disks the values speak of (0 or -errno,
 * logged), and the numbers that a value's line has in this kernel (not logged;
 * -ENODEV: no such disk).
 */
int cgroup_disks_note(struct json_object *noted);
int cgroup_disks_translate(struct json_object *noted, const char *line, char *out, size_t size);

#endif
