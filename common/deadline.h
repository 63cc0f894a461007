/* SPDX-License-Identifier: GPL-2.0 */
/*
 * deadline.h - limits of time, by the clock that no administrator sets.
 * In milliseconds; DEADLINE_NONE never passes.
 */
#ifndef REBOOTLESS_DEADLINE_H
#define REBOOTLESS_DEADLINE_H

#include <stdint.h>
#include <time.h>

#define DEADLINE_NONE INT64_MAX

static inline int64_t deadline_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline int64_t deadline_in(unsigned int seconds)
{
	return deadline_now() + (int64_t)seconds * 1000;
}

/* 0 = it has passed; for poll(): -1 = there is none. */
static inline int deadline_left(int64_t deadline)
{
	int64_t left;

	if (deadline == DEADLINE_NONE)
		return -1;
	left = deadline - deadline_now();
	if (left < 0)
		return 0;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

#endif
