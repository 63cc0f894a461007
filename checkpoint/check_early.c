// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <libmount.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "checkpoint/check_early.h"
#include "checkpoint/cmdline.h"
#include "common/cleanup.h"

#define VALUE_MAX 512

/*
 * With these dracut or systemd does more to the root than mount it, waits for it no longer
 * than so, or somebody wants to look first.
 */
static const char *const dracuts[] = {
	"ip", "netroot", "rd.neednet", "rd.break", "rd.live.image", "rd.overlay", "rd.overlayfs",
	"rootovl", "overlayroot", "systemd.volatile", "mount.usr", "rd.iscsi.initiator",
	"rd.iscsi.firmware", "rd.nvmf.discover", "root.journaldev", "rd.timeout",
};

/* fsopen() and so on know how to mount these from a device alone. */
static const char *const types[] = { "ext4", "ext3", "ext2", "xfs", "btrfs", "f2fs" };

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static bool has_word(const struct early_host *h, const char *name)
{
	char value[VALUE_MAX];

	return cmdline_value(h->cmdline, name, 0, value, sizeof(value)) ||
	       cmdline_value(h->words, name, 0, value, sizeof(value));
}

/* Of several the last counts, and the command line before what the initramfs was made with. */
static bool last_value(const char *words, const char *name, char *value, size_t size)
{
	size_t i = 0;

	while (cmdline_value(words, name, i, value, size))
		i++;
	return i > 0;
}

dev_t early_device(const char *spec)
{
	_cleanup_free_ char *path = mnt_resolve_spec(spec, NULL);
	struct stat st;

	return path && !stat(path, &st) && S_ISBLK(st.st_mode) ? st.st_rdev : 0;
}

static bool is_root_to_be(const struct early_host *h, dev_t dev)
{
	char value[VALUE_MAX];

	if (!last_value(h->cmdline, "root", value, sizeof(value)) &&
	    !last_value(h->words, "root", value, sizeof(value)))
		return false;
	return h->device(strncmp(value, "block:", 6) ? value : value + 6) == dev;
}

static bool is_empty(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			return false;
	return true;
}

/* A disk that a device stands behind, or a partition of one. */
static bool is_plain(const struct early_host *h, dev_t dev)
{
	char block[PATH_MAX / 2], path[PATH_MAX];
	bool part;

	snprintf(block, sizeof(block), "%s/dev/block/%u:%u", h->sysfs, major(dev), minor(dev));
	snprintf(path, sizeof(path), "%s/partition", block);
	part = !access(path, F_OK);
	/* a partition's directory is in its disk's */
	snprintf(path, sizeof(path), "%s%s/device", block, part ? "/.." : "");
	if (access(path, F_OK) < 0)
		return false;
	snprintf(path, sizeof(path), "%s%s/slaves", block, part ? "/.." : "");
	return is_empty(path);
}

static bool all_plain(const struct early_host *h, const char *target)
{
	size_t i;

	for (i = 0; i < h->mounts->nr; i++) {
		const struct mount *m = &h->mounts->mount[i];

		if (m->kind == MOUNT_DISK && !strcmp(m->target, target) && !is_plain(h, mount_device(m)))
			return false;
	}
	return true;
}

static bool is_known(const char *type)
{
	size_t i;

	for (i = 0; i < LENGTH(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

bool check_early(const struct early_host *h, struct json_object *filesystems, const char **why)
{
	const struct mount *root = mount_table_by_path(h->mounts, "/");
	struct json_object *target;
	size_t i;

	*why = "root is no filesystem on a disk of its own";
	if (!root || root->kind != MOUNT_DISK || !is_known(root->type) ||
	    (strcmp(root->type, "btrfs") && strcmp(root->root, "/")))
		return false;
	*why = "/usr is a filesystem of its own";
	if (mount_table_by_path(h->mounts, "/usr") != root)
		return false;
	*why = "of what its command line says of root or the network";
	for (i = 0; i < LENGTH(dracuts); i++)
		if (has_word(h, dracuts[i]))
			return false;
	*why = "root= is not what is mounted now";
	if (!is_root_to_be(h, mount_device(root)))
		return false;
	*why = "not all filesystems are on plain disks";
	if (!all_plain(h, "/"))
		return false;
	for (i = 0; i < json_object_array_length(filesystems); i++)
		if (json_object_object_get_ex(json_object_array_get_idx(filesystems, i), "target", &target) &&
		    !all_plain(h, json_object_get_string(target)))
			return false;
	*why = NULL;
	return true;
}
