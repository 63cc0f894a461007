// SPDX-License-Identifier: GPL-2.0
/*
 * fsops_limits.c - a mount that is full. DIR is a mount with a size of some MiB
 * and some hundred inodes at most, with nothing else in it. Whatever fails must
 * give back all that it had taken.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fsops.h"

#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

static struct statfs figures(void)
{
	struct statfs f;

	OK(!statfs(".", &f));
	if (!f.f_blocks || f.f_blocks > (256 << 20) / PAGE)
		case_skip("DIR is no mount with a small size=");
	return f;
}

/* The same, for cases that need the other limit. */
static struct statfs inode_figures(void)
{
	struct statfs f = figures();

	if (!f.f_files || f.f_files > 100000)
		case_skip("DIR is no mount with a small nr_inodes=");
	return f;
}

/* Writes until nothing goes in any more; the number of pages that went in. */
static size_t fill_up(int fd)
{
	static unsigned char buf[PAGE];
	size_t pages = 0;
	ssize_t n;

	for (;;) {
		fill_pattern(buf, pages * PAGE, PAGE);
		errno = 0;
		n = pwrite(fd, buf, PAGE, pages * PAGE);
		if (n < 0)
			break;
		EQ(n, PAGE);
		pages++;
	}
	ERRNO(ENOSPC);
	return pages;
}

static void write_until_full(void)
{
	struct statfs f = figures();
	int fd = make_file("a", 0);

	EQ(fill_up(fd), f.f_bfree);
	EQ(figures().f_bfree, 0);
	expect_pattern(fd, 0, f.f_bfree * PAGE);
	EQ(pwrite(fd, "x", 1, 0), 1);
	ERR(pwrite(open("b", O_CREAT | O_RDWR, 0644), "x", 1, 0), ENOSPC);
	EQ(stat_of("b").st_size, 0);
	EQ(stat_of("b").st_blocks, 0);
}

static void short_write(void)
{
	struct statfs f = figures();
	size_t len = (f.f_bfree + 10) * PAGE;
	unsigned char *buf = malloc(len);
	int fd = make_file("a", 0);
	ssize_t n;

	OK(buf);
	fill_pattern(buf, 0, len);
	n = write(fd, buf, len);
	EQ(n, f.f_bfree * PAGE);
	ERR(write(fd, buf, PAGE), ENOSPC);
	EQ(stat_of("a").st_size, n);
	expect_pattern(fd, 0, n);
}

static void space_comes_back(void)
{
	struct statfs f = figures();
	int fd = make_file("a", 0);
	size_t pages = fill_up(fd);

	OK(!fallocate(fd, PUNCH, 0, 10 * PAGE));
	EQ(figures().f_bfree, 10);
	EQ(pwrite(fd, "x", 1, 5 * PAGE), 1);
	EQ(figures().f_bfree, 9);
	OK(!ftruncate(fd, pages / 2 * PAGE));
	EQ(figures().f_bfree, 9 + pages - pages / 2);
	OK(!unlink("a"));
	EQ(figures().f_bfree, 9 + pages - pages / 2);
	close(fd);
	EQ(figures().f_bfree, f.f_bfree);
	fd = make_file("a", 0);
	EQ(fill_up(fd), pages);
}

static void fallocate_too_much(void)
{
	struct statfs f = figures();
	int fd = make_file("a", 3 * PAGE);
	off_t len = (off_t)(f.f_blocks + 1) * PAGE;

	ERR(fallocate(fd, 0, 0, len), ENOSPC);
	EQ(figures().f_bfree, f.f_bfree - 3);
	EQ(stat_of("a").st_size, 3 * PAGE);
	EQ(stat_of("a").st_blocks, 3 * 8);
	expect_pattern(fd, 0, 3 * PAGE);
	ERR(fallocate(fd, FALLOC_FL_KEEP_SIZE, PAGE, len - PAGE), ENOSPC);
	EQ(figures().f_bfree, f.f_bfree - 3);
	OK(!fallocate(fd, 0, 0, (off_t)f.f_bfree * PAGE));
	EQ(figures().f_bfree, 0);
	ERR(fallocate(fd, 0, (off_t)f.f_bfree * PAGE, PAGE), ENOSPC);
}

static void fallocate_reserves(void)
{
	struct statfs f = figures();
	int fd = make_file("a", 0), other = make_file("b", 0);

	OK(!fallocate(fd, 0, 0, 16 * PAGE));
	EQ(fill_up(other), f.f_bfree - 16);
	for (int i = 0; i < 16; i++)
		EQ(pwrite(fd, "x", 1, i * PAGE), 1);
	ERR(pwrite(fd, "x", 1, 16 * PAGE), ENOSPC);
}

static void store(void *at)
{
	*(volatile char *)at = 1;
}

static void mapped_fault_when_full(void)
{
	int fd = make_file("a", 0), other = make_file("b", 0);
	char *p;

	OK(!ftruncate(other, 4 * PAGE));
	EQ(pwrite(other, "x", 1, 0), 1);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	OK(p != MAP_FAILED);
	fill_up(fd);
	EQ(signal_of(store, p), 0);
	EQ(signal_of(store, p + 2 * PAGE), SIGBUS);
	OK(!ftruncate(fd, PAGE));
	EQ(signal_of(store, p + 2 * PAGE), 0);
	EQ(p[2 * PAGE], 1);
}

static void sparse_files_are_free(void)
{
	struct statfs f = figures();
	int fd = make_file("a", 0);

	OK(!ftruncate(fd, 1ll << 40));
	expect_zero(fd, 0, 16 * PAGE);
	EQ(figures().f_bfree, f.f_bfree);
	EQ(stat_of("a").st_blocks, 0);
}

static void private_mapping_of_hole(void)
{
	struct statfs f = figures();
	int fd = make_file("a", 0);
	char *p;

	OK(!ftruncate(fd, 8 * PAGE));
	p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	OK(p != MAP_FAILED);
	p[0] = 1;
	munmap(p, 8 * PAGE);
	OK(f.f_bfree - figures().f_bfree <= 1);
	OK(!ftruncate(fd, 0));
	EQ(figures().f_bfree, f.f_bfree);
}

static size_t make_until_full(int (*make)(const char *name))
{
	char name[32];
	size_t nr = 0;

	for (;; nr++) {
		snprintf(name, sizeof(name), "n%zu", nr);
		errno = 0;
		if (make(name))
			break;
	}
	ERRNO(ENOSPC);
	OK(!exists(name));
	return nr;
}

static void remove_all(size_t nr)
{
	char name[32];

	while (nr--) {
		snprintf(name, sizeof(name), "n%zu", nr);
		OK(!remove(name));
	}
}

static int make_empty(const char *name)
{
	return mknod(name, S_IFREG | 0644, 0);
}

static int make_dir(const char *name)
{
	return mkdir(name, 0755);
}

static int make_pipe(const char *name)
{
	return mkfifo(name, 0644);
}

static int make_short_symlink(const char *name)
{
	return symlink("x", name);
}

static void inode_limit(void)
{
	static int (*const kinds[])(const char *) = { make_empty, make_dir, make_pipe, make_short_symlink };
	struct statfs f = inode_figures();

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t nr = make_until_full(kinds[i]);

		EQ(nr, f.f_ffree);
		EQ(figures().f_ffree, 0);
		ERR(open(".", O_TMPFILE | O_RDWR, 0600), ENOSPC);
		remove_all(nr);
		EQ(figures().f_ffree, f.f_ffree);
	}
	EQ(figures().f_bfree, f.f_bfree);
}

static int make_link(const char *name)
{
	return link("base", name);
}

static void links_use_inodes(void)
{
	struct statfs f = inode_figures();
	size_t nr;

	write_file("base", "");
	nr = make_until_full(make_link);
	EQ(nr, f.f_ffree - 1);
	remove_all(nr);
	EQ(figures().f_ffree, f.f_ffree - 1);
}

static void rename_when_full(void)
{
	size_t nr;

	inode_figures();
	write_file("a", "kept");
	nr = make_until_full(make_empty);
	OK(!rename("a", "b"));
	ERR(renameat2(AT_FDCWD, "b", AT_FDCWD, "w", RENAME_WHITEOUT), ENOSPC);
	OK(exists("b"));
	OK(!exists("w"));
	OK(nr > 1);
	OK(!rename("n0", "b"));		/* gives one back */
	OK(!renameat2(AT_FDCWD, "b", AT_FDCWD, "w", RENAME_WHITEOUT));
}

static void open_unlinked_holds(void)
{
	struct statfs f = figures();
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	OK(fd >= 0);
	EQ(fill_up(fd), f.f_bfree);
	if (f.f_files)
		EQ(figures().f_ffree, f.f_ffree - 1);
	close(fd);
	EQ(figures().f_bfree, f.f_bfree);
	EQ(figures().f_ffree, f.f_ffree);
}

static void xattrs_are_limited(void)
{
	static char value[XATTR_SIZE_MAX];
	struct statfs f = inode_figures();
	char name[64];
	int nr;

	write_file("a", "");
	for (nr = 0; nr < 100000; nr++) {
		snprintf(name, sizeof(name), "user.n%d", nr);
		errno = 0;
		if (setxattr("a", name, value, sizeof(value) / 2, 0))
			break;
	}
	ERRNO(ENOSPC);
	OK(!unlink("a"));
	EQ(figures().f_ffree, f.f_ffree);
}

static void symlink_when_full(void)
{
	struct statfs f = figures();
	char target[2000];
	int fd = make_file("a", 0);

	memset(target, 't', sizeof(target));
	target[sizeof(target) - 1] = 0;
	fill_up(fd);
	ERR(symlink(target, "long"), ENOSPC);
	OK(!exists("long"));
	OK(!symlink("short", "short"));
	OK(!ftruncate(fd, 0));
	OK(!symlink(target, "long"));
	EQ(figures().f_bfree, f.f_bfree - 1);
}

const struct fsops_case fsops_limits_cases[] = {
	{ "limit-write-until-full", write_until_full },
	{ "limit-short-write", short_write },
	{ "limit-space-comes-back", space_comes_back },
	{ "limit-fallocate-too-much", fallocate_too_much },
	{ "limit-fallocate-reserves", fallocate_reserves },
	{ "limit-mapped-fault", mapped_fault_when_full },
	{ "limit-sparse-files-are-free", sparse_files_are_free },
	{ "limit-private-mapping-of-hole", private_mapping_of_hole },
	{ "limit-inodes", inode_limit },
	{ "limit-links-use-inodes", links_use_inodes },
	{ "limit-rename-when-full", rename_when_full },
	{ "limit-open-unlinked", open_unlinked_holds },
	{ "limit-xattrs", xattrs_are_limited },
	{ "limit-symlink", symlink_when_full },
	{ }
};
