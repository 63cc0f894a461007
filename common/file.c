// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "log.h"

int file_read(const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf + used, size - used)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		used += (size_t)n;
		if (used == size)
			return -E2BIG;
	}
	buf[used] = '\0';
	return (int)used;
}

int file_read_line(const char *path, char *buf, size_t size)
{
	int n = file_read(path, buf, size);

	while (n > 0 && buf[n - 1] == '\n')
		buf[--n] = '\0';
	return n;
}

int file_read_u64(const char *path, uint64_t *value)
{
	char text[64], *end;
	const char *start = text;
	unsigned long long v;
	int n = file_read(path, text, sizeof(text));

	if (n < 0)
		return n;
	while (isspace((unsigned char)*start))
		start++;
	if (!isdigit((unsigned char)*start))
		return -EINVAL;
	errno = 0;
	v = strtoull(start, &end, 0);
	if (errno)
		return -errno;
	while (isspace((unsigned char)*end))
		end++;
	if (*end)
		return -EINVAL;
	*value = v;
	return 0;
}

int file_open_in(int root, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int file_make_dirs(const char *dir)
{
	char path[PATH_MAX], *slash;

	snprintf(path, sizeof(path), "%s", dir);
	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return log_syserr(errno, "cannot make %s", path);
		*slash = '/';
	}
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return log_syserr(errno, "cannot make %s", path);
	return 0;
}

int file_write(const char *dir, const char *name, mode_t mode, const char *text)
{
	char path[PATH_MAX];
	_cleanup_close_ int fd = -1;
	size_t length = strlen(text);
	int err = file_make_dirs(dir);

	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		return log_syserr(errno, "cannot write %s", path);
	return 0;
}

int file_put(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int file_map(const char *path, struct mapped_file *map)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0)
		return log_syserr(errno, "cannot open %s", path);
	if (fstat(fd, &st) < 0)
		return log_syserr(errno, "cannot stat %s", path);
	if (S_ISDIR(st.st_mode))
		return log_refusal(-EISDIR, "%s is a directory, expected a file", path);
	if (!S_ISREG(st.st_mode))
		return log_refusal(-EINVAL, "%s is not a regular file", path);
	if (st.st_size == 0) {
		*map = (struct mapped_file){ 0 };
		return 0;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return log_syserr(errno, "cannot map %s", path);
	map->data = p;
	map->bytes = (size_t)st.st_size;
	return 0;
}

void file_unmap(struct mapped_file *map)
{
	if (map->data)
		munmap((void *)map->data, map->bytes);
	*map = (struct mapped_file){ 0 };
}
