// SPDX-License-Identifier: GPL-2.0
/*
 * What a cgroup is set to: read in one kernel, written in another.
 *
 * Not carried: counts, and the state of the freezer (an engine's own affair).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cgroup.h"
#include "cleanup.h"
#include "file.h"
#include "log.h"

#define VALUE_MAX 65536

/* Files that can be written and are no settings, or that another one stands for. */
static const char *const no_settings[] = {
	"cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze",
	"cgroup.subtree_control", "cgroup.type",	/* "controllers", "type" */
	"*.pressure",					/* a trigger, but cgroup.pressure below */
	"memory.reclaim", "*.peak",
	"cpu.weight.nice",				/* cpu.weight, rounded */
	NULL
};

static bool is_setting(const char *name)
{
	const char *const *pattern;

	if (!strcmp(name, "cgroup.pressure"))
		return true;
	for (pattern = no_settings; *pattern; pattern++)
		if (!fnmatch(*pattern, name, 0))
			return false;
	return true;
}

static int read_value(const char *path, const char *file, char *text)
{
	char full[CGROUP_PATH_MAX];
	int err = cgroup_file(path, file, full, sizeof(full));

	return err ? err : file_read_line(full, text, VALUE_MAX);
}

/* Not logged: what it means is the caller's. */
static int write_value(const char *path, const char *file, const char *text)
{
	char full[CGROUP_PATH_MAX];
	_cleanup_close_ int fd = -1;
	int err = cgroup_file(path, file, full, sizeof(full));

	if (err)
		return err;
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

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

/* A partition's "root invalid (why)" is set as "root". */
static void trim_state(const char *name, char *text)
{
	if (!strcmp(name, "cpuset.cpus.partition"))
		text[strcspn(text, " ")] = '\0';
}

static int note_values(const char *path, struct json_object *values)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_free_ char *text = malloc(VALUE_MAX);
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

		if (entry->d_type != DT_REG || !is_setting(name) ||
		    fstatat(dirfd(dir), name, &st, 0) < 0 ||
		    (st.st_mode & 0600) != 0600 ||
		    read_value(path, name, text) <= 0)
			continue;
		trim_state(name, text);
		err = add_string(values, name, text, strlen(text));
	}
	return err;
}

static bool is_carried_xattr(const char *name)
{
	return (!strncmp(name, "user.", 5) || !strncmp(name, "trusted.", 8)) &&
	       strcmp(strchr(name, '.'), strchr(CGROUP_SURVIVE, '.')) != 0;
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
		ssize_t n = is_carried_xattr(name) ? getxattr(full, name, value, sizeof(value)) : -1;

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
	_cleanup_free_ char *text = malloc(VALUE_MAX);
	int n = text ? read_value(path, file, text) : -ENOMEM;

	if (n == -ENOENT)
		return 0;
	return n < 0 ? log_syserr(-n, "cannot read %s of the cgroup %s", file, path) :
		       add_string(one, key, text, (size_t)n);
}

/* Append a note of this cgroup alone to an array. */
static int note_one(const char *path, void *array)
{
	struct json_object *one = json_object_new_object(), *values, *xattrs;
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
	xattrs = values ? add_new(one, "xattrs", json_object_new_object()) : NULL;
	if (!xattrs)
		return err ? err : -ENOMEM;
	/* The root's are the host's own: not a container's business. */
	err = strcmp(path, "/") ? note_values(path, values) : 0;
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
	_cleanup_free_ char *words = strdup(controllers), *now = malloc(VALUE_MAX);
	char *word, *save = NULL, command[64];
	int n = words && now ? read_value(path, "cgroup.subtree_control", now) : -ENOMEM;

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

/* Files with a line per device are written line by line, and only what differs. */
static int write_setting(struct json_object *noted, const char *path, const char *name,
			 const char *value)
{
	_cleanup_free_ char *lines = strdup(value), *now = malloc(VALUE_MAX);
	char *line, *save = NULL, there[512];
	int err;

	if (!lines || !now)
		return log_syserr(ENOMEM, "cannot set %s of the cgroup %s", name, path);
	err = read_value(path, name, now);
	if (err < 0) {
		warn_refused(path, name, value, err);
		return 0;
	}
	trim_state(name, now);
	for (line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		err = cgroup_disks_translate(noted, line, there, sizeof(there));
		if (!err && has_line(now, there))
			continue;
		if (!err)
			err = write_value(path, name, there);
		if (err)
			warn_refused(path, name, line, err);
	}
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of their names: cpu.max before cpu.max.burst, cpuset.cpus before its partition. */
static int write_values(struct json_object *noted, const char *path, struct json_object *values)
{
	_cleanup_free_ const char **names = NULL;
	size_t nr = 0, i;
	int err = 0;

	if (!values)
		return 0;
	names = calloc((size_t)json_object_object_length(values) + 1, sizeof(*names));
	if (!names)
		return log_syserr(ENOMEM, "cannot set the cgroup %s", path);
	json_object_object_foreach(values, key, unused) {
		(void)unused;
		names[nr++] = key;
	}
	qsort(names, nr, sizeof(*names), compare_names);
	for (i = 0; !err && i < nr; i++) {
		const char *value = text_field(values, names[i], &err);

		if (!err)
			err = write_setting(noted, path, names[i], value);
	}
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
	char now[VALUE_MAX];
	int err;

	/* The domain above one becomes "domain threaded" by itself. */
	if (!type || strcmp(type, "threaded") ||
	    (read_value(path, "cgroup.type", now) > 0 && !strcmp(now, "threaded")))
		return 0;
	err = write_value(path, "cgroup.type", "threaded");
	return err ? log_syserr(-err, "cannot make the cgroup %s threaded", path) : 0;
}

struct noted_cgroup {
	const char *path, *type, *owner, *controllers;
	struct json_object *values, *xattrs;
};

static int parse(struct json_object *one, struct noted_cgroup *c)
{
	char full[CGROUP_PATH_MAX];
	int err = 0;

	c->path = text_field(one, "path", &err);
	c->type = text_field(one, "type", &err);
	c->owner = text_field(one, "owner", &err);
	c->controllers = text_field(one, "controllers", &err);
	c->values = field(one, "values", json_type_object, &err);
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
			if (strchr(name, '/') || !is_setting(name) ||
			    !json_object_is_type(value, json_type_string))
				return log_refusal(-EINVAL, "%s is not a setting of a cgroup", name);
		}
	}
	if (c.xattrs) {
		json_object_object_foreach(c.xattrs, name, value) {
			if (!is_carried_xattr(name) || !json_object_is_type(value, json_type_string))
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
		err = write_values(noted, c.path, c.values);
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

	return err ? err : write_values(noted, c.path, c.values);
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

int cgroup_make(struct json_object *noted)
{
	return check_then(noted, make_one);
}

int cgroup_apply(struct json_object *noted)
{
	return check_then(noted, apply_one);
}
