// SPDX-License-Identifier: GPL-2.0
/*
 * status_json.c - the status for programs. Names and meanings are in
 * rebootless(8): they may be added to, and are not changed.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>

#include "common/engine.h"
#include "common/log.h"
#include "pramfs-module/pramfs_ioctl.h"
#include "status.h"

static void add(struct json_object *to, const char *name, struct json_object *value)
{
	json_object_object_add(to, name, value);
}

static void add_string(struct json_object *to, const char *name, const char *s)
{
	add(to, name, s ? json_object_new_string(s) : NULL);
}

static void add_bool(struct json_object *to, const char *name, bool b)
{
	add(to, name, json_object_new_boolean(b));
}

/* With six digits, as much as a time of half a minute in nanoseconds is good for; NAN is null. */
static void add_seconds(struct json_object *to, const char *name, double v)
{
	char text[32];

	if (isnan(v)) {
		add(to, name, NULL);
		return;
	}
	snprintf(text, sizeof(text), "%.6f", v);
	add(to, name, json_object_new_double_s(v, text));
}

static struct json_object *loaded(const struct status *s)
{
	struct json_object *o;

	if (!s->loaded && !s->loaded_by_other)
		return NULL;
	o = json_object_new_object();
	add_string(o, "kernel", s->loaded);
	add_bool(o, "ours", s->loaded);
	add_bool(o, "claimed", s->pramfs_flags & PRAMFS_CLAIMED);
	add_bool(o, "sealed", s->pramfs_flags & PRAMFS_SEALED);
	return o;
}

static struct json_object *pramfs(const struct status *s)
{
	struct json_object *o;

	if (!s->pramfs)
		return NULL;
	o = json_object_new_object();
	add_bool(o, "pending", s->pramfs_flags & PRAMFS_PENDING);
	add_bool(o, "refused", s->pramfs_flags & PRAMFS_REFUSED);
	return o;
}

static struct json_object *update(const struct manifest *m)
{
	struct json_object *o;

	if (!m)
		return NULL;
	o = json_object_new_object();
	add_string(o, "id", m->id);
	add_string(o, "from", m->from.release);
	add_string(o, "to", m->to.release);
	add_string(o, "on-restore-failure", restore_policy_name(m->on_restore_failure));
	add(o, "tried", json_object_new_int64(m->tried));
	add(o, "tries", json_object_new_int64(m->tries));
	add_bool(o, "rolling-back", m->rolling_back);
	add_string(o, "fault", m->fault);
	return o;
}

static void add_times(struct json_object *o, const struct container_times *t)
{
	add_seconds(o, "freeze", t ? t->freeze : NAN);
	add_seconds(o, "captured", t ? t->captured : NAN);
	add_seconds(o, "restore", t ? t->restore : NAN);
	add_seconds(o, "restored", t ? t->restored : NAN);
	add_seconds(o, "blackout", t ? container_blackout(t) : NAN);
}

static struct json_object *known_container(const struct container *c,
					   const struct container_log *log,
					   const struct container_times *t)
{
	struct json_object *o = json_object_new_object(), *lines = json_object_new_array();
	char **line;

	add_string(o, "name", c->name);
	add_string(o, "engine", c->engine->name);
	add_string(o, "state", container_state_name(c->state));
	add(o, "pid", c->pid ? json_object_new_int64(c->pid) : NULL);
	add(o, "connections", json_object_new_int64(c->connections));
	add_string(o, "cgroup", c->cgroup);
	add_string(o, "error", c->error);
	add_string(o, "log", log->path);
	for (line = log->lines; line && *line; line++)
		json_object_array_add(lines, json_object_new_string(*line));
	add(o, "log-errors", lines);
	add_times(o, t);
	return o;
}

/* One that has stamps, but that the manifest does not (yet) know. */
static struct json_object *stamped_container(const struct container_times *t)
{
	struct json_object *o = json_object_new_object();

	add_string(o, "name", t->name);
	add_string(o, "engine", NULL);
	add_string(o, "state", NULL);
	add_times(o, t);
	return o;
}

static struct json_object *containers(const struct status *s)
{
	const struct containers *list = s->manifest ? &s->manifest->containers : NULL;
	struct json_object *o = json_object_new_array();
	const struct phases *p = &s->phases;
	size_t i;

	for (i = 0; list && i < list->nr; i++)
		json_object_array_add(o, known_container(&list->container[i], &s->log[i],
			phases_container(p, list->container[i].name)));
	for (i = 0; i < p->nr_containers; i++)
		if (!list || !containers_find(list, p->container[i].name))
			json_object_array_add(o, stamped_container(&p->container[i]));
	return o;
}

static struct json_object *stamps(const struct phases *p)
{
	struct json_object *list = json_object_new_array(), *o;
	const struct timeline_entry *e;
	size_t i;

	for (i = p->first; i < p->timeline->nr; i++) {
		e = &p->timeline->entry[i];
		o = json_object_new_object();
		add_string(o, "stamp", stamp_name(e->stamp));
		add_string(o, "container", e->container);
		add(o, "tsc", json_object_new_uint64(e->tsc));
		add_seconds(o, "at", phases_time(p, e));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *phase_list(const struct phases *p)
{
	struct json_object *list = json_object_new_array(), *o;
	size_t i;

	for (i = 0; i < p->nr; i++) {
		o = json_object_new_object();
		add_string(o, "phase", phase_name(p->phase[i].stamp));
		add_seconds(o, "begin", p->phase[i].begin);
		add_seconds(o, "end", p->phase[i].end);
		add_seconds(o, "takes", p->phase[i].end - p->phase[i].begin);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *timeline(const struct phases *p)
{
	struct json_object *o;

	if (!p->timeline || !p->timeline->nr)
		return NULL;
	o = json_object_new_object();
	add(o, "frequency", p->timeline->hz > 0 ? json_object_new_double(p->timeline->hz) : NULL);
	add_string(o, "unit", p->unit);
	add_seconds(o, "end", p->end);
	add_seconds(o, "blackout", p->blackout);
	add(o, "phases", phase_list(p));
	add(o, "stamps", stamps(p));
	return o;
}

int status_json(const struct status *s, FILE *to)
{
	struct json_object *o = json_object_new_object();
	const char *text;

	add(o, "version", json_object_new_int(1));
	add_string(o, "running", s->running);
	add(o, "loaded", loaded(s));
	add(o, "pramfs", pramfs(s));
	add(o, "update", update(s->manifest));
	add(o, "containers", containers(s));
	add(o, "timeline", timeline(&s->phases));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(to, "%s\n", text);
	json_object_put(o);
	return text ? 0 : log_syserr(ENOMEM, "cannot write the status as JSON");
}
