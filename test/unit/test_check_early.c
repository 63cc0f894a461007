// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of checkpoint/check_early.c, in a /sys that is made here. sda (8:0) is a
 * disk with partitions 1 and 2, sdb (8:16) one without, md0 (9:0) an array, loop0 (7:0) a file;
 * 8:32 has a device, and is made of others all the same.
 */
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "checkpoint/check_early.h"
#include "common/cleanup.h"
#include "test/unit/harness.h"

#define ROOT "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"

static char dir[] = "/tmp/test_early.XXXXXX";

static const char make_sys[] =
	"set -e; mkdir -p sys/dev/block; cd sys/dev/block\n"
	"mkdir -p 8:0/device 8:0/slaves 8:0/p1/slaves 8:0/p2/slaves\n"
	"touch 8:0/p1/partition 8:0/p2/partition; ln -s 8:0/p1 8:1; ln -s 8:0/p2 8:2\n"
	"mkdir -p 8:16/device 8:16/slaves 9:0/slaves/sdb 7:0/slaves 8:32/device 8:32/slaves/sdb\n";

static dev_t device(const char *spec)
{
	if (!strcmp(spec, "UUID=root") || !strcmp(spec, "/dev/sda1"))
		return makedev(8, 1);
	return !strcmp(spec, "/dev/md0") ? makedev(9, 0) : 0;
}

/* With these mounts and words, and a container's filesystem there: why not (NULL: it can be). */
static void look(const char *mountinfo, const char *cmdline, const char *words, const char *target,
		 const char *expected)
{
	_cleanup_mount_table_ struct mount_table mounts = { 0 };
	const struct early_host host = { "sys", &mounts, cmdline, words, device };
	struct json_object *list = json_object_new_array(), *one = json_object_new_object();
	_cleanup_fclose_ FILE *f = fopen("mountinfo", "we");
	const char *reason = "";
	bool early;

	json_object_object_add(one, "target", json_object_new_string(target));
	json_object_array_add(list, one);
	if (!f || fputs(mountinfo, f) == EOF || fflush(f))
		complain("cannot write a mountinfo");
	expect_ok(mount_table_read("mountinfo", &mounts));
	early = check_early(&host, list, &reason);
	if (early != !expected || early != !reason || (reason && !strstr(reason, expected ? expected : "-")))
		complain("\"%s\" \"%s\" %s: %d, %s", cmdline, words, target, early, reason ? reason : "(null)");
	json_object_put(list);
}

static void test_root(void)
{
	begin();
	look(ROOT, "root=UUID=root ro", "", "/", NULL);
	look("1 0 0:2 / / rw - rootfs none rw\n" ROOT, "root=/dev/sda1", "", "/", NULL);
	look(ROOT, "root=/dev/none root=block:/dev/sda1", "", "/", NULL);
	look(ROOT, "quiet", "root=UUID=root", "/", NULL);
	look(ROOT, "root=/dev/sda2", "root=UUID=root", "/", "root= is not");
	look(ROOT, "root=/dev/sda1 root=/dev/sda2", "", "/", "root= is not");
	look(ROOT, "quiet", "", "/", "root= is not");
	look("20 1 8:1 /deploy / rw - ext4 /dev/sda1 rw\n", "root=UUID=root", "", "/", "root is no");
	look("20 1 0:40 / / rw - overlay none rw,lowerdir=/a\n", "root=UUID=root", "", "/", "root is no");
	look("20 1 8:1 / / rw - vfat /dev/sda1 rw\n", "root=UUID=root", "", "/", "root is no");
	look("20 1 9:0 / / rw - ext4 /dev/md0 rw\n", "root=/dev/md0", "", "/", "not all filesystems");
	look(ROOT "21 20 8:2 / /usr rw - ext4 /dev/sda2 rw\n", "root=UUID=root", "", "/", "/usr is");
	look("", "root=UUID=root", "", "/", "root is no");
	end("early.root");
}

static void test_words(void)
{
	begin();
	look(ROOT, "root=UUID=root ip=dhcp", "", "/", "its command line");
	look(ROOT, "root=UUID=root", "rd.neednet=1", "/", "its command line");
	look(ROOT, "root=UUID=root rd.break=pre-pivot", "", "/", "its command line");
	look(ROOT, "root=UUID=root rd.break", "", "/", "its command line");
	look(ROOT, "root=UUID=root rd.breakfast", "", "/", NULL);
	end("early.words");
}

static void test_disks(void)
{
	begin();
	look(ROOT "21 20 8:2 / /srv rw - xfs /dev/sda2 rw\n", "root=UUID=root", "", "/srv", NULL);
	look(ROOT "21 20 8:16 / /srv rw - xfs /dev/sdb rw\n", "root=UUID=root", "", "/srv", NULL);
	look(ROOT "21 20 9:0 / /srv rw - ext4 /dev/md0 rw\n", "root=UUID=root", "", "/srv", "not all");
	look(ROOT "21 20 7:0 / /srv rw - ext4 /dev/loop0 rw\n", "root=UUID=root", "", "/srv", "not all");
	look(ROOT "21 20 8:32 / /srv rw - ext4 /dev/sdc rw\n", "root=UUID=root", "", "/srv", "not all");
	/* what no container needs may be anywhere */
	look(ROOT "21 20 9:0 / /srv rw - ext4 /dev/md0 rw\n", "root=UUID=root", "", "/", NULL);
	/* and what is no disk lies on one, or comes with the runtime */
	look(ROOT "21 20 0:50 / /srv rw - tmpfs none rw\n", "root=UUID=root", "", "/srv", NULL);
	end("early.disks");
}

int main(void)
{
	char command[128];

	log_set_sink(sink);
	if (!mkdtemp(dir) || chdir(dir) || system(make_sys)) {
		perror("cannot make a /sys");
		return 1;
	}
	test_root();
	test_words();
	test_disks();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (chdir("/") || system(command))
		perror(command);
	return failed != 0;
}
