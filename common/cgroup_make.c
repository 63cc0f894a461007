// SPDX-License-Identifier: GPL-2.0
/*
 * Cgroups made again from a note, and set as they were.
 */
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
#include "file.h"
#include "log.h"

/* Not logged: what it means is the caller's. */
static int write_value(const char *path, const char *file, const char *text)
{
	char full[CGROUP_PATH_MAX];
	int err = cgroup_file(path, file, full, sizeof(full));

	return err ? err : file_put(full, text);
}

struct noted_cgroup {
	const char *path, *type, *owner, *controllers;
	struct json_object *values, *defaults, *xattrs;
};

/* A field of a note, NULL when it is not there; *err is set when it is of another type. */
static struct json_object *field(struct json_object *from, const char *key, enum json_type type, int *err)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(from, json_type_object) ||
	    !json_object_object_get_ex(from, key, &value))
		return NULL;
	if (json_object_is_type(value, type))
		return value;
	*err = log_refusal(-EINVAL, "the note of a cgroup has a \"%s\" of the wrong type", key);
	return NULL;
}

static const char *text_field(struct json_object *from, const char *key, int *err)
{
	struct json_object *value = field(from, key, json_type_string, err);

	return value ? json_object_get_string(value) : NULL;
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *p;

	for (p = strstr(list, word); p; p = strstr(p + 1, word))
		if ((p == list || p[-1] == ' ') && (!p[len] || p[len] == ' '))
			return true;
	return false;
}

/* One by one, so that one which the new kernel lacks does not take the others with it. */
static int enable_controllers(const char *path, const char *controllers)
{
	_cleanup_free_ char *words = strdup(controllers), *now = malloc(CGROUP_VALUE_MAX);
	char *word, *save = NULL, command[64];
	int n = words && now ? cgroup_read_value(path, "cgroup.subtree_control", now) : -ENOMEM;

	if (n < 0)
		return log_syserr(-n, "cannot read the controllers of the cgroup %s", path);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (has_word(now, word))
			continue;
		snprintf(command, sizeof(command), "+%s", word);
		n = write_value(path, "cgroup.subtree_control", command);
		if (n == -ENOENT || n == -EINVAL)
			log_warning("this kernel has no controller %s for the cgroup %s: its limits do not hold",
				    word, path);
		else if (n)
			return log_syserr(-n, "cannot enable the controller %s in the cgroup %s", word, path);
	}
	return 0;
}

/* Is this line among the lines of text? */
static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n == len && !strncmp(text, line, n))
			return true;
		text += n + (text[n] == '\n');
	}
	return false;
}

static void warn_refused(const char *path, const char *name, const char *line, int err)
{
	log_warning("the kernel does not take \"%s\" for %s of the cgroup %s: %s", line, name, path,
		    strerror(-err));
}

/* Nothing is lost when a kernel lacks a file that nobody has set. */
static bool is_default(const struct noted_cgroup *c, const char *name, const char *value)
{
	struct json_object *other = NULL;

	return c->defaults && json_object_object_get_ex(c->defaults, name, &other) &&
	       json_object_is_type(other, json_type_string) &&
	       !strcmp(json_object_get_string(other), value);
}

static unsigned long long more_memory;

void cgroup_allow_memory(unsigned long long more)
{
	more_memory = more;
}

/* The value as it is to be written now (allocated). */
static char *value_now(const char *name, const char *value)
{
	unsigned long long bytes = 0;
	char *text;

	if (more_memory && (!strcmp(name, "memory.max") || !strcmp(name, "memory.high")))
		bytes = strtoull(value, NULL, 10);	/* 0: "max" */
	if (!bytes)
		return strdup(value);
	if (bytes > ULLONG_MAX - more_memory)
		return strdup("max");
	return asprintf(&text, "%llu", bytes + more_memory) < 0 ? NULL : text;
}

/* Files with a line per device are written line by line, and only what differs. */
static int write_setting(struct json_object *noted, const struct noted_cgroup *c, const char *name,
			 const char *value)
{
	_cleanup_free_ char *lines = value_now(name, value), *now = malloc(CGROUP_VALUE_MAX);
	char *line, *save = NULL, there[512];
	int err;

	if (!lines || !now)
		return log_syserr(ENOMEM, "cannot set %s of the cgroup %s", name, c->path);
	err = cgroup_read_value(c->path, name, now);
	if (err < 0) {
		if (err != -ENOENT || !is_default(c, name, value))
			warn_refused(c->path, name, value, err);
		return 0;
	}
	cgroup_trim_state(name, now);
	for (line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		err = cgroup_disks_translate(noted, line, there, sizeof(there));
		if (!err && has_line(now, there))
			continue;
		if (!err)
			err = write_value(c->path, name, there);
		if (err)
			warn_refused(c->path, name, line, err);
	}
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of their names: cpu.max before cpu.max.burst, cpuset.cpus before its partition. */
static int write_values(struct json_object *noted, const struct noted_cgroup *c)
{
	_cleanup_free_ const char **names = NULL;
	struct json_object *value = NULL;
	size_t nr = 0, i;
	int err = 0;

	if (!c->values)
		return 0;
	names = calloc((size_t)json_object_object_length(c->values) + 1, sizeof(*names));
	if (!names)
		return log_syserr(ENOMEM, "cannot set the cgroup %s", c->path);
	json_object_object_foreach(c->values, key, unused) {
		(void)unused;
		names[nr++] = key;
	}
	qsort(names, nr, sizeof(*names), compare_names);
	for (i = 0; !err && i < nr; i++)
		if (json_object_object_get_ex(c->values, names[i], &value))
			err = write_setting(noted, c, names[i], json_object_get_string(value));
	return err;
}

static int write_xattrs(const char *path, struct json_object *xattrs)
{
	char full[CGROUP_PATH_MAX];
	int err = cgroup_file(path, "", full, sizeof(full));

	if (err || !xattrs)
		return err;
	json_object_object_foreach(xattrs, name, value) {
		if (setxattr(full, name, json_object_get_string(value),
			     (size_t)json_object_get_string_len(value), 0) < 0)
			log_warning("cannot set %s of the cgroup %s: %s", name, path, strerror(errno));
	}
	return 0;
}

/* What a delegation gives to its user, see cgroups(7): the directory and these files. */
static int write_owner(const char *path, const char *owner)
{
	static const char *const files[] = { "", "cgroup.procs", "cgroup.threads",
					     "cgroup.subtree_control" };
	char full[CGROUP_PATH_MAX];
	unsigned int uid, gid, i;
	int err = 0;

	if (!owner || !strcmp(owner, "0:0"))
		return 0;
	if (sscanf(owner, "%u:%u", &uid, &gid) != 2)
		return -EINVAL;
	for (i = 0; !err && i < sizeof(files) / sizeof(files[0]); i++) {
		err = cgroup_file(path, files[i], full, sizeof(full));
		if (!err && chown(full, uid, gid) < 0)
			log_warning("cannot give %s to %s: %s", full, owner, strerror(errno));
	}
	return err;
}

static int make_dir(const char *path)
{
	char full[CGROUP_PATH_MAX];
	int err = cgroup_file(path, "", full, sizeof(full));

	if (!err && strcmp(path, "/") && mkdir(full, 0755) < 0 && errno != EEXIST)
		err = log_syserr(errno, "cannot make the cgroup %s", path);
	return err;
}

static int make_threaded(const char *path, const char *type)
{
	char now[CGROUP_VALUE_MAX];
	int err;

	/* The domain above one becomes "domain threaded" by itself. */
	if (!type || strcmp(type, "threaded") ||
	    (cgroup_read_value(path, "cgroup.type", now) > 0 && !strcmp(now, "threaded")))
		return 0;
	err = write_value(path, "cgroup.type", "threaded");
	return err ? log_syserr(-err, "cannot make the cgroup %s threaded", path) : 0;
}

static int parse(struct json_object *one, struct noted_cgroup *c)
{
	char full[CGROUP_PATH_MAX];
	int err = 0;

	c->path = text_field(one, "path", &err);
	c->type = text_field(one, "type", &err);
	c->owner = text_field(one, "owner", &err);
	c->controllers = text_field(one, "controllers", &err);
	c->values = field(one, "values", json_type_object, &err);
	c->defaults = field(one, "defaults", json_type_object, &err);
	c->xattrs = field(one, "xattrs", json_type_object, &err);
	if (!err && !c->path)
		return log_refusal(-EINVAL, "the note of a cgroup has no path");
	return err ? err : cgroup_file(c->path, "", full, sizeof(full));
}

/* All of a note, before anything is made. */
static int check_one(struct json_object *noted, struct json_object *one)
{
	struct noted_cgroup c;
	unsigned int uid, gid;
	int err = parse(one, &c);

	(void)noted;
	if (!err && c.owner && sscanf(c.owner, "%u:%u", &uid, &gid) != 2)
		err = log_refusal(-EINVAL, "\"%s\" is not an owner of a cgroup", c.owner);
	if (err)
		return err;
	if (c.values) {
		json_object_object_foreach(c.values, name, value) {
			if (strchr(name, '/') || !cgroup_is_setting(name) ||
			    !json_object_is_type(value, json_type_string))
				return log_refusal(-EINVAL, "%s is not a setting of a cgroup", name);
		}
	}
	if (c.xattrs) {
		json_object_object_foreach(c.xattrs, name, value) {
			if (!cgroup_is_carried_xattr(name) || !json_object_is_type(value, json_type_string))
				return log_refusal(-EINVAL, "%s is not an attribute for a cgroup", name);
		}
	}
	return 0;
}

static int make_one(struct json_object *noted, struct json_object *one)
{
	struct noted_cgroup c;
	int err = parse(one, &c);

	if (!err)
		err = make_dir(c.path);
	if (!err)
		err = make_threaded(c.path, c.type);
	if (!err)
		err = write_values(noted, &c);
	if (!err && c.controllers)
		err = enable_controllers(c.path, c.controllers);
	if (!err)
		err = write_xattrs(c.path, c.xattrs);
	return err ? err : write_owner(c.path, c.owner);
}

static int apply_one(struct json_object *noted, struct json_object *one)
{
	struct noted_cgroup c;
	int err = parse(one, &c);

	return err ? err : write_values(noted, &c);
}

static int each_noted(struct json_object *noted, const char *key,
		      int (*fn)(struct json_object *noted, struct json_object *one))
{
	int err = 0;
	struct json_object *array = field(noted, key, json_type_array, &err);
	size_t i, nr = array ? json_object_array_length(array) : 0;

	for (i = 0; !err && i < nr; i++)
		err = fn(noted, json_object_array_get_idx(array, i));
	return err;
}

static int each_of_all(struct json_object *noted,
		       int (*fn)(struct json_object *noted, struct json_object *one))
{
	int err = each_noted(noted, "parents", fn);

	return err ? err : each_noted(noted, "tree", fn);
}

static int check_then(struct json_object *noted,
		      int (*fn)(struct json_object *noted, struct json_object *one))
{
	int err = each_of_all(noted, check_one);

	if (!err)
		err = cgroup_check_version();
	return err ? err : each_of_all(noted, fn);
}

static void unthrottle_one(const char *path)
{
	char now[CGROUP_VALUE_MAX];
	int err;

	if (cgroup_read_value(path, "cpu.max", now) <= 0 || !strncmp(now, "max", 3))
		return;
	/* without a period, which stays */
	err = write_value(path, "cpu.max", "max");
	if (err && err != -ENOENT)
		warn_refused(path, "cpu.max", "max", err);
}

void cgroup_unthrottle(const char *path)
{
	_cleanup_free_ char *at = strdup(path);
	const char *dot;
	char *slash;

	for (slash = at ? strrchr(at, '/') : NULL; slash && slash[1]; slash = strrchr(at, '/')) {
		dot = strrchr(slash, '.');
		if (dot && !strcmp(dot, ".slice"))
			return;
		unthrottle_one(at);
		*slash = '\0';
	}
}

/* Below one of the parents; false: that has no controllers to hold. */
static bool holder_in(struct json_object *parent, struct noted_cgroup *c, char *path, size_t size)
{
	return !parse(parent, c) && c->controllers && *c->controllers &&
	       (size_t)snprintf(path, size, "%s/rebootless", strcmp(c->path, "/") ? c->path : "") < size;
}

static int hold_one(struct json_object *noted, struct json_object *parent)
{
	char path[CGROUP_PATH_MAX];
	struct noted_cgroup c;

	(void)noted;
	if (holder_in(parent, &c, path, sizeof(path)) && !make_dir(path))
		enable_controllers(path, c.controllers);
	return 0;
}

static int let_go_one(struct json_object *noted, struct json_object *parent)
{
	char path[CGROUP_PATH_MAX], full[CGROUP_PATH_MAX];
	struct noted_cgroup c;

	(void)noted;
	if (holder_in(parent, &c, path, sizeof(path)) && !cgroup_file(path, "", full, sizeof(full)))
		rmdir(full);
	return 0;
}

void cgroup_hold_controllers(struct json_object *noted)
{
	each_noted(noted, "parents", hold_one);
}

void cgroup_let_controllers_go(struct json_object *noted)
{
	each_noted(noted, "parents", let_go_one);
}

int cgroup_make(struct json_object *noted)
{
	return check_then(noted, make_one);
}

int cgroup_apply(struct json_object *noted)
{
	return check_then(noted, apply_one);
}
