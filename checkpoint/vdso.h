/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vdso.h - threads that were frozen in the middle of the vDSO (vdso(7)).
 *
 * CRIU leaves every thread at the address where it stood. But the vDSO belongs to
 * the kernel: another one brings another, and CRIU writes jumps to it over the
 * entries of the old (criu/pie/parasite-vdso.c, vdso_proxify()); from the second
 * update on it drops the one that it had added. A thread that stood within goes on
 * in the middle of a jump, or where nothing is mapped any more, and its process dies.
 * CRIU does not look; so this does, while all threads are frozen, and who finds one
 * lets it run on and captures anew.
 */
#ifndef REBOOTLESS_VDSO_H
#define REBOOTLESS_VDSO_H

#include "common/manifest.h"

struct vdso_thread {
	pid_t pid, tid;
	unsigned long ip;	/* where it stands */
};

/*
 * Is there one in a container whose threads are all stopped? 1 (found: which), 0 or
 * -errno (logged). 32-bit processes are passed over: in those every system call is
 * made from within the vDSO, at a place that CRIU takes care of.
 */
int vdso_find(const struct container *c, struct vdso_thread *found);

#endif
