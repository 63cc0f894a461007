// SPDX-License-Identifier: GPL-2.0
/*
 * Controllers that systemd is to leave to cgroups which are not its own.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "file.h"

#define SYSTEMD_DIR "/run/systemd/system"
#define DROP_IN_DIR SYSTEMD_DIR "/system.slice.d"
#define DROP_IN "50-rebootless.conf"

/* Will PID 1 be systemd? What has its directory in /run is taken for it. */
static bool is_systemds(const char *root)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *name;
	ssize_t n;

	if (!access(SYSTEMD_DIR, F_OK))
		return true;
	snprintf(path, sizeof(path), "%s/sbin/init", root);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	name = strrchr(target, '/');
	return !strcmp(name ? name + 1 : target, "systemd");
}

void cgroup_ask_systemd(const char *root)
{
	/* what fails is logged, and no more than limits that come later */
	if (is_systemds(root))
		file_write(DROP_IN_DIR, DROP_IN, 0644, "[Slice]\nCPUWeight=100\nIOWeight=100\n");
}

void cgroup_ask_systemd_no_more(void)
{
	if (!unlink(DROP_IN_DIR "/" DROP_IN))
		rmdir(DROP_IN_DIR);
}
