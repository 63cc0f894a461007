// SPDX-License-Identifier: GPL-2.0
/* Threads: ids, names, thread-local data, own signal masks, waits in futexes, robust mutexes. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "survivor.h"

#define NR 8

static struct {
	pthread_t thread;
	pid_t tid;
	volatile pid_t tid_now;
	volatile int tls_now, blocked_now, nice_now;
	volatile unsigned long long robust_now;
	char name_now[16];
	sem_t go, done;
} thread[NR];

static __thread int tls;
/* Held by thread 0 for ever, and of a thread that died: owner dead. */
static pthread_mutex_t held, abandoned;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile int woken, waiting, harm;

static void note(int i)
{
	sigset_t set;
	void *head = NULL;
	size_t len = 0;

	thread[i].tid_now = syscall(SYS_gettid);
	thread[i].tls_now = tls;
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	thread[i].blocked_now = sigismember(&set, SIGRTMIN + i);
	syscall(SYS_get_robust_list, 0, &head, &len);
	thread[i].robust_now = (unsigned long long)head;
	prctl(PR_GET_NAME, thread[i].name_now);
}

static void *run(void *arg)
{
	int i = (long)arg;
	char name[16];
	sigset_t set;

	tls = 1000 + i;
	snprintf(name, sizeof(name), "thread %d", i);
	pthread_setname_np(pthread_self(), name);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + i);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	if (!i)
		pthread_mutex_lock(&held);
	note(i);
	sem_post(&thread[i].done);
	for (;;) {
		while (sem_wait(&thread[i].go) && errno == EINTR)
			;
		if (harm == 1 && i == 3)
			tls = 0;
		if (harm == 2 && i == 3)
			prctl(PR_SET_NAME, "survivor");
		if (harm == 3 && !i)
			pthread_mutex_unlock(&held);
		if (harm == 4 && i == 5)
			pthread_sigmask(SIG_UNBLOCK, &set, NULL);
		note(i);
		sem_post(&thread[i].done);
	}
	return NULL;
}

static void *die_holding(void *arg)
{
	pthread_mutex_lock(&abandoned);
	return NULL;
}

/* Sleeps in a futex without a timeout until it is woken. */
static void *sleep_in_cond(void *arg)
{
	pthread_mutex_lock(&lock);
	for (;;) {
		int seen = woken;

		waiting = 1;
		while (woken == seen)
			pthread_cond_wait(&cond, &lock);
		waiting = 0;
		if (harm == 6)
			break;
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void set_up(void)
{
	pthread_mutexattr_t attr;
	pthread_t dead, sleeper;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&held, &attr);
	pthread_mutex_init(&abandoned, &attr);
	for (long i = 0; i < NR; i++) {
		sem_init(&thread[i].go, 0, 0);
		sem_init(&thread[i].done, 0, 0);
		must(pthread_create(&thread[i].thread, NULL, run, (void *)i) ? -1 : 0);
		sem_wait(&thread[i].done);
		thread[i].tid = thread[i].tid_now;
	}
	must(pthread_create(&dead, NULL, die_holding, NULL) ? -1 : 0);
	pthread_join(dead, NULL);
	must(pthread_create(&sleeper, NULL, sleep_in_cond, NULL) ? -1 : 0);
	while (!waiting)
		usleep(1000);
}

static bool ask(int i)
{
	struct timespec until;
	int err;

	sem_post(&thread[i].go);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	while ((err = sem_timedwait(&thread[i].done, &until)) && errno == EINTR)
		;
	return !err;
}

static void check(void)
{
	char what[32], name[16];
	int err;

	for (int i = 0; i < NR; i++) {
		snprintf(name, sizeof(name), "thread %d", i);
		snprintf(what, sizeof(what), "thread %d answers", i);
		expect_true(what, ask(i));
		expect_num("thread id", thread[i].tid, thread[i].tid_now);
		expect_text("thread name", name, thread[i].name_now);
		expect_num("thread-local data", 1000 + i, thread[i].tls_now);
		expect_num("signal blocked in this thread", 1, thread[i].blocked_now);
		expect_true("robust list", thread[i].robust_now != 0);
	}
	expect_num("held mutex", EBUSY, pthread_mutex_trylock(&held));
	err = pthread_mutex_trylock(&abandoned);
	expect_num("mutex of a dead thread", EOWNERDEAD, err);
	/* Unlocked without being made consistent it would be lost: lose it to another dead thread. */
	if (err == EOWNERDEAD) {
		pthread_t dead;

		pthread_mutex_consistent(&abandoned);
		pthread_mutex_unlock(&abandoned);
		pthread_create(&dead, NULL, die_holding, NULL);
		pthread_join(dead, NULL);
	}
	pthread_mutex_lock(&lock);
	expect_num("thread sleeps in a futex", 1, waiting);
	waiting = 0;
	woken++;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&lock);
	for (int ms = 0; !waiting && ms < 10000; ms++)
		usleep(1000);
	expect_num("thread was woken and sleeps again", 1, waiting);
}

static void sabotage(int which)
{
	harm = which;
	if (which == 5) {
		pthread_mutex_trylock(&abandoned);
		pthread_mutex_consistent(&abandoned);
		pthread_mutex_unlock(&abandoned);
	}
}

const struct survivor survivor_threads = {
	.name = "threads",
	.keeps = "threads: ids, names, thread-local data, signal masks, futexes, robust mutexes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 6,
};
