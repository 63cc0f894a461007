// SPDX-License-Identifier: GPL-2.0
/* Standard error, when it is a file of the host's, in none of the container's mounts. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "survivor.h"

static const char line[] = "a line\n";
static struct stat log_;
static off_t at;
static int flags;

static void write_line(void)
{
	if (expect_call("write", write(STDERR_FILENO, line, sizeof(line) - 1)))
		at += (off_t)sizeof(line) - 1;
}

static void set_up(void)
{
	must(fstat(STDERR_FILENO, &log_));
	if (!S_ISREG(log_.st_mode))
		survivor_skip("standard error is no file");
	must(flags = fcntl(STDERR_FILENO, F_GETFL));
	must(at = lseek(STDERR_FILENO, 0, SEEK_CUR));
	write_line();
}

static void check(void)
{
	struct stat now;

	expect_num("flags", flags, fcntl(STDERR_FILENO, F_GETFL));
	expect_num("position", at, lseek(STDERR_FILENO, 0, SEEK_CUR));
	write_line();
	expect_call("fstat", fstat(STDERR_FILENO, &now));
	expect_num("inode", (long long)log_.st_ino, (long long)now.st_ino);
	expect_num("links", 1, now.st_nlink);
	expect_num("size", at, now.st_size);
}

static void sabotage(int which)
{
	switch (which) {
	case 1: dup2(open(own_path("other"), O_WRONLY | O_CREAT, 0600), STDERR_FILENO); break;
	case 2: fcntl(STDERR_FILENO, F_SETFL, flags ^ O_APPEND); break;
	case 3: lseek(STDERR_FILENO, 100, SEEK_CUR); break;
	case 4: ftruncate(STDERR_FILENO, at + 100); break;
	}
}

const struct survivor survivor_outside_log = {
	.name = "outside_log",
	.keeps = "a file of the host's as standard error",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
	.by_update = true,
};
