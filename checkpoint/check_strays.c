// SPDX-License-Identifier: GPL-2.0
/*
 * Who is in a container that no engine of ours names: they would end with this
 * kernel, without a word.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/check_internal.h"
#include "checkpoint/check_system.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/processes.h"
#include "common/run.h"

#define LIST_SECONDS 30
/* Where crun has its containers when root's login set XDG_RUNTIME_DIR; runc and podman pass over that. */
#define LOGIN_CRUN "/run/user/0/crun"
/* what is left of containerd-shim-runc-v2, which docker and kubernetes use too */
#define SHIM "containerd-shim"

static bool is_carried(pid_t pid, const struct containers *list)
{
	const struct container *c;

	for (c = list->container; c < list->container + list->nr; c++)
		if (c->pid > 0 && (process_is_descendant(pid, c->pid) ||
				   (!check_same_namespace(c->pid, 0, "pid") &&
				    check_same_namespace(c->pid, pid, "pid"))))
			return true;
	return false;
}

static void check_stray(pid_t pid, const struct containers *list, struct findings *findings)
{
	char space[64];
	pid_t parent;

	check_namespace(pid, "pid", space);
	/* has ended; or is one of the host's */
	if (!space[0] || check_same_namespace(pid, 0, "pid"))
		return;
	/* one word for all in it */
	parent = process_parent(pid);
	if (!parent || !check_same_namespace(parent, 0, "pid") || is_carried(pid, list))
		return;
	findings_warn(findings, NULL, pid, "it has a pid namespace of its own and is in no container that is carried: it ends with this kernel (`systemctl status %d` says whose it is)",
		      (int)pid);
}

static bool is_shim(pid_t pid)
{
	char path[64], comm[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	return file_read_line(path, comm, sizeof(comm)) > 0 && !strncmp(comm, SHIM, strlen(SHIM));
}

static void check_login_crun(struct findings *findings)
{
	char *argv[] = { "crun", "--root=" LOGIN_CRUN, "list", "--quiet", NULL };
	_cleanup_free_ char *names = NULL;
	char *name, *rest;

	if (access(LOGIN_CRUN, F_OK) < 0 || run_read(argv, LIST_SECONDS, &names))
		return;
	for (name = strtok_r(names, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest))
		findings_add(findings, name, 0, "it was started by crun with XDG_RUNTIME_DIR set, as a login of root's has it, so that it is known in %s alone, which goes with that login: delete it, and start it with `env -u XDG_RUNTIME_DIR crun`",
			     LOGIN_CRUN);
}

void check_strays(const struct containers *list, struct findings *findings)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool told = false;
	pid_t pid;

	while (dir && (entry = readdir(dir))) {
		pid = atoi(entry->d_name);
		if (pid <= 0)
			continue;
		if (!told && is_shim(pid)) {
			findings_add(findings, NULL, pid, "containers of docker or containerd run here, which cannot be carried: stop them");
			told = true;
		}
		check_stray(pid, list, findings);
	}
	check_login_crun(findings);
}
