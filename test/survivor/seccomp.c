// SPDX-License-Identifier: GPL-2.0
/* seccomp: filters of the process and another one of a child, and strict mode. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "survivor.h"

static pid_t child, strict;

/* A call number that returns an error of ours */
static void refuse(int call, int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void child_set_up(void)
{
	refuse(SYS_getpgid, 77);
}

static void child_check(void)
{
	expect_num("child: call of the parent's filter", -1, syscall(SYS_getppid));
	expect_num("child: error of the parent's filter", 55, errno);
	expect_num("child: call of its own filter", -1, syscall(SYS_getpgid, 0));
	expect_num("child: error of its own filter", 77, errno);
}

static void set_up(void)
{
	int ends[2];

	must(pipe(ends));
	/* In strict mode only read, write and exit are left: it waits in read. */
	strict = must(fork());
	if (!strict) {
		char byte;

		must(prctl(PR_SET_PDEATHSIG, SIGKILL));
		close(ends[1]);
		must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		syscall(SYS_read, ends[0], &byte, 1);
		syscall(SYS_exit, 3);
	}
	close(ends[0]);
	refuse(SYS_getppid, 55);
	child = helper(child_set_up, child_check);
	while (*proc_status(strict, "Seccomp") == '0')
		usleep(1000);
}

static void check(void)
{
	expect_num("call of the filter", -1, syscall(SYS_getppid));
	expect_num("error of the filter", 55, errno);
	expect_range("call of the child's filter", 0, 1 << 30, syscall(SYS_getpgid, 0));
	expect_num("PR_GET_NO_NEW_PRIVS", 1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	expect_text("mode", "2", proc_status(getpid(), "Seccomp"));
	expect_text("strict mode", "1", proc_status(strict, "Seccomp"));
	expect_num("the strict one lives", 0, waitpid(strict, NULL, WNOHANG));
	helper_check(child);
}

static void sabotage(int which)
{
	/* A filter cannot be taken off: one more that hides it. */
	switch (which) {
	case 1: refuse(SYS_getppid, 44); break;
	case 2: refuse(SYS_getpgid, 66); break;
	case 3: kill(strict, SIGKILL); usleep(50000); break;
	}
}

const struct survivor survivor_seccomp = {
	.name = "seccomp",
	.keeps = "seccomp filters, a child's own, strict mode, no_new_privs",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
};
