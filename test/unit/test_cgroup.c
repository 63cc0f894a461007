// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of cgroup.c: what needs no cgroup of version 2, and with one, a
 * cgroup of our own. All of it runs in a guest too (test/vm/filesystems).
 */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/cgroup.h"
#include "common/cleanup.h"
#include "harness.h"

static void test_paths(void)
{
	char full[128];

	begin();
	EXPECT(cgroup_file("/a/b", "cpu.max", full, sizeof(full)), 0);
	EXPECT(strcmp(full, "/sys/fs/cgroup/a/b/cpu.max"), 0);
	EXPECT(cgroup_file("/", "", full, sizeof(full)), 0);
	EXPECT(strcmp(full, "/sys/fs/cgroup"), 0);
	EXPECT(cgroup_file("/a..b", "", full, sizeof(full)), 0);
	expect_refused(cgroup_file("/a/../b", "", full, sizeof(full)), -EINVAL,
		       "\"/a/../b\" is not the path of a cgroup");
	EXPECT(cgroup_file("/a/..", "", full, sizeof(full)), -EINVAL);
	EXPECT(cgroup_file("a", "", full, sizeof(full)), -EINVAL);
	EXPECT(cgroup_file("/abcdefghij", "cgroup.procs", full, 32), -ENAMETOOLONG);
	end("cgroup.paths");
}

/* Our own cgroup stands in for those of a container's processes. */
static void expect_wide(const char *first, const char *expected)
{
	const pid_t pids[] = { getpid(), 999999999 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", first);
	expect_ok(cgroup_widen(path, pids, 2));
	if (strcmp(path, expected))
		complain("\"%s\" is widened to \"%s\", expected \"%s\"", first, path, expected);
}

static void test_widen(void)
{
	_cleanup_free_ char *own = NULL;
	char below[PATH_MAX], beside[PATH_MAX], alone[] = "/a/init.scope";

	begin();
	expect_ok(cgroup_widen(alone, NULL, 0));
	EXPECT(strcmp(alone, "/a"), 0);
	if (!cgroup_check_version() && !cgroup_of(getpid(), &own) && strcmp(own, "/")) {
		snprintf(below, sizeof(below), "%s/init", own);
		snprintf(beside, sizeof(beside), "%sx", own);
		expect_wide(own, own);
		expect_wide(below, own);
		own[strrchr(own, '/') - own] = '\0';
		expect_wide(beside, *own ? own : "/");
		expect_wide("/nowhere/at/all", "/");
	}
	end("cgroup.widen");
}

/* Of a parent and of two in the tree, of which one was not there before. */
static void test_less_memory(void)
{
	static const char before_text[] =
		"{\"parents\": [{\"path\": \"/a\", \"values\": {\"memory.max\": \"max\", \"memory.high\": \"100\"}}],"
		"\"tree\": [{\"path\": \"/a/b\", \"values\": {\"memory.max\": \"500\", \"cpu.max\": \"1 1\"}}]}";
	static const char now_text[] =
		"{\"parents\": [{\"path\": \"/a\", \"values\": {\"memory.max\": \"900\", \"memory.high\": \"150\"}}],"
		"\"tree\": [{\"path\": \"/a/b\", \"values\": {\"memory.max\": \"550\", \"cpu.max\": \"2 2\"}},"
		"{\"path\": \"/a/b/c\", \"values\": {\"memory.max\": \"max\"}}]}";
	static const char expected[] =
		"{\"parents\":[{\"path\":\"/a\",\"values\":{\"memory.max\":\"900\",\"memory.high\":\"100\"}}],"
		"\"tree\":[{\"path\":\"/a/b\",\"values\":{\"memory.max\":\"500\",\"cpu.max\":\"2 2\"}},"
		"{\"path\":\"/a/b/c\",\"values\":{\"memory.max\":\"max\"}}]}";
	struct json_object *before = json_tokener_parse(before_text);
	struct json_object *now = json_tokener_parse(now_text);
	const char *text;

	begin();
	cgroup_take_less_memory(now, before);
	text = json_object_to_json_string_ext(now, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (strcmp(text, expected))
		complain("found %s", text);
	json_object_put(before);
	json_object_put(now);
	end("cgroup.less-memory");
}

/* Notes that are wrong are refused before anything is made. */
static void test_wrong_notes(void)
{
	static const struct {
		const char *json, *text;
	} wrong[] = {
		{ "{\"tree\": 1}", "a \"tree\" of the wrong type" },
		{ "{\"tree\": [{\"type\": \"domain\"}]}", "has no path" },
		{ "{\"tree\": [{\"path\": 7}]}", "a \"path\" of the wrong type" },
		{ "{\"tree\": [{\"path\": \"/../../tmp/x\"}]}", "is not the path of a cgroup" },
		{ "{\"tree\": [{\"path\": \"/\", \"values\": {\"../x\": \"1\"}}]}", "../x is not a setting" },
		{ "{\"tree\": [{\"path\": \"/\", \"values\": {\"cgroup.kill\": \"1\"}}]}",
		  "cgroup.kill is not a setting" },
		{ "{\"tree\": [{\"path\": \"/\", \"values\": {\"cpu.max\": 1}}]}", "cpu.max is not a setting" },
		{ "{\"tree\": [{\"path\": \"/\", \"xattrs\": {\"security.x\": \"1\"}}]}",
		  "security.x is not an attribute" },
		{ "{\"tree\": [{\"path\": \"/\", \"owner\": \"root\"}]}", "is not an owner" },
	};
	size_t i;

	begin();
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct json_object *noted = json_tokener_parse(wrong[i].json);

		expect_refused(cgroup_make(noted), -EINVAL, wrong[i].text);
		json_object_put(noted);
		said[0] = '\0';
	}
	end("cgroup.wrong-notes");
}

static void test_translate(void)
{
	struct json_object *noted = json_tokener_parse("{\"disks\": {\"8:0\": \"no-such-disk\"}}");
	char out[64];

	begin();
	EXPECT(cgroup_disks_translate(noted, "max 100000", out, sizeof(out)), 0);
	EXPECT(strcmp(out, "max 100000"), 0);
	EXPECT(cgroup_disks_translate(noted, "default 100", out, sizeof(out)), 0);
	/* Never written to the disk that has the number now. */
	EXPECT(cgroup_disks_translate(noted, "8:0 rbps=1", out, sizeof(out)), -ENODEV);
	EXPECT(cgroup_disks_translate(noted, "8:16 rbps=1", out, sizeof(out)), -ENODEV);
	json_object_put(noted);
	end("cgroup.disks");
}

static void test_version(bool unified)
{
	_cleanup_free_ char *path = NULL;

	begin();
	if (unified)
		expect_ok(cgroup_of(getpid(), &path));
	else
		expect_refused(cgroup_of(getpid(), &path), -EOPNOTSUPP, "is not cgroup version 2");
	end(unified ? "cgroup.of" : "cgroup.version-1-is-refused");
}

static void test_note_and_make(void)
{
	static const char name[] = "/test-rebootless";
	static const char dir[] = CGROUP_ROOT "/test-rebootless";
	struct json_object *noted = NULL;

	if (mkdir(dir, 0755) < 0) {
		printf("skip cgroup.note-and-make: no cgroup can be made here: %s\n", strerror(errno));
		return;
	}
	begin();
	expect_ok(cgroup_note(name, &noted));
	rmdir(dir);
	expect_ok(cgroup_make(noted));
	expect_ok(cgroup_spare(name));
	EXPECT(access(dir, F_OK), 0);
	expect_ok(cgroup_unspare(name));
	rmdir(dir);
	json_object_put(noted);
	end("cgroup.note-and-make");
}

static void test_within(void)
{
	begin();
	EXPECT(cgroup_is_within("/a/b", "/a/b"), true);
	EXPECT(cgroup_is_within("/a/b/c", "/a/b"), true);
	EXPECT(cgroup_is_within("/a/bc", "/a/b"), false);
	EXPECT(cgroup_is_within("/a", "/a/b"), false);
	EXPECT(cgroup_is_within("/a", "/"), true);
	EXPECT(cgroup_is_within("/", "/"), true);
	EXPECT(cgroup_is_within(NULL, "/a"), false);
	end("cgroup.within");
}

int main(void)
{
	struct statfs fs;
	bool unified = !statfs(CGROUP_ROOT, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;

	log_set_sink(sink);
	test_within();
	test_paths();
	test_less_memory();
	test_widen();
	test_wrong_notes();
	test_translate();
	test_version(unified);
	if (unified)
		test_note_and_make();
	else
		printf("skip cgroup.note-and-make: this machine's cgroups are not of version 2 alone\n");
	return failed != 0;
}
