// SPDX-License-Identifier: GPL-2.0
/* fsops_map.c - memory mapped files, and programs run from the filesystem. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fsops.h"

static unsigned char *map(int fd, size_t len, int prot, int flags)
{
	unsigned char *p = mmap(NULL, len, prot, flags, fd, 0);

	OK(p != MAP_FAILED);
	return p;
}

static void shared_is_coherent(void)
{
	int fd = make_file("a", 4 * PAGE);
	unsigned char *p = map(fd, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED), c;

	EQ(p[PAGE + 5], pattern(PAGE + 5));
	EQ(pwrite(fd, "w", 1, PAGE + 5), 1);
	EQ(p[PAGE + 5], 'w');
	p[2 * PAGE] = 'm';
	EQ(pread(fd, &c, 1, 2 * PAGE), 1);
	EQ(c, 'm');
	OK(!msync(p, 4 * PAGE, MS_SYNC));
	OK(!munmap(p, 4 * PAGE));
	EQ(pread(fd, &c, 1, 2 * PAGE), 1);
	EQ(c, 'm');
}

static void shared_between_processes(void)
{
	int fd = make_file("a", PAGE);
	volatile unsigned char *p = map(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	pid_t pid = fork();
	int status;

	OK(pid >= 0);
	if (!pid) {
		p[7] = 200;
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(p[7], 200);
}

static void private_stays_private(void)
{
	int fd = make_file("a", 2 * PAGE);
	unsigned char *p = map(fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	p[0] = 0;
	p[PAGE] = 0;
	expect_pattern(fd, 0, 2 * PAGE);
	EQ(pwrite(fd, "x", 1, 0), 1);
	EQ(p[0], 0);
	EQ(p[PAGE + 1], pattern(PAGE + 1));
}

static void write_into_hole(void)
{
	int fd = make_file("a", 0);
	unsigned char *p;
	struct stat st;

	OK(!ftruncate(fd, 16 * PAGE));
	p = map(fd, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	p[5 * PAGE + 1] = 9;
	OK(!fstat(fd, &st));
	EQ(st.st_blocks, 8);
	EQ(lseek(fd, 0, SEEK_DATA), 5 * PAGE);
	EQ(lseek(fd, 5 * PAGE, SEEK_HOLE), 6 * PAGE);
	EQ(p[6 * PAGE], 0);
	expect_zero(fd, 6 * PAGE, 10 * PAGE);
}

static void touch(void *at)
{
	*(volatile unsigned char *)at += 1;
}

static void look(void *at)
{
	(void)*(volatile unsigned char *)at;
}

static void bus_error_past_eof(void)
{
	int fd = make_file("a", PAGE + 100);
	unsigned char *p = map(fd, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	EQ(signal_of(touch, p + PAGE + 200), 0);
	EQ(signal_of(touch, p + 2 * PAGE), SIGBUS);
	EQ(signal_of(look, p + 3 * PAGE), SIGBUS);
	OK(!ftruncate(fd, 0));
	EQ(signal_of(look, p), SIGBUS);
	OK(!ftruncate(fd, PAGE));
	EQ(signal_of(look, p), 0);
	EQ(p[0], 0);
}

/* What was stored past EOF in the last page must not appear in the file. */
static void tail_is_zeroed(void)
{
	int fd = make_file("a", 100);
	unsigned char *p = map(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	memset(p, 0xee, PAGE);
	OK(!ftruncate(fd, 50));
	OK(!ftruncate(fd, 2 * PAGE));
	expect_zero(fd, 50, 2 * PAGE - 50);
	EQ(p[49], 0xee);
	EQ(p[50], 0);
}

static void punch_under_mapping(void)
{
	int fd = make_file("a", 4 * PAGE);
	unsigned char *p = map(fd, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	unsigned char *q = map(fd, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	q[PAGE] = 77;
	EQ(p[PAGE], pattern(PAGE));
	OK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, PAGE + 10));
	EQ(p[PAGE], 0);
	EQ(p[2 * PAGE + 9], 0);
	EQ(p[2 * PAGE + 10], pattern(2 * PAGE + 10));
	EQ(q[PAGE], 77);
	p[PAGE] = 5;
	expect_zero(fd, PAGE + 1, 100);
}

static void remap(void)
{
	int fd = make_file("a", 4 * PAGE);
	unsigned char *p = map(fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED), c;

	p = mremap(p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
	OK(p != MAP_FAILED);
	EQ(p[3 * PAGE], pattern(3 * PAGE));
	p[3 * PAGE] = 0;
	EQ(pread(fd, &c, 1, 3 * PAGE), 1);
	EQ(c, 0);
	p = mremap(p, 4 * PAGE, PAGE, 0);
	OK(p != MAP_FAILED);
	EQ(p[0], pattern(0));
}

static void remove_by_madvise(void)
{
	int fd = make_file("a", 4 * PAGE);
	unsigned char *p = map(fd, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	OK(!madvise(p, 4 * PAGE, MADV_DONTNEED));
	expect_pattern(fd, 0, 4 * PAGE);
	EQ(p[PAGE], pattern(PAGE));
	OK(!madvise(p + PAGE, PAGE, MADV_REMOVE));
	expect_zero(fd, PAGE, PAGE);
	expect_pattern(fd, 2 * PAGE, 2 * PAGE);
}

static void locked_and_populated(void)
{
	int fd = make_file("a", 0);
	unsigned char *p;
	struct stat st;

	OK(!ftruncate(fd, 8 * PAGE));
	p = map(fd, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE);
	OK(!mlock(p, 8 * PAGE));
	OK(!fstat(fd, &st));
	EQ(st.st_blocks, 8 * 8);
	OK(!munlock(p, 8 * PAGE));
}

static void protections(void)
{
	int fd = make_file("a", PAGE);
	unsigned char *p;

	close(fd);
	fd = open("a", O_RDONLY);
	ERR((long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	p = map(fd, PAGE, PROT_READ, MAP_SHARED);
	ERR(mprotect(p, PAGE, PROT_READ | PROT_WRITE), EACCES);
	EQ(signal_of(touch, p), SIGSEGV);
	p = map(fd, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	EQ(signal_of(touch, p), 0);
	ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open(".", O_RDONLY), 0), ENODEV);
}

static void mapping_of_unlinked(void)
{
	int fd = make_file("a", 2 * PAGE);
	unsigned char *p = map(fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	OK(!unlink("a"));
	close(fd);
	p[PAGE] = 1;
	EQ(p[PAGE], 1);
	EQ(p[0], pattern(0));
	EQ(p[PAGE + 1], pattern(PAGE + 1));
}

/* read() into a mapping of the same page: must not deadlock. */
static void write_from_own_mapping(void)
{
	int fd = make_file("a", 2 * PAGE);
	unsigned char *p = map(fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	OK(!madvise(p, 2 * PAGE, MADV_DONTNEED));
	EQ(pwrite(fd, p, 2 * PAGE, 0), 2 * PAGE);
	expect_pattern(fd, 0, 2 * PAGE);
	OK(!madvise(p, 2 * PAGE, MADV_DONTNEED));
	EQ(pread(fd, p, PAGE, PAGE), PAGE);
	EQ(p[0], pattern(PAGE));
}

static void times_of_mapped_write(void)
{
	int fd = make_file("a", PAGE);
	unsigned char *p = map(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	/* tmpfs does not say when: only that nothing breaks */
	p[0] = 3;
	OK(!msync(p, PAGE, MS_ASYNC));
	OK(!msync(p, PAGE, MS_SYNC | MS_INVALIDATE));
	EQ(p[0], 3);
}

static void copy_program(const char *name)
{
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int out = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	struct stat st;

	OK(in >= 0);
	OK(out >= 0);
	OK(!fstat(in, &st));
	for (off_t pos = 0; pos < st.st_size;)
		OK(sendfile(out, in, &pos, st.st_size - pos) > 0);
	close(in);
	close(out);
}

static void run_program(void)
{
	int status;
	pid_t pid;

	copy_program("program");
	pid = fork();
	OK(pid >= 0);
	if (!pid) {
		if (!freopen("/dev/null", "w", stderr))
			fclose(stderr);
		execl("./program", "program", (char *)NULL);
		_exit(126);
	}
	EQ(waitpid(pid, &status, 0), pid);
	OK(WIFEXITED(status));
	EQ(WEXITSTATUS(status), 2);	/* of usage() */
	OK(!chmod("program", 0644));
	ERR(execl("./program", "program", (char *)NULL), EACCES);
}

static void text_busy(void)
{
	int fd, ends[2];
	pid_t pid;
	char c;

	OK(!pipe(ends));
	copy_program("program");
	fd = open("program", O_WRONLY | O_CLOEXEC);
	OK(fd >= 0);
	pid = fork();
	OK(pid >= 0);
	if (!pid) {
		execl("./program", "program", (char *)NULL);
		c = errno == ETXTBSY;
		_exit(write(ends[1], &c, 1) != 1);
	}
	EQ(read(ends[0], &c, 1), 1);
	EQ(c, 1);
	EQ(waitpid(pid, NULL, 0), pid);
}

const struct fsops_case fsops_map_cases[] = {
	{ "mmap-shared-coherent", shared_is_coherent },
	{ "mmap-shared-between-processes", shared_between_processes },
	{ "mmap-private-stays-private", private_stays_private },
	{ "mmap-write-into-hole", write_into_hole },
	{ "mmap-bus-error-past-eof", bus_error_past_eof },
	{ "mmap-tail-is-zeroed", tail_is_zeroed },
	{ "mmap-punch-under-mapping", punch_under_mapping },
	{ "mmap-remap", remap },
	{ "mmap-madvise-remove", remove_by_madvise },
	{ "mmap-populate-mlock", locked_and_populated },
	{ "mmap-protections", protections },
	{ "mmap-of-unlinked", mapping_of_unlinked },
	{ "mmap-write-from-own-mapping", write_from_own_mapping },
	{ "mmap-msync", times_of_mapped_write },
	{ "run-program", run_program },
	{ "text-busy", text_busy },
	{ }
};
