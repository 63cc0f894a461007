// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/stopped.h"
#include "common/strv.h"
#include "restore/keep_stopped.h"
#include "restore/restore.h"

#define WAIT_SECONDS 60
/* The signal goes to one after the other: ours may come before theirs. */
#define ROUNDS 20
#define ROUND_NSEC 20000000

static int find_all(const struct manifest *m, pid_t **pids, size_t *nr)
{
	const struct container *c;
	int err = 0;

	for (c = m->containers.container;
	     !err && c < m->containers.container + m->containers.nr; c++)
		if (c->state == CONTAINER_RESTORED && c->stopped)
			err = stopped_find(c->pid, c->stopped, pids, nr);
	return err;
}

/*
 * PID 1 ends what runs in an initramfs, but those whose name begins with '@'
 * (systemd.io/ROOT_STORAGE_DAEMONS). Forked twice, so that nobody waits for it.
 */
static void leave_behind(char *const *argv)
{
	pid_t pid = fork();

	if (pid < 0) {
		log_syserr(errno, "cannot watch over stopped processes");
		return;
	}
	if (!pid) {
		if (!fork()) {
			setsid();
			execv("/proc/self/exe", argv);
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

void keep_stopped(const struct manifest *m)
{
	_cleanup_free_ pid_t *pids = NULL;
	_cleanup_strv_ char **argv = NULL;
	size_t nr = 0, i;
	int err = find_all(m, &pids, &nr);

	if (err || !nr)
		return;
	err = strv_add(&argv, "@rebootless-restore");
	if (!err)
		err = strv_add(&argv, "keep-stopped");
	for (i = 0; !err && i < nr; i++)
		err = strv_addf(&argv, "%d", (int)pids[i]);
	if (!err)
		leave_behind(argv);
}

int cmd_keep_stopped(int argc, char **argv)
{
	const struct timespec limit = { .tv_sec = WAIT_SECONDS };
	const struct timespec pause = { .tv_nsec = ROUND_NSEC };
	_cleanup_free_ int *fds = calloc((size_t)argc, sizeof(*fds));
	sigset_t cont;
	int i, round;

	if (!fds)
		return -ENOMEM;
	for (i = 1; i < argc; i++)
		fds[i] = pidfd_open(atoi(argv[i]), 0);
	sigemptyset(&cont);
	sigaddset(&cont, SIGCONT);
	sigprocmask(SIG_BLOCK, &cont, NULL);
	/* being stopped ourselves interrupts it, with the signal that we wait for still to come */
	while (sigtimedwait(&cont, NULL, &limit) < 0)
		/* at the switch an initramfs is emptied; before, somebody may be in its shell */
		if (errno == EAGAIN && access("/etc/initrd-release", F_OK) < 0)
			return RESTORE_OK;
	for (round = 0; round < ROUNDS; round++) {
		for (i = 1; i < argc; i++)
			if (fds[i] >= 0)
				pidfd_send_signal(fds[i], SIGSTOP, NULL, 0);
		nanosleep(&pause, NULL);
	}
	return RESTORE_OK;
}
