// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/cgroup.h"
#include "common/cgroup_values.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "limits.h"
#include "state.h"

/* What is lifted, for limits_set_left(): an array of the containers' "cgroups". */
#define NOTE_NAME "limits.json"
#define NOTE STATE_DIR "/" NOTE_NAME

static int write_note(const struct containers *list)
{
	struct json_object *note = json_object_new_array();
	const struct container *c;
	int err;

	for (c = list->container; c < list->container + list->nr; c++)
		if (c->state == CONTAINER_RUNNING && c->cgroups)
			json_object_array_add(note, json_object_get(c->cgroups));
	err = file_write(STATE_DIR, NOTE_NAME, 0600, json_object_to_json_string(note));
	json_object_put(note);
	return err;
}

int limits_lift(const struct containers *list)
{
	char swap[CGROUP_VALUE_MAX];
	const struct container *c;
	int err = write_note(list);

	if (err)
		return err;
	cgroup_allow_memory(CGROUP_UNLIMITED);
	for (c = list->container; c < list->container + list->nr; c++) {
		if (c->state != CONTAINER_RUNNING || !c->cgroup)
			continue;
		cgroup_unthrottle(c->cgroup);
		if (cgroup_read_value(c->cgroup, "memory.swap.current", swap) > 0 &&
		    strcmp(swap, "0"))
			cgroup_apply(c->cgroups);
	}
	cgroup_allow_memory(0);
	return 0;
}

static bool is_here(const char *cgroup)
{
	char procs[CGROUP_PATH_MAX];

	return cgroup && !cgroup_file(cgroup, "cgroup.procs", procs, sizeof(procs)) &&
	       !access(procs, F_OK);
}

void limits_set(const struct containers *list, unsigned long long more_memory)
{
	const struct container *c;

	cgroup_allow_memory(more_memory);
	for (c = list->container; c < list->container + list->nr; c++)
		if (c->cgroups && is_here(c->cgroup))
			cgroup_apply(c->cgroups);
	unlink(NOTE);
}

void limits_set_left(unsigned long long more_memory)
{
	struct json_object *note, *one, *path = NULL;
	size_t i, nr = 0;

	if (access(NOTE, F_OK) < 0)
		return;
	log_warning("setting again the limits that a rebootless that has ended had lifted");
	note = json_object_from_file(NOTE);
	if (json_object_is_type(note, json_type_array))
		nr = json_object_array_length(note);
	else
		log_warning("%s is damaged: limits of containers may still be lifted", NOTE);
	cgroup_allow_memory(more_memory);
	for (i = 0; i < nr; i++) {
		one = json_object_array_get_idx(note, i);
		if (json_object_object_get_ex(one, "path", &path) &&
		    is_here(json_object_get_string(path)))
			cgroup_apply(one);
	}
	json_object_put(note);
	unlink(NOTE);
}
