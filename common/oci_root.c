// SPDX-License-Identifier: GPL-2.0
/*
 * A directory is lent to a root that is read-only.
 *
 * CRIU changes a container's root by pivot_root(2), and puts the old one upon
 * "tmp" in the new; where there is none it makes a directory (cr_pivot_root in
 * criu/mount.c). It can do neither in a read-only root without /tmp, as small
 * images have it. The directory beneath can be written to: "tmp" is made there
 * before the restore and removed after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/findings.h"
#include "common/log.h"
#include "common/oci.h"
#include "common/oci_root.h"

/* In engine_data: we have lent it. */
#define LENT "tmp-lent"
#define DIR_NAME "tmp"

static bool is_read_only(struct json_object *config)
{
	return json_object_get_boolean(oci_config_get(config, "root", "readonly"));
}

/* The directory of its root: a descriptor or -errno, not logged. */
static int open_root(const struct container *c, struct json_object *config, const char *root)
{
	_cleanup_close_ int top = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *path = json_object_get_string(oci_config_get(config, "root", "path"));
	char full[PATH_MAX];

	if (top < 0 || !path)
		return top < 0 ? -errno : -EINVAL;
	snprintf(full, sizeof(full), "%s%s%s", *path == '/' ? "" : oci_bundle(c),
		 *path == '/' ? "" : "/", path);
	return file_open_in(top, full, O_RDONLY | O_DIRECTORY);
}

/* 1 = it has one that CRIU can use, 0 = it has none, -ENOTDIR = something else has its name. */
static int has_tmp(int dir)
{
	struct stat st;

	if (fstatat(dir, DIR_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return S_ISDIR(st.st_mode) ? 1 : -ENOTDIR;
}

void oci_root_check(const struct container *c, struct json_object *config,
		    struct findings *findings)
{
	_cleanup_close_ int dir = -1;
	int has;

	if (!is_read_only(config))
		return;
	dir = open_root(c, config, "");
	has = dir < 0 ? dir : has_tmp(dir);
	/* for root only a read-only filesystem refuses this */
	if (!has && faccessat(dir, ".", W_OK, 0) < 0)
		has = -errno;
	if (has < 0)
		findings_add(findings, c->name, 0,
			     "its root is read-only, and CRIU needs a directory /tmp in it (%s); make one in its root filesystem",
			     has == -ENOTDIR ? "which is something else there" : strerror(-has));
}

void oci_root_lend(const struct container *c, const char *root)
{
	struct json_object *config = oci_config_read(c, root);
	_cleanup_close_ int dir = -1;
	int err;

	if (config && is_read_only(config)) {
		dir = open_root(c, config, root);
		err = dir < 0 ? dir : has_tmp(dir);
		if (!err && mkdirat(dir, DIR_NAME, 0700) < 0)
			err = -errno;
		if (!err)
			json_object_object_add(c->engine_data, LENT, json_object_new_boolean(true));
		if (err < 0)
			log_warning("container %s: no /tmp could be made in its root, which is read-only: %s",
				    c->name, strerror(-err));
	}
	json_object_put(config);
}

void oci_root_take_back(const struct container *c, const char *root)
{
	struct json_object *config;
	_cleanup_close_ int dir = -1;

	if (!json_object_object_get_ex(c->engine_data, LENT, NULL))
		return;
	config = oci_config_read(c, root);
	dir = config ? open_root(c, config, root) : -1;
	if (dir >= 0 && unlinkat(dir, DIR_NAME, AT_REMOVEDIR) < 0)
		log_detail("container %s: its /tmp stays: %s", c->name, strerror(errno));
	json_object_object_del(c->engine_data, LENT);
	json_object_put(config);
}
