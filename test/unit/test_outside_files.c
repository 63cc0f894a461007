// SPDX-License-Identifier: GPL-2.0
/* Unit tests of outside_files.c: what CRIU is told, and what it gets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/outside_files.h"
#include "test/unit/harness.h"

#define ROOT "/tmp/test_outside_files"
#define FIRST 200

static ino_t make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	struct stat st = { 0 };

	if (fd < 0 || fstat(fd, &st) || close(fd))
		complain("cannot make %s", path);
	return st.st_ino;
}

/* What a program has that is started now: as it goes through an exec, or 0. */
static ino_t inherited(int fd)
{
	struct stat st;

	return fcntl(fd, F_GETFD) == 0 && !fstat(fd, &st) ? st.st_ino : 0;
}

static void test_lines(void)
{
	struct container c[] = { { .name = "web" }, { .name = "db" } };
	const struct containers list = { c, 2 };
	char *lines, external[256] = "";
	FILE *to = fmemopen(external, sizeof(external), "w");

	begin();
	lines = outside_files_inherited(&c[0]);
	EXPECT(lines ? strlen(lines) : 1, 0);
	free(lines);
	expect_ok(outside_files_add(&c[0], 0x1d, 0x23f, "/log/a"));
	expect_ok(outside_files_add(&c[0], 0x1d, 0x23f, "/log/a"));
	expect_ok(outside_files_add(&c[0], 30, 0x1122334455, "/log/b"));
	expect_ok(outside_files_add(&c[1], 31, 1, "/log/c"));
	outside_files_external(&list, to);
	fclose(to);
	if (strcmp(external, "external file[1d:23f]\nexternal file[1e:1122334455]\nexternal file[1f:1]\n"))
		complain("external: <%s>", external);
	lines = outside_files_inherited(&c[0]);
	if (!lines || strcmp(lines, "inherit-fd fd[200]:file[1d:23f]\ninherit-fd fd[201]:file[1e:1122334455]\n"))
		complain("inherited: <%s>", lines);
	free(lines);
	json_object_put(c[0].outside_files);
	json_object_put(c[1].outside_files);
	end("outside-files.lines");
}

static void test_many(void)
{
	struct container c = { .name = "web" };
	unsigned int i;

	begin();
	for (i = 0; i < OUTSIDE_FILES_MAX; i++)
		expect_ok(outside_files_add(&c, 1, i, "/log/a"));
	EXPECT(outside_files_add(&c, 1, i, "/log/a"), -ENOSPC);
	json_object_put(c.outside_files);
	end("outside-files.many");
}

/* What has the name of the file now may be somebody else's. */
static void test_open(void)
{
	struct container c = { .name = "web" };
	ino_t kept = make(ROOT "/kept"), other = make(ROOT "/other"), linked = make(ROOT "/target");
	struct stat null = { 0 };

	begin();
	stat("/dev/null", &null);
	if (symlink("target", ROOT "/link"))
		complain("cannot make a link");
	expect_ok(outside_files_add(&c, 7, kept, "/kept"));
	expect_ok(outside_files_add(&c, 7, other + 1000, "/other"));
	expect_ok(outside_files_add(&c, 7, 1, "/gone"));
	expect_ok(outside_files_add(&c, 7, linked, "/link"));
	expect_ok(outside_files_open(&c, ROOT));
	EXPECT(inherited(FIRST), kept);
	EXPECT(inherited(FIRST + 1), null.st_ino);
	EXPECT(inherited(FIRST + 2), null.st_ino);
	EXPECT(inherited(FIRST + 3), null.st_ino);
	EXPECT(fcntl(FIRST, F_GETFL) & O_PATH, O_PATH);
	close_range(FIRST, FIRST + 3, 0);
	json_object_put(c.outside_files);
	end("outside-files.open");
}

static void test_bad(void)
{
	struct container c = { .name = "web", .outside_files = json_object_new_object() };

	begin();
	json_object_object_add(c.outside_files, "mount", json_object_new_string("/log/a"));
	EXPECT(outside_files_open(&c, ""), -EUCLEAN);
	json_object_put(c.outside_files);
	end("outside-files.bad");
}

int main(void)
{
	log_set_sink(sink);
	if (system("rm -rf " ROOT " && mkdir -p " ROOT))
		return 1;
	test_lines();
	test_many();
	test_open();
	test_bad();
	return failed != 0;
}
