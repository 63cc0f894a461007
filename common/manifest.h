/* SPDX-License-Identifier: GPL-2.0 */
/*
 * manifest.h - STORE/manifest.json: what an update carries.
 *
 * Written in the old kernel before the seal, read and kept up to date by the
 * new one. The store is a PramFS mount, and everything of an update is in it:
 *
 *   /run/rebootless/store/
 *	manifest.json		this
 *	timeline		timeline.h
 *	log			what the programs said, in both kernels
 *	containers/NAME/
 *		images/		CRIU's images
 *		work/		CRIU's logs: dump.log, restore.log
 *
 * A format of its own with a version, since the program that reads it may be
 * newer or older than the one that wrote it: fields are only added; another
 * major version is refused.
 */
#ifndef REBOOTLESS_MANIFEST_H
#define REBOOTLESS_MANIFEST_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/config.h"

#define STORE_NAME "rebootless"			/* name of the PramFS mount */
#define STORE_DIR "/run/rebootless/store"
#define MANIFEST_MAJOR 1
#define REBOOTLESS_INIT "/usr/lib/rebootless-init"	/* in the initramfs, see restore/init.c */

/* A kernel as it is installed; paths are those of the real root. */
struct installed_kernel {
	char *release;		/* 6.12.117+deb13-cloud-amd64 */
	char *kernel;		/* path of the bzImage */
	char *initrd;		/* path of its initramfs */
	char *cmdline;		/* what it is to be started with */
};

enum container_state {
	CONTAINER_RUNNING,	/* not captured, or restored and let go */
	CONTAINER_CAPTURED,	/* only its images are there */
	CONTAINER_RESTORED,	/* runs again, the images are kept until the commit */
	CONTAINER_FAILED,	/* could not be restored; the images are kept */
};

struct engine;

struct container {
	const struct engine *engine;
	char *name;		/* what the runtime calls it; unique among all engines */
	pid_t pid;		/* of its first process; 0 = not running */
	uint64_t started;	/* when that process was restored (process_started), until the settling; 0 = none */
	char *cgroup;		/* of that process, below /sys/fs/cgroup, as "/a/b" */
	char **after;		/* names of containers that must run before it */
	enum container_state state;
	unsigned int connections;	/* of TCP, with somebody outside, as it was checked */
	char *error;		/* why it is FAILED, or NULL */
	struct json_object *engine_data;	/* the engine's own, may be NULL */
	struct json_object *cgroups;		/* cgroup.h's, may be NULL */
	struct json_object *stopped;		/* stopped.h's, may be NULL */
	struct json_object *sockets;		/* socket_options.h's, may be NULL */
	struct json_object *outside_files;	/* outside_files.h's, may be NULL */
};

/* The unit of the host's that it belongs to, NULL = none. */
static inline const char *container_unit(const struct container *c)
{
	struct json_object *unit;

	return json_object_object_get_ex(c->engine_data, "unit", &unit) ?
		       json_object_get_string(unit) : NULL;
}

struct containers {
	struct container *container;
	size_t nr;
};

struct manifest {
	char *id;			/* of the update, a UUID */
	char *boot;			/* boot_id of the kernel in which it was written down */
	struct installed_kernel from, to;
	enum restore_policy on_restore_failure;
	bool commit_auto;
	bool zero_copy;			/* memory is given to the restored, not copied */
	unsigned int parallel, restore_timeout, filesystem_timeout, tries;
	unsigned int tried;		/* boots that have tried */
	bool early;			/* `to` can restore before dracut has mounted the root, */
	bool before_systemd;		/* ... and even before systemd; known to the old kernel alone */
	bool rolling_back;		/* this is the way back */
	char *fault;
	char **stopped_services;	/* to be told about; they start with the real root */
	char **drivers;			/* modules that `to` needs for disks and networks */
	struct containers containers;
	struct json_object *filesystems;	/* filesystems.h's */
	struct json_object *limits;		/* host_limits.h's */
	struct json_object *network;		/* the host's, network.h's; NULL: nobody can be talking */
	struct json_object *cgroups;		/* controllers and limits above the containers' */
};

/* 0 or -errno (logged, with file and field); -ENOENT, not logged: there is none. */
int manifest_read(const char *store, struct manifest *m);
/* Replaces the file in one step. */
int manifest_write(const char *store, const struct manifest *m);
void manifest_free(struct manifest *m);
#define _cleanup_manifest_ __attribute__((cleanup(manifest_free)))

/* Are its images all that is left of it? */
static inline bool container_is_kept(const struct container *c)
{
	return c->state == CONTAINER_CAPTURED || c->state == CONTAINER_FAILED;
}

const char *container_state_name(enum container_state state);
struct container *containers_find(const struct containers *list, const char *name);
/* Append an empty one, with state RUNNING; NULL (logged) when memory is out. Pointers of before are void. */
struct container *containers_add(struct containers *list);
/* Take one out of its list, and free it; those behind it move up. */
void containers_remove(struct containers *list, struct container *c);
void containers_free(struct containers *list);

/* STORE/containers/NAME[/sub], "" = none. A name with '/' never gets this far. */
int container_dir(const char *store, const char *name, const char *sub, char *path, size_t size);

#endif
