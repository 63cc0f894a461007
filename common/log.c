// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "log.h"

#define LOG_LINE_MAX 1024

static const char *program = "rebootless";
static bool verbose;
static log_sink sink;

void log_set_program(const char *name)
{
	program = name;
}

void log_set_verbose(bool on)
{
	verbose = on;
}

bool log_is_verbose(void)
{
	return verbose;
}

void log_set_sink(log_sink to)
{
	sink = to;
}

static void emit(enum log_level level, const char *text)
{
	if (sink) {
		sink(level, text);
		return;
	}
	switch (level) {
	case LOG_LEVEL_ERROR:
		fflush(stdout);
		fprintf(stderr, "%s: %s\n", program, text);
		break;
	case LOG_LEVEL_WARNING:
		fflush(stdout);
		fprintf(stderr, "%s: warning: %s\n", program, text);
		break;
	case LOG_LEVEL_DETAIL:
		if (!verbose)
			break;
		/* fall through */
	case LOG_LEVEL_INFO:
		printf("%s\n", text);
		break;
	}
}

void log_message(enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	emit(level, text);
}

int log_refusal(int err, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	emit(LOG_LEVEL_ERROR, text);
	return err;
}

int log_syserr(int err, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;
	size_t used;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	used = strlen(text);
	snprintf(text + used, sizeof(text) - used, ": %s", strerror(err));
	emit(LOG_LEVEL_ERROR, text);
	return -err;
}
