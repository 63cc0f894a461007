// SPDX-License-Identifier: GPL-2.0
/* The cgroup (version 2): limits as they are set, and a child cgroup with a process in it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "survivor.h"

static const char *const files[] = {
	"memory.max", "memory.high", "memory.swap.max", "pids.max", "cpu.max", "cpu.weight",
	"cgroup.max.descendants", "cgroup.type",
};

#define NR (sizeof(files) / sizeof(files[0]))

static char own[600], sub[700], values[NR][64], sub_line[128];
static pid_t child;

static const char *value(const char *dir, const char *file)
{
	char path[900];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return file_text(path);
}

static void child_set_up(void)
{
	char path[800], pid[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", sub);
	snprintf(pid, sizeof(pid), "%d", getpid());
	must(put_text(path, pid) ? 0 : -1);
}

static const char *child_line(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", child);
	return file_text(path);
}

static void set_up(void)
{
	const char *line = file_text("/proc/self/cgroup");
	char path[800];

	if (strncmp(line, "0::/", 4))
		survivor_skip("no cgroups of version 2 alone");
	snprintf(own, sizeof(own), "/sys/fs/cgroup%.500s", strcmp(line, "0::/") ? line + 3 : "");
	if (!*value(own, "cgroup.type") && !*value(own, "cgroup.controllers"))
		survivor_skip("%s cannot be read", own);
	for (size_t i = 0; i < NR; i++)
		snprintf(values[i], sizeof(values[i]), "%.60s", value(own, files[i]));
	snprintf(sub, sizeof(sub), "%s/survivor-child", own);
	if (mkdir(sub, 0755) && errno != EEXIST)
		survivor_skip("%s cannot be made: %s", sub, strerror(errno));
	snprintf(path, sizeof(path), "%s/cgroup.max.descendants", sub);
	must(put_text(path, "7") ? 0 : -1);
	child = helper(child_set_up, NULL);
	snprintf(sub_line, sizeof(sub_line), "%.120s", child_line());
}

static void check(void)
{
	for (size_t i = 0; i < NR; i++)
		expect_text(files[i], values[i], value(own, files[i]));
	helper_check(child);
	expect_text("cgroup of the child", sub_line, child_line());
	expect_text("setting of the child cgroup", "7", value(sub, "cgroup.max.descendants"));
}

static void leave(void)
{
	char path[800];

	snprintf(path, sizeof(path), "%s/cgroup.procs", own);
	put_text(path, "0");
}

static void sabotage(int which)
{
	char path[800];

	switch (which) {
	case 1: helper_do(child, leave); break;
	case 2:
		snprintf(path, sizeof(path), "%s/cgroup.max.descendants", sub);
		put_text(path, "max");
		break;
	case 3: strcpy(values[6], "1"); break;
	}
}

const struct survivor survivor_cgroup = {
	.name = "cgroup",
	.keeps = "limits of the cgroup, a child cgroup with a setting and a process",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
};
