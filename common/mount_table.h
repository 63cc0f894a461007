/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mount_table.h - what is mounted, and what kind of thing that is: whether it
 * can be found again in another kernel. The inner side of filesystems.h.
 */
#ifndef REBOOTLESS_MOUNT_TABLE_H
#define REBOOTLESS_MOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define HOST_MOUNTINFO "/proc/1/mountinfo"

enum mount_kind {
	MOUNT_DISK,	/* on a block device: found again by its UUID */
	MOUNT_OVERLAY,	/* over directories that are found again */
	MOUNT_PSEUDO,	/* a view of the kernel, made anew: proc, sysfs, cgroup2 ... */
	MOUNT_MEMORY,	/* tmpfs, ramfs: ends with the kernel */
	MOUNT_NETWORK,
	MOUNT_FUSE,
	MOUNT_OTHER,
};

struct mount {
	int id, parent;
	dev_t dev;
	enum mount_kind kind;
	char *type, *source;
	char *root;		/* which part of the filesystem, "/" = all */
	char *target;
	char *options;		/* of this mount: rw,noatime */
	char *super;		/* of the filesystem: rw,errors=remount-ro */

	/* filesystems_note.c's: who needs it (a container, "" = the host), and its UUID */
	const char *wanted_by;
	const char *reported_for;
	char *uuid;
};

struct mount_table {
	struct mount *mount;
	size_t nr;
};

/* Read a mountinfo file. 0 or -errno (logged). */
int mount_table_read(const char *path, struct mount_table *t);
void mount_table_free(struct mount_table *t);
#define _cleanup_mount_table_ __attribute__((cleanup(mount_table_free)))

enum mount_kind mount_kind_of(const char *type, dev_t dev, const char *source);

/* The mount of that id, or NULL. */
struct mount *mount_table_by_id(const struct mount_table *t, int id);
/* The mount that an absolute path without symbolic links is on, or NULL. */
struct mount *mount_table_by_path(const struct mount_table *t, const char *path);

/* Is this word among comma-separated options? */
bool mount_option_set(const char *options, const char *word);
/*
 * Call fn for every directory that an overlay with these options lies over; it
 * stops at what is not 0, and returns that.
 */
int overlay_each_dir(const char *super, int (*fn)(const char *dir, void *arg), void *arg);

/*
 * All wanted mounts, each behind what it needs: its mount point's, and those of
 * an overlay's directories. `order` has room for t->nr; returns how many.
 */
size_t mount_table_order(const struct mount_table *t, struct mount **order);

/* UUID of a filesystem on a disk (allocated); as block_uuid(). */
int mount_uuid(const struct mount *m, char **uuid);

/* The numbers of what it is mounted from; btrfs shows numbers of its own. */
dev_t mount_device(const struct mount *m);

/* filesystems_note.c: all wanted mounts as in filesystems.h. 0 or -errno (logged). */
struct json_object;
int filesystems_json(const struct mount_table *t, struct json_object **out);

#endif
