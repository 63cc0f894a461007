/* SPDX-License-Identifier: GPL-2.0 */
/*
 * findings.h - what a check has to say: against an update as a whole, or
 * against carrying one container, by process and file.
 */
#ifndef REBOOTLESS_FINDINGS_H
#define REBOOTLESS_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct finding {
	bool warning;		/* does not forbid */
	char *container;	/* NULL: of the whole host */
	pid_t pid;		/* 0: of no one process */
	char comm[16];		/* its name, "" = not known */
	char *text;		/* what is wrong, and what to do */
};

struct findings {
	struct finding *finding;
	size_t nr;
};

/* A failure to allocate is logged, and counts as a finding (findings_refuse() says yes). */
void findings_add(struct findings *f, const char *container, pid_t pid, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void findings_warn(struct findings *f, const char *container, pid_t pid, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Is there anything but warnings? container NULL = at all. */
bool findings_refuse(const struct findings *f, const char *container);
/* Every finding as one message: errors as errors, warnings as warnings. */
void findings_log(const struct findings *f);
void findings_free(struct findings *f);
#define _cleanup_findings_ __attribute__((cleanup(findings_free)))

#endif
