/* SPDX-License-Identifier: GPL-2.0 */
/*
 * log.h - messages for people.
 *
 * House rule: the function that detects a failure logs it, once, saying what
 * it was doing and to what; its callers only hand the -errno on.
 *
 * Errors go to standard error, everything else to standard output. A test can
 * put itself in between with log_set_sink().
 */
#ifndef REBOOTLESS_LOG_H
#define REBOOTLESS_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,	/* it failed, and why */
	LOG_LEVEL_WARNING,	/* it goes on, but somebody should know */
	LOG_LEVEL_INFO,		/* what was done */
	LOG_LEVEL_DETAIL,	/* only with -v */
};

typedef void (*log_sink)(enum log_level level, const char *text);

/* Name in front of errors and warnings; must live on. */
void log_set_program(const char *name);
void log_set_verbose(bool verbose);
bool log_is_verbose(void);
/* NULL: back to standard output and standard error. */
void log_set_sink(log_sink sink);

/*
 * While held, messages are kept in memory: for when standard output may be a
 * file on a disk that is frozen. Let go, they are written in their order. What
 * does not fit into 16 KiB is lost.
 */
void log_hold(bool hold);

/*
 * Write every message to this file as well, with the time (UTC) in front;
 * -1: to none. The descriptor stays the caller's.
 */
void log_set_file(int fd);

void log_message(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Log a refusal and return err (negative), for `return log_refusal(-EINVAL, ...)`. */
int log_refusal(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for a call that failed with errno: ": strerror" is added. Returns -err. */
int log_syserr(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_detail(...) log_message(LOG_LEVEL_DETAIL, __VA_ARGS__)

/*
 * Control characters become '?': what a container calls its processes and files is
 * not to write lines of its own, or to the terminal. Every message has been through it.
 */
static inline char log_plain(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f ? '?' : c;
}

void log_make_plain(char *text);

#endif
