// SPDX-License-Identifier: GPL-2.0
/*
 * pages - what adopt=, give= and verify= of pramfs do with a process's memory.
 *
 * usage: pages adopt DIR MIB	in the old kernel; leaves a process behind that is
 *				stopped and has the memory which DIR's files are
 *        pages adopt-shared DIR MIB	of all that, the memfd alone
 *        pages change DIR MIB	a page changes after it was adopted
 *        pages give DIR MIB	in the new kernel, while the files are there
 *        pages deleted DIR MIB	and what becomes of given pages once they are not
 *
 * The files: own (private memory), twice (half of it, after a fork, from the
 * child), shared (a memfd), odd (what cannot be adopted). Contents: every word of a
 * page is made of the page's number, so that no two are alike.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pramfs_ioctl.h"
#include "report.h"

#define PAGE		4096ul
#define WORDS		(PAGE / sizeof(uint64_t))
#define SHARED_SEED	0x5a5a0000ull
#define NEW_SEED	0x77770000ull

static const char *dir;
static size_t pages;

static uint64_t word(uint64_t seed, size_t page, size_t at)
{
	return (seed + page) * 0x9e3779b97f4a7c15ull + at;
}

static void fill(void *p, size_t nr, uint64_t seed)
{
	uint64_t *w = p;
	size_t i, at;

	for (i = 0; i < nr; i++)
		for (at = 0; at < WORDS; at++)
			*w++ = word(seed, i, at);
}

/* Pages that are not what fill() made, from page number first on. */
static size_t wrong(const void *p, size_t first, size_t nr, uint64_t seed)
{
	const uint64_t *w = p;
	size_t i, at, bad = 0;

	for (i = 0; i < nr; i++, w += WORDS)
		for (at = 0; at < WORDS; at++)
			if (w[at] != word(seed, first + i, at)) {
				bad++;
				break;
			}
	return bad;
}

static void expect(const char *name, unsigned long long found, unsigned long long expected)
{
	if (found == expected)
		pass("%s", name);
	else
		fail(name, "%llu, expected %llu", found, expected);
}

static struct pramfs_ioc_status counters(void)
{
	struct pramfs_ioc_status st;
	int fd = open(PRAMFS_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, PRAMFS_IOC_STATUS, &st))
		die("no status from " PRAMFS_DEVICE);
	close(fd);
	return st;
}

static int open_file(const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s", path);
	return fd;
}

static void *map_private(size_t nr)
{
	void *p = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap of %zu pages", nr);
	return p;
}

/* ---- the old kernel ----------------------------------------------------- */

/* As CRIU does it: gift to a pipe, splice into the file. */
static void splice_to(const char *name, char *p, size_t bytes)
{
	int fd = open_file(name, O_WRONLY | O_CREAT | O_TRUNC), pipes[2];

	if (pipe2(pipes, O_CLOEXEC))
		die("pipe");
	fcntl(pipes[1], F_SETPIPE_SZ, 256 * PAGE);
	while (bytes) {
		struct iovec iov = { p, bytes };
		ssize_t n = vmsplice(pipes[1], &iov, 1, SPLICE_F_GIFT | SPLICE_F_NONBLOCK), in = n;

		if (n <= 0)
			die("vmsplice");
		while (in) {
			ssize_t out = splice(pipes[0], NULL, fd, NULL, in, SPLICE_F_MOVE);

			if (out <= 0)
				die("splice into %s", name);
			in -= out;
		}
		p += n;
		bytes -= n;
	}
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

static size_t wrong_in_file(const char *name, size_t nr, uint64_t seed)
{
	int fd = open_file(name, O_RDONLY);
	static char page[PAGE + 8];
	size_t i, bad = 0;

	/* To an odd address, so that nothing is given. */
	for (i = 0; i < nr; i++) {
		if (pread(fd, page + 8, PAGE, i * PAGE) != (ssize_t)PAGE)
			die("reading %s", name);
		bad += wrong(page + 8, i, 1, seed);
	}
	close(fd);
	return bad;
}

static void adopt_twice(char *p)
{
	struct pramfs_ioc_status before = counters(), after;
	pid_t child = fork();

	if (!child) {
		splice_to("twice", p, pages / 2 * PAGE);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	after = counters();
	expect("a frame has one owner", after.adopt_copied_pages - before.adopt_copied_pages,
	       pages / 2);
	expect("copied is the same", wrong_in_file("twice", pages / 2, 0), 0);
}

static void adopt_odd(char *p)
{
	struct pramfs_ioc_status before = counters(), after;

	fill(p, 4, 0);
	splice_to("odd", p + 8, 3 * PAGE - 16);
	after = counters();
	expect("parts of pages are copied", after.adopted_pages - before.adopted_pages, 0);
}

/* Shared memory, for each hop anew, since `give` changes it. */
static void do_adopt_shared(void)
{
	struct pramfs_ioc_status before = counters(), after;
	int fd = memfd_create("shared", MFD_CLOEXEC);
	char *shared;

	if (fd < 0 || ftruncate(fd, pages / 4 * PAGE))
		die("memfd");
	shared = mmap(NULL, pages / 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fill(shared, pages / 4, SHARED_SEED);
	splice_to("shared", shared, pages / 4 * PAGE);
	after = counters();
	expect("shared memory is adopted", after.adopted_pages - before.adopted_pages, pages / 4);
	/* The memory's owner stays, stopped, until the kexec. */
	fflush(stdout);
	raise(SIGSTOP);
}

static void do_adopt(void)
{
	char *p = map_private(pages);
	struct pramfs_ioc_status before = counters(), after;

	fill(p, pages, 0);
	splice_to("own", p, pages * PAGE);
	after = counters();
	expect("private memory is adopted", after.adopted_pages - before.adopted_pages, pages);
	expect("adopted is the same", wrong_in_file("own", pages, 0), 0);
	adopt_twice(p);
	adopt_odd(map_private(4));
	do_adopt_shared();
}

static void do_change(void)
{
	char *p = map_private(pages);

	fill(p, pages, 0);
	splice_to("changed", p, pages * PAGE);
	p[pages / 2 * PAGE]++;
	fflush(stdout);
	raise(SIGSTOP);
}

/* ---- the new kernel ----------------------------------------------------- */

/* The physical frame at an address, from /proc/self/pagemap. */
static uint64_t frame(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)p / PAGE * 8) != 8)
		die("pagemap");
	close(fd);
	return entry & ((1ull << 55) - 1);
}

static void *read_into(const char *name, void *p, size_t nr)
{
	int fd = open_file(name, O_RDONLY);
	size_t done = 0;

	while (done < nr * PAGE) {
		ssize_t n = pread(fd, p + done, nr * PAGE - done, done);

		if (n <= 0)
			die("reading %s", name);
		done += n;
	}
	close(fd);
	return p;
}

static void give_private(void)
{
	struct pramfs_ioc_status before = counters(), after;
	char *p = read_into("own", map_private(pages), pages);
	uint64_t was;

	after = counters();
	expect("private memory is given", after.given_pages - before.given_pages, pages);
	expect("given is the same", wrong(p, 0, pages, 0), 0);
	was = frame(p);
	if (fork() == 0) {
		fill(p, pages, NEW_SEED);
		_exit(wrong(p, 0, pages, NEW_SEED) != 0);
	} else {
		int status;

		wait(&status);
		expect("child writes its own", status, 0);
	}
	expect("parent keeps its own", wrong(p, 0, pages, 0), 0);
	fill(p, pages / 2, NEW_SEED);
	expect("written is there", wrong(p, 0, pages / 2, NEW_SEED), 0);
	expect("not written is there", wrong(p + pages / 2 * PAGE, pages / 2, pages / 2, 0), 0);
	expect("a write copies", frame(p) != was, 1);
	expect("the file is what it was", wrong_in_file("own", pages, 0), 0);
	munmap(p, pages * PAGE);
	/* What is given once is copied the next time. */
	before = counters();
	p = read_into("own", map_private(pages), pages);
	after = counters();
	expect("given but once", after.given_pages - before.given_pages, 0);
	expect("copied is the same as given", wrong(p, 0, pages, 0), 0);
	munmap(p, pages * PAGE);
}

static void give_elsewhere(void)
{
	struct pramfs_ioc_status before = counters(), after;
	size_t nr = pages / 4;
	char *p = map_private(nr);
	void *shared = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	int fd;

	p[PAGE] = 1;		/* a page is there already */
	read_into("shared", shared, nr);
	expect("shared memory is right", wrong(shared, 0, nr, SHARED_SEED), 0);
	after = counters();
	expect("shared memory is copied", after.given_pages - before.given_pages, 0);
	before = after;
	read_into("shared", p, nr);
	after = counters();
	expect("memory with a page in it is right", wrong(p, 0, nr, SHARED_SEED), 0);
	expect("memory with a page in it is given in part",
	       after.given_pages > before.given_pages && after.given_pages - before.given_pages < nr,
	       1);
	/* In the way is a huge page, if there are any, and at an odd place. */
	munmap(p, nr * PAGE);
	p = map_private(nr + 1024);
	madvise(p, (nr + 1024) * PAGE, MADV_HUGEPAGE);
	p[0] = 1;
	before = counters();
	read_into("twice", p + 9 * PAGE, nr);
	after = counters();
	expect("behind a huge page is right", wrong(p + 9 * PAGE, 0, nr, 0), 0);
	expect("behind a huge page is given",
	       after.given_pages - before.given_pages + 512 >= nr, 1);
	munmap(p, (nr + 1024) * PAGE);
	p = map_private(nr);
	expect("read-only memory", mprotect(p, nr * PAGE, PROT_READ), 0);
	fd = open_file("twice", O_RDONLY);
	before = counters();
	expect("is not read to", pread(fd, p, nr * PAGE, nr * PAGE) < 0 ? errno : 0, EFAULT);
	after = counters();
	expect("is not given to", after.given_pages - before.given_pages, 0);
	close(fd);
	munmap(p, nr * PAGE);
}

/* Through swap and other shapes and back, while the file is there. */
static void give_and_bend(void)
{
	size_t nr = pages / 2;
	char *p = read_into("twice", map_private(nr), nr), *more;

	expect("given twice", wrong(p, 0, nr, 0), 0);
	if (madvise(p, nr * PAGE, MADV_PAGEOUT))
		die("MADV_PAGEOUT");
	expect("swapped out and in", wrong(p, 0, nr, 0), 0);
	more = mremap(p, nr * PAGE, 2 * nr * PAGE, MREMAP_MAYMOVE);
	if (more == MAP_FAILED)
		die("mremap");
	expect("moved and grown", wrong(more, 0, nr, 0) + more[(2 * nr - 1) * PAGE], 0);
	expect("locked", mlock(more, 2 * nr * PAGE), 0);
	fill(more, nr / 2, NEW_SEED);
	expect("written when locked", wrong(more, 0, nr / 2, NEW_SEED), 0);
	if (madvise(more + nr / 2 * PAGE, PAGE, MADV_DONTNEED_LOCKED))
		die("MADV_DONTNEED_LOCKED");
	expect("dropped", more[nr / 2 * PAGE], 0);
	munmap(more, 2 * nr * PAGE);
	expect("the file after all that", wrong_in_file("twice", nr, 0), 0);
}

/* Written to by write(2), through a mapping, and cut: the process keeps what it has. */
static void change_file(void)
{
	size_t nr = pages / 4;
	char *p = read_into("shared", map_private(nr), nr), *m;
	static char zero[PAGE];
	int fd = open_file("shared", O_RDWR);

	if (pwrite(fd, zero, PAGE, 0) != (ssize_t)PAGE)
		die("writing to shared");
	m = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m == MAP_FAILED)
		die("mmap of shared");
	expect("mapped file", wrong(m + PAGE, 1, nr - 1, SHARED_SEED), 0);
	fill(m, nr, NEW_SEED);
	expect("changed file", wrong_in_file("shared", nr, NEW_SEED), 0);
	expect("process of a changed file", wrong(p, 0, nr, SHARED_SEED), 0);
	if (ftruncate(fd, PAGE))
		die("cutting shared");
	expect("process of a cut file", wrong(p, 0, nr, SHARED_SEED), 0);
	close(fd);
	munmap(m, nr * PAGE);
	munmap(p, nr * PAGE);
}

static void do_give(void)
{
	give_elsewhere();
	give_private();
	give_and_bend();
	change_file();
}

/* Once the file has gone, a write takes the page. */
static void do_deleted(void)
{
	struct pramfs_ioc_status before = counters(), after;
	char *p = read_into("own", map_private(pages), pages), path[256];
	size_t i, same = 0;
	uint64_t *was = calloc(pages, sizeof(*was));

	after = counters();
	expect("given after a hop", after.given_pages - before.given_pages, pages);
	snprintf(path, sizeof(path), "%s/own", dir);
	if (unlink(path))
		die("unlink %s", path);
	for (i = 0; i < pages; i++)
		was[i] = frame(p + i * PAGE);
	expect("not deleted with the file", wrong(p, 0, pages, 0), 0);
	fill(p, pages, NEW_SEED);
	for (i = 0; i < pages; i++)
		same += frame(p + i * PAGE) == was[i];
	/* Some may be held by the batches in which the kernel adds to its lists. */
	expect("a write takes the page", same > pages * 9 / 10, 1);
	expect("written", wrong(p, 0, pages, NEW_SEED), 0);
	expect("unmapped", munmap(p, pages * PAGE), 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} commands[] = {
		{ "adopt", do_adopt }, { "adopt-shared", do_adopt_shared }, { "change", do_change },
		{ "give", do_give }, { "deleted", do_deleted },
	};
	size_t i;

	if (argc != 4)
		die("usage: pages adopt|adopt-shared|change|give|deleted DIR MIB");
	dir = argv[2];
	pages = atoi(argv[3]) * (1048576 / PAGE);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name)) {
			commands[i].run();
			return report_status();
		}
	die("no command %s", argv[1]);
}
