// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/apparmor.h"
#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/strv.h"

#define SECURITYFS "/sys/kernel/security"
#define POLICY SECURITYFS "/apparmor/policy/profiles"
#define REPLACE SECURITYFS "/apparmor/.replace"
#define PROFILE_MAX 1024

/* What a process runs under, "" = nothing; children ("name//child") come with their parents. */
static void profile_of(pid_t pid, char name[PROFILE_MAX])
{
	char path[64], *end;

	snprintf(path, sizeof(path), "/proc/%d/attr/apparmor/current", (int)pid);
	if (file_read_line(path, name, PROFILE_MAX) < 0 || !strncmp(name, "unconfined", 10)) {
		*name = '\0';
		return;
	}
	end = strstr(name, "//");
	if (!end)
		end = strrchr(name, '(');
	if (end && end > name && end[-1] == ' ')
		end--;
	if (end)
		*end = '\0';
}

static int add_profiles(const struct container *c, char ***names)
{
	_cleanup_free_ pid_t *pids = NULL;
	char name[PROFILE_MAX];
	size_t nr = 0, i;
	int err = cgroup_pids(c->cgroup, &pids, &nr);

	for (i = 0; !err && i < nr; i++) {
		profile_of(pids[i], name);
		if (*name && !strv_has(*names, name))
			err = strv_add(names, name);
	}
	return err;
}

/* Directories of profiles are called NAME.NUMBER, with some characters replaced. */
static int find_policy(const char *name, char *path, size_t size)
{
	_cleanup_closedir_ DIR *dir = opendir(POLICY);
	char file[PATH_MAX], found[PROFILE_MAX];
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		snprintf(file, sizeof(file), POLICY "/%s/name", entry->d_name);
		if (entry->d_name[0] == '.' || file_read_line(file, found, sizeof(found)) < 0 ||
		    strcmp(found, name))
			continue;
		snprintf(path, size, POLICY "/%s/raw_data", entry->d_name);
		return 0;
	}
	return log_refusal(-ENOENT, "the AppArmor profile %s is not to be found in %s", name, POLICY);
}

/* A policy is loaded by one write, so it is kept in one piece. */
static int copy_file(const char *from, const char *to)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	char buffer[65536];
	ssize_t n = 0;

	if (in < 0)
		return log_syserr(errno, "cannot read %s", from);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while (out >= 0 && (n = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, (size_t)n) != n)
			return log_syserr(errno, "cannot write %s", to);
	return out < 0 || n < 0 ? log_syserr(errno, "cannot copy %s to %s", from, to) : 0;
}

int apparmor_save(const struct containers *list, const char *store)
{
	_cleanup_strv_ char **names = NULL;
	char from[PATH_MAX], to[PATH_MAX];
	const struct container *c;
	size_t i;
	int err = 0;

	if (access(POLICY, F_OK) < 0)
		return 0;
	for (c = list->container; !err && c < list->container + list->nr; c++)
		if (c->state == CONTAINER_RUNNING && c->cgroup)
			err = add_profiles(c, &names);
	snprintf(to, sizeof(to), "%s/apparmor", store);
	if (!err && names)
		err = file_make_dirs(to);
	for (i = 0; !err && names && names[i]; i++) {
		snprintf(to, sizeof(to), "%s/apparmor/%zu", store, i);
		err = find_policy(names[i], from, sizeof(from));
		if (!err)
			err = copy_file(from, to);
	}
	return err;
}

static int load_one(const char *path)
{
	_cleanup_(file_unmap) struct mapped_file policy = { 0 };
	_cleanup_close_ int fd = -1;
	int err = file_map(path, &policy);

	if (err)
		return err;
	fd = open(REPLACE, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, policy.data, policy.bytes) != (ssize_t)policy.bytes)
		return -errno;
	return 0;
}

void apparmor_load(const char *store)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char path[PATH_MAX];
	struct dirent *entry;
	int err;

	snprintf(path, sizeof(path), "%s/apparmor", store);
	dir = opendir(path);
	if (!dir)
		return;
	if (access(REPLACE, F_OK) < 0)
		mount("securityfs", SECURITYFS, "securityfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/apparmor/%s", store, entry->d_name);
		err = load_one(path);
		if (err)
			log_warning("this kernel does not take an AppArmor profile of the old one: %s",
				    strerror(-err));
	}
}
