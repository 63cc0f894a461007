/* SPDX-License-Identifier: GPL-2.0 */
/*
 * survivor.h - programs that notice when a checkpoint, an update or a restore
 * has changed something of theirs.
 *
 * There is one survivor for each kind of kernel object. It sets the objects up,
 * says that it is ready, counts on, and checks itself whenever it is asked, as
 * often as wanted: a check leaves things as it found them. All are in one
 * static program, test/survivor/survivor.c says how it is called.
 *
 * test/survivor/start puts them into a container of a guest, verify asks them.
 * To add one: a file with a `const struct survivor survivor_NAME`, and a row
 * in survivors.h. Its sabotages are its own test: each does to the objects what
 * a careless restore might do, and the check must then fail.
 *
 * What CRIU 4.2.1 cannot carry, so no survivor has it:
 *  - refused by name: io_uring, userfaultfd, perf events, bpf programs and maps
 *    but plain arrays and hashes, FUSE mounts, other character devices, packet
 *    mode of ptys, nested pid, user, ipc, uts, cgroup and time namespaces,
 *    connections that wait in a listening socket's queue, POSIX message queues,
 *    pipes with O_DIRECT, data that waits in a unix socket with SO_PASSCRED
 *  - lost without a word: start time and CPU time of a process, CPU affinity,
 *    I/O priority, timer slack, the events in an inotify queue, the upper half of
 *    an eventfd's count and its semaphore mode, a message queue's own limit, the
 *    name that getpeername(2) gives of an accepted unix socket, inode numbers of
 *    namespaces, pipes and sockets; a periodic timerfd stops for ever if a tick
 *    of it was unread; absolute timers come late by the length of the blackout;
 *    clock_getres(2) says 0 where the vDSO is asked
 *  - a lease (F_SETLEASE): it is carried, but CRIU opens the file and so waits for
 *    /proc/sys/fs/lease-break-time, 45 seconds, all tasks frozen
 *  - a sleep that is cut short: without an update of ours around it (see sleeps.c) a
 *    program may see EINTR where no signal was handled, and survivors allow it for
 *    clock_nanosleep alone
 */
#ifndef SURVIVOR_H
#define SURVIVOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct survivor {
	const char *name;
	const char *keeps;		/* the kernel objects, for --list */
	void (*set_up)(void);		/* a failure ends the program, see must() */
	void (*check)(void);		/* expect_...() what should be; also in every helper's turn */
	void (*sabotage)(int which);	/* 1..sabotages */
	int sabotages;
	bool large;			/* takes SURVIVOR_LARGE_MIB of memory: --list-large */
	bool by_update;			/* carried by an update, not by CRIU alone: --list-update */
};

/* Set up: a call that must not fail. The value, or the program ends with its name. */
#define must(call) must_(call, #call)
long must_(long value, const char *call);
void *must_map(void *p, const char *call);
/* Not to be had here (as in a kernel without it): reported, the program ends. */
void survivor_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Check: a difference is kept and reported; the check goes on. */
void expect_num(const char *what, long long expected, long long found);
void expect_range(const char *what, long long least, long long most, long long found);
void expect_text(const char *what, const char *expected, const char *found);
void expect_bytes(const char *what, const void *expected, const void *found, size_t size);
void expect_true(const char *what, bool is);
/* A call that must succeed; false with errno reported when it has not. */
bool expect_call(const char *what, long value);

/* A name below the survivor's own directory; valid until the 8th next call. */
const char *own_path(const char *name);

/* In a network namespace of its own nobody has done it. */
void bring_loopback_up(void);

/* A file's text without the last newline, "" when it cannot be read. As own_path(). */
const char *file_text(const char *path);
/* false, with errno, when it cannot be written */
bool put_text(const char *path, const char *text);
/* Field N (from 1, as in proc_pid_stat(5)) of /proc/PID/stat, from the third on. */
long long proc_stat(pid_t pid, int field);
/* The letter of a process's state, and its value of `key` in /proc/PID/status ("" = none). */
char proc_state(pid_t pid);
const char *proc_status(pid_t pid, const char *key);

/* What is to be found again: byte i of a pattern. */
unsigned char pattern(unsigned int seed, size_t i);
void fill_pattern(void *p, unsigned int seed, size_t size);
void expect_pattern(const char *what, const void *p, unsigned int seed, size_t size);

/*
 * A child with a check of its own: `check` is called in the child for each
 * helper_check() of the parent, and what it expects counts for the survivor.
 * set_up (may be NULL) runs in the child before helper() returns.
 */
pid_t helper(void (*set_up)(void), void (*check)(void));
void helper_check(pid_t pid);
/* The child runs `call` once, for sabotages. */
void helper_do(pid_t pid, void (*call)(void));

/*
 * The most between two counts of the main loop, in nanoseconds. There are dozens of
 * survivors, and what they do while they wait is taken from an emulated machine's start.
 */
#define TICK_NS 500000000LL

/* The longest pause between two ticks on each clock since the last check, and the last tick. */
struct clock_gaps {
	long long monotonic, boottime, realtime;
	long long last_monotonic;
	bool went_back;
};

extern struct clock_gaps clock_gaps;

#endif
