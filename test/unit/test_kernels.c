// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of checkpoint/kernels.c, in a directory that looks like a root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/kernels.h"
#include "common/cleanup.h"
#include "test/unit/harness.h"

static char root[] = "/tmp/test_kernels.XXXXXX";

/* An empty file below the root, with the directories above it. */
__attribute__((format(printf, 1, 2))) static void make(const char *fmt, ...)
{
	char path[512];
	_cleanup_close_ int fd = -1;
	size_t used = strlen(root);
	va_list args;
	char *slash;

	strcpy(path, root);
	va_start(args, fmt);
	vsnprintf(path + used, sizeof(path) - used, fmt, args);
	va_end(args);
	for (slash = strchr(path + used + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		complain("cannot make %s", path);
	if (strstr(path, "machine-id") && write(fd, "0123abcd\n", 9) != 9)
		complain("cannot write %s", path);
}

static void find(const char *version, const char *release, const char *kernel, const char *initrd)
{
	struct installed_kernel k = { 0 };

	expect_ok(kernels_find(root, version, &k));
	if (!k.release || strcmp(k.release, release) || strcmp(k.kernel, kernel) ||
	    strcmp(k.initrd, initrd))
		complain("%s is %s, %s, %s; expected %s, %s, %s", version ? version : "newest",
			 k.release, k.kernel, k.initrd, release, kernel, initrd);
	free(k.release);
	free(k.kernel);
	free(k.initrd);
}

static void refuse(const char *version, int err, const char *text)
{
	struct installed_kernel k = { 0 };

	said[0] = '\0';
	expect_refused(kernels_find(root, version, &k), err, text);
	if (k.release || k.kernel || k.initrd)
		complain("%s: something was set although it failed", version);
}

static void test_choice(void)
{
	begin();
	refuse(NULL, -ENOENT, "no kernel is installed");
	make("/etc/machine-id");
	/* Debian, Fedora, kernel-install */
	make("/usr/lib/modules/6.12.9-amd64/modules.dep");
	make("/boot/vmlinuz-6.12.9-amd64");
	make("/boot/initrd.img-6.12.9-amd64");
	make("/lib/modules/6.12.10-200.fc41.x86_64/modules.dep");
	make("/lib/modules/6.12.10-200.fc41.x86_64/vmlinuz");
	make("/boot/initramfs-6.12.10-200.fc41.x86_64.img");
	make("/usr/lib/modules/6.2.0/modules.dep");
	make("/boot/0123abcd/6.2.0/linux");
	make("/boot/0123abcd/6.2.0/initrd");
	/* left over: modules without a kernel, a kernel without modules */
	make("/usr/lib/modules/9.9.9/modules.dep");
	make("/boot/vmlinuz-9.9.8");
	find(NULL, "6.12.10-200.fc41.x86_64", "/lib/modules/6.12.10-200.fc41.x86_64/vmlinuz",
	     "/boot/initramfs-6.12.10-200.fc41.x86_64.img");
	find("6.12.9", "6.12.9-amd64", "/boot/vmlinuz-6.12.9-amd64", "/boot/initrd.img-6.12.9-amd64");
	find("6.2.0", "6.2.0", "/boot/0123abcd/6.2.0/linux", "/boot/0123abcd/6.2.0/initrd");
	find("6.2", "6.2.0", "/boot/0123abcd/6.2.0/linux", "/boot/0123abcd/6.2.0/initrd");
	refuse("6.12", -ENOTUNIQ, "more than one installed kernel begins with 6.12");
	expect_said("6.12.9-amd64");
	refuse("6.1", -ENOENT, "no kernel 6.1 is installed");
	expect_said("6.12.9-amd64");
	refuse("9.9.9", -ENOENT, "no kernel 9.9.9 is installed");
	refuse("", -ENOENT, "no kernel  is installed");
	make("/usr/lib/modules/7.3.4/modules.dep");
	make("/boot/vmlinuz-7.3.4");
	refuse(NULL, -ENOENT, "kernel 7.3.4 has no initramfs (looked for /boot/initrd.img-7.3.4");
	expect_said("dracut -f --kver 7.3.4");
	end("kernels.choice");
}

/* modprobe has been found to say so, with its whole path, and "builtin ext4". */
static void expect_module(const char *says, const char *expected)
{
	_cleanup_free_ char *module = NULL;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/modprobe", root);
	f = fopen(path, "we");
	fprintf(f, "#!/bin/sh\n%s\n", says);
	fclose(f);
	chmod(path, 0755);
	if (!expected)
		expect_refused(kernels_module("7.3.4", "fs-x", &module), -ENOENT, "");
	else if (kernels_module("7.3.4", "fs-x", &module))
		complain("\"%s\" is not understood", says);
	else if (strcmp(module, expected))
		complain("\"%s\" is taken for %s", says, module);
}

static void test_modules(void)
{
	char path[256];

	begin();
	snprintf(path, sizeof(path), "%s:%s", root, getenv("PATH"));
	setenv("PATH", path, 1);
	expect_module("echo insmod /lib/modules/7.3.4/kernel/drivers/block/xen-blkfront.ko.xz", "xen_blkfront");
	expect_module("echo insmod /a/crc.ko; echo 'insmod /a.b/xfs.ko.zst foo=/a/b.c '", "xfs");
	expect_module("echo insmod /a/jbd2.ko; echo builtin ext4", "");
	expect_module("exit 1", NULL);
	end("kernels.modules");
}

int main(void)
{
	char command[128];

	log_set_sink(sink);
	if (!mkdtemp(root)) {
		perror("mkdtemp");
		return 1;
	}
	test_choice();
	test_modules();
	snprintf(command, sizeof(command), "rm -rf %s", root);
	if (system(command))
		perror(command);
	return failed != 0;
}
