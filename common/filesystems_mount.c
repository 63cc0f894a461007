// SPDX-License-Identifier: GPL-2.0
/*
 * The noted filesystems, mounted below a new root.
 *
 * The mount API of file descriptors (fsopen and so on), and not libmount's
 * mount(2): an option that the other kernel no longer knows is refused by its
 * name and left out, and no path is looked up twice. Every path is looked up
 * inside the root (RESOLVE_IN_ROOT), so no symbolic link leads out of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block.h"
#include "cleanup.h"
#include "deadline.h"
#include "file.h"
#include "filesystems.h"
#include "log.h"
#include "mount_table.h"
#include "path.h"
#include "strv.h"

#define PARAM_MAX 255		/* fsconfig(2) takes strings of so many bytes */
#define ATTRS_ALL (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | \
		   MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)

struct entry {
	const char *target, *type, *uuid, *root, *options, *super;
};

/* ---- what was noted, checked -------------------------------------------- */

static int text(struct json_object *one, const char *key, bool needed, const char **value)
{
	struct json_object *s = NULL;

	*value = NULL;
	if (!json_object_object_get_ex(one, key, &s))
		return needed ? log_refusal(-EINVAL, "a noted filesystem has no \"%s\"", key) : 0;
	if (!json_object_is_type(s, json_type_string))
		return log_refusal(-EINVAL, "a noted filesystem has a \"%s\" that is no string", key);
	*value = json_object_get_string(s);
	if (strlen(*value) != (size_t)json_object_get_string_len(s))
		return log_refusal(-EINVAL, "a noted filesystem has a NUL in its \"%s\"", key);
	return 0;
}

static int check_words(const struct entry *e)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	if (!path_is_plain(e->target))
		return log_refusal(-EINVAL, "the target \"%s\" of a filesystem is no absolute path",
				   e->target);
	if (e->root && !path_is_plain(e->root))
		return log_refusal(-EINVAL, "the root \"%s\" of the filesystem of %s is no absolute path",
				   e->root, e->target);
	if (!*e->type || e->type[strspn(e->type, word)])
		return log_refusal(-EINVAL, "the type \"%s\" of the filesystem of %s is none", e->type,
				   e->target);
	if (e->uuid && (!*e->uuid || e->uuid[strspn(e->uuid, word)]))
		return log_refusal(-EINVAL, "\"%s\" is no UUID of the filesystem of %s", e->uuid,
				   e->target);
	if (!e->uuid && strcmp(e->type, "overlay") && strcmp(e->target, "/"))
		return log_refusal(-EINVAL, "the filesystem of %s has no UUID", e->target);
	return 0;
}

static int parse(struct json_object *one, struct entry *e)
{
	int err;

	if (!json_object_is_type(one, json_type_object))
		return log_refusal(-EINVAL, "a noted filesystem is no object");
	err = text(one, "target", true, &e->target);
	if (!err)
		err = text(one, "type", true, &e->type);
	if (!err)
		err = text(one, "uuid", false, &e->uuid);
	if (!err)
		err = text(one, "root", false, &e->root);
	if (!err)
		err = text(one, "options", true, &e->options);
	if (!err)
		err = text(one, "super", true, &e->super);
	return err ? err : check_words(e);
}

/* ---- paths in the root --------------------------------------------------- */

/* The mount point; what is missing of it is made, since it may have been on the host's tmpfs. */
static int open_target(int root, const char *target)
{
	_cleanup_free_ char *path = strdup(target);
	char *end, kept;
	int fd = path ? file_open_in(root, path, O_PATH) : -ENOMEM;

	for (end = path; fd == -ENOENT && end && *end; ) {
		_cleanup_close_ int parent = -1;
		char *name = end + strspn(end, "/");

		*end = '\0';
		parent = file_open_in(root, end == path ? "/" : path, O_PATH | O_DIRECTORY);
		*end = '/';
		end = name + strcspn(name, "/");
		kept = *end;
		*end = '\0';
		if (parent < 0)
			return parent;
		/* A dangling link is not made to lead somewhere: the next look-up says so. */
		if (*name && mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
			return -errno;
		*end = kept;
		if (!kept)
			return file_open_in(root, path, O_PATH);
	}
	return fd;
}

/* The mount that begins at this place, read into *m (a table of one's own); -ENOENT: none does. */
static int mount_at(int fd, struct mount_table *t, struct mount **m)
{
	struct statx st;
	int err;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return -errno;
	if (!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return -ENOENT;
	err = mount_table_read("/proc/self/mountinfo", t);
	if (err)
		return err;
	*m = mount_table_by_id(t, (int)st.stx_mnt_id);
	return *m ? 0 : -ENOENT;
}

static bool is_there(const struct entry *e, int fd)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };
	struct mount *m = NULL;

	if (mount_at(fd, &t, &m) || !m || strcmp(m->type, e->type))
		return false;
	/* Of btrfs the root is the subvolume's, which is an option of ours. */
	if (e->root && strcmp(e->type, "btrfs") && strcmp(m->root, e->root))
		return false;
	return !e->uuid || (!mount_uuid(m, &m->uuid) && !strcmp(m->uuid, e->uuid));
}

/* ---- options -------------------------------------------------------------- */

static uint64_t mount_attrs(const char *options)
{
	static const struct {
		const char *word;
		uint64_t attr;
	} words[] = {
		{ "ro", MOUNT_ATTR_RDONLY },	     { "nosuid", MOUNT_ATTR_NOSUID },
		{ "nodev", MOUNT_ATTR_NODEV },	     { "noexec", MOUNT_ATTR_NOEXEC },
		{ "noatime", MOUNT_ATTR_NOATIME },   { "nodiratime", MOUNT_ATTR_NODIRATIME },
		{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
	};
	uint64_t attrs = 0;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (mount_option_set(options, words[i].word))
			attrs |= words[i].attr;
	/* The kernel shows all but this one. */
	if (!mount_option_set(options, "relatime") && !mount_option_set(options, "noatime"))
		attrs |= MOUNT_ATTR_STRICTATIME;
	return attrs;
}

/* Is a mount without this option another thing than what was noted? */
static bool is_vital(const char *key)
{
	static const char *const keys[] = { "ro", "lowerdir", "lowerdir+", "datadir+", "upperdir",
					    "workdir", "subvol", "subvolid" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

static int set_param(int fs, const char *key, const char *value)
{
	int ret = value ? fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) :
			  fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0);

	return ret < 0 ? -errno : 0;
}

static int add_layer(const char *dir, void *arg)
{
	return set_param(*(int *)arg, "lowerdir+", dir);
}

static int set_option(int fs, const struct entry *e, const char *key, const char *value)
{
	int err;

	/* Shown by the kernel, but SELinux's word and no option. */
	if (!strcmp(key, "rw") || !strcmp(key, "seclabel"))
		return 0;
	if (!strcmp(key, "lowerdir") && value && strlen(value) > PARAM_MAX) {
		char list[8192];

		snprintf(list, sizeof(list), "lowerdir=%s", value);
		err = overlay_each_dir(list, add_layer, &fs);
	} else {
		err = set_param(fs, key, value);
	}
	if (!err || is_vital(key))
		return err;
	log_warning("%s: this kernel's %s does not take the option %s%s%s, which is left out", e->target,
		    e->type, key, value ? "=" : "", value ? value : "");
	return 0;
}

static int set_options(int fs, const struct entry *e, bool all)
{
	_cleanup_free_ char *options = strdup(e->super);
	char *next = options, *name, *value;
	size_t namelen, valuelen;
	int err = options ? 0 : -ENOMEM;

	while (!err && !mnt_optstr_next_option(&next, &name, &namelen, &value, &valuelen)) {
		_cleanup_free_ char *key = strndup(name, namelen);
		_cleanup_free_ char *val = value ? strndup(value, valuelen) : NULL;

		if (!key || (value && !val))
			err = -ENOMEM;
		else if (all || is_vital(key))
			err = set_option(fs, e, key, val);
	}
	return err;
}

/* What the kernel says of it, "e ext4: ..." per message. */
static void log_kernel_words(int fs, const struct entry *e)
{
	char words[512];
	ssize_t n;

	while ((n = read(fs, words, sizeof(words) - 1)) > 0) {
		words[n] = '\0';
		words[strcspn(words, "\n")] = '\0';
		log_error("%s: the kernel says: %s", e->target, words);
	}
}

/* ---- mounting ------------------------------------------------------------- */

/* A new mount, nowhere yet. Logged. */
static int make_mount(const struct entry *e, const char *device, bool all)
{
	_cleanup_close_ int fs = fsopen(e->type, FSOPEN_CLOEXEC);
	int fd = -1, err = 0;

	if (fs < 0)
		return log_syserr(errno, "cannot mount %s: no filesystem %s in this kernel", e->target,
				  e->type);
	err = set_param(fs, "source", device);
	if (!err)
		err = set_options(fs, e, all);
	if (!err && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		err = -errno;
	if (err == -EINVAL && all) {
		log_warning("cannot mount %s with the options \"%s\"; trying without", e->target,
			    e->super);
		return make_mount(e, device, false);
	}
	if (!err) {
		fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
		err = fd < 0 ? -errno : 0;
	}
	if (!err)
		return fd;
	log_kernel_words(fs, e);
	return log_syserr(-err, "cannot mount %s (%s, %s)", e->target, e->type, device);
}

/*
 * Only a part of a filesystem: before 6.15 a part can be taken only from what is
 * mounted somewhere, so it is for a moment, in a directory of our own.
 */
static int take_part(const struct entry *e, int whole)
{
	char dir[] = "/run/rebootless.XXXXXX";
	_cleanup_close_ int place = -1;
	int part = -1, err = 0;

	if (!mkdtemp(dir))
		return log_syserr(errno, "cannot make a directory in /run");
	if (move_mount(whole, "", AT_FDCWD, dir, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		err = -errno;
	} else {
		place = file_open_in(whole, e->root, O_PATH);
		part = place < 0 ? -1 : open_tree(place, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
						  AT_EMPTY_PATH);
		err = place < 0 ? place : part < 0 ? -errno : 0;
		umount2(dir, MNT_DETACH);
	}
	rmdir(dir);
	if (err)
		return log_syserr(-err, "cannot take %s of the filesystem for %s", e->root, e->target);
	return part;
}

static int attach(const struct entry *e, int mount, int target)
{
	struct mount_attr attr = {
		.attr_set = mount_attrs(e->options),
		.attr_clr = ATTRS_ALL,
	};

	if (mount_setattr(mount, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return log_syserr(errno, "cannot give the options \"%s\" to %s", e->options, e->target);
	if (move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return log_syserr(errno, "cannot mount %s", e->target);
	return 0;
}

static int mount_disk(const struct entry *e, const char *device, int target)
{
	_cleanup_close_ int whole = make_mount(e, device, true), part = -1;

	if (whole < 0)
		return whole;
	if (!e->root || !strcmp(e->root, "/"))
		return attach(e, whole, target);
	part = take_part(e, whole);
	return part < 0 ? part : attach(e, part, target);
}

/*
 * The directories are named as the host named them, since the kernel shows
 * those names and the next update reads them: so inside the root, in a child.
 */
static int mount_overlay(const struct entry *e, int root, int target)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return log_syserr(errno, "cannot mount %s", e->target);
	if (!pid) {
		_cleanup_close_ int fd = -1;

		if (fchdir(root) < 0 || chroot(".") < 0)
			_exit(errno);
		fd = make_mount(e, "overlay", true);
		_exit(fd < 0 ? -fd : -attach(e, fd, target));
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return log_syserr(errno, "cannot wait for the mount of %s", e->target);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

/* The initramfs mounts the root read-only, as the command line says. */
static int make_writable(const struct entry *e, int fd)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int fs = -1;
	struct statvfs now;

	if (!fstatvfs(fd, &now) && !(now.f_flag & ST_RDONLY))
		return 0;
	if (!mount_option_set(e->super, "ro")) {
		fs = fspick(fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
		if (fs < 0 || fsconfig(fs, FSCONFIG_SET_FLAG, "rw", NULL, 0) < 0 ||
		    fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
			return log_syserr(errno, "cannot make the filesystem of %s writable", e->target);
	}
	if (!mount_option_set(e->options, "ro") &&
	    mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return log_syserr(errno, "cannot make the mount %s writable", e->target);
	return 0;
}

/* ---- all of them ---------------------------------------------------------- */

struct mounting {
	int root;
	int64_t deadline;
	unsigned int timeout;
	char **missing;
};

/* Is this path on something that did not come? What lies below it is another thing then. */
static int on_missing(const char *path, void *arg)
{
	char *const *missing = ((struct mounting *)arg)->missing;

	for (; missing && *missing; missing++)
		if (path_is_below(path, *missing))
			return 1;
	return 0;
}

static int mount_new(struct mounting *m, const struct entry *e, int target)
{
	_cleanup_free_ char *device = NULL;
	int err;

	if (!e->uuid)
		return mount_overlay(e, m->root, target);
	err = block_wait(e->uuid, e->type, e->target, m->timeout, m->deadline, &device);
	if (err)
		return err;
	err = mount_disk(e, device, target);
	if (!err)
		log_detail("mounted %s at %s", device, e->target);
	return err;
}

static int mount_entry(struct mounting *m, const struct entry *e)
{
	_cleanup_close_ int target = -1;
	struct statx st;

	if (on_missing(e->target, m) ||
	    (!e->uuid && overlay_each_dir(e->super, on_missing, m) > 0))
		return log_refusal(-ENODEV, "%s is not mounted, since what it lies on is not", e->target);
	target = open_target(m->root, e->target);
	if (target < 0)
		return log_syserr(-target, "cannot mount %s: no mount point", e->target);
	/* Whatever the initramfs has mounted as the root is the root. */
	if (!strcmp(e->target, "/")) {
		if (statx(target, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0 ||
		    !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
			return 0;
		return make_writable(e, target);
	}
	return is_there(e, target) ? make_writable(e, target) : mount_new(m, e, target);
}

static int mount_all(struct mounting *m, struct json_object *filesystems)
{
	size_t i, nr = json_object_array_length(filesystems);
	int first = 0;

	for (i = 0; i < nr; i++) {
		struct entry e = { 0 };
		int err = parse(json_object_array_get_idx(filesystems, i), &e);

		if (!err)
			err = mount_entry(m, &e);
		if (!err)
			continue;
		first = first ? first : err;
		if (e.target && strv_add(&m->missing, e.target))
			return -ENOMEM;
	}
	return first;
}

static int find_root(struct json_object *filesystems, struct entry *e)
{
	size_t i, nr = json_object_is_type(filesystems, json_type_array) ?
			       json_object_array_length(filesystems) : 0;
	int err;

	for (i = 0; i < nr; i++) {
		err = parse(json_object_array_get_idx(filesystems, i), e);
		if (err || !strcmp(e->target, "/"))
			return err;
	}
	return log_refusal(-ENOENT, "root is not among the noted filesystems");
}

int filesystems_mount_root(struct json_object *filesystems, const char *root, unsigned int timeout)
{
	_cleanup_close_ int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct mounting m = { .root = fd, .deadline = deadline_in(timeout), .timeout = timeout };
	struct entry e = { 0 };
	struct statx st;
	int err;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return log_syserr(errno, "cannot open the new root %s", root);
	err = find_root(filesystems, &e);
	if (err)
		return err;
	if (!e.uuid || st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return log_refusal(-EBUSY, "cannot mount root at %s: %s", root,
				   e.uuid ? "something is mounted there" : "it has no UUID");
	return mount_new(&m, &e, fd);
}

int filesystems_mount(struct json_object *filesystems, const char *root, unsigned int timeout,
		      char ***missing)
{
	struct mounting m = { .deadline = deadline_in(timeout), .timeout = timeout };
	_cleanup_close_ int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return log_syserr(errno, "cannot open the new root %s", root);
	if (!json_object_is_type(filesystems, json_type_array))
		return log_refusal(-EINVAL, "the noted filesystems are no array");
	m.root = fd;
	err = mount_all(&m, filesystems);
	if (missing)
		*missing = m.missing;
	else
		strv_free(m.missing);
	return err;
}
