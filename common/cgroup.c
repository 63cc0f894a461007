// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cgroup.h"
#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "path.h"

bool cgroup_is_within(const char *path, const char *outer)
{
	return path && path_is_below(path, outer);
}

int cgroup_file(const char *path, const char *file, char *full, size_t size)
{
	int n;

	if (!path_is_plain(path))
		return log_refusal(-EINVAL, "\"%s\" is not the path of a cgroup", path);
	n = snprintf(full, size, CGROUP_ROOT "%s%s%s", strcmp(path, "/") ? path : "",
		     *file ? "/" : "", file);
	if (n < 0 || (size_t)n >= size)
		return log_refusal(-ENAMETOOLONG, "the path of the cgroup %s is too long", path);
	return 0;
}

int cgroup_check_version(void)
{
	struct statfs fs;

	if (statfs(CGROUP_ROOT, &fs) < 0)
		return log_syserr(errno, "cannot look at %s", CGROUP_ROOT);
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return 0;
	return log_refusal(-EOPNOTSUPP,
			   "%s is not cgroup version 2: containers are carried on the unified hierarchy alone (systemd.unified_cgroup_hierarchy=1 on the kernel's command line)",
			   CGROUP_ROOT);
}

/* -ENOENT or -ESRCH, not logged: it has ended. */
static int read_path(pid_t pid, char **path)
{
	char name[64], text[8192], *at;
	int n;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	n = file_read(name, text, sizeof(text));
	if (n == -ENOENT || n == -ESRCH)
		return n;
	if (n < 0)
		return log_syserr(-n, "cannot read %s", name);
	at = strncmp(text, "0::", 3) ? strstr(text, "\n0::") : text - 1;
	if (!at)
		return log_refusal(-EOPNOTSUPP, "process %d is in no cgroup of version 2", (int)pid);
	at += 4;
	at[strcspn(at, "\n")] = '\0';
	if (!strncmp(at, "/..", 3))
		return log_refusal(-EXDEV, "process %d is in the cgroup %s, outside our cgroup namespace",
				   (int)pid, at);
	*path = strdup(at);
	return *path ? 0 : log_syserr(ENOMEM, "cannot note the cgroup of process %d", (int)pid);
}

int cgroup_of(pid_t pid, char **path)
{
	int err = cgroup_check_version();

	if (!err)
		err = read_path(pid, path);
	if (err == -ENOENT || err == -ESRCH)
		log_syserr(-err, "cannot read the cgroup of process %d", (int)pid);
	return err;
}

/* As whoever has this namespace names it. */
static int read_path_within(int namespace, pid_t pid, char **path)
{
	_cleanup_close_ int ours = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
	int err;

	if (ours < 0 || setns(namespace, CLONE_NEWCGROUP) < 0)
		return log_syserr(errno, "cannot look into the cgroup namespace of process %d", (int)pid);
	err = read_path(pid, path);
	if (setns(ours, CLONE_NEWCGROUP) < 0)
		return log_syserr(errno, "cannot come back from the cgroup namespace of process %d",
				  (int)pid);
	return err;
}

int cgroup_namespace_root(pid_t pid, char **root)
{
	_cleanup_free_ char *full = NULL, *inner = NULL;
	_cleanup_close_ int namespace = -1;
	struct stat own, its;
	char name[64];
	size_t len, below;
	int err;

	*root = NULL;
	snprintf(name, sizeof(name), "/proc/%d/ns/cgroup", (int)pid);
	namespace = open(name, O_RDONLY | O_CLOEXEC);
	if (namespace < 0 || fstat(namespace, &its) < 0 || stat("/proc/self/ns/cgroup", &own) < 0)
		return log_syserr(errno, "cannot look at %s", name);
	if (its.st_ino == own.st_ino)
		return 0;
	err = cgroup_of(pid, &full);
	if (!err)
		err = read_path_within(namespace, pid, &inner);
	if (err)
		return err;
	len = strlen(full);
	below = strcmp(inner, "/") ? strlen(inner) : 0;
	if (below > len || strcmp(full + len - below, below ? inner : ""))
		return log_refusal(-EAGAIN, "process %d moves from one cgroup to another: try again", (int)pid);
	full[len - below] = '\0';
	*root = *full ? steal_ptr(full) : strdup("/");
	return *root ? 0 : log_syserr(ENOMEM, "cannot note the cgroup of process %d", (int)pid);
}

/* Cut `path` to what it has in common with another, by whole names. */
static void cut_to_common(char *path, const char *other)
{
	size_t i = 0, whole = 0;

	for (; path[i] && path[i] == other[i]; i++)
		if (path[i] == '/')
			whole = i;
	if ((!path[i] || path[i] == '/') && (!other[i] || other[i] == '/'))
		whole = i;
	path[whole ? whole : 1] = '\0';
}

int cgroup_widen(char *path, const pid_t *pids, size_t nr)
{
	char *other = NULL, *name;
	size_t i;
	int err;

	for (i = 0; i < nr; i++) {
		err = read_path(pids[i], &other);
		if (!err)
			cut_to_common(path, other);
		free(steal_ptr(other));
		if (err && err != -ENOENT && err != -ESRCH)
			return err;
	}
	name = strrchr(path, '/');
	if (name && name > path && !strcmp(name, "/init.scope"))
		*name = '\0';
	return 0;
}

/* Below before above is `after`; the other way round `before`. */
static int walk(char *path, size_t size, cgroup_visit before, cgroup_visit after, void *arg)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char full[CGROUP_PATH_MAX];
	size_t len = strlen(path);
	struct dirent *entry;
	int err = cgroup_file(path, "", full, sizeof(full));

	if (!err && before)
		err = before(path, arg);
	if (err)
		return err;
	dir = opendir(full);
	if (!dir)
		return log_syserr(errno, "cannot read the cgroup %s", path);
	while ((entry = readdir(dir))) {
		int n;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		n = snprintf(path + len, size - len, "%s%s", len == 1 ? "" : "/", entry->d_name);
		if (n < 0 || (size_t)n >= size - len)
			err = log_refusal(-ENAMETOOLONG, "the cgroups below %s are too deep", path);
		else
			err = walk(path, size, before, after, arg);
		path[len] = '\0';
		/* One that its owner removed in the meantime is not missed. */
		if (err && err != -ENOENT)
			return err;
	}
	return after ? after(path, arg) : 0;
}

int cgroup_walk(const char *path, cgroup_visit before, cgroup_visit after, void *arg)
{
	char at[CGROUP_PATH_MAX];
	int err = cgroup_check_version();

	if (err)
		return err;
	if (strlen(path) >= sizeof(at))
		return log_refusal(-ENAMETOOLONG, "the path of the cgroup %s is too long", path);
	strcpy(at, path);
	return walk(at, sizeof(at), before, after, arg);
}

struct pids {
	pid_t *pid;
	size_t nr, room;
};

static int pids_add(struct pids *p, pid_t pid)
{
	if (p->nr == p->room) {
		size_t room = p->room ? 2 * p->room : 64;
		pid_t *more = realloc(p->pid, room * sizeof(*more));

		if (!more)
			return log_syserr(ENOMEM, "cannot list processes");
		p->pid = more;
		p->room = room;
	}
	p->pid[p->nr++] = pid;
	return 0;
}

/* A threaded cgroup has only threads; those of its domain are in cgroup.procs there. */
static int collect_pids(const char *path, void *arg)
{
	_cleanup_fclose_ FILE *f = NULL;
	char full[CGROUP_PATH_MAX];
	int pid, err = cgroup_file(path, "cgroup.procs", full, sizeof(full));

	if (err)
		return err;
	f = fopen(full, "re");
	if (!f)
		return errno == ENOENT ? -ENOENT : log_syserr(errno, "cannot read %s", full);
	while (!err && fscanf(f, "%d", &pid) == 1)
		err = pids_add(arg, pid);
	return err;
}

int cgroup_pids(const char *path, pid_t **pids, size_t *nr)
{
	struct pids p = { 0 };
	int err = cgroup_walk(path, collect_pids, NULL, &p);

	if (err) {
		free(p.pid);
		return err;
	}
	*pids = p.pid;
	*nr = p.nr;
	return 0;
}

static bool has_processes(const char *path)
{
	char full[CGROUP_PATH_MAX], text[256];

	return !cgroup_file(path, "cgroup.events", full, sizeof(full)) &&
	       file_read(full, text, sizeof(text)) > 0 && strstr(text, "populated 1");
}

static int mark(const char *path, void *arg)
{
	const char *top = arg;
	char full[CGROUP_PATH_MAX];
	int err;

	if (strcmp(path, top) && !has_processes(path))
		return 0;
	err = cgroup_file(path, "", full, sizeof(full));
	if (!err && setxattr(full, CGROUP_SURVIVE, "1", 1, 0) < 0)
		err = log_syserr(errno, "cannot mark the cgroup %s to be spared at the switch to the real root",
				 path);
	return err;
}

static int unmark(const char *path, void *arg)
{
	char full[CGROUP_PATH_MAX];
	int err = cgroup_file(path, "", full, sizeof(full));

	(void)arg;
	if (!err && removexattr(full, CGROUP_SURVIVE) < 0 && errno != ENODATA && errno != ENOENT)
		err = log_syserr(errno, "cannot take the mark from the cgroup %s", path);
	return err;
}

/* The top last: PID 1 takes its mark away when it realizes the unit again. */
int cgroup_spare(const char *path)
{
	return cgroup_walk(path, NULL, mark, (void *)path);
}

int cgroup_unspare(const char *path)
{
	return cgroup_walk(path, unmark, NULL, NULL);
}
