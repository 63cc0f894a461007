// SPDX-License-Identifier: GPL-2.0
/* signalfd: its mask, and signals that wait in it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "survivor.h"

static int fd;

static void queue_them(void)
{
	must(sigqueue(getpid(), SIGRTMIN + 5, (union sigval){ .sival_int = 31 }));
	must(sigqueue(getpid(), SIGRTMIN + 5, (union sigval){ .sival_int = 32 }));
}

static void set_up(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 5);
	sigaddset(&set, SIGTTIN);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	fd = must(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
	queue_them();
}

static void expect_signal(int number, int value)
{
	struct signalfd_siginfo info = { 0 };

	expect_num("read", sizeof(info), read(fd, &info, sizeof(info)));
	expect_num("signal", number, info.ssi_signo);
	expect_num("its value", value, info.ssi_int);
	expect_num("its sender", getpid(), info.ssi_pid);
}

static void check(void)
{
	struct signalfd_siginfo info;

	expect_signal(SIGRTMIN + 5, 31);
	expect_signal(SIGRTMIN + 5, 32);
	expect_num("read of nothing", -1, read(fd, &info, sizeof(info)));
	expect_num("its error", EAGAIN, errno);
	kill(getpid(), SIGTTIN);
	expect_signal(SIGTTIN, 0);
	queue_them();
}

static void sabotage(int which)
{
	struct signalfd_siginfo info;
	sigset_t set;

	switch (which) {
	case 1: read(fd, &info, sizeof(info)); break;
	case 2:
		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN + 5);
		signalfd(fd, &set, 0);
		break;
	case 3: close(fd); break;
	}
}

const struct survivor survivor_signalfd = {
	.name = "signalfd",
	.keeps = "signalfd: its mask, and signals that wait in it",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
};
