/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_processes.h - what of a container's processes CRIU cannot dump, or
 * would dump without a word and restore as something else.
 *
 * Found by reading /proc (and by looking at copies of their sockets) while they
 * run: nothing is stopped or changed. A container may do something new right
 * after it was looked at, so it is not the last word: the dump has that, and
 * the update is then aborted.
 *
 * Known from the sources of CRIU 4.2.
 */
#ifndef REBOOTLESS_CHECK_PROCESSES_H
#define REBOOTLESS_CHECK_PROCESSES_H

#include <stdint.h>

#include "common/findings.h"
#include "common/manifest.h"

/*
 * Every descendant of the container's first process, and what else is in its
 * cgroup. ghost_limit: bytes of the largest unlinked file. Takes up to a second
 * when threads wait uninterruptibly. Needs root and the host's pid namespace.
 * 0 or -errno (logged) when it could not look; what it found is in `findings`.
 */
int check_processes(struct container *c, uint64_t ghost_limit, struct findings *findings);

#endif
