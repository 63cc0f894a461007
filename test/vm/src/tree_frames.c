// SPDX-License-Identifier: GPL-2.0
/*
 * tree_frames.c - which physical page frame each page of a file is in. A file
 * that lives through a kexec keeps its frames. Holes are not touched.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest.h"
#include "report.h"
#include "tree.h"

#define PAGE		4096
#define WINDOW		(4 << 20)	/* mapped at a time */
#define PM_PFN		((1ull << 55) - 1)
#define PM_PRESENT	(1ull << 63)

struct frames {
	const char *path;
	int fd, pagemap;
};

/*
 * The frame of the page at @page, 0 without one: one that the kernel tries to
 * move (even if the filesystem forbids it) is not mapped for a moment.
 */
static uint64_t frame_of(int pagemap, volatile char *page)
{
	for (int i = 0; i < 1000; i++) {
		uint64_t entry;

		(void)*page;
		if (pread(pagemap, &entry, sizeof(entry), (uintptr_t)page / PAGE * 8) != sizeof(entry))
			die("pagemap");
		if (entry & PM_PRESENT)
			return entry & PM_PFN;
		usleep(1000);
	}
	return 0;
}

static int print_window(const struct frames *f, int64_t start, size_t len)
{
	static uint64_t entry[WINDOW / PAGE];
	size_t pages = (len + PAGE - 1) / PAGE;
	volatile char *map = mmap(NULL, len, PROT_READ, MAP_SHARED, f->fd, start);
	int err = 0;

	if (map == MAP_FAILED && errno == EOVERFLOW)
		return 0;	/* the last page of the largest file cannot be mapped */
	if (map == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < pages; i++)
		(void)map[i * PAGE];
	if (pread(f->pagemap, entry, pages * 8, (uintptr_t)map / PAGE * 8) != (ssize_t)(pages * 8))
		err = -EIO;
	for (size_t i = 0; !err && i < pages; i++)
		printf("%s\t%012llx\t%llx\n", f->path, (long long)start / PAGE + i, (unsigned long long)
		       (entry[i] & PM_PRESENT ? entry[i] & PM_PFN :
			frame_of(f->pagemap, map + i * PAGE)));
	munmap((void *)map, len);
	return err;
}

static int print_run(void *arg, int64_t start, int64_t end)
{
	int err = 0;

	start -= start % PAGE;
	while (start < end && !err) {
		size_t len = end - start < WINDOW ? end - start : WINDOW;

		err = print_window(arg, start, len);
		start += len;
	}
	return err;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int frames_of(int pagemap, int parent, const char *name, const char *path);

static int frames_below(int pagemap, int fd, const char *path)
{
	struct dirent **entry;
	int nr = scandirat(fd, ".", &entry, NULL, by_name), err = nr < 0 ? -errno : 0;

	for (int i = 0; i < nr; i++) {
		const char *name = entry[i]->d_name;
		char *text = escape(name, strlen(name)), *sub;

		if (asprintf(&sub, "%s/%s", path, text) < 0)
			die("memory");
		if (!err && strcmp(name, ".") && strcmp(name, ".."))
			err = frames_of(pagemap, fd, name, sub);
		free(sub);
		free(text);
		free(entry[i]);
	}
	if (nr >= 0)
		free(entry);
	return err;
}

static int frames_of(int pagemap, int parent, const char *name, const char *path)
{
	struct frames f = { .path = path, .pagemap = pagemap };
	struct stat st;
	int err = 0;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	f.fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (f.fd < 0)
		return -errno;
	err = S_ISDIR(st.st_mode) ? frames_below(pagemap, f.fd, path) :
				    for_each_data(f.fd, print_run, &f);
	close(f.fd);
	if (err)
		note("frames: %s: %s", path, strerror(-err));
	return err;
}

int tree_frames(const char *dir)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), err;

	if (pagemap < 0)
		return -errno;
	raise_open_files();
	err = frames_of(pagemap, AT_FDCWD, dir, ".");
	close(pagemap);
	return err;
}
