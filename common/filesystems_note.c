// SPDX-License-Identifier: GPL-2.0
/*
 * What containers need of the host's filesystems. Asked is the kernel: the
 * mounts of every mount namespace that a container's processes are in, and what
 * they have open, by the mount's id (statx), which is unique over namespaces.
 *
 * Not looked at: a container's own tmpfs, proc and the like, which CRIU carries
 * or makes anew.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "cleanup.h"
#include "engine.h"
#include "filesystems.h"
#include "log.h"
#include "mount_table.h"
#include "path.h"
#include "processes.h"
#include "strv.h"

#define WANTED_BY_HOST ""

/* What the runtimes make anew at a restore; paths of the host. */
static const char *const made_anew[] = {
	"/run/crun/*", "/run/runc/*", "/run/netns/*",
	"/run/containers/storage/*", "/run/user/*/containers/*",
	"*/overlay-containers/*/userdata/*",	/* podman: shm, resolv.conf */
	"*/containers/storage/overlay/*/merged*",
	NULL
};

struct note {
	struct mount_table host;
	struct findings *findings;
	/* of the container that is looked at */
	const char *name;
	pid_t pid;
	int err;
};

static bool is_made_anew(const char *path)
{
	const char *const *pattern;

	for (pattern = made_anew; *pattern; pattern++)
		if (!fnmatch(*pattern, path, 0))
			return true;
	return false;
}

/* A thing in the way, at `what`: in a process, a mount, or a path. */
static void in_the_way(struct note *n, const struct mount *m, const char *what)
{
	const char *who = *n->name ? n->name : NULL;

	switch (m->kind) {
	case MOUNT_MEMORY:
		findings_add(n->findings, who, n->pid,
			     "%s lies on the host's %s at %s, which ends with the kernel: put it on a disk",
			     what, m->type, m->target);
		break;
	case MOUNT_NETWORK:
		findings_add(n->findings, who, n->pid,
			     "%s lies on %s (%s), a network filesystem, which cannot be mounted before the network is up: take it out of the container, or put it on a disk",
			     what, m->source, m->type);
		break;
	case MOUNT_FUSE:
		findings_add(n->findings, who, n->pid,
			     "%s lies on %s (%s), and its program does not live through the kexec: take it out of the container",
			     what, m->source, m->type);
		break;
	default:
		findings_add(n->findings, who, n->pid,
			     "%s lies on %s, a filesystem of type %s, and it is not known how to find that again",
			     what, m->source, m->type);
	}
}

/* Once for each container is enough. */
static void not_wanted(struct note *n, struct mount *m)
{
	m->wanted_by = NULL;
	m->reported_for = n->name;
}

static void want(struct note *n, struct mount *m, const char *what);

static int want_dir(const char *dir, void *arg)
{
	struct note *n = arg;
	struct mount *m = dir[0] == '/' ? mount_table_by_path(&n->host, dir) : NULL;

	if (m)
		want(n, m, dir);
	return 0;
}

static int is_relative(const char *dir, void *arg)
{
	(void)arg;
	return dir[0] != '/';
}

static void want_overlay(struct note *n, struct mount *m)
{
	if (overlay_each_dir(m->super, is_relative, NULL) && !is_made_anew(m->target))
		findings_add(n->findings, *n->name ? n->name : NULL, n->pid,
			     "the overlay at %s was mounted with relative paths: mount it with absolute ones",
			     m->target);
	if (overlay_each_dir(m->super, want_dir, n) < 0)
		n->err = -ENOMEM;
	if (is_made_anew(m->target))
		not_wanted(n, m);
}

static bool is_loop(const struct mount *m)
{
	return !strncmp(m->source, "/dev/loop", 9);
}

/* A bind mount whose source is gone, as mountinfo shows it. */
static bool is_deleted(const struct mount *m)
{
	return strstr(m->root, "//deleted");
}

/* Without a UUID there is no finding it again; the root is the initramfs's own affair. */
static void want_disk(struct note *n, struct mount *m, const char *what)
{
	if (is_loop(m)) {
		findings_add(n->findings, *n->name ? n->name : NULL, n->pid,
			     "%s lies on the loop device %s (%s), which nothing sets up again: put it on a disk",
			     what, m->source, m->target);
		not_wanted(n, m);
	} else if (is_deleted(m)) {
		findings_add(n->findings, *n->name ? n->name : NULL, n->pid,
			     "%s lies on the mount %s, whose source was deleted: unmount it", what,
			     m->target);
		not_wanted(n, m);
	} else if (!m->uuid && mount_uuid(m, &m->uuid) && strcmp(m->target, "/") != 0) {
		findings_add(n->findings, *n->name ? n->name : NULL, n->pid,
			     "%s lies on %s (%s at %s), which has no UUID to find it again by", what,
			     m->source, m->type, m->target);
		not_wanted(n, m);
	}
}

/* It, and what its mount point is on. */
static void want(struct note *n, struct mount *m, const char *what)
{
	struct mount *above;

	if (m->wanted_by || m->reported_for == n->name)
		return;
	if (m->kind != MOUNT_DISK && m->kind != MOUNT_OVERLAY) {
		if (m->kind != MOUNT_PSEUDO && !is_made_anew(what)) {
			in_the_way(n, m, what);
			m->reported_for = n->name;
		}
		return;
	}
	m->wanted_by = n->name;
	if (m->kind == MOUNT_OVERLAY)
		want_overlay(n, m);
	else
		want_disk(n, m, what);
	above = mount_table_by_id(&n->host, m->parent);
	/* A mount point on the host's tmpfs is made anew. */
	if (above && above != m && (above->kind == MOUNT_DISK || above->kind == MOUNT_OVERLAY))
		want(n, above, above->target);
}

static void want_root(struct note *n)
{
	struct mount *root = mount_table_by_path(&n->host, "/");

	n->name = WANTED_BY_HOST;
	/* In a bare initramfs it is a ramfs, and nobody's finding. */
	if (root && (root->kind == MOUNT_DISK || root->kind == MOUNT_OVERLAY))
		want(n, root, "/");
}

/* Where in the host a container's mount is to be seen; "" = nowhere. */
static void host_path(const struct mount *host, const struct mount *m, char *path, size_t size)
{
	const char *rest;

	*path = '\0';
	if (!path_is_below(m->root, host->root))
		return;
	rest = m->root + (strcmp(host->root, "/") ? strlen(host->root) : 0);
	if (!strcmp(rest, "/"))
		rest = "";
	snprintf(path, size, "%s%s", strcmp(host->target, "/") ? host->target : "", rest);
	if (!*path)
		snprintf(path, size, "/");
}

/* A mount in a container's own namespace that the host does not have. */
static void own_mount(struct note *n, struct mount *m)
{
	char what[512];

	switch (m->kind) {
	case MOUNT_PSEUDO:
	case MOUNT_MEMORY:
		return;
	case MOUNT_OVERLAY:
		if (overlay_each_dir(m->super, want_dir, n) < 0)
			n->err = -ENOMEM;
		return;
	case MOUNT_DISK:
		findings_add(n->findings, n->name, n->pid,
			     "its %s is on %s, which is mounted in the container alone: mount it on the host and bind it into the container",
			     m->target, m->source);
		return;
	default:
		snprintf(what, sizeof(what), "its %s", m->target);
		in_the_way(n, m, what);
	}
}

static void note_mount(struct note *n, struct mount *m)
{
	bool found = false, anew = false;
	char path[4096], what[4608];
	size_t i;

	if (m->kind == MOUNT_PSEUDO)
		return;
	for (i = 0; i < n->host.nr; i++) {
		struct mount *host = &n->host.mount[i];

		if (host->dev != m->dev)
			continue;
		found = true;
		host_path(host, m, path, sizeof(path));
		anew = anew || is_made_anew(path);
	}
	if (!found)
		own_mount(n, m);
	for (i = 0; i < n->host.nr; i++) {
		struct mount *host = &n->host.mount[i];

		if (host->dev != m->dev || is_deleted(host) ||
		    (anew && host->kind == MOUNT_MEMORY))
			continue;
		snprintf(what, sizeof(what), "its %s", m->target);
		want(n, host, what);
	}
}

static int note_namespace(struct note *n, pid_t pid)
{
	_cleanup_mount_table_ struct mount_table own = { 0 };
	char path[64];
	size_t i;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	/* It may have ended: then it has no mounts to look at. */
	if (access(path, R_OK) < 0)
		return 0;
	err = mount_table_read(path, &own);
	for (i = 0; !err && i < own.nr; i++)
		note_mount(n, &own.mount[i]);
	return err;
}

/* A file without a name goes into the images. */
static void note_file(struct note *n, const char *link)
{
	char path[4096];
	struct statx st;
	struct mount *m;
	ssize_t len;

	if (statx(AT_FDCWD, link, AT_NO_AUTOMOUNT, STATX_MNT_ID | STATX_NLINK, &st) < 0 ||
	    !st.stx_nlink)
		return;
	m = mount_table_by_id(&n->host, (int)st.stx_mnt_id);
	len = m ? readlink(link, path, sizeof(path) - 1) : -1;
	if (len < 0)
		return;
	path[len] = '\0';
	want(n, m, path);
}

static void note_files_in(struct note *n, const char *proc, const char *what)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char path[512];
	struct dirent *entry;

	snprintf(path, sizeof(path), "%s/%s", proc, what);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", proc, what, entry->d_name);
		note_file(n, path);
	}
}

static void note_files(struct note *n, pid_t pid)
{
	static const char *const links[] = { "root", "cwd", "exe" };
	char proc[32], path[64];
	size_t i;

	snprintf(proc, sizeof(proc), "/proc/%d", (int)pid);
	n->pid = pid;
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", proc, links[i]);
		note_file(n, path);
	}
	note_files_in(n, proc, "fd");
	note_files_in(n, proc, "map_files");
	n->pid = 0;
}

/* One that shares the host's mounts may go to any of its disks that can be found again. */
static void note_all_disks(struct note *n)
{
	size_t i;

	for (i = 0; i < n->host.nr; i++) {
		struct mount *m = &n->host.mount[i];

		if (m->kind == MOUNT_DISK && !m->wanted_by && !is_loop(m) && !is_deleted(m) &&
		    (m->uuid || !mount_uuid(m, &m->uuid)))
			want(n, m, m->target);
	}
}

/* Identity of a process's mount namespace; 0 = the process is gone. */
static ino_t namespace_of(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static int note_processes(struct note *n, const pid_t *pids, size_t nr)
{
	_cleanup_free_ ino_t *seen = calloc(nr + 1, sizeof(*seen));
	ino_t host = namespace_of(1);
	size_t nr_seen = 0, i, k;
	int err = seen ? 0 : log_syserr(ENOMEM, "cannot list mount namespaces");

	for (i = 0; !err && i < nr; i++) {
		ino_t ns = namespace_of(pids[i]);

		note_files(n, pids[i]);
		for (k = 0; k < nr_seen && seen[k] != ns; k++)
			;
		if (!ns || k < nr_seen)
			continue;
		seen[nr_seen++] = ns;
		if (ns == host)
			note_all_disks(n);
		else
			err = note_namespace(n, pids[i]);
	}
	return err ? err : n->err;
}

static int note_container(struct note *n, const struct container *c)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t nr = 0;
	int err = 0;

	n->name = c->name;
	/* only its images are there */
	if (c->pid <= 0)
		return 0;
	/* in the cgroup of a plain tree there may be others, who are not carried */
	if (c->engine && !c->engine->owns_cgroup)
		err = process_descendants(c->pid, &pids, &nr);
	else if (c->cgroup && strcmp(c->cgroup, "/"))
		err = cgroup_pids(c->cgroup, &pids, &nr);
	if (!err && nr)
		return note_processes(n, pids, nr);
	return err ? err : note_processes(n, &c->pid, 1);
}

/* "NAME\tPATH"; the name is the list's own, which lives on. */
static int note_path(struct note *n, const struct containers *list, const char *line)
{
	_cleanup_free_ char *name = strdup(line), *path = NULL;
	char *tab = name ? strchr(name, '\t') : NULL;
	const struct container *c;
	struct statx st;
	struct mount *m;

	if (!tab)
		return log_refusal(name ? -EINVAL : -ENOMEM, "cannot note the path \"%s\"", line);
	*tab = '\0';
	c = containers_find(list, name);
	n->name = c ? c->name : WANTED_BY_HOST;
	path = realpath(tab + 1, NULL);
	if (!path || statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &st) < 0) {
		findings_add(n->findings, name, 0, "its %s cannot be found: %s", tab + 1,
			     strerror(errno));
		return 0;
	}
	m = mount_table_by_id(&n->host, (int)st.stx_mnt_id);
	if (m)
		want(n, m, path);
	return n->err;
}

/* Of btrfs, "subvol=" brings what is below it: what is left of the root. */
static const char *root_of(const struct mount *m)
{
	const char *subvol = strcmp(m->type, "btrfs") ? NULL : strstr(m->super, "subvol=/");
	size_t len;

	if (!subvol)
		return m->root;
	subvol += strlen("subvol=");
	len = strcspn(subvol, ",");
	if (len == 1 || strncmp(m->root, subvol, len))
		return m->root;
	return m->root[len] == '/' ? m->root + len : "/";
}

static int add_text(struct json_object *to, const char *key, const char *value)
{
	struct json_object *s = json_object_new_string(value);

	if (!s || json_object_object_add(to, key, s)) {
		json_object_put(s);
		return log_syserr(ENOMEM, "cannot note a filesystem");
	}
	return 0;
}

static int add_mount(struct json_object *array, const struct mount *m)
{
	struct json_object *one = json_object_new_object();
	int err;

	if (!one || json_object_array_add(array, one)) {
		json_object_put(one);
		return log_syserr(ENOMEM, "cannot note a filesystem");
	}
	err = add_text(one, "target", m->target);
	if (!err)
		err = add_text(one, "type", m->type);
	if (!err && m->uuid)
		err = add_text(one, "uuid", m->uuid);
	if (!err && m->kind == MOUNT_DISK)
		err = add_text(one, "root", root_of(m));
	if (!err)
		err = add_text(one, "options", m->options);
	return err ? err : add_text(one, "super", m->super);
}

int filesystems_json(const struct mount_table *t, struct json_object **out)
{
	_cleanup_free_ struct mount **order = calloc(t->nr + 1, sizeof(struct mount *));
	struct json_object *array = json_object_new_array();
	size_t nr, i;
	int err = 0;

	if (!order || !array) {
		json_object_put(array);
		return log_syserr(ENOMEM, "cannot note the filesystems");
	}
	nr = mount_table_order(t, order);
	for (i = 0; !err && i < nr; i++)
		err = add_mount(array, order[i]);
	if (err)
		json_object_put(array);
	else
		*out = array;
	return err;
}

int filesystems_note(const struct containers *list, char *const *paths, struct findings *findings,
		     struct json_object **out)
{
	struct note n = { .findings = findings };
	size_t i;
	int err = mount_table_read(HOST_MOUNTINFO, &n.host);

	if (err)
		return err;
	want_root(&n);
	for (i = 0; !err && i < list->nr; i++)
		err = note_container(&n, &list->container[i]);
	for (i = 0; !err && paths && paths[i]; i++)
		err = note_path(&n, list, paths[i]);
	if (!err)
		err = filesystems_json(&n.host, out);
	mount_table_free(&n.host);
	return err;
}

static bool has_target(struct json_object *filesystems, const char *target)
{
	struct json_object *one;
	size_t i;

	for (i = 0; i < json_object_array_length(filesystems); i++)
		if (json_object_object_get_ex(json_object_array_get_idx(filesystems, i), "target", &one) &&
		    !strcmp(json_object_get_string(one), target))
			return true;
	return false;
}

int filesystems_add(struct json_object *filesystems, struct json_object *more)
{
	struct json_object *one, *target;
	size_t i;

	for (i = 0; i < json_object_array_length(more); i++) {
		one = json_object_array_get_idx(more, i);
		if (!json_object_object_get_ex(one, "target", &target) ||
		    has_target(filesystems, json_object_get_string(target)))
			continue;
		if (json_object_array_add(filesystems, json_object_get(one))) {
			json_object_put(one);
			return log_syserr(ENOMEM, "cannot note a filesystem");
		}
	}
	return 0;
}
