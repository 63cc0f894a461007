// SPDX-License-Identifier: GPL-2.0
/*
 * Capturing. Engines that steer CRIU themselves are told nothing of the hold:
 * CRIU learns of it from its configuration file, over which ours is mounted in
 * a mount namespace that only the dump sees, so that nothing is left behind.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "checkpoint/check_system.h"
#include "common/cgroup_mount.h"
#include "common/cleanup.h"
#include "common/criu_config.h"
#include "common/criu_log.h"
#include "common/deadline.h"
#include "common/fault.h"
#include "common/hold.h"
#include "common/log.h"
#include "common/outside_files.h"
#include "common/run.h"
#include "common/store.h"
#include "common/strv.h"
#include "common/timeline.h"
#include "dump.h"
#include "dump_undo.h"
#include "vdso.h"

#define PLUGIN_DIR LIBEXECDIR "/criu"	/* of criu-plugin.c alone */
/* A thread that does nothing but ask for the time stands there two times out of three. */
#define VDSO_TRIES 20

static int mount_criu_config(void *arg)
{
	(void)arg;
	return criu_config_mount(false, NULL);
}

/* What a dump that was refused has left there is of another moment. */
static int empty(const char *dir)
{
	int err = store_remove(dir);

	if (!err && mkdir(dir, 0700) < 0)
		err = log_syserr(errno, "cannot make %s", dir);
	return err;
}

static pid_t start(struct job *j, void *arg)
{
	struct dump *dump = arg;
	const struct engine *engine = j->container->engine;
	_cleanup_strv_ char **argv = NULL;
	char output[PATH_MAX];
	struct run_options run = {
		.log = output,
		.in_child = engine->needs_criu_config ? mount_criu_config : NULL,
	};
	int err;

	if (fault_hit(FAULT_DUMP, j->container->name))
		return -EIO;
	if (fault_hit(FAULT_DUMP_HANG, j->container->name))
		err = strv_split("sleep infinity", &argv);
	else
		err = engine->dump_command(j->container, &j->dirs, &dump->options, &argv);
	if (!err && j->again)
		err = empty(j->dirs.images);
	if (err)
		return err;
	snprintf(output, sizeof(output), "%s/dump.out", j->dirs.work);
	if (!j->again)
		log_info("freezing %s (%s)", j->container->name, engine->name);
	timeline_stamp(dump->store, STAMP_FREEZE, j->container->name);
	return run_start(argv, &run);
}

/*
 * Whether it is frozen where it can be restored; after too many tries it fails. All
 * others stay frozen meanwhile, but a try costs little: mostly CRIU has saved nothing yet.
 */
static bool look(struct job *j, void *arg)
{
	const char *name = j->container->name;
	struct vdso_thread t = { 0 };

	(void)arg;
	if (!fault_hit(FAULT_IN_VDSO, name) && vdso_find(j->container, &t) != 1)
		return true;
	log_detail("container %s: thread %d of process %d stands in the vDSO, at %lx; tried again",
		   name, (int)t.tid, (int)t.pid, t.ip);
	if (j->again + 1 == VDSO_TRIES)
		log_error("container %s: frozen %d times, and each time a thread was just reading the clock (the last one thread %d of process %d, in the vDSO), where it cannot be restored: try again when it has less to do",
			  name, VDSO_TRIES, (int)t.tid, (int)t.pid);
	return false;
}

static void say_why(const struct job *j)
{
	const char *name = j->container->name;
	char text[700];

	criu_log_words(j->dirs.work, "dump", text, sizeof(text));
	if (j->status == -ETIMEDOUT)
		log_error("container %s: not captured in time (dump-timeout); CRIU says: %s", name, text);
	else if (j->status < 0)
		log_error("container %s: its dump could not be started", name);
	else
		log_error("container %s: %s ended with status %d without having captured it: %s",
			  name, j->container->engine->program, j->status, text);
}

static void event(struct job *j, void *arg)
{
	struct dump *dump = arg;

	const struct engine *engine = j->container->engine;

	if (j->state == JOB_HELD && fault_hit(FAULT_DUMP_STUCK, j->container->name)) {
		/* nobody has seen it come, and its time is over */
		j->state = JOB_RUNNING;
		j->deadline = deadline_now();
		return;
	}
	if (j->state == JOB_HELD && !fault_hit(FAULT_DUMP_EXIT, j->container->name)) {
		if (engine->captured && engine->captured(j->container, &j->dirs)) {
			hold_answer(&j->held, false);
			j->state = JOB_FAILED;
			return;
		}
		timeline_stamp(dump->store, STAMP_CAPTURED, j->container->name);
		log_info("captured %s", j->container->name);
		j->container->state = CONTAINER_CAPTURED;
		return;
	}
	hold_answer(&j->held, false);
	/* whatever it ended with: it should not have ended */
	j->state = JOB_FAILED;
	say_why(j);
}

static int write_criu_config(const struct dump_options *options, const struct containers *list)
{
	_cleanup_free_ char *lines = NULL;
	size_t size;
	FILE *to = open_memstream(&lines, &size);

	if (!to)
		return log_syserr(ENOMEM, "cannot write CRIU's configuration");
	fprintf(to, "action-script %s\nnetwork-lock nftables\nghost-limit %llu\nlink-remap\ntimeout %u\n%s%s\n",
		options->action_script, (unsigned long long)options->ghost_limit,
		options->freeze_seconds, options->plugins ? "libdir " : "", options->plugins ? options->plugins : "");
	outside_files_external(list, to);
	return fclose(to) ? log_syserr(ENOMEM, "cannot write CRIU's configuration") :
			    criu_config_write("", lines);
}

/* NULL: CRIU is too old, or it was not installed; then calls that sleep end with EINTR. */
static const char *plugins(void)
{
	if (!criu_has_plugins())
		return NULL;
	if (!access(PLUGIN_DIR "/rebootless.so", R_OK))
		return PLUGIN_DIR;
	log_warning(PLUGIN_DIR "/rebootless.so is not there: system calls that sleep will end with EINTR; `make install` brings it");
	return NULL;
}

void dump_prepare(struct dump *dump)
{
	dump->options.plugins = plugins();
}

int dump_all(struct dump *dump, struct containers *list, const struct config *config,
	     const char *store)
{
	int err;

	dump->store = store;
	dump->cgroup_options = cgroup_options();
	dump->options.action_script = HOLD_SCRIPT;
	dump->options.ghost_limit = config->ghost_limit;
	/* CRIU's own limit is ten seconds; it is to give up before it is killed, and leaves less behind */
	dump->options.freeze_seconds = config->dump_timeout - config->dump_timeout / 4;
	dump->jobs = (struct jobs){
		.parallel = config->parallel ? config->parallel :
					       (unsigned int)sysconf(_SC_NPROCESSORS_ONLN),
		.seconds = config->dump_timeout,
		.dependents_first = true,
		.stop_at_failure = true,
		.hold = "post-dump",
		.tries = VDSO_TRIES,
		.look = look,
		.start = start,
		.event = event,
		.arg = dump,
	};
	err = write_criu_config(&dump->options, list);
	if (!err)
		err = jobs_make(&dump->jobs, list, NULL, store);
	if (!err)
		err = jobs_run(&dump->jobs);
	if (!err && fault_hit(FAULT_HELD, NULL))
		err = -EIO;
	if (err)
		dump_abort(dump);
	return err;
}

void dump_abort(struct dump *dump)
{
	size_t i;

	jobs_answer(&dump->jobs, false);
	for (i = 0; i < dump->jobs.nr; i++) {
		/* one that was killed, or died, has not undone what it did */
		if (dump->jobs.job[i].state == JOB_FAILED)
			dump_undo(dump->jobs.job[i].container);
		dump->jobs.job[i].container->state = CONTAINER_RUNNING;
		/* pages that it holds cannot be reclaimed when the limit of memory is set again */
		store_remove(dump->jobs.job[i].dirs.images);
	}
	cgroup_set_options(dump->cgroup_options);
}

void dump_free(struct dump *dump)
{
	jobs_free(&dump->jobs);
	free(dump->cgroup_options);
	criu_config_remove();
}
