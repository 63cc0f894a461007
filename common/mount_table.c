// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "block.h"
#include "cleanup.h"
#include "log.h"
#include "mount_table.h"
#include "path.h"

static const char *const pseudo_types[] = {
	"autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "cpuset", "debugfs",
	"devpts", "devtmpfs", "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc",
	"pstore", "resctrl", "securityfs", "selinuxfs", "smackfs", "sysfs", "tracefs", NULL
};
/* ramfs and rootfs: an initramfs that is still there. */
static const char *const memory_types[] = { "tmpfs", "ramfs", "rootfs", NULL };
static const char *const network_types[] = {
	"9p", "afs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "ncpfs", "nfs", "nfs4",
	"ocfs2", "orangefs", "smb3", "smbfs", "virtiofs", NULL
};

static bool listed(const char *const *list, const char *type)
{
	for (; *list; list++)
		if (!strcmp(*list, type))
			return true;
	return false;
}

static bool is_block_device(const char *path)
{
	struct stat st;

	return path && !stat(path, &st) && S_ISBLK(st.st_mode);
}

enum mount_kind mount_kind_of(const char *type, dev_t dev, const char *source)
{
	if (listed(pseudo_types, type))
		return MOUNT_PSEUDO;
	if (listed(memory_types, type))
		return MOUNT_MEMORY;
	if (listed(network_types, type))
		return MOUNT_NETWORK;
	/* fuseblk too: its program is gone after the kexec. */
	if (!strncmp(type, "fuse", 4))
		return MOUNT_FUSE;
	if (!strcmp(type, "overlay"))
		return MOUNT_OVERLAY;
	/* btrfs has a device number of its own, major 0. */
	if (major(dev) || is_block_device(source))
		return MOUNT_DISK;
	return MOUNT_OTHER;
}

static char *copy(const char *s)
{
	return strdup(s ? s : "");
}

static int take(struct mount *m, struct libmnt_fs *fs)
{
	m->id = mnt_fs_get_id(fs);
	m->parent = mnt_fs_get_parent_id(fs);
	m->dev = mnt_fs_get_devno(fs);
	m->type = copy(mnt_fs_get_fstype(fs));
	m->source = copy(mnt_fs_get_source(fs));
	m->root = copy(mnt_fs_get_root(fs));
	m->target = copy(mnt_fs_get_target(fs));
	m->options = copy(mnt_fs_get_vfs_options(fs));
	m->super = copy(mnt_fs_get_fs_options(fs));
	if (!m->type || !m->source || !m->root || !m->target || !m->options || !m->super)
		return -ENOMEM;
	m->kind = mount_kind_of(m->type, m->dev, m->source);
	return 0;
}

static void cleanup_table(struct libmnt_table **tb)
{
	mnt_unref_table(*tb);
}

static void cleanup_iter(struct libmnt_iter **iter)
{
	mnt_free_iter(*iter);
}

int mount_table_read(const char *path, struct mount_table *t)
{
	_cleanup_(cleanup_table) struct libmnt_table *tb = mnt_new_table();
	_cleanup_(cleanup_iter) struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct mount_table read = { 0 };
	struct libmnt_fs *fs;
	int err = tb && iter ? mnt_table_parse_file(tb, path) : -ENOMEM;

	if (err)
		return log_syserr(err < 0 ? -err : EINVAL, "cannot read the mounts of %s", path);
	read.mount = calloc((size_t)mnt_table_get_nents(tb) + 1, sizeof(*read.mount));
	if (!read.mount)
		return log_syserr(ENOMEM, "cannot read the mounts of %s", path);
	while (!err && !mnt_table_next_fs(tb, iter, &fs))
		err = take(&read.mount[read.nr++], fs);
	if (err) {
		mount_table_free(&read);
		return log_syserr(-err, "cannot read the mounts of %s", path);
	}
	*t = read;
	return 0;
}

void mount_table_free(struct mount_table *t)
{
	size_t i;

	for (i = 0; i < t->nr; i++) {
		struct mount *m = &t->mount[i];

		free(m->type);
		free(m->source);
		free(m->root);
		free(m->target);
		free(m->options);
		free(m->super);
		free(m->uuid);
	}
	free(t->mount);
	*t = (struct mount_table){ 0 };
}

struct mount *mount_table_by_id(const struct mount_table *t, int id)
{
	size_t i;

	for (i = 0; i < t->nr; i++)
		if (t->mount[i].id == id)
			return &t->mount[i];
	return NULL;
}

struct mount *mount_table_by_path(const struct mount_table *t, const char *path)
{
	struct mount *found = NULL;
	size_t i;

	/* Of those on one target, the last hides the others. */
	for (i = 0; i < t->nr; i++) {
		struct mount *m = &t->mount[i];

		if (path_is_below(path, m->target) &&
		    (!found || strlen(m->target) >= strlen(found->target)))
			found = m;
	}
	return found;
}

bool mount_option_set(const char *options, const char *word)
{
	return !mnt_optstr_get_option(options, word, NULL, NULL);
}

/* A list of directories with ':' between them, "::" in front of data layers, "\:" for a colon. */
static int each_layer(const char *list, int (*fn)(const char *dir, void *arg), void *arg)
{
	_cleanup_free_ char *dir = malloc(strlen(list) + 1);
	size_t len = 0;
	int err = 0;

	if (!dir)
		return log_syserr(ENOMEM, "cannot read the layers of an overlay");
	for (; !err; list++) {
		if (*list == '\\' && list[1]) {
			dir[len++] = *++list;
			continue;
		}
		if (*list && *list != ':') {
			dir[len++] = *list;
			continue;
		}
		dir[len] = '\0';
		if (len)
			err = fn(dir, arg);
		len = 0;
		if (!*list)
			break;
	}
	return err;
}

static bool is_key(const char *name, size_t len, const char *key)
{
	return len == strlen(key) && !strncmp(name, key, len);
}

int overlay_each_dir(const char *super, int (*fn)(const char *dir, void *arg), void *arg)
{
	_cleanup_free_ char *options = strdup(super);
	char *next = options, *name, *value;
	size_t namelen, valuelen;
	int err = 0;

	if (!options)
		return log_syserr(ENOMEM, "cannot read the options of an overlay");
	while (!err && !mnt_optstr_next_option(&next, &name, &namelen, &value, &valuelen)) {
		_cleanup_free_ char *dirs = value ? strndup(value, valuelen) : NULL;

		if (!dirs)
			continue;
		if (is_key(name, namelen, "lowerdir"))
			err = each_layer(dirs, fn, arg);
		else if (is_key(name, namelen, "lowerdir+") || is_key(name, namelen, "datadir+") ||
			 is_key(name, namelen, "upperdir") || is_key(name, namelen, "workdir"))
			err = fn(dirs, arg);
	}
	return err;
}

struct needs {
	const struct mount_table *t;
	const bool *done;
};

/* 1 = there is one that is not done. */
static int ancestor_missing(const struct needs *n, const struct mount *m)
{
	size_t depth;

	/* A chain longer than the table would be a circle. */
	for (depth = 0; m && depth <= n->t->nr; depth++) {
		if (m->wanted_by && !n->done[m - n->t->mount])
			return 1;
		m = m->parent == m->id ? NULL : mount_table_by_id(n->t, m->parent);
	}
	return 0;
}

static int dir_missing(const char *dir, void *arg)
{
	const struct needs *n = arg;

	return ancestor_missing(n, mount_table_by_path(n->t, dir));
}

static bool can_come_now(const struct needs *n, const struct mount *m)
{
	if (m->parent != m->id && ancestor_missing(n, mount_table_by_id(n->t, m->parent)))
		return false;
	return m->kind != MOUNT_OVERLAY || !overlay_each_dir(m->super, dir_missing, (void *)n);
}

size_t mount_table_order(const struct mount_table *t, struct mount **order)
{
	_cleanup_free_ bool *done = calloc(t->nr + 1, sizeof(*done));
	struct needs needs = { .t = t, .done = done };
	bool more = done, forced = false;
	size_t nr = 0, i;

	while (more) {
		more = false;
		for (i = 0; i < t->nr; i++) {
			struct mount *m = &t->mount[i];

			if (!m->wanted_by || done[i])
				continue;
			if (!forced && !can_come_now(&needs, m))
				continue;
			done[i] = true;
			order[nr++] = m;
			more = true;
		}
		/* What is left goes in a circle: as the host has it, and no hang. */
		if (!more && !forced)
			more = forced = true;
	}
	return nr;
}

int mount_uuid(const struct mount *m, char **uuid)
{
	char numbers[32], device[300];

	/* The source is whatever mount(2) was given: ask the kernel first. */
	snprintf(numbers, sizeof(numbers), "%u:%u", major(m->dev), minor(m->dev));
	if (major(m->dev) && !block_path(numbers, device, sizeof(device)))
		return block_uuid(device, uuid);
	return is_block_device(m->source) ? block_uuid(m->source, uuid) : -ENODEV;
}

dev_t mount_device(const struct mount *m)
{
	struct stat st;

	return !major(m->dev) && !stat(m->source, &st) ? st.st_rdev : m->dev;
}
