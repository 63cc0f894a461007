// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/rseq.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "checkpoint/private_code.h"
#include "common/cleanup.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PAGE 4096ul
#define CODE 0xcc050ful		/* syscall; int3 */
#define CODE_MASK 0xfffffful
#define CODE_SIZE 3
#define CS_64 0x33

struct mappings {
	bool first_is_shared;		/* ... and not writable */
	unsigned long private_code;	/* 0 = none: of a file, so that it is neither vDSO nor vsyscall */
	unsigned long room;		/* a page below the first, 0 = none */
};

/* Below this nobody without privileges may map anything. */
static unsigned long lowest(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/vm/mmap_min_addr", "re");
	unsigned long min = 0;

	return f && fscanf(f, "%lu", &min) == 1 && min > 16 * PAGE ? min : 16 * PAGE;
}

static int read_mappings(pid_t pid, struct mappings *m)
{
	unsigned long start, end, inode, free = lowest();
	_cleanup_fclose_ FILE *f = NULL;
	bool seen = false;
	char line[512], perms[5];

	snprintf(line, sizeof(line), "/proc/%d/maps", (int)pid);
	f = fopen(line, "re");
	if (!f)
		return -errno;
	while (!m->private_code && fgets(line, sizeof(line), f)) {
		/* the rest of a long path */
		if (sscanf(line, "%lx-%lx %4s %*x %*x:%*x %lu", &start, &end, perms, &inode) != 4)
			continue;
		if (!seen && !m->room && start >= free + PAGE)
			m->room = free;
		free = end;
		if (perms[2] != 'x')
			continue;
		if (!seen)
			m->first_is_shared = perms[3] == 's' && perms[1] != 'w';
		seen = true;
		if (!m->first_is_shared)
			break;
		if (perms[3] == 'p' && inode)
			m->private_code = start;
	}
	return 0;
}

/* Until it has made the call: to continue may end another stop first. */
static int run_to_trap(pid_t pid, unsigned long trap, struct iovec *regs)
{
	struct user_regs_struct *r = regs->iov_base;
	int status, tries;

	for (tries = 0; tries < 8; tries++) {
		if (ptrace(PTRACE_CONT, pid, NULL, NULL) < 0)
			return -errno;
		while (waitpid(pid, &status, __WALL) < 0)
			if (errno != EINTR)
				return -errno;
		if (!WIFSTOPPED(status))
			return -ESRCH;
		if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, regs) < 0)
			return -errno;
		if (WSTOPSIG(status) == SIGTRAP && r->rip == trap)
			return 0;
	}
	return -EBUSY;
}

/*
 * Where the thread says in which restartable sequence it is (rseq(2)), 0 = nowhere: the
 * kernel forgets that when it sees the thread elsewhere, and CRIU has not asked yet.
 */
static unsigned long sequence_of(pid_t pid)
{
	struct __ptrace_rseq_configuration c = { 0 };

	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, pid, sizeof(c), &c) < 0 || !c.rseq_abi_pointer)
		return 0;
	return c.rseq_abi_pointer + offsetof(struct rseq, rseq_cs);
}

static int call_mmap(pid_t pid, unsigned long code, unsigned long room)
{
	struct user_regs_struct before, r;
	struct iovec saved = { &before, sizeof(before) }, regs = { &r, sizeof(r) };
	/* a trap that is blocked takes the process's handler away */
	uint64_t mask, others = ~(UINT64_C(1) << (SIGTRAP - 1));
	unsigned long text, sequence = sequence_of(pid), in_sequence = 0;
	int err;

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &saved) < 0 ||
	    ptrace(PTRACE_GETSIGMASK, pid, sizeof(mask), &mask) < 0)
		return -errno;
	if (saved.iov_len != sizeof(before) || before.cs != CS_64)
		return -EOPNOTSUPP;
	errno = 0;
	text = (unsigned long)ptrace(PTRACE_PEEKTEXT, pid, code, NULL);
	if (!errno && sequence)
		in_sequence = (unsigned long)ptrace(PTRACE_PEEKDATA, pid, sequence, NULL);
	if (errno)
		return -errno;
	if (ptrace(PTRACE_POKETEXT, pid, code, (text & ~CODE_MASK) | CODE) < 0)
		return -errno;
	r = before;
	r.rip = code;
	r.rax = SYS_mmap;
	r.orig_rax = (unsigned long long)-1;	/* whatever it was in is not taken up here */
	r.rdi = room;
	r.rsi = PAGE;
	r.rdx = PROT_READ | PROT_EXEC;
	r.r10 = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	r.r8 = (unsigned long long)-1;
	r.r9 = 0;
	if (ptrace(PTRACE_SETSIGMASK, pid, sizeof(others), &others) < 0 ||
	    ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &regs) < 0)
		err = -errno;
	else
		err = run_to_trap(pid, code + CODE_SIZE, &regs);
	if (!err && r.rax != room)
		err = (long long)r.rax < 0 ? (int)r.rax : -EFAULT;
	if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &saved) < 0 ||
	    ptrace(PTRACE_SETSIGMASK, pid, sizeof(mask), &mask) < 0 ||
	    ptrace(PTRACE_POKETEXT, pid, code, text) < 0 ||
	    (in_sequence && ptrace(PTRACE_POKEDATA, pid, sequence, in_sequence) < 0))
		return -errno;
	return err;
}

int private_code_make(pid_t pid)
{
	struct mappings m = { 0 };
	int err = read_mappings(pid, &m);

	if (err || !m.first_is_shared)
		return err;
	if (!m.private_code || !m.room)
		return -ENOSPC;
	return call_mmap(pid, m.private_code, m.room);
}
