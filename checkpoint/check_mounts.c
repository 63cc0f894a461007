// SPDX-License-Identifier: GPL-2.0
/*
 * check_mounts.c - a container's own mount namespaces. What it shares with the
 * host is the business of filesystems.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint/check_internal.h"
#include "common/cleanup.h"

struct mount {
	int id;
	char device[32];	/* "MAJOR:MINOR" */
	char root[512], target[512], type[64];
};

/* Filesystems that CRIU 4.2 mounts anew by itself (criu: filesystems.c, by name). */
static bool criu_knows(const char *type)
{
	static const char *const known[] = {
		"proc", "sysfs", "devtmpfs", "binfmt_misc", "tmpfs", "devpts", "simfs", "btrfs",
		"pstore", "mqueue", "securityfs", "fusectl", "debugfs", "tracefs", "cgroup",
		"cgroup2", "aufs", "overlay", "autofs",
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(type, known[i]))
			return true;
	return false;
}

/* One line of mountinfo (proc(5)); names that do not fit are cut. */
static bool parse_mount(const char *line, struct mount *m)
{
	const char *dash = strstr(line, " - ");

	if (!dash || sscanf(line, "%d %*s %31s %511s %511s", &m->id, m->device, m->root, m->target) != 4 ||
	    sscanf(dash, " - %63s", m->type) != 1)
		return false;
	return true;
}

/* Does any mount that this process sees satisfy `match`? */
static bool any_mount(const char *process, bool (*match)(const struct mount *m, const void *arg),
		      const void *arg)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	struct mount m;
	char path[64];
	size_t size = 0;

	snprintf(path, sizeof(path), "/proc/%s/mountinfo", process);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0)
		if (parse_mount(line, &m) && match(&m, arg))
			return true;
	return false;
}

static bool has_device(const struct mount *m, const void *device)
{
	return !strcmp(m->device, device);
}

/* CRIU carries message queues neither as files nor otherwise. */
static void check_mqueue(struct check *k, pid_t pid, const struct mount *m)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	char path[640];

	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)pid, m->target);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			REFUSE(k, 0, "the POSIX message queue %s in %s cannot be carried by CRIU: let it be removed",
			       entry->d_name, m->target);
			return;
		}
}

static void check_mount(struct check *k, pid_t pid, const struct mount *m)
{
	if (!strcmp(m->type, "fuse") || !strncmp(m->type, "fuse.", 5) || !strcmp(m->type, "fuseblk"))
		REFUSE(k, 0, "%s is a FUSE filesystem (%s), whose program dies with the old kernel: unmount it before the update",
		       m->target, m->type);
	else if (!strcmp(m->type, "mqueue"))
		check_mqueue(k, pid, m);
	else if (!criu_knows(m->type) && !any_mount("self", has_device, m->device))
		REFUSE(k, 0, "%s (%s, device %s) was mounted within the container; CRIU can only carry what the host has mounted: mount it there and bind it into the container",
		       m->target, m->type, m->device);
}

static void note_mount(struct check *k, int id)
{
	int *list = check_room(k, k->mount, k->nr_mounts, sizeof(id));

	if (!list)
		return;
	k->mount = list;
	k->mount[k->nr_mounts++] = id;
}

bool check_has_mount(const struct check *k, int mount)
{
	size_t i;

	for (i = 0; i < k->nr_mounts; i++)
		if (k->mount[i] == mount)
			return true;
	return false;
}

static void check_mounts_of(struct check *k, pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	struct mount m;
	char path[64];
	size_t size = 0;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0) {
		if (!parse_mount(line, &m))
			continue;
		note_mount(k, m.id);
		check_mount(k, pid, &m);
	}
}

void check_mounts(struct check *k)
{
	size_t i, j;

	for (i = 0; i < k->nr_pids; i++) {
		if (check_same_namespace(k->pid[i], 0, "mnt"))
			continue;
		for (j = 0; j < i; j++)
			if (check_same_namespace(k->pid[i], k->pid[j], "mnt"))
				break;
		if (j == i)
			check_mounts_of(k, k->pid[i]);
	}
}
