/* SPDX-License-Identifier: GPL-2.0 */
/*
 * phases.h - what a timeline says, in seconds: the phases of the last update
 * and when each container was frozen and ran again.
 *
 * A phase lasts from one stamp to the next that is there, and is named after
 * what is done from its first stamp on. So a missing stamp makes the phase
 * before it longer, and that is all. Stamps of single containers count as one
 * for all: `freeze` is the first of them, `captured` and `restored` are the
 * last. The way back from a failed update is part of it, and has phases of the
 * same names again.
 *
 * Pure. Times are seconds since the update began (`prepare`).
 */
#ifndef REBOOTLESS_PHASES_H
#define REBOOTLESS_PHASES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/timeline.h"

struct phase {
	enum stamp stamp;	/* it begins with this one */
	double begin, end;
};

/* NAN: not stamped (yet). */
struct container_times {
	const char *name;	/* the timeline's */
	double freeze;		/* the first in this update ... */
	double captured;
	double restore;
	double restored;	/* ... and the last of each of these */
};

struct phases {
	const struct timeline *timeline;	/* must live on */
	size_t first;		/* of its entries: where the last update begins */
	double hz;		/* 1e9 when it is not known ... */
	const char *unit;	/* ... and then not "s" */
	struct phase *phase;
	size_t nr;
	struct container_times *container;	/* in the order in which they were frozen */
	size_t nr_containers;
	double end;		/* of what is worth drawing: the real root is up, or the last stamp */
	double blackout;	/* first freeze to last restored, NAN = not known */
};

/* Of the last `prepare` and all after it, or of all if there is none. 0 or -errno (logged). */
int phases_make(const struct timeline *timeline, struct phases *phases);
void phases_free(struct phases *phases);
#define _cleanup_phases_ __attribute__((cleanup(phases_free)))

/* What is done from a stamp on, in one word; NULL: nothing that is waited for. */
const char *phase_name(enum stamp stamp);
/* The same for people who did not write this program. */
const char *phase_meaning(enum stamp stamp);

/* Seconds since the update began. */
double phases_time(const struct phases *phases, const struct timeline_entry *entry);
const struct container_times *phases_container(const struct phases *phases, const char *name);
/* Freeze to restored, or NAN. */
double container_blackout(const struct container_times *times);

#endif
