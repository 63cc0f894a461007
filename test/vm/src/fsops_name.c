// SPDX-License-Identifier: GPL-2.0
/* fsops_name.c - names: create, link, unlink, rename, directories. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fsops.h"

static int rename2(const char *from, const char *to, unsigned int flags)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void create_exclusive(void)
{
	int fd = open("a", O_CREAT | O_EXCL | O_RDWR, 0644);

	OK(fd >= 0);
	ERR(open("a", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
	OK(!symlink("nowhere", "s"));
	ERR(open("s", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
	ERR(open("b", O_RDWR), ENOENT);
	ERR(open("a/b", O_RDWR), ENOTDIR);
	ERR(open(".", O_RDWR), EISDIR);
}

static void unlinked_open_file(void)
{
	int fd = make_file("a", 3 * PAGE);

	OK(!unlink("a"));
	OK(!exists("a"));
	expect_pattern(fd, 0, 3 * PAGE);
	EQ(pwrite(fd, "xyz", 3, 10 * PAGE), 3);
	expect_zero(fd, 3 * PAGE, 7 * PAGE);
	struct stat st;
	OK(!fstat(fd, &st));
	EQ(st.st_nlink, 0);
	EQ(st.st_size, 10 * PAGE + 3);
}

static void link_and_nlink(void)
{
	write_file("a", "text");
	OK(!mkdir("d", 0755));
	OK(!link("a", "b"));
	OK(!link("a", "d/c"));
	EQ(nlink_of("a"), 3);
	EQ(inode_of("a"), inode_of("d/c"));
	OK(!unlink("a"));
	EQ(nlink_of("b"), 2);
	expect_text("d/c", "text");
	ERR(link("b", "d/c"), EEXIST);
	ERR(link("d", "e"), EPERM);
	ERR(link("none", "e"), ENOENT);
}

static void link_updates_ctime(void)
{
	struct stat before, after;

	write_file("a", "text");
	before = stat_of("a");
	usleep(20000);
	OK(!link("a", "b"));
	after = stat_of("a");
	OK(after.st_ctim.tv_sec > before.st_ctim.tv_sec || after.st_ctim.tv_nsec > before.st_ctim.tv_nsec);
	EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

static void many_links(void)
{
	char name[32];

	write_file("a", "x");
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		OK(!link("a", name));
	}
	EQ(nlink_of("a"), 2001);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		OK(!unlink(name));
	}
	EQ(nlink_of("a"), 1);
}

static void mkdir_rmdir_nlink(void)
{
	EQ(nlink_of("."), 2);
	OK(!mkdir("a", 0755));
	OK(!mkdir("a/b", 0755));
	EQ(nlink_of("."), 3);
	EQ(nlink_of("a"), 3);
	ERR(mkdir("a", 0755), EEXIST);
	ERR(rmdir("a"), ENOTEMPTY);
	ERR(unlink("a"), EISDIR);
	OK(!rmdir("a/b"));
	EQ(nlink_of("a"), 2);
	OK(!rmdir("a"));
	EQ(nlink_of("."), 2);
	write_file("f", "");
	ERR(rmdir("f"), ENOTDIR);
	ERR(rmdir("none"), ENOENT);
	ERR(rmdir("."), EINVAL);
}

static void removed_directory(void)
{
	int fd;

	OK(!mkdir("d", 0755));
	fd = open("d", O_RDONLY | O_DIRECTORY);
	OK(fd >= 0);
	OK(!rmdir("d"));
	ERR(openat(fd, "a", O_CREAT | O_RDWR, 0644), ENOENT);
	ERR(mkdirat(fd, "a", 0755), ENOENT);
	struct stat st;
	OK(!fstat(fd, &st));
	EQ(st.st_nlink, 0);
}

static void directory_size(void)
{
	off_t empty = stat_of(".").st_size;

	write_file("a", "");
	write_file("b", "");
	OK(stat_of(".").st_size > empty);
	OK(!unlink("a"));
	OK(!unlink("b"));
	EQ(stat_of(".").st_size, empty);
}

static void directory_times(void)
{
	struct stat before = stat_of("."), after;

	usleep(20000);
	write_file("a", "");
	after = stat_of(".");
	OK(memcmp(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim)));
	OK(memcmp(&before.st_ctim, &after.st_ctim, sizeof(after.st_ctim)));
	before = after;
	usleep(20000);
	OK(!unlink("a"));
	after = stat_of(".");
	OK(memcmp(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim)));
}

static void rename_plain(void)
{
	ino_t ino;

	write_file("a", "a");
	ino = inode_of("a");
	OK(!rename("a", "b"));
	OK(!exists("a"));
	EQ(inode_of("b"), ino);
	expect_text("b", "a");
	ERR(rename("none", "c"), ENOENT);
	OK(!rename("b", "b"));
}

static void rename_over(void)
{
	int fd;

	write_file("a", "from a");
	write_file("b", "old b");
	fd = open("b", O_RDONLY);
	OK(fd >= 0);
	OK(!rename("a", "b"));
	expect_text("b", "from a");
	OK(!exists("a"));
	char buf[8] = "";
	EQ(read(fd, buf, sizeof(buf)), 5);
	OK(!strcmp(buf, "old b"));
	struct stat st;
	OK(!fstat(fd, &st));
	EQ(st.st_nlink, 0);
}

static void rename_over_hard_link(void)
{
	write_file("a", "x");
	OK(!link("a", "b"));
	OK(!rename("a", "b"));
	OK(exists("a"));
	OK(exists("b"));
	EQ(nlink_of("a"), 2);
}

static void rename_types(void)
{
	OK(!mkdir("d", 0755));
	OK(!mkdir("e", 0755));
	write_file("f", "");
	ERR(rename("f", "d"), EISDIR);
	ERR(rename("d", "f"), ENOTDIR);
	write_file("e/x", "");
	ERR(rename("d", "e"), ENOTEMPTY);
	OK(!unlink("e/x"));
	OK(!rename("d", "e"));
	EQ(nlink_of("."), 3);
	ERR(rename("e", "e/sub"), EINVAL);
}

static void rename_across_parents(void)
{
	OK(!mkdir("a", 0755));
	OK(!mkdir("b", 0755));
	OK(!mkdir("a/sub", 0755));
	write_file("a/sub/f", "deep");
	EQ(nlink_of("a"), 3);
	OK(!rename("a/sub", "b/sub"));
	EQ(nlink_of("a"), 2);
	EQ(nlink_of("b"), 3);
	expect_text("b/sub/f", "deep");
	EQ(inode_of("b/sub/.."), inode_of("b"));
	OK(!mkdir("a/sub", 0755));
	OK(!rename("a/sub", "b/other"));
	OK(!mkdir("a/empty", 0755));
	OK(!rename("a/empty", "b/other"));
	EQ(nlink_of("b"), 4);
}

static void rename_noreplace(void)
{
	write_file("a", "a");
	write_file("b", "b");
	ERR(rename2("a", "b", RENAME_NOREPLACE), EEXIST);
	expect_text("b", "b");
	OK(!rename2("a", "c", RENAME_NOREPLACE));
	expect_text("c", "a");
}

static void rename_exchange(void)
{
	OK(!mkdir("p", 0755));
	OK(!mkdir("q", 0755));
	OK(!mkdir("p/dir", 0755));
	write_file("p/dir/x", "x");
	write_file("q/file", "file");
	EQ(nlink_of("p"), 3);
	OK(!rename2("p/dir", "q/file", RENAME_EXCHANGE));
	EQ(nlink_of("p"), 2);
	EQ(nlink_of("q"), 3);
	expect_text("p/dir", "file");
	expect_text("q/file/x", "x");
	EQ(inode_of("q/file/.."), inode_of("q"));
	ERR(rename2("p/dir", "none", RENAME_EXCHANGE), ENOENT);
	write_file("p/a", "a");
	OK(!rename2("p/a", "p/dir", RENAME_EXCHANGE));
	expect_text("p/a", "file");
	expect_text("p/dir", "a");
}

static void rename_whiteout(void)
{
	struct stat st;

	write_file("a", "a");
	OK(!rename2("a", "b", RENAME_WHITEOUT));
	expect_text("b", "a");
	st = stat_of("a");
	OK(S_ISCHR(st.st_mode));
	EQ(st.st_rdev, 0);
	EQ(st.st_nlink, 1);
	write_file("c", "c");
	ERR(rename2("c", "b", RENAME_WHITEOUT | RENAME_NOREPLACE), EEXIST);
	OK(!unlink("a"));
}

static void rename_bad_flags(void)
{
	write_file("a", "a");
	write_file("b", "b");
	ERR(rename2("a", "b", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
	ERR(rename2("a", "b", 1 << 10), EINVAL);
}

static void rename_times(void)
{
	struct stat before, after;

	write_file("a", "a");
	before = stat_of("a");
	usleep(20000);
	OK(!rename("a", "b"));
	after = stat_of("b");
	EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	OK(before.st_ctim.tv_nsec != after.st_ctim.tv_nsec || before.st_ctim.tv_sec != after.st_ctim.tv_sec);
}

static void tmpfile_and_linkat(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);
	char path[64];
	struct stat st;

	OK(fd >= 0);
	OK(!fstat(fd, &st));
	EQ(st.st_nlink, 0);
	EQ(write(fd, "text", 4), 4);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	OK(!linkat(AT_FDCWD, path, AT_FDCWD, "a", AT_SYMLINK_FOLLOW));
	expect_text("a", "text");
	st = stat_of("a");
	EQ(st.st_nlink, 1);
	EQ(st.st_mode, S_IFREG | 0640);
	ERR(linkat(AT_FDCWD, path, AT_FDCWD, "a", AT_SYMLINK_FOLLOW), EEXIST);
}

static void tmpfile_exclusive(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0640);
	char path[64];

	OK(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ERR(linkat(AT_FDCWD, path, AT_FDCWD, "a", AT_SYMLINK_FOLLOW), ENOENT);
}

static void symlinks(void)
{
	static const size_t lengths[] = { 1, 30, 60, 127, 128, 129, 1000, 4095 };
	char target[PATH_MAX + 2], got[PATH_MAX + 2];
	struct stat st;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		memset(target, 'x', lengths[i]);
		target[lengths[i]] = 0;
		OK(!symlink(target, "s"));
		EQ(readlink("s", got, sizeof(got)), lengths[i]);
		OK(!memcmp(target, got, lengths[i]));
		st = stat_of("s");
		EQ(st.st_size, lengths[i]);
		EQ(st.st_mode, S_IFLNK | 0777);
		OK(!unlink("s"));
	}
	memset(target, 'x', 4096);
	target[4096] = 0;
	ERR(symlink(target, "s"), ENAMETOOLONG);
	ERR(symlink("", "s"), ENOENT);
	OK(!symlink("dir", "s"));
	OK(!mkdir("dir", 0755));
	write_file("s/f", "through");
	expect_text("dir/f", "through");
	ERR(readlink("dir", got, sizeof(got)), EINVAL);
}

static void symlink_loop(void)
{
	OK(!symlink("b", "a"));
	OK(!symlink("a", "b"));
	ERR(open("a", O_RDONLY), ELOOP);
	ERR(open("a", O_RDONLY | O_NOFOLLOW), ELOOP);
	OK(!symlink("none", "dangling"));
	ERR(open("dangling", O_RDONLY), ENOENT);
	OK(open("dangling", O_RDWR | O_CREAT, 0644) >= 0);
	OK(exists("none"));
}

static void name_lengths(void)
{
	char name[NAME_MAX + 2];

	memset(name, 'n', sizeof(name));
	name[NAME_MAX + 1] = 0;
	ERR(open(name, O_CREAT | O_RDWR, 0644), ENAMETOOLONG);
	ERR(mkdir(name, 0755), ENAMETOOLONG);
	name[NAME_MAX] = 0;
	write_file(name, "long");
	expect_text(name, "long");
	OK(!rename(name, "short"));
	OK(!rename("short", name));
	OK(!unlink(name));
}

static void odd_names(void)
{
	static const char *const names[] = { "\xff\xfe", "a\nb", " ", "\\", "\x01", "..." };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		write_file(names[i], names[i]);
		expect_text(names[i], names[i]);
	}
	write_file("CASE", "upper");
	OK(!exists("case"));
}

static size_t count_entries(void)
{
	DIR *dir = opendir(".");
	size_t nr = 0;

	OK(dir);
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static void numbered(char *name, int i)
{
	snprintf(name, 32, "entry-%05d", i);
}

static void readdir_while_deleting(void)
{
	char name[32];
	struct dirent *entry;
	int nr = 3000, deleted = 0;
	DIR *dir;

	for (int i = 0; i < nr; i++) {
		numbered(name, i);
		write_file(name, "");
	}
	EQ(count_entries(), nr + 2);
	dir = opendir(".");
	OK(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		OK(!unlink(entry->d_name));
		deleted++;
	}
	closedir(dir);
	EQ(deleted, nr);
	EQ(count_entries(), 2);
}

static void readdir_while_adding(void)
{
	enum { NR = 500 };
	static int seen[NR];
	char name[32];
	struct dirent *entry;
	int i, added = 0;
	DIR *dir;

	for (i = 0; i < NR; i++) {
		numbered(name, i);
		write_file(name, "");
	}
	dir = opendir(".");
	OK(dir);
	while ((entry = readdir(dir))) {
		if (sscanf(entry->d_name, "entry-%d", &i) == 1)
			seen[i]++;
		if (added < NR) {
			snprintf(name, sizeof(name), "added-%d", added++);
			write_file(name, "");
		}
	}
	for (i = 0; i < NR; i++)
		EQ(seen[i], 1);
}

static void telldir_seekdir(void)
{
	enum { NR = 300 };
	static long at[NR + 2];
	static char names[NR + 2][32];
	struct dirent *entry;
	char name[32];
	int nr = 0;
	DIR *dir;

	for (int i = 0; i < NR; i++) {
		numbered(name, i);
		write_file(name, "");
	}
	dir = opendir(".");
	OK(dir);
	for (;;) {
		long offset = telldir(dir);

		entry = readdir(dir);
		if (!entry)
			break;
		OK(nr < NR + 2);
		at[nr] = offset;
		snprintf(names[nr++], 32, "%.31s", entry->d_name);
	}
	EQ(nr, NR + 2);
	for (int i = nr - 1; i >= 0; i -= 7) {
		seekdir(dir, at[i]);
		entry = readdir(dir);
		OK(entry);
		OK(!strcmp(entry->d_name, names[i]));
	}
	rewinddir(dir);
	entry = readdir(dir);
	OK(entry);
	OK(!strcmp(entry->d_name, names[0]));
}

static void seekdir_after_delete(void)
{
	enum { NR = 200 };
	char name[32];
	struct dirent *entry;
	DIR *dir;
	long middle = 0;
	int rest = 0, nr = 0;

	for (int i = 0; i < NR; i++) {
		numbered(name, i);
		write_file(name, "");
	}
	dir = opendir(".");
	OK(dir);
	while (nr < NR / 2 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			OK(!unlink(entry->d_name));
			nr++;
		}
	middle = telldir(dir);
	seekdir(dir, middle);
	while (readdir(dir))
		rest++;
	EQ(rest, NR / 2);
}

static void readdir_types(void)
{
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	write_file("f", "");
	OK(!mkdir("d", 0755));
	OK(!symlink("x", "l"));
	OK(!mkfifo("p", 0644));
	OK(!mknod("c", S_IFCHR, 0));
	dir = opendir(".");
	OK(dir);
	while ((entry = readdir(dir))) {
		int type = entry->d_type;

		if (entry->d_name[0] == '.')
			continue;
		nr++;
		EQ(type, entry->d_name[0] == 'f' ? DT_REG : entry->d_name[0] == 'd' ? DT_DIR :
			 entry->d_name[0] == 'l' ? DT_LNK : entry->d_name[0] == 'p' ? DT_FIFO : DT_CHR);
		EQ(entry->d_ino, inode_of(entry->d_name));
	}
	EQ(nr, 5);
}

static void deep_directories(void)
{
	for (int i = 0; i < 200; i++) {
		OK(!mkdir("d", 0755));
		OK(!chdir("d"));
	}
	write_file("f", "deep");
	for (int i = 0; i < 200; i++)
		OK(!chdir(".."));
	OK(exists("d/d"));
}

const struct fsops_case fsops_name_cases[] = {
	{ "create-exclusive", create_exclusive },
	{ "unlinked-open-file", unlinked_open_file },
	{ "link-and-nlink", link_and_nlink },
	{ "link-updates-ctime", link_updates_ctime },
	{ "many-links", many_links },
	{ "mkdir-rmdir-nlink", mkdir_rmdir_nlink },
	{ "removed-directory", removed_directory },
	{ "directory-size", directory_size },
	{ "directory-times", directory_times },
	{ "rename-plain", rename_plain },
	{ "rename-over", rename_over },
	{ "rename-over-hard-link", rename_over_hard_link },
	{ "rename-types", rename_types },
	{ "rename-across-parents", rename_across_parents },
	{ "rename-noreplace", rename_noreplace },
	{ "rename-exchange", rename_exchange },
	{ "rename-whiteout", rename_whiteout },
	{ "rename-bad-flags", rename_bad_flags },
	{ "rename-times", rename_times },
	{ "tmpfile-and-linkat", tmpfile_and_linkat },
	{ "tmpfile-exclusive", tmpfile_exclusive },
	{ "symlinks", symlinks },
	{ "symlink-loop", symlink_loop },
	{ "name-lengths", name_lengths },
	{ "odd-names", odd_names },
	{ "readdir-while-deleting", readdir_while_deleting },
	{ "readdir-while-adding", readdir_while_adding },
	{ "readdir-types", readdir_types },
	{ "telldir-seekdir", telldir_seekdir },
	{ "seekdir-after-delete", seekdir_after_delete },
	{ "deep-directories", deep_directories },
	{ }
};
