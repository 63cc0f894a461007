// SPDX-License-Identifier: GPL-2.0
/*
 * fsmodel_ops.c - the kinds of operations. Every run function returns what the
 * system call returns, and only depends on the operation and the side's state.
 *
 * Left out on purpose, since filesystems may rightly differ: what is stored past
 * EOF through a mapping, read faults in holes, positions in directories, chunks
 * of a splice within one file.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fsmodel.h"

#define PAGE		4096
#define MAX_OFFSET	(256 << 10)
#define MAX_SIZE	(512 << 10)	/* larger files are cut before they are written */
#define MAX_LENGTH	(64 << 10)
#define OPEN_FLAGS	(O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

static int slot_of(struct side *s, const struct op *op)
{
	return s->fd[op->slot];
}

static long into_slot(struct side *s, int slot, int fd)
{
	if (fd < 0)
		return -1;
	if (s->fd[slot] >= 0)
		close(s->fd[slot]);
	s->fd[slot] = fd;
	return 0;
}

static bool is_regular(int fd, struct stat *st)
{
	if (fstat(fd, st))
		return false;
	errno = ENOTSUP;
	return S_ISREG(st->st_mode);
}

static void xattr_path(struct side *s, const struct op *op, char *path)
{
	sprintf(path, "/proc/self/fd/%d/%s", s->root, op->path);
}

static void xattr_name(const struct op *op, char *name)
{
	static const char *const spaces[] = { "user", "trusted", "security" };

	sprintf(name, "%s.%c", spaces[op->choice / 8 % 3], 'a' + op->choice % 5);
}

/* names */

static long run_create(struct side *s, const struct op *op, struct result *r)
{
	static const int flags[] = { 0, O_EXCL, O_TRUNC, O_APPEND, 0, O_EXCL | O_APPEND, O_NOFOLLOW, 0 };

	return into_slot(s, op->slot, openat(s->root, op->path, O_CREAT | O_RDWR | OPEN_FLAGS |
					     flags[op->choice % 8], op->mode));
}

static long run_open(struct side *s, const struct op *op, struct result *r)
{
	static const int flags[] = { O_RDONLY, O_RDWR, O_WRONLY, O_RDWR | O_APPEND };
	int fd = openat(s->root, op->path, OPEN_FLAGS | flags[op->choice % 4]);
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		close(fd);
		return 1;
	}
	return into_slot(s, op->slot, fd);
}

static long run_close(struct side *s, const struct op *op, struct result *r)
{
	int fd = slot_of(s, op);

	s->fd[op->slot] = -1;
	return close(fd);
}

static long run_mkdir(struct side *s, const struct op *op, struct result *r)
{
	return mkdirat(s->root, op->path, op->mode);
}

static long run_mknod(struct side *s, const struct op *op, struct result *r)
{
	static const unsigned int kinds[] = { S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK, S_IFREG };

	/* majors that nobody has, and the whiteout */
	return mknodat(s->root, op->path, kinds[op->choice % 5] | op->mode,
		       op->id % 4 ? makedev(3000 + op->id % 1000, op->id) : 0);
}

static long run_symlink(struct side *s, const struct op *op, struct result *r)
{
	char target[600];
	size_t len = strlen(op->other);

	strcpy(target, op->other);
	if (!(op->choice % 4)) {
		memset(target + len, 'x', op->length % 500);
		target[len + op->length % 500] = 0;
	}
	return symlinkat(target, s->root, op->path);
}

static long run_readlink(struct side *s, const struct op *op, struct result *r)
{
	long len = readlinkat(s->root, op->path, (char *)s->buf, FSMODEL_BUF);

	if (len > 0)
		r->data = hash64(s->buf, len, 0);
	return len;
}

static long run_link(struct side *s, const struct op *op, struct result *r)
{
	return linkat(s->root, op->path, s->root, op->other, op->choice % 2 ? AT_SYMLINK_FOLLOW : 0);
}

static long run_unlink(struct side *s, const struct op *op, struct result *r)
{
	return unlinkat(s->root, op->path, 0);
}

static long run_rmdir(struct side *s, const struct op *op, struct result *r)
{
	return unlinkat(s->root, op->path, AT_REMOVEDIR);
}

static long run_rename(struct side *s, const struct op *op, struct result *r)
{
	static const unsigned int flags[] = {
		0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_EXCHANGE, RENAME_WHITEOUT,
		RENAME_WHITEOUT | RENAME_NOREPLACE,
	};

	return renameat2(s->root, op->path, s->root, op->other, flags[op->choice % 8]);
}

static long run_tmpfile(struct side *s, const struct op *op, struct result *r)
{
	int fd = openat(s->root, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, op->mode);
	char path[64];
	long ret;

	if (fd < 0)
		return -1;
	content_fill(s->buf, op->length, op->seed, 0, 0);
	ret = pwrite(fd, s->buf, op->length, 0);
	sprintf(path, "/proc/self/fd/%d", fd);
	if (ret >= 0 && op->choice % 4)
		ret = linkat(AT_FDCWD, path, s->root, op->path, AT_SYMLINK_FOLLOW);
	if (into_slot(s, op->slot, fd))
		return -1;
	return ret;
}

/* Names and types, in any order. */
static long run_readdir(struct side *s, const struct op *op, struct result *r)
{
	int fd = openat(s->root, op->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	long nr = 0;
	DIR *dir;

	if (fd < 0)
		return -1;
	dir = fdopendir(fd);
	while (dir && (entry = readdir(dir))) {
		r->data += hash64(entry->d_name, strlen(entry->d_name), entry->d_type);
		nr++;
	}
	closedir(dir);
	return nr;
}

/* content, by slot */

static long write_slot(struct side *s, const struct op *op, bool positioned)
{
	int fd = slot_of(s, op);
	struct stat st;

	if (is_regular(fd, &st)) {
		if (st.st_size > MAX_SIZE && ftruncate(fd, 0))
			return -1;
		if (!positioned && lseek(fd, 0, SEEK_CUR) > MAX_OFFSET)
			lseek(fd, 0, SEEK_SET);
	}
	content_fill(s->buf, op->length, op->seed, 0, 0);
	return positioned ? pwrite(fd, s->buf, op->length, op->offset) : write(fd, s->buf, op->length);
}

static long run_write(struct side *s, const struct op *op, struct result *r)
{
	return write_slot(s, op, false);
}

static long run_pwrite(struct side *s, const struct op *op, struct result *r)
{
	return write_slot(s, op, true);
}

static long run_read(struct side *s, const struct op *op, struct result *r)
{
	long len = read(slot_of(s, op), s->buf, op->length);

	if (len > 0)
		r->data = hash64(s->buf, len, 0);
	return len;
}

static long run_pread(struct side *s, const struct op *op, struct result *r)
{
	long len = pread(slot_of(s, op), s->buf, op->length, op->offset);

	if (len > 0)
		r->data = hash64(s->buf, len, 0);
	return len;
}

static long run_lseek(struct side *s, const struct op *op, struct result *r)
{
	static const int from[] = { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE };
	int whence = from[op->choice % (s->holes ? 5 : 3)];
	off_t offset = op->offset;

	return lseek(slot_of(s, op), whence == SEEK_CUR || whence == SEEK_END ? -offset : offset, whence);
}

static long run_ftruncate(struct side *s, const struct op *op, struct result *r)
{
	return ftruncate(slot_of(s, op), op->choice % 5 ? (off_t)op->offset : 0);
}

static long run_fallocate(struct side *s, const struct op *op, struct result *r)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE, FALLOC_FL_COLLAPSE_RANGE,
	};

	return fallocate(slot_of(s, op), modes[op->choice % 6], op->offset, op->length);
}

/* Another thread may cut the file under a mapping; that thread's SIGBUS is right. */
static __thread sigjmp_buf cut;
static __thread volatile bool in_mapping;

static void on_bus_error(int signal)
{
	if (in_mapping)
		siglongjmp(cut, 1);
	abort();
}

void fsmodel_catch_bus_errors(void)
{
	struct sigaction action = { .sa_handler = on_bus_error };

	sigaction(SIGBUS, &action, NULL);
}

static long store(unsigned char *map, const unsigned char *from, size_t len)
{
	if (sigsetjmp(cut, 1)) {
		in_mapping = false;
		errno = EFAULT;
		return -1;
	}
	in_mapping = true;
	memcpy(map, from, len);
	in_mapping = false;
	return len;
}

static long run_mmap_write(struct side *s, const struct op *op, struct result *r)
{
	off_t start = op->offset / PAGE * PAGE;
	int fd = slot_of(s, op);
	size_t skip = op->offset % PAGE, len = op->length;
	struct stat st;
	unsigned char *map;
	long ret;

	if (!is_regular(fd, &st))
		return -1;
	if ((off_t)op->offset >= st.st_size)
		return 0;
	if (len > (size_t)st.st_size - op->offset)
		len = st.st_size - op->offset;
	if (!len)
		return 0;
	map = mmap(NULL, skip + len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, start);
	if (map == MAP_FAILED)
		return -1;
	content_fill(s->buf, len, op->seed, 1, 0);
	ret = store(map + skip, s->buf, len);
	munmap(map, skip + len);
	if (ret > 0 && pread(fd, s->buf, len, op->offset) == ret)
		r->data = hash64(s->buf, len, 0);
	return ret;
}

static bool two_files(struct side *s, const struct op *op, struct stat *in, struct stat *out)
{
	if (!is_regular(slot_of(s, op), in) || !is_regular(s->fd[op->other_slot], out))
		return false;
	if (out->st_size > MAX_SIZE && ftruncate(s->fd[op->other_slot], 0))
		return false;
	return true;
}

static long run_copy_range(struct side *s, const struct op *op, struct result *r)
{
	loff_t from = op->offset, to = op->other_offset;
	struct stat in, out;

	if (!two_files(s, op, &in, &out))
		return -1;
	return copy_file_range(slot_of(s, op), &from, s->fd[op->other_slot], &to, op->length, 0);
}

static long run_sendfile(struct side *s, const struct op *op, struct result *r)
{
	off_t from = op->offset;
	struct stat in, out;
	long done = 0, n = 0;

	if (!two_files(s, op, &in, &out))
		return -1;
	if (in.st_ino == out.st_ino)
		return 0;
	if (lseek(s->fd[op->other_slot], op->other_offset, SEEK_SET) < 0)
		return -1;
	while (done < (long)op->length) {
		n = sendfile(s->fd[op->other_slot], slot_of(s, op), &from, op->length - done);
		if (n <= 0)
			break;
		done += n;
	}
	return n < 0 ? n : done;
}

/* Moves @len bytes out of the pipe; they all must go. */
static long splice_out(int pipe_end, int fd, loff_t *to, long len)
{
	while (len) {
		long n = splice(pipe_end, NULL, fd, to, len, SPLICE_F_MOVE);

		if (n <= 0)
			return -1;
		len -= n;
	}
	return 0;
}

static long run_splice(struct side *s, const struct op *op, struct result *r)
{
	loff_t from = op->offset, to = op->other_offset;
	struct stat in, out;
	long done = 0, n = 0;
	int ends[2];

	if (!two_files(s, op, &in, &out))
		return -1;
	if (in.st_ino == out.st_ino)
		return 0;
	if (pipe2(ends, O_CLOEXEC))
		return -1;
	while (done < (long)op->length) {
		n = splice(slot_of(s, op), &from, ends[1], NULL, op->length - done, 0);
		if (n <= 0)
			break;
		done += n;
		n = splice_out(ends[0], s->fd[op->other_slot], &to, n);
		if (n < 0)
			break;
	}
	int saved = errno;
	close(ends[0]);
	close(ends[1]);
	errno = saved;
	return n < 0 ? n : done;
}

/* attributes */

static void describe_stat(struct side *s, const struct stat *st, struct result *r)
{
	bool size = s->dir_size || !S_ISDIR(st->st_mode), blocks = s->dir_size || S_ISREG(st->st_mode);

	snprintf(r->text, sizeof(r->text), "mode=%o uid=%u gid=%u nlink=%u size=%llu blocks=%llu rdev=%llx",
		 st->st_mode, st->st_uid, st->st_gid, (unsigned int)st->st_nlink,
		 size ? (unsigned long long)st->st_size : 0, blocks ? (unsigned long long)st->st_blocks : 0,
		 (unsigned long long)st->st_rdev);
}

static long run_stat(struct side *s, const struct op *op, struct result *r)
{
	struct stat st;

	if (fstatat(s->root, op->path, &st, AT_SYMLINK_NOFOLLOW))
		return -1;
	describe_stat(s, &st, r);
	return 0;
}

static long run_fstat(struct side *s, const struct op *op, struct result *r)
{
	struct stat st;

	if (fstat(slot_of(s, op), &st))
		return -1;
	describe_stat(s, &st, r);
	return 0;
}

static long run_truncate(struct side *s, const struct op *op, struct result *r)
{
	char path[64];

	xattr_path(s, op, path);
	return truncate(path, op->offset);
}

static long run_chmod(struct side *s, const struct op *op, struct result *r)
{
	return fchmodat(s->root, op->path, op->mode, 0);
}

static long run_chown(struct side *s, const struct op *op, struct result *r)
{
	return fchownat(s->root, op->path, op->choice % 3 ? op->id : ~0u, op->choice % 4 ? op->mode : ~0u,
			op->choice % 2 ? AT_SYMLINK_NOFOLLOW : 0);
}

static long run_utimens(struct side *s, const struct op *op, struct result *r)
{
	struct timespec set[2] = {
		{ (long)op->seed >> 24, op->seed % 1000000000 }, { op->id, op->length },
	};
	struct stat st;

	if (utimensat(s->root, op->path, set, AT_SYMLINK_NOFOLLOW) ||
	    fstatat(s->root, op->path, &st, AT_SYMLINK_NOFOLLOW))
		return -1;
	snprintf(r->text, sizeof(r->text), "atime=%ld.%ld mtime=%ld.%ld", st.st_atim.tv_sec,
		 st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return 0;
}

static long run_setxattr(struct side *s, const struct op *op, struct result *r)
{
	static const int flags[] = { 0, 0, XATTR_CREATE, XATTR_REPLACE };
	char path[64], name[32];
	size_t len = op->choice % 16 ? op->length % 200 : op->length % 8192;

	xattr_path(s, op, path);
	xattr_name(op, name);
	content_fill(s->buf, len, op->seed, 2, 0);
	return lsetxattr(path, name, s->buf, len, flags[op->choice % 4]);
}

static long run_getxattr(struct side *s, const struct op *op, struct result *r)
{
	char path[64], name[32];
	long len;

	xattr_path(s, op, path);
	xattr_name(op, name);
	len = lgetxattr(path, name, s->buf, op->choice % 4 ? FSMODEL_BUF : 50);
	if (len > 0)
		r->data = hash64(s->buf, len, 0);
	return len;
}

static long run_listxattr(struct side *s, const struct op *op, struct result *r)
{
	char path[64], *list = (char *)s->buf;
	long len;

	xattr_path(s, op, path);
	len = llistxattr(path, list, FSMODEL_BUF);
	for (char *at = list; at < list + len; at += strlen(at) + 1)
		r->data += hash64(at, strlen(at), 3);
	return len;
}

static long run_removexattr(struct side *s, const struct op *op, struct result *r)
{
	char path[64], name[32];

	xattr_path(s, op, path);
	xattr_name(op, name);
	return lremovexattr(path, name);
}

static const struct {
	const char *name;
	unsigned int weight;
	long (*run)(struct side *s, const struct op *op, struct result *r);
	int makes;	/* 1: a name at path, 2: one at other */
} kinds[] = {
	{ "create", 12, run_create, 1 },
	{ "open", 8, run_open },
	{ "close", 2, run_close },
	{ "mkdir", 6, run_mkdir, 1 },
	{ "mknod", 2, run_mknod, 1 },
	{ "symlink", 3, run_symlink, 1 },
	{ "readlink", 1, run_readlink },
	{ "link", 4, run_link, 2 },
	{ "unlink", 6, run_unlink },
	{ "rmdir", 2, run_rmdir },
	{ "rename", 8, run_rename, 2 },
	{ "tmpfile", 2, run_tmpfile, 1 },
	{ "readdir", 2, run_readdir },
	{ "write", 6, run_write },
	{ "pwrite", 10, run_pwrite },
	{ "read", 4, run_read },
	{ "pread", 10, run_pread },
	{ "lseek", 8, run_lseek },
	{ "ftruncate", 5, run_ftruncate },
	{ "fallocate", 8, run_fallocate },
	{ "mmap-write", 6, run_mmap_write },
	{ "copy-range", 3, run_copy_range },
	{ "sendfile", 2, run_sendfile },
	{ "splice", 3, run_splice },
	{ "stat", 6, run_stat },
	{ "fstat", 6, run_fstat },
	{ "truncate", 2, run_truncate },
	{ "chmod", 3, run_chmod },
	{ "chown", 3, run_chown },
	{ "utimens", 2, run_utimens },
	{ "setxattr", 5, run_setxattr },
	{ "getxattr", 3, run_getxattr },
	{ "listxattr", 2, run_listxattr },
	{ "removexattr", 2, run_removexattr },
};

const size_t fsmodel_kinds = sizeof(kinds) / sizeof(*kinds);

const char *fsmodel_kind_name(unsigned int kind)
{
	return kinds[kind].name;
}

static unsigned int random_kind(struct rng *rng)
{
	unsigned int total = 0, at, kind = 0;

	for (size_t i = 0; i < fsmodel_kinds; i++)
		total += kinds[i].weight;
	for (at = rng_below(rng, total); at >= kinds[kind].weight; kind++)
		at -= kinds[kind].weight;
	return kind;
}

/* Few names, so that operations meet each other; up to three levels. */
static void random_path(char *path, struct rng *rng)
{
	int depth = rng_below(rng, 8);

	depth = depth < 3 ? 1 : depth < 6 ? 2 : 3;
	while (depth--) {
		*path++ = 'a' + rng_below(rng, 6);
		if (depth)
			*path++ = '/';
	}
	*path = 0;
}

static void pick_path(char *path, struct rng *rng, const struct recent *recent)
{
	const char *known = recent->path[rng_below(rng, FSMODEL_RECENT)];

	random_path(path, rng);
	if (rng_below(rng, 2) && *known)
		strcpy(path, known);
}

void fsmodel_remember(struct recent *recent, const struct op *op)
{
	const char *path = NULL;

	if (kinds[op->kind].makes == 1)
		path = op->path;
	else if (kinds[op->kind].makes == 2)
		path = op->other;
	if (path)
		strcpy(recent->path[recent->next++ % FSMODEL_RECENT], path);
}

static uint64_t random_offset(struct rng *rng)
{
	uint64_t offset = rng_below(rng, MAX_OFFSET);

	switch (rng_below(rng, 4)) {
	case 0:
		return offset / PAGE * PAGE;
	case 1:
		return rng_below(rng, 2 * PAGE);
	}
	return offset;
}

static uint64_t random_length(struct rng *rng)
{
	switch (rng_below(rng, 8)) {
	case 0:
		return rng_below(rng, MAX_LENGTH);
	case 1:
		return rng_below(rng, 17) * PAGE;
	case 2:
		return rng_below(rng, 16);
	}
	return rng_below(rng, 3 * PAGE);
}

void fsmodel_generate(struct op *op, struct rng *rng, const struct recent *recent)
{
	static const unsigned int ids[] = { 0, 1, 1000, 65536, 4294967294u };

	op->kind = random_kind(rng);
	pick_path(op->path, rng, recent);
	pick_path(op->other, rng, recent);
	op->slot = rng_below(rng, FSMODEL_SLOTS);
	op->other_slot = rng_below(rng, FSMODEL_SLOTS);
	op->offset = random_offset(rng);
	op->other_offset = random_offset(rng);
	op->length = random_length(rng);
	op->seed = rng_next(rng);
	op->mode = rng_below(rng, 010000);
	op->id = rng_below(rng, 2) ? rng_below(rng, 1 << 20) : ids[rng_below(rng, 5)];
	op->choice = rng_below(rng, 1 << 20);
}

void fsmodel_apply(struct side *side, const struct op *op, struct result *result)
{
	memset(result, 0, sizeof(*result));
	errno = 0;
	result->ret = kinds[op->kind].run(side, op, result);
	result->err = result->ret < 0 ? errno : 0;
}

void fsmodel_describe(const struct op *op, char *text, size_t len)
{
	snprintf(text, len,
		 "%s path=%s other=%s slot=%d,%d offset=%llu,%llu length=%llu mode=%o id=%u choice=%u",
		 kinds[op->kind].name, op->path, op->other, op->slot, op->other_slot,
		 (unsigned long long)op->offset, (unsigned long long)op->other_offset,
		 (unsigned long long)op->length, op->mode, op->id, op->choice);
}

int side_open(struct side *side, int parent, const char *name)
{
	for (int i = 0; i < FSMODEL_SLOTS; i++)
		side->fd[i] = -1;
	side->buf = malloc(FSMODEL_BUF);
	if (!side->buf)
		return -ENOMEM;
	if (mkdirat(parent, name, 0755) && errno != EEXIST)
		return -errno;
	side->root = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return side->root < 0 ? -errno : 0;
}

void side_close(struct side *side)
{
	for (int i = 0; i < FSMODEL_SLOTS; i++)
		if (side->fd[i] >= 0)
			close(side->fd[i]);
	close(side->root);
	free(side->buf);
}
