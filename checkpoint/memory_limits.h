/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memory_limits.h - memory.max and memory.high of containers around a dump.
 */
#ifndef REBOOTLESS_MEMORY_LIMITS_H
#define REBOOTLESS_MEMORY_LIMITS_H

#include "common/manifest.h"

/*
 * Before the dumps. What is in swap comes back as it is captured, into pages that
 * cannot go there again: a limit that it does not fit into is lifted meanwhile.
 */
void memory_limits_lift(const struct containers *list);
/* As they were noted, and so many bytes more, of those that are here: a rollback also has some that are not. */
void memory_limits_set(const struct containers *list, unsigned long long more);

#endif
