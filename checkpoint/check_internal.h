/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_internal.h - what the files behind check_processes.h and
 * check_system.h share.
 */
#ifndef REBOOTLESS_CHECK_INTERNAL_H
#define REBOOTLESS_CHECK_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/findings.h"
#include "common/manifest.h"

struct checked_socket {
	ino_t ino;
	pid_t pid;		/* the first that was seen to have it */
	int fd;			/* there */
	int family;
};

struct checked_inode {
	dev_t dev;
	ino_t ino;
};

/* One container that is being looked at. */
struct check {
	const struct container *c;
	struct container *noted;	/* the same, where its outside_files are to be noted, or NULL */
	struct findings *f;
	uint64_t ghost_limit;
	pid_t *pid;			/* its processes, ascending */
	size_t nr_pids;
	pid_t *waiting;			/* threads seen in state D */
	size_t nr_waiting;
	int *mount;			/* identifiers of all its own mounts; none: it has the host's */
	size_t nr_mounts;
	struct checked_socket *socket;
	size_t nr_sockets;
	struct checked_inode *told;	/* files of which something has been said */
	size_t nr_told;
	unsigned int connections;	/* of TCP, with somebody outside */
	bool out_of_memory;		/* logged */
};

/* Room for one more at the end of a list; NULL (logged) when there is none: check_processes() then fails. */
void *check_room(struct check *k, void *list, size_t nr, size_t size);
/* The container's first process and its descendants, which is what CRIU dumps, into pid. -errno (logged). */
int check_find_processes(struct check *k);
void check_free(struct check *k);
bool check_has_pid(const struct check *k, pid_t pid);

/* Against, with the container and a process of it. */
#define REFUSE(k, pid, ...) findings_add((k)->f, (k)->c->name, pid, __VA_ARGS__)
#define WARN(k, pid, ...) findings_warn((k)->f, (k)->c->name, pid, __VA_ARGS__)

/* The namespace of a process as "type:[number]"; "" when it is gone. */
void check_namespace(pid_t pid, const char *type, char name[64]);
bool check_same_namespace(pid_t a, pid_t b, const char *type);

/* check_files.c: open files, of any kind */
void check_files(struct check *k, pid_t pid);
/* A regular file without a name, open or mapped as `path`: does it fit? */
void check_ghost(struct check *k, pid_t pid, const char *path, const struct stat *st);

/* check_maps.c: memory */
void check_maps(struct check *k, pid_t pid);

/* check_sockets.c: one socket; and, when all have been seen, whom unix sockets talk to */
void check_socket(struct check *k, pid_t pid, int fd, ino_t ino);
void check_unix_peers(struct check *k);

/* check_mounts.c: the mount namespaces of the container; notes what is mounted there */
void check_mounts(struct check *k);
bool check_has_mount(const struct check *k, int mount);

#endif
