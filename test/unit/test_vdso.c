// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of checkpoint/vdso.c: a child is stopped, and its registers are set so that
 * it stands where a frozen thread may stand. Its vDSO is laid out as after an update:
 * the one that is called [vdso] has been moved, and where libc expects it there is
 * plain memory.
 */
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "checkpoint/vdso.h"
#include "common/processes.h"
#include "test/unit/harness.h"

#define PAGE 4096ul
#define MOVED 0x10000ul	/* where CRIU, too, puts it when it may */

static const struct container *container_of(pid_t pid)
{
	static struct container c;

	c = (struct container){ .pid = pid };
	return &c;
}

/* The kernel moves it as a whole or not at all. */
static size_t vdso_size(unsigned long vdso)
{
	unsigned long start, end;
	size_t size = 0;
	char line[512];
	FILE *f = fopen("/proc/self/maps", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start == vdso)
			size = end - start;
	if (f)
		fclose(f);
	return size;
}

/* It is moved away, and memory of no name takes its place. */
static void lay_out(unsigned long vdso)
{
	size_t size = vdso_size(vdso);

	if (mremap((void *)vdso, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)MOVED) ==
		    MAP_FAILED ||
	    mmap((void *)vdso, size, PROT_READ | PROT_EXEC,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(1);
	raise(SIGSTOP);
	_exit(2);
}

static pid_t stopped_child(unsigned long vdso)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		if (vdso)
			lay_out(vdso);
		raise(SIGSTOP);
		_exit(2);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
		fprintf(stderr, "the child has not stopped, its status is 0x%x\n", status);
		exit(1);
	}
	return pid;
}

/* Where it stands, the child is there, outside of a system call. */
static void set_ip(pid_t pid, unsigned long ip)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		complain("its registers cannot be read");
	regs.rip = ip;
	regs.orig_rax = -1;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs))
		complain("its registers cannot be set");
}

static void look(pid_t pid, unsigned long ip, int expected)
{
	struct vdso_thread found = { 0 };

	set_ip(pid, ip);
	EXPECT(vdso_find(container_of(pid), &found), expected);
	if (expected == 1) {
		EXPECT(found.pid, pid);
		EXPECT(found.tid, pid);
		EXPECT(found.ip, ip);
	}
}

static void *be_parent(void *arg)
{
	if (!fork()) {
		raise(SIGSTOP);
		_exit(2);
	}
	raise(SIGSTOP);
	return arg;
}

/* A child with two of its own, the second of another thread. */
static void test_descendants(void)
{
	pid_t *all = NULL, *stopped = NULL, pid;
	size_t nr = 0, nr_stopped = 0;
	pthread_t thread;
	int tries;

	begin();
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		if (!fork()) {
			raise(SIGSTOP);
			_exit(2);
		}
		pthread_create(&thread, NULL, be_parent, NULL);
		pthread_join(thread, NULL);
		_exit(2);
	}
	for (tries = 0; nr < 3 && tries < 500; tries++) {
		free(all);
		usleep(10000);
		EXPECT(process_descendants(pid, &all, &nr), 0);
	}
	EXPECT(nr, 3);
	EXPECT(process_descendants_stopped(pid, &stopped, &nr_stopped), 0);
	EXPECT(nr_stopped, nr);
	if (nr == nr_stopped)
		EXPECT(memcmp(all, stopped, nr * sizeof(*all)), 0);
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	free(stopped);
	/* of one that has ended, it alone */
	EXPECT(process_descendants_stopped(pid, &stopped, &nr_stopped), 0);
	EXPECT(nr_stopped, 1);
	free(all);
	free(stopped);
	end("vdso.descendants");
}

int main(void)
{
	unsigned long vdso = getauxval(AT_SYSINFO_EHDR);
	pid_t pid;

	log_set_sink(sink);
	if (!vdso) {
		printf("skip vdso: this kernel has none\n");
		return 0;
	}

	begin();
	pid = stopped_child(0);
	look(pid, vdso, 1);
	look(pid, vdso + PAGE - 1, 1);
	end("vdso.first-update");

	begin();
	look(pid, (unsigned long)stopped_child, 0);
	look(pid, vdso - 64 * PAGE, 0);
	look(pid, 0, 0);
	end("vdso.elsewhere");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);

	begin();
	EXPECT(vdso_find(container_of(pid), &(struct vdso_thread){ 0 }), 0);
	end("vdso.ended");

	begin();
	pid = stopped_child(vdso);
	look(pid, MOVED + 0xee0, 1);
	look(pid, vdso + 0xee0, 1);
	look(pid, MOVED - 1, 0);
	look(pid, (unsigned long)stopped_child, 0);
	end("vdso.later-update");
	kill(pid, SIGKILL);
	test_descendants();
	return failed ? 1 : 0;
}
