// SPDX-License-Identifier: GPL-2.0
/* Timers: setitimer, timer_create, timerfd; none may fire early, and intervals go on. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "survivor.h"

#define LONG 100000		/* seconds, never reached */
#define SHORT_NS 50000000

static timer_t far, often;
static int far_fd, expired_fd, absolute_fd;
static volatile unsigned int fired, last_value;
static time_t absolute;
static struct timespec started;
static long long stood;	/* seconds, in all checks so far */

static void handler(int sig, siginfo_t *info, void *context)
{
	fired++;
	last_value = info->si_value.sival_int;
}

/* A tick that nobody has read is carried as well. */
static void expire(void)
{
	struct itimerspec soon = { .it_value.tv_nsec = 1 };
	struct pollfd poll_tick = { .fd = expired_fd, .events = POLLIN };

	must(timerfd_settime(expired_fd, 0, &soon, NULL));
	while (poll(&poll_tick, 1, 1000) != 1)
		;
}

static void set_up(void)
{
	struct itimerval real = { .it_value.tv_sec = LONG, .it_interval.tv_sec = 7 };
	struct itimerval virtual = { .it_value.tv_sec = LONG / 2, .it_interval.tv_usec = 9 * 4000 };
	struct itimerspec far_spec = { .it_value.tv_sec = LONG, .it_interval.tv_sec = 5 };
	struct itimerspec often_spec = { .it_value.tv_nsec = SHORT_NS, .it_interval.tv_nsec = SHORT_NS };
	struct itimerspec at = { 0 };
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };

	must(clock_gettime(CLOCK_MONOTONIC, &started));
	must(setitimer(ITIMER_REAL, &real, NULL));
	must(setitimer(ITIMER_VIRTUAL, &virtual, NULL));
	must(timer_create(CLOCK_MONOTONIC, &event, &far));
	must(timer_settime(far, 0, &far_spec, NULL));
	must(sigaction(SIGRTMIN + 2, &action, NULL));
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGRTMIN + 2;
	event.sigev_value.sival_int = 4711;
	must(timer_create(CLOCK_MONOTONIC, &event, &often));
	must(timer_settime(often, 0, &often_spec, NULL));
	far_fd = must(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	must(timerfd_settime(far_fd, 0, &far_spec, NULL));
	expired_fd = must(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK));
	absolute_fd = must(timerfd_create(CLOCK_REALTIME, 0));
	absolute = time(NULL) + LONG;
	at.it_value.tv_sec = absolute;
	must(timerfd_settime(absolute_fd, TFD_TIMER_ABSTIME, &at, NULL));
	expire();
}

static void check_far(void)
{
	struct timespec now;
	struct itimerspec spec = { 0 };
	struct itimerval val = { 0 };
	long passed, most;

	clock_gettime(CLOCK_MONOTONIC, &now);
	passed = now.tv_sec - started.tv_sec;
	/* They stand still while CRIU works, even absolute ones: as long as we did. */
	stood += clock_gaps.monotonic / 1000000000;
	most = LONG - passed + stood + 15;
	expect_call("getitimer", getitimer(ITIMER_REAL, &val));
	expect_range("seconds left of ITIMER_REAL", LONG - passed - 15, most, val.it_value.tv_sec);
	expect_num("interval of ITIMER_REAL", 7, val.it_interval.tv_sec);
	expect_call("getitimer", getitimer(ITIMER_VIRTUAL, &val));
	expect_range("seconds left of ITIMER_VIRTUAL", LONG / 2 - passed - 15, LONG / 2 + 60, val.it_value.tv_sec);
	expect_num("interval of ITIMER_VIRTUAL", 36000, val.it_interval.tv_usec);
	if (expect_call("timer_gettime", timer_gettime(far, &spec))) {
		expect_range("seconds left of a timer", LONG - passed - 15, most,
			     spec.it_value.tv_sec);
		expect_num("interval of a timer", 5, spec.it_interval.tv_sec);
	}
	memset(&spec, 0, sizeof(spec));
	if (expect_call("timerfd_gettime", timerfd_gettime(far_fd, &spec))) {
		expect_range("seconds left of a timerfd", LONG - passed - 15, most,
			     spec.it_value.tv_sec);
		expect_num("interval of a timerfd", 5, spec.it_interval.tv_sec);
	}
	memset(&spec, 0, sizeof(spec));
	expect_call("timerfd_gettime", timerfd_gettime(absolute_fd, &spec));
	expect_range("seconds left of an absolute timerfd", absolute - time(NULL) - 5,
		     absolute - time(NULL) + 3600, spec.it_value.tv_sec);
}

static void check(void)
{
	uint64_t count = 0;
	unsigned int before = fired;

	check_far();
	for (int ms = 0; fired < before + 3 && ms < 10000; ms++)
		usleep(1000);
	expect_range("signals of a timer", before + 3, before + 1000000, fired);
	expect_num("value of a timer's signal", 4711, last_value);
	expect_num("unread tick of a timerfd", sizeof(count), read(expired_fd, &count, sizeof(count)));
	expect_num("ticks of a timerfd", 1, count);
	expect_num("no more ticks of a timerfd", -1, read(expired_fd, &count, sizeof(count)));
	expire();
}

static void sabotage(int which)
{
	struct itimerval none = { 0 };
	struct itimerspec nothing = { 0 }, late = { .it_value.tv_sec = 2 * LONG, .it_interval.tv_sec = 5 };

	switch (which) {
	case 1: setitimer(ITIMER_REAL, &none, NULL); break;
	case 2: setitimer(ITIMER_VIRTUAL, &none, NULL); break;
	case 3: timer_delete(far); break;
	case 4: timer_settime(often, 0, &nothing, NULL); break;
	case 5: timerfd_settime(far_fd, 0, &late, NULL); break;
	case 6: timerfd_settime(expired_fd, 0, &late, NULL); break;
	case 7: timerfd_settime(absolute_fd, 0, &late, NULL); break;
	}
}

const struct survivor survivor_timers = {
	.name = "timers",
	.keeps = "setitimer, timer_create, timerfd: time left, intervals, an unread tick",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 7,
};
