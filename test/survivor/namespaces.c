// SPDX-License-Identifier: GPL-2.0
/*
 * The namespaces that a container is in: names and limits that belong to them.
 * Only those that are not the host's are changed; the ids of namespaces change.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "survivor.h"

static const char *const sysctls[] = {
	"/proc/sys/kernel/msgmnb", "/proc/sys/kernel/shmmni", "/proc/sys/kernel/sem",
	"/proc/sys/fs/mqueue/msg_max",
	/* A pid namespace's own */
	"/proc/sys/kernel/cap_last_cap",
};

#define NR (sizeof(sysctls) / sizeof(sysctls[0]))

static char values[NR][64], uid_map[512], gid_map[512], cgroups[512];
static const char *const namespaces[] = { "mnt", "pid", "uts", "ipc", "net", "user", "cgroup" };
static bool own_pid[7];
static struct utsname name;

/* Is ours another than the first process's? Without its /proc nothing is known. */
static bool differs_from_init(const char *which)
{
	char ours[64] = "", theirs[64] = "", path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", which);
	if (readlink(path, ours, sizeof(ours) - 1) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/1/ns/%s", which);
	if (readlink(path, theirs, sizeof(theirs) - 1) < 0)
		return false;
	return strcmp(ours, theirs);
}

static void set_up(void)
{
	/* Harmless where the host's are meant to stay as they are */
	if (getenv("SURVIVOR_OWN_NAMESPACES")) {
		must(sethostname("survivor-host", 13));
		must(setdomainname("survivor.test", 13));
		put_text(sysctls[0], "17000");
		put_text(sysctls[1], "3999");
		put_text(sysctls[3], "12");
	}
	must(uname(&name));
	for (size_t i = 0; i < NR; i++)
		snprintf(values[i], sizeof(values[i]), "%.60s", file_text(sysctls[i]));
	snprintf(uid_map, sizeof(uid_map), "%.500s", file_text("/proc/self/uid_map"));
	snprintf(gid_map, sizeof(gid_map), "%.500s", file_text("/proc/self/gid_map"));
	snprintf(cgroups, sizeof(cgroups), "%.500s", file_text("/proc/self/cgroup"));
	for (int i = 0; i < 7; i++)
		own_pid[i] = differs_from_init(namespaces[i]);
}

static void check(void)
{
	struct utsname now;

	expect_call("uname", uname(&now));
	expect_text("host name", name.nodename, now.nodename);
	expect_text("domain name", name.domainname, now.domainname);
	for (size_t i = 0; i < NR; i++)
		expect_text(sysctls[i], values[i], file_text(sysctls[i]));
	expect_text("user ids", uid_map, file_text("/proc/self/uid_map"));
	expect_text("group ids", gid_map, file_text("/proc/self/gid_map"));
	expect_text("cgroup as seen from inside", cgroups, file_text("/proc/self/cgroup"));
	for (int i = 0; i < 7; i++)
		expect_num(namespaces[i], own_pid[i], differs_from_init(namespaces[i]));
}

static void sabotage(int which)
{
	switch (which) {
	case 1: strcpy(name.nodename, "another"); break;
	case 2: strcpy(values[0], "1"); break;
	case 3: strcpy(uid_map, "none"); break;
	case 4: own_pid[3] = !own_pid[3]; break;
	}
}

const struct survivor survivor_namespaces = {
	.name = "namespaces",
	.keeps = "the container's uts, ipc, pid, user and cgroup namespaces: names, limits, maps",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
};
