// SPDX-License-Identifier: GPL-2.0
/*
 * What a cgroup is set to. Not noted: counts, and the state of the freezer (an
 * engine's own affair).
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cgroup.h"
#include "cgroup_values.h"
#include "cleanup.h"
#include "log.h"

static int add_string(struct json_object *to, const char *key, const char *value, size_t len)
{
	struct json_object *s = json_object_new_string_len(value, (int)len);

	if (!s || json_object_object_add(to, key, s)) {
		json_object_put(s);
		return log_syserr(ENOMEM, "cannot note %s of a cgroup", key);
	}
	return 0;
}

/* A new object (or array) below `to`; NULL: logged. It is `to`'s. */
static struct json_object *add_new(struct json_object *to, const char *key, struct json_object *child)
{
	if (child && !json_object_object_add(to, key, child))
		return child;
	json_object_put(child);
	log_syserr(ENOMEM, "cannot note %s of a cgroup", key);
	return NULL;
}

static int note_values(const char *path, struct json_object *values)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_free_ char *text = malloc(CGROUP_VALUE_MAX);
	char full[CGROUP_PATH_MAX];
	struct dirent *entry;
	int err = text ? cgroup_file(path, "", full, sizeof(full)) :
			 log_syserr(ENOMEM, "cannot note the cgroup %s", path);

	if (err)
		return err;
	dir = opendir(full);
	if (!dir)
		return log_syserr(errno, "cannot read the cgroup %s", path);
	while (!err && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct stat st;

		if (entry->d_type != DT_REG || !cgroup_is_setting(name) ||
		    fstatat(dirfd(dir), name, &st, 0) < 0 ||
		    (st.st_mode & 0600) != 0600 ||
		    cgroup_read_value(path, name, text) <= 0)
			continue;
		cgroup_trim_state(name, text);
		err = add_string(values, name, text, strlen(text));
	}
	return err;
}

/*
 * What a new cgroup beside this one has: a file that another kernel lacks is
 * no loss then. An empty one is made for that, for a moment; where that is not
 * allowed, nothing is known to be a default.
 */
static int note_defaults(const char *path, struct json_object *defaults)
{
	char beside[CGROUP_PATH_MAX], full[CGROUP_PATH_MAX];
	int n = snprintf(beside, sizeof(beside), "%.*s/rebootless.%d",
			 (int)(strrchr(path, '/') - path), path, (int)getpid());
	int err = n < (int)sizeof(beside) ? cgroup_file(beside, "", full, sizeof(full)) : -ENAMETOOLONG;

	if (err)
		return err;
	if (mkdir(full, 0755) < 0) {
		log_detail("cannot make a cgroup beside %s to see its defaults: %s", path,
			   strerror(errno));
		return 0;
	}
	err = note_values(beside, defaults);
	rmdir(full);
	return err;
}

static int note_xattrs(const char *path, struct json_object *xattrs)
{
	char full[CGROUP_PATH_MAX], names[16384], value[4096], *name;
	int err = cgroup_file(path, "", full, sizeof(full));
	ssize_t len;

	if (err)
		return err;
	len = listxattr(full, names, sizeof(names));
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : log_syserr(errno, "cannot list the attributes of %s", full);
	for (name = names; !err && name < names + len; name += strlen(name) + 1) {
		ssize_t n = cgroup_is_carried_xattr(name) ? getxattr(full, name, value, sizeof(value)) : -1;

		if (n >= 0)
			err = add_string(xattrs, name, value, (size_t)n);
	}
	return err;
}

static int note_owner(const char *path, struct json_object *one)
{
	char full[CGROUP_PATH_MAX], text[64];
	struct stat st;
	int n, err = cgroup_file(path, "", full, sizeof(full));

	if (err)
		return err;
	if (stat(full, &st) < 0)
		return log_syserr(errno, "cannot stat the cgroup %s", path);
	n = snprintf(text, sizeof(text), "%u:%u", st.st_uid, st.st_gid);
	return add_string(one, "owner", text, (size_t)n);
}

/* Files that a cgroup may lack: the root has no type. */
static int note_file(const char *path, const char *file, const char *key, struct json_object *one)
{
	_cleanup_free_ char *text = malloc(CGROUP_VALUE_MAX);
	int n = text ? cgroup_read_value(path, file, text) : -ENOMEM;

	if (n == -ENOENT)
		return 0;
	return n < 0 ? log_syserr(-n, "cannot read %s of the cgroup %s", file, path) :
		       add_string(one, key, text, (size_t)n);
}

/* Append a note of this cgroup alone to an array. */
static int note_one(const char *path, void *array)
{
	struct json_object *one = json_object_new_object(), *values, *defaults, *xattrs;
	int err;

	if (!one || json_object_array_add(array, one)) {
		json_object_put(one);
		return log_syserr(ENOMEM, "cannot note the cgroup %s", path);
	}
	err = add_string(one, "path", path, strlen(path));
	if (!err)
		err = note_file(path, "cgroup.subtree_control", "controllers", one);
	if (!err)
		err = note_file(path, "cgroup.type", "type", one);
	if (!err)
		err = note_owner(path, one);
	values = err ? NULL : add_new(one, "values", json_object_new_object());
	defaults = values ? add_new(one, "defaults", json_object_new_object()) : NULL;
	xattrs = defaults ? add_new(one, "xattrs", json_object_new_object()) : NULL;
	if (!xattrs)
		return err ? err : -ENOMEM;
	/* The root's are the host's own: not a container's business. */
	if (strcmp(path, "/")) {
		err = note_values(path, values);
		if (!err)
			err = note_defaults(path, defaults);
	}
	return err ? err : note_xattrs(path, xattrs);
}

static int note_parents(const char *path, struct json_object *array)
{
	_cleanup_free_ char *part = strdup(path);
	size_t len;
	int err;

	if (!part)
		return log_syserr(ENOMEM, "cannot note the cgroup %s", path);
	err = note_one("/", array);
	for (len = 1; !err && path[len]; len++) {
		if (path[len] != '/')
			continue;
		part[len] = '\0';
		err = note_one(part, array);
		part[len] = '/';
	}
	return err;
}

int cgroup_note(const char *path, struct json_object **out)
{
	struct json_object *noted = json_object_new_object(), *parents, *tree;
	int err = noted ? add_string(noted, "path", path, strlen(path)) :
			  log_syserr(ENOMEM, "cannot note the cgroup %s", path);

	parents = err ? NULL : add_new(noted, "parents", json_object_new_array());
	tree = parents ? add_new(noted, "tree", json_object_new_array()) : NULL;
	if (!err)
		err = tree ? note_parents(path, parents) : -ENOMEM;
	if (!err)
		err = cgroup_walk(path, note_one, NULL, tree);
	if (!err)
		err = cgroup_disks_note(noted);
	if (err) {
		json_object_put(noted);
		return err;
	}
	*out = noted;
	return 0;
}

static struct json_object *values_of(struct json_object *array, const char *path)
{
	struct json_object *one, *value = NULL;
	size_t i;

	for (i = 0; i < json_object_array_length(array); i++) {
		one = json_object_array_get_idx(array, i);
		if (json_object_object_get_ex(one, "path", &value) &&
		    !strcmp(json_object_get_string(value), path) &&
		    json_object_object_get_ex(one, "values", &value))
			return value;
	}
	return NULL;
}

/* "max" is more than any number. */
static unsigned long long limit_of(struct json_object *values, const char *name)
{
	struct json_object *value = NULL;
	const char *text;

	if (!json_object_object_get_ex(values, name, &value))
		return ULLONG_MAX;
	text = json_object_get_string(value);
	return *text < '0' || *text > '9' ? ULLONG_MAX : strtoull(text, NULL, 10);
}

static void take_less(struct json_object *values, struct json_object *before, const char *name)
{
	if (limit_of(before, name) < limit_of(values, name))
		json_object_object_add(values, name,
				       json_object_get(json_object_object_get(before, name)));
}

void cgroup_take_less_memory(struct json_object *noted, struct json_object *before)
{
	static const char *const arrays[] = { "parents", "tree" };
	struct json_object *array, *old, *one, *values, *path, *had;
	size_t i, k;

	for (i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		if (!json_object_object_get_ex(noted, arrays[i], &array) ||
		    !json_object_object_get_ex(before, arrays[i], &old))
			continue;
		for (k = 0; k < json_object_array_length(array); k++) {
			one = json_object_array_get_idx(array, k);
			if (!json_object_object_get_ex(one, "path", &path) ||
			    !json_object_object_get_ex(one, "values", &values))
				continue;
			had = values_of(old, json_object_get_string(path));
			if (!had)
				continue;
			take_less(values, had, "memory.max");
			take_less(values, had, "memory.high");
		}
	}
}
