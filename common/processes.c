// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/processes.h"

struct parentage {
	pid_t pid, parent;
};

#define STAT_MAX 512
#define STATUS_MAX 8192

/* /proc/PID/stat from behind the name on, which may contain anything, a parenthesis as well. */
static const char *read_stat(pid_t pid, char stat[STAT_MAX])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return file_read(path, stat, STAT_MAX) > 0 ? strrchr(stat, ')') : NULL;
}

pid_t process_parent(pid_t pid)
{
	char stat[STAT_MAX];
	const char *at = read_stat(pid, stat);
	pid_t parent;

	return at && sscanf(at, ") %*c %d", &parent) == 1 ? parent : 0;
}

char process_state(pid_t pid)
{
	char stat[STAT_MAX];
	const char *at = read_stat(pid, stat);

	return at && at[1] == ' ' ? at[2] : 0;
}

uint64_t process_started(pid_t pid)
{
	char stat[STAT_MAX], state;
	const char *at = read_stat(pid, stat);
	uint64_t started;

	if (!at || sscanf(at, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %"
			  SCNu64, &state, &started) != 2)
		return 0;
	return strchr("ZXx", state) ? 0 : started;
}

pid_t process_own_pid(pid_t pid)
{
	char path[64], status[STATUS_MAX], *at;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (file_read(path, status, sizeof(status)) <= 0)
		return 0;
	at = strstr(status, "\nNSpid:");
	if (!at)
		return 0;
	at[1 + strcspn(at + 1, "\n")] = '\0';
	/* one for each namespace that it can be seen in, its own is last */
	at = strrchr(at, '\t');
	return at ? atoi(at + 1) : 0;
}

bool process_is_descendant(pid_t pid, pid_t of)
{
	pid_t parent;

	while (pid > 1 && pid != of) {
		parent = process_parent(pid);
		if (!parent && !process_parent(pid))
			return true;
		pid = parent;
	}
	return pid == of;
}

static int read_all(struct parentage **all, size_t *nr)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct parentage *longer;
	struct dirent *entry;
	size_t room = 0;
	pid_t pid;

	if (!dir)
		return log_syserr(errno, "cannot read /proc");
	while ((entry = readdir(dir))) {
		pid = atoi(entry->d_name);
		if (pid <= 0)
			continue;
		if (*nr == room) {
			room = room ? room * 2 : 256;
			longer = reallocarray(*all, room, sizeof(*longer));
			if (!longer)
				return log_syserr(ENOMEM, "cannot list the processes");
			*all = longer;
		}
		(*all)[(*nr)++] = (struct parentage){ pid, process_parent(pid) };
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

int process_descendants(pid_t pid, pid_t **pids, size_t *nr)
{
	_cleanup_free_ struct parentage *all = NULL;
	_cleanup_free_ pid_t *found = NULL;
	size_t nr_all = 0, nr_found = 0, done, i;
	int err = read_all(&all, &nr_all);

	if (err)
		return err;
	found = calloc(nr_all + 1, sizeof(*found));
	if (!found)
		return log_syserr(ENOMEM, "cannot list the processes");
	found[nr_found++] = pid;
	for (done = 0; done < nr_found; done++)
		for (i = 0; i < nr_all && nr_found <= nr_all; i++)
			if (all[i].parent == found[done])
				found[nr_found++] = all[i].pid;
	qsort(found, nr_found, sizeof(*found), compare);
	*pids = steal_ptr(found);
	*nr = nr_found;
	return 0;
}

static int add(pid_t pid, pid_t **pids, size_t *nr)
{
	pid_t *longer = reallocarray(*pids, *nr + 1, sizeof(**pids));

	if (!longer)
		return log_syserr(ENOMEM, "cannot list the processes");
	*pids = longer;
	longer[(*nr)++] = pid;
	return 0;
}

/* 0 also if it has ended. */
static int add_children(pid_t pid, pid_t tid, pid_t **pids, size_t *nr)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64];
	pid_t child;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)tid);
	f = fopen(path, "re");
	while (f && !err && fscanf(f, "%d", &child) == 1)
		err = add(child, pids, nr);
	return err;
}

int process_threads(pid_t pid, pid_t **tids, size_t *nr)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_free_ pid_t *found = NULL;
	const struct dirent *entry;
	size_t nr_found = 0;
	char path[64];
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && !err && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			err = add(atoi(entry->d_name), &found, &nr_found);
	if (err)
		return err;
	*tids = steal_ptr(found);
	*nr = nr_found;
	return 0;
}

static int add_children_of_all(pid_t pid, pid_t **pids, size_t *nr)
{
	_cleanup_free_ pid_t *tids = NULL;
	size_t nr_tids = 0, i;
	int err = process_threads(pid, &tids, &nr_tids);

	for (i = 0; !err && i < nr_tids; i++)
		err = add_children(pid, tids[i], pids, nr);
	return err;
}

int process_descendants_stopped(pid_t pid, pid_t **pids, size_t *nr)
{
	_cleanup_free_ pid_t *found = NULL;
	size_t nr_found = 0, done;
	int err;

	/* a kernel without it (CONFIG_PROC_CHILDREN) */
	if (access("/proc/thread-self/children", R_OK) < 0)
		return process_descendants(pid, pids, nr);
	err = add(pid, &found, &nr_found);
	for (done = 0; !err && done < nr_found; done++)
		err = add_children_of_all(found[done], &found, &nr_found);
	if (err)
		return err;
	qsort(found, nr_found, sizeof(*found), compare);
	*pids = steal_ptr(found);
	*nr = nr_found;
	return 0;
}
