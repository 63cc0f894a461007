// SPDX-License-Identifier: GPL-2.0
/* fsops_data.c - content by read and write, holes, splice and its kin. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fsops.h"

#define FALLOC_KEEP	FALLOC_FL_KEEP_SIZE
#define FALLOC_PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

static struct stat fstat_of(int fd)
{
	struct stat st;

	OK(!fstat(fd, &st));
	return st;
}

static void read_write(void)
{
	int fd = make_file("a", 5 * PAGE + 17);
	char buf[64];

	expect_pattern(fd, 0, 5 * PAGE + 17);
	expect_pattern(fd, PAGE - 3, 2 * PAGE);
	EQ(pread(fd, buf, sizeof(buf), 5 * PAGE + 10), 7);
	EQ(pread(fd, buf, sizeof(buf), 5 * PAGE + 17), 0);
	EQ(pread(fd, buf, sizeof(buf), 1 << 30), 0);
	EQ(pwrite(fd, buf, 0, 1 << 20), 0);
	EQ(fstat_of(fd).st_size, 5 * PAGE + 17);
	ERR(pread(fd, buf, 1, -1), EINVAL);
	ERR(syscall(SYS_pread64, fd, 8, 10, 0), EFAULT);
	ERR(syscall(SYS_pwrite64, fd, 8, 10, 0), EFAULT);
	expect_pattern(fd, 0, 5 * PAGE + 17);
}

static void write_beyond_eof(void)
{
	int fd = make_file("a", 100);

	EQ(pwrite(fd, "x", 1, 3 * PAGE), 1);
	expect_pattern(fd, 0, 100);
	expect_zero(fd, 100, 3 * PAGE - 100);
	EQ(fstat_of(fd).st_size, 3 * PAGE + 1);
	EQ(fstat_of(fd).st_blocks, 16);
}

static void write_at_large_offset(void)
{
	int fd = make_file("a", 0);
	off_t far = 1ll << 41;

	EQ(pwrite(fd, "far", 3, far), 3);
	EQ(fstat_of(fd).st_size, far + 3);
	EQ(fstat_of(fd).st_blocks, 8);
	EQ(lseek(fd, 0, SEEK_DATA), far);
	expect_zero(fd, far - PAGE, PAGE);
	EQ(pwrite(fd, "end", 3, LLONG_MAX - 3), 3);
	ERR(pwrite(fd, "x", 1, LLONG_MAX), EINVAL);
	OK(!ftruncate(fd, 0));
	EQ(fstat_of(fd).st_blocks, 0);
}

static void append(void)
{
	int fd = open("a", O_CREAT | O_RDWR | O_APPEND, 0644);
	int other;

	OK(fd >= 0);
	EQ(write(fd, "one", 3), 3);
	other = open("a", O_WRONLY | O_APPEND);
	OK(other >= 0);
	EQ(write(other, "two", 3), 3);
	EQ(lseek(fd, 0, SEEK_SET), 0);
	EQ(write(fd, "three", 5), 5);
	EQ(pwrite(fd, "four", 4, 0), 4);
	expect_text("a", "onetwothreefour");
}

static void vectors(void)
{
	char a[3], b[PAGE], c[5];
	struct iovec iov[3] = { { a, 3 }, { b, PAGE }, { c, 5 } };
	int fd = make_file("a", 2 * PAGE);

	EQ(preadv(fd, iov, 3, 100), PAGE + 8);
	EQ((unsigned char)a[0], pattern(100));
	EQ((unsigned char)b[0], pattern(103));
	EQ((unsigned char)c[4], pattern(103 + PAGE + 4));
	EQ(pwritev(fd, iov, 3, 100), PAGE + 8);
	expect_pattern(fd, 0, 2 * PAGE);
	EQ(pwritev2(fd, iov, 1, 0, RWF_APPEND), 3);
	EQ(fstat_of(fd).st_size, 2 * PAGE + 3);
}

static void direct_io(void)
{
	int fd = make_file("a", 4 * PAGE);
	unsigned char *buf = aligned_alloc(PAGE, PAGE);

	close(fd);
	fd = open("a", O_RDWR | O_DIRECT);
	OK(fd >= 0);
	EQ(pread(fd, buf, PAGE, PAGE), PAGE);
	EQ(buf[0], pattern(PAGE));
	memset(buf, 7, PAGE);
	EQ(pwrite(fd, buf, PAGE, 2 * PAGE), PAGE);
	memset(buf, 0, PAGE);
	EQ(pread(fd, buf, PAGE, 2 * PAGE), PAGE);
	EQ(buf[PAGE - 1], 7);
}

static void truncate_down_up(void)
{
	int fd = make_file("a", 4 * PAGE);

	OK(!ftruncate(fd, PAGE + 100));
	EQ(fstat_of(fd).st_size, PAGE + 100);
	EQ(fstat_of(fd).st_blocks, 16);
	OK(!ftruncate(fd, 4 * PAGE));
	expect_pattern(fd, 0, PAGE + 100);
	expect_zero(fd, PAGE + 100, 3 * PAGE - 100);
	EQ(fstat_of(fd).st_blocks, 16);
	OK(!truncate("a", 0));
	EQ(fstat_of(fd).st_blocks, 0);
	OK(!truncate("a", 1ll << 40));
	EQ(fstat_of(fd).st_size, 1ll << 40);
	EQ(fstat_of(fd).st_blocks, 0);
	ERR(ftruncate(fd, -1), EINVAL);
}

static void truncate_on_open(void)
{
	int fd = make_file("a", 2 * PAGE);
	struct stat before = fstat_of(fd), after;

	usleep(20000);
	OK(open("a", O_RDWR | O_TRUNC) >= 0);
	after = fstat_of(fd);
	EQ(after.st_size, 0);
	OK(memcmp(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim)));
	OK(memcmp(&before.st_ctim, &after.st_ctim, sizeof(after.st_ctim)));
}

static void fallocate_plain(void)
{
	int fd = make_file("a", 100);

	OK(!fallocate(fd, 0, 0, 8 * PAGE));
	EQ(fstat_of(fd).st_size, 8 * PAGE);
	EQ(fstat_of(fd).st_blocks, 8 * 8);
	expect_pattern(fd, 0, 100);
	expect_zero(fd, 100, 8 * PAGE - 100);
	EQ(pwrite(fd, "x", 1, 5 * PAGE), 1);
	EQ(fstat_of(fd).st_blocks, 8 * 8);
	ERR(fallocate(fd, 0, 0, 0), EINVAL);
	ERR(fallocate(fd, 0, -1, 10), EINVAL);
	ERR(fallocate(fd, 0, LLONG_MAX - 5, 10), EFBIG);
}

static void fallocate_keep_size(void)
{
	int fd = make_file("a", 100);

	OK(!fallocate(fd, FALLOC_KEEP, 0, 8 * PAGE));
	EQ(fstat_of(fd).st_size, 100);
	EQ(fstat_of(fd).st_blocks, 8 * 8);
	EQ(lseek(fd, 0, SEEK_HOLE), 100);
	OK(!ftruncate(fd, 2 * PAGE));
	expect_zero(fd, 100, 2 * PAGE - 100);
	OK(!ftruncate(fd, 0));
	EQ(fstat_of(fd).st_blocks, 0);
}

static void punch_whole_pages(void)
{
	int fd = make_file("a", 8 * PAGE);

	OK(!fallocate(fd, FALLOC_PUNCH, 2 * PAGE, 3 * PAGE));
	EQ(fstat_of(fd).st_size, 8 * PAGE);
	EQ(fstat_of(fd).st_blocks, 5 * 8);
	expect_pattern(fd, 0, 2 * PAGE);
	expect_zero(fd, 2 * PAGE, 3 * PAGE);
	expect_pattern(fd, 5 * PAGE, 3 * PAGE);
	EQ(lseek(fd, 0, SEEK_HOLE), 2 * PAGE);
	EQ(lseek(fd, 2 * PAGE, SEEK_DATA), 5 * PAGE);
}

static void punch_parts_of_pages(void)
{
	int fd = make_file("a", 4 * PAGE);

	OK(!fallocate(fd, FALLOC_PUNCH, 100, 200));
	expect_pattern(fd, 0, 100);
	expect_zero(fd, 100, 200);
	expect_pattern(fd, 300, 4 * PAGE - 300);
	EQ(fstat_of(fd).st_blocks, 4 * 8);
	OK(!fallocate(fd, FALLOC_PUNCH, PAGE + 10, 2 * PAGE));
	expect_pattern(fd, PAGE, 10);
	expect_zero(fd, PAGE + 10, 2 * PAGE);
	expect_pattern(fd, 3 * PAGE + 10, PAGE - 10);
	EQ(fstat_of(fd).st_blocks, 3 * 8);
	OK(!fallocate(fd, FALLOC_PUNCH, 3 * PAGE, 100 * PAGE));
	EQ(fstat_of(fd).st_size, 4 * PAGE);
	ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP);
}

static void fallocate_other_modes(void)
{
	int fd = make_file("a", 4 * PAGE);

	ERR(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE), EOPNOTSUPP);
	ERR(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, PAGE), EOPNOTSUPP);
	ERR(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, PAGE), EOPNOTSUPP);
	ERR(fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 0, PAGE), EOPNOTSUPP);
	expect_pattern(fd, 0, 4 * PAGE);
	OK(!close(fd));
	fd = open("a", O_RDONLY);
	ERR(fallocate(fd, 0, 0, PAGE), EBADF);
}

static void seek_data_hole(void)
{
	int fd = make_file("a", 0);

	ERR(lseek(fd, 0, SEEK_DATA), ENXIO);
	ERR(lseek(fd, 0, SEEK_HOLE), ENXIO);
	OK(!ftruncate(fd, 10 * PAGE));
	ERR(lseek(fd, 0, SEEK_DATA), ENXIO);
	EQ(lseek(fd, 0, SEEK_HOLE), 0);
	EQ(pwrite(fd, "x", 1, 3 * PAGE + 5), 1);
	EQ(lseek(fd, 0, SEEK_DATA), 3 * PAGE);
	EQ(lseek(fd, 3 * PAGE + 7, SEEK_DATA), 3 * PAGE + 7);
	EQ(lseek(fd, 3 * PAGE, SEEK_HOLE), 4 * PAGE);
	ERR(lseek(fd, 4 * PAGE, SEEK_DATA), ENXIO);
	ERR(lseek(fd, 10 * PAGE, SEEK_HOLE), ENXIO);
	EQ(pwrite(fd, "x", 1, 10 * PAGE - 1), 1);
	EQ(lseek(fd, 9 * PAGE, SEEK_HOLE), 10 * PAGE);
}

static void lseek_ends(void)
{
	int fd = make_file("a", 100);

	EQ(lseek(fd, 0, SEEK_END), 100);
	EQ(lseek(fd, 10, SEEK_CUR), 110);
	EQ(lseek(fd, LLONG_MAX, SEEK_SET), LLONG_MAX);
	ERR(lseek(fd, 1, SEEK_CUR), EINVAL);
	ERR(lseek(fd, -101, SEEK_END), EINVAL);
	ERR(lseek(fd, 0, 99), EINVAL);
}

static void blocks_of_file(void)
{
	int fd = make_file("a", 1);

	EQ(fstat_of(fd).st_blocks, 8);
	EQ(pwrite(fd, "x", 1, PAGE - 1), 1);
	EQ(fstat_of(fd).st_blocks, 8);
	EQ(pwrite(fd, "x", 1, PAGE), 1);
	EQ(fstat_of(fd).st_blocks, 16);
	EQ(fstat_of(fd).st_blksize, PAGE);
}

static void times_of_write(void)
{
	int fd = make_file("a", 10);
	struct stat before = fstat_of(fd), after;

	usleep(20000);
	EQ(pwrite(fd, "x", 1, 0), 1);
	after = fstat_of(fd);
	OK(memcmp(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim)));
	OK(memcmp(&before.st_ctim, &after.st_ctim, sizeof(after.st_ctim)));
	EQ(before.st_atim.tv_nsec, after.st_atim.tv_nsec);
	before = after;
	usleep(20000);
	expect_pattern(fd, 1, 5);
	after = fstat_of(fd);
	OK(memcmp(&before.st_atim, &after.st_atim, sizeof(after.st_atim)));
	EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

static void drain(int in, int out, size_t len)
{
	while (len) {
		ssize_t n = splice(in, NULL, out, NULL, len, 0);

		OK(n > 0);
		len -= n;
	}
}

static void splice_file_to_pipe(void)
{
	int fd = make_file("a", 6 * PAGE + 50), out = make_file("b", 0), ends[2];

	OK(!pipe(ends));
	OK(!ftruncate(fd, 8 * PAGE));
	EQ(lseek(fd, 0, SEEK_SET), 0);
	for (size_t done = 0; done < 8 * PAGE;) {
		ssize_t n = splice(fd, NULL, ends[1], NULL, 3 * PAGE + 7, 0);

		OK(n > 0);
		drain(ends[0], out, n);
		done += n;
	}
	expect_pattern(out, 0, 6 * PAGE + 50);
	expect_zero(out, 6 * PAGE + 50, 2 * PAGE - 50);
	EQ(splice(fd, NULL, ends[1], NULL, PAGE, 0), 0);
}

/* Pages in a pipe must not change when the file is truncated and written again. */
static void splice_then_truncate(void)
{
	int fd = make_file("a", 2 * PAGE), ends[2];
	unsigned char buf[2 * PAGE];
	loff_t pos = 0;

	OK(!pipe(ends));
	/* a kernel with page_owner gives a page at a time */
	while (pos < 2 * PAGE)
		OK(splice(fd, &pos, ends[1], NULL, 2 * PAGE - pos, 0) > 0);
	OK(!ftruncate(fd, 0));
	EQ(pwrite(fd, "new", 3, 0), 3);
	EQ(read(ends[0], buf, sizeof(buf)), 2 * PAGE);
	for (int i = PAGE; i < 2 * PAGE; i++)
		OK(buf[i] == pattern(i) || buf[i] == 0);
}

static void splice_pipe_to_file(void)
{
	int fd = make_file("a", 0), ends[2];
	unsigned char buf[3 * PAGE];
	loff_t pos = 100;

	OK(!pipe(ends));
	fill_pattern(buf, 100, sizeof(buf));
	EQ(write(ends[1], buf, sizeof(buf)), sizeof(buf));
	while (pos < 100 + 3 * PAGE)
		OK(splice(ends[0], NULL, fd, &pos, 3 * PAGE, SPLICE_F_MOVE) > 0);
	expect_zero(fd, 0, 100);
	expect_pattern(fd, 100, 3 * PAGE);
}

static void vmsplice_gift(void)
{
	int fd = make_file("a", 0), ends[2];
	unsigned char *buf = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov = { buf, 4 * PAGE };

	OK(buf != MAP_FAILED);
	OK(!pipe(ends));
	fill_pattern(buf, 0, 4 * PAGE);
	EQ(vmsplice(ends[1], &iov, 1, SPLICE_F_GIFT), 4 * PAGE);
	drain(ends[0], fd, 4 * PAGE);
	memset(buf, 0, 4 * PAGE);
	munmap(buf, 4 * PAGE);
	expect_pattern(fd, 0, 4 * PAGE);
}

static void tee_and_sendfile(void)
{
	int fd = make_file("a", 5 * PAGE + 1), out = make_file("b", 0);
	off_t pos = 0;

	while (pos < 5 * PAGE + 1)
		OK(sendfile(out, fd, &pos, 5 * PAGE + 1) > 0);
	expect_pattern(out, 0, 5 * PAGE + 1);
	EQ(sendfile(out, fd, &pos, PAGE), 0);
}

static void copy_range(void)
{
	int fd = make_file("a", 5 * PAGE), out = make_file("b", 0);
	loff_t from = 0, to = 0;

	while (from < 5 * PAGE)
		OK(copy_file_range(fd, &from, out, &to, 5 * PAGE - from, 0) > 0);
	expect_pattern(out, 0, 5 * PAGE);
	EQ(copy_file_range(fd, &from, out, &to, PAGE, 0), 0);
	from = 0;
	to = 100;
	ERR(copy_file_range(fd, &from, fd, &to, PAGE, 0), EINVAL);
	to = 6 * PAGE;
	EQ(copy_file_range(fd, &from, fd, &to, PAGE, 0), PAGE);
	expect_zero(fd, 5 * PAGE, PAGE);
	EQ(fstat_of(fd).st_size, 7 * PAGE);
}

static void advice(void)
{
	int fd = make_file("a", 64 * PAGE);

	OK(!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	expect_pattern(fd, 0, 64 * PAGE);
	OK(!posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
	OK(!fsync(fd));
	OK(!fdatasync(fd));
	OK(!syncfs(fd));
	OK(!sync_file_range(fd, 0, PAGE, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) ||
	   errno == ESPIPE);
	expect_pattern(fd, 0, 64 * PAGE);
}

static void read_only_descriptor(void)
{
	int fd = make_file("a", 10);
	char c;

	close(fd);
	fd = open("a", O_RDONLY);
	ERR(write(fd, "x", 1), EBADF);
	ERR(ftruncate(fd, 0), EINVAL);
	fd = open("a", O_WRONLY);
	ERR(read(fd, &c, 1), EBADF);
}

static void many_pages(void)
{
	size_t len = 24 << 20;
	int fd = make_file("a", len);

	for (size_t pos = 0; pos < len; pos += 1 << 20)
		expect_pattern(fd, pos, 1 << 20);
	EQ(fstat_of(fd).st_blocks, len / 512);
}

const struct fsops_case fsops_data_cases[] = {
	{ "read-write", read_write },
	{ "write-beyond-eof", write_beyond_eof },
	{ "write-at-large-offset", write_at_large_offset },
	{ "append", append },
	{ "vectors", vectors },
	{ "direct-io", direct_io },
	{ "truncate-down-up", truncate_down_up },
	{ "truncate-on-open", truncate_on_open },
	{ "fallocate-plain", fallocate_plain },
	{ "fallocate-keep-size", fallocate_keep_size },
	{ "punch-whole-pages", punch_whole_pages },
	{ "punch-parts-of-pages", punch_parts_of_pages },
	{ "fallocate-other-modes", fallocate_other_modes },
	{ "seek-data-hole", seek_data_hole },
	{ "lseek-ends", lseek_ends },
	{ "blocks-of-file", blocks_of_file },
	{ "times-of-write", times_of_write },
	{ "splice-file-to-pipe", splice_file_to_pipe },
	{ "splice-then-truncate", splice_then_truncate },
	{ "splice-pipe-to-file", splice_pipe_to_file },
	{ "vmsplice-gift", vmsplice_gift },
	{ "sendfile", tee_and_sendfile },
	{ "copy-file-range", copy_range },
	{ "advice-and-sync", advice },
	{ "descriptor-modes", read_only_descriptor },
	{ "many-pages", many_pages },
	{ }
};
