// SPDX-License-Identifier: GPL-2.0
/*
 * Plain process trees that the configuration names: `criu dump` and `criu
 * restore` called directly.
 *
 * A tree in the host's own mount namespace is restored into that of the new
 * host, which in an initramfs is the one that becomes it at the switch to the
 * real root. A tree with a mount namespace of its own is carried with it.
 *
 * A tree that is a unit's is taken over by that unit (unit.h).
 *
 * engine_data: { "unit": "x.service" or "pid-file": "/path" (as configured),
 *                "host-mounts": true }
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/findings.h"
#include "common/log.h"
#include "common/engine.h"
#include "common/run.h"
#include "common/strv.h"
#include "common/unit.h"

static uint64_t ns_inode(pid_t pid, const char *type)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, type);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static int pid_of_unit(const char *unit, uint64_t *pid)
{
	char *argv[] = { "systemctl", "show", "--property=MainPID", "--value", (char *)unit, NULL };
	_cleanup_free_ char *text = NULL;
	int status = run_read(argv, 30, &text);

	if (status < 0)
		return status;
	if (status > 0 || sscanf(text, "%" SCNu64, pid) != 1)
		return log_refusal(-EIO, "`systemctl show %s` does not say its main process", unit);
	return 0;
}

/* 0 in *pid: it does not run. */
static int find_pid(const struct config_section *s, pid_t *pid)
{
	uint64_t n = 0;
	int err;

	if (s->unit) {
		err = pid_of_unit(s->unit, &n);
		if (err)
			return err;
	} else {
		err = file_read_u64(s->pid_file, &n);
		if (err && err != -ENOENT)
			return log_syserr(-err, "tree %s: cannot read a pid from %s", s->name,
					  s->pid_file);
	}
	*pid = n && ns_inode((pid_t)n, "pid") ? (pid_t)n : 0;
	return 0;
}

static int add(const struct config_section *s, struct containers *list)
{
	struct container *c;
	pid_t pid = 0;
	int err = find_pid(s, &pid);

	if (err)
		return err;
	if (!pid) {
		log_warning("tree %s does not run, there is nothing to carry", s->name);
		return 0;
	}
	c = containers_add(list);
	if (!c)
		return -ENOMEM;
	c->engine = &engine_tree;
	c->name = strdup(s->name);
	c->pid = pid;
	c->engine_data = json_object_new_object();
	json_object_object_add(c->engine_data, "host-mounts",
			       json_object_new_boolean(ns_inode(pid, "mnt") == ns_inode(1, "mnt")));
	json_object_object_add(c->engine_data, s->unit ? "unit" : "pid-file",
			       json_object_new_string(s->unit ? s->unit : s->pid_file));
	return c->name ? 0 : log_syserr(ENOMEM, "cannot keep tree %s", s->name);
}

static int tree_list(const struct config *config, struct containers *list)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < config->nr_sections; i++)
		if (config->section[i].tree && config->section[i].carry)
			err = add(&config->section[i], list);
	return err;
}

static bool host_mounts(const struct container *c)
{
	struct json_object *value;

	return json_object_object_get_ex(c->engine_data, "host-mounts", &value) &&
	       json_object_get_boolean(value);
}

static int tree_check(const struct container *c, struct findings *findings)
{
	if (ns_inode(c->pid, "pid") == ns_inode(1, "pid"))
		findings_warn(findings, c->name, c->pid,
			      "it is not in a pid namespace of its own: it cannot be restored if the new system has given its pids to others; start it with unshare --pid --fork");
	return 0;
}

/* Both directions say the same of what is to be carried. */
static int common_options(const struct image_dirs *dirs, char ***argv)
{
	char *const words[] = {
		"--images-dir", (char *)dirs->images, "--work-dir", (char *)dirs->work, "-v4",
		"--tcp-established", "--file-locks", "--shell-job", "--manage-cgroups=soft",
		"--network-lock", "nftables", "--link-remap", NULL,
	};

	return strv_extend(argv, words);
}

static int tree_dump_command(const struct container *c, const struct image_dirs *dirs,
			     const struct dump_options *options, char ***argv)
{
	char *const words[] = { "criu", "dump", "--log-file", "dump.log", "--leave-running", NULL };
	int err = strv_extend(argv, words);

	if (!err)
		err = common_options(dirs, argv);
	if (!err)
		err = strv_addf(argv, "--tree=%d", (int)c->pid);
	if (!err)
		err = strv_addf(argv, "--ghost-limit=%" PRIu64, options->ghost_limit);
	if (!err)
		err = strv_addf(argv, "--timeout=%u", options->freeze_seconds);
	if (!err)
		err = strv_addf(argv, "--action-script=%s", options->action_script);
	if (!err && options->plugins)
		err = strv_addf(argv, "--libdir=%s", options->plugins);
	if (!err && !host_mounts(c))
		err = strv_add(argv, "--external=mnt[]:m");
	return err;
}

static int tree_restore_command(const struct container *c, const struct image_dirs *dirs,
				const char *action_script, char ***argv)
{
	char *const words[] = { "criu", "restore", "--log-file", "restore.log",
				"--restore-detached", NULL };
	int err = strv_extend(argv, words);

	if (!err)
		err = common_options(dirs, argv);
	if (!err)
		err = strv_addf(argv, "--pidfile=%s/pid", dirs->work);
	if (!err && action_script)
		err = strv_addf(argv, "--action-script=%s", action_script);
	if (err || host_mounts(c))
		return err;
	/* without a root CRIU 4.2.1 dies of a tree all of whose mounts are external */
	err = strv_add(argv, "--external=mnt[]:m");
	return err ? err : strv_add(argv, "--root=/");
}

static int hand_to_pid_file(const char *path, const char *root, const char *pid)
{
	/* /run goes over to the real root as it is */
	const char *below = strncmp(path, "/run/", 5) ? root : "";
	char dir[PATH_MAX];
	char *slash;

	snprintf(dir, sizeof(dir), "%s%s", below, path);
	slash = strrchr(dir, '/');
	*slash = '\0';
	return file_write(dir, slash + 1, 0644, pid);
}

static const char *tree_string(const struct container *c, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(c->engine_data, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static int tree_restored(const struct container *c, pid_t pid, const char *root)
{
	const char *unit = tree_string(c, "unit"), *file = tree_string(c, "pid-file");
	char text[16];

	snprintf(text, sizeof(text), "%d\n", (int)pid);
	if (unit)
		return unit_hand_over(c->name, unit, pid, NULL);
	if (file && *file == '/')
		return hand_to_pid_file(file, root, text);
	return 0;
}

static void tree_not_restored(const struct container *c, const struct image_dirs *dirs)
{
	const char *unit = tree_string(c, "unit");

	/* its own start would make a second one */
	if (unit)
		unit_hold_back(unit, dirs->images);
}

static pid_t tree_restored_pid(const struct container *c, const struct image_dirs *dirs)
{
	char path[PATH_MAX];
	uint64_t pid;
	int err;

	snprintf(path, sizeof(path), "%s/pid", dirs->work);
	err = file_read_u64(path, &pid);
	if (err)
		return log_syserr(-err, "%s: criu restored it, but left no pid in %s", c->name, path);
	return (pid_t)pid;
}

const struct engine engine_tree = {
	.name = "tree",
	.program = "criu",
	.list = tree_list,
	.check = tree_check,
	.dump_command = tree_dump_command,
	.restore_command = tree_restore_command,
	.restored_pid = tree_restored_pid,
	.restored = tree_restored,
	.not_restored = tree_not_restored,
	.has_host_mounts = host_mounts,
};
