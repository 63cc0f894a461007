// SPDX-License-Identifier: GPL-2.0
/*
 * fsbench - two directories side by side: the same work on one and the other in
 * turn, round after round, so that what slows the machine down hits both. What
 * counts are medians of the rounds: of the speeds, and of the ratios A to B within
 * a round, which a slow phase of the machine does not move.
 *
 * memcpy of the same amount is the yardstick: no filesystem in memory is faster.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "report.h"

#define PAGE		4096
#define LARGE		(1 << 20)
#define SMALL_FILES	2000
#define MAX_ROUNDS	101

static size_t size = 64 << 20;
static unsigned int rounds = 5;
static unsigned char *buf;	/* LARGE bytes */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int open_file(const char *dir, int flags)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/fsbench.data", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644);
	if (fd < 0)
		die("%s", path);
	return fd;
}

static void must_be(ssize_t got, size_t want, const char *what)
{
	if (got != (ssize_t)want)
		die("%s", what);
}

/* Each returns the seconds that @size bytes, or SMALL_FILES files, took. */

static double write_chunks(const char *dir, size_t chunk)
{
	int fd = open_file(dir, O_TRUNC);
	double start = seconds(), took;

	for (size_t pos = 0; pos < size; pos += chunk)
		must_be(write(fd, buf, chunk), chunk, "write");
	took = seconds() - start;
	close(fd);
	return took;
}

static double read_chunks(const char *dir, size_t chunk)
{
	int fd = open_file(dir, 0);
	double start = seconds(), took;

	for (size_t pos = 0; pos < size; pos += chunk)
		must_be(read(fd, buf, chunk), chunk, "read");
	took = seconds() - start;
	close(fd);
	return took;
}

static double write_large(const char *dir)
{
	return write_chunks(dir, LARGE);
}

static double write_small(const char *dir)
{
	return write_chunks(dir, PAGE);
}

static double read_large(const char *dir)
{
	return read_chunks(dir, LARGE);
}

static double read_small(const char *dir)
{
	return read_chunks(dir, PAGE);
}

static double random_pages(const char *dir, bool writing)
{
	int fd = open_file(dir, 0);
	struct rng rng = { 1 };
	double start = seconds(), took;

	for (size_t i = 0; i < size / PAGE; i++) {
		off_t pos = rng_below(&rng, size / PAGE) * PAGE;

		must_be(writing ? pwrite(fd, buf, PAGE, pos) : pread(fd, buf, PAGE, pos), PAGE, "page");
	}
	took = seconds() - start;
	close(fd);
	return took;
}

static double random_read(const char *dir)
{
	return random_pages(dir, false);
}

static double random_write(const char *dir)
{
	return random_pages(dir, true);
}

static double touch_mapping(const char *dir, int prot)
{
	int fd = open_file(dir, 0);
	double start = seconds(), took;
	volatile unsigned char *map = mmap(NULL, size, prot, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die("mmap");
	for (size_t pos = 0; pos < size; pos += PAGE) {
		if (prot & PROT_WRITE)
			map[pos] = 1;
		else
			(void)map[pos];
	}
	took = seconds() - start;
	munmap((void *)map, size);
	close(fd);
	return took;
}

static double mmap_read(const char *dir)
{
	return touch_mapping(dir, PROT_READ);
}

static double mmap_write(const char *dir)
{
	return touch_mapping(dir, PROT_READ | PROT_WRITE);
}

static double small_files(const char *dir)
{
	double start = seconds();
	char path[4200];

	for (int i = 0; i < SMALL_FILES; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/fsbench.%d", dir, i);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
		if (fd < 0)
			die("%s", path);
		must_be(write(fd, buf, 100), 100, "write");
		close(fd);
	}
	for (int i = 0; i < SMALL_FILES; i++) {
		snprintf(path, sizeof(path), "%s/fsbench.%d", dir, i);
		if (unlink(path))
			die("%s", path);
	}
	return seconds() - start;
}

static double memory_copy(const char *dir)
{
	static unsigned char *to;
	double start;

	if (!to)
		to = malloc(LARGE);
	if (!to)
		die("memory");
	start = seconds();
	for (size_t pos = 0; pos < size; pos += LARGE) {
		memcpy(to, buf, LARGE);
		__asm__ volatile("" : : "r"(to) : "memory");
	}
	return seconds() - start;
}

/* In this order: write_large leaves the file that the others read. */
static const struct {
	const char *name;
	double (*run)(const char *dir);
	const char *unit;
} benches[] = {
	{ "write-4k", write_small, "MiB/s" },
	{ "write-1m", write_large, "MiB/s" },
	{ "read-1m", read_large, "MiB/s" },
	{ "read-4k", read_small, "MiB/s" },
	{ "random-read-4k", random_read, "MiB/s" },
	{ "random-write-4k", random_write, "MiB/s" },
	{ "mmap-read", mmap_read, "MiB/s" },
	{ "mmap-write", mmap_write, "MiB/s" },
	{ "create-unlink", small_files, "files/s" },
	{ "memcpy", memory_copy, "MiB/s" },
};

#define NR_BENCHES	(sizeof(benches) / sizeof(*benches))

static double took[NR_BENCHES][2][MAX_ROUNDS];

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values)
{
	qsort(values, rounds, sizeof(*values), compare);
	return rounds % 2 ? values[rounds / 2] : (values[rounds / 2 - 1] + values[rounds / 2]) / 2;
}

/* Of the speeds; before median() has sorted the rounds. */
static double median_ratio(double both[2][MAX_ROUNDS])
{
	double ratio[MAX_ROUNDS];

	for (unsigned int i = 0; i < rounds; i++)
		ratio[i] = both[1][i] / both[0][i];
	return median(ratio);
}

static void measure(char *const dirs[2])
{
	for (unsigned int round = 0; round < rounds; round++)
		for (size_t i = 0; i < NR_BENCHES; i++)
			for (int turn = 0; turn < 2; turn++) {
				int side = (round + turn) % 2;

				took[i][side][round] = benches[i].run(dirs[side]);
			}
}

static void print_results(void)
{
	note("%-16s %10s %10s %7s", "median of rounds", "A", "B", "A/B");
	for (size_t i = 0; i < NR_BENCHES; i++) {
		double work = benches[i].run == small_files ? SMALL_FILES : size / 1048576.0;
		double ratio = median_ratio(took[i]);
		double a = work / median(took[i][0]), b = work / median(took[i][1]);
		char name[64];

		note("%-16s %10.0f %10.0f %7.3f %s", benches[i].name, a, b, ratio, benches[i].unit);
		snprintf(name, sizeof(name), "fsbench-%s-a", benches[i].name);
		metric(name, a, benches[i].unit);
		snprintf(name, sizeof(name), "fsbench-%s-b", benches[i].name);
		metric(name, b, benches[i].unit);
		snprintf(name, sizeof(name), "fsbench-%s-ratio", benches[i].name);
		metric(name, ratio, "A/B");
	}
}

static void clean_up(char *const dirs[2])
{
	char path[4200];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/fsbench.data", dirs[i]);
		unlink(path);
	}
}

static int usage(void)
{
	fputs("usage: fsbench DIR_A DIR_B [--size BYTES] [--rounds R]\n"
	      "  both have room for BYTES (a multiple of 1m) at the same time\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return usage();
	for (int i = 3; i < argc; i += 2) {
		if (i + 1 < argc && !strcmp(argv[i], "--size"))
			size = parse_bytes(argv[i + 1]);
		else if (i + 1 < argc && !strcmp(argv[i], "--rounds"))
			rounds = strtoul(argv[i + 1], NULL, 0);
		else
			return usage();
	}
	if (!size || size % LARGE || !rounds || rounds > MAX_ROUNDS)
		return usage();
	buf = malloc(LARGE);
	if (!buf)
		die("memory");
	content_fill(buf, LARGE, 1, 1, 0);
	measure(argv + 1);
	print_results();
	clean_up(argv + 1);
	pass("fsbench");
	return report_status();
}
