// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/processes.h"
#include "common/stopped.h"

int stopped_note(pid_t pid, struct json_object **out)
{
	_cleanup_free_ pid_t *pids = NULL;
	struct json_object *list = NULL;
	size_t nr = 0, i;
	int own, err = process_descendants(pid, &pids, &nr);

	for (i = 0; !err && i < nr; i++) {
		if (process_state(pids[i]) != 'T')
			continue;
		own = process_own_pid(pids[i]);
		if (!own)
			continue;
		if (!list)
			list = json_object_new_array();
		if (!list)
			err = log_syserr(ENOMEM, "cannot note the stopped processes");
		else
			json_object_array_add(list, json_object_new_int(own));
	}
	*out = list;
	return err;
}

static bool is_noted(struct json_object *noted, int own)
{
	size_t i;

	for (i = 0; i < json_object_array_length(noted); i++)
		if (json_object_get_int(json_object_array_get_idx(noted, i)) == own)
			return true;
	return false;
}

int stopped_find(pid_t pid, struct json_object *noted, pid_t **pids, size_t *nr)
{
	_cleanup_free_ pid_t *all = NULL;
	size_t nr_all = 0, i;
	pid_t *longer;
	int err = process_descendants(pid, &all, &nr_all);

	for (i = 0; !err && i < nr_all; i++) {
		if (!is_noted(noted, process_own_pid(all[i])))
			continue;
		longer = reallocarray(*pids, *nr + 1, sizeof(*longer));
		if (!longer)
			return log_syserr(ENOMEM, "cannot list the stopped processes");
		*pids = longer;
		longer[(*nr)++] = all[i];
	}
	return err;
}
