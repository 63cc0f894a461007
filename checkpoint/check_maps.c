// SPDX-License-Identifier: GPL-2.0
/*
 * check_maps.c - memory. CRIU carries private and shared anonymous memory,
 * mapped files, memfds, hugetlb, System V and AIO; what a device shows is not
 * memory that can be saved.
 *
 * /proc/PID/smaps would name VM_IO and VM_PFNMAP outright, but reading it walks
 * all page tables: seconds for a large process. They come from devices and
 * anonymous inodes, whose mappings have a name.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "checkpoint/check_internal.h"
#include "common/cleanup.h"

/* Memory without a file of its own, however it is called. */
static bool is_memory(const char *name)
{
	static const char *const prefixes[] = {
		"/memfd:", "/dev/zero", "/SYSV", "/[aio]", "/anon_hugepage",
	};
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static void check_file_map(struct check *k, pid_t pid, const char *range, const char *name)
{
	char path[128];
	struct stat st;

	if (is_memory(name))
		return;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%s", (int)pid, range);
	if (stat(path, &st) < 0)
		return;
	if (S_ISCHR(st.st_mode) && st.st_rdev != makedev(1, 5))
		REFUSE(k, pid, "the device %s (%u:%u) is mapped at %s, which CRIU cannot carry: end what uses it before the update",
		       name, major(st.st_rdev), minor(st.st_rdev), range);
	else if (S_ISREG(st.st_mode) && st.st_nlink == 0)
		check_ghost(k, pid, name, &st);
}

static void check_map(struct check *k, pid_t pid, const char *range, const char *name)
{
	if (!strcmp(name, "[uprobes]"))
		REFUSE(k, pid, "uprobes are set in it: remove them (a tracer such as bpftrace or perf is at work)");
	else if (!strncmp(name, "anon_inode:", 11))
		REFUSE(k, pid, "memory of a kernel object %s is mapped at %s, which CRIU cannot carry",
		       name + 11, range);
	else if (!strncmp(name, "/SYSV", 5) && check_same_namespace(pid, 0, "ipc"))
		REFUSE(k, pid, "System V shared memory of the host is mapped at %s: give the container an IPC namespace of its own",
		       range);
	else if (name[0] == '/')
		check_file_map(k, pid, range, name);
}

void check_maps(struct check *k, pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	char path[64], range[64], last[PATH_MAX] = "";
	size_t size = 0;
	int at;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		at = 0;
		if (sscanf(line, "%63s %*s %*s %*s %*s %n", range, &at) != 1 || !at || !line[at])
			continue;
		/* the parts of one file stand together */
		if (!strcmp(line + at, last))
			continue;
		snprintf(last, sizeof(last), "%s", line + at);
		check_map(k, pid, range, line + at);
	}
}
