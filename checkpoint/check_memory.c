// SPDX-License-Identifier: GPL-2.0
/*
 * check_memory.c - does what an update takes of memory fit beside the containers?
 *
 * Without zero copy all that containers have in memory is there twice: until the
 * jump as they and their images, after it as their images and they. With it, pages
 * of anonymous memory are there once, but not (adopt.c, give.c and room.c of PramFS):
 *
 * - what several processes share: each has a copy of its own in the images if it is
 *   private, and is given none of it if it is not;
 * - what the kernel has merged (KSM), and huge pages of hugetlbfs;
 * - pages of private mappings of files that were written to;
 * - what is in swap, which comes back to be captured;
 * - one huge page of each container, by which PramFS sees if others can be given as such;
 * - what goes into the last quarter of a limit on memory.
 *
 * A figure that cannot be had exactly is taken for too high. Nothing here walks page
 * tables for longer than smaps_rollup does, which lets others through.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/check_internal.h"
#include "checkpoint/check_system.h"
#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

/* What a container has in memory, in bytes. */
struct use {
	uint64_t anon;		/* of each process, summed up: private memory, */
	uint64_t twice;		/* ... of it more than there are pages, for they are shared */
	uint64_t merged;	/* ... of it by KSM */
	uint64_t file;		/* ... of it pages of files, at most */
	uint64_t shared;	/* shared memory, tmpfs files */
	uint64_t huge;		/* of hugetlbfs */
	uint64_t thp;		/* transparent huge pages */
	uint64_t swap;
	uint64_t above;		/* so much of a cgroup is above three quarters of its limit */
	bool limited;
};

/* More than any of the files has that are read here. */
#define TEXT_MAX 16384

/* All of a file: smaps_rollup walks the page tables each time. "" when it cannot be had. */
static void read_text(const char *path, char text[TEXT_MAX])
{
	if (file_read(path, text, TEXT_MAX) < 0)
		text[0] = '\0';
}

/* The number behind a line's key in a text of "key number" or "Key: number kB" lines; 0 = not there. */
static uint64_t field_of(const char *text, const char *key)
{
	size_t length = strlen(key);
	const char *line = text;

	while (line && *line) {
		if (!strncmp(line, key, length) && (line[length] == ' ' || line[length] == ':'))
			return strtoull(line + length + 1, NULL, 10);
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return 0;
}

static uint64_t kib_of(const char *text, const char *key)
{
	return field_of(text, key) << 10;
}

static uint64_t of_memory(const char *key)
{
	char text[TEXT_MAX];

	read_text("/proc/meminfo", text);
	return kib_of(text, key);
}

static uint64_t beyond(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* ---- of a process ---------------------------------------------------------------------- */

/* Private mappings of files that may be written to: as much of them may have been. */
static uint64_t writable_files(pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	uint64_t start, end, inode, bytes = 0;
	char path[64], flags[8];
	size_t size = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %" SCNu64, &start, &end, flags,
			   &inode) == 4 && inode && flags[1] == 'w' && flags[3] == 'p')
			bytes += end - start;
	return bytes;
}

static void add_process(pid_t pid, struct use *u)
{
	char path[64], rollup[TEXT_MAX], status[TEXT_MAX];
	uint64_t anon;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	read_text(path, rollup);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	read_text(path, status);
	anon = kib_of(rollup, "Anonymous");
	u->anon += anon;
	u->twice += beyond(anon, kib_of(rollup, "Pss_Anon"));
	u->merged += kib_of(rollup, "KSM");
	u->file += smaller(writable_files(pid), anon);
	u->shared += kib_of(rollup, "Pss_Shmem");
	u->huge += kib_of(rollup, "Shared_Hugetlb") + kib_of(rollup, "Private_Hugetlb");
	u->thp += kib_of(rollup, "AnonHugePages");
	/* VmSwap is of private memory alone, and has what is shared with other processes whole */
	u->swap += larger(kib_of(status, "VmSwap"), kib_of(rollup, "SwapPss"));
}

/* ---- of its cgroup --------------------------------------------------------------------- */

static int cgroup_number(const char *cgroup, const char *file, uint64_t *value)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s%s/%s", CGROUP_ROOT, cgroup, file);
	return file_read_u64(path, value);
}

/* Limits of it and of those that it is in; "max" is no number. */
static void look_at_limits(const char *cgroup, struct use *u)
{
	char at[PATH_MAX];
	uint64_t max, now;

	snprintf(at, sizeof(at), "%s", cgroup);
	for (; at[0] && strcmp(at, "/"); *strrchr(at, '/') = '\0') {
		if (cgroup_number(at, "memory.max", &max) || cgroup_number(at, "memory.current", &now))
			continue;
		u->limited = true;
		u->above = larger(u->above, beyond(now, max - max / 4));
	}
}

static void add_cgroup(const char *cgroup, struct use *u)
{
	char path[PATH_MAX], text[TEXT_MAX];
	uint64_t swap = 0;

	snprintf(path, sizeof(path), "%s%s/memory.stat", CGROUP_ROOT, cgroup);
	read_text(path, text);
	/* files on its tmpfs, which no process need have mapped */
	u->shared = larger(u->shared, field_of(text, "shmem"));
	cgroup_number(cgroup, "memory.swap.current", &swap);
	u->swap = larger(u->swap, swap);
	look_at_limits(cgroup, u);
}

/* ---- together -------------------------------------------------------------------------- */

static int look_at(const struct container *c, struct use *u)
{
	_cleanup_(check_free) struct check k = { .c = c };
	size_t i;
	int err = check_find_processes(&k);

	for (i = 0; !err && i < k.nr_pids; i++)
		add_process(k.pid[i], u);
	/* shared ones were counted once for each process that has them */
	u->huge = smaller(u->huge, of_memory("Hugetlb"));
	if (!err && c->cgroup && strcmp(c->cgroup, "/"))
		add_cgroup(c->cgroup, u);
	return err;
}

static uint64_t all_of(const struct use *u)
{
	return u->anon + u->shared + u->huge + u->swap;
}

/* What of it will be in memory twice. */
static uint64_t copied(const struct use *u, bool zero_copy)
{
	/* where something is in swap, room.c adopts only what leaves a quarter of a limit */
	if (!zero_copy || (u->limited && u->swap))
		return all_of(u);
	return smaller(all_of(u), u->twice + u->merged + u->file + u->shared + u->huge + u->swap + u->above +
			   smaller(u->thp, 2 << 20));
}

static unsigned long long mib(uint64_t bytes)
{
	return (bytes + (1 << 20) - 1) >> 20;
}

int check_memory(const struct containers *list, const struct demand *demand, bool zero_copy,
		 struct findings *findings)
{
	uint64_t arena = demand ? demand->low + demand->any : 0, need = 0, available;
	size_t i;
	int err;

	for (i = 0; i < list->nr; i++) {
		struct use u = { 0 };

		if (list->container[i].state != CONTAINER_RUNNING)
			continue;
		err = look_at(&list->container[i], &u);
		if (err)
			return err;
		log_detail("container %s has %llu MiB of memory, of which %llu MiB may have to be copied",
			   list->container[i].name, mib(all_of(&u)), mib(copied(&u, zero_copy)));
		/* CRIU's descriptions and PramFS's own of all of it, by experience */
		need += copied(&u, zero_copy) + all_of(&u) / 32;
	}
	available = of_memory("MemAvailable");
	log_detail("images need %llu MiB, the new kernel's arena %llu MiB, available are %llu MiB",
		   mib(need), mib(arena), mib(available));
	if (need + arena > available)
		findings_add(findings, NULL, 0, "too little memory: the containers' images need %llu MiB and the new kernel's arena %llu MiB, but %llu MiB are available; free %llu MiB, or leave a container out",
			     mib(need), mib(arena), mib(available), mib(need + arena - available));
	return 0;
}

int check_driver_memory(const char *iomem, struct findings *findings)
{
	_cleanup_fclose_ FILE *f = fopen(iomem, "re");
	_cleanup_free_ char *line = NULL;
	uint64_t start, end, bytes = 0;
	char driver[32] = "";
	size_t size = 0;

	if (!f)
		return log_syserr(errno, "cannot read %s", iomem);
	/* by the names that add_memory_driver_managed() asks for */
	while (getline(&line, &size, f) > 0)
		if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : System RAM (%31[^)]", &start, &end,
			   driver) == 3)
			bytes += end - start + 1;
	if (bytes)
		findings_warn(findings, NULL, 0, "%llu MiB of memory were added by a driver (%s), and the new kernel does not have them when it starts: what containers have in them is copied into the rest while they stand still, and must fit there",
			      mib(bytes), driver);
	return 0;
}
