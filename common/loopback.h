/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loopback.h - the device "lo" of the caller's network namespace.
 */
#ifndef REBOOTLESS_LOOPBACK_H
#define REBOOTLESS_LOOPBACK_H

/* Bring it up; fine when it is. 0 or -errno, not logged. */
int loopback_up(void);

#endif
