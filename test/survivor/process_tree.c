// SPDX-License-Identifier: GPL-2.0
/* The process tree: parents, sessions, groups, zombies, a stopped child, orphans. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "survivor.h"

enum { CHILD, GRANDCHILD, LEADER, MEMBER, ORPHAN, ZOMBIE, KILLED, STOPPED, NR };

static const char *const names[NR] = {
	"child", "grandchild", "session leader", "group member", "orphan",
	"zombie", "killed zombie", "stopped child",
};

static struct {
	pid_t pid, ppid, pgid, sid;
	char state;
} *note;	/* shared by all; the last one is the survivor itself */

static void live(int which)
{
	/* Else the end of the parent between would be its own. */
	while (which == ORPHAN && getppid() != note[NR].pid)
		usleep(1000);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	note[which].pid = getpid();
	for (;;)
		pause();
}

static void set_up(void)
{
	pid_t me = getpid(), pid;

	note = must_map(mmap(NULL, sizeof(*note) * (NR + 1), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0), "mmap");
	if (*proc_status(me, "Pid") == 0)
		survivor_skip("no /proc here");
	note[NR].pid = me;
	/* The orphan becomes our child. */
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	if (!must(fork())) {
		if (!must(fork()))
			live(GRANDCHILD);
		live(CHILD);
	}
	if (!must(fork())) {
		setsid();
		if (!must(fork())) {
			setpgid(0, 0);
			live(MEMBER);
		}
		live(LEADER);
	}
	pid = must(fork());
	if (!pid) {
		if (!must(fork()))
			live(ORPHAN);
		_exit(0);
	}
	must(waitpid(pid, NULL, 0));
	pid = must(fork());
	if (pid)
		note[ZOMBIE].pid = pid;
	else
		_exit(42);
	pid = must(fork());
	if (pid)
		note[KILLED].pid = pid;
	else {
		raise(SIGKILL);
		_exit(0);
	}
	pid = must(fork());
	if (pid)
		note[STOPPED].pid = pid;
	else {
		note[STOPPED].pid = getpid();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		raise(SIGSTOP);
		live(STOPPED);
	}
	for (int i = 0; i < NR; i++) {
		char wanted = i == ZOMBIE || i == KILLED ? 'Z' : i == STOPPED ? 'T' : 'S';

		/* The orphan has its parent when the parent between is gone. */
		while (!note[i].pid || proc_state(note[i].pid) != wanted ||
		       (i == ORPHAN && proc_stat(note[i].pid, 4) != me))
			usleep(1000);
		note[i].state = wanted;
		note[i].ppid = proc_stat(note[i].pid, 4);
		note[i].pgid = proc_stat(note[i].pid, 5);
		note[i].sid = proc_stat(note[i].pid, 6);
	}
}

static void expect_wait(int which, int options, int code, int status)
{
	siginfo_t info = { 0 };

	/* Left to be waited for again. */
	if (!expect_call(names[which], waitid(P_PID, note[which].pid, &info, options | WNOWAIT | WNOHANG)))
		return;
	expect_num(names[which], note[which].pid, info.si_pid);
	expect_num("why it can be waited for", code, info.si_code);
	expect_num("its status", status, info.si_status);
}

static void check(void)
{
	char what[64];
	int subreaper = 0;

	for (int i = 0; i < NR; i++) {
		snprintf(what, sizeof(what), "state of %s", names[i]);
		expect_num(what, note[i].state, proc_state(note[i].pid));
		snprintf(what, sizeof(what), "parent of %s", names[i]);
		expect_num(what, note[i].ppid, proc_stat(note[i].pid, 4));
		snprintf(what, sizeof(what), "group of %s", names[i]);
		expect_num(what, note[i].pgid, proc_stat(note[i].pid, 5));
		snprintf(what, sizeof(what), "session of %s", names[i]);
		expect_num(what, note[i].sid, proc_stat(note[i].pid, 6));
	}
	expect_wait(ZOMBIE, WEXITED, CLD_EXITED, 42);
	expect_wait(KILLED, WEXITED, CLD_KILLED, SIGKILL);
	expect_wait(STOPPED, WSTOPPED, CLD_STOPPED, SIGSTOP);
	expect_call("subreaper", prctl(PR_GET_CHILD_SUBREAPER, &subreaper));
	expect_num("subreaper", 1, subreaper);
}

static void sabotage(int which)
{
	static const int victims[] = { GRANDCHILD, MEMBER, ORPHAN };

	switch (which) {
	case 1: case 2: case 3:
		kill(note[victims[which - 1]].pid, SIGKILL);
		usleep(50000);
		break;
	case 4: waitpid(note[ZOMBIE].pid, NULL, 0); break;
	case 5: kill(note[STOPPED].pid, SIGCONT); usleep(50000); break;
	case 6: setpgid(note[CHILD].pid, note[CHILD].pid); break;
	}
}

const struct survivor survivor_process_tree = {
	.name = "process_tree",
	.keeps = "parents, sessions, groups, zombies with their status, a stopped child, a subreaper",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 6,
};
