// SPDX-License-Identifier: GPL-2.0
/*
 * The first program of the initramfs, where the old kernel found that containers can be
 * restored before systemd (its loader puts a link of that name over /init): systemd reads
 * its units, starts its journal and makes device nodes before it comes to dracut's first
 * hook. What this leaves undone the hooks do; whatever happens here, systemd is started.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "restore/restore.h"

/* As systemd mounts them (mount_table in its src/shared/mount-setup.c): it leaves alone what is there. */
static const struct {
	const char *type, *target;
	unsigned long flags;
	const char *options;
} mounts[] = {
	{ "proc", "/proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
	{ "sysfs", "/sys", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
	{ "devtmpfs", "/dev", MS_NOSUID | MS_STRICTATIME, "mode=0755,size=4m,nr_inodes=64k" },
	/* an instance for each mount: terminals that are restored are to be those of the host */
	{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5" },
	{ "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV | MS_STRICTATIME, "mode=01777" },
	{ "tmpfs", "/run", MS_NOSUID | MS_NODEV | MS_STRICTATIME, "mode=0755,size=20%,nr_inodes=800k" },
};

/* Where dracut has put it. */
static const char *const inits[] = { "/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init" };

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static int mount_all(void)
{
	size_t i;

	/* systemd does the same; what is bound to the real root is to see what comes later */
	if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
		return log_syserr(errno, "cannot share the mounts of the initramfs");
	for (i = 0; i < LENGTH(mounts); i++) {
		mkdir(mounts[i].target, 0755);
		if (mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags,
			  mounts[i].options) < 0 && errno != EBUSY)
			return log_syserr(errno, "cannot mount %s", mounts[i].target);
	}
	return 0;
}

/* As the hooks are run. Messages go to the console when there is nothing else. */
static int restore(void)
{
	char *open_words[] = { "open", NULL }, *early_words[] = { "early", NULL };
	int log, err = mount_all();

	if (err)
		return err;
	log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (log >= 0) {
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
	}
	setsid();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	err = cmd_open(1, open_words);
	return err ? err : cmd_early(1, early_words);
}

int init_main(char **argv)
{
	pid_t child = fork(), pid;
	size_t i;

	/* PID 1 itself must not end, whatever happens */
	if (!child)
		_exit(restore() ? 1 : 0);
	if (child < 0)
		log_syserr(errno, "cannot start the restore");
	/* also those whose parent has ended */
	while (child > 0 && (pid = wait(NULL)) != child)
		if (pid < 0 && errno != EINTR)
			break;
	for (i = 0; i < LENGTH(inits); i++) {
		argv[0] = (char *)inits[i];
		execv(argv[0], argv);
	}
	return log_syserr(errno, "cannot start %s", inits[0]);
}
