/* SPDX-License-Identifier: GPL-2.0 */
/*
 * run.h - running other programs: an argv, never a shell. Of our environment they
 * get PATH (a usual one when there is none), LANG, LC_ALL, TERM and TZ.
 */
#ifndef REBOOTLESS_RUN_H
#define REBOOTLESS_RUN_H

#include <stddef.h>
#include <sys/types.h>

struct run_options {
	const char *log;	/* file that takes its output (appended); NULL = ours */
	/* Runs in the child before the exec; not 0: the child ends with status 126. */
	int (*in_child)(void *arg);
	void *arg;
};

/* Start; standard input is /dev/null, it dies with us only if it wants to. The pid or -errno (logged). */
pid_t run_start(char *const *argv, const struct run_options *options);

/*
 * Wait for it. Returns its exit status (128 + N when signal N ended it), or
 * -ETIMEDOUT when `seconds` (0 = no limit) have passed: it is then killed with
 * all of its process group.
 */
int run_wait(pid_t pid, unsigned int seconds);

/* Both. A status other than 0 is for the caller to log. */
int run(char *const *argv, const struct run_options *options, unsigned int seconds);

/*
 * Run and take what it says on standard output (allocated, NUL-ended, at most
 * 16 MiB). 0, its exit status, or -errno (logged).
 */
int run_read(char *const *argv, unsigned int seconds, char **output);

#endif
