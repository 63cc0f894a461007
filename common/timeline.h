/* SPDX-License-Identifier: GPL-2.0 */
/*
 * timeline.h - what happened when, across the kexec.
 *
 * Stamps are read from the TSC, which goes on counting through a kexec. They
 * are lines of the file STORE/timeline: "TSC NAME [CONTAINER]"; the container's
 * name is the rest of the line. The frequency is measured in the old kernel
 * during the preparation and kept as a line too, "frequency HZ"; the last such
 * line counts. Lines are only appended, so a store that has seen several
 * updates (or the way back from one) has the stamps of all of them.
 *
 * Two stamps are not written by us: `sealed` is in the root page of the
 * handover, `kernel` (the first instruction after the old kernel) is left
 * by the trampoline in a setup_data node (stamp_node.h).
 */
#ifndef REBOOTLESS_TIMELINE_H
#define REBOOTLESS_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#define TIMELINE_FILE "timeline"	/* in the store */

enum stamp {
	STAMP_PREPARE,		/* the update begins; the containers run */
	STAMP_PREPARED,		/* all is loaded and checked */
	STAMP_FREEZE,		/* per container: its dump begins */
	STAMP_CAPTURED,		/* per container: held, its images are complete */
	STAMP_SEAL,		/* all are captured and disks are quiet; the seal begins */
	STAMP_SEALED,		/* the handover is written; the jump follows at once */
	STAMP_KERNEL,		/* first instruction of the way into the new kernel */
	STAMP_INITRAMFS,	/* our first hook runs */
	STAMP_STORE,		/* PramFS is mounted */
	STAMP_ROOT,		/* real root and the containers' filesystems are mounted */
	STAMP_RESTORE,		/* per container: its restore begins */
	STAMP_RESTORED,		/* per container: it runs again */
	STAMP_PIVOT,		/* the initramfs hands over */
	STAMP_SETTLED,		/* the real root is up */
	STAMP_COMMITTED,	/* the images are gone */
	NR_STAMPS
};

struct timeline_entry {
	uint64_t tsc;
	enum stamp stamp;
	char *container;	/* NULL: of the whole update */
};

struct timeline {
	double hz;		/* of the TSC; 0 when not known */
	struct timeline_entry *entry;	/* in the order of time */
	size_t nr;
};

const char *stamp_name(enum stamp stamp);

/*
 * Append a stamp of now to STORE/timeline (made with mode 0600 if missing).
 * store is the directory in PramFS, see manifest.h. A failure (no store, sealed,
 * a container's name that is no line) is a detail in the log and otherwise
 * ignored: no update fails for a stamp.
 */
void timeline_stamp(const char *store, enum stamp stamp, const char *container);
/* The same with a time stamp counter read elsewhere. */
void timeline_stamp_at(const char *store, uint64_t tsc, enum stamp stamp, const char *container);

/*
 * Measure the TSC's frequency against CLOCK_MONOTONIC_RAW since the first call,
 * and write it down. end without begin does nothing; if less than 20 ms have
 * passed between them, it waits for that.
 */
void timeline_calibrate_begin(void);
void timeline_calibrate_end(const char *store);

/*
 * In the new kernel: add what the old one could not write (sealed, kernel).
 * May be called again, adds nothing twice.
 *
 * timeline_import_early() is for the first program of the initramfs, before the
 * store is mounted: the module empties its root page when all that came has
 * been mounted. It remembers `sealed`, and now as the time of `initramfs`, for
 * the timeline_import() that follows in the same process.
 */
void timeline_import_early(void);
void timeline_import(const char *store);

/* Read all of it. 0 or -errno (logged; a damaged line is named and refused). No file: -ENOENT, not logged. */
int timeline_read(const char *store, struct timeline *timeline);
/* The pure part; `path` is for messages. *timeline is set only on success. */
int timeline_parse(const char *text, const char *path, struct timeline *timeline);
void timeline_free(struct timeline *timeline);
#define _cleanup_timeline_ __attribute__((cleanup(timeline_free)))

#endif
