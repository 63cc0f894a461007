// SPDX-License-Identifier: GPL-2.0
/* A mount namespace of a process's own, with mounts that nobody else sees. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "survivor.h"

static pid_t child;
static char directory[512], bind[512];

static void child_set_up(void)
{
	char path[600];

	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mount("survivor", directory, "tmpfs", MS_NOSUID | MS_NOEXEC, "size=1m,mode=0750"));
	snprintf(path, sizeof(path), "%s/file", directory);
	must(put_text(path, "in a tmpfs") ? 0 : -1);
	snprintf(path, sizeof(path), "%s/sub", directory);
	must(mkdir(path, 0711));
	must(mount(path, bind, NULL, MS_BIND, NULL));
	must(mount(NULL, bind, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NODEV, NULL));
}

static void child_check(void)
{
	struct statvfs fs = { 0 };
	struct stat st, sub;
	char path[600];

	snprintf(path, sizeof(path), "%s/file", directory);
	expect_text("file in a private tmpfs", "in a tmpfs", file_text(path));
	expect_call("statvfs", statvfs(directory, &fs));
	expect_num("flags of the tmpfs", ST_NOSUID | ST_NOEXEC,
		   fs.f_flag & (ST_NOSUID | ST_NOEXEC | ST_NODEV | ST_RDONLY));
	expect_num("its size", 1 << 20, fs.f_blocks * fs.f_frsize);
	expect_call("stat", stat(directory, &st));
	expect_num("mode of its root", 0750, st.st_mode & 0777);
	snprintf(path, sizeof(path), "%s/sub", directory);
	expect_call("stat", stat(path, &sub));
	expect_call("stat", stat(bind, &st));
	expect_num("bind mount is of the tmpfs", sub.st_ino, st.st_ino);
	expect_num("device of the bind mount", sub.st_dev, st.st_dev);
	snprintf(path, sizeof(path), "%s/new", bind);
	expect_num("write to a read-only bind mount", -1, open(path, O_CREAT | O_WRONLY, 0600));
	expect_num("its error", EROFS, errno);
}

static void set_up(void)
{
	snprintf(directory, sizeof(directory), "%s", own_path("mount"));
	snprintf(bind, sizeof(bind), "%s", own_path("bind"));
	mkdir(directory, 0700);
	mkdir(bind, 0700);
	child = helper(child_set_up, child_check);
}

static void check(void)
{
	char path[600];

	helper_check(child);
	snprintf(path, sizeof(path), "%s/file", directory);
	expect_num("a private mount is not seen outside", -1, access(path, F_OK));
}

static void lose_tmpfs(void)
{
	umount2(directory, MNT_DETACH);
}

static void lose_read_only(void)
{
	mount(NULL, bind, NULL, MS_BIND | MS_REMOUNT, NULL);
}

static void sabotage(int which)
{
	char path[600];

	switch (which) {
	case 1: helper_do(child, lose_tmpfs); break;
	case 2: helper_do(child, lose_read_only); break;
	case 3:
		snprintf(path, sizeof(path), "%s/file", directory);
		put_text(path, "");
		break;
	}
}

const struct survivor survivor_mount_namespace = {
	.name = "mount_namespace",
	.keeps = "a nested mount namespace: a tmpfs with files, a read-only bind mount, flags",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
};
