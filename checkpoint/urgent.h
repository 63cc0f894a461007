/* SPDX-License-Identifier: GPL-2.0 */
/*
 * urgent.h - urgent data of TCP that a program has not read. CRIU either fails on
 * it or, where the program reads it apart from the rest (no SO_OOBINLINE), takes
 * for the end of what was received, and loses without a word what is behind it.
 */
#ifndef REBOOTLESS_URGENT_H
#define REBOOTLESS_URGENT_H

#include "common/manifest.h"

/* Of frozen containers: 0 when there is none, -EAGAIN (logged), or another -errno (logged). */
int urgent_refuse(const struct containers *list);

/* Whether a TCP connection has some now. */
bool urgent_waits(int fd);

#endif
