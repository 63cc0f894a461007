// SPDX-License-Identifier: GPL-2.0
/*
 * stopwatch - what the benchmark times in a guest, by CLOCK_MONOTONIC.
 *
 *	stopwatch memcpy NAME
 *	    The yardstick: copy 1 GiB between two buffers that are there already,
 *	    larger than any cache; as metrics NAME.memcpy_libc_ns (memcpy(3)) and
 *	    NAME.memcpy_vector_ns (16 bytes at a time, for an emulated processor
 *	    may be slow at what libc takes to be fast).
 *	stopwatch open NAME MODULE {INSTANCE DIR}...
 *	    From the loading of pramfs to the last mount: NAME.insmod_ns,
 *	    NAME.mount_INSTANCE_ns of each and NAME.opened_ns (all together).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define BUFFER	(128ul << 20)
#define GIB	(1ul << 30)

typedef uint64_t vector __attribute__((vector_size(16)));

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void tell(const char *name, const char *what, uint64_t ns)
{
	char full[128];

	snprintf(full, sizeof(full), "%s.%s", name, what);
	metric(full, ns, "ns");
}

static void copy_libc(void *to, const void *from)
{
	memcpy(to, from, BUFFER);
}

static void copy_vector(void *to, const void *from)
{
	const vector *in = from;
	vector *out = to;

	for (size_t i = 0; i < BUFFER / sizeof(vector); i += 4) {
		vector a = in[i], b = in[i + 1], c = in[i + 2], d = in[i + 3];

		out[i] = a;
		out[i + 1] = b;
		out[i + 2] = c;
		out[i + 3] = d;
	}
}

static uint64_t time_gib(void (*copy)(void *to, const void *from), void *to, const void *from)
{
	uint64_t start = now();

	for (size_t done = 0; done < GIB; done += BUFFER) {
		copy(to, from);
		__asm__ volatile("" : : "r"(to), "r"(from) : "memory");
	}
	return now() - start;
}

static void *buffer(int fill)
{
	void *p = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("memory");
	return memset(p, fill, BUFFER);
}

static int time_memcpy(const char *name)
{
	void *from = buffer(1), *to = buffer(2);

	tell(name, "memcpy_libc_ns", time_gib(copy_libc, to, from));
	tell(name, "memcpy_vector_ns", time_gib(copy_vector, to, from));
	return report_status();
}

static int time_open(const char *name, const char *module, char **mounts)
{
	uint64_t start = now(), loaded, took, opened;
	char what[64];
	int fd = open(module, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s", module);
	if (syscall(SYS_finit_module, fd, "", 0))
		die("load %s", module);
	loaded = now();
	tell(name, "insmod_ns", loaded - start);
	opened = loaded - start;
	for (; mounts[0] && mounts[1]; mounts += 2) {
		start = now();
		if (mount(mounts[0], mounts[1], "pramfs", 0, NULL))
			die("mount %s", mounts[0]);
		took = now() - start;
		snprintf(what, sizeof(what), "mount_%.32s_ns", mounts[0]);
		tell(name, what, took);
		opened += took;
	}
	tell(name, "opened_ns", opened);
	return report_status();
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "memcpy"))
		return time_memcpy(argv[2]);
	if (argc >= 4 && !strcmp(argv[1], "open"))
		return time_open(argv[2], argv[3], argv + 4);
	fputs("usage: stopwatch memcpy NAME\n"
	      "       stopwatch open NAME MODULE {INSTANCE DIR}...\n", stderr);
	return 2;
}
