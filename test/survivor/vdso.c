// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that is in the vDSO half of its time, where CRIU must not capture it
 * (checkpoint/vdso.h). It does so only while there is a file `busy`, since it takes
 * all the time that its cgroup gives it, and not all who dump it look; it is there
 * hardly ever else. It rests when it has come through an update, where it would take
 * what the host needs to start: PID 1 takes its limit away until rebootless settles.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "survivor.h"

#define SECOND 1000000000LL
#define AT_A_TIME 10000
/* More of the wall clock than a thread that runs, or is frozen to be looked at, misses. */
#define UPDATE_SECONDS 20

static atomic_llong rounds;
static atomic_int went_back, ends;
static long long rounds_before;

static void *run(void *arg)
{
	const struct timespec pause = { 0, TICK_NS };
	long long last = 0, now;
	struct timespec ts;
	volatile int work;
	bool busy = false, asked, rests = false;
	time_t before, after = time(NULL);
	int i;

	while (!ends) {
		before = after;
		for (i = 0; i < (busy ? AT_A_TIME : 1); i++) {
			clock_gettime(CLOCK_MONOTONIC, &ts);
			now = ts.tv_sec * SECOND + ts.tv_nsec;
			if (now < last)
				went_back = 1;
			last = now;
			for (work = 0; work < 8; work++)
				;
		}
		rounds++;
		asked = !access(arg, F_OK);
		after = time(NULL);
		rests = asked && (rests || after - before > UPDATE_SECONDS);
		busy = asked && !rests;
		if (!busy)
			nanosleep(&pause, NULL);
	}
	return NULL;
}

static void set_up(void)
{
	static char busy[256];
	pthread_t thread;

	snprintf(busy, sizeof(busy), "%s", own_path("busy"));
	must(-pthread_create(&thread, NULL, run, busy));
}

static void check(void)
{
	const struct timespec pause = { 0, TICK_NS };
	int tries;

	/* it is given little time, and may have just been woken */
	for (tries = 0; tries < 100 && rounds == rounds_before; tries++)
		nanosleep(&pause, NULL);
	expect_true("a thread that reads the clock goes on", rounds != rounds_before);
	expect_true("the clock never goes back for it", !went_back);
	rounds_before = rounds;
}

static void sabotage(int which)
{
	switch (which) {
	case 1: ends = 1; nanosleep(&(struct timespec){ 1, 0 }, NULL); rounds_before = rounds; break;
	case 2: went_back = 1; break;
	}
}

const struct survivor survivor_vdso = {
	.name = "vdso",
	.keeps = "threads that are frozen while they read the clock",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 2,
};
