// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/findings.h"
#include "common/log.h"
#include "common/oci.h"
#include "common/oci_root.h"
#include "common/oci_sysctls.h"
#include "common/run.h"
#include "common/strv.h"

#define LIST_SECONDS 30
/* The annotation by which an engine above the runtime says that a container is its own. */
#define MANAGER "io.container.manager"

static const char *field(struct json_object *o, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

const char *oci_bundle(const struct container *c)
{
	return field(c->engine_data, "bundle");
}

struct json_object *oci_config_read(const struct container *c, const char *root)
{
	struct json_object *config;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s/config.json", root, oci_bundle(c));
	config = json_object_from_file(path);
	if (!config)
		log_detail("container %s: %s", c->name, json_util_get_last_err());
	return config;
}

struct json_object *oci_config_get(struct json_object *config, const char *a, const char *b)
{
	struct json_object *o, *value;

	if (!json_object_object_get_ex(config, a, &o) || !json_object_object_get_ex(o, b, &value))
		return NULL;
	return value;
}

/* podman was asked before, and has named it: the two have different names for it. */
static bool is_listed(const struct containers *list, pid_t pid)
{
	const struct container *c;

	for (c = list->container; c < list->container + list->nr; c++)
		if (c->engine == &engine_podman && c->pid == pid)
			return true;
	return false;
}

static int add(const struct engine *engine, struct json_object *o, struct containers *list)
{
	const char *id = field(o, "id"), *bundle = field(o, "bundle"), *status = field(o, "status");
	struct json_object *pid;
	struct container *c;

	if (!id || !bundle || !status || !json_object_object_get_ex(o, "pid", &pid))
		return log_refusal(-EPROTO,
				   "%s list: expected entries with id, pid, status and bundle, found %s",
				   engine->name, json_object_to_json_string(o));
	if (!strcmp(status, "stopped")) {
		log_detail("%s container %s is stopped, there is nothing to carry", engine->name, id);
		return 0;
	}
	if (is_listed(list, json_object_get_int(pid)))
		return 0;
	c = containers_add(list);
	if (!c)
		return -ENOMEM;
	c->engine = engine;
	c->name = strdup(id);
	c->pid = json_object_get_int(pid);
	c->engine_data = json_object_new_object();
	json_object_object_add(c->engine_data, "bundle", json_object_new_string(bundle));
	json_object_object_add(c->engine_data, "status", json_object_new_string(status));
	return c->name ? 0 : log_syserr(ENOMEM, "cannot keep container %s", id);
}

int oci_list(const struct engine *engine, struct containers *list)
{
	char *argv[] = { (char *)engine->program, "list", "--format", "json", NULL };
	_cleanup_free_ char *text = NULL;
	struct json_object *array;
	size_t i;
	int err = run_read(argv, LIST_SECONDS, &text);

	if (err > 0)
		return log_refusal(-EIO, "`%s list` failed with status %d", engine->program, err);
	if (err)
		return err;
	/* runc says null when there is none */
	array = json_tokener_parse(text);
	if (array && !json_object_is_type(array, json_type_array))
		err = log_refusal(-EPROTO, "%s list: expected a list, found %.100s", engine->name,
				  text);
	for (i = 0; !err && array && i < json_object_array_length(array); i++)
		err = add(engine, json_object_array_get_idx(array, i), list);
	json_object_put(array);
	return err;
}

static void check_config(const struct container *c, struct json_object *config,
			 struct findings *findings)
{
	struct json_object *value;

	value = oci_config_get(config, "annotations", MANAGER);
	if (value && !strcmp(json_object_get_string(value), "libpod"))
		findings_add(findings, c->name, 0,
			     "it belongs to podman, which does not say that it runs, or is not among `engines`; wait, or leave it out with carry = no");
	else if (value)
		findings_add(findings, c->name, 0,
			     "it belongs to %s, whose containers cannot be carried yet; stop it, or leave it out with carry = no",
			     json_object_get_string(value));
	value = oci_config_get(config, "process", "terminal");
	if (value && json_object_get_boolean(value))
		findings_add(findings, c->name, 0,
			     "it has a terminal (process.terminal in config.json), whose other end dies with the old kernel; run it without one");
}

int oci_check(const struct container *c, struct findings *findings)
{
	const char *status = field(c->engine_data, "status");
	struct json_object *config;
	char path[PATH_MAX];

	if (status && strcmp(status, "running"))
		findings_add(findings, c->name, 0, "it is %s, expected running: %s", status,
			     strcmp(status, "paused") ? "start it or delete it" : "resume it");
	snprintf(path, sizeof(path), "%s/config.json", oci_bundle(c));
	config = json_object_from_file(path);
	if (!config) {
		findings_add(findings, c->name, 0, "its bundle's %s cannot be read: %s", path,
			     json_util_get_last_err());
		return 0;
	}
	check_config(c, config, findings);
	oci_root_check(c, config, findings);
	json_object_put(config);
	return 0;
}

/*
 * Made with --systemd-cgroup, it is a scope of systemd's: the runtime asks
 * systemd for it again. Its cgroupsPath is then SLICE:PREFIX:NAME, and the scope
 * is named PREFIX-NAME.
 */
bool oci_needs_systemd(const struct container *c)
{
	return c->cgroup && strstr(c->cgroup, ".scope") && strstr(c->cgroup, c->name);
}

int oci_dump_command(const struct container *c, const struct image_dirs *dirs,
		     const struct dump_options *options, char ***argv)
{
	char *const words[] = {
		(char *)c->engine->program, "checkpoint",
		"--image-path", (char *)dirs->images, "--work-path", (char *)dirs->work,
		"--leave-running", "--tcp-established", "--file-locks", NULL,
	};
	int err = strv_extend(argv, words);

	(void)options;	/* told by CRIU's configuration */
	return err ? err : strv_add(argv, c->name);
}

int oci_before_restore(const struct container *c, const struct image_dirs *dirs, const char *root)
{
	(void)dirs;
	oci_root_lend(c, root);
	return 0;
}

int oci_restored(const struct container *c, pid_t pid, const char *root)
{
	struct json_object *config = oci_config_read(c, root);
	char path[64];

	oci_root_take_back(c, root);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	oci_sysctls_set(config, path);
	json_object_put(config);
	return 0;
}

int oci_restore_command(const struct container *c, const struct image_dirs *dirs,
			const char *action_script, char ***argv)
{
	char *const words[] = {
		"restore", "--bundle", (char *)oci_bundle(c),
		"--image-path", (char *)dirs->images, "--work-path", (char *)dirs->work,
		"--detach", "--tcp-established", "--file-locks", NULL,
	};
	int err = strv_add(argv, c->engine->program);

	(void)action_script;
	if (!err && oci_needs_systemd(c))
		err = strv_add(argv, "--systemd-cgroup");
	if (!err)
		err = strv_extend(argv, words);
	if (!err)
		err = strv_addf(argv, "--pid-file=%s/pid", dirs->work);
	return err ? err : strv_add(argv, c->name);
}

int oci_forget_command(const struct container *c, char ***argv)
{
	char *const words[] = { (char *)c->engine->program, "delete", "--force", c->name, NULL };

	return strv_extend(argv, words);
}

pid_t oci_restored_pid(const struct container *c, const struct image_dirs *dirs)
{
	char path[PATH_MAX];
	uint64_t pid;
	int err;

	snprintf(path, sizeof(path), "%s/pid", dirs->work);
	err = file_read_u64(path, &pid);
	if (err)
		return log_syserr(-err, "%s: %s restored it, but left no pid in %s", c->name,
				  c->engine->program, path);
	return (pid_t)pid;
}
