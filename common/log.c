// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "log.h"

#define LOG_LINE_MAX 1024

static const char *program = "rebootless";
static bool verbose;
static log_sink sink;
static int file = -1;

/* Messages that are held: level, text and NUL, one after the other. */
static bool held;
static char kept[16384];
static size_t kept_bytes;

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

void log_set_file(int fd)
{
	file = fd;
}

/* Details too, verbose or not: what is not on the screen is looked for there. */
static void write_file(enum log_level level, const char *text)
{
	static const char *const words[] = { "error: ", "warning: ", "", "" };
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	dprintf(file, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s: %s%s\n", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		now.tv_nsec / 1000000, program, words[level], text);
}

static void keep(enum log_level level, const char *text)
{
	size_t length = strlen(text) + 1;

	if (kept_bytes + 1 + length > sizeof(kept))
		return;
	kept[kept_bytes++] = (char)level;
	memcpy(kept + kept_bytes, text, length);
	kept_bytes += length;
}

void log_make_plain(char *text)
{
	for (; *text; text++)
		*text = log_plain(*text);
}

static void emit(enum log_level level, char *text)
{
	log_make_plain(text);
	if (held) {
		keep(level, text);
		return;
	}
	if (file >= 0)
		write_file(level, text);
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
		fflush(stdout);
		break;
	}
}

void log_hold(bool hold)
{
	size_t at;

	held = hold;
	if (hold)
		return;
	for (at = 0; at < kept_bytes; at += strlen(kept + at) + 1) {
		enum log_level level = (enum log_level)kept[at++];

		emit(level, kept + at);
	}
	kept_bytes = 0;
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
