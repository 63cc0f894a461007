// SPDX-License-Identifier: GPL-2.0
/*
 * tree_make.c - a tree with every kind of object, and the extremes of each.
 *
 * Everything is made relative to the current directory, which is the root of
 * the tree or a directory in it. What a kernel may lack (POSIX ACLs, a large
 * xattr on a small mount) is left out with a note; all else must work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "content.h"
#include "report.h"
#include "tree.h"

#define PAGE	4096
#define MIB	(1ull << 20)
#define CHUNK	MIB

static uint64_t seed, next_file;

static void check(int result, const char *what)
{
	if (result < 0)
		die("tree make: %s", what);
}

static void enter(const char *name)
{
	check(mkdir(name, 0755), name);
	check(chdir(name), name);
}

static void leave(void)
{
	check(chdir(".."), "..");
}

static int create(const char *name)
{
	int fd = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);

	check(fd, name);
	return fd;
}

/* @len bytes of content of file number @file at @pos (a multiple of 8). */
static void put(int fd, uint64_t file, uint64_t pos, uint64_t len)
{
	static unsigned char buf[CHUNK];

	while (len) {
		size_t n = len < CHUNK ? len : CHUNK;

		content_fill(buf, n, seed, file, pos);
		if (pwrite(fd, buf, n, pos) != (ssize_t)n)
			die("tree make: write");
		pos += n;
		len -= n;
	}
}

static void file(const char *name, uint64_t size)
{
	int fd = create(name);

	put(fd, next_file++, 0, size);
	close(fd);
}

static void make_files(bool full)
{
	enter("files");
	file("empty", 0);
	file("one-byte", 1);
	file("page-minus-1", PAGE - 1);
	file("page", PAGE);
	file("page-plus-1", PAGE + 1);
	file("two-mib", 2 * MIB);
	file("five-mib-and-a-bit", 5 * MIB + 12345);
	if (full)
		file("sixty-four-mib", 64 * MIB);
	leave();
}

static void sparse(const char *name, uint64_t size, uint64_t pos, uint64_t len)
{
	int fd = create(name);

	check(ftruncate(fd, size), name);
	put(fd, next_file++, pos, len);
	close(fd);
}

static void make_sparse(void)
{
	int fd;

	enter("sparse");
	sparse("only-hole", 3 * MIB, 0, 0);
	sparse("hole-at-begin", MIB, MIB - 2 * PAGE, 2 * PAGE);
	sparse("hole-at-end", MIB, 0, 2 * PAGE);
	sparse("data-in-middle", MIB, 64 * PAGE, 100);
	sparse("past-1-tib", (1ull << 40) + 3 * PAGE, (1ull << 40) + PAGE, PAGE + 8);
	sparse("last-page", LLONG_MAX, LLONG_MAX - PAGE + 1, 100);

	fd = create("every-second-page");
	for (int i = 0; i < 512; i += 2)
		put(fd, next_file, i * PAGE, PAGE);
	next_file++;
	close(fd);

	fd = create("punched");
	put(fd, next_file++, 0, 16 * PAGE);
	check(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * PAGE + 100, 6 * PAGE), "punch");
	close(fd);

	fd = create("fallocated");
	check(fallocate(fd, 0, 0, 16 * PAGE), "fallocate");
	put(fd, next_file++, 4 * PAGE, PAGE);
	close(fd);

	fd = create("fallocated-beyond-eof");
	put(fd, next_file++, 0, 100);
	check(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 32 * PAGE), "fallocate KEEP_SIZE");
	close(fd);

	fd = create("fallocated-empty");
	check(fallocate(fd, FALLOC_FL_KEEP_SIZE, 8 * PAGE, 8 * PAGE), "fallocate KEEP_SIZE");
	close(fd);
	leave();
}

static void make_deep(bool full)
{
	int depth = full ? 1000 : 64;
	int root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	check(root, ".");
	enter("deep");
	for (int i = 0; i < depth; i++)
		enter("d");
	file("at-the-bottom", 10);
	check(fchdir(root), ".");
	close(root);
}

static void make_directories(bool full)
{
	int entries = full ? 5000 : 1000;
	char name[32];

	enter("dirs");
	check(mkdir("empty", 0755), "empty");
	enter("many-entries");
	for (int i = 0; i < entries; i++) {
		snprintf(name, sizeof(name), "entry-%05d", i);
		close(create(name));
	}
	for (int i = 0; i < entries; i += 7) {
		snprintf(name, sizeof(name), "entry-%05d", i);
		check(unlink(name), name);
	}
	leave();
	enter("many-subdirs");
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "sub-%03d", i);
		check(mkdir(name, 0700), name);
	}
	leave();
	make_deep(full);
	leave();
}

static void make_links(void)
{
	static char target[4096];

	enter("links");
	check(symlink("../files/page", "to-page"), "symlink");
	check(symlink("no such target", "dangling"), "symlink");
	check(symlink("self", "self"), "symlink");
	check(symlink("to\nnew\xff\xfeline", "odd-target"), "symlink");
	for (int len = 30; len <= 4095; len = len < 129 ? len + 1 : len == 129 ? 4094 : len + 1) {
		char name[32];

		memset(target, 't', len);
		target[len] = 0;
		snprintf(name, sizeof(name), "of-%04d-bytes", len);
		check(symlink(target, name), name);
	}
	check(link("to-page", "second-name-of-symlink"), "link of symlink");

	file("hard", 777);
	check(link("hard", "hard-same-directory"), "link");
	check(mkdir("sub", 0755), "sub");
	check(link("hard", "sub/hard-other-directory"), "link");
	check(link("hard", "../dirs/hard-far"), "link");
	leave();
}

static void make_special(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd;

	enter("special");
	check(mknod("null", S_IFCHR | 0666, makedev(1, 3)), "mknod");
	check(mknod("char-large", S_IFCHR | 0600, makedev(4095, 1048575)), "mknod");
	check(mknod("block-large", S_IFBLK | 0640, makedev(4095, 1048575)), "mknod");
	check(mknod("block", S_IFBLK | 0660, makedev(8, 259)), "mknod");
	check(mknod("overlay-whiteout", S_IFCHR, 0), "mknod");
	check(mkfifo("fifo", 0622), "fifo");
	check(link("fifo", "fifo-second-name"), "link of fifo");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(fd, "socket");
	check(bind(fd, (void *)&addr, sizeof(addr)), "bind");
	close(fd);
	leave();
}

static void xattr(const char *path, const char *name, const void *value, size_t size)
{
	if (lsetxattr(path, name, value, size, 0))
		die("tree make: setxattr %s %s", path, name);
}

/* The largest value of @name that the mount takes. */
static void largest_xattr(const char *path, const char *name)
{
	static unsigned char value[XATTR_SIZE_MAX];
	size_t size = sizeof(value);

	content_fill(value, size, seed, next_file++, 0);
	while (size && lsetxattr(path, name, value, size, 0))
		size -= 256;
	if (size != sizeof(value))
		note("tree make: largest xattr is %zu bytes", size);
}

static void make_acls(void)
{
	/* version 2; user::rw-, user:1000:r--, group::r--, mask::rw-, other::--- */
	static const unsigned int none = ~0u;
	static const struct {
		unsigned int version;
		struct {
			unsigned short tag, perm;
			unsigned int id;
		} entry[5];
	} acl = { 2, { { 1, 6, none }, { 2, 4, 1000 }, { 4, 4, none }, { 16, 6, none }, { 32, 0, none } } };

	file("acl", 10);
	check(mkdir("acl-dir", 0750), "acl-dir");
	if (setxattr("acl", "system.posix_acl_access", &acl, sizeof(acl), 0) && errno == EOPNOTSUPP) {
		note("tree make: no POSIX ACLs here");
		return;
	}
	xattr("acl-dir", "system.posix_acl_access", &acl, sizeof(acl));
	xattr("acl-dir", "system.posix_acl_default", &acl, sizeof(acl));
}

static void make_xattrs(void)
{
	static const unsigned int capability[5] = { 0x02000001, 0x400, 0, 0, 0 };
	char name[XATTR_NAME_MAX + 1];

	enter("xattrs");
	file("some", 5);
	xattr("some", "user.short", "v", 1);
	xattr("some", "user.empty", "", 0);
	xattr("some", "user.binary", "\0\xff\n\0", 4);
	xattr("some", "trusted.overlay.opaque", "y", 1);
	xattr("some", "security.test", "label", 6);
	file("capability", 5);
	xattr("capability", "security.capability", capability, sizeof(capability));

	memset(name, 'n', XATTR_NAME_MAX);
	memcpy(name, "user.", 5);
	name[XATTR_NAME_MAX] = 0;
	file("longest-name", 0);
	xattr("longest-name", name, "value", 5);

	file("large", 0);
	largest_xattr("large", "user.large");
	file("many", 0);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "user.number-%d", i);
		xattr("many", name, name, strlen(name));
	}
	check(mkdir("directory", 0755), "directory");
	xattr("directory", "user.on-directory", "d", 1);
	xattr("directory", "trusted.on-directory", "d", 1);
	check(symlink("some", "symlink"), "symlink");
	xattr("symlink", "trusted.on-symlink", "s", 1);
	check(mkfifo("fifo", 0600), "fifo");
	xattr("fifo", "security.on-fifo", "f", 1);
	make_acls();
	leave();
}

static void make_owners(void)
{
	static const unsigned int ids[] = { 0, 1000, 65534, 65536, 2147483648u, 4294967294u };
	static const unsigned int modes[] = { 0, 0400, 0777, 01777, 02755, 04755, 06711, 07777 };
	char name[64];

	enter("owners");
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		snprintf(name, sizeof(name), "id-%u", ids[i]);
		file(name, 1);
		check(chown(name, ids[i], ids[sizeof(ids) / sizeof(*ids) - 1 - i]), name);
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		snprintf(name, sizeof(name), "file-%04o", modes[i]);
		file(name, 1);
		check(chmod(name, modes[i]), name);
		snprintf(name, sizeof(name), "dir-%04o", modes[i]);
		check(mkdir(name, 0700), name);
		check(chmod(name, modes[i]), name);
	}
	check(symlink("id-0", "symlink"), "symlink");
	check(lchown("symlink", 4294967294u, 12345), "lchown");
	leave();
}

static void make_names(void)
{
	static const char *const odd[] = {
		"\xff\xfe not utf-8 \x80", "new\nline", "\n", "back\\slash", "tab\there", " ", "-rf",
		"...", ".hidden", "\x01\x02", "caf\xc3\xa9", "*", "'\"$`",
	};
	char name[NAME_MAX + 1];

	enter("names");
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		file(odd[i], i);
	for (int len = 1; len <= NAME_MAX; len = len < 72 ? len + 1 : len == 72 ? 254 : len + 1) {
		memset(name, len == NAME_MAX ? '\xfe' : 'n', len);
		name[len] = 0;
		check(mkdir(name, 0755), name);
	}
	leave();
}

/* Last: making entries changes the times of directories. */
static void make_times(void)
{
	static const struct timespec times[] = {
		{ 0, 1 }, { -1, 999999999 }, { -2208988800, 5 }, { 2147483647, 123456789 },
		{ 2147483648, 1 }, { 4294967296, 999999999 }, { 253402300799, 42 }, { 1, 0 },
	};
	char name[32];

	enter("times");
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		struct timespec set[2] = { times[i], times[sizeof(times) / sizeof(*times) - 1 - i] };

		snprintf(name, sizeof(name), "file-%zu", i);
		file(name, 1);
		check(utimensat(AT_FDCWD, name, set, AT_SYMLINK_NOFOLLOW), name);
		snprintf(name, sizeof(name), "symlink-%zu", i);
		check(symlink("file-0", name), name);
		check(utimensat(AT_FDCWD, name, set, AT_SYMLINK_NOFOLLOW), name);
		snprintf(name, sizeof(name), "dir-%zu", i);
		check(mkdir(name, 0755), name);
		check(utimensat(AT_FDCWD, name, set, AT_SYMLINK_NOFOLLOW), name);
	}
	leave();
}

void tree_make(const char *dir, uint64_t seed_, bool full)
{
	struct rlimit size = { RLIM_INFINITY, RLIM_INFINITY };

	seed = seed_;
	umask(0);
	setrlimit(RLIMIT_FSIZE, &size);
	if (chdir(dir))
		die("%s", dir);
	make_files(full);
	make_sparse();
	make_directories(full);
	make_links();
	make_special();
	make_xattrs();
	make_owners();
	make_names();
	make_times();
}
