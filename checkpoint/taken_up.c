// SPDX-License-Identifier: GPL-2.0
/*
 * The work is done in a child: whatever becomes of it, those that it has stopped run on
 * when it ends, and CRIU finds them without a tracer.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint/sleeping_call.h"
#include "checkpoint/taken_up.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/processes.h"

#define STACK_MAX 4096
/* One that sleeps stops at once; if it has begun something else it may not. */
#define STOP_MS 200
#define CLOCKS_MAX 4096		/* no address of a program is as low */

/* Its first argument, which stays as it was, if it has been taken up. */
static bool is_taken_up(pid_t pid, pid_t tid, unsigned long *first)
{
	char path[64], text[256];
	long call;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", (int)pid, (int)tid);
	return file_read(path, text, sizeof(text)) > 0 && sscanf(text, "%ld %lx", &call, first) == 2 &&
	       call == CALL_TAKEN_UP;
}

static bool is_entry(const char *line)
{
	return !*line || strcasestr(line, "syscall") || strstr(line, "sys_call") || strstr(line, "fred_");
}

/*
 * In what it sleeps, 0 = unknown (kernel: do_restart_poll(), futex_wait_restart(),
 * hrtimer_nanosleep_restart()). A stack leaves out what belongs to the scheduler, and
 * that are the sleeps: nothing but the entry is seen of them. Of those nanosleep(2)
 * begins with an address, clock_nanosleep(2) with the number of a clock.
 */
static long which_call(pid_t pid, pid_t tid, unsigned long first)
{
	char path[64], stack[STACK_MAX], *line, *rest = stack;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stack", (int)pid, (int)tid);
	if (file_read(path, stack, sizeof(stack)) <= 0)
		return 0;
	if (strstr(stack, " do_restart_poll+") || strstr(stack, " do_sys_poll+"))
		return SYS_poll;
	if (strstr(stack, " futex_wait_restart+") || strstr(stack, " futex_wait+"))
		return SYS_futex;
	while ((line = strsep(&rest, "\n")))
		if (!is_entry(line))
			return 0;
	return first < CLOCKS_MAX ? SYS_clock_nanosleep : SYS_nanosleep;
}

/* Its state as waitpid(2) tells it, 0 = it did not stop. */
static int stop(pid_t tid)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	int status, i;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0)
		return 0;
	for (i = 0; i < STOP_MS; i++) {
		if (waitpid(tid, &status, __WALL | WNOHANG) == tid)
			return WIFSTOPPED(status) ? status : 0;
		nanosleep(&ms, NULL);
	}
	return 0;
}

static bool make_again(pid_t pid, pid_t tid, unsigned long first)
{
	const long call = which_call(pid, tid, first);
	const int status = call ? stop(tid) : 0;
	long signal = 0;
	bool done = false;

	if (!status)
		return false;
	if (status >> 16 != PTRACE_EVENT_STOP)
		signal = WSTOPSIG(status);	/* one that came at the same time, for it */
	else if (WSTOPSIG(status) == SIGTRAP)
		done = sleeping_call_once_more(pid, tid, call);
	ptrace(PTRACE_DETACH, tid, NULL, signal);
	return done;
}

static int make_all_again(pid_t pid)
{
	_cleanup_free_ pid_t *tids = NULL;
	unsigned long first;
	size_t nr = 0, i;
	int done = 0;

	if (process_threads(pid, &tids, &nr))
		return 0;
	for (i = 0; i < nr; i++)
		if (is_taken_up(pid, tids[i], &first) && make_again(pid, tids[i], first))
			done++;
	return done;
}

static void in_container(const struct container *c)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t nr = 0, i;
	int done = 0;

	if (process_descendants(c->pid, &pids, &nr))
		return;
	for (i = 0; i < nr; i++)
		done += make_all_again(pids[i]);
	if (done)
		log_detail("container %s: %d sleeping threads had been interrupted before", c->name, done);
}

void taken_up_make_again(const struct containers *list)
{
	const struct container *c;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0) {
		log_syserr(errno, "cannot look at the threads that sleep");
		return;
	}
	if (!child) {
		for (c = list->container; c < list->container + list->nr; c++)
			if (c->state == CONTAINER_RUNNING)
				in_container(c);
		fflush(stdout);
		_exit(0);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}
