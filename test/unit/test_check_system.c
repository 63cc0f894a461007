// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of checkpoint/check_system.c: with a criu that says what the test
 * wants, an initramfs made here, and this process's own memory.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checkpoint/check_system.h"
#include "common/cleanup.h"
#include "test/unit/cpio.h"
#include "test/unit/harness.h"

static char dir[] = "/tmp/test_check.XXXXXX";

/* The program criu of the next check: its version, and the status of `check`. */
static void make_criu(const char *version, const char *status)
{
	_cleanup_fclose_ FILE *f = fopen("criu", "we");

	if (!f || fprintf(f, "#!/bin/sh\n[ \"$1\" != --version ] || { echo 'Version: %s'; exit 0; }\n%s\n",
			  version, status) < 0 || fchmod(fileno(f), 0755))
		complain("cannot make criu");
}

static void check_with(const char *version, const char *status, const char *target,
		       const char *expected)
{
	_cleanup_findings_ struct findings f = { 0 };
	const struct installed_kernel to = { .release = (char *)target };

	said[0] = '\0';
	make_criu(version, status);
	expect_ok(check_criu(&to, &f));
	findings_log(&f);
	if (expected)
		expect_said(expected);
	else if (f.nr)
		complain("CRIU %s for %s: complains without a reason: %s", version, target, said);
}

static void test_criu(void)
{
	static const char nft[] = "[ \"$3\" != network_lock_nftables ]";

	begin();
	check_with("4.2.1", "exit 0", "7.3.4", NULL);
	check_with("4.2", "exit 0", "7.1.0-rc1", NULL);
	check_with("10.0", "exit 0", "10.0.0", NULL);
	check_with("4.1.1", "exit 0", "7.3.4", "CRIU 4.1 can dump nothing on kernel 7.3.4");
	check_with("3.17.1", "exit 0", "6.12.0", "CRIU is version 3.17, expected at least 3.19");
	check_with("4.2.1", "exit 1", "7.3.4", "CRIU does not work on the running kernel");
	check_with("4.2.1", nft, "7.3.4", "CRIU cannot lock the network by nftables");
	check_with("nonsense", "exit 0", "7.3.4", "CRIU cannot be run");
	end("system.criu");
}

#define MEMORY (64 << 20)

/* What is asked for on behalf of a process, in MiB. */
static unsigned long asked(pid_t pid, bool zero_copy)
{
	static const char images[] = "images need ";
	struct container c = { .name = "web", .pid = pid, .state = CONTAINER_RUNNING };
	const struct containers list = { &c, 1 };
	const struct demand demand = { .low = 1 << 20, .any = 1 << 20 };
	_cleanup_findings_ struct findings f = { 0 };
	const char *at;

	said[0] = '\0';
	expect_ok(check_memory(&list, &demand, zero_copy, &f));
	at = strstr(said, images);
	if (f.nr || !at)
		complain("said %s", said);
	return at ? strtoul(at + strlen(images), NULL, 10) : 0;
}

/* A process that does something with memory, and waits for its end. */
static pid_t with_memory(void (*use)(char *), int flags, int fd)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		char *p = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, flags, fd, 0);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (p == MAP_FAILED)
			_exit(1);
		use(p);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		complain("the process with memory has ended");
	close(ready[0]);
	return pid;
}

static void fill(char *p)
{
	memset(p, 1, MEMORY);
}

static void look(char *p)
{
	for (size_t i = 0; i < MEMORY; i += 4096)
		(void)*(volatile char *)(p + i);
}

static void fill_and_fork(char *p)
{
	int ready[2];
	char byte;

	fill(p);
	if (pipe(ready))
		return;
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	(void)!read(ready[0], &byte, 1);
}

/* At least `least`; and at most that and half of MEMORY, for the processes themselves. */
static void expect_asked(const char *what, void (*use)(char *), int flags, int fd, bool zero_copy,
			 unsigned long least)
{
	pid_t pid = with_memory(use, flags, fd);
	unsigned long mib = asked(pid, zero_copy);

	if (mib < least || mib > least + (MEMORY >> 21))
		complain("%s%s: expected %lu MiB and some, found %lu: %s", what,
			 zero_copy ? ", zero copy" : "", least, mib, said);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_memory(void)
{
	const unsigned long mib = MEMORY >> 20;
	int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	begin();
	if (fd < 0 || ftruncate(fd, MEMORY))
		complain("cannot make a file");
	expect_asked("private", fill, MAP_PRIVATE | MAP_ANONYMOUS, -1, false, mib);
	expect_asked("private", fill, MAP_PRIVATE | MAP_ANONYMOUS, -1, true, 0);
	expect_asked("shared", fill, MAP_SHARED | MAP_ANONYMOUS, -1, false, mib);
	expect_asked("shared", fill, MAP_SHARED | MAP_ANONYMOUS, -1, true, mib);
	expect_asked("forked", fill_and_fork, MAP_PRIVATE | MAP_ANONYMOUS, -1, false, 2 * mib);
	expect_asked("forked", fill_and_fork, MAP_PRIVATE | MAP_ANONYMOUS, -1, true, mib);
	expect_asked("shared and forked", fill_and_fork, MAP_SHARED | MAP_ANONYMOUS, -1, true, mib);
	expect_asked("written file", fill, MAP_PRIVATE, fd, true, mib);
	expect_asked("read file", look, MAP_PRIVATE, fd, false, 0);
	close(fd);
	end("system.memory");
}

static void test_little_memory(void)
{
	struct container c = { .name = "web", .pid = getpid(), .state = CONTAINER_RUNNING };
	const struct containers list = { &c, 1 };
	const struct demand demand = { .low = 1 << 20, .any = 1ull << 50 };
	_cleanup_findings_ struct findings f = { 0 };

	begin();
	expect_ok(check_memory(&list, &demand, true, &f));
	findings_log(&f);
	expect_said("too little memory: the containers' images need ");
	expect_said("the new kernel's arena 1073741825 MiB");
	end("system.memory.little");
}

static void look_at_iomem(const char *text, const char *expected)
{
	_cleanup_findings_ struct findings f = { 0 };
	FILE *file = fopen("iomem", "we");

	said[0] = '\0';
	fputs(text, file);
	fclose(file);
	expect_ok(check_driver_memory("iomem", &f));
	findings_log(&f);
	if (expected)
		expect_said(expected);
	else if (f.nr)
		complain("complains without a reason: %s", said);
	if (findings_refuse(&f, NULL))
		complain("memory of drivers is refused");
}

static void test_driver_memory(void)
{
	static const char firmware[] = "00001000-0009ffff : System RAM\n"
				       "00100000-3fffffff : System RAM\n"
				       "  01000000-01ffffff : Kernel code\n";

	begin();
	look_at_iomem(firmware, NULL);
	look_at_iomem("140000000-23fffffff : 1234\n"
		      "  140000000-1bfffffff : System RAM (virtio_mem)\n"
		      "  1c0000000-1c7ffffff : System RAM (virtio_mem)\n",
		      "2176 MiB of memory were added by a driver (virtio_mem)");
	look_at_iomem("140000000-23fffffff : dax0.0\n  140000000-23fffffff : System RAM (kmem)\n",
		      "4096 MiB of memory were added by a driver (kmem)");
	end("system.memory.drivers");
}

static const char nft[] = "usr/sbin/nft";
static const char *lock = nft;
static const char *library = "lib/systemd/libsystemd-shared-255.so";

static void look_at(const char *restore, const char *hooks, const char *ko, const char *vermagic,
		    const char *banner, const char *expected)
{
	_cleanup_findings_ struct findings f = { 0 };
	const struct installed_kernel to = { .release = "7.3.4-amd64", .kernel = "/k", .initrd = "initrd" };
	FILE *file = fopen("initrd", "we");
	_cleanup_initrd_contents_ struct initrd_contents contents = { 0 };

	said[0] = '\0';
	cpio_entry(file, restore, "x", 1);
	cpio_entry(file, hooks, "x", 1);
	cpio_entry(file, lock, "x", 1);
	cpio_entry(file, library, "x", 1);
	cpio_entry(file, ko, vermagic, strlen(vermagic));
	cpio_entry(file, "TRAILER!!!", "", 0);
	fclose(file);
	expect_ok(check_target(&to, banner, &contents, &f));
	findings_log(&f);
	if (expected)
		expect_said(expected);
	else if (f.nr)
		complain("complains without a reason: %s", said);
}

static void test_target(void)
{
	static const char restore[] = "usr/sbin/rebootless-restore", hooks[] = "lib/rebootless-lib.sh";
	static const char ko[] = "lib/modules/7.3.4-amd64/pramfs.ko";
	static const char vermagic[] = "vermagic=7.3.4-amd64 SMP", banner[] = "7.3.4-amd64 (x@y) #1";

	begin();
	look_at(restore, hooks, ko, vermagic, banner, NULL);
	look_at(restore, hooks, ko, vermagic, "", NULL);
	look_at(restore, hooks, ko, vermagic, "7.3.4 (x@y)", "/k is kernel 7.3.4, but its modules");
	lock = "x";
	look_at(restore, hooks, ko, vermagic, banner, "has no nft");
	lock = nft;
	library = "lib/systemd/libsystemd-shared-254.9-2.fc39.so";
	look_at(restore, hooks, ko, vermagic, banner, "has systemd 254, which kills the restored containers");
	library = "lib/libsystemd.so.0";
	look_at(restore, hooks, ko, vermagic, banner, NULL);
	look_at("x", hooks, ko, vermagic, banner, "has no rebootless-restore");
	look_at(restore, "x", ko, vermagic, banner, "was made without the dracut module");
	look_at(restore, hooks, "x", vermagic, banner, "has no pramfs.ko: build it (dkms install pramfs/VERSION -k 7.3.4-amd64)");
	look_at(restore, hooks, "lib/modules/6.12/pramfs.ko", vermagic, banner, "among the modules of kernel 6.12, expected 7.3.4-amd64");
	look_at(restore, hooks, ko, "vermagic=6.12 SMP", banner, "was built for kernel 6.12, expected 7.3.4-amd64");
	look_at(restore, hooks, ko, "nothing", banner, "does not say for which kernel it was built");
	end("system.target");
}

static void test_selinux(void)
{
	_cleanup_findings_ struct findings f = { 0 };

	begin();
	check_selinux("nothing", &f);
	if (f.nr)
		complain("complains about a file that is not there");
	fclose(fopen("enforce", "we"));
	check_selinux("enforce", &f);
	findings_log(&f);
	expect_said("SELinux is on (enforce exists)");
	if (!findings_refuse(&f, NULL))
		complain("does not refuse");
	end("system.selinux");
}

static void shell_with(const char *cmdline, enum restore_policy policy, bool warns)
{
	_cleanup_findings_ struct findings f = { 0 };
	const struct installed_kernel to = { .cmdline = (char *)cmdline };

	check_shell(&to, policy, &f);
	if (f.nr != warns || findings_refuse(&f, NULL))
		complain("%s: %zu findings", cmdline, f.nr);
}

static void test_shell(void)
{
	begin();
	shell_with("root=/dev/vda quiet", POLICY_SHELL, false);
	shell_with("quiet rd.emergency=reboot ro", POLICY_SHELL, true);
	shell_with("rd.emergency=halt", POLICY_SHELL, true);
	shell_with("rd.emergency=halt", POLICY_CONTINUE, false);
	shell_with("rd.emergency=reboot rd.emergency=no", POLICY_SHELL, false);
	shell_with("xrd.emergency=reboot rd.emergency", POLICY_SHELL, false);
	end("system.shell");
}

/* A process in a pid namespace of its own, by this name. */
static pid_t start_stray(const char *name)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		for (;;)
			pause();
	}
	/* until it is called so */
	usleep(100000);
	return pid;
}

/* What is said of strays when `carried` (0 = nobody) is a container. */
static bool check_strays_with(pid_t carried)
{
	_cleanup_findings_ struct findings f = { 0 };
	struct container c = { .name = (char *)"c", .pid = carried };

	said[0] = '\0';
	check_strays(&(struct containers){ .container = &c, .nr = carried ? 1 : 0 }, &f);
	findings_log(&f);
	return findings_refuse(&f, NULL);
}

static void test_strays(void)
{
	char expected[128];
	pid_t pid;

	begin();
	/* what it is called must not reach a terminal */
	pid = start_stray("lone\033ly");
	snprintf(expected, sizeof(expected), "process %d (lone?ly): it has a pid namespace of its own", (int)pid);
	EXPECT(check_strays_with(0), false);
	expect_said(expected);
	check_strays_with(pid);
	EXPECT(!strstr(said, expected), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	pid = start_stray("containerd-shim");
	EXPECT(check_strays_with(pid), true);
	expect_said("containers of docker or containerd run here");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	end("system.strays");
}

int main(void)
{
	char command[128], path[256];

	log_set_sink(sink);
	if (!mkdtemp(dir) || chdir(dir)) {
		perror("mkdtemp");
		return 1;
	}
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", dir);
	setenv("PATH", path, 1);
	test_criu();
	test_memory();
	test_little_memory();
	test_driver_memory();
	test_target();
	test_selinux();
	test_shell();
	test_strays();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (chdir("/") || system(command))
		perror(command);
	return failed != 0;
}
