// SPDX-License-Identifier: GPL-2.0
/*
 * fsops_mount.c - the mount as a whole: read-only, caches dropped, use as a layer
 * of overlayfs, many processes at once. Remounting needs that the directory under
 * test is the root of a mount.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fsops.h"

static bool is_mount_root(void)
{
	struct statx x;

	return !statx(AT_FDCWD, fsops_root, 0, STATX_BASIC_STATS, &x) &&
	       (x.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static void set_read_only(bool on)
{
	OK(!mount(NULL, fsops_root, NULL, MS_REMOUNT | (on ? MS_RDONLY : 0), NULL));
}

static void remount_read_only(void)
{
	int fd, status;
	pid_t pid;

	if (!is_mount_root())
		case_skip("DIR is not a mount");
	write_file("a", "text");
	fd = open("a", O_RDWR);
	OK(fd >= 0);
	ERR(mount(NULL, fsops_root, NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	close(fd);
	set_read_only(true);
	pid = fork();
	OK(pid >= 0);
	if (!pid) {
		ERR(open("a", O_RDWR), EROFS);
		ERR(open("b", O_CREAT | O_RDWR, 0644), EROFS);
		ERR(mkdir("d", 0755), EROFS);
		ERR(unlink("a"), EROFS);
		ERR(rename("a", "b"), EROFS);
		ERR(chmod("a", 0600), EROFS);
		ERR(truncate("a", 0), EROFS);
		ERR(link("a", "b"), EROFS);
		ERR(symlink("a", "b"), EROFS);
		ERR(open(".", O_TMPFILE | O_RDWR, 0600), EROFS);
		expect_text("a", "text");
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	set_read_only(false);
	if (WEXITSTATUS(status))
		_exit(1);
	write_file("b", "again");
}

static void drop_caches(void)
{
	int fd = make_file("a", 4 << 20), control, sparse = make_file("b", 0);
	struct stat before, after;
	ino_t dir;

	OK(!mkdir("d", 0755));
	write_file("d/f", "kept");
	OK(!symlink("a target that is longer than what fits into an inode itself, much longer", "s"));
	OK(!setxattr("d/f", "user.kept", "v", 1, 0));
	EQ(pwrite(sparse, "x", 1, 77 * PAGE), 1);
	dir = inode_of("d");
	before = stat_of("a");
	close(fd);
	control = open("/proc/sys/vm/drop_caches", O_WRONLY);
	OK(control >= 0);
	for (int i = 0; i < 3; i++)
		EQ(pwrite(control, "3", 1, 0), 1);
	after = stat_of("a");
	EQ(after.st_ino, before.st_ino);
	EQ(after.st_blocks, before.st_blocks);
	EQ(inode_of("d"), dir);
	expect_text("d/f", "kept");
	EQ(getxattr("d/f", "user.kept", NULL, 0), 1);
	fd = open("a", O_RDONLY);
	expect_pattern(fd, 0, 4 << 20);
	expect_zero(sparse, 0, 77 * PAGE);
	EQ(lseek(sparse, 0, SEEK_DATA), 77 * PAGE);
	OK(exists("s"));
}

/* More anonymous memory than is free, in a child that may die of it. */
static void memory_pressure(void)
{
	int fd = make_file("a", 8 << 20), status;
	size_t total = (size_t)sysconf(_SC_PHYS_PAGES) * PAGE;
	pid_t pid;

	if (!getenv("FSOPS_PRESSURE"))
		case_skip("set FSOPS_PRESSURE=1 on a machine that may run out of memory");
	pid = fork();
	OK(pid >= 0);
	if (!pid) {
		int score = open("/proc/self/oom_score_adj", O_WRONLY);
		unsigned char *p = mmap(NULL, total, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (score < 0 || write(score, "1000", 4) != 4 || p == MAP_FAILED)
			_exit(1);
		for (size_t i = 0; i < total; i += PAGE)
			p[i] = 1;
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	OK(!WIFEXITED(status) || !WEXITSTATUS(status));
	expect_pattern(fd, 0, 8 << 20);
}

static void overlay_upper(void)
{
	OK(!unshare(CLONE_NEWNS));
	OK(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(!mkdir("lower", 0755));
	OK(!mkdir("upper", 0755));
	OK(!mkdir("work", 0755));
	OK(!mkdir("merged", 0755));
	write_file("lower/a", "lower a");
	write_file("lower/b", "lower b");
	OK(!mkdir("lower/d", 0755));
	write_file("lower/d/x", "x");
	if (mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work") &&
	    errno == ENODEV)
		case_skip("no overlayfs here");
	write_file("merged/a", "new a");
	expect_text("lower/a", "lower a");
	expect_text("upper/a", "new a");
	OK(!unlink("merged/b"));
	OK(S_ISCHR(stat_of("upper/b").st_mode));
	OK(!exists("merged/b"));
	OK(!unlink("merged/d/x"));
	OK(!rmdir("merged/d"));
	OK(!mkdir("merged/d", 0755));
	OK(!exists("merged/d/x"));
	write_file("merged/c", "c");
	OK(!rename("merged/c", "merged/e"));
	expect_text("merged/e", "c");
	OK(!umount("merged"));
	expect_text("upper/e", "c");
}

static void churn(int worker)
{
	char name[64], other[64];

	for (int i = 0; i < 1500; i++) {
		int fd;

		snprintf(name, sizeof(name), "shared/f%d", (i * 7 + worker) % 20);
		snprintf(other, sizeof(other), "shared/f%d", (i * 3 + worker) % 20);
		switch ((i + worker) % 6) {
		case 0:
		case 1:
			fd = open(name, O_CREAT | O_RDWR, 0644);
			if (fd >= 0) {
				if (pwrite(fd, name, 8, i * 16) != 8)
					_exit(1);
				close(fd);
			}
			break;
		case 2:
			if (rename(name, other) && errno != ENOENT)
				_exit(1);
			break;
		case 3:
			if (unlink(name) && errno != ENOENT)
				_exit(1);
			break;
		case 4:
			if (link(name, other) && errno != ENOENT && errno != EEXIST)
				_exit(1);
			break;
		case 5:
			if (truncate(name, i % 9000) && errno != ENOENT)
				_exit(1);
		}
	}
	_exit(0);
}

static void many_processes(void)
{
	int status, bad = 0;

	OK(!mkdir("shared", 0755));
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		OK(pid >= 0);
		if (!pid)
			churn(i);
	}
	for (int i = 0; i < 8; i++) {
		OK(wait(&status) > 0);
		bad |= status;
	}
	EQ(bad, 0);
}

const struct fsops_case fsops_mount_cases[] = {
	{ "remount-read-only", remount_read_only },
	{ "drop-caches", drop_caches },
	{ "memory-pressure", memory_pressure },
	{ "overlay-upper", overlay_upper },
	{ "many-processes", many_processes },
	{ }
};
