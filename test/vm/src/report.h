/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report.h - results of a test program, one line each.
 *
 *	pass NAME
 *	fail NAME: reason
 *	skip NAME: reason
 *	note TEXT
 *	metric NAME VALUE UNIT
 *
 * Lines go to stdout and, when $REPORT names a file or a virtio port, there
 * too. The file is opened for every line: a port takes only one opener, and a
 * guest that dies must leave all the lines it got as far as.
 */
#ifndef TEST_VM_REPORT_H
#define TEST_VM_REPORT_H

void pass(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fail(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void skip(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void metric(const char *name, double value, const char *unit);

/* Lines go to stderr from now on: for programs whose stdout is data. */
void report_to_stderr(void);

/* Exit status of the program: 0 when nothing failed, else 1. */
int report_status(void);

/* Set-up that a test cannot do without: says what failed with errno, exits 2. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* "64m", "2g", "4096": bytes; dies on anything else. */
unsigned long long parse_bytes(const char *text);

#endif
