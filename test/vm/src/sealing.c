// SPDX-License-Identifier: GPL-2.0
/*
 * sealing - the steps of `rebootless fire` one by one, so that something can be
 * done between them: seal, take the seal back, look at what was sealed, jump. And
 * a mount that stops half-way.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/reboot.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pramfs_ioctl.h"
#include "report.h"
#include "sealing.h"

static int device(void)
{
	int fd = open(PRAMFS_DEVICE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(PRAMFS_DEVICE);
	return fd;
}

static int cmd_seal(char **argv)
{
	struct pramfs_ioc_seal s;

	if (ioctl(device(), PRAMFS_IOC_SEAL, &s)) {
		perror("seal");
		return 1;
	}
	printf("sealed: %llu mounts, %llu inodes, %llu data bytes, %llu metadata bytes, %llu ranges, "
	       "%llu extents, %llu ns\n", s.mounts, s.inodes, s.data_bytes, s.metadata_bytes, s.ranges,
	       s.extents, s.nanoseconds);
	return 0;
}

static int cmd_unseal(char **argv)
{
	if (ioctl(device(), PRAMFS_IOC_UNSEAL)) {
		perror("unseal");
		return 1;
	}
	return 0;
}

static int cmd_image(char **argv)
{
	int in = device(), out = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char page[4096];
	ssize_t n;

	if (out < 0)
		die("%s", argv[0]);
	while ((n = read(in, page, sizeof(page))) > 0)
		if (write(out, page, n) != n)
			die("write %s", argv[0]);
	if (n < 0)
		die("read " PRAMFS_DEVICE);
	return 0;
}

/* As mount(8) does whose target is missing: the instance is made, and attached nowhere. */
static int cmd_halfway(char **argv)
{
	int fs = syscall(SYS_fsopen, "pramfs", FSOPEN_CLOEXEC);

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", argv[0], 0) ||
	    syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) ||
	    syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0) < 0)
		die("mount %s half-way", argv[0]);
	return 0;
}

static int cmd_jump(char **argv)
{
	sync();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	perror("jump");
	return 1;
}

static int cmd_damage(char **argv)
{
	return damage_image(argv[0], argv[1]);
}

static int cmd_kinds(char **argv)
{
	damage_list();
	return 0;
}

/* Counts up in a shared mapping for ever. */
static pid_t start_writer(int fd)
{
	volatile unsigned long *counter;
	pid_t pid;

	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counter == MAP_FAILED)
		die("mmap");
	pid = fork();
	if (pid < 0)
		die("fork");
	while (!pid)
		++*counter;
	munmap((void *)counter, 4096);
	return pid;
}

static unsigned long read_counter(int fd)
{
	unsigned long counter;

	if (pread(fd, &counter, sizeof(counter), 0) != sizeof(counter))
		die("read the counter");
	return counter;
}

/* True when the counter goes up within 5 s. */
static int goes_on(int fd)
{
	unsigned long was = read_counter(fd);

	for (int i = 0; i < 500; i++) {
		if (read_counter(fd) != was)
			return 1;
		usleep(10000);
	}
	return 0;
}

/* A writer through a shared mapping waits while the handover is sealed. */
static int cmd_mapped(char **argv)
{
	int fd = open(argv[0], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unsigned long sealed;
	pid_t pid;

	if (fd < 0 || ftruncate(fd, 4096))
		die("%s", argv[0]);
	pid = start_writer(fd);
	if (!goes_on(fd))
		fail("mapped-before", "the writer does not run");
	if (cmd_seal(NULL))
		fail("mapped-seal", "%s", strerror(errno));
	sealed = read_counter(fd);
	usleep(500000);
	if (read_counter(fd) != sealed)
		fail("mapped-sealed", "the file changed while sealed");
	else
		pass("mapped-sealed");
	if (waitpid(pid, NULL, WNOHANG))
		fail("mapped-waits", "the writer has died");
	else
		pass("mapped-waits");
	if (cmd_unseal(NULL))
		fail("mapped-unseal", "%s", strerror(errno));
	if (goes_on(fd))
		pass("mapped-goes-on");
	else
		fail("mapped-goes-on", "the writer stands still after unseal");

	/* One that waits can be killed. */
	cmd_seal(NULL);
	usleep(100000);
	kill(pid, SIGKILL);
	if (waitpid(pid, NULL, 0) == pid)
		pass("mapped-killed");
	cmd_unseal(NULL);
	return report_status();
}

static const struct {
	const char *name, *usage;
	int args;
	int (*run)(char **argv);
} commands[] = {
	{ "seal", "", 0, cmd_seal },
	{ "unseal", "", 0, cmd_unseal },
	{ "image", "FILE", 1, cmd_image },
	{ "halfway", "NAME", 1, cmd_halfway },
	{ "jump", "", 0, cmd_jump },
	{ "damage", "IMAGE KIND", 2, cmd_damage },
	{ "kinds", "", 0, cmd_kinds },
	{ "mapped", "FILE", 1, cmd_mapped },
};

int main(int argc, char **argv)
{
	size_t nr = sizeof(commands) / sizeof(*commands);

	for (size_t i = 0; i < nr; i++)
		if (argc > 1 && !strcmp(argv[1], commands[i].name) && argc == 2 + commands[i].args)
			return commands[i].run(argv + 2);
	for (size_t i = 0; i < nr; i++)
		fprintf(stderr, "usage: sealing %s %s\n", commands[i].name, commands[i].usage);
	return 2;
}
