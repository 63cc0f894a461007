// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/path.h"
#include "common/processes.h"
#include "common/run.h"
#include "common/strv.h"
#include "service_owners.h"

#define ASK_SECONDS 30

/* What systemd says of one service. */
struct shown {
	char *id;
	pid_t main;
	char **takes_along;	/* units that it stops when they hear that this one is to stop */
};

static bool owns(const char *unit, const struct containers *list, char *const *cgroups)
{
	const char *named;
	size_t i;

	/* by which it looks after a container from outside of its cgroup */
	for (i = 0; i < list->nr; i++) {
		named = container_unit(&list->container[i]);
		if (named && !strcmp(named, unit))
			return true;
	}
	for (; cgroups && *cgroups; cgroups++)
		if (path_find(*cgroups, unit))
			return true;
	return false;
}

static bool is_main_of(pid_t pid, const struct containers *list)
{
	size_t i;

	for (i = 0; pid > 0 && i < list->nr; i++)
		if (list->container[i].pid == pid)
			return true;
	return false;
}

/* ---- what systemd says --------------------------------------------------------------- */

static void shown_free(struct shown *all, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		free(all[i].id);
		strv_free(all[i].takes_along);
	}
	free(all);
}

static int take_words(char *words, char ***list)
{
	char *word, *rest = NULL;
	int err = 0;

	for (word = strtok_r(words, " ", &rest); !err && word; word = strtok_r(NULL, " ", &rest))
		err = strv_add(list, word);
	return err;
}

static int take_line(char *line, struct shown *one)
{
	char *value = strchr(line, '=');

	if (!value)
		return 0;
	*value++ = '\0';
	if (!strcmp(line, "MainPID"))
		one->main = atoi(value);
	else if (strcmp(line, "Id"))
		return take_words(value, &one->takes_along);
	else if (!one->id)
		one->id = strdup(value);
	return 0;
}

/* Units are parted by an empty line. At most `room` of them. */
static int parse(char *text, struct shown *all, size_t room, size_t *nr)
{
	char *line;
	int err = 0;

	while (!err && *nr < room && (line = strsep(&text, "\n"))) {
		if (*line)
			err = take_line(line, &all[*nr]);
		else if (all[*nr].id)
			++*nr;
	}
	if (!err && *nr < room && all[*nr].id)
		++*nr;
	return err;
}

/* ---- which are spared ---------------------------------------------------------------- */

static bool takes_along_one(const struct shown *s, const struct containers *list, char *const *cgroups,
			    char *const *spared)
{
	char *const *unit;

	for (unit = s->takes_along; unit && *unit; unit++)
		if (owns(*unit, list, cgroups) || strv_has(spared, *unit))
			return true;
	return false;
}

static void take_out(char **units, const char *unit)
{
	char **to = units;

	for (; *units; units++) {
		if (strcmp(*units, unit))
			*to++ = *units;
		else
			free(*units);
	}
	*to = NULL;
}

int service_owners_spare_shown(const struct containers *list, char *const *cgroups, char *text,
			       char **units)
{
	size_t room = strv_count(units), nr = 0, i;
	struct shown *all = calloc(room + 1, sizeof(*all)), *s;
	_cleanup_strv_ char **spared = NULL;
	bool again = true;
	int err;

	if (!all)
		return log_syserr(ENOMEM, "cannot look at %zu services", room);
	err = parse(text, all, room, &nr);
	/* what takes along one that takes along one ... */
	while (!err && again)
		for (again = false, i = 0; !err && i < nr; i++) {
			s = &all[i];
			if (strv_has(spared, s->id) ||
			    !(owns(s->id, list, cgroups) || is_main_of(s->main, list) ||
			      takes_along_one(s, list, cgroups, spared)))
				continue;
			err = strv_add(&spared, s->id);
			again = true;
		}
	for (i = 0; !err && spared && spared[i]; i++) {
		log_detail("%s is not stopped: containers have to do with it", spared[i]);
		take_out(units, spared[i]);
	}
	shown_free(all, room);
	return err;
}

/* ---- where containers come from ------------------------------------------------------ */

/* One that has ended is nowhere. */
static int add_cgroup_of(pid_t pid, char ***cgroups)
{
	_cleanup_free_ char *cgroup = NULL;

	if (pid <= 1 || !process_parent(pid))
		return 0;
	return cgroup_of(pid, &cgroup) ? 0 : strv_add(cgroups, cgroup);
}

/* Its own, those of whoever started it and waits for it, and of who looks after it. */
static int add_cgroups(const struct container *c, char ***cgroups)
{
	pid_t pids[COMPANIONS_MAX], pid;
	size_t nr = c->engine->companions ? c->engine->companions(c, pids, COMPANIONS_MAX) : 0;
	int err = c->cgroup ? strv_add(cgroups, c->cgroup) : 0;

	for (pid = c->pid > 0 ? process_parent(c->pid) : 0; !err && pid > 1; pid = process_parent(pid))
		err = add_cgroup_of(pid, cgroups);
	while (!err && nr)
		err = add_cgroup_of(pids[--nr], cgroups);
	return err;
}

static int ask(char *const *units, char **text)
{
	char *const words[] = { "systemctl", "show", "--property=Id", "--property=MainPID",
				"--property=RequiredBy", "--property=BoundBy",
				"--property=ConsistsOf", "--", NULL };
	_cleanup_strv_ char **argv = NULL;
	int err = strv_extend(&argv, words);

	if (!err)
		err = strv_extend(&argv, units);
	if (!err)
		err = run_read(argv, ASK_SECONDS, text);
	return err > 0 ? log_refusal(-EIO, "`systemctl show` failed with status %d", err) : err;
}

int service_owners_spare(const struct containers *list, char **units)
{
	_cleanup_strv_ char **cgroups = NULL;
	_cleanup_free_ char *text = NULL;
	size_t i;
	int err = 0;

	if (!units || !*units)
		return 0;
	for (i = 0; !err && i < list->nr; i++)
		err = add_cgroups(&list->container[i], &cgroups);
	if (!err)
		err = cgroup_of(getpid(), &text) ? -EIO : strv_add(&cgroups, text);
	free(steal_ptr(text));
	if (!err)
		err = ask(units, &text);
	return err ? err : service_owners_spare_shown(list, cgroups, text, units);
}
