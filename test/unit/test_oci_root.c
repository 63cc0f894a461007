// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of oci_root.c, with a bundle below a root in /tmp.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/findings.h"
#include "common/oci.h"
#include "common/oci_root.h"
#include "harness.h"

/* For oci_list, which is not called here. */
const struct engine engine_podman = { .name = "podman" };

struct container *containers_add(struct containers *list)
{
	(void)list;
	abort();
}

static char root[] = "/tmp/test_oci_root.XXXXXX";
static struct container c = { .name = (char *)"box" };

static const char *below(const char *path)
{
	static char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return full;
}

/* A bundle in /b of the root, whose root filesystem is at `path`. */
static void make(const char *path, bool readonly)
{
	char config[512];

	snprintf(config, sizeof(config), "{\"root\": {\"path\": \"%s\", \"readonly\": %s}}", path,
		 readonly ? "true" : "false");
	file_make_dirs(below("/b/rootfs"));
	file_write(below("/b"), "config.json", 0600, config);
	rmdir(below("/b/rootfs/tmp"));
	unlink(below("/b/rootfs/tmp"));
	json_object_put(c.engine_data);
	c.engine_data = json_object_new_object();
	json_object_object_add(c.engine_data, "bundle", json_object_new_string("/b"));
}

static bool has_tmp(void)
{
	return !access(below("/b/rootfs/tmp"), F_OK);
}

static void expect_lent(const char *name, bool lent, bool stays)
{
	oci_root_lend(&c, root);
	EXPECT(has_tmp(), lent || stays);
	oci_root_take_back(&c, root);
	EXPECT(has_tmp(), stays);
	EXPECT(said[0], '\0');
	end(name);
}

static void test_lend(void)
{
	begin();
	make("rootfs", true);
	expect_lent("oci_root.lent", true, false);

	begin();
	make("/b/rootfs", true);
	expect_lent("oci_root.absolute-path", true, false);

	begin();
	make("rootfs", false);
	expect_lent("oci_root.writable-needs-none", false, false);

	begin();
	make("rootfs", true);
	EXPECT(mkdir(below("/b/rootfs/tmp"), 0755), 0);
	expect_lent("oci_root.has-its-own", false, true);
}

/* The restore failed, and is tried again by another program: it knows by engine_data. */
static void test_again(void)
{
	begin();
	make("rootfs", true);
	oci_root_lend(&c, root);
	expect_lent("oci_root.lent-again", true, false);
}

/* In the root, and not in that of whoever looks. */
static void test_link(void)
{
	begin();
	file_make_dirs(below("/disk/files"));
	EXPECT(symlink("/disk/files", below("/link")), 0);
	make("/link", true);
	oci_root_lend(&c, root);
	EXPECT(access(below("/disk/files/tmp"), F_OK), 0);
	oci_root_take_back(&c, root);
	EXPECT(access(below("/disk/files/tmp"), F_OK), -1);
	end("oci_root.link-stays-in-the-root");
}

static void test_no_config(void)
{
	begin();
	make("rootfs", true);
	unlink(below("/b/config.json"));
	oci_root_lend(&c, root);
	EXPECT(has_tmp(), false);
	expect_said("config.json");
	end("oci_root.no-config");
}

/* oci_root_check looks in the root of whoever asks. */
static void check(bool readonly, const char *expected, const char *name)
{
	_cleanup_findings_ struct findings findings = { 0 };
	struct json_object *config = json_object_from_file(below("/b/config.json"));
	struct json_object *whole = json_object_object_get(config, "root");

	json_object_object_add(whole, "path", json_object_new_string(below("/b/rootfs")));
	json_object_object_add(whole, "readonly", json_object_new_boolean(readonly));
	oci_root_check(&c, config, &findings);
	EXPECT(findings.nr, expected ? 1 : 0);
	if (findings.nr == 1 && !strstr(findings.finding[0].text, expected))
		complain("found: %s", findings.finding[0].text);
	json_object_put(config);
	end(name);
}

static void test_check(void)
{
	begin();
	make("rootfs", true);
	check(true, NULL, "oci_root.check-can-be-made");

	begin();
	file_write(below("/b/rootfs"), "tmp", 0600, "a file");
	check(true, "something else", "oci_root.check-a-file");

	begin();
	check(false, NULL, "oci_root.check-writable");

	begin();
	unlink(below("/b/rootfs/tmp"));
	EXPECT(symlink("/var/tmp", below("/b/rootfs/tmp")), 0);
	check(true, "something else", "oci_root.check-a-link");

	begin();
	unlink(below("/b/rootfs/tmp"));
	rmdir(below("/b/rootfs"));
	check(true, "No such file", "oci_root.check-no-root");
}

int main(void)
{
	log_set_sink(sink);
	if (!mkdtemp(root)) {
		perror(root);
		return 1;
	}
	test_lend();
	test_again();
	test_link();
	test_no_config();
	test_check();
	json_object_put(c.engine_data);
	unlink(below("/b/config.json"));
	rmdir(below("/b"));
	unlink(below("/link"));
	rmdir(below("/disk/files"));
	rmdir(below("/disk"));
	rmdir(root);
	return failed != 0;
}
