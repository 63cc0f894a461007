// SPDX-License-Identifier: GPL-2.0
/*
 * vdso.c - see vdso.h. There may be two in a process: the one that its libc knows,
 * whose address is in its auxiliary vector, and the running kernel's, which is
 * called [vdso] in /proc/PID/maps and to which the first leads after an update.
 *
 * Not seen: a signal handler that has interrupted the vDSO and is still at work when
 * all is frozen; where it returns to is on its stack alone.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/vdso.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/processes.h"

#define AUXV_MAX 64
#define VDSOS_MAX 2	/* see above */

struct range {
	unsigned long start, end;
};

/* What libc was told of, 0 = nothing. false: it has ended, or is of 32 bits. */
static bool own_vdso(pid_t pid, unsigned long *address)
{
	Elf64_auxv_t auxv[AUXV_MAX];
	_cleanup_fclose_ FILE *f = NULL;
	char path[64];
	size_t n, i;

	snprintf(path, sizeof(path), "/proc/%d/auxv", (int)pid);
	f = fopen(path, "re");
	n = f ? fread(auxv, sizeof(*auxv), AUXV_MAX, f) : 0;
	/* of 32 bits, a type and its value are read as one type */
	if (!n || auxv[0].a_type > UINT32_MAX)
		return false;
	*address = 0;
	for (i = 0; i < n; i++)
		if (auxv[i].a_type == AT_SYSINFO_EHDR)
			*address = auxv[i].a_un.a_val;
	return true;
}

/* Where the vDSOs of a process lie; how many, 0 = none, or it has ended or is of 32 bits. */
static size_t find_vdsos(pid_t pid, struct range vdso[VDSOS_MAX])
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	unsigned long own;
	struct range r;
	char path[64];
	size_t size = 0, nr = 0;

	if (!own_vdso(pid, &own))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f && nr < VDSOS_MAX && getline(&line, &size, f) > 0)
		if (sscanf(line, "%lx-%lx", &r.start, &r.end) == 2 &&
		    ((own >= r.start && own < r.end) || strstr(line, "[vdso]")))
			vdso[nr++] = r;
	return nr;
}

/* false: it has ended, or it runs. */
static bool read_ip(pid_t pid, pid_t tid, unsigned long *ip)
{
	char path[64], text[256], *at, *end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", (int)pid, (int)tid);
	if (file_read(path, text, sizeof(text)) <= 0)
		return false;
	/* the last word, in and out of a system call */
	at = strrchr(text, ' ');
	if (!at)
		return false;
	*ip = strtoul(at, &end, 16);
	return end != at;
}

static bool is_within(unsigned long ip, const struct range *range, size_t nr)
{
	while (nr--)
		if (ip >= range[nr].start && ip < range[nr].end)
			return true;
	return false;
}

/* 1: found one. */
static int find_in(pid_t pid, struct vdso_thread *found)
{
	_cleanup_free_ pid_t *tids = NULL;
	struct range vdso[VDSOS_MAX];
	size_t nr = find_vdsos(pid, vdso), nr_tids = 0, i;
	unsigned long ip;
	int err = nr ? process_threads(pid, &tids, &nr_tids) : 0;

	for (i = 0; !err && i < nr_tids; i++) {
		if (!read_ip(pid, tids[i], &ip) || !is_within(ip, vdso, nr))
			continue;
		*found = (struct vdso_thread){ pid, tids[i], ip };
		return 1;
	}
	return err;
}

int vdso_find(const struct container *c, struct vdso_thread *found)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t nr = 0, i;
	int err = process_descendants_stopped(c->pid, &pids, &nr);

	for (i = 0; !err && i < nr; i++)
		err = find_in(pids[i], found);
	return err;
}
