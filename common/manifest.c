// SPDX-License-Identifier: GPL-2.0
/*
 * The manifest as JSON. Every field is checked for its type when read: the
 * file went through a kexec and perhaps through another build.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/manifest.h"
#include "common/strv.h"

#define MANIFEST_MINOR 0
#define MANIFEST_NAME "manifest.json"

static const char *const state_names[] = {
	[CONTAINER_RUNNING] = "running",
	[CONTAINER_CAPTURED] = "captured",
	[CONTAINER_RESTORED] = "restored",
	[CONTAINER_FAILED] = "failed",
};

const char *container_state_name(enum container_state state)
{
	return state_names[state];
}

int container_dir(const char *store, const char *name, const char *sub, char *path, size_t size)
{
	int n;

	/* a name is a directory here: it must not lead out of the store */
	if (!*name || *name == '.' || strchr(name, '/'))
		return log_refusal(-EINVAL, "container name \"%s\": expected one that can be a file name",
				   name);
	n = snprintf(path, size, "%s/containers/%s%s%s", store, name, *sub ? "/" : "", sub);
	if (n < 0 || (size_t)n >= size)
		return log_refusal(-ENAMETOOLONG, "container name \"%s\" is too long", name);
	return 0;
}

struct container *containers_find(const struct containers *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		if (!strcmp(list->container[i].name, name))
			return &list->container[i];
	return NULL;
}

struct container *containers_add(struct containers *list)
{
	struct container *longer = reallocarray(list->container, list->nr + 1, sizeof(*longer));

	if (!longer) {
		log_syserr(ENOMEM, "cannot keep a list of %zu containers", list->nr + 1);
		return NULL;
	}
	list->container = longer;
	longer += list->nr++;
	memset(longer, 0, sizeof(*longer));
	return longer;
}

static void container_free(struct container *c)
{
	free(c->name);
	free(c->cgroup);
	free(c->error);
	strv_free(c->after);
	json_object_put(c->engine_data);
	json_object_put(c->cgroups);
	json_object_put(c->stopped);
	json_object_put(c->sockets);
	json_object_put(c->outside_files);
	memset(c, 0, sizeof(*c));
}

void containers_remove(struct containers *list, struct container *c)
{
	container_free(c);
	list->nr--;
	memmove(c, c + 1, (size_t)(list->container + list->nr - c) * sizeof(*c));
}

void containers_free(struct containers *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		container_free(&list->container[i]);
	free(list->container);
	memset(list, 0, sizeof(*list));
}

static void kernel_free(struct installed_kernel *k)
{
	free(k->release);
	free(k->kernel);
	free(k->initrd);
	free(k->cmdline);
}

void manifest_free(struct manifest *m)
{
	free(m->id);
	free(m->boot);
	free(m->fault);
	kernel_free(&m->from);
	kernel_free(&m->to);
	strv_free(m->stopped_services);
	strv_free(m->drivers);
	containers_free(&m->containers);
	json_object_put(m->filesystems);
	json_object_put(m->limits);
	json_object_put(m->network);
	memset(m, 0, sizeof(*m));
}

/* Writing */

/* "" is not written: a reader takes a missing string for NULL. */
static void put_string(struct json_object *o, const char *key, const char *value)
{
	if (value)
		json_object_object_add(o, key, json_object_new_string(value));
}

static void put_strings(struct json_object *o, const char *key, char *const *list)
{
	struct json_object *array = json_object_new_array();

	for (; list && *list; list++)
		json_object_array_add(array, json_object_new_string(*list));
	json_object_object_add(o, key, array);
}

static void put_number(struct json_object *o, const char *key, unsigned int value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

static void put_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

/* The object stays its owner's. */
static void put_object(struct json_object *o, const char *key, struct json_object *value)
{
	if (value)
		json_object_object_add(o, key, json_object_get(value));
}

static void put_kernel(struct json_object *o, const char *key, const struct installed_kernel *k)
{
	struct json_object *kernel = json_object_new_object();

	put_string(kernel, "release", k->release);
	put_string(kernel, "kernel", k->kernel);
	put_string(kernel, "initrd", k->initrd);
	put_string(kernel, "cmdline", k->cmdline);
	json_object_object_add(o, key, kernel);
}

static struct json_object *container_to_json(const struct container *c)
{
	struct json_object *o = json_object_new_object();

	put_string(o, "name", c->name);
	put_string(o, "engine", c->engine->name);
	put_string(o, "state", container_state_name(c->state));
	put_string(o, "error", c->error);
	put_number(o, "pid", (unsigned int)c->pid);
	if (c->started)
		json_object_object_add(o, "started", json_object_new_int64((int64_t)c->started));
	put_string(o, "cgroup", c->cgroup);
	put_number(o, "connections", c->connections);
	put_strings(o, "after", c->after);
	put_object(o, "engine-data", c->engine_data);
	put_object(o, "cgroups", c->cgroups);
	put_object(o, "stopped", c->stopped);
	put_object(o, "sockets", c->sockets);
	put_object(o, "outside-files", c->outside_files);
	return o;
}

static struct json_object *manifest_to_json(const struct manifest *m)
{
	struct json_object *o = json_object_new_object();
	struct json_object *containers = json_object_new_array();
	size_t i;

	put_number(o, "major", MANIFEST_MAJOR);
	put_number(o, "minor", MANIFEST_MINOR);
	put_string(o, "id", m->id);
	put_string(o, "boot", m->boot);
	put_kernel(o, "from", &m->from);
	put_kernel(o, "to", &m->to);
	put_string(o, "on-restore-failure", restore_policy_name(m->on_restore_failure));
	put_bool(o, "commit-auto", m->commit_auto);
	put_bool(o, "zero-copy", m->zero_copy);
	put_number(o, "parallel", m->parallel);
	put_number(o, "restore-timeout", m->restore_timeout);
	put_number(o, "filesystem-timeout", m->filesystem_timeout);
	put_number(o, "tries", m->tries);
	put_number(o, "tried", m->tried);
	put_bool(o, "early", m->early);
	put_bool(o, "rolling-back", m->rolling_back);
	put_string(o, "fault", m->fault);
	put_strings(o, "stopped-services", m->stopped_services);
	put_strings(o, "drivers", m->drivers);
	for (i = 0; i < m->containers.nr; i++)
		json_object_array_add(containers, container_to_json(&m->containers.container[i]));
	json_object_object_add(o, "containers", containers);
	put_object(o, "filesystems", m->filesystems);
	put_object(o, "limits", m->limits);
	put_object(o, "network", m->network);
	return o;
}

int manifest_write(const char *store, const struct manifest *m)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	struct json_object *o = manifest_to_json(m);
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY);
	_cleanup_close_ int fd = -1;
	int err = 0;

	snprintf(path, sizeof(path), "%s/" MANIFEST_NAME, store);
	snprintf(temporary, sizeof(temporary), "%s/" MANIFEST_NAME ".new", store);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (!text || fd < 0 || dprintf(fd, "%s\n", text) < 0 || rename(temporary, path) < 0)
		err = log_syserr(text ? errno : ENOMEM, "cannot write %s", path);
	if (err)
		unlink(temporary);
	json_object_put(o);
	return err;
}

/* Reading. The first error sticks: the fields behind it are not looked at. */

struct reader {
	const char *path;
	int err;
};

static struct json_object *get(struct reader *r, struct json_object *o, const char *key,
			       enum json_type type, bool must)
{
	struct json_object *value = NULL;

	if (r->err)
		return NULL;
	if (!json_object_object_get_ex(o, key, &value)) {
		if (must)
			r->err = log_refusal(-EUCLEAN, "%s: field \"%s\" is missing", r->path, key);
		return NULL;
	}
	if (json_object_is_type(value, type))
		return value;
	r->err = log_refusal(-EUCLEAN, "%s: field \"%s\": expected %s, found %s", r->path, key,
			     json_type_to_name(type),
			     json_type_to_name(json_object_get_type(value)));
	return NULL;
}

static char *get_string(struct reader *r, struct json_object *o, const char *key, bool must)
{
	struct json_object *value = get(r, o, key, json_type_string, must);
	char *copy = value ? strdup(json_object_get_string(value)) : NULL;

	if (value && !copy)
		r->err = log_syserr(ENOMEM, "%s: cannot keep field \"%s\"", r->path, key);
	return copy;
}

static unsigned int get_number(struct reader *r, struct json_object *o, const char *key)
{
	struct json_object *value = get(r, o, key, json_type_int, true);
	int64_t n = value ? json_object_get_int64(value) : 0;

	if (n >= 0 && n <= INT_MAX)
		return (unsigned int)n;
	r->err = log_refusal(-EUCLEAN, "%s: field \"%s\": %lld is out of range", r->path, key,
			     (long long)n);
	return 0;
}

static bool get_bool(struct reader *r, struct json_object *o, const char *key)
{
	struct json_object *value = get(r, o, key, json_type_boolean, true);

	return value && json_object_get_boolean(value);
}

static char **get_strings(struct reader *r, struct json_object *o, const char *key, bool must)
{
	struct json_object *array = get(r, o, key, json_type_array, must), *item;
	_cleanup_strv_ char **list = NULL;
	size_t i;

	for (i = 0; array && i < json_object_array_length(array) && !r->err; i++) {
		item = json_object_array_get_idx(array, i);
		if (json_object_is_type(item, json_type_string))
			r->err = strv_add(&list, json_object_get_string(item));
		else
			r->err = log_refusal(-EUCLEAN, "%s: field \"%s\": expected strings",
					     r->path, key);
	}
	return r->err ? NULL : steal_ptr(list);
}

static struct json_object *get_object(struct reader *r, struct json_object *o, const char *key,
				      enum json_type type)
{
	struct json_object *value = get(r, o, key, type, false);

	return value ? json_object_get(value) : NULL;
}

static void get_kernel(struct reader *r, struct json_object *o, const char *key,
		       struct installed_kernel *k)
{
	struct json_object *kernel = get(r, o, key, json_type_object, true);

	if (!kernel)
		return;
	k->release = get_string(r, kernel, "release", true);
	k->kernel = get_string(r, kernel, "kernel", false);
	k->initrd = get_string(r, kernel, "initrd", false);
	k->cmdline = get_string(r, kernel, "cmdline", false);
}

static enum container_state get_state(struct reader *r, struct json_object *o)
{
	_cleanup_free_ char *name = get_string(r, o, "state", true);
	size_t i;

	for (i = 0; name && i < sizeof(state_names) / sizeof(state_names[0]); i++)
		if (!strcmp(name, state_names[i]))
			return i;
	if (name)
		r->err = log_refusal(-EUCLEAN, "%s: field \"state\": \"%s\" is none", r->path, name);
	return CONTAINER_FAILED;
}

static void get_container(struct reader *r, struct json_object *o, struct containers *list)
{
	_cleanup_free_ char *engine = NULL;
	char path[PATH_MAX];
	struct container *c = containers_add(list);
	struct json_object *started;

	if (!c) {
		r->err = -ENOMEM;
		return;
	}
	c->name = get_string(r, o, "name", true);
	if (!r->err)
		r->err = container_dir("", c->name, "", path, sizeof(path));
	engine = get_string(r, o, "engine", true);
	if (engine) {
		c->engine = engine_find(engine);
		if (!c->engine)
			r->err = log_refusal(-EUCLEAN, "%s: container %s: no engine is called \"%s\"",
					     r->path, c->name, engine);
	}
	c->state = get_state(r, o);
	c->error = get_string(r, o, "error", false);
	c->pid = (pid_t)get_number(r, o, "pid");
	started = get(r, o, "started", json_type_int, false);
	c->started = started ? (uint64_t)json_object_get_int64(started) : 0;
	c->cgroup = get_string(r, o, "cgroup", false);
	/* older ones have none */
	if (get(r, o, "connections", json_type_int, false))
		c->connections = get_number(r, o, "connections");
	c->after = get_strings(r, o, "after", true);
	c->engine_data = get_object(r, o, "engine-data", json_type_object);
	c->cgroups = get_object(r, o, "cgroups", json_type_object);
	c->stopped = get_object(r, o, "stopped", json_type_array);
	c->sockets = get_object(r, o, "sockets", json_type_object);
	c->outside_files = get_object(r, o, "outside-files", json_type_object);
}

static void get_policy(struct reader *r, struct json_object *o, struct manifest *m)
{
	_cleanup_free_ char *name = get_string(r, o, "on-restore-failure", true);

	if (name && restore_policy_parse(name, &m->on_restore_failure) < 0)
		r->err = log_refusal(-EUCLEAN, "%s: field \"on-restore-failure\": \"%s\" is none",
				     r->path, name);
}

static void get_manifest(struct reader *r, struct json_object *o, struct manifest *m)
{
	struct json_object *containers;
	unsigned int major = get_number(r, o, "major");
	size_t i;

	if (!r->err && major != MANIFEST_MAJOR)
		r->err = log_refusal(-EPROTO,
				     "%s has version %u, this program reads version %u: use the rebootless that the update was made with",
				     r->path, major, MANIFEST_MAJOR);
	m->id = get_string(r, o, "id", true);
	m->boot = get_string(r, o, "boot", false);
	get_kernel(r, o, "from", &m->from);
	get_kernel(r, o, "to", &m->to);
	get_policy(r, o, m);
	m->commit_auto = get_bool(r, o, "commit-auto");
	m->zero_copy = get_bool(r, o, "zero-copy");
	m->parallel = get_number(r, o, "parallel");
	m->restore_timeout = get_number(r, o, "restore-timeout");
	m->filesystem_timeout = get_number(r, o, "filesystem-timeout");
	m->tries = get_number(r, o, "tries");
	m->tried = get_number(r, o, "tried");
	/* older ones have none */
	if (get(r, o, "early", json_type_boolean, false))
		m->early = get_bool(r, o, "early");
	m->rolling_back = get_bool(r, o, "rolling-back");
	m->fault = get_string(r, o, "fault", false);
	m->stopped_services = get_strings(r, o, "stopped-services", true);
	m->drivers = get_strings(r, o, "drivers", false);
	containers = get(r, o, "containers", json_type_array, true);
	for (i = 0; containers && i < json_object_array_length(containers) && !r->err; i++)
		get_container(r, json_object_array_get_idx(containers, i), &m->containers);
	m->filesystems = get_object(r, o, "filesystems", json_type_array);
	m->limits = get_object(r, o, "limits", json_type_object);
	m->network = get_object(r, o, "network", json_type_object);
}

int manifest_read(const char *store, struct manifest *m)
{
	struct json_object *o;
	struct stat st;
	char path[PATH_MAX];
	struct reader r = { .path = path };

	memset(m, 0, sizeof(*m));
	snprintf(path, sizeof(path), "%s/" MANIFEST_NAME, store);
	if (stat(path, &st) < 0)
		return errno == ENOENT ? -ENOENT : log_syserr(errno, "cannot read %s", path);
	o = json_object_from_file(path);
	if (!o)
		return log_refusal(-EUCLEAN, "%s: %s", path, json_util_get_last_err());
	get_manifest(&r, o, m);
	json_object_put(o);
	if (r.err)
		manifest_free(m);
	return r.err;
}
