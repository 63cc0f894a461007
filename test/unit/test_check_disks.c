// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of checkpoint/check_disks.c and check_drivers.c: in a /sys that is made
 * here. Root is on LVM on LUKS on sda1, /var/a-b on a volume of the same group, /srv on
 * an md array of sdb, /home on LUKS on that array's partition. The drivers of sdc and of
 * the network device eth0 are modules.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/check_disks.h"
#include "common/cleanup.h"
#include "common/strv.h"
#include "test/unit/harness.h"

#define ROOT_LUKS "11111111222233334444555555555555"
#define HOME_LUKS "aaaaaaaabbbbccccddddeeeeeeeeeeee"
#define HOME_UUID "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define MD_UUID "01234567-89ab-cdef-0123-456789abcdef"

static char dir[] = "/tmp/test_disks.XXXXXX";

static const char make_sys[] =
	"set -e; mkdir -p b; cd b\n"
	"dev() { mkdir -p $1/slaves $1/$2; echo $1 >$1/dev; }\n"
	"on() { mkdir $1/slaves/x$2; echo $2 >$1/slaves/x$2/dev; }\n"
	"name() { echo $2 >$1/dm/uuid; echo $3 >$1/dm/name; }\n"
	"dev 254:0 dm; name 254:0 LVM-x1 vg-root; on 254:0 254:1\n"
	"dev 254:1 dm; name 254:1 CRYPT-LUKS2-" ROOT_LUKS "-crypt crypt; on 254:1 8:1\n"
	"dev 8:1; dev 254:2 dm; name 254:2 LVM-x2 vg-a--b; on 254:2 254:3\n"
	"dev 254:3 dm; name 254:3 LVM-x3 vg-a--b_rimage_0; on 254:3 254:1\n"
	"dev 9:0 md; echo " MD_UUID " >9:0/md/uuid; echo 1.2 >9:0/md/metadata_version; on 9:0 8:16\n"
	"dev 8:16; dev 254:4 dm; name 254:4 CRYPT-LUKS2-" HOME_LUKS "-home home; on 254:4 9:1\n"
	"mkdir 9:0/p1; echo 1 >9:0/p1/partition; ln -s 9:0/p1 9:1\n"
	"dev 8:32; cd ..; mkdir -p sys/dev module/sd_mod module/ahci; mv b sys/dev/block\n"
	"mkdir -p sys/devices/pci/drv sys/devices/pci/ata1/0:0/drv\n"
	"ln -s drv sys/devices/pci/driver; ln -s drv sys/devices/pci/ata1/0:0/driver\n"
	"ln -s $PWD/module/ahci sys/devices/pci/drv/module\n"
	"ln -s $PWD/module/sd_mod sys/devices/pci/ata1/0:0/drv/module\n"
	"ln -s $PWD/sys/devices/pci/ata1/0:0 sys/dev/block/8:32/device\n"
	"mkdir -p sys/class sys/devices/pci/nic/drv module/igb; ln -s $PWD/module/igb sys/devices/pci/nic/drv/module\n"
	"ln -s drv sys/devices/pci/nic/driver; for link in eth0:1003 eth1:1002 lo:9; do\n"
	"n=sys/devices/pci/nic/net/${link%:*}; mkdir -p $n sys/class/net; echo 0x${link#*:} >$n/flags\n"
	"ln -s $PWD/$n sys/class/net; [ $link = lo:9 ] || ln -s $PWD/sys/devices/pci/nic $n/device; done\n";

static const char mountinfo[] =
	"20 1 254:0 / / rw - ext4 /dev/mapper/vg-root rw\n"
	"21 20 254:2 / /var rw - ext4 /dev/mapper/vg-a--b rw\n"
	"22 20 9:0 / /srv rw - ext4 /dev/md0 rw\n"
	"23 20 254:4 / /home rw - ext4 /dev/mapper/home rw\n"
	"24 20 8:1 / /boot rw - ext4 /dev/sda1 rw\n"
	"25 20 8:32 / /data rw - xfs /dev/sdc rw\n"
	"26 20 8:1 / /old rw - reiserfs /dev/sda1 rw\n";

static struct initrd_contents contents;

static void write_file(const char *name, const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(name, "we");

	if (!f || fputs(text, f) == EOF)
		complain("cannot write %s", name);
}

/* This kernel has ext4 built in, no reiserfs, and the drivers of sdc in modules. */
static int module_of(const char *release, const char *alias, char **module)
{
	if (strcmp(release, "7.3.4") || strstr(alias, "reiserfs"))
		return -ENOENT;
	if (!strcmp(alias, "fs-ext4"))
		alias = "";
	*module = strdup(!strncmp(alias, "fs-", 3) ? alias + 3 : alias);
	return 0;
}

static struct drivers drivers_of(const struct installed_kernel *to, struct findings *f)
{
	return (struct drivers){ "sys", module_of, to, &contents, f, NULL };
}

/* Of these mounts, with this command line: what is refused, what is warned of (NULL: nothing). */
static void look(const char *target, const char *cmdline, const char *refused, const char *warned)
{
	_cleanup_mount_table_ struct mount_table mounts = { 0 };
	_cleanup_findings_ struct findings f = { 0 };
	const struct disks_host host = { "crypttab", &mounts };
	const struct installed_kernel to = { .release = "7.3.4", .initrd = "/i", .cmdline = (char *)cmdline };
	struct drivers drivers = drivers_of(&to, &f);
	struct json_object *list = json_object_new_array(), *one = json_object_new_object();

	json_object_object_add(one, "target", json_object_new_string(target));
	json_object_array_add(list, one);
	said[0] = '\0';
	expect_ok(mount_table_read("mountinfo", &mounts));
	expect_ok(check_disks(&host, list, &drivers));
	findings_log(&f);
	if (refused)
		expect_said(refused);
	if (warned)
		expect_said(warned);
	if (f.nr != (size_t)!!refused + !!warned || findings_refuse(&f, NULL) != !!refused)
		complain("%s with \"%s\": %zu findings: %s", target, cmdline, f.nr, said);
	strv_free(drivers.found);
	json_object_put(list);
}

static void test_words(void)
{
	static const char types[] = "/ lies on the LUKS device crypt: somebody must type";

	begin();
	write_file("crypttab", "home x /etc/key luks\n# crypt x none tpm2-device=auto\ncrypt UUID=x none luks\n");
	look("/", "ro", NULL, types);
	look("/boot", "ro", NULL, types);
	write_file("crypttab", "home x /etc/key luks\ncrypt UUID=x none tpm2-device=auto\n");
	look("/boot", "ro", NULL, NULL);

	look("/var", "rd.lvm.lv=vg/root", "/var lies on the LVM volume vg/a-b, which the initramfs does not set up: add rd.lvm.lv=vg/a-b to append", NULL);
	look("/var", "rd.lvm.lv=vg/root rd.auto", "add rd.lvm.lv=vg/a-b", NULL);
	look("/var", "rd.auto=0", "add rd.lvm.lv=vg/a-b", NULL);
	look("/var", "rd.lvm.lv=vg/root rd.lvm.lv=vg/a-b", NULL, NULL);
	look("/var", "rd.lvm.vg=vg", NULL, NULL);
	look("/var", "rd.auto", NULL, NULL);

	look("/srv", "ro", "add rd.md.uuid=" MD_UUID, NULL);
	look("/srv", "rd.auto=1 rd.md.uuid=ffff", "add rd.md.uuid=" MD_UUID, NULL);
	look("/srv", "rd.md.uuid=01234567:89abcdef:01234567:89abcdef", NULL, NULL);

	look("/home", "rd.auto rd.luks.uuid=" ROOT_LUKS, "add rd.luks.uuid=" HOME_LUKS, NULL);
	look("/home", "rd.md.uuid=" MD_UUID " rd.luks.uuid=luks-" HOME_UUID, NULL, NULL);
	look("/home", "rd.md.uuid=" MD_UUID " rd.luks.name=" HOME_UUID "=home", NULL, NULL);
	look("/home", "rd.luks.uuid=aaaaaaaa", "add rd.md.uuid=" MD_UUID, NULL);
	end("disks.words");
}

static void test_initramfs(void)
{
	begin();
	strcpy(contents.words, "rd.lvm.lv=vg/a-b\n rd.md.uuid=" MD_UUID "\n");
	strcpy(contents.crypttab, "home UUID=x none x-initrd.attach\n");
	look("/var", "ro", NULL, NULL);
	look("/home", "ro", NULL, NULL);
	contents.lvm = false;
	look("/var", "ro", "cannot set that up: make it again with dracut --force --add lvm --kver 7.3.4", NULL);
	end("disks.initramfs");
}

static void test_drivers(void)
{
	static char *modules[] = { "ext4", "ahci", "xfs", "sd_mod", NULL };

	begin();
	contents.modules = modules;
	look("/data", "ro", NULL, NULL);
	modules[3] = NULL;
	look("/data", "ro", "/data needs the driver sd_mod, which /i does not have: make it again with dracut --force --add-drivers sd_mod --kver 7.3.4", NULL);
	modules[2] = "sd_mod";
	look("/data", "ro", "/data needs the driver xfs, which", NULL);
	modules[1] = "xfs";
	look("/data", "ro", "/data needs the driver ahci, which", NULL);
	write_file("mountinfo", "20 1 8:32 / / rw - ext4 /dev/sdc rw\n");
	look("/", "ro", "/ needs the driver ahci, which", NULL);
	write_file("mountinfo", mountinfo);
	look("/old", "ro", "/old is reiserfs, which kernel 7.3.4 does not know", NULL);
	end("disks.drivers");
}

/* The device that is down counts for nothing, one driver of two devices once. */
static void test_found(void)
{
	static char *modules[] = { "sd_mod", "igb", "ahci", NULL };
	static const struct installed_kernel to = { .release = "7.3.4", .initrd = "/i" };
	_cleanup_findings_ struct findings f = { 0 };
	struct drivers drivers = drivers_of(&to, &f);

	begin();
	said[0] = '\0';
	contents.modules = modules;
	expect_ok(check_device_drivers(&drivers, "/data", "dev/block/8:32/device"));
	expect_ok(check_device_drivers(&drivers, "/data", "dev/block/8:32/device"));
	expect_ok(check_device_drivers(&drivers, "/srv", "dev/block/9:0/device"));
	expect_ok(check_link_drivers(&drivers, true));
	if (f.nr || strv_count(drivers.found) != 3 || !strv_has(drivers.found, "sd_mod") ||
	    !strv_has(drivers.found, "ahci") || !strv_has(drivers.found, "igb"))
		complain("%zu findings, %zu drivers", f.nr, strv_count(drivers.found));
	modules[1] = "ahci";
	expect_ok(check_link_drivers(&drivers, false));
	if (findings_refuse(&f, NULL))
		complain("refused for a network that nobody needs");
	expect_ok(check_link_drivers(&drivers, true));
	findings_log(&f);
	expect_said("the network device eth0 needs the driver igb, which /i does not have: make it again with dracut --force --add-drivers igb --kver 7.3.4");
	if (f.nr != 2 || !findings_refuse(&f, NULL))
		complain("%zu findings", f.nr);
	strv_free(drivers.found);
	end("drivers.found");
}

int main(void)
{
	char command[128];

	log_set_sink(sink);
	if (!mkdtemp(dir) || chdir(dir) || system(make_sys)) {
		perror("cannot make a /sys");
		return 1;
	}
	write_file("mountinfo", mountinfo);
	contents.lvm = contents.mdadm = contents.cryptsetup = true;
	test_words();
	test_initramfs();
	test_drivers();
	test_found();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (chdir("/") || system(command))
		perror(command);
	return failed != 0;
}
