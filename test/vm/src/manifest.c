// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "content.h"
#include "manifest.h"
#include "report.h"

#define CHUNK		(1 << 20)
#define PAGE		4096
#define XATTR_SHOWN	64	/* longer values are shown as their hash */

static const struct {
	const char *name;
	unsigned int flag;
} options[] = {
	{ "--no-atime", MANIFEST_NO_ATIME },
	{ "--no-times", MANIFEST_NO_TIMES | MANIFEST_NO_ATIME },
	{ "--no-ino", MANIFEST_NO_INO },
	{ "--no-blocks", MANIFEST_NO_BLOCKS },
	{ "--no-map", MANIFEST_NO_MAP },
	{ "--no-dir-size", MANIFEST_NO_DIR_SIZE },
	{ "--offsets", MANIFEST_OFFSETS },
};

unsigned int manifest_option(const char *arg)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (!strcmp(arg, options[i].name))
			return options[i].flag;
	return 0;
}

void noatime_namespace(const char *dir)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(dir, dir, NULL, MS_BIND, NULL) ||
	    mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | MS_NOATIME, NULL))
		note("no noatime mount of %s (%s): atimes may change", dir, strerror(errno));
}

void raise_open_files(void)
{
	struct rlimit files = { 65536, 65536 };

	setrlimit(RLIMIT_NOFILE, &files);
}

static void *must(void *p)
{
	if (!p)
		die("memory");
	return p;
}

char *escape(const void *bytes, size_t len)
{
	const unsigned char *in = bytes;
	char *text = must(malloc(len * 4 + 1)), *out = text;

	for (; len--; in++) {
		if (*in > ' ' && *in < 0x7f && *in != '\\')
			*out++ = *in;
		else
			out += sprintf(out, "\\%03o", *in);
	}
	*out = 0;
	return text;
}

static void add_line(struct manifest *m, char *line)
{
	if (m->nr == m->max) {
		m->max = m->max ? m->max * 2 : 1024;
		m->line = must(realloc(m->line, m->max * sizeof(*m->line)));
	}
	m->line[m->nr++] = line;
}

static void __attribute__((format(printf, 4, 5)))
add(struct manifest *m, const char *path, const char *key, const char *fmt, ...)
{
	char *value, *line;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		die("memory");
	va_end(ap);
	if (asprintf(&line, "%s\t%s\t%s", path, key, value) < 0)
		die("memory");
	free(value);
	add_line(m, line);
}

int for_each_data(int fd, int (*fn)(void *arg, int64_t start, int64_t end), void *arg)
{
	int64_t start, end = 0;
	int err;

	for (;;) {
		start = lseek(fd, end, SEEK_DATA);
		if (start < 0)
			return errno == ENXIO ? 0 : -errno;
		if (start < end)
			return -ERANGE;	/* would go on for ever */
		end = lseek(fd, start, SEEK_HOLE);
		if (end < 0)
			return -errno;
		if (end <= start)
			return -ERANGE;
		err = fn(arg, start, end);
		if (err)
			return err;
	}
}

struct content {
	int fd;
	int64_t size, hole;
	uint64_t hash;
	char *map;
	size_t map_len;
	unsigned char *buf;
};

/* Zero pages do not count, so that the hash tells the content and "map" the holes. */
static int hash_range(struct content *c, int64_t start, int64_t end)
{
	static const char zero[PAGE];

	while (start < end) {
		size_t want = end - start < CHUNK ? end - start : CHUNK;
		ssize_t got = pread(c->fd, c->buf, want, start);

		if (got < 0)
			return -errno;
		if (!got)
			return -EIO;
		for (ssize_t at = 0; at < got;) {
			int64_t pos = start + at;
			ssize_t len = PAGE - pos % PAGE;

			if (len > got - at)
				len = got - at;
			if (memcmp(c->buf + at, zero, len))
				c->hash ^= hash64(c->buf + at, len, pos);
			at += len;
		}
		start += got;
	}
	return 0;
}

/* Both ends of a hole must read as zeros; they go into the hash if they do not. */
static int hash_hole(struct content *c, int64_t start, int64_t end)
{
	int err = hash_range(c, start, end - start < PAGE ? end : start + PAGE - start % PAGE);
	int64_t last = (end - 1) / PAGE * PAGE;

	if (err || last <= start)
		return err;
	return hash_range(c, last, end);
}

static int content_run(void *arg, int64_t start, int64_t end)
{
	struct content *c = arg;
	int err = 0;

	if (c->hole < start)
		err = hash_hole(c, c->hole, start);
	if (!err)
		err = hash_range(c, start, end);
	c->hole = end;
	c->map = must(realloc(c->map, c->map_len + 64));
	c->map_len += sprintf(c->map + c->map_len, "%lld-%lld,", (long long)start, (long long)end);
	return err;
}

static int add_content(struct manifest *m, const char *path, int dirfd, const char *name, int64_t size)
{
	struct content c = { .size = size };
	int err;

	c.fd = openat(dirfd, name, O_RDONLY | O_NOATIME | O_NOFOLLOW | O_CLOEXEC);
	if (c.fd < 0)
		return -errno;
	c.buf = must(malloc(CHUNK));
	c.map = must(calloc(1, 1));
	err = for_each_data(c.fd, content_run, &c);
	if (!err && c.hole < size)
		err = hash_hole(&c, c.hole, size);
	if (!err) {
		add(m, path, "data", "%016llx", (unsigned long long)c.hash);
		if (!(m->flags & MANIFEST_NO_MAP))
			add(m, path, "map", "%s", c.map);
	}
	free(c.map);
	free(c.buf);
	close(c.fd);
	return err;
}

/* No *at() calls for xattrs before 6.13; the l* ones take a path below /proc/self/fd. */
static int add_xattrs(struct manifest *m, const char *path, int dirfd, const char *name,
		      bool is_socket)
{
	static char list[65536], value[65536];
	char at[64 + NAME_MAX], key[512];
	ssize_t len, size;

	snprintf(at, sizeof(at), "/proc/self/fd/%d/%s", dirfd, name);
	len = llistxattr(at, list, sizeof(list));
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (char *attr = list; attr < list + len; attr += strlen(attr) + 1) {
		char *text;

		/* Kernels from 7.0 on let sockets have these; older ones hide them. */
		if (is_socket && !strncmp(attr, "user.", 5))
			continue;
		size = lgetxattr(at, attr, value, sizeof(value));
		if (size < 0)
			return -errno;
		text = escape(attr, strlen(attr));
		snprintf(key, sizeof(key), "xattr:%s", text);
		free(text);
		if (size > XATTR_SHOWN) {
			add(m, path, key, "%zd:%016llx", size,
			    (unsigned long long)hash64(value, size, 0));
			continue;
		}
		text = escape(value, size);
		add(m, path, key, "%zd:%s", size, text);
		free(text);
	}
	return 0;
}

static int add_link(struct manifest *m, const char *path, int dirfd, const char *name)
{
	char target[PATH_MAX + 1], *text;
	ssize_t len = readlinkat(dirfd, name, target, sizeof(target));

	if (len < 0)
		return -errno;
	text = escape(target, len);
	add(m, path, "link", "%s", text);
	free(text);
	return 0;
}

static void add_stat(struct manifest *m, const char *path, const struct statx *x)
{
	char text[512];
	bool all = !(m->flags & MANIFEST_NO_DIR_SIZE);
	int n;

	n = sprintf(text, "mode=%06o uid=%u gid=%u nlink=%u", x->stx_mode, x->stx_uid, x->stx_gid,
		    x->stx_nlink);
	if (all || !S_ISDIR(x->stx_mode))
		n += sprintf(text + n, " size=%llu", (unsigned long long)x->stx_size);
	if (!(m->flags & MANIFEST_NO_BLOCKS) && (all || S_ISREG(x->stx_mode)))
		n += sprintf(text + n, " blocks=%llu", (unsigned long long)x->stx_blocks);
	if (!(m->flags & MANIFEST_NO_INO))
		n += sprintf(text + n, " ino=%llu", (unsigned long long)x->stx_ino);
	n += sprintf(text + n, " rdev=%u:%u attr=%llx", x->stx_rdev_major, x->stx_rdev_minor,
		     (unsigned long long)(x->stx_attributes & ~STATX_ATTR_MOUNT_ROOT));
#define TIME(name) sprintf(text + n, " " #name "=%lld.%09u", \
			   (long long)x->stx_##name.tv_sec, x->stx_##name.tv_nsec)
	if (!(m->flags & MANIFEST_NO_ATIME))
		n += TIME(atime);
	if (!(m->flags & MANIFEST_NO_TIMES)) {
		n += TIME(mtime);
		n += TIME(ctime);
		if (x->stx_mask & STATX_BTIME)
			n += TIME(btime);
	}
#undef TIME
	add(m, path, "stat", "%s", text);
}

static int walk(struct manifest *m, const char *path, int dirfd, const char *name);

static int walk_dir(struct manifest *m, const char *path, int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOATIME | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;
	char **names = NULL;
	size_t nr = 0;
	int err = 0;
	long offset = 0;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir)
		die("fdopendir");
	while ((errno = 0, entry = readdir(dir))) {
		char *text = escape(entry->d_name, strlen(entry->d_name));
		char key[5 * NAME_MAX];

		if (m->flags & MANIFEST_OFFSETS) {
			snprintf(key, sizeof(key), "dirent:%s", text);
			add(m, path, key, "%ld type=%u ino=%llu", offset, entry->d_type,
			    (unsigned long long)entry->d_ino);
		}
		offset = entry->d_off;
		free(text);
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (!(nr & (nr - 1)))
			names = must(realloc(names, (nr ? nr * 2 : 1) * sizeof(*names)));
		names[nr++] = must(strdup(entry->d_name));
	}
	err = -errno;
	for (size_t i = 0; i < nr; i++) {
		char *text = escape(names[i], strlen(names[i])), *sub;

		if (asprintf(&sub, "%s/%s", path, text) < 0)
			die("memory");
		if (!err)
			err = walk(m, sub, fd, names[i]);
		free(sub);
		free(text);
		free(names[i]);
	}
	free(names);
	closedir(dir);
	return err;
}

static int walk(struct manifest *m, const char *path, int dirfd, const char *name)
{
	struct statx x;
	int err = 0;

	if (statx(dirfd, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &x))
		err = -errno;
	else
		add_stat(m, path, &x);
	if (!err)
		err = add_xattrs(m, path, dirfd, name, S_ISSOCK(x.stx_mode));
	if (!err && S_ISREG(x.stx_mode))
		err = add_content(m, path, dirfd, name, x.stx_size);
	if (!err && S_ISLNK(x.stx_mode))
		err = add_link(m, path, dirfd, name);
	if (err)
		note("manifest: %s: %s", path, strerror(-err));
	if (!err && S_ISDIR(x.stx_mode))
		err = walk_dir(m, path, dirfd, name);
	return err;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int manifest_collect(struct manifest *m, const char *dir, unsigned int flags)
{
	int fd, err;

	*m = (struct manifest) { .flags = flags };
	raise_open_files();
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOATIME | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		note("manifest: %s: %s", dir, strerror(-err));
		return err;
	}
	err = walk(m, ".", fd, ".");
	close(fd);
	qsort(m->line, m->nr, sizeof(*m->line), compare_lines);
	return err;
}

int manifest_write(const struct manifest *m, FILE *out)
{
	fprintf(out, "#manifest %u\n", m->flags);
	for (size_t i = 0; i < m->nr; i++)
		fprintf(out, "%s\n", m->line[i]);
	if (fflush(out) || ferror(out)) {
		note("manifest: write: %s", strerror(errno));
		return -EIO;
	}
	return 0;
}

int manifest_read(struct manifest *m, const char *file)
{
	FILE *in = fopen(file, "re");
	char *line = NULL;
	size_t max = 0;
	ssize_t len;
	int err = 0;

	*m = (struct manifest) { };
	if (!in) {
		err = -errno;
		note("manifest: %s: %s", file, strerror(-err));
		return err;
	}
	if (fscanf(in, "#manifest %u\n", &m->flags) != 1) {
		note("manifest: %s: no manifest", file);
		err = -EINVAL;
	}
	while (!err && (len = getline(&line, &max, in)) > 0) {
		line[len - 1] = 0;
		add_line(m, must(strdup(line)));
	}
	free(line);
	fclose(in);
	return err;
}

void manifest_free(struct manifest *m)
{
	for (size_t i = 0; i < m->nr; i++)
		free(m->line[i]);
	free(m->line);
	*m = (struct manifest) { };
}

/* Order of two lines by path and key alone. */
static int compare_keys(const char *a, const char *b)
{
	int tabs = 0;

	for (; *a && *a == *b; a++, b++)
		if (*a == '\t' && ++tabs == 2)
			return 0;
	return (unsigned char)*a - (unsigned char)*b;
}

size_t manifest_diff(const struct manifest *was, const struct manifest *is, size_t max)
{
	size_t i = 0, j = 0, nr = 0;

	while (i < was->nr || j < is->nr) {
		int order = i == was->nr ? 1 : j == is->nr ? -1 :
			    compare_keys(was->line[i], is->line[j]);

		if (!order && !strcmp(was->line[i], is->line[j])) {
			i++;
			j++;
			continue;
		}
		nr++;
		if (order <= 0) {
			if (nr <= max)
				note("- %s", was->line[i]);
			i++;
		}
		if (order >= 0) {
			if (nr <= max)
				note("+ %s", is->line[j]);
			j++;
		}
	}
	return nr;
}
