// SPDX-License-Identifier: GPL-2.0
/*
 * System calls that sleep: none may end because somebody was frozen, and what wakes
 * them wakes them still. An update of ours keeps that (checkpoint/criu-plugin.c) where
 * no signals are handled; CRIU by itself lets those that the kernel would take up again
 * end with EINTR.
 */
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "survivor.h"

#define LONG 1000000		/* seconds, never reached */
#define WAKES_MS 20000

static int fd[2][2];		/* a pipe for each poll */
static volatile uint32_t word[2];

static long plain_sleep(void)
{
	struct timespec ts = { LONG, 0 };

	return syscall(SYS_nanosleep, &ts, NULL);
}

static long sleep_with_rest(void)
{
	struct timespec ts = { LONG, 0 };
	long ret = syscall(SYS_nanosleep, &ts, &ts);

	expect_range("rest of a sleep", 1, LONG, ts.tv_sec);
	return ret;
}

static long sleep_by_clock(void)
{
	struct timespec ts = { LONG, 0 }, rest;

	return syscall(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &ts, &rest);
}

static long sleep_until(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += LONG;
	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static long poll_pipe(int i, int ms)
{
	struct pollfd p = { fd[i][0], POLLIN, 0 };
	char byte;
	long ret = syscall(SYS_poll, &p, 1, ms);

	if (ret == 1)
		ret = read(fd[i][0], &byte, 1) == 1 ? 0 : -1;
	return ret;
}

static long poll_for_ever(void)
{
	return poll_pipe(0, -1);
}

static long poll_with_limit(void)
{
	return poll_pipe(1, LONG * 1000);
}

/* The word changes before it is woken: EAGAIN is as good. */
static long wait_in_futex(int i, int op, const struct timespec *limit)
{
	long ret = syscall(SYS_futex, &word[i], op, word[i], limit, NULL, FUTEX_BITSET_MATCH_ANY);

	return ret < 0 && errno == EAGAIN ? 0 : ret;
}

static long futex_with_limit(void)
{
	struct timespec ts = { LONG, 0 };

	return wait_in_futex(0, FUTEX_WAIT_PRIVATE, &ts);
}

static long futex_until(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += LONG;
	return wait_in_futex(1, FUTEX_WAIT_BITSET_PRIVATE, &ts);
}

static struct {
	const char *what;
	long (*call)(void);
	bool can_be_woken;
	pthread_t thread;
	volatile unsigned int woken;
	volatile int error;	/* what it ended with, -1: as if its time were over */
} sleeps[] = {
	{ "nanosleep", plain_sleep },
	{ "nanosleep that says what is left", sleep_with_rest },
	{ "clock_nanosleep", sleep_by_clock },
	{ "clock_nanosleep until then", sleep_until },
	{ "poll", poll_for_ever, true },
	{ "poll with a limit", poll_with_limit, true },
	{ "futex with a limit", futex_with_limit, true },
	{ "futex until then", futex_until, true },
};

#define NR (int)(sizeof(sleeps) / sizeof(*sleeps))

static void handler(int sig)
{
}

static void *run(void *arg)
{
	int i = (long)arg;

	for (;;) {
		long ret = sleeps[i].call();

		if (ret < 0)
			sleeps[i].error = errno;
		else if (!sleeps[i].can_be_woken)
			sleeps[i].error = -1;
		else
			sleeps[i].woken++;
	}
	return NULL;
}

static void set_up(void)
{
	must(pipe(fd[0]));
	must(pipe(fd[1]));
	for (long i = 0; i < NR; i++)
		must(-pthread_create(&sleeps[i].thread, NULL, run, (void *)i));
}

static void wake_all(void)
{
	for (int i = 0; i < 2; i++) {
		expect_call("write", write(fd[i][1], "", 1));
		word[i]++;
		expect_call("wake", syscall(SYS_futex, &word[i], FUTEX_WAKE_PRIVATE, 1));
	}
}

static void check(void)
{
	unsigned int before[NR];
	int ms = 0;

	for (int i = 0; i < NR; i++) {
		before[i] = sleeps[i].woken;
		if (sleeps[i].error)
			expect_text(sleeps[i].what, "it goes on",
				    sleeps[i].error < 0 ? "its end" : strerror(sleeps[i].error));
	}
	wake_all();
	for (int i = 0; i < NR; i++) {
		for (; sleeps[i].can_be_woken && sleeps[i].woken == before[i] && ms < WAKES_MS; ms += 10)
			usleep(10000);
		expect_num(sleeps[i].what, before[i] + sleeps[i].can_be_woken, sleeps[i].woken);
		sleeps[i].error = 0;
	}
}

static void sabotage(int which)
{
	static const int harmed[] = { 0, 1, 2, 3, 5, 7 };
	struct sigaction action = { .sa_handler = handler };	/* without SA_RESTART */
	int i = harmed[which - 1];

	sigaction(SIGUSR1, &action, NULL);
	/* as often as needed: it may not sleep yet */
	for (int ms = 0; !sleeps[i].error && ms < WAKES_MS; ms += 10) {
		pthread_kill(sleeps[i].thread, SIGUSR1);
		usleep(10000);
	}
}

const struct survivor survivor_sleeps = {
	.name = "sleeps",
	.keeps = "nanosleep, poll and futex that sleep: none ends early",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 6,
};
