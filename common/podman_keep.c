// SPDX-License-Identifier: GPL-2.0
/*
 * What podman is asked for around the dumps.
 *
 * The keeper: a container that is never started, and requires all that were run
 * with --rm. podman, finding that the machine was started anew, removes those of
 * --rm that do not run; one that another requires it does not remove.
 *
 * Healthchecks: timers of systemd run them. They rest while containers are held,
 * and are set up anew in the new kernel, as podman does it when it starts a
 * container, but not when it restores one.
 */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/deadline.h"
#include "common/engine.h"
#include "common/file.h"
#include "common/log.h"
#include "common/podman.h"
#include "common/run.h"
#include "common/strv.h"

#define KEEPER "rebootless-keeper"
/* On a disk: podman looks for it whenever it looks at the keeper. */
#define KEEPER_ROOT "/var/lib/rebootless/keeper"
#define TRANSIENT_DIR "/run/systemd/transient"
/* of podman and systemd, which have much to do while the system starts */
#define ASK_SECONDS 180

static bool is_kept(const struct container *c)
{
	return c->engine == &engine_podman && podman_flag(c->engine_data, "/auto-remove");
}

static void remove_keeper(void)
{
	char *argv[] = { "podman", "rm", "--ignore", KEEPER, NULL };
	const struct run_options quiet = { .log = "/dev/null" };

	if (access(KEEPER_ROOT, F_OK) < 0)
		return;
	if (run(argv, &quiet, ASK_SECONDS))
		log_warning("podman's container %s could not be removed: `podman rm %s`", KEEPER, KEEPER);
	else
		rmdir(KEEPER_ROOT);
}

static int make_keeper(const struct containers *all)
{
	char *const head[] = { "podman", "create", "--name", KEEPER, "--network", "none", NULL };
	char *const tail[] = { "--rootfs", KEEPER_ROOT, "/none", NULL };
	const struct run_options quiet = { .log = "/dev/null" };
	_cleanup_strv_ char **argv = NULL;
	const struct container *c;
	bool any = false;
	int err = strv_extend(&argv, head);

	for (c = all->container; !err && c < all->container + all->nr; c++) {
		if (!is_kept(c))
			continue;
		any = true;
		err = strv_addf(&argv, "--requires=%s", podman_text(c->engine_data, "/id"));
	}
	if (err || !any)
		return err;
	/* of one that was killed */
	remove_keeper();
	err = file_make_dirs(KEEPER_ROOT);
	if (!err)
		err = strv_extend(&argv, tail);
	if (err)
		return err;
	err = run(argv, &quiet, ASK_SECONDS);
	return err ? log_refusal(-EIO, "podman did not make the container %s, which protects those of --rm (status %d)",
				 KEEPER, err) : 0;
}

/* ---- healthchecks ------------------------------------------------------------------- */

/* One that runs is a process in the container that is none of its own. */
static void wait_for_check(const char *unit)
{
	char service[300];
	char *argv[] = { "systemctl", "is-active", "--quiet", service, NULL };
	int64_t deadline = deadline_in(ASK_SECONDS);

	snprintf(service, sizeof(service), "%s.service", unit);
	while (!run(argv, NULL, ASK_SECONDS) && deadline_now() < deadline)
		usleep(100000);
}

/* One that found the container ill is kept by systemd, and its name with it, which we need. */
static void forget_failure(const char *unit)
{
	static const struct run_options quiet = { .log = "/dev/null" };
	char service[300];
	char *argv[] = { "systemctl", "reset-failed", service, NULL };

	snprintf(service, sizeof(service), "%s.service", unit);
	/* most have not failed, and are not there any more */
	run(argv, &quiet, ASK_SECONDS);
}

/* podman names the timer by the container's id and, from 5.3 on, a random number. */
static int stop_timer(const struct container *c, struct json_object *health)
{
	char *argv[] = { "systemctl", "stop", NULL, NULL, NULL };
	char pattern[256], *name, *dot;
	glob_t found = { 0 };
	int err = 0;

	snprintf(pattern, sizeof(pattern), TRANSIENT_DIR "/%s*.timer",
		 podman_text(c->engine_data, "/id"));
	if (!glob(pattern, 0, NULL, &found)) {
		name = basename(found.gl_pathv[0]);
		argv[2] = name;
		if (run(argv, NULL, ASK_SECONDS))
			err = log_refusal(-EIO, "container %s: the timer of its healthcheck, %s, could not be stopped",
					  c->name, name);
		dot = strrchr(name, '.');
		*dot = '\0';
		wait_for_check(name);
		forget_failure(name);
		json_object_object_add(health, "unit", json_object_new_string(name));
	}
	globfree(&found);
	return err;
}

static void start_timer(const struct container *c, struct json_object *health, const char *unit)
{
	const char *id = podman_text(c->engine_data, "/id");
	struct json_object *seconds = NULL;
	_cleanup_strv_ char **argv = NULL;
	char service[300];
	char *start[] = { "systemctl", "start", "--no-block", service, NULL };
	char *const check[] = { "--timer-property=AccuracySec=1s", "/usr/bin/podman", "healthcheck",
				"run", (char *)id, NULL };
	int err;

	json_object_object_get_ex(health, "seconds", &seconds);
	snprintf(service, sizeof(service), "%s.service", unit);
	err = strv_add(&argv, "systemd-run");
	if (!err)
		err = strv_add(&argv, "--quiet");
	if (!err)
		err = strv_add(&argv, "--property=LogLevelMax=notice");
	if (!err)
		err = strv_addf(&argv, "--unit=%s", unit);
	if (!err)
		err = strv_addf(&argv, "--on-unit-inactive=%" PRId64 "s", json_object_get_int64(seconds));
	if (!err)
		err = strv_extend(&argv, check);
	/* the first one starts the timer */
	if (err || run(argv, NULL, ASK_SECONDS) || run(start, NULL, ASK_SECONDS))
		log_warning("container %s: its healthcheck could not be started again; `podman healthcheck run %s` runs it by hand",
			    c->name, c->name);
}

static struct json_object *health_of(const struct container *c)
{
	struct json_object *health = NULL;

	if (c->engine == &engine_podman)
		json_object_object_get_ex(c->engine_data, "health", &health);
	return health;
}

int podman_before_dumps(const struct containers *all)
{
	const struct container *c;
	int err = make_keeper(all);

	for (c = all->container; !err && c < all->container + all->nr; c++)
		if (health_of(c))
			err = stop_timer(c, health_of(c));
	if (err)
		podman_after_dumps(all);
	return err;
}

void podman_after_dumps(const struct containers *all)
{
	const struct container *c;
	struct json_object *health;
	const char *unit;
	bool waiting = false;

	for (c = all->container; c < all->container + all->nr; c++) {
		waiting |= is_kept(c) && container_is_kept(c);
		health = health_of(c);
		unit = health ? podman_text(health, "/unit") : NULL;
		if (!unit || container_is_kept(c))
			continue;
		/* one that was restored is for podman one without a number */
		if (c->state == CONTAINER_RESTORED)
			unit = podman_text(c->engine_data, "/id");
		start_timer(c, health, unit);
		json_object_object_del(health, "unit");
	}
	if (!waiting)
		remove_keeper();
}
