// SPDX-License-Identifier: GPL-2.0
/* fsops_meta.c - owners, modes, times, extended attributes, statfs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fsops.h"

#define USER	12345

static void user_without_rights(void)
{
	ERR(open("secret", O_RDONLY), EACCES);
	ERR(open("readable", O_WRONLY), EACCES);
	OK(open("readable", O_RDONLY) >= 0);
	ERR(open("closed/x", O_RDONLY), EACCES);
	ERR(open("nowrite/y", O_CREAT | O_WRONLY, 0644), EACCES);
	ERR(unlink("nowrite/x"), EACCES);
	ERR(chmod("readable", 0777), EPERM);
	ERR(chown("readable", USER, USER), EPERM);
	ERR(mknod("dev", S_IFCHR, 0x103), EPERM);
	ERR(truncate("readable", 0), EACCES);
	ERR(setxattr("readable", "trusted.x", "y", 1, 0), EPERM);
	ERR(setxattr("readable", "user.x", "y", 1, 0), EACCES);
}

static void permissions(void)
{
	write_file("secret", "s");
	OK(!chmod("secret", 0600));
	write_file("readable", "r");
	OK(!chmod("readable", 0644));
	OK(!mkdir("closed", 0700));
	write_file("closed/x", "x");
	OK(!mkdir("nowrite", 0755));
	write_file("nowrite/x", "x");
	as_user(USER, user_without_rights);
}

static void user_creates(void)
{
	struct stat st;

	write_file("mine", "m");
	OK(!mkdir("mydir", 0755));
	st = stat_of("mine");
	EQ(st.st_uid, USER);
	EQ(st.st_gid, USER);
	EQ(stat_of("mydir").st_uid, USER);
	OK(!chmod("mine", 0600));
	ERR(chown("mine", 0, -1), EPERM);
	OK(!setxattr("mine", "user.x", "y", 1, 0));
	OK(!unlink("mine"));
}

static void owner_of_new_files(void)
{
	as_user(USER, user_creates);
}

static void user_in_sticky(void)
{
	ERR(unlink("tmp/other"), EPERM);
	ERR(rename("tmp/other", "tmp/new"), EPERM);
	write_file("tmp/own", "x");
	OK(!rename("tmp/own", "tmp/own2"));
	OK(!unlink("tmp/own2"));
}

static void sticky_directory(void)
{
	OK(!mkdir("tmp", 0777));
	OK(!chmod("tmp", 01777));
	write_file("tmp/other", "x");
	as_user(USER, user_in_sticky);
}

static void setgid_inheritance(void)
{
	OK(!mkdir("g", 0777));
	OK(!chown("g", 0, 500));
	OK(!chmod("g", 02777));
	write_file("g/f", "x");
	EQ(stat_of("g/f").st_gid, 500);
	OK(!mkdir("g/d", 0755));
	EQ(stat_of("g/d").st_gid, 500);
	EQ(stat_of("g/d").st_mode, S_IFDIR | 02755);
	OK(!mkfifo("g/p", 0644));
	EQ(stat_of("g/p").st_gid, 500);
	OK(!symlink("x", "g/s"));
	EQ(stat_of("g/s").st_gid, 500);
}

static void chown_clears_suid(void)
{
	write_file("a", "x");
	OK(!chmod("a", 06755));
	OK(!chown("a", 1, 1));
	EQ(stat_of("a").st_mode, S_IFREG | 0755);
	OK(!chown("a", -1, 2));
	EQ(stat_of("a").st_uid, 1);
	EQ(stat_of("a").st_gid, 2);
	OK(!chown("a", 4294967294u, 4294967294u));
	EQ(stat_of("a").st_uid, 4294967294u);
	EQ(stat_of("a").st_gid, 4294967294u);
	OK(!symlink("a", "s"));
	OK(!lchown("s", 7, 8));
	EQ(stat_of("s").st_uid, 7);
	EQ(stat_of("a").st_uid, 4294967294u);
}

static void user_writes_suid(void)
{
	int fd = open("a", O_WRONLY);

	OK(fd >= 0);
	EQ(write(fd, "y", 1), 1);
}

static void write_clears_suid(void)
{
	write_file("a", "x");
	OK(!chmod("a", 06777));
	as_user(USER, user_writes_suid);
	EQ(stat_of("a").st_mode, S_IFREG | 0777);
}

static void user_truncates_suid(void)
{
	OK(!truncate("a", 0));
}

static void truncate_clears_suid(void)
{
	write_file("a", "x");
	OK(!chmod("a", 06777));
	as_user(USER, user_truncates_suid);
	EQ(stat_of("a").st_mode, S_IFREG | 0777);
}

static void modes(void)
{
	struct stat before;

	write_file("a", "x");
	before = stat_of("a");
	usleep(20000);
	OK(!chmod("a", 07777));
	EQ(stat_of("a").st_mode, S_IFREG | 07777);
	OK(stat_of("a").st_ctim.tv_nsec != before.st_ctim.tv_nsec);
	EQ(stat_of("a").st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	OK(!chmod("a", 0));
	EQ(stat_of("a").st_mode, S_IFREG);
	umask(027);
	OK(open("b", O_CREAT | O_WRONLY, 0777) >= 0);
	EQ(stat_of("b").st_mode, S_IFREG | 0750);
	OK(!mkdir("c", 01777));
	EQ(stat_of("c").st_mode, S_IFDIR | 01750);
}

static void set_times(void)
{
	static const struct timespec sets[][2] = {
		{ { 0, 0 }, { 1, 999999999 } },
		{ { -1, 1 }, { -2208988800, 123456789 } },
		{ { 2147483648, 2 }, { 4294967297, 3 } },
		{ { 253402300799, 4 }, { 1000000000, 5 } },
	};
	struct stat st;

	write_file("a", "x");
	OK(!symlink("a", "s"));
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		OK(!utimensat(AT_FDCWD, "a", sets[i], 0));
		st = stat_of("a");
		EQ(st.st_atim.tv_sec, sets[i][0].tv_sec);
		EQ(st.st_atim.tv_nsec, sets[i][0].tv_nsec);
		EQ(st.st_mtim.tv_sec, sets[i][1].tv_sec);
		EQ(st.st_mtim.tv_nsec, sets[i][1].tv_nsec);
	}
	struct timespec omit[2] = { { 5, UTIME_OMIT }, { 77, 7 } };
	OK(!utimensat(AT_FDCWD, "a", omit, 0));
	st = stat_of("a");
	EQ(st.st_atim.tv_sec, 253402300799);
	EQ(st.st_mtim.tv_sec, 77);
	OK(!utimensat(AT_FDCWD, "s", omit, AT_SYMLINK_NOFOLLOW));
	EQ(stat_of("s").st_mtim.tv_sec, 77);
	OK(!utimensat(AT_FDCWD, "a", NULL, 0));
	OK(stat_of("a").st_mtim.tv_sec > 77);
}

static void statx_btime(void)
{
	struct statx x;
	struct timespec past[2] = { { 1, 1 }, { 1, 1 } };

	write_file("a", "x");
	OK(!utimensat(AT_FDCWD, "a", past, 0));
	OK(!statx(AT_FDCWD, "a", 0, STATX_BASIC_STATS | STATX_BTIME, &x));
	OK(x.stx_mask & STATX_BTIME);
	OK(x.stx_btime.tv_sec > 1000000000);
	EQ(x.stx_mtime.tv_sec, 1);
	OK(x.stx_ctime.tv_sec >= x.stx_btime.tv_sec);
}

static void file_handles(void)
{
	struct {
		struct file_handle head;
		unsigned char bytes[MAX_HANDLE_SZ];
	} h = { .head.handle_bytes = MAX_HANDLE_SZ };
	int mount_id, mount, fd;

	write_file("a", "by handle");
	OK(!name_to_handle_at(AT_FDCWD, "a", &h.head, &mount_id, 0));
	mount = open(".", O_RDONLY | O_DIRECTORY);
	OK(mount >= 0);
	fd = open_by_handle_at(mount, &h.head, O_RDONLY);
	OK(fd >= 0);
	char buf[16] = "";
	EQ(read(fd, buf, sizeof(buf)), 9);
	OK(!strcmp(buf, "by handle"));
	close(fd);
	OK(!unlink("a"));
	ERR(open_by_handle_at(mount, &h.head, O_RDONLY), ESTALE);
}

static void xattr_basic(const char *name)
{
	char value[64];

	write_file("x", "");
	ERR(getxattr("x", name, value, sizeof(value)), ENODATA);
	ERR(setxattr("x", name, "v", 1, XATTR_REPLACE), ENODATA);
	OK(!setxattr("x", name, "v1", 2, XATTR_CREATE));
	ERR(setxattr("x", name, "v2", 2, XATTR_CREATE), EEXIST);
	OK(!setxattr("x", name, "longer value", 12, XATTR_REPLACE));
	EQ(getxattr("x", name, value, sizeof(value)), 12);
	OK(!memcmp(value, "longer value", 12));
	EQ(getxattr("x", name, NULL, 0), 12);
	ERR(getxattr("x", name, value, 5), ERANGE);
	OK(!setxattr("x", name, "", 0, 0));
	EQ(getxattr("x", name, value, sizeof(value)), 0);
	OK(!removexattr("x", name));
	ERR(removexattr("x", name), ENODATA);
	ERR(getxattr("x", name, value, sizeof(value)), ENODATA);
	OK(!unlink("x"));
}

static void xattr_user(void)
{
	xattr_basic("user.name");
}

static void xattr_trusted(void)
{
	xattr_basic("trusted.name");
}

static void xattr_security(void)
{
	xattr_basic("security.name");
}

static void xattr_list(void)
{
	char name[64], list[8192];
	int seen = 0;
	ssize_t len;

	write_file("a", "");
	EQ(listxattr("a", list, sizeof(list)), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "user.attribute-%d", i);
		OK(!setxattr("a", name, name, strlen(name), 0));
	}
	len = listxattr("a", NULL, 0);
	OK(len > 100 * 16);
	EQ(listxattr("a", list, sizeof(list)), len);
	ERR(listxattr("a", list, 10), ERANGE);
	for (char *at = list; at < list + len; at += strlen(at) + 1) {
		char value[64];
		ssize_t n = getxattr("a", at, value, sizeof(value));

		EQ(n, strlen(at));
		OK(!memcmp(value, at, n));
		seen++;
	}
	EQ(seen, 100);
	for (int i = 0; i < 100; i += 2) {
		snprintf(name, sizeof(name), "user.attribute-%d", i);
		OK(!removexattr("a", name));
	}
	OK(listxattr("a", list, sizeof(list)) < len);
}

static void xattr_limits(void)
{
	static char value[XATTR_SIZE_MAX + 1], got[XATTR_SIZE_MAX];
	char name[XATTR_NAME_MAX + 2];

	memset(value, 'v', sizeof(value));
	write_file("a", "");
	OK(!setxattr("a", "user.large", value, XATTR_SIZE_MAX, 0));
	EQ(getxattr("a", "user.large", got, sizeof(got)), XATTR_SIZE_MAX);
	OK(!memcmp(value, got, XATTR_SIZE_MAX));
	ERR(setxattr("a", "user.larger", value, XATTR_SIZE_MAX + 1, 0), E2BIG);
	memset(name, 'n', sizeof(name));
	memcpy(name, "user.", 5);
	name[XATTR_NAME_MAX + 1] = 0;
	ERR(setxattr("a", name, "v", 1, 0), ERANGE);
	name[XATTR_NAME_MAX] = 0;
	OK(!setxattr("a", name, "v", 1, 0));
	ERR(setxattr("a", "user.", "v", 1, 0), EINVAL);
	ERR(setxattr("a", "unknown.x", "v", 1, 0), EOPNOTSUPP);
}

static void xattr_on_kinds(void)
{
	char value[8];

	OK(!mkdir("d", 0755));
	OK(!setxattr("d", "user.x", "d", 1, 0));
	OK(!symlink("d", "s"));
	OK(!lsetxattr("s", "trusted.x", "s", 1, 0));
	ERR(lsetxattr("s", "user.x", "s", 1, 0), EPERM);
	EQ(lgetxattr("s", "trusted.x", value, 8), 1);
	ERR(getxattr("s", "trusted.x", value, 8), ENODATA);
	OK(!mkfifo("p", 0644));
	OK(!setxattr("p", "security.x", "p", 1, 0));
	ERR(setxattr("p", "user.x", "p", 1, 0), EPERM);
	OK(!rename("d", "e"));
	EQ(getxattr("e", "user.x", value, 8), 1);
}

static void user_lists_trusted(void)
{
	char list[256];

	EQ(listxattr("a", list, sizeof(list)), strlen("user.x") + 1);
}

static void xattr_trusted_hidden(void)
{
	write_file("a", "");
	OK(!setxattr("a", "trusted.x", "t", 1, 0));
	OK(!setxattr("a", "user.x", "t", 1, 0));
	as_user(USER, user_lists_trusted);
}

static void capability_dropped_by_write(void)
{
	static const unsigned int capability[5] = { 0x02000001, 0x400, 0, 0, 0 };
	char value[64];
	int fd;

	write_file("a", "x");
	OK(!setxattr("a", "security.capability", capability, sizeof(capability), 0));
	EQ(getxattr("a", "security.capability", value, sizeof(value)), sizeof(capability));
	fd = open("a", O_WRONLY);
	EQ(write(fd, "y", 1), 1);
	ERR(getxattr("a", "security.capability", value, sizeof(value)), ENODATA);
}

/* POSIX ACL: version 2, entries of tag, rights, id. */
struct acl {
	unsigned int version;
	struct {
		unsigned short tag, perm;
		unsigned int id;
	} entry[5];
};

static const struct acl acl = { 2, {
	{ 1, 6, ~0u }, { 2, 4, USER }, { 4, 0, ~0u }, { 16, 4, ~0u }, { 32, 0, ~0u },
} };

static void user_reads_by_acl(void)
{
	OK(open("a", O_RDONLY) >= 0);
	ERR(open("a", O_WRONLY), EACCES);
	ERR(open("b", O_RDONLY), EACCES);
}

static void acls(void)
{
	struct acl got;

	write_file("a", "x");
	write_file("b", "x");
	OK(!chmod("b", 0640));
	if (setxattr("a", "system.posix_acl_access", &acl, sizeof(acl), 0) && errno == EOPNOTSUPP)
		case_skip("no POSIX ACLs here");
	EQ(getxattr("a", "system.posix_acl_access", &got, sizeof(got)), sizeof(got));
	OK(!memcmp(&got, &acl, sizeof(got)));
	EQ(stat_of("a").st_mode, S_IFREG | 0640);
	as_user(USER, user_reads_by_acl);
	OK(!mkdir("d", 0755));
	OK(!setxattr("d", "system.posix_acl_default", &acl, sizeof(acl), 0));
	write_file("d/f", "x");
	EQ(getxattr("d/f", "system.posix_acl_access", &got, sizeof(got)), sizeof(got));
	OK(!mkdir("d/e", 0755));
	EQ(getxattr("d/e", "system.posix_acl_default", &got, sizeof(got)), sizeof(got));
	ERR(setxattr("a", "system.posix_acl_default", &acl, sizeof(acl), 0), EACCES);
	OK(!removexattr("d", "system.posix_acl_default"));
}

static void filesystem_figures(void)
{
	struct statfs before, after;
	int fd;

	OK(!statfs(".", &before));
	EQ(before.f_bsize, PAGE);
	EQ(before.f_namelen, NAME_MAX);
	if (!before.f_blocks)
		case_skip("the mount has no size limit");
	fd = make_file("a", 100 * PAGE);
	OK(!statfs(".", &after));
	EQ(before.f_bfree - after.f_bfree, 100);
	EQ(before.f_blocks, after.f_blocks);
	if (before.f_files)
		EQ(before.f_ffree - after.f_ffree, 1);
	close(fd);
	OK(!unlink("a"));
	OK(!statfs(".", &after));
	EQ(before.f_bfree, after.f_bfree);
	EQ(before.f_ffree, after.f_ffree);
}

static void device_and_inode_numbers(void)
{
	struct stat st;

	write_file("a", "");
	OK(!mkdir("d", 0755));
	st = stat_of("a");
	EQ(st.st_dev, stat_of("d").st_dev);
	EQ(st.st_dev, stat_of(".").st_dev);
	OK(st.st_ino);
	OK(st.st_ino != stat_of("d").st_ino);
}

const struct fsops_case fsops_meta_cases[] = {
	{ "permissions", permissions },
	{ "owner-of-new-files", owner_of_new_files },
	{ "sticky-directory", sticky_directory },
	{ "setgid-inheritance", setgid_inheritance },
	{ "chown-clears-suid", chown_clears_suid },
	{ "write-clears-suid", write_clears_suid },
	{ "truncate-clears-suid", truncate_clears_suid },
	{ "modes", modes },
	{ "set-times", set_times },
	{ "statx-btime", statx_btime },
	{ "file-handles", file_handles },
	{ "xattr-user", xattr_user },
	{ "xattr-trusted", xattr_trusted },
	{ "xattr-security", xattr_security },
	{ "xattr-list", xattr_list },
	{ "xattr-limits", xattr_limits },
	{ "xattr-on-kinds", xattr_on_kinds },
	{ "xattr-trusted-hidden", xattr_trusted_hidden },
	{ "capability-dropped-by-write", capability_dropped_by_write },
	{ "posix-acl", acls },
	{ "statfs", filesystem_figures },
	{ "device-and-inode-numbers", device_and_inode_numbers },
	{ }
};
