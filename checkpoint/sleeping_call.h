/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sleeping_call.h - system calls that the kernel takes up again, when they were
 * interrupted, by what it has noted of them (struct restart_block): nanosleep(2),
 * clock_nanosleep(2), poll(2) and futex(2) with a limit of time. The note is neither
 * in an image nor to be seen; but of a thread that is stopped in such a call the
 * registers can be set so that it makes the call once more.
 *
 * A sleep goes on with what is left of it, which the kernel has written to where the
 * program asks for it (if it does, else from the beginning), and so does a futex with a
 * point in time. Of poll(2) and of a futex with a span of time the limit begins anew.
 *
 * A thread that handles signals must be left alone: one may come at any time, and after
 * the handler the call must not go on. Such programs know EINTR.
 */
#ifndef REBOOTLESS_SLEEPING_CALL_H
#define REBOOTLESS_SLEEPING_CALL_H

#include <stdbool.h>
#include <sys/types.h>

/* A call that had been taken up before is this one by now, of which nobody can tell in what. */
#define CALL_TAKEN_UP SYS_restart_syscall
/* To be made as what it is. */
#define CALL_AS_IT_IS (-1)

/*
 * Of a thread that the caller has stopped with ptrace(2): once it is let go, it makes its
 * call once more; as `call`, if it has been taken up before and the caller knows in what.
 * false: that is not possible, or not to be done, and nothing was changed.
 */
bool sleeping_call_once_more(pid_t pid, pid_t tid, long call);

#endif
