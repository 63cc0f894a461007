// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/cleanup.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/strv.h"
#include "restore/enter_root.h"

/* Is something mounted there, other than the directory above is? */
static bool is_mount_point(const char *path)
{
	char parent[PATH_MAX + 4];
	struct stat here, above;

	snprintf(parent, sizeof(parent), "%s/..", path);
	return !stat(path, &here) && !stat(parent, &above) && here.st_dev != above.st_dev;
}

/*
 * Slaves: what is mounted on /run later is seen there too, and what is
 * unmounted there does not go away here. PID 1, about to switch, leaves a
 * target alone that is a mount point already.
 */
int root_prepare(const char *root)
{
	static const char *const dirs[] = { "/dev", "/proc", "/sys", "/run" };
	char target[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(target, sizeof(target), "%s%s", root, dirs[i]);
		if (is_mount_point(target))
			continue;
		if (mount(dirs[i], target, NULL, MS_BIND | MS_REC, NULL) < 0 ||
		    mount(NULL, target, NULL, MS_REC | MS_SLAVE, NULL) < 0)
			return log_syserr(errno, "cannot bind %s to %s", dirs[i], target);
	}
	return 0;
}

static bool is_below(const char *path, const char *root)
{
	size_t length = strlen(root);

	return !strncmp(path, root, length) && (!path[length] || path[length] == '/');
}

/* Mount points that are not below root, in the order of the table. */
static int list_others(const char *root, char ***list)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	char path[PATH_MAX];
	size_t room = 0;
	int err = 0;

	if (!f)
		return log_syserr(errno, "cannot read /proc/self/mountinfo");
	while (!err && getline(&line, &room, f) > 0)
		if (sscanf(line, "%*s %*s %*s %*s %4095s", path) == 1 && strcmp(path, "/") &&
		    !is_below(path, root))
			err = strv_add(list, path);
	return err;
}

/* Latest first; one that another hides goes with it, or is not to be found. */
static int detach_others(const char *root)
{
	_cleanup_strv_ char **others = NULL;
	int err = list_others(root, &others);
	size_t i;

	for (i = strv_count(others); !err && i-- > 0;)
		if (umount2(others[i], MNT_DETACH) < 0)
			log_detail("%s stays mounted: %s", others[i], strerror(errno));
	return err;
}

/*
 * Where / is the initramfs itself, kernels before 7.0 cannot pivot away from
 * it: there the mount is moved over it, as switch_root does.
 */
static int pivot(const char *root)
{
	if (chdir(root) < 0)
		return log_syserr(errno, "cannot enter %s", root);
	if (!syscall(SYS_pivot_root, ".", "."))
		umount2(".", MNT_DETACH);
	else if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
		return log_syserr(errno, "cannot make %s the root", root);
	if (chdir("/") < 0)
		return log_syserr(errno, "cannot enter the new root");
	return 0;
}

int root_enter(const char *root)
{
	int err;

	if (fault_hit(FAULT_ENTER_ROOT, NULL))
		return -EIO;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return log_syserr(errno, "cannot make a mount namespace");
	err = detach_others(root);
	return err ? err : pivot(root);
}

int root_change(const char *root)
{
	if (fault_hit(FAULT_ENTER_ROOT, NULL))
		return -EIO;
	if (chroot(root) < 0 || chdir("/") < 0)
		return log_syserr(errno, "cannot make %s the root", root);
	return 0;
}
