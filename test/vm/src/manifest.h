/* SPDX-License-Identifier: GPL-2.0 */
/*
 * manifest.h - all that system calls show of a tree, as sorted lines of text:
 *
 *	PATH <tab> KEY <tab> VALUE
 *
 * KEY is "stat" (type, mode, owner, nlink, size, blocks, inode, rdev, times),
 * "link" (symlink target), "xattr:NAME", "data" (hash of the content), "map"
 * (SEEK_DATA/SEEK_HOLE), "dirent" (offset of an entry in its directory).
 * Bytes outside of printable ASCII, and the backslash, are \ooo. PATH is
 * relative to the root of the tree, which is ".".
 *
 * Reading a tree leaves it as it is, atimes included: it happens through a
 * noatime bind mount in a private mount namespace. Holes are not touched.
 */
#ifndef TEST_VM_MANIFEST_H
#define TEST_VM_MANIFEST_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What to leave out; stored in the first line of a written manifest. */
enum {
	MANIFEST_NO_ATIME = 1,
	MANIFEST_NO_TIMES = 2,	/* mtime, ctime, btime and atime */
	MANIFEST_NO_INO = 4,
	MANIFEST_NO_BLOCKS = 8,
	MANIFEST_NO_MAP = 16,
	MANIFEST_OFFSETS = 32,	/* this one adds: "dirent" lines */
	MANIFEST_NO_DIR_SIZE = 64,	/* size of directories, blocks of all but files */
};

struct manifest {
	unsigned int flags;
	char **line;
	size_t nr, max;
};

/* All return 0 or -errno, and have printed what failed. */
int manifest_collect(struct manifest *m, const char *dir, unsigned int flags);
int manifest_read(struct manifest *m, const char *file);
int manifest_write(const struct manifest *m, FILE *out);
void manifest_free(struct manifest *m);

/* "--no-atime" ... -> its flag, 0 when it is none. */
unsigned int manifest_option(const char *arg);

/* Number of differences; prints the first @max of them as notes. */
size_t manifest_diff(const struct manifest *was, const struct manifest *is, size_t max);

/*
 * The caller, alone in a mount namespace of its own in which @dir can be read
 * without changing atimes. Best effort.
 */
void noatime_namespace(const char *dir);

/* One descriptor is open for every level of a tree: enough for a deep one. */
void raise_open_files(void);

/* @bytes as printable text, \ooo for the rest; malloc()ed. */
char *escape(const void *bytes, size_t len);

/* Calls @fn for every run of data of @fd. 0 or -errno; -ERANGE when lseek goes back. */
int for_each_data(int fd, int (*fn)(void *arg, int64_t start, int64_t end), void *arg);

#endif
