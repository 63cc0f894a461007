// SPDX-License-Identifier: GPL-2.0
/*
 * memstat - how much memory the system has, as it is and after all caches were
 * dropped. A boot after a handover must have as much as a fresh one: run it in
 * both, and give the second the report of the first (--against).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define PAGE_KIB	4

struct figures {
	double total, free, available, managed, slab_unreclaimable;	/* KiB */
};

static double from_meminfo(const char *name)
{
	FILE *in = fopen("/proc/meminfo", "re");
	char line[256], key[64];
	double value = -1;

	if (!in)
		die("/proc/meminfo");
	snprintf(key, sizeof(key), "%s:", name);
	while (value < 0 && fgets(line, sizeof(line), in))
		if (!strncmp(line, key, strlen(key)))
			value = strtod(line + strlen(key), NULL);
	fclose(in);
	return value;
}

/* The sum of a figure of all zones in /proc/zoneinfo, in pages. */
static double zone_sum(const char *format)
{
	FILE *in = fopen("/proc/zoneinfo", "re");
	char line[256];
	double sum = 0, value;

	if (!in)
		die("/proc/zoneinfo");
	while (fgets(line, sizeof(line), in))
		if (sscanf(line, format, &value) == 1)
			sum += value;
	fclose(in);
	return sum;
}

static struct figures look(void)
{
	return (struct figures) {
		.total = from_meminfo("MemTotal"),
		/* A CPU's own stock of free pages is not in MemFree, and it can be large. */
		.free = from_meminfo("MemFree") + zone_sum(" count: %lf") * PAGE_KIB,
		.available = from_meminfo("MemAvailable"),
		.managed = zone_sum(" managed %lf") * PAGE_KIB,
		.slab_unreclaimable = from_meminfo("SUnreclaim"),
	};
}

static void control(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		note("memstat: %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void settle(void)
{
	sync();
	for (int i = 0; i < 3; i++)
		control("/proc/sys/vm/drop_caches", "3");
	control("/proc/sys/vm/compact_memory", "1");
	usleep(200000);
}

/* The value of a metric in an earlier report, -1 when it is not there. */
static double earlier(const char *file, const char *name)
{
	FILE *in = fopen(file, "re");
	char line[4096], found[128];
	double value = -1, at;

	if (!in)
		die("%s", file);
	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "metric %127s %lf", found, &at) == 2 && !strcmp(found, name))
			value = at;
	fclose(in);
	return value;
}

static void compare(const char *file, double percent, const char *name, double is)
{
	double was = earlier(file, name), off = (is - was) / was * 100;

	if (was <= 0)
		fail(name, "not in %s", file);
	else if ((off < 0 ? -off : off) > percent)
		fail(name, "%.0f KiB, was %.0f KiB: %+.2f %%", is, was, off);
	else
		pass("%s within %g %% (%+.3f %%)", name, percent, off);
}

static int usage(void)
{
	fputs("usage: memstat [--against REPORT] [--percent P]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *against = NULL;
	struct figures now, settled;
	double percent = 1;

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 < argc && !strcmp(argv[i], "--against"))
			against = argv[i + 1];
		else if (i + 1 < argc && !strcmp(argv[i], "--percent"))
			percent = strtod(argv[i + 1], NULL);
		else
			return usage();
	}
	now = look();
	settle();
	settled = look();
	if (against) {
		compare(against, percent, "mem_total", settled.total);
		compare(against, percent, "mem_managed", settled.managed);
		compare(against, percent, "mem_free_settled", settled.free);
		compare(against, percent, "mem_available_settled", settled.available);
	}
	metric("mem_total", settled.total, "KiB");
	metric("mem_managed", settled.managed, "KiB");
	metric("mem_free", now.free, "KiB");
	metric("mem_available", now.available, "KiB");
	metric("mem_free_settled", settled.free, "KiB");
	metric("mem_available_settled", settled.available, "KiB");
	metric("mem_slab_unreclaimable", settled.slab_unreclaimable, "KiB");
	return report_status();
}
