// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of checkpoint/initrd_contents.c: archives made here, compressed by
 * the programs that there are.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "checkpoint/initrd_contents.h"
#include "common/cleanup.h"
#include "common/strv.h"
#include "test/unit/cpio.h"
#include "test/unit/harness.h"

#define RELEASE "7.3.4+deb13-amd64"

static char dir[] = "/tmp/test_initrd.XXXXXX";
static char path[64];

static void early(const char *to)
{
	FILE *f = fopen(to, "we");

	cpio_entry(f, "kernel/x86/microcode/GenuineIntel.bin", "12345", 5);
	cpio_entry(f, "TRAILER!!!", "", 0);
	fwrite("\0\0\0\0\0\0\0", 1, 7, f);
	fclose(f);
}

static const char module[] = "\177ELF...license=GPL\0vermagic=" RELEASE " SMP preempt\0gives=pages\0name=pramfs";

static void archive(const char *to, const char *ko, const void *data, size_t bytes, bool all)
{
	FILE *f = fopen(to, "we");

	cpio_entry(f, "usr/bin/sh", "#!", 2);
	if (all) {
		cpio_entry(f, "usr/sbin/rebootless-restore", "x", 1);
		cpio_entry(f, "usr/lib/rebootless-lib.sh", "y", 1);
		cpio_entry(f, "usr/lib/rebootless-init", "/usr/sbin/rebootless-restore", 28);
		cpio_entry(f, "usr/lib/systemd/systemd", "x", 1);
		cpio_entry(f, "etc/cmdline.d/90lvm.conf", " rd.lvm.lv=a/b\n", 15);
		cpio_entry(f, "etc/cmdline.d/90mdraid.conf", "rd.md.uuid=c", 12);
		cpio_entry(f, "etc/crypttab", "d e", 3);
		cpio_entry(f, "usr/sbin/lvm_scan", "x", 1);
		cpio_entry(f, "usr/lib/modules/" RELEASE "/kernel/sd-mod.ko.zst", "x", 1);
		cpio_entry(f, "usr/lib/modules/" RELEASE "/modules.kobold", "x", 1);
	}
	if (ko)
		cpio_entry(f, ko, data, bytes);
	cpio_entry(f, "TRAILER!!!", "", 0);
	fclose(f);
}

__attribute__((format(printf, 1, 2))) static int shell(const char *fmt, ...)
{
	char command[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	return system(command);
}

#define KO "usr/lib/modules/" RELEASE "/updates/dkms/pramfs.ko"

static void expect_whole(const char *what)
{
	_cleanup_initrd_contents_ struct initrd_contents c = { 0 };

	expect_ok(initrd_inspect(path, &c));
	if (strcmp(c.words, " rd.lvm.lv=a/b\n\nrd.md.uuid=c\n") || strcmp(c.crypttab, "d e\n") ||
	    !c.lvm || c.mdadm || c.cryptsetup)
		complain("%s: words \"%s\", crypttab \"%s\", programs %d %d %d", what, c.words, c.crypttab,
			 c.lvm, c.mdadm, c.cryptsetup);
	if (strv_count(c.modules) != 2 || !strv_has(c.modules, "pramfs") || !strv_has(c.modules, "sd_mod"))
		complain("%s: %zu modules", what, strv_count(c.modules));
	if (!c.restore || !c.hooks || !c.init || !c.systemd_init || !c.module || strcmp(c.directory, RELEASE) ||
	    strcmp(c.vermagic, RELEASE) || !c.gives)
		complain("%s: restore %d, hooks %d, module %d for \"%s\" in \"%s\", gives %d", what,
			 c.restore, c.hooks, c.module, c.vermagic, c.directory, c.gives);
}

static void test_compressions(void)
{
	static const char *const programs[] = { "cat", "gzip", "xz", "zstd -q", "lz4 -lq", "bzip2" };
	char name[64];
	size_t i;

	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		snprintf(name, sizeof(name), "initrd.contents.%.4s", programs[i]);
		if (shell("command -v %.*s >/dev/null", (int)strcspn(programs[i], " "), programs[i])) {
			printf("skip %s: it is not installed\n", name);
			continue;
		}
		begin();
		archive("main", KO, module, sizeof(module), true);
		early("early");
		if (shell("cp early initrd; %s <main >>initrd; head -c 512 /dev/zero >>initrd", programs[i]))
			complain("cannot run %s", programs[i]);
		expect_whole(programs[i]);
		end(name);
	}
}

static void test_compressed_module(void)
{
	char data[4096];
	_cleanup_fclose_ FILE *f = NULL;
	size_t n = 0;

	begin();
	f = fopen("ko", "we");
	fwrite(module, 1, sizeof(module), f);
	fflush(f);
	if (shell("xz --check=crc32 -k ko"))
		complain("cannot run xz");
	fclose(f);
	f = fopen("ko.xz", "re");
	if (f)
		n = fread(data, 1, sizeof(data), f);
	archive("main", KO ".xz", data, n, true);
	if (shell("gzip <main >initrd"))
		complain("cannot run gzip");
	expect_whole("module.xz");
	end("initrd.contents.module");
}

static void test_missing(void)
{
	static const char other[] = "vermagic=x\0gives=pagesets";
	_cleanup_initrd_contents_ struct initrd_contents c = { 0 };

	begin();
	archive("initrd", NULL, NULL, 0, false);
	expect_ok(initrd_inspect(path, &c));
	if (c.restore || c.hooks || c.init || c.systemd_init || c.module)
		complain("something was found in an initrd without it");
	archive("initrd", KO, other, sizeof(other), false);
	expect_ok(initrd_inspect(path, &c));
	if (!c.module || c.gives)
		complain("a module that does not give pages is taken for one that does");
	initrd_contents_free(&c);
	archive("main", KO, module, sizeof(module), true);
	if (shell("gzip <main | head -c 60 >initrd"))
		complain("cannot run gzip");
	if (!initrd_inspect(path, &c) && c.module)
		complain("a cut archive was accepted");
	archive("initrd", KO, module, sizeof(module), true);
	if (shell("printf 'junkjunkjunk' >>initrd"))
		complain("cannot write");
	expect_refused(initrd_inspect(path, &c), -EINVAL, "is damaged: what stands at offset");
	if (shell("printf '\\037\\213junk' >initrd"))
		complain("cannot write");
	expect_refused(initrd_inspect(path, &c), -EINVAL, "gzip cannot uncompress");
	unlink(path);
	expect_refused(initrd_inspect(path, &c), -ENOENT, "cannot open");
	end("initrd.contents.missing");
}

int main(void)
{
	log_set_sink(sink);
	if (!mkdtemp(dir) || chdir(dir)) {
		perror("mkdtemp");
		return 1;
	}
	snprintf(path, sizeof(path), "%s/initrd", dir);
	test_compressions();
	test_compressed_module();
	test_missing();
	if (chdir("/") || shell("rm -rf %s", dir))
		perror(dir);
	return failed != 0;
}
