/* SPDX-License-Identifier: GPL-2.0 */
/*
 * jobs.h - one command per container, several at a time, in the order that the
 * containers ask for, each within its time; CRIU may be held at the end.
 *
 * Dumps and restores are both this. A job is over for those that wait for it
 * when it is held, done or failed.
 */
#ifndef REBOOTLESS_JOBS_H
#define REBOOTLESS_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/engine.h"

/* CRIU's action before it has saved anything; it has none there for the host's network. */
#define LOOK_ACTION "network-lock"

enum job_state {
	JOB_WAITING,	/* for others, or for its turn */
	JOB_RUNNING,
	JOB_HELD,	/* its CRIU waits for the answer */
	JOB_DONE,	/* ended with status 0 */
	JOB_FAILED,	/* not started, ended otherwise, or out of time */
};

struct job {
	struct container *container;
	struct image_dirs dirs;
	enum job_state state;
	pid_t pid;
	int pidfd;		/* -1 when it does not run */
	int held;		/* connection of its hold, -1 = none */
	int64_t deadline;	/* CLOCK_MONOTONIC, ms */
	int status;		/* of its command; -errno: not started; -ETIMEDOUT */
	unsigned int again;	/* how often it was started anew */
	bool is_refused;	/* look() has refused it: it ends soon, as one that fails */
};

struct jobs {
	struct job *job;
	size_t nr;
	unsigned int parallel;		/* running at a time, at least 1 */
	unsigned int seconds;		/* that one may run until it is held or ends */
	bool dependents_first;		/* dumps: the reverse order of restores */
	bool stop_at_failure;		/* start no more after one has failed */
	const char *hold;		/* CRIU's action to be held at, NULL = none */

	/*
	 * May be NULL. CRIU has all tasks stopped, at LOOK_ACTION or at the hold. false:
	 * it is to let them run on, and when its command has ended it is started anew,
	 * `tries` times in all.
	 */
	bool (*look)(struct job *job, void *arg);
	unsigned int tries;
	/* May be NULL. Called ten times a second for each that runs. */
	void (*running)(struct job *job, void *arg);
	/* Start the command: the pid, or -errno (logged). */
	pid_t (*start)(struct job *job, void *arg);
	/* A job has become HELD, DONE or FAILED. */
	void (*event)(struct job *job, void *arg);
	void *arg;
};

/* A job for each container of the list (`only` NULL) or for those named; directories are made. */
int jobs_make(struct jobs *jobs, struct containers *list, char *const *only, const char *store);
void jobs_free(struct jobs *jobs);
#define _cleanup_jobs_ __attribute__((cleanup(jobs_free)))

/*
 * Run until every job is HELD, DONE or FAILED. 0; -ECANCELED when one failed
 * (event() said why); -errno (logged) when it could not be done.
 */
int jobs_run(struct jobs *jobs);

/*
 * Answer all that are held, and wait for all commands to end; those that have
 * not come to the hold yet are let to come there, and killed when their time
 * is over. After it every job is DONE or FAILED, without event().
 */
void jobs_answer(struct jobs *jobs, bool go_on);

#endif
