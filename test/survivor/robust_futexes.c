// SPDX-License-Identifier: GPL-2.0
/*
 * Threads with locks in large memory: robust futexes that are held, and the words
 * that the kernel clears when a thread ends (clear_child_tid). A task that is
 * killed writes to both on its way out: nothing of that may be seen here.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "large.h"
#include "survivor.h"

#define NR 6
#define STACK (64UL << 10)

/* One page each, in private memory and in memory that a child shares. */
struct lock {
	pthread_mutex_t mutex;
	pid_t tid;
	volatile int go;
};

static struct region around;
static struct lock *lock[NR];
static pthread_t thread[NR];
/* A thread of no library: its tid stands in the last page of `around`. */
static volatile pid_t *cleared;
static volatile int stop;

static void *hold_one(void *arg)
{
	struct lock *l = arg;

	pthread_mutex_lock(&l->mutex);
	l->tid = syscall(SYS_gettid);
	while (!l->go)
		usleep(20000);
	/* it ends with the lock held */
	return NULL;
}

static int bare_thread(void *arg)
{
	while (!stop)
		syscall(SYS_futex, &stop, FUTEX_WAIT, 0, NULL, NULL, 0);
	syscall(SYS_exit, 0);
	return 0;
}

static void start_bare_thread(void)
{
	char *stack = must_map(mmap(NULL, STACK, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), "mmap");

	stop = 0;
	/* the TLS is shared with this thread: it makes no call of the library's */
	must(clone(bare_thread, stack + STACK,
		   CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
		   CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, NULL, cleared, NULL, cleared));
}

static void start_holder(int i)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, i % 2 ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE);
	memset(lock[i], 0, sizeof(*lock[i]));
	pthread_mutex_init(&lock[i]->mutex, &attr);
	must(pthread_create(&thread[i], NULL, hold_one, lock[i]) ? -1 : 0);
	while (!*(volatile pid_t *)&lock[i]->tid)
		usleep(1000);
}

static void set_up(void)
{
	unsigned char *shared = must_map(mmap(NULL, NR * PAGE, PROT_READ | PROT_WRITE,
					      MAP_SHARED | MAP_ANONYMOUS, -1, 0), "mmap");
	size_t pages = large_pages();
	unsigned char *own;

	around = region_map("memory around the locks", pages);
	region_write(&around, 0, pages, 1);
	own = must_map(mmap(NULL, (NR + 1) * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), "mmap");
	cleared = (pid_t *)(own + NR * PAGE + 128);
	for (int i = 0; i < NR; i++) {
		lock[i] = (struct lock *)((i % 2 ? shared : own) + i * PAGE);
		start_holder(i);
	}
	start_bare_thread();
}

/* The word that the kernel looks at: the owner's tid, and bits for what befell it. */
static unsigned int word(int i)
{
	return *(volatile unsigned int *)&lock[i]->mutex.__data.__lock;
}

static void check_death(int i)
{
	int err;

	lock[i]->go = 1;
	pthread_join(thread[i], NULL);
	err = pthread_mutex_trylock(&lock[i]->mutex);
	expect_num("lock of a thread that died with it", EOWNERDEAD, err);
	if (err == EOWNERDEAD) {
		pthread_mutex_consistent(&lock[i]->mutex);
		pthread_mutex_unlock(&lock[i]->mutex);
	}
	pthread_mutex_destroy(&lock[i]->mutex);
	start_holder(i);
}

static void check(void)
{
	static int checks;
	char what[48];

	expect_region(&around);
	for (int i = 0; i < NR; i++) {
		snprintf(what, sizeof(what), "word of lock %d", i);
		expect_num(what, lock[i]->tid, word(i) & ~FUTEX_WAITERS);
		snprintf(what, sizeof(what), "lock %d is held", i);
		expect_num(what, EBUSY, pthread_mutex_trylock(&lock[i]->mutex));
		expect_num("its holder lives", 0, syscall(SYS_tgkill, getpid(), lock[i]->tid, 0));
	}
	expect_num("thread behind the word to be cleared", 0,
		   *cleared ? syscall(SYS_tgkill, getpid(), *cleared, 0) : -1);
	check_death(checks++ % NR);
	stop = 1;
	syscall(SYS_futex, &stop, FUTEX_WAKE, 1, NULL, NULL, 0);
	for (int ms = 0; *cleared && ms < 10000; ms++)
		usleep(1000);
	expect_num("word that the kernel clears", 0, *cleared);
	if (!*cleared)
		start_bare_thread();
}

static void sabotage(int which)
{
	switch (which) {
	case 1: lock[2]->mutex.__data.__lock |= FUTEX_OWNER_DIED; break;
	case 2: *cleared = 0; break;
	case 3: around.at[77] ^= 1; break;
	case 4: lock[3]->mutex.__data.__lock = 0; break;
	}
}

const struct survivor survivor_robust_futexes = {
	.name = "robust_futexes",
	.keeps = "robust futexes and clear_child_tid of threads, in large memory",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
	.large = true,
};
