/* SPDX-License-Identifier: GPL-2.0 */
/*
 * harness.h - what the unit tests share: messages are caught, the first
 * complaint of a test is kept, and each prints `pass NAME` or `fail NAME: why`.
 */
#ifndef TEST_HARNESS_H
#define TEST_HARNESS_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

static char said[16384];	/* all messages since the test began */
static char why[1024];
static unsigned int failed;

static void sink(enum log_level level, const char *text)
{
	size_t used = strlen(said);

	(void)level;
	snprintf(said + used, sizeof(said) - used, "%s\n", text);
}

static void begin(void)
{
	said[0] = why[0] = '\0';
}

__attribute__((format(printf, 1, 2))) static void complain(const char *fmt, ...)
{
	va_list ap;

	if (why[0])
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
}

static void end(const char *name)
{
	if (!why[0]) {
		printf("pass %s\n", name);
		return;
	}
	printf("fail %s: %s\n", name, why);
	failed++;
}

static inline void expect_u64(const char *what, uint64_t found, uint64_t expected)
{
	if (found != expected)
		complain("%s is 0x%" PRIx64 ", expected 0x%" PRIx64, what, found, expected);
}

#define EXPECT(expr, expected) expect_u64(#expr, (uint64_t)(expr), (uint64_t)(expected))

static inline void expect_said(const char *text)
{
	if (!strstr(said, text))
		complain("said \"%.600s\", expected \"%.200s\" in it", said, text);
}

/* A call that must be refused with err and a message that contains text. */
static inline void expect_refused(int ret, int err, const char *text)
{
	if (ret != err)
		complain("returned %d, expected %d; said: %.600s", ret, err, said);
	else
		expect_said(text);
}

static inline void expect_ok(int ret)
{
	if (ret)
		complain("returned %d and said: %.600s", ret, said);
}

#endif
