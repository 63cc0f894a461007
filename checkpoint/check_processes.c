// SPDX-License-Identifier: GPL-2.0
/*
 * check_processes.c - which processes a container has, and what is wrong with
 * a process itself; its files, memory, sockets and mounts are in check_*.c.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "checkpoint/check_internal.h"
#include "checkpoint/check_processes.h"
#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/file.h"
#include "common/log.h"
#include "common/processes.h"

#define POLICY_DEADLINE 6
#define WAIT_TRIES 5
#define WAIT_USEC 100000
#define VISIT_MS 10000	/* a healthcheck, on a busy machine */

void *check_room(struct check *k, void *list, size_t nr, size_t size)
{
	/* a power of two at a time */
	void *longer = nr & (nr - 1) || (nr && nr < 16) ? list :
		       realloc(list, (nr ? nr * 2 : 16) * size);

	if (!longer && !k->out_of_memory) {
		k->out_of_memory = true;
		log_syserr(ENOMEM, "cannot check container %s", k->c->name);
	}
	return longer;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

bool check_has_pid(const struct check *k, pid_t pid)
{
	return bsearch(&pid, k->pid, k->nr_pids, sizeof(pid), compare_pids);
}

void check_namespace(pid_t pid, const char *type, char name[64])
{
	char path[64];
	ssize_t n;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, type);
	else
		snprintf(path, sizeof(path), "/proc/self/ns/%s", type);
	n = readlink(path, name, 63);
	name[n < 0 ? 0 : n] = '\0';
}

/* pid 0 = ours, the host's */
bool check_same_namespace(pid_t a, pid_t b, const char *type)
{
	char x[64], y[64];

	check_namespace(a, type, x);
	check_namespace(b, type, y);
	return x[0] && !strcmp(x, y);
}

/* ---- which processes ------------------------------------------------------------- */

int check_find_processes(struct check *k)
{
	return process_descendants(k->c->pid, &k->pid, &k->nr_pids);
}

/* A visitor is gone by the time of the dump (the engine sees to it), an exec may stay. */
static bool is_visitor(const struct check *k, pid_t pid)
{
	const struct engine *engine = k->c->engine;
	_cleanup_close_ int fd = -1;

	if (!engine || !engine->has_visitors || !engine->has_visitors(k->c))
		return false;
	fd = pidfd_open(pid, 0);
	return fd < 0 || poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, VISIT_MS) > 0;
}

/*
 * Somebody in the container's cgroup who is no descendant: an `exec` that still
 * runs, or what a daemon left to the host's init. It would be lost.
 */
static void check_stranger(struct check *k, pid_t pid)
{
	if (check_has_pid(k, pid) || process_is_descendant(pid, k->c->pid))
		return;
	/* whoever started it, and asks now */
	if (process_is_descendant(k->c->pid, pid) || pid == getpid())
		return;
	if (check_same_namespace(pid, 0, "pid"))
		WARN(k, pid, "it is in the container's cgroup but no descendant of its first process (%d): it is not carried",
		     (int)k->c->pid);
	else if (!is_visitor(k, pid))
		REFUSE(k, pid, "it was started from outside (an exec?) and is no descendant of the container's first process (%d), so that CRIU would leave it: end it before the update",
		       (int)k->c->pid);
}

static void check_strangers(struct check *k, const char *dir)
{
	_cleanup_closedir_ DIR *children = opendir(dir);
	_cleanup_fclose_ FILE *procs = NULL;
	struct dirent *entry;
	char path[PATH_MAX];
	int pid;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	procs = fopen(path, "re");
	while (procs && fscanf(procs, "%d", &pid) == 1)
		if (pid > 0)
			check_stranger(k, pid);
	while (children && (entry = readdir(children))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) < (int)sizeof(path))
			check_strangers(k, path);
	}
}

/*
 * CRIU puts the first process into the root of its cgroup namespace, to make that one
 * there (prepare_cgroup_namespace() in criu/cgroup.c). A kernel lets no process into a
 * cgroup that has given controllers to those below it, but these, which know threads
 * (cgroups(7)). systemd, as the first process of a container, does so.
 */
static void check_cgroup_namespace(struct check *k)
{
	static const char *const threaded[] = { "cpu", "cpuset", "perf_event", "pids" };
	_cleanup_free_ char *root = NULL;
	char file[CGROUP_PATH_MAX], controllers[512], *word, *save = NULL;
	size_t i;

	if (check_same_namespace(k->c->pid, 0, "cgroup"))
		return;
	if (cgroup_namespace_root(k->c->pid, &root)) {
		REFUSE(k, k->c->pid, "the root of its cgroup namespace cannot be found (see above)");
		return;
	}
	if (!root || cgroup_file(root, "cgroup.subtree_control", file, sizeof(file)) ||
	    file_read_line(file, controllers, sizeof(controllers)) <= 0)
		return;
	for (word = strtok_r(controllers, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		for (i = 0; i < sizeof(threaded) / sizeof(threaded[0]); i++)
			if (!strcmp(word, threaded[i]))
				break;
		if (i < sizeof(threaded) / sizeof(threaded[0]))
			continue;
		REFUSE(k, k->c->pid, "the root of its cgroup namespace, %s, gives the controller %s to cgroups below it (systemd in a container does that), where CRIU cannot make the namespace again: leave the container out, or let it make no cgroups",
		       root, word);
		return;
	}
}

/* ---- a process itself --------------------------------------------------------------- */

/* The words behind "KEY:\t" of a status file, up to the end of the line; "" = not there. */
static void status_field(const char *status, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);
	const char *at;

	value[0] = '\0';
	for (at = status; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		if (strncmp(at, key, length) || at[length] != ':')
			continue;
		at += length + 1;
		at += strspn(at, " \t");
		snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
		return;
	}
}

static long last_number(const char *words)
{
	const char *last = strrchr(words, '\t');

	return atol(last ? last + 1 : words);
}

static void check_tracer(struct check *k, pid_t pid, const char *status)
{
	char value[256], path[64], comm[64] = "?";
	int tracer;

	status_field(status, "TracerPid", value, sizeof(value));
	tracer = atoi(value);
	if (!tracer)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", tracer);
	file_read_line(path, comm, sizeof(comm));
	REFUSE(k, pid, "it is traced by process %d (%s), and CRIU has to trace it itself: end that before the update",
	       tracer, comm);
}

/*
 * NSpid and NSsid end with the numbers that count in the container: 0 is a
 * leader that lives outside of its pid namespace.
 */
static void check_ids(struct check *k, pid_t pid, const char *status)
{
	char value[256];

	status_field(status, "NSsid", value, sizeof(value));
	if (strchr(value, '\t') && !last_number(value))
		REFUSE(k, pid, "its session's leader is outside of the container's pid namespace, which CRIU cannot carry: start it with setsid");
	if (pid != k->c->pid)
		return;
	status_field(status, "NSpid", value, sizeof(value));
	if (strchr(value, '\t') && last_number(value) != 1)
		REFUSE(k, pid, "it is the container's first process, but not the first of its pid namespace (it is %ld there), which CRIU cannot carry",
		       last_number(value));
}

static void check_state(struct check *k, pid_t pid, const char *status)
{
	char state[32], threads[32];

	status_field(status, "State", state, sizeof(state));
	status_field(status, "Threads", threads, sizeof(threads));
	if (state[0] == 'Z' && atoi(threads) > 1)
		REFUSE(k, pid, "its main thread has ended but %d others run, which CRIU cannot carry: end it before the update",
		       atoi(threads) - 1);
}

/* CRIU carries other namespaces of children only for mounts and network. */
static void check_namespaces(struct check *k, pid_t pid)
{
	static const char *const types[] = { "pid", "uts", "ipc", "user", "cgroup", "time" };
	bool differs[sizeof(types) / sizeof(types[0])];
	char time[64], children[64];
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		differs[i] = pid != k->c->pid &&
			     !check_same_namespace(pid, k->c->pid, types[i]);
	check_namespace(pid, "time_for_children", children);
	/* Last: one that has ended meanwhile has none, and differs in what was asked then. */
	check_namespace(pid, "time", time);
	if (!time[0])
		return;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (differs[i])
			REFUSE(k, pid, "it has a %s namespace of its own within the container, which CRIU cannot carry: end it before the update",
			       types[i]);
	if (children[0] && strcmp(time, children))
		REFUSE(k, pid, "it has made a time namespace for its children, which CRIU cannot carry");
}

/* ---- its threads ----------------------------------------------------------------------- */

static char state_of(pid_t pid, pid_t thread)
{
	char path[96], stat[512], *at, state;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)thread);
	if (file_read(path, stat, sizeof(stat)) <= 0)
		return 0;
	at = strrchr(stat, ')');
	return at && sscanf(at, ") %c", &state) == 1 ? state : 0;
}

static void note_waiting(struct check *k, pid_t thread)
{
	pid_t *list = check_room(k, k->waiting, k->nr_waiting, sizeof(thread));

	if (!list)
		return;
	k->waiting = list;
	k->waiting[k->nr_waiting++] = thread;
}

static void check_threads(struct check *k, pid_t pid)
{
	_cleanup_free_ pid_t *tids = NULL;
	size_t nr = 0, i;

	if (process_threads(pid, &tids, &nr))
		return;
	for (i = 0; i < nr; i++) {
		if (state_of(pid, tids[i]) == 'D')
			note_waiting(k, tids[i]);
		if ((syscall(SYS_sched_getscheduler, tids[i]) & ~SCHED_RESET_ON_FORK) == POLICY_DEADLINE)
			REFUSE(k, pid, "thread %d has the scheduling policy SCHED_DEADLINE, which CRIU cannot restore",
			       (int)tids[i]);
	}
}

/* Most wait for a disk, and no longer than that; one that goes on waiting cannot be frozen. */
static void check_waiting(struct check *k)
{
	size_t i, left = k->nr_waiting;
	int tries;

	for (tries = 0; left && tries < WAIT_TRIES; tries++) {
		usleep(WAIT_USEC);
		for (i = 0, left = 0; i < k->nr_waiting; i++)
			if (state_of(k->waiting[i], k->waiting[i]) == 'D')
				k->waiting[left++] = k->waiting[i];
		k->nr_waiting = left;
	}
	for (i = 0; i < left; i++)
		WARN(k, k->waiting[i], "it waits uninterruptibly (state D) and cannot be frozen meanwhile: a disk or a network filesystem that does not answer?");
}

/* ---- all of it --------------------------------------------------------------------------- */

static void check_process(struct check *k, pid_t pid)
{
	char path[64], status[8192];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	/* it may have ended since */
	if (file_read(path, status, sizeof(status)) <= 0 || strstr(status, "\nState:\tX"))
		return;
	check_state(k, pid, status);
	check_tracer(k, pid, status);
	check_ids(k, pid, status);
	check_threads(k, pid);
	if (strstr(status, "\nState:\tZ"))
		return;
	check_namespaces(k, pid);
	check_files(k, pid);
	check_maps(k, pid);
}

void check_free(struct check *k)
{
	free(k->pid);
	free(k->waiting);
	free(k->mount);
	free(k->socket);
	free(k->told);
}

int check_processes(struct container *c, uint64_t ghost_limit, struct findings *findings)
{
	_cleanup_(check_free) struct check k = {
		.c = c, .noted = c, .f = findings, .ghost_limit = ghost_limit,
	};
	char path[PATH_MAX];
	size_t i;
	int err;

	/* only its images are there */
	if (c->pid <= 0)
		return 0;
	json_object_put(c->outside_files);
	c->outside_files = NULL;
	err = check_find_processes(&k);
	if (err)
		return err;
	if (c->cgroup && strcmp(c->cgroup, "/")) {
		snprintf(path, sizeof(path), "%s%s", CGROUP_ROOT, c->cgroup);
		check_strangers(&k, path);
	}
	check_cgroup_namespace(&k);
	check_mounts(&k);
	for (i = 0; i < k.nr_pids; i++)
		check_process(&k, k.pid[i]);
	check_unix_peers(&k);
	check_waiting(&k);
	c->connections = k.connections;
	return k.out_of_memory ? -ENOMEM : 0;
}
