// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <time.h>

#include "checkpoint/sleeping_call.h"
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
static bool set_once_more(struct user_regs_struct *r, unsigned long long call)
{
	switch (call) {
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
	case CALL_TAKEN_UP:
		break;
	default:
		return false;
	}
	r->rax = call;
	r->orig_rax = (unsigned long long)-1;
	r->rip -= SYSCALL_BYTES;
	return true;
}

bool sleeping_call_once_more(pid_t pid, pid_t tid, long call)
{
	struct user_regs_struct r;
	struct iovec regs = { &r, sizeof(r) };

	/* those of a 32-bit thread are fewer */
	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &regs) < 0 || regs.iov_len != sizeof(r))
		return false;
	if ((long long)r.rax != RESTART_BLOCK || handles_signals(pid, tid))
		return false;
	if (call == CALL_AS_IT_IS)
		call = (long)r.orig_rax;
	else if (r.orig_rax != CALL_TAKEN_UP)
		return false;
	return set_once_more(&r, (unsigned long long)call) &&
	       !ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &regs);
}
