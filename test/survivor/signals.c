// SPDX-License-Identifier: GPL-2.0
/* Signals: handlers, ignored, blocked, pending ones in their order and with values, the stack. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "survivor.h"

#define QUEUED 5
#define STACK 65536

static char *stack;
static volatile int handled, on_stack;
static struct sigaction noted[65];

static void handler(int sig, siginfo_t *info, void *context)
{
	char here;

	on_stack = &here >= stack && &here < stack + STACK;
	handled = info->si_value.sival_int;
}

static void queue_them(void)
{
	for (int i = 0; i < QUEUED; i++)
		must(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 100 + i }));
	must(kill(getpid(), SIGUSR2));
	/* To the thread, not to the process */
	must(syscall(SYS_tgkill, getpid(), getpid(), SIGWINCH));
}

static void set_up(void)
{
	struct sigaction action = { .sa_sigaction = handler };
	stack_t altstack = { .ss_size = STACK };
	sigset_t blocked;

	stack = malloc(STACK);
	altstack.ss_sp = stack;
	must(sigaltstack(&altstack, NULL));
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	sigaddset(&action.sa_mask, SIGHUP);
	must(sigaction(SIGRTMIN + 3, &action, NULL));
	action.sa_flags = SA_SIGINFO | SA_NODEFER;
	must(sigaction(SIGURG, &action, NULL));
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigaddset(&blocked, SIGWINCH);
	sigaddset(&blocked, SIGRTMIN + 1);
	must(sigprocmask(SIG_BLOCK, &blocked, NULL));
	for (int i = 1; i <= 64; i++)
		sigaction(i, NULL, &noted[i]);
	queue_them();
}

static void check_pending(void)
{
	sigset_t pending, one;
	siginfo_t info;
	const struct timespec none = { 0 };

	expect_call("sigpending", sigpending(&pending));
	expect_num("SIGUSR2 is pending", 1, sigismember(&pending, SIGUSR2));
	expect_num("SIGWINCH is pending", 1, sigismember(&pending, SIGWINCH));
	for (int i = 0; i < QUEUED; i++) {
		sigemptyset(&one);
		sigaddset(&one, SIGRTMIN + 1);
		memset(&info, 0, sizeof(info));
		if (!expect_call("queued signal", sigtimedwait(&one, &info, &none)))
			break;
		expect_num("value of a queued signal", 100 + i, info.si_value.sival_int);
		expect_num("code of a queued signal", SI_QUEUE, info.si_code);
		expect_num("sender of a queued signal", getpid(), info.si_pid);
	}
	expect_num("signals queued beyond", -1, sigtimedwait(&one, &info, &none));
	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	sigaddset(&one, SIGWINCH);
	while (sigtimedwait(&one, &info, &none) > 0)
		;
}

static void check(void)
{
	struct sigaction action;
	stack_t altstack;
	sigset_t blocked;

	for (int i = 1; i <= 64; i++) {
		if (sigaction(i, NULL, &action))
			continue;
		expect_num("handler", (long)noted[i].sa_sigaction, (long)action.sa_sigaction);
		expect_num("flags of a handler", noted[i].sa_flags, action.sa_flags);
		/* As many words as the kernel knows of */
		expect_bytes("mask of a handler", &noted[i].sa_mask, &action.sa_mask, 8);
	}
	expect_call("sigprocmask", sigprocmask(SIG_BLOCK, NULL, &blocked));
	expect_num("SIGUSR2 is blocked", 1, sigismember(&blocked, SIGUSR2));
	expect_num("SIGTERM is blocked", 0, sigismember(&blocked, SIGTERM));
	expect_call("sigaltstack", sigaltstack(NULL, &altstack));
	expect_num("signal stack", (long)stack, (long)altstack.ss_sp);
	expect_num("size of the signal stack", STACK, altstack.ss_size);
	check_pending();
	handled = on_stack = 0;
	expect_call("sigqueue", sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 7 }));
	expect_num("value seen by the handler", 7, handled);
	expect_num("handler ran on its stack", 1, on_stack);
	queue_them();
}

static void sabotage(int which)
{
	sigset_t one;
	stack_t none = { .ss_flags = SS_DISABLE };

	sigemptyset(&one);
	switch (which) {
	case 1: signal(SIGRTMIN + 3, SIG_IGN); break;
	case 2: signal(SIGPIPE, SIG_DFL); break;
	case 3: sigaddset(&one, SIGRTMIN + 1); sigwaitinfo(&one, NULL); break;
	case 4: sigaddset(&one, SIGUSR2); sigwaitinfo(&one, NULL); break;
	case 5: sigaddset(&one, SIGTERM); sigprocmask(SIG_BLOCK, &one, NULL); break;
	case 6: sigaltstack(&none, NULL); break;
	}
}

const struct survivor survivor_signals = {
	.name = "signals",
	.keeps = "handlers, ignored, blocked and pending signals with values, the signal stack",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 6,
};
