// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/processes.h"
#include "common/strv.h"

const struct engine *const engines[] = { &engine_podman, &engine_crun, &engine_runc,
						    &engine_tree, NULL };

const struct engine *engine_find(const char *name)
{
	const struct engine *const *e;

	for (e = engines; *e; e++)
		if (!strcmp((*e)->name, name))
			return *e;
	return NULL;
}

static bool program_there(const char *name)
{
	static const char *const dirs[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					    "/usr/bin", "/sbin", "/bin" };
	char path[256];
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], name);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

static int check_names(const struct containers *list)
{
	const struct container *c, *other;
	char path[512];
	int err;

	for (c = list->container; c < list->container + list->nr; c++) {
		err = container_dir("", c->name, "", path, sizeof(path));
		if (err)
			return err;
		for (other = list->container; other < c; other++)
			if (!strcmp(c->name, other->name))
				return log_refusal(-EEXIST,
						   "both %s and %s have a container %s: names must be unique on the host; rename one or leave it out (carry = no)",
						   other->engine->name, c->engine->name, c->name);
	}
	return 0;
}

/* Can an order be found in which everything stands behind what it needs? */
static int check_order(const struct containers *list)
{
	_cleanup_free_ bool *done = calloc(list->nr + 1, sizeof(*done));
	size_t i, left = list->nr, before;
	const struct container *c, *other;
	char **after;

	if (!done)
		return log_syserr(ENOMEM, "cannot order %zu containers", list->nr);
	do {
		before = left;
		for (i = 0; i < list->nr; i++) {
			c = &list->container[i];
			if (done[i])
				continue;
			for (after = c->after; after && *after; after++) {
				other = containers_find(list, *after);
				if (other && !done[other - list->container])
					break;
			}
			if (!after || !*after) {
				done[i] = true;
				left--;
			}
		}
	} while (left && left < before);
	for (i = 0; left && i < list->nr; i++)
		if (!done[i])
			return log_refusal(-EINVAL,
					   "container %s comes after itself: look at the `after` settings",
					   list->container[i].name);
	return 0;
}

/* What the configuration says of each; one that it does not want is dropped. */
static int apply_sections(const struct config *config, struct containers *list)
{
	const struct config_section *section;
	struct container *c;
	size_t i = 0;
	int err = 0;

	while (!err && i < list->nr) {
		c = &list->container[i];
		section = config_section(config, c->engine == &engine_tree, c->name);
		if (section && !section->carry) {
			log_detail("%s is left out: carry = no", c->name);
			containers_remove(list, c);
			continue;
		}
		if (section)
			err = strv_extend(&c->after, section->after);
		i++;
	}
	return err;
}

/* Is nobody else in it, or below it? */
static bool has_only(const char *cgroup, const pid_t *pids, size_t nr)
{
	_cleanup_free_ pid_t *in = NULL;
	size_t nr_in, i, k;

	if (!strcmp(cgroup, "/") || cgroup_pids(cgroup, &in, &nr_in))
		return false;
	for (i = 0; i < nr_in; i++) {
		for (k = 0; k < nr && pids[k] != in[i]; k++)
			;
		if (k == nr)
			return false;
	}
	return true;
}

/* Its first process may have moved itself into one below the container's. */
static int find_cgroup(struct container *c)
{
	_cleanup_free_ pid_t *pids = NULL;
	_cleanup_free_ char *wide = NULL;
	size_t nr;
	int err = cgroup_of(c->pid, &c->cgroup);

	if (err || !c->engine->owns_cgroup)
		return err;
	err = process_descendants(c->pid, &pids, &nr);
	wide = err ? NULL : strdup(c->cgroup);
	if (!wide)
		return err ? err : log_syserr(ENOMEM, "cannot note the cgroup of %s", c->name);
	err = cgroup_widen(wide, pids, nr);
	if (!err && strcmp(wide, c->cgroup) && has_only(wide, pids, nr)) {
		free(c->cgroup);
		c->cgroup = steal_ptr(wide);
	}
	return err;
}

int engines_ask(const struct config *config, struct containers *list)
{
	const struct engine *const *e;
	int err = 0;

	for (e = engines; !err && *e; e++) {
		if (!strv_has(config->engines, (*e)->name))
			continue;
		if ((*e)->program && !program_there((*e)->program)) {
			log_detail("there is no %s: no containers of it", (*e)->program);
			continue;
		}
		err = (*e)->list(config, list);
	}
	return err ? err : apply_sections(config, list);
}

int engines_list(const struct config *config, struct containers *list)
{
	struct container *c;
	int err = engines_ask(config, list);

	for (c = list->container; !err && c < list->container + list->nr; c++)
		err = find_cgroup(c);
	if (!err)
		err = check_names(list);
	if (!err)
		err = check_order(list);
	return err;
}

static void after_dumps_before(const struct engine *const *end, const struct containers *all)
{
	while (end-- > engines)
		if ((*end)->after_dumps)
			(*end)->after_dumps(all);
}

int engines_before_dumps(const struct containers *all)
{
	const struct engine *const *e;
	int err = 0;

	for (e = engines; !err && *e; e++)
		if ((*e)->before_dumps)
			err = (*e)->before_dumps(all);
	if (err)
		after_dumps_before(e - 1, all);
	return err;
}

void engines_after_dumps(const struct containers *all)
{
	after_dumps_before(engines + sizeof(engines) / sizeof(engines[0]) - 1, all);
}

bool engines_need_systemd(const struct containers *all)
{
	const struct container *c;

	for (c = all->container; c < all->container + all->nr; c++)
		if (c->engine->needs_systemd && c->engine->needs_systemd(c))
			return true;
	return false;
}
