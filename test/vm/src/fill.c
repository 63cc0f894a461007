// SPDX-License-Identifier: GPL-2.0
/*
 * fill - files of known content, much of it: one file larger than half of the
 * memory, or 200,000 small ones. --verify, with the same arguments, reads every
 * byte back and counts the files.
 *
 * Every page differs from every other. "scattered" writes the pages in a mixed
 * order over all files, so that neighbours in memory are far apart in files and
 * a handover has to list as many extents as can be.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "report.h"

#define PAGE		4096
#define CHUNK		(1 << 20)
#define PER_DIRECTORY	1000
#define STEP		1000003ull	/* a prime: the order of scattered pages */

static struct {
	const char *dir;
	uint64_t files, bytes, seed;	/* bytes: of each file */
	bool verify, scattered;
} options = { .files = 1, .seed = 1 };

static unsigned char *buf, *want;	/* CHUNK bytes each */

/* Cheap, for the sake of gigabytes in an emulated machine: one add per word. */
static void fill_page(void *page, uint64_t file, uint64_t index)
{
	uint64_t word = mix64(mix64(options.seed ^ mix64(file)) + index), *out = page;

	for (int i = 0; i < PAGE / 8; i++)
		*out++ = word += 0x9e3779b97f4a7c15ull;
}

static void fill_chunk(unsigned char *at, uint64_t file, uint64_t pos, size_t len)
{
	for (size_t done = 0; done < len; done += PAGE)
		fill_page(at + done, file, (pos + done) / PAGE);
}

static void path_of(char *path, uint64_t file)
{
	sprintf(path, "%.3900s/fill-%" PRIu64 "/%" PRIu64, options.dir, file / PER_DIRECTORY, file);
}

static int open_file(uint64_t file, int flags)
{
	char path[4096];
	int fd;

	path_of(path, file);
	fd = open(path, flags | O_CLOEXEC, 0644);
	if (fd < 0)
		die("%s", path);
	return fd;
}

static void put(int fd, uint64_t file, uint64_t pos, size_t len)
{
	fill_chunk(buf, file, pos, len);
	if (pwrite(fd, buf, len, pos) != (ssize_t)len)
		die("write file %" PRIu64 " at %" PRIu64, file, pos);
}

static size_t chunk_at(uint64_t pos, size_t chunk)
{
	return options.bytes - pos < chunk ? options.bytes - pos : chunk;
}

static void write_in_order(void)
{
	for (uint64_t file = 0; file < options.files; file++) {
		int fd = open_file(file, O_CREAT | O_EXCL | O_WRONLY);

		for (uint64_t pos = 0; pos < options.bytes; pos += CHUNK)
			put(fd, file, pos, chunk_at(pos, CHUNK));
		close(fd);
	}
}

static void write_scattered(void)
{
	uint64_t pages = (options.bytes + PAGE - 1) / PAGE, total = pages * options.files;
	uint64_t step = total % STEP ? STEP : STEP + 30, at = 0;	/* 1000033 is prime as well */

	for (uint64_t file = 0; file < options.files; file++)
		close(open_file(file, O_CREAT | O_EXCL | O_WRONLY));
	for (uint64_t i = 0; i < total; i++) {
		uint64_t file = at / pages, pos = at % pages * PAGE;
		int fd = open_file(file, O_WRONLY);

		put(fd, file, pos, chunk_at(pos, PAGE));
		close(fd);
		at = (at + step) % total;
	}
}

static void make_directories(void)
{
	for (uint64_t i = 0; i <= (options.files - 1) / PER_DIRECTORY; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%.3900s/fill-%" PRIu64, options.dir, i);
		if (mkdir(path, 0755))
			die("%s", path);
	}
}

/* 0, or the number of the first bad byte + 1. */
static uint64_t verify_file(uint64_t file)
{
	int fd = open_file(file, O_RDONLY);
	uint64_t bad = 0;
	struct stat st;

	if (fstat(fd, &st) || (uint64_t)st.st_size != options.bytes)
		bad = 1 + (uint64_t)st.st_size;
	for (uint64_t pos = 0; pos < options.bytes && !bad; pos += CHUNK) {
		size_t len = chunk_at(pos, CHUNK), i = 0;

		fill_chunk(want, file, pos, len);
		if (pread(fd, buf, len, pos) != (ssize_t)len)
			bad = pos + 1;
		else if (memcmp(buf, want, len)) {
			while (buf[i] == want[i])
				i++;
			bad = pos + i + 1;
		}
	}
	close(fd);
	return bad;
}

static uint64_t count_files(void)
{
	uint64_t nr = 0;

	for (uint64_t i = 0; i <= (options.files - 1) / PER_DIRECTORY; i++) {
		struct dirent *entry;
		char path[4096];
		DIR *dir;

		snprintf(path, sizeof(path), "%.3900s/fill-%" PRIu64, options.dir, i);
		dir = opendir(path);
		if (!dir)
			die("%s", path);
		while ((entry = readdir(dir)))
			nr += entry->d_name[0] != '.';
		closedir(dir);
	}
	return nr;
}

static void verify(void)
{
	uint64_t bad_files = 0, nr = count_files();

	if (nr != options.files)
		fail("fill-verify", "%" PRIu64 " files, not %" PRIu64, nr, options.files);
	for (uint64_t file = 0; file < options.files; file++) {
		uint64_t bad = verify_file(file);

		if (bad && bad_files++ < 10)
			note("fill-verify: file %" PRIu64 " is wrong at byte %" PRIu64, file, bad - 1);
	}
	if (bad_files)
		fail("fill-verify", "%" PRIu64 " of %" PRIu64 " files are wrong", bad_files, options.files);
	else
		pass("fill-verify %" PRIu64 " files of %" PRIu64 " bytes", options.files, options.bytes);
}

static int usage(void)
{
	fputs("usage: fill DIR {--mib N [--files M] | --files M --bytes B} [--seed S]\n"
	      "            [--pattern contiguous|scattered] [--verify]\n"
	      "  --mib: of all files together; --verify takes the same arguments\n", stderr);
	return 2;
}

static bool parse(int argc, char **argv)
{
	uint64_t mib = 0;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(argv[i], "--verify"))
			options.verify = true;
		else if (argv[i][0] != '-' && !options.dir)
			options.dir = argv[i];
		else if (!value)
			return false;
		else if (!strcmp(argv[i], "--mib"))
			mib = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--files"))
			options.files = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--bytes"))
			options.bytes = parse_bytes(argv[++i]);
		else if (!strcmp(argv[i], "--seed"))
			options.seed = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--pattern"))
			options.scattered = !strcmp(argv[++i], "scattered");
		else
			return false;
	}
	if (!options.files || (mib && options.bytes))
		return false;
	if (mib)
		options.bytes = (mib << 20) / options.files;
	return options.dir && options.bytes;
}

int main(int argc, char **argv)
{
	struct timespec start, end;

	if (!parse(argc, argv))
		return usage();
	buf = malloc(CHUNK);
	want = malloc(CHUNK);
	if (!buf || !want)
		die("memory");
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (options.verify) {
		verify();
	} else {
		make_directories();
		if (options.scattered)
			write_scattered();
		else
			write_in_order();
		pass("fill %" PRIu64 " files of %" PRIu64 " bytes", options.files, options.bytes);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	metric(options.verify ? "fill-verify-time" : "fill-time",
	       end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9, "s");
	return report_status();
}
