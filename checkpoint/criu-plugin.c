// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of CRIU: system calls that sleep go on, whatever becomes of the dump.
 *
 * To stop a thread is to interrupt its system call. Most calls are simply made once
 * more, and CRIU sees to that. But nanosleep(2), clock_nanosleep(2), poll(2) and
 * futex(2) with a limit of time the kernel takes up again by what it has noted of them
 * (struct restart_block). No image has that, and CRIU lets them end with EINTR, in the
 * restored thread and in one that it has only let go (compel: compel_get_task_regs()).
 * Programs that handle no signals do not expect it: `sleep 1h` ends, and a container
 * that runs nothing else.
 *
 * CRIU calls this when it has stopped all threads of a process and has read none of
 * their registers yet. Those are set so that such a thread makes its call once more.
 * A sleep goes on with what is left of it, which the kernel has written to where the
 * program asks for it (if it does, else from the beginning), and so does a futex with a
 * point in time. Of poll(2) and of a futex with a span of time the limit begins anew.
 *
 * A thread that handles signals is left to CRIU: one may come at any time until its
 * images are made or it is let go, and after the handler the call must not go on. Such
 * programs know EINTR.
 *
 * A call that had been taken up before (after SIGSTOP, a debugger, a freezer) is
 * restart_syscall(2) by now, of which nobody can tell in what: it ends with EINTR after
 * a restore. If the dump is given up it goes on, but for a process's first thread, in
 * which CRIU has worked by then.
 *
 * The interface is that of CRIU 4.0 and later (criu: include/criu-plugin.h).
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <time.h>

#include "common/cleanup.h"

#define RESTART_BLOCK (-516)	/* linux/errno.h: ERESTART_RESTARTBLOCK, which no program sees */
#define SYSCALL_BYTES 2		/* the instruction that ip is behind */

/*
 * Those of libc's own (32 to 34: cancellation, set*id of threads, timers), and those that
 * a program brings upon itself.
 */
#define SIGNAL(n) (1ull << ((n) - 1))
#define NOT_FROM_OUTSIDE (SIGNAL(32) | SIGNAL(33) | SIGNAL(34) | SIGNAL(SIGSEGV) | SIGNAL(SIGBUS) | \
			  SIGNAL(SIGFPE) | SIGNAL(SIGILL) | SIGNAL(SIGTRAP) | SIGNAL(SIGABRT) | SIGNAL(SIGSYS))

/* Could it be interrupted by a signal that it handles? */
static bool handles_signals(pid_t pid, pid_t tid)
{
	uint64_t blocked = 0, caught = 0, set;
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[256];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)pid, (int)tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "SigBlk: %" SCNx64, &set) == 1)
			blocked = set;
		else if (sscanf(line, "SigCgt: %" SCNx64, &set) == 1)
			caught = set;
	return !f || caught & ~blocked & ~NOT_FROM_OUTSIDE;
}

/* false: it is none of those calls. */
static bool once_more(struct user_regs_struct *r)
{
	switch (r->orig_rax) {
	case SYS_nanosleep:
		if (r->rsi)
			r->rdi = r->rsi;
		break;
	case SYS_clock_nanosleep:
		/* until then: never taken up by a note */
		if (r->rsi & TIMER_ABSTIME)
			return false;
		if (r->r10)
			r->rdx = r->r10;
		break;
	case SYS_futex:
		if (((int)r->rsi & FUTEX_CMD_MASK) != FUTEX_WAIT &&
		    ((int)r->rsi & FUTEX_CMD_MASK) != FUTEX_WAIT_BITSET)
			return false;
		break;
	case SYS_poll:
	case SYS_restart_syscall:
		break;
	default:
		return false;
	}
	r->rax = r->orig_rax;
	r->orig_rax = (unsigned long long)-1;
	r->rip -= SYSCALL_BYTES;
	return true;
}

static void let_go_on(pid_t pid, pid_t tid)
{
	struct user_regs_struct r;
	struct iovec regs = { &r, sizeof(r) };

	/* those of a 32-bit thread are fewer */
	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &regs) < 0 || regs.iov_len != sizeof(r))
		return;
	if ((long long)r.rax == RESTART_BLOCK && !handles_signals(pid, tid) && once_more(&r))
		ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &regs);
}

/* All threads of the process are stopped. Whatever cannot be done leaves CRIU its way. */
static int stopped(int pid)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			let_go_on(pid, atoi(entry->d_name));
	return -ENOTSUP;	/* so that other plugins are asked as well */
}

/* ---- what CRIU looks for ----------------------------------------------------------------- */

#define PLUGIN_VERSION (0 << 16 | 2 << 8 | 0)

enum { HOOK_CHECKPOINT_DEVICES = 11, NR_HOOKS };

struct plugin {
	const char *name;
	int (*init)(int stage);
	void (*exit)(int stage, int ret);
	unsigned int version, nr_hooks;
	void *hooks[NR_HOOKS];
};

static int init(int stage)
{
	(void)stage;
	return 0;
}

static void leave(int stage, int ret)
{
	(void)stage;
	(void)ret;
}

extern struct plugin CR_PLUGIN_DESC;
struct plugin CR_PLUGIN_DESC = {
	.name = "rebootless",
	.init = init,
	.exit = leave,
	.version = PLUGIN_VERSION,
	.nr_hooks = NR_HOOKS,
	.hooks = { [HOOK_CHECKPOINT_DEVICES] = (void *)stopped },
};
