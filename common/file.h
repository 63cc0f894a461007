/* SPDX-License-Identifier: GPL-2.0 */
/*
 * file.h - reading and writing small files, and mapping large ones.
 */
#ifndef REBOOTLESS_FILE_H
#define REBOOTLESS_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Read at most size - 1 bytes of a file and put a NUL behind them. Returns the
 * bytes, or -errno; not logged, since for most of them "not there" is an
 * answer. -E2BIG: there is more in it.
 */
int file_read(const char *path, char *buf, size_t size);

/* The same with newlines at the end taken off. */
int file_read_line(const char *path, char *buf, size_t size);

/* One number (decimal, 0x..., surrounding white space allowed); -EINVAL: it is none. */
int file_read_u64(const char *path, uint64_t *value);

/*
 * openat2(2) with `root` (a descriptor) as the root of all paths and links in it.
 * The descriptor, with O_CLOEXEC, or -errno; not logged.
 */
int file_open_in(int root, const char *path, uint64_t flags);

/* A directory and those above it; fine when they are there. 0 or -errno (logged). */
int file_make_dirs(const char *dir);

/* Make or replace dir/name, and the directories above; no link is followed. 0 or -errno (logged). */
int file_write(const char *dir, const char *name, mode_t mode, const char *text);

/* Write into a file that is there, as those of /proc and /sys are. 0 or -errno; not logged. */
int file_put(const char *path, const char *text);

struct mapped_file {
	const uint8_t *data;	/* NULL when the file is empty */
	size_t bytes;
};

/* Map a regular file read-only. Logged. */
int file_map(const char *path, struct mapped_file *map);
void file_unmap(struct mapped_file *map);

#define _cleanup_unmap_ __attribute__((cleanup(file_unmap)))

#endif
