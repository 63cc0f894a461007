// SPDX-License-Identifier: GPL-2.0
/*
 * Containers of podman, those in pods too; of root, since without it CRIU cannot.
 *
 * The dump is that of the runtime beneath, crun or runc: podman is not asked, so
 * a dump that is given up leaves nothing in podman's books, and `podman ps` works
 * while it is held.
 *
 * The restore is podman's own command, which makes anew all that is podman's:
 * mounts, network (by netavark, with the addresses of before), conmon, its own
 * state. What that reads is put beside the container's config.json just before;
 * podman removes it when it is done. It runs in the mount namespace that becomes
 * the host's, since its mounts are to be seen there; only the runtime must have
 * the real root as its own (runtime.h).
 *
 * Nothing of /run/libpod is carried: podman finds that the machine was started
 * anew, and that no container runs. One of --rm it would remove then, were there
 * not another that requires it (podman_keep.c).
 */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/engine.h"
#include "common/file.h"
#include "common/findings.h"
#include "common/log.h"
#include "common/oci_sysctls.h"
#include "common/podman.h"
#include "common/run.h"
#include "common/runtime.h"
#include "common/strv.h"
#include "common/unit.h"

#define LIST_SECONDS 60
#define TAR_SECONDS 60
#define SHM_TAR "devshm-checkpoint.tar"
#define AARDVARK_PID "/run/containers/networks/aardvark-dns/aardvark.pid"

static const char *text(const struct container *c, const char *pointer)
{
	return podman_text(c->engine_data, pointer);
}

/* ---- what there is ---------------------------------------------------------------- */

static int add(struct json_object *inspect, struct containers *list)
{
	const char *name = podman_text(inspect, "/Name");
	struct json_object *pid = NULL;
	struct container *c;

	if (!name || json_pointer_get(inspect, "/State/Pid", &pid))
		return log_refusal(-EPROTO, "`podman inspect`: expected containers with Name and State.Pid");
	c = containers_add(list);
	if (!c)
		return -ENOMEM;
	c->engine = &engine_podman;
	c->name = strdup(name);
	c->pid = json_object_get_int(pid);
	c->engine_data = podman_data(inspect);
	return c->name && c->engine_data ? 0 : -EINVAL;
}

static const struct container *by_id(const struct containers *list, const char *id)
{
	const struct container *c;

	for (c = list->container; c < list->container + list->nr; c++)
		if (c->engine == &engine_podman && !strcmp(text(c, "/id"), id))
			return c;
	return NULL;
}

static const struct container *by_pid(const struct containers *list, pid_t pid)
{
	const struct container *c;

	for (c = list->container; c < list->container + list->nr; c++)
		if (c->engine == &engine_podman && c->pid == pid)
			return c;
	return NULL;
}

/* Its config.json names the namespaces of others by their pids: "/proc/PID/ns/TYPE" */
static void note_join(struct container *c, struct json_object *namespace,
		      const struct containers *list)
{
	const char *path = podman_text(namespace, "/path"), *type = podman_text(namespace, "/type");
	const struct container *other;
	struct json_object *joins;
	int pid;

	if (!path || !type || sscanf(path, "/proc/%d/ns/", &pid) != 1)
		return;
	other = by_pid(list, pid);
	if (other && !json_pointer_get(c->engine_data, "/joins", &joins))
		json_object_object_add(joins, type, json_object_new_string(text(other, "/pid-file")));
}

/* It comes after those that it needs. */
static int tie(struct container *c, const struct containers *list)
{
	struct json_object *after = NULL, *config, *namespaces = NULL;
	const struct container *other;
	char path[PATH_MAX];
	size_t i;
	int err = 0;

	if (json_pointer_get(c->engine_data, "/after", &after) || !json_object_array_length(after))
		return 0;
	for (i = 0; !err && i < json_object_array_length(after); i++) {
		other = by_id(list, json_object_get_string(json_object_array_get_idx(after, i)));
		if (other)
			err = strv_add(&c->after, other->name);
	}
	snprintf(path, sizeof(path), "%s/config.json", text(c, "/static-dir"));
	config = json_object_from_file(path);
	json_pointer_get(config, "/linux/namespaces", &namespaces);
	for (i = 0; namespaces && i < json_object_array_length(namespaces); i++)
		note_join(c, json_object_array_get_idx(namespaces, i), list);
	json_object_put(config);
	return err;
}

static int inspect_all(char *const *ids, struct containers *list)
{
	char *const words[] = { "podman", "inspect", "--type", "container", NULL };
	_cleanup_strv_ char **argv = NULL;
	_cleanup_free_ char *output = NULL;
	struct json_object *array;
	struct container *c;
	size_t i;
	int err = strv_extend(&argv, words);

	if (!err)
		err = strv_extend(&argv, ids);
	if (!err)
		err = run_read(argv, LIST_SECONDS, &output);
	if (err)
		return err < 0 ? err : log_refusal(-EIO, "`podman inspect` failed with status %d", err);
	array = json_tokener_parse(output);
	if (!json_object_is_type(array, json_type_array))
		err = log_refusal(-EPROTO, "podman inspect: expected a list, found %.100s", output);
	for (i = 0; !err && i < json_object_array_length(array); i++)
		err = add(json_object_array_get_idx(array, i), list);
	json_object_put(array);
	for (c = list->container; !err && c < list->container + list->nr; c++)
		if (c->engine == &engine_podman)
			err = tie(c, list);
	return err;
}

/* Each container has a conmon. To ask podman takes a second even when there is none. */
static bool has_any(void)
{
	char name[32];
	bool found = false;
	glob_t files = { 0 };
	size_t i;

	glob("/proc/[0-9]*/comm", GLOB_NOSORT, NULL, &files);
	for (i = 0; !found && i < files.gl_pathc; i++)
		found = file_read_line(files.gl_pathv[i], name, sizeof(name)) > 0 &&
			!strncmp(name, "conmon", strlen("conmon"));
	globfree(&files);
	return found;
}

static int list(const struct config *config, struct containers *list_)
{
	char *argv[] = { "podman", "ps", "--quiet", "--no-trunc", "--filter", "status=running",
			 "--filter", "status=paused", NULL };
	_cleanup_free_ char *output = NULL;
	_cleanup_strv_ char **ids = NULL;
	int err = has_any() ? run_read(argv, LIST_SECONDS, &output) : 0;

	(void)config;
	if (err > 0)
		return log_refusal(-EIO, "`podman ps` failed with status %d", err);
	if (!err && output)
		err = strv_split(output, &ids);
	return err || !ids ? err : inspect_all(ids, list_);
}

static int check(const struct container *c, struct findings *findings)
{
	const char *status = text(c, "/status");
	struct json_object *problems = NULL, *config, *terminal = NULL;
	char path[PATH_MAX];
	size_t i;

	if (strcmp(status, "running"))
		findings_add(findings, c->name, 0, "it is %s, expected running: `podman unpause` it", status);
	json_pointer_get(c->engine_data, "/problems", &problems);
	for (i = 0; problems && i < json_object_array_length(problems); i++)
		findings_add(findings, c->name, 0, "%s",
			     json_object_get_string(json_object_array_get_idx(problems, i)));
	snprintf(path, sizeof(path), "%s/config.json", text(c, "/static-dir"));
	config = json_object_from_file(path);
	if (!config)
		findings_add(findings, c->name, 0, "its %s cannot be read: %s", path,
			     json_util_get_last_err());
	else if (!json_pointer_get(config, "/process/terminal", &terminal) &&
		 json_object_get_boolean(terminal))
		findings_add(findings, c->name, 0,
			     "it has a terminal (podman run -t), whose other end dies with the old kernel; run it without one");
	json_object_put(config);
	return 0;
}

/* Whose namespaces it is in. */
static void check_together(const struct container *c, const struct containers *list_,
			   struct findings *findings)
{
	struct json_object *after = NULL;
	const char *id;
	size_t i;

	json_pointer_get(c->engine_data, "/after", &after);
	for (i = 0; after && i < json_object_array_length(after); i++) {
		id = json_object_get_string(json_object_array_get_idx(after, i));
		if (!by_id(list_, id))
			findings_add(findings, c->name, 0,
				     "it needs the container %.12s, which is not carried with it", id);
	}
}

/* ---- dump ------------------------------------------------------------------------- */

static int dump_command(const struct container *c, const struct image_dirs *dirs,
			const struct dump_options *options, char ***argv)
{
	char *const words[] = {
		(char *)text(c, "/runtime"), "checkpoint",
		"--image-path", (char *)dirs->images, "--work-path", (char *)dirs->work,
		"--leave-running", "--tcp-established", "--file-locks",
		(char *)text(c, "/id"), NULL,
	};

	(void)options;	/* told by CRIU's configuration */
	return strv_extend(argv, words);
}

/* Its /dev/shm is the host's, and for CRIU a mount that comes from outside. */
static int captured(const struct container *c, const struct image_dirs *dirs)
{
	char *argv[] = { "tar", "--create", "--file", NULL, "--directory", (char *)text(c, "/shm"),
			 ".", NULL };
	char path[PATH_MAX];
	int status;

	if (!text(c, "/shm"))
		return 0;
	snprintf(path, sizeof(path), "%s/" SHM_TAR, dirs->images);
	argv[3] = path;
	status = run(argv, NULL, TAR_SECONDS);
	if (status)
		return log_refusal(-EIO, "container %s: its /dev/shm could not be saved (tar %s: %d)",
				   c->name, text(c, "/shm"), status);
	return 0;
}

/* ---- restore ---------------------------------------------------------------------- */

static int put_link(const char *dir, const char *name, const char *to)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (unlink(path) < 0 && errno != ENOENT)
		return log_syserr(errno, "cannot remove %s", path);
	return symlink(to, path) < 0 ? log_syserr(errno, "cannot make %s", path) : 0;
}

static int put_links(const struct image_dirs *dirs, const char *dir)
{
	char target[PATH_MAX];
	int err = put_link(dir, "checkpoint", dirs->images);

	snprintf(target, sizeof(target), "%s/restore.log", dirs->work);
	if (!err)
		err = put_link(dir, "restore.log", target);
	snprintf(target, sizeof(target), "%s/" SHM_TAR, dirs->images);
	if (!err && !access(target, F_OK))
		err = put_link(dir, SHM_TAR, target);
	return err;
}

/* Where the one that it joins is now. */
static int new_path(const struct container *c, struct json_object *namespace)
{
	const char *path = podman_text(namespace, "/path"), *type = podman_text(namespace, "/type");
	char pointer[64], now[64];
	const char *file;
	uint64_t pid;
	int err;

	if (!path || !type || strncmp(path, "/proc/", strlen("/proc/")))
		return 0;
	snprintf(pointer, sizeof(pointer), "/joins/%s", type);
	file = text(c, pointer);
	err = file ? file_read_u64(file, &pid) : -ENOENT;
	if (err)
		return log_syserr(-err, "container %s: the one whose %s namespace it joins is not there",
				  c->name, type);
	snprintf(now, sizeof(now), "/proc/%d/ns/%s", (int)pid, strrchr(path, '/') + 1);
	json_object_object_add(namespace, "path", json_object_new_string(now));
	return 0;
}

/* podman itself does this for those alone whose checkpoint is imported. */
static int join_namespaces(const struct container *c, const char *dir)
{
	struct json_object *config, *namespaces = NULL;
	char path[PATH_MAX + 16];
	size_t i;
	int err = 0;

	snprintf(path, sizeof(path), "%s/config.json", dir);
	config = json_object_from_file(path);
	if (!config)
		return log_refusal(-EINVAL, "container %s: %s", c->name, json_util_get_last_err());
	json_pointer_get(config, "/linux/namespaces", &namespaces);
	for (i = 0; !err && namespaces && i < json_object_array_length(namespaces); i++)
		err = new_path(c, json_object_array_get_idx(namespaces, i));
	if (!err && json_object_to_file_ext(path, config, JSON_C_TO_STRING_NOSLASHESCAPE))
		err = log_refusal(-EIO, "container %s: %s", c->name, json_util_get_last_err());
	json_object_put(config);
	return err;
}

/*
 * Each secret is mounted upon a file in a directory of podman's in /run, which is
 * empty again: the runtime makes such files when it creates a container alone.
 */
static int make_secrets(const struct container *c)
{
	_cleanup_free_ char *dir = strdup(text(c, "/pid-file"));
	struct json_object *secrets = NULL;
	const char *name;
	char path[PATH_MAX];
	mode_t mask;
	size_t i;
	int err = 0;

	if (!dir || json_pointer_get(c->engine_data, "/secrets", &secrets))
		return 0;
	*strrchr(dir, '/') = '\0';
	mask = umask(0077);
	err = file_make_dirs(dir);
	umask(mask);
	snprintf(path, sizeof(path), "%s/run/secrets", dir);
	for (i = 0; !err && i < json_object_array_length(secrets); i++) {
		name = podman_text(json_object_array_get_idx(secrets, i), "/Name");
		if (name && !strchr(name, '/'))
			err = file_write(path, name, 0600, "");
	}
	return err;
}

static int before_restore(const struct container *c, const struct image_dirs *dirs,
			  const char *root)
{
	struct json_object *network = NULL;
	char dir[PATH_MAX];
	int err;

	snprintf(dir, sizeof(dir), "%s%s", root, text(c, "/static-dir"));
	err = put_links(dirs, dir);
	if (!err && !json_pointer_get(c->engine_data, "/network", &network))
		err = file_write(dir, "network.status", 0600, json_object_to_json_string(network));
	if (!err && c->after)
		err = join_namespaces(c, dir);
	if (!err)
		err = make_secrets(c);
	return err ? err : runtime_prepare();
}

static const char *home(const struct container *c)
{
	return text(c, "/home");
}

/*
 * Without INVOCATION_ID, since with it podman takes itself for a unit's and gives
 * conmon no cgroup of its own.
 */
static int restore_command(const struct container *c, const struct image_dirs *dirs,
			   const char *action_script, char ***argv)
{
	char *const words[] = {
		"env", "--unset=INVOCATION_ID", "--unset=NOTIFY_SOCKET", "--unset=LISTEN_FDS",
		"CONTAINERS_CONF_OVERRIDE=" RUNTIME_CONF,
		"podman", "container", "restore", "--tcp-established", "--file-locks",
		(char *)text(c, "/id"), NULL,
	};

	(void)dirs;
	(void)action_script;	/* told by CRIU's configuration */
	return strv_extend(argv, words);
}

static int forget_command(const struct container *c, char ***argv)
{
	char *const words[] = { (char *)text(c, "/runtime"), "delete", "--force",
				(char *)text(c, "/id"), NULL };

	return strv_extend(argv, words);
}

static pid_t pid_in(const char *path)
{
	uint64_t pid = 0;

	return path && !file_read_u64(path, &pid) ? (pid_t)pid : 0;
}

static pid_t restored_pid(const struct container *c, const struct image_dirs *dirs)
{
	pid_t pid = pid_in(text(c, "/pid-file"));

	(void)dirs;
	return pid ? pid : log_refusal(-ESRCH, "%s: podman restored it, but left no pid in %s",
				       c->name, text(c, "/pid-file"));
}

static size_t companions(const struct container *c, pid_t *pids, size_t max)
{
	const pid_t found[] = { pid_in(text(c, "/conmon-pid-file")), pid_in(AARDVARK_PID) };
	size_t i, nr = 0;

	for (i = 0; i < sizeof(found) / sizeof(found[0]) && nr < max; i++)
		if (found[i])
			pids[nr++] = found[i];
	return nr;
}

/* The file is named by units as "the one to be removed when this unit stops". */
static int write_cid_file(const struct container *c)
{
	const char *path = text(c, "/cid-file");
	_cleanup_free_ char *dir = path ? strdup(path) : NULL;
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (!slash || strncmp(dir, "/run/", 5))
		return 0;
	*slash = '\0';
	return file_write(dir, slash + 1, 0644, text(c, "/id"));
}

/* Of a network that the runtime has just made (--network none); runtime_run() saw to others. */
static void set_sysctls(const struct container *c, pid_t pid, const char *root)
{
	struct json_object *config;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s/config.json", root, text(c, "/static-dir"));
	config = json_object_from_file(path);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	oci_sysctls_set(config, path);
	json_object_put(config);
}

/* A unit's main process is conmon. */
static int restored(const struct container *c, pid_t pid, const char *root)
{
	const char *unit = text(c, "/unit");
	int err;

	set_sysctls(c, pid, root);
	if (!unit)
		return 0;
	err = write_cid_file(c);
	return err ? err : unit_hand_over(c->name, unit, pid_in(text(c, "/conmon-pid-file")),
			      podman_flag(c->engine_data, "/split") ? "runtime" : NULL);
}

static void not_restored(const struct container *c, const struct image_dirs *dirs)
{
	/* its own start would put another in its place */
	if (text(c, "/unit"))
		unit_hold_back(text(c, "/unit"), dirs->images);
	/* this one starts it anew at the boot; it does so once, so that the last to say so is enough */
	if (podman_flag(c->engine_data, "/restarted"))
		unit_hold_back("podman-restart.service", dirs->images);
}

static bool has_visitors(const struct container *c)
{
	struct json_object *health;

	return json_object_object_get_ex(c->engine_data, "health", &health);
}

static bool always(const struct container *c)
{
	(void)c;
	return true;
}

const struct engine engine_podman = {
	.name = "podman",
	.program = "podman",
	.list = list,
	.check = check,
	.check_together = check_together,
	.before_dumps = podman_before_dumps,
	.after_dumps = podman_after_dumps,
	.dump_command = dump_command,
	.needs_criu_config = true,
	.captured = captured,
	.before_restore = before_restore,
	.home = home,
	.restore_command = restore_command,
	.forget_command = forget_command,
	.restored_pid = restored_pid,
	.restored = restored,
	.not_restored = not_restored,
	.companions = companions,
	.has_visitors = has_visitors,
	.has_host_mounts = always,
	.needs_systemd = always,
	.makes_network = true,
	.owns_cgroup = true,
};
