// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cgroup.h"
#include "common/cgroup_mount.h"
#include "common/cleanup.h"
#include "common/criu_config.h"
#include "common/criu_log.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/hold.h"
#include "common/jobs.h"
#include "common/log.h"
#include "common/network_lock.h"
#include "common/outside_files.h"
#include "common/processes.h"
#include "common/run.h"
#include "common/socket_options.h"
#include "common/store.h"
#include "common/strv.h"
#include "common/timeline.h"
#include "restore/containers.h"
#include "restore/enter_root.h"
#include "restore/overcommit.h"

#define FORGET_SECONDS 30

struct work {
	struct manifest *manifest;
	const struct restore *restore;
	const struct jobs *jobs;
};

struct child {
	const struct restore *restore;
	bool host_mounts;	/* no mount namespace of its own: just the root */
	bool criu_config;	/* CRIU has to be told of our script by its configuration */
	const char *cgroup;	/* leaf to be in while restoring, or NULL */
	const struct container *container;	/* NULL: it gets none of its files */
	const char *extended;	/* its own configuration of CRIU, or NULL */
};

static bool needs_systemd(const struct container *c)
{
	return c->engine->needs_systemd && c->engine->needs_systemd(c);
}

static const char *root_of(const struct restore *restore)
{
	return restore->root ? restore->root : "";
}

/*
 * Engines make cgroups relative to their own: a leaf beside the container's
 * stands in for the place from which it was first started, and is in nobody's
 * way (a cgroup whose controllers are passed on can hold no process itself).
 * Where systemd makes the cgroup, any place will do.
 */
static int leaf_of(const struct container *c, char *path, size_t size)
{
	const char *home = c->engine->home ? c->engine->home(c) : NULL;
	const char *slash = needs_systemd(c) ? NULL : strrchr(c->cgroup, '/');
	int n = home ? snprintf(path, size, CGROUP_ROOT "%s", home) :
		       snprintf(path, size, CGROUP_ROOT "%.*s/rebootless-%s",
				slash ? (int)(slash - c->cgroup) : 0, c->cgroup, c->name);

	return n < 0 || (size_t)n >= size ?
		       log_refusal(-ENAMETOOLONG, "%s: its cgroup's path is too long", c->name) : 0;
}

static int enter_cgroup(const char *path)
{
	char procs[PATH_MAX];
	int err;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	err = file_put(procs, "0");
	return err ? log_syserr(-err, "cannot enter the cgroup %s", path) : 0;
}

static int in_child(void *arg)
{
	const struct child *child = arg;
	int err = child->cgroup ? enter_cgroup(child->cgroup) : 0;

	/* by the mounts that stay: those of the child's own root end with it */
	if (!err && child->container)
		err = outside_files_open(child->container, root_of(child->restore));
	if (!err && child->restore->root)
		err = child->host_mounts ? root_change(child->restore->root) :
					   root_enter(child->restore->root);
	if (!err && child->criu_config)
		err = criu_config_mount(child->restore->root, child->extended);
	return err;
}

/* What an earlier try has left. */
static void clean_work(const struct job *j)
{
	static const char *const names[] = { "pid", "restore.log", "restore.out" };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", j->dirs.work, names[i]);
		unlink(path);
	}
}

static bool has_host_mounts(const struct container *c)
{
	return c->engine->has_host_mounts && c->engine->has_host_mounts(c);
}

/* Where outside_files_open() will have them, for this one alone: CRIU wants all to be open. */
static int write_extended(const struct job *j, char *path, size_t size)
{
	_cleanup_free_ char *lines = outside_files_inherited(j->container);

	snprintf(path, size, "%s/criu.conf", j->dirs.work);
	return lines ? criu_config_extend(path, lines) : -ENOMEM;
}

static pid_t run_engine(struct job *j, const struct work *work, const char *leaf)
{
	const char *script = work->restore->all_or_none ? HOLD_SCRIPT : NULL;
	const struct engine *engine = j->container->engine;
	struct child child = {
		.restore = work->restore,
		.cgroup = leaf,
		.container = j->container,
		.host_mounts = has_host_mounts(j->container),
		.criu_config = !has_host_mounts(j->container) &&
			       (engine->empties_network || (script && engine->needs_criu_config)),
	};
	_cleanup_strv_ char **argv = NULL;
	char output[PATH_MAX], extended[PATH_MAX];
	struct run_options run = {
		.log = work->restore->verbose ? NULL : output,
		.in_child = in_child,
		.arg = &child,
	};
	int err;

	if (j->container->outside_files) {
		err = write_extended(j, extended, sizeof(extended));
		if (err)
			return err;
		child.extended = extended;
		child.criu_config = true;
	}
	if (fault_hit(FAULT_RESTORE_HANG, j->container->name))
		err = strv_split("sleep infinity", &argv);
	else
		err = engine->restore_command(j->container, &j->dirs, script, &argv);
	if (err)
		return err;
	snprintf(output, sizeof(output), "%s/restore.out", j->dirs.work);
	return run_start(argv, &run);
}

/* runc sets the limits first of all, and so does systemd; succeeded() sets them again. */
static void running(struct job *j, void *arg)
{
	(void)arg;
	if (j->container->cgroup && j->container->cgroups)
		cgroup_unthrottle(j->container->cgroup);
}

static void set_error(struct container *c, const char *text)
{
	free(c->error);
	c->error = text ? strdup(text) : NULL;
}

static pid_t start(struct job *j, void *arg)
{
	struct work *work = arg;
	struct container *c = j->container;
	char leaf[PATH_MAX];
	int err;

	/* what came of an earlier try is of no account to answer_all() */
	c->state = CONTAINER_CAPTURED;
	set_error(c, NULL);
	if (fault_hit(FAULT_RESTORE, c->name) ||
	    (work->restore->early && fault_hit(FAULT_EARLY, c->name)))
		return -EIO;
	log_info("restoring %s (%s)", c->name, c->engine->name);
	timeline_stamp(work->restore->store, STAMP_RESTORE, c->name);
	clean_work(j);
	err = leaf_of(c, leaf, sizeof(leaf));
	/* systemd puts the first process into its scope, which may not pass controllers on yet */
	if (!err && c->cgroups && !needs_systemd(c))
		err = cgroup_make(c->cgroups);
	if (!err)
		running(j, arg);
	if (!err)
		err = file_make_dirs(leaf);
	if (!err && c->engine->before_restore)
		err = c->engine->before_restore(c, &j->dirs, root_of(work->restore));
	return err ? err : run_engine(j, work, leaf);
}

/* Processes half made: CRIU's own were killed with it, the restored ones are not its. */
static void kill_cgroup(const struct container *c)
{
	char path[PATH_MAX];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), CGROUP_ROOT "%s/cgroup.kill", c->cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) < 0)
		log_detail("%s: %s", path, strerror(errno));
}

/* Are there processes of another that is restored, or about to be, in its cgroup? */
static bool is_shared(const struct container *c, const struct work *work)
{
	const struct containers *list = &work->manifest->containers;
	const struct container *other;
	const struct job *j;

	for (other = list->container; other < list->container + list->nr; other++)
		if (other != c && other->state == CONTAINER_RESTORED &&
		    cgroup_is_within(other->cgroup, c->cgroup))
			return true;
	for (j = work->jobs->job; j < work->jobs->job + work->jobs->nr; j++)
		if (j->container != c && (j->state == JOB_RUNNING || j->state == JOB_HELD) &&
		    cgroup_is_within(j->container->cgroup, c->cgroup))
			return true;
	return false;
}

/* Where CRIU has come to naming its first process. */
static void kill_own(const struct job *j)
{
	_cleanup_free_ pid_t *pids = NULL;
	char path[PATH_MAX];
	uint64_t pid = 0;
	size_t nr = 0, i;

	snprintf(path, sizeof(path), "%s/pid", j->dirs.work);
	/* of one that was not started it is an older one's */
	if (!j->pid || file_read_u64(path, &pid) || !process_started((pid_t)pid) ||
	    process_descendants((pid_t)pid, &pids, &nr))
		return;
	for (i = 0; i < nr; i++)
		kill(pids[i], SIGKILL);
}

/* What a failed restore has left, so that it can be tried again. */
static void clear_away(const struct job *j, const struct work *work)
{
	const struct container *c = j->container;
	struct child child = { .restore = work->restore };
	_cleanup_strv_ char **argv = NULL;
	char output[PATH_MAX];
	struct run_options run_options = { .log = output, .in_child = in_child, .arg = &child };

	/* in an initramfs there is nobody else but what else is restored */
	if (c->engine->owns_cgroup || (work->restore->root && !is_shared(c, work)))
		kill_cgroup(c);
	else
		kill_own(j);
	if (!c->engine->forget_command || c->engine->forget_command(c, &argv) < 0)
		return;
	snprintf(output, sizeof(output), "%s/forget.out", j->dirs.work);
	run(argv, &run_options, FORGET_SECONDS);
}

void container_failed(struct container *c, const char *store, const char *why)
{
	struct image_dirs dirs;

	set_error(c, why);
	c->state = CONTAINER_FAILED;
	if (c->engine->not_restored &&
	    !container_dir(store, c->name, "images", dirs.images, sizeof(dirs.images)) &&
	    !container_dir(store, c->name, "work", dirs.work, sizeof(dirs.work)))
		c->engine->not_restored(c, &dirs);
}

static void failed(struct job *j, const struct work *work)
{
	struct container *c = j->container;
	char words[600], text[800];

	criu_log_words(j->dirs.work, "restore", words, sizeof(words));
	if (j->status == -ETIMEDOUT)
		snprintf(text, sizeof(text), "not restored within %u s (restore-timeout); CRIU says: %s",
			 work->manifest->restore_timeout, words);
	else if (j->status < 0)
		snprintf(text, sizeof(text), "its restore could not be started: %s",
			 strerror(-j->status));
	else
		snprintf(text, sizeof(text), "%s ended with status %d: %s",
			 c->engine->program, j->status, words);
	log_error("container %s: %s; its images are kept", c->name, text);
	clear_away(j, work);
	container_failed(c, work->restore->store, text);
}

void container_spare(const struct container *c, bool spare)
{
	pid_t pids[COMPANIONS_MAX];
	size_t nr = c->engine->companions ? c->engine->companions(c, pids, COMPANIONS_MAX) : 0, i;
	char *cgroup;

	for (i = 0; i < nr; i++) {
		cgroup = NULL;
		if (!cgroup_of(pids[i], &cgroup) && strcmp(cgroup, "/"))
			spare ? cgroup_spare(cgroup) : cgroup_unspare(cgroup);
		free(cgroup);
	}
	spare ? cgroup_spare(c->cgroup) : cgroup_unspare(c->cgroup);
}

static int succeeded(struct job *j, const struct work *work)
{
	struct container *c = j->container;
	pid_t pid = c->engine->restored_pid(c, &j->dirs);

	if (pid < 0)
		return pid;
	if (kill(pid, 0) < 0)
		return log_syserr(errno, "container %s: its first process, %d", c->name, (int)pid);
	timeline_stamp(work->restore->store, STAMP_RESTORED, c->name);
	c->pid = pid;
	c->started = process_started(pid);
	c->state = CONTAINER_RESTORED;
	set_error(c, NULL);
	if (c->cgroups && (!needs_systemd(c) || !cgroup_make(c->cgroups)))
		cgroup_apply(c->cgroups);
	if (work->restore->root) {
		container_spare(c, true);
		cgroup_hold_controllers(c->cgroups);
	}
	if (c->engine->restored)
		c->engine->restored(c, pid, root_of(work->restore));
	log_info("restored %s", c->name);
	return 0;
}

static void remove_leaf(const struct container *c)
{
	char leaf[PATH_MAX];

	if (!leaf_of(c, leaf, sizeof(leaf)))
		rmdir(leaf);
}

static void event(struct job *j, void *arg)
{
	struct work *work = arg;

	/* it has not run yet, and is taken away with the others */
	if (j->state == JOB_HELD && fault_hit(FAULT_RESTORE_FAIL, j->container->name)) {
		hold_answer(&j->held, false);
		j->state = JOB_FAILED;
		j->status = 1;
	}
	if (j->state == JOB_HELD)
		return;
	if (j->state == JOB_DONE && fault_hit(FAULT_RESTORE_FAIL, j->container->name)) {
		j->state = JOB_FAILED;
		j->status = 1;
	}
	if (j->state == JOB_DONE && succeeded(j, work) < 0) {
		j->state = JOB_FAILED;
		j->status = -ESRCH;
	}
	if (j->state == JOB_FAILED)
		failed(j, work);
	remove_leaf(j->container);
	manifest_write(work->restore->store, work->manifest);
}

/* Those that are to be restored, by name; NULL-ended. */
static int select_some(const struct manifest *m, char *const *only, char ***names)
{
	const struct container *c;
	char *const *name;
	int err = 0;

	for (name = only; name && *name; name++)
		if (!containers_find(&m->containers, *name))
			return log_refusal(-ENOENT, "the update carries no container %s", *name);
	for (c = m->containers.container; !err && c < m->containers.container + m->containers.nr; c++)
		if (container_is_kept(c) && (!only || strv_has(only, c->name)))
			err = strv_add(names, c->name);
	return err;
}

/* All were held: let them go, or take them away; then look at each. */
static int answer_all(struct jobs *jobs, struct work *work, bool go_on)
{
	struct job *j;
	int err = go_on ? 0 : -ECANCELED;

	jobs_answer(jobs, go_on);
	for (j = jobs->job; j < jobs->job + jobs->nr; j++) {
		if (j->container->state == CONTAINER_FAILED)
			continue;
		if (go_on)
			event(j, work);
		if (go_on && j->state == JOB_FAILED)
			err = -ECANCELED;
		if (!go_on) {
			clear_away(j, work);
			remove_leaf(j->container);
		}
	}
	return err;
}

int restore_containers(struct manifest *m, char *const *only, const struct restore *restore)
{
	struct work work = { .manifest = m, .restore = restore };
	_cleanup_jobs_ struct jobs jobs = {
		.parallel = m->parallel,
		.seconds = m->restore_timeout,
		.hold = restore->all_or_none ? "post-restore" : NULL,
		.stop_at_failure = restore->all_or_none,
		.start = start,
		.running = running,
		.event = event,
		.arg = &work,
	};
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *options = NULL;
	int err = select_some(m, only, &names), overcommit;
	size_t i;

	if (!err && !names)
		log_info("there is nothing to restore: no container%s waits for it",
			 only ? " of these" : "");
	if (err || !names)
		return err;
	err = jobs_make(&jobs, &m->containers, names, restore->store);
	if (!err)
		err = criu_config_write(restore->root ? restore->root : "",
					"action-script " HOLD_SCRIPT "\n");
	if (err)
		return err;
	work.jobs = &jobs;
	options = cgroup_options();
	overcommit = overcommit_allow();
	err = jobs_run(&jobs);
	if (restore->all_or_none)
		err = answer_all(&jobs, &work, !err);
	overcommit_set(overcommit);
	/* else whoever unlocks it does that */
	for (i = 0; !network_is_locked() && i < jobs.nr; i++)
		socket_options_set(jobs.job[i].container);
	cgroup_allow_memory(store_bytes());
	cgroup_set_options(options);
	criu_config_remove();
	return err;
}
