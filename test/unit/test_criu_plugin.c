// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of checkpoint/criu-plugin.c, sleeping_call.c and taken_up.c: children that
 * sleep are stopped as CRIU stops them, the plugin is asked, and what CRIU would do to
 * their registers is done.
 */
#include <elf.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint/taken_up.h"
#include "test/unit/harness.h"

/* As CRIU 4.2 declares it (criu: include/criu-plugin.h), which knows two hooks more. */
extern struct {
	const char *name;
	int (*init)(int stage);
	void (*exit)(int stage, int ret);
	unsigned int version, max_hooks;
	void *hooks[13];
} CR_PLUGIN_DESC;

#define CHECKPOINT_DEVICES 11
#define RESTART_BLOCK (-516)
#define SLEEP_MS 1000

/* What a child tells of its call. */
static struct told {
	volatile int sleeps;		/* it is about to, and who */
	volatile int ended, error;
	volatile long ms;		/* how long it took */
	volatile int handled;		/* signals */
} *told;

static const struct timespec span = { SLEEP_MS / 1000, SLEEP_MS % 1000 * 1000000 };
static uint32_t word;

static struct timespec in_a_while(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += span.tv_sec;
	ts.tv_nsec += span.tv_nsec;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

/* Each returns what errno says, 0 = it slept to its end. */
static int result(long ret, int end)
{
	return ret < 0 ? (errno == end ? 0 : errno) : 0;
}

static int call_nanosleep(void)
{
	struct timespec ts = span;

	return result(syscall(SYS_nanosleep, &ts, &ts), 0);
}

static int call_nanosleep_alone(void)
{
	return result(syscall(SYS_nanosleep, &span, NULL), 0);
}

static int call_clock_nanosleep(void)
{
	struct timespec ts = span, rest;

	return result(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, &rest), 0);
}

static int call_clock_nanosleep_until(void)
{
	struct timespec ts = in_a_while();

	return result(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
}

static int call_poll(void)
{
	return result(syscall(SYS_poll, NULL, 0, SLEEP_MS), 0);
}

static int call_futex(void)
{
	return result(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &span, NULL, 0), ETIMEDOUT);
}

static int call_futex_until(void)
{
	struct timespec ts = in_a_while();

	return result(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &ts, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
}

static const struct {
	const char *name;
	int (*call)(void);
	int number;
	bool again;	/* its limit begins anew */
} calls[] = {
	{ "nanosleep", call_nanosleep, SYS_nanosleep, false },
	{ "nanosleep_alone", call_nanosleep_alone, SYS_nanosleep, true },
	{ "clock_nanosleep", call_clock_nanosleep, SYS_clock_nanosleep, false },
	{ "clock_nanosleep_until", call_clock_nanosleep_until, SYS_clock_nanosleep, false },
	{ "poll", call_poll, SYS_poll, true },
	{ "futex", call_futex, SYS_futex, true },
	{ "futex_until", call_futex_until, SYS_futex, false },
};

static void handler(int sig)
{
	(void)sig;
	told->handled++;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void *sleep_once(void *arg)
{
	long start = now_ms();

	told->sleeps = gettid();
	told->error = calls[(long)arg].call();
	told->ms = now_ms() - start;
	told->ended = 1;
	return NULL;
}

enum handles { NOTHING, A_SIGNAL, ONE_THAT_IS_BLOCKED };

/* thread: it is not the first one that sleeps */
static pid_t start(int which, bool thread, enum handles handles)
{
	struct sigaction action = { .sa_handler = handler };
	pthread_t other;
	sigset_t set;
	pid_t pid;

	memset(told, 0, sizeof(*told));
	pid = fork();
	if (pid)
		return pid;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (handles == ONE_THAT_IS_BLOCKED)
		sigprocmask(SIG_BLOCK, &set, NULL);
	if (handles != NOTHING)
		sigaction(SIGUSR1, &action, NULL);
	/* as of a runtime that tells of its crashes */
	sigaction(SIGSEGV, &action, NULL);
	if (!thread)
		sleep_once((void *)(long)which);
	else if (pthread_create(&other, NULL, sleep_once, (void *)(long)which) || pthread_join(other, NULL))
		_exit(1);
	_exit(0);
}

static void stop(pid_t tid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, tid, 0, 0) || ptrace(PTRACE_INTERRUPT, tid, 0, 0) ||
	    waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
		complain("cannot stop %d: %s", (int)tid, strerror(errno));
}

/* What CRIU does to what the plugin has left to it, and then it lets go. */
static void let_go(pid_t tid)
{
	struct user_regs_struct r;
	struct iovec regs = { &r, sizeof(r) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &regs))
		complain("no registers: %s", strerror(errno));
	if ((long long)r.orig_rax >= 0) {
		switch ((long long)r.rax) {
		case -512:	/* ERESTARTSYS, */
		case -513:	/* ... NOINTR, */
		case -514:	/* ... NOHAND */
			r.rax = r.orig_rax;
			r.rip -= 2;
			break;
		case RESTART_BLOCK:
			r.rax = (unsigned long long)-EINTR;
			break;
		}
	}
	/* as in another kernel, that knows nothing of the call */
	r.orig_rax = (unsigned long long)-1;
	if (ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &regs) || ptrace(PTRACE_DETACH, tid, 0, 0))
		complain("cannot let go: %s", strerror(errno));
}

static void wait_until(volatile int *what)
{
	int i;

	for (i = 0; !*what && i < 5000; i++)
		usleep(1000);
	usleep(SLEEP_MS * 1000 / 4);
}

static void hook(pid_t pid)
{
	int (*call)(int) = (int (*)(int))CR_PLUGIN_DESC.hooks[CHECKPOINT_DEVICES];

	EXPECT(call(pid), (uint64_t)-ENOTSUP);
}

/* Captured as by CRIU, for half of what it would sleep, and let go; its case ends. */
static void capture(const char *name, int which, pid_t pid, bool thread)
{
	const pid_t tid = told->sleeps;
	char text[64];

	stop(pid);
	if (thread)
		stop(tid);
	hook(pid);
	usleep(SLEEP_MS * 1000 / 2);
	if (thread)
		let_go(tid);
	let_go(pid);
	waitpid(pid, NULL, 0);
	EXPECT(told->ended, 1);
	if (told->error)
		complain("it ended with %s", strerror(told->error));
	if (told->ms < SLEEP_MS + (calls[which].again ? SLEEP_MS / 4 : 0))
		complain("it slept %ld ms, expected %d%s", told->ms, SLEEP_MS, calls[which].again ? " and more" : "");
	snprintf(text, sizeof(text), "%s.%s%s", name, calls[which].name, thread ? ".thread" : "");
	end(text);
}

static void test_call(int which, bool thread)
{
	pid_t pid;

	begin();
	pid = start(which, thread, which % 2 ? NOTHING : ONE_THAT_IS_BLOCKED);
	wait_until(&told->sleeps);
	capture("plugin", which, pid, thread);
}

/* Who handles a signal is told of it, when it comes after all have been stopped. */
static void test_signal(void)
{
	pid_t pid;

	begin();
	pid = start(0, false, A_SIGNAL);
	wait_until(&told->sleeps);
	stop(pid);
	hook(pid);
	kill(pid, SIGUSR1);
	let_go(pid);
	waitpid(pid, NULL, 0);
	EXPECT(told->handled, 1);
	EXPECT(told->error, EINTR);
	end("plugin.signal");
}

/* The call in which it sleeps, -1: it does not. */
static int in_call(pid_t tid)
{
	char path[64];
	int nr = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)tid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%d", &nr) != 1)
		nr = -1;
	if (f)
		fclose(f);
	return nr;
}

/* It was woken, and has gone to sleep again. */
static void wait_asleep(pid_t tid)
{
	int i;

	for (i = 0; in_call(tid) < 0 && i < 5000; i++)
		usleep(1000);
}

/* As PID 1 does when it leaves an initramfs. */
static void interrupt(pid_t pid)
{
	int status;

	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGCONT);
	waitpid(pid, &status, WCONTINUED);
	wait_asleep(told->sleeps);
}

/* Whose signal ends it unseen sleeps on, and so does one that was stopped before. */
static void test_taken_up(void)
{
	pid_t pid;

	begin();
	pid = start(0, false, NOTHING);
	wait_until(&told->sleeps);
	interrupt(pid);
	stop(pid);
	kill(pid, SIGCHLD);
	hook(pid);
	let_go(pid);
	waitpid(pid, NULL, 0);
	if (told->error)
		complain("it ended with %s", strerror(told->error));
	if (told->ms < SLEEP_MS)
		complain("it slept %ld ms, expected %d", told->ms, SLEEP_MS);
	end("plugin.taken_up");
}

/* One that was taken up is made again as what it was, and can be captured then. */
static void test_made_again(int which, bool thread)
{
	struct container container = { .state = CONTAINER_RUNNING };
	struct containers list = { .container = &container, .nr = 1 };
	char who[] = "it";
	pid_t pid;

	begin();
	pid = start(which, thread, NOTHING);
	wait_until(&told->sleeps);
	container.name = who;
	container.pid = pid;
	interrupt(pid);
	taken_up_make_again(&list);
	wait_asleep(told->sleeps);
	EXPECT((uint64_t)in_call(told->sleeps), (uint64_t)calls[which].number);
	capture("taken_up", which, pid, thread);
}

/* Who handles a signal is not touched, and is told of it. */
static void test_taken_up_signal(void)
{
	struct container container = { .state = CONTAINER_RUNNING };
	struct containers list = { .container = &container, .nr = 1 };
	pid_t pid;

	begin();
	pid = start(0, false, A_SIGNAL);
	wait_until(&told->sleeps);
	container.pid = pid;
	interrupt(pid);
	taken_up_make_again(&list);
	wait_asleep(pid);
	EXPECT((uint64_t)in_call(pid), SYS_restart_syscall);
	kill(pid, SIGUSR1);
	waitpid(pid, NULL, 0);
	EXPECT(told->handled, 1);
	EXPECT(told->error, EINTR);
	end("taken_up.signal");
}

/* ---- a place to begin --------------------------------------------------------------------- */

#define SHARED_CODE ((char *)0x20000000)

/* Its first executable mapping is one that it may not write, shared, as in PHP. */
static pid_t start_with_shared_code(void)
{
	struct sigaction action = { .sa_handler = handler };
	pid_t pid;

	memset(told, 0, sizeof(*told));
	pid = fork();
	if (pid)
		return pid;
	sigaction(SIGTRAP, &action, NULL);
	if (mmap(SHARED_CODE, 1 << 20, PROT_READ | PROT_EXEC,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != SHARED_CODE)
		_exit(1);
	sleep_once((void *)0L);
	raise(SIGTRAP);
	_exit(0);
}

/* The first executable mapping, and how many there are below the program that is shared. */
static unsigned long first_code(pid_t pid, size_t *nr)
{
	unsigned long start, first = 0;
	char path[64], line[512], perms[5];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	*nr = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%*x %4s", &start, perms) != 2 || perms[2] != 'x')
			continue;
		if (!first)
			first = start;
		*nr += start < (unsigned long)SHARED_CODE;
	}
	if (f)
		fclose(f);
	return first;
}

static bool can_write(pid_t pid, unsigned long at)
{
	long was;

	errno = 0;
	was = ptrace(PTRACE_PEEKTEXT, pid, at, NULL);
	return !errno && !ptrace(PTRACE_POKETEXT, pid, at, ~was) && !ptrace(PTRACE_POKETEXT, pid, at, was);
}

/* It has a page before, once, and sleeps on as if nothing had been; its handler is there. */
static void test_place(void)
{
	struct user_regs_struct before, after;
	struct iovec b = { &before, sizeof(before) }, a = { &after, sizeof(after) };
	unsigned long first;
	size_t nr;
	pid_t pid;

	begin();
	pid = start_with_shared_code();
	wait_until(&told->sleeps);
	stop(pid);
	EXPECT(first_code(pid, &nr), SHARED_CODE);
	EXPECT(can_write(pid, (unsigned long)SHARED_CODE), false);
	hook(pid);
	ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &b);
	first = first_code(pid, &nr);
	EXPECT(nr, 1);
	EXPECT(can_write(pid, first), true);
	hook(pid);
	EXPECT(first_code(pid, &nr), first);
	EXPECT(nr, 1);
	ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &a);
	EXPECT(memcmp(&before, &after, sizeof(before)), 0);
	let_go(pid);
	waitpid(pid, NULL, 0);
	if (told->error)
		complain("its sleep ended with %s", strerror(told->error));
	if (told->ms < SLEEP_MS)
		complain("it slept %ld ms, expected %d", told->ms, SLEEP_MS);
	EXPECT(told->handled, 1);
	end("plugin.place");
}

static void test_interface(void)
{
	begin();
	EXPECT(CR_PLUGIN_DESC.version, 0x200);
	EXPECT(CR_PLUGIN_DESC.max_hooks, CHECKPOINT_DEVICES + 1);
	EXPECT(CR_PLUGIN_DESC.init(0), 0);
	CR_PLUGIN_DESC.exit(0, 0);
	end("plugin.interface");
}

int main(void)
{
	int i;

	log_set_sink(sink);
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	test_interface();
	for (i = 0; i < (int)(sizeof(calls) / sizeof(*calls)); i++)
		test_call(i, false);
	test_call(0, true);
	test_signal();
	test_taken_up();
	for (i = 0; i < (int)(sizeof(calls) / sizeof(*calls)); i++)
		test_made_again(i, false);
	test_made_again(2, true);
	test_taken_up_signal();
	test_place();
	return failed != 0;
}
