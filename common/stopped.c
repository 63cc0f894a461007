// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/processes.h"
#include "common/stopped.h"

#define STATUS_MAX 8192

/* State, and the pid in the innermost namespace; false: it has ended. */
static bool read_status(pid_t pid, char *state, int *own)
{
	char path[64], status[STATUS_MAX], *at;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (file_read(path, status, sizeof(status)) <= 0)
		return false;
	at = strstr(status, "\nState:");
	if (!at || sscanf(at, "\nState: %c", state) != 1)
		return false;
	at = strstr(status, "\nNSpid:");
	if (!at)
		return false;
	at[1 + strcspn(at + 1, "\n")] = '\0';
	at = strrchr(at, '\t');
	*own = at ? atoi(at + 1) : 0;
	return *own > 0;
}

int stopped_note(pid_t pid, struct json_object **out)
{
	_cleanup_free_ pid_t *pids = NULL;
	struct json_object *list = NULL;
	size_t nr = 0, i;
	int own, err = process_descendants(pid, &pids, &nr);
	char state;

	for (i = 0; !err && i < nr; i++) {
		if (!read_status(pids[i], &state, &own) || state != 'T')
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
	int own, err = process_descendants(pid, &all, &nr_all);
	char state;

	for (i = 0; !err && i < nr_all; i++) {
		if (!read_status(all[i], &state, &own) || !is_noted(noted, own))
			continue;
		longer = reallocarray(*pids, *nr + 1, sizeof(*longer));
		if (!longer)
			return log_syserr(ENOMEM, "cannot list the stopped processes");
		*pids = longer;
		longer[(*nr)++] = all[i];
	}
	return err;
}
