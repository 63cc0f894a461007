// SPDX-License-Identifier: GPL-2.0
/* Clocks: monotonic ones never jump back and leave the blackout out, real time goes on. */
#include <time.h>

#include "survivor.h"

#define SECOND 1000000000LL
#define SLACK (60 * SECOND)

static long long started;
static volatile long long harm;

static long long now(clockid_t clock)
{
	struct timespec ts = { 0 };

	expect_call("clock_gettime", clock_gettime(clock, &ts));
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

/*
 * The longest pause that a clock without the blackout may show, ns. The dump
 * until CRIU reads the clocks and the restore from when it has set them do
 * count, and have no limit on a busy machine; starting a kernel does not.
 */
static long long longest_pause(void)
{
	long long without_kernel = clock_gaps.realtime - SECOND;

	return without_kernel > SLACK ? without_kernel : SLACK;
}

static void set_up(void)
{
	started = now(CLOCK_MONOTONIC);
}

static void check(void)
{
	long long monotonic = now(CLOCK_MONOTONIC), cpu = now(CLOCK_THREAD_CPUTIME_ID);
	long long raw = now(CLOCK_MONOTONIC_RAW);
	struct timespec ts;

	monotonic += harm;
	expect_range("longest pause by CLOCK_MONOTONIC, ms", 0, longest_pause() / 1000000,
		     (clock_gaps.monotonic + harm) / 1000000);
	expect_range("longest pause by CLOCK_BOOTTIME, ms", 0, longest_pause() / 1000000,
		     clock_gaps.boottime / 1000000);
	expect_range("longest pause by CLOCK_REALTIME, ms", 0, 3600 * 1000LL,
		     clock_gaps.realtime / 1000000);
	/* Set later than 2020: nobody gave us the time of a machine without a clock. */
	expect_range("CLOCK_REALTIME", 1577836800, 1LL << 40, time(NULL));
	expect_range("CLOCK_MONOTONIC", started, clock_gaps.last_monotonic + SLACK, monotonic);
	expect_range("CLOCK_MONOTONIC_RAW goes", raw, raw + SLACK, now(CLOCK_MONOTONIC_RAW));
	expect_range("CPU time", 0, 1LL << 50, cpu);
	expect_call("CLOCK_MONOTONIC_COARSE", clock_gettime(CLOCK_MONOTONIC_COARSE, &ts));
	expect_range("coarse against fine, ms", -1000, SLACK / 1000000,
		     (now(CLOCK_MONOTONIC) - (ts.tv_sec * SECOND + ts.tv_nsec)) / 1000000);
}

static void sabotage(int which)
{
	switch (which) {
	case 1: harm = 2 * SLACK; break;
	case 2: clock_gaps.went_back = true; break;
	case 3: clock_gaps.boottime = 2 * SLACK; break;
	case 4: started = now(CLOCK_MONOTONIC) + SECOND; break;
	}
}

const struct survivor survivor_clocks = {
	.name = "clocks",
	.keeps = "CLOCK_MONOTONIC and BOOTTIME: not back, without the blackout; CLOCK_REALTIME goes on",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
};
