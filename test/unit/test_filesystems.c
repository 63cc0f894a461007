// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of filesystems.h's pure parts: kinds, the order of mounts, what is
 * read of a mountinfo, and what a note may not say. Nothing is mounted.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/engine.h"
#include "common/filesystems.h"
#include "common/mount_table.h"
#include "common/path.h"
#include "harness.h"

/* manifest.c reads no manifest here. */
const struct engine *engine_find(const char *name)
{
	(void)name;
	return NULL;
}

/* An overlay at /m whose directories lie deeper than it does; a mount on tmpfs; a bind. */
static const char mountinfo[] =
	"20 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro\n"
	"21 20 0:21 / /proc rw,nosuid - proc none rw\n"
	"22 20 0:22 / /run rw,nosuid,nodev shared:2 - tmpfs none rw,mode=755\n"
	"30 20 0:30 / /m rw,relatime - overlay none rw,lowerdir=/srv/data/lo:/opt/a\\\\:b,upperdir=/srv/data/up,workdir=/srv/data/work\n"
	"31 34 254:33 / /srv/data rw,noatime - ext4 /dev/vdc1 rw\n"
	"32 20 254:0 /srv/sub /bind\\040here ro,relatime - ext4 /dev/vda rw\n"
	"33 22 254:16 / /run/disk rw,relatime - xfs /dev/vdb rw,attr2\n"
	"34 20 254:32 / /srv rw,relatime - ext4 /dev/vdc rw\n"
	"35 20 0:40 /@home /home rw,relatime - btrfs /dev/vdd rw,space_cache=v2,subvolid=256,subvol=/@home\n"
	"36 20 0:41 / /net rw - nfs4 server:/x rw\n";

static char path[] = "/tmp/test_mountinfo.XXXXXX";

static int write_table(void)
{
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f || fputs(mountinfo, f) == EOF || fclose(f))
		return -1;
	return 0;
}

static void test_read(void)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };
	struct mount *m;

	begin();
	expect_ok(mount_table_read(path, &t));
	EXPECT(t.nr, 10);
	m = mount_table_by_id(&t, 32);
	if (!m) {
		complain("no mount 32");
	} else {
		EXPECT(strcmp(m->target, "/bind here"), 0);
		EXPECT(strcmp(m->root, "/srv/sub"), 0);
		EXPECT(strcmp(m->options, "ro,relatime"), 0);
		EXPECT(strcmp(m->super, "rw"), 0);
		EXPECT(m->dev, makedev(254, 0));
		EXPECT(m->kind, MOUNT_DISK);
	}
	EXPECT(mount_table_by_path(&t, "/srv/data/x")->id, 31);
	EXPECT(mount_table_by_path(&t, "/srv/database")->id, 34);
	EXPECT(mount_table_by_path(&t, "/etc")->id, 20);
	EXPECT(mount_table_read("/nonexistent", &t), -ENOENT);
	end("filesystems.mountinfo");
}

static void test_kinds(void)
{
	begin();
	EXPECT(mount_kind_of("ext4", makedev(8, 1), "/dev/sda1"), MOUNT_DISK);
	EXPECT(mount_kind_of("overlay", makedev(0, 1), "overlay"), MOUNT_OVERLAY);
	EXPECT(mount_kind_of("tmpfs", makedev(0, 1), "/dev/sda1"), MOUNT_MEMORY);
	EXPECT(mount_kind_of("devtmpfs", makedev(0, 1), "udev"), MOUNT_PSEUDO);
	EXPECT(mount_kind_of("nfs4", makedev(0, 1), "a:/b"), MOUNT_NETWORK);
	EXPECT(mount_kind_of("fuse.sshfs", makedev(0, 1), "a:/b"), MOUNT_FUSE);
	EXPECT(mount_kind_of("fuseblk", makedev(8, 1), "/dev/sda1"), MOUNT_FUSE);
	EXPECT(mount_kind_of("zfs", makedev(0, 1), "pool/x"), MOUNT_OTHER);
	EXPECT(mount_kind_of("btrfs", makedev(0, 1), "/dev/nonexistent"), MOUNT_OTHER);
	end("filesystems.kinds");
}

static void test_paths(void)
{
	begin();
	EXPECT(path_is_below("/a/b", "/a"), true);
	EXPECT(path_is_below("/a", "/a"), true);
	EXPECT(path_is_below("/ab", "/a"), false);
	EXPECT(path_is_below("/ab", "/"), true);
	EXPECT(path_find("/a.slice/b.service", "b.service") != NULL, true);
	EXPECT(path_find("/xb.service/b.service/c", "b.service") != NULL, true);
	EXPECT(path_find("/b.service.d/xb.service", "b.service") != NULL, false);
	EXPECT(path_find("b.service", "b.service") != NULL, false);
	EXPECT(path_is_plain("/a/..b/c.."), true);
	EXPECT(path_is_plain("/a/../b"), false);
	EXPECT(path_is_plain("/.."), false);
	EXPECT(path_is_plain("a"), false);
	end("filesystems.paths");
}

static int count_dir(const char *dir, void *arg)
{
	char *all = arg;

	strcat(strcat(all, dir), " ");
	return 0;
}

static void test_overlay_dirs(void)
{
	char all[256] = "";

	begin();
	expect_ok(overlay_each_dir("rw,lowerdir=/a\\:b:/c::/d,xino=off,upperdir=/u,lowerdir+=/e:f,workdir=/w",
				   count_dir, all));
	if (strcmp(all, "/a:b /c /d /u /e:f /w "))
		complain("found %s", all);
	end("filesystems.overlay-dirs");
}

static const char *target_at(struct json_object *array, size_t i)
{
	struct json_object *target = NULL;

	json_object_object_get_ex(json_object_array_get_idx(array, i), "target", &target);
	return target ? json_object_get_string(target) : "";
}

static const char *text_at(struct json_object *array, size_t i, const char *key)
{
	struct json_object *text = NULL;

	json_object_object_get_ex(json_object_array_get_idx(array, i), key, &text);
	return text ? json_object_get_string(text) : "(none)";
}

static void test_order(void)
{
	static const char *const expected[] = { "/", "/bind here", "/run/disk", "/srv", "/srv/data",
						"/m" };
	_cleanup_mount_table_ struct mount_table t = { 0 };
	static const int wanted[] = { 20, 30, 31, 32, 33, 34 };
	struct json_object *array = NULL;
	size_t i;

	begin();
	expect_ok(mount_table_read(path, &t));
	for (i = 0; i < 6; i++)
		mount_table_by_id(&t, wanted[i])->wanted_by = "web";
	mount_table_by_id(&t, 31)->uuid = strdup("uuid-31");
	expect_ok(filesystems_json(&t, &array));
	EXPECT(json_object_array_length(array), 6);
	for (i = 0; i < 6; i++)
		if (strcmp(target_at(array, i), expected[i]))
			complain("at %zu is %s, expected %s", i, target_at(array, i), expected[i]);
	EXPECT(strcmp(text_at(array, 4, "uuid"), "uuid-31"), 0);
	EXPECT(strcmp(text_at(array, 4, "options"), "rw,noatime"), 0);
	EXPECT(strcmp(text_at(array, 1, "root"), "/srv/sub"), 0);
	EXPECT(strcmp(text_at(array, 5, "root"), "(none)"), 0);
	json_object_put(array);
	end("filesystems.order");
}

/* "subvol=" brings a subvolume: what a note calls the root is what is left. */
static void test_subvolume(void)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };
	struct json_object *array = NULL;
	struct mount *m;

	begin();
	expect_ok(mount_table_read(path, &t));
	m = mount_table_by_id(&t, 35);
	/* No such device here. */
	m->kind = MOUNT_DISK;
	m->wanted_by = "web";
	expect_ok(filesystems_json(&t, &array));
	EXPECT(strcmp(text_at(array, 0, "root"), "/"), 0);
	json_object_put(array);
	free(m->root);
	m->root = strdup("/@home/user");
	expect_ok(filesystems_json(&t, &array));
	EXPECT(strcmp(text_at(array, 0, "root"), "/user"), 0);
	json_object_put(array);
	end("filesystems.subvolume");
}

/* Two that wait for one another are mounted all the same, and nothing hangs. */
static void test_circle(void)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };
	struct mount *order[16];

	begin();
	expect_ok(mount_table_read(path, &t));
	mount_table_by_id(&t, 31)->parent = 34;
	mount_table_by_id(&t, 34)->parent = 31;
	mount_table_by_id(&t, 31)->wanted_by = "web";
	mount_table_by_id(&t, 34)->wanted_by = "web";
	EXPECT(mount_table_order(&t, order), 2);
	end("filesystems.circle");
}

#define REST "\"options\": \"rw\", \"super\": \"rw\"}]"

static void test_wrong_notes(void)
{
	static const struct {
		const char *json, *text;
	} wrong[] = {
		{ "{}", "are no array" },
		{ "[1]", "is no object" },
		{ "[{}]", "has no \"target\"" },
		{ "[{\"target\": 5}]", "\"target\" that is no string" },
		{ "[{\"target\": \"/a\\u0000b\", \"type\": \"ext4\"}]", "a NUL in its \"target\"" },
		{ "[{\"target\": \"/a/../b\", \"type\": \"ext4\", \"uuid\": \"1\", " REST, "no absolute path" },
		{ "[{\"target\": \"a\", \"type\": \"ext4\", \"uuid\": \"1\", " REST, "no absolute path" },
		{ "[{\"target\": \"/a\", \"type\": \"ext4\", \"uuid\": \"1\", \"root\": \"/..\", " REST,
		  "the root \"/..\"" },
		{ "[{\"target\": \"/a\", \"type\": \"../x\", \"uuid\": \"1\", " REST, "the type \"../x\"" },
		{ "[{\"target\": \"/a\", \"type\": \"ext4\", \"uuid\": \"../x\", " REST, "is no UUID" },
		{ "[{\"target\": \"/a\", \"type\": \"ext4\", " REST, "has no UUID" },
		{ "[{\"target\": \"/a\", \"type\": \"ext4\", \"uuid\": \"1\", \"options\": \"rw\"}]",
		  "has no \"super\"" },
	};
	size_t i;

	begin();
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct json_object *noted = json_tokener_parse(wrong[i].json);

		expect_refused(filesystems_mount(noted, "/tmp", 0, NULL), -EINVAL, wrong[i].text);
		json_object_put(noted);
		said[0] = '\0';
	}
	end("filesystems.wrong-notes");
}

/* Only its images are there: its pid is none, and its cgroup is gone. */
static void test_kept(void)
{
	static char name[] = "web", cgroup[] = "/no/such/cgroup";
	struct container c = { .name = name, .cgroup = cgroup };
	const struct containers list = { .container = &c, .nr = 1 };
	struct findings findings = { 0 };
	struct json_object *noted = NULL;

	begin();
	expect_ok(filesystems_note(&list, NULL, &findings, &noted));
	EXPECT(findings.nr, 0);
	json_object_put(noted);
	end("filesystems.kept");
}

static void test_add(void)
{
	struct json_object *noted = json_tokener_parse("[{\"target\": \"/\"}, {\"target\": \"/srv\"}]");
	struct json_object *more = json_tokener_parse("[{\"target\": \"/\"}, {\"target\": \"/data\"}]");
	struct json_object *target = NULL;

	begin();
	expect_ok(filesystems_add(noted, more));
	json_object_put(more);
	EXPECT(json_object_array_length(noted), 3);
	json_object_object_get_ex(json_object_array_get_idx(noted, 2), "target", &target);
	if (strcmp(json_object_get_string(target), "/data"))
		complain("the third is %s", json_object_get_string(target));
	json_object_put(noted);
	end("filesystems.add");
}

int main(void)
{
	log_set_sink(sink);
	if (write_table())
		return 1;
	test_read();
	test_kinds();
	test_paths();
	test_overlay_dirs();
	test_order();
	test_subvolume();
	test_circle();
	test_wrong_notes();
	test_kept();
	test_add();
	unlink(path);
	return failed != 0;
}
