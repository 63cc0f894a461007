/* SPDX-License-Identifier: GPL-2.0 */
/*
 * limits.h - memory.max, memory.high and cpu.max of containers around a dump.
 */
#ifndef REBOOTLESS_LIMITS_H
#define REBOOTLESS_LIMITS_H

#include "common/manifest.h"

/*
 * Before the dumps. What is in swap comes back as it is captured, into pages that
 * cannot go there again: a limit that it does not fit into is lifted meanwhile. And
 * CRIU captures a task by code that it runs in it: with a tenth of a CPU, ten times as
 * long. 0 or -errno (logged): nothing was lifted.
 */
int limits_lift(const struct containers *list);
/*
 * As they were noted, and so many bytes of memory more, of those that are here: a
 * rollback also has some that are not.
 */
void limits_set(const struct containers *list, unsigned long long more_memory);
/* The same, after one that was killed has left them lifted, if there was one. */
void limits_set_left(unsigned long long more_memory);

#endif
