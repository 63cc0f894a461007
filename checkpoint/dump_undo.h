/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dump_undo.h - what a CRIU leaves behind in a container when it is killed in the
 * middle of a dump, and would have taken back itself: its cgroup is frozen, its
 * TCP sockets are in repair mode, and a table of nftables called CRIU-* drops all
 * that comes and goes. (That the processes are traced ends with the tracer.)
 */
#ifndef REBOOTLESS_DUMP_UNDO_H
#define REBOOTLESS_DUMP_UNDO_H

#include "common/manifest.h"

/*
 * Take it back, as far as it is there. No CRIU may be at work any more on this
 * container nor on another in its network namespace. Failures are logged.
 */
void dump_undo(const struct container *c);

#endif
