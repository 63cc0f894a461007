/* SPDX-License-Identifier: GPL-2.0 */
/*
 * keep_stopped.h - processes that were stopped stay so through the switch to
 * the real root (see common/stopped.h).
 */
#ifndef REBOOTLESS_KEEP_STOPPED_H
#define REBOOTLESS_KEEP_STOPPED_H

#include "common/manifest.h"

/*
 * Leave a process behind that gets PID 1's SIGCONT like all others, and stops
 * them again. It ends by itself, a minute after the switch at most. Does nothing when
 * nobody was stopped.
 */
void keep_stopped(const struct manifest *m);

/* What that process does: `@rebootless-restore keep-stopped PID...` */
int cmd_keep_stopped(int argc, char **argv);

#endif
