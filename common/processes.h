/* SPDX-License-Identifier: GPL-2.0 */
/*
 * processes.h - who is whose child, out of /proc. A moment later it may be
 * different: who is asked about a process must expect that it has ended.
 */
#ifndef REBOOTLESS_PROCESSES_H
#define REBOOTLESS_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* 0: it has none, or has ended. */
pid_t process_parent(pid_t pid);
/*
 * When it was started, in ticks since the boot (proc(5): stat, field 22): what
 * tells it from another that has its pid later. 0: it has ended.
 */
uint64_t process_started(pid_t pid);
/* R, S, D, T, t, Z, X and so on, as proc(5) has them. 0: it has ended. */
char process_state(pid_t pid);
/* The pid that it has in its own pid namespace. 0: it has ended. */
pid_t process_own_pid(pid_t pid);
/* Also true of `of` itself, and of one that ends while it is looked at. */
bool process_is_descendant(pid_t pid, pid_t of);
/* Its threads (allocated); none if it has ended. 0 or -errno (logged). */
int process_threads(pid_t pid, pid_t **tids, size_t *nr);
/* A process and its descendants, ascending (allocated). 0 or -errno (logged). */
int process_descendants(pid_t pid, pid_t **pids, size_t *nr);
/*
 * The same of processes that are all stopped: their own children are asked for, not
 * everybody for his parent. (Who ends meanwhile would hide others: proc(5),
 * /proc/PID/task/TID/children.)
 */
int process_descendants_stopped(pid_t pid, pid_t **pids, size_t *nr);

#endif
