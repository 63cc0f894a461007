/* SPDX-License-Identifier: GPL-2.0 */
/*
 * interrupt.h - an update is not left half done because a terminal goes away.
 *
 * SIGINT, SIGQUIT and SIGTERM ask for the update to be given up: it is undone at the
 * next step. SIGHUP and SIGPIPE mean that nobody watches any more, and are
 * ignored. Programs started by run.h have their signals as usual.
 */
#ifndef REBOOTLESS_INTERRUPT_H
#define REBOOTLESS_INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void);
bool interrupted(void);

#endif
