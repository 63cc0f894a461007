// SPDX-License-Identifier: GPL-2.0
/*
 * rebootless restore, commit, settle - what is done in the new kernel's real root.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commit.h"
#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/network_lock.h"
#include "common/network_tables.h"
#include "common/processes.h"
#include "common/run.h"
#include "common/socket_options.h"
#include "common/store.h"
#include "common/strv.h"
#include "common/timeline.h"
#include "common/unit.h"
#include "host.h"
#include "rebootless.h"
#include "restore/containers.h"
#include "state.h"

/* while the system starts, systemd may take long to answer */
#define SYSTEMCTL_SECONDS 180

struct options {
	bool all;
	bool force;
	char *const *names;
};

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "force", no_argument, NULL, 'f' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	*o = (struct options){ 0 };
	while ((c = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			o->all = true;
			break;
		case 'f':
			o->force = true;
			break;
		case 'v':
			log_set_verbose(true);
			break;
		default:
			return CMD_USAGE;
		}
	}
	o->names = argv + optind;
	return 0;
}

/* The update that came into this kernel. */
static int open_update(struct manifest *m, int *lock)
{
	int err;

	if (geteuid() != 0)
		return log_refusal(-EPERM, "only root can do this");
	*lock = state_lock();
	if (*lock < 0)
		return *lock;
	err = store_take_over();
	if (!err)
		err = manifest_read(STORE_DIR, m);
	/* one that was given up, or whose rebootless died, has not: its containers run here */
	if (err == -ENOENT || (!err && host_is_this_boot(m->boot)))
		return log_refusal(-ENOENT, "no update has come into this kernel");
	return err;
}

/* The update's own is for what runs by itself, and once: by hand it is to succeed. */
static int take_fault(struct manifest *m)
{
	int err = m->fault ? fault_set(m->fault) : 0;

	if (err || !m->fault)
		return err;
	free(m->fault);
	m->fault = NULL;
	return manifest_write(STORE_DIR, m);
}

/*
 * A container of that name that was started in its place would make the restore
 * fail, and go with what the failed one has left.
 */
static int check_free(const struct container *c)
{
	_cleanup_(containers_free) struct containers running = { 0 };
	int err = c->engine->list(&(struct config){ 0 }, &running);

	if (!err && containers_find(&running, c->name))
		err = log_refusal(-EEXIST,
				  "a container %s runs here: %s to restore the one of the update, or give that one up with `rebootless commit --force`",
				  c->name, c->engine == &engine_podman ?
				  "stop it (for podman it is the same one: do not remove it)" :
				  "stop and delete it");
	return err;
}

/* A unit that runs would go on with what it has started, and not take the restored over. */
static int check_unit_free(const struct container *c)
{
	const char *unit = container_unit(c);

	if (!unit || !unit_runs(unit))
		return 0;
	return log_refusal(-EEXIST,
			   "unit %s has been started here anew: `systemctl stop %s` to restore %s of the update, or give that one up with `rebootless commit --force`",
			   unit, unit, c->name);
}

static int check_all_free(const struct manifest *m, char *const *only)
{
	const struct container *c;
	int err = 0;

	for (c = m->containers.container;
	     !err && c < m->containers.container + m->containers.nr; c++)
		if (container_is_kept(c) && (!only || strv_has(only, c->name)))
			err = c->engine->owns_cgroup ? check_free(c) : check_unit_free(c);
	return err;
}

int cmd_commit(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	_cleanup_store_log_ int log = -1;
	_cleanup_close_ int lock = -1;
	struct options o;
	int err = parse(argc, argv, &o);

	if (!err && (o.all || o.names[0])) {
		log_error("commit takes no argument but --force");
		return CMD_USAGE;
	}
	if (!err)
		err = open_update(&m, &lock);
	if (err)
		return err;
	log = store_log_open();
	return commit(&m, o.force);
}

/* What was written before there was a journal; standard output is the journal. */
static void tell_journal(void)
{
	_cleanup_fclose_ FILE *f = fopen(STORE_DIR "/log", "re");
	char line[1100];

	while (f && fgets(line, sizeof(line), f))
		fputs(line, stdout);
	fflush(stdout);
}

/*
 * What systemd may have taken from them at its start is set again. Returns whether
 * every container runs.
 */
static bool settle_cgroups(const struct manifest *m)
{
	const struct container *c;
	bool all = true;

	for (c = m->containers.container; c < m->containers.container + m->containers.nr; c++) {
		if (c->state != CONTAINER_RESTORED && c->state != CONTAINER_RUNNING)
			all = false;
		if (c->state != CONTAINER_RESTORED)
			continue;
		container_spare(c, false);
		if (c->cgroups && !cgroup_make(c->cgroups))
			cgroup_apply(c->cgroups);
	}
	for (c = m->containers.container; c < m->containers.container + m->containers.nr; c++)
		cgroup_let_controllers_go(c->cgroups);
	return all;
}

/*
 * What the switch to the real root has killed must not lose its images as well. One
 * that ended by itself by now looks the same: its images are for somebody to decide
 * upon. Later ends are its own affair.
 */
static bool find_lost(struct manifest *m)
{
	struct container *c;
	bool any = false;
	char text[256];

	for (c = m->containers.container; c < m->containers.container + m->containers.nr; c++) {
		if (c->state != CONTAINER_RESTORED || !c->started)
			continue;
		if (process_started(c->pid) != c->started) {
			snprintf(text, sizeof(text),
				 "it was restored, but its first process, %d, ended before the system was up, by itself or killed at the switch to the real root",
				 (int)c->pid);
			log_error("container %s: %s; its images are kept until `rebootless restore %s` or `rebootless commit --force`",
				  c->name, text, c->name);
			container_failed(c, STORE_DIR, text);
			any = true;
		}
		c->started = 0;
	}
	return any;
}

static int systemctl(const char *verb, const char *unit)
{
	char *argv[] = { "systemctl", (char *)verb, (char *)unit, NULL };

	return run(argv, NULL, SYSTEMCTL_SECONDS);
}

/*
 * systemd may start it later, when all is up that it waits for. Until it has taken
 * its process over it needs the drop-in, which would keep the start after that one
 * from being its own.
 */
static void release_later(const char *unit, const char *drop_in)
{
	static const char script[] =
		"systemctl is-active --quiet \"$1\" && rm -f \"$2\" && systemctl daemon-reload";
	_cleanup_strv_ char **argv = NULL;
	char *const head[] = { "systemd-run", "--quiet", "--collect", "--no-block",
			       "--property=Type=oneshot", NULL };
	char *const tail[] = { "/bin/sh", "-c", (char *)script, "sh", (char *)unit, (char *)drop_in,
			       NULL };
	int err = strv_extend(&argv, head);

	if (!err)
		err = strv_addf(&argv, "--property=After=%s", unit);
	if (!err)
		err = strv_extend(&argv, tail);
	if (!err)
		run(argv, NULL, SYSTEMCTL_SECONDS);
}

/*
 * Units of those that were restored, which have or have not been started by now:
 * started, each has taken its process over, and the drop-in that told it to is not
 * needed any more. Where there is none, that was so before.
 */
static void settle_units(const struct manifest *m)
{
	const struct container *c;
	const char *unit;
	char path[512];
	bool any = false;

	for (c = m->containers.container; c < m->containers.container + m->containers.nr; c++) {
		unit = container_unit(c);
		if (container_is_kept(c) || !unit)
			continue;
		snprintf(path, sizeof(path), "/run/systemd/system/%s.d/" UNIT_DROP_IN, unit);
		if (access(path, F_OK) < 0)
			continue;
		if (systemctl("start", unit)) {
			log_warning("%s runs, but unit %s has not taken it over yet: it does when it starts (`rebootless restore --all` tries again); %s is for that",
				    c->name, unit, path);
			release_later(unit, path);
			continue;
		}
		any |= !unlink(path);
	}
	if (any)
		systemctl("daemon-reload", NULL);
}

/* What the setting `commit` asks for once all containers run. */
static int commit_if_all(struct manifest *m, bool all)
{
	return all && m->commit_auto ? commit(m, false) : 0;
}

int cmd_restore(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	_cleanup_store_log_ int log = -1;
	_cleanup_close_ int lock = -1;
	struct options o;
	int err = parse(argc, argv, &o);

	if (!err && (o.force || o.all == !!o.names[0])) {
		log_error("restore: expected names of containers, or --all");
		return CMD_USAGE;
	}
	if (!err)
		err = open_update(&m, &lock);
	if (err)
		return err;
	log = store_log_open();
	err = check_all_free(&m, o.all ? NULL : o.names);
	if (err)
		return err;
	err = restore_containers(&m, o.all ? NULL : o.names,
				 &(struct restore){ .store = STORE_DIR,
						    .verbose = log_is_verbose() });
	/* systemd has to see the drop-ins first, which on a boot are there before it */
	systemctl("daemon-reload", NULL);
	settle_units(&m);
	engines_after_dumps(&m.containers);
	if (err)
		return err;
	return commit_if_all(&m, settle_cgroups(&m));
}

/*
 * Called by rebootless.service once the real root is up. The mark that spared
 * the containers at the switch goes: at the next shutdown they end like all others.
 */
int cmd_settle(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	_cleanup_store_log_ int log = -1;
	_cleanup_close_ int lock = -1;
	bool all;
	size_t i;
	int err;

	(void)argv;
	if (argc != 1) {
		log_error("settle takes no argument");
		return CMD_USAGE;
	}
	err = open_update(&m, &lock);
	if (!err)
		err = take_fault(&m);
	if (err)
		return err;
	tell_journal();
	log = store_log_open();
	if (fault_hit(FAULT_SETTLE, NULL))
		return -EIO;
	/* for an initramfs that did not come to it */
	network_unlock();
	/* a firewall that has been set up meanwhile may have begun with taking all tables away */
	if (m.network)
		network_tables_make(m.network);
	/* units that wait now for a restore */
	if (find_lost(&m))
		systemctl("daemon-reload", NULL);
	settle_units(&m);
	for (i = 0; i < m.containers.nr; i++)
		socket_options_set_late(&m.containers.container[i]);
	cgroup_allow_memory(store_bytes());
	engines_after_dumps(&m.containers);
	all = settle_cgroups(&m);
	manifest_write(STORE_DIR, &m);
	timeline_stamp(STORE_DIR, STAMP_SETTLED, NULL);
	if (!all)
		log_error("not all containers are restored: see `rebootless status`");
	return commit_if_all(&m, all);
}
