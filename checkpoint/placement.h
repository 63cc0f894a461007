/* SPDX-License-Identifier: GPL-2.0 */
/*
 * placement.h - how much memory the new kernel needs, and where its parts go.
 *
 * Pure: no I/O, no state. All sizes are bytes, all addresses physical.
 */
#ifndef REBOOTLESS_PLACEMENT_H
#define REBOOTLESS_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmdline.h"
#include "pramfs-module/pramfs_ioctl.h"

#define CRASH_REGIONS_MAX 8

struct placement_inputs {
	uint64_t kernel_bytes;		/* memory that it needs where it is put */
	uint64_t kernel_align;
	bool kernel_stays;		/* KASLR leaves it where it is put */
	uint64_t initrd_bytes;		/* of the file */
	uint64_t initrd_unpacked;	/* estimate */
	uint64_t block_bytes;		/* boot_params and what goes with them */
	uint64_t ram_bytes;		/* of the machine */
	uint64_t ram_end;		/* first byte above all memory */
	uint32_t cpus;			/* possible ones */
	const struct reservations *res;
	/* "Crash kernel" regions of the running kernel: free in the new one */
	struct pramfs_arena crash[CRASH_REGIONS_MAX];
	uint32_t nr_crash;
};

/* What is asked of PRAMFS_IOC_CLAIM, and of what it is made up (for people). */
struct demand {
	uint64_t contig;
	uint64_t low;
	uint64_t any;

	uint64_t base;			/* parts of low: */
	uint64_t initrd;		/* file and its contents */
	uint64_t kernel;
	uint64_t swiotlb;
	uint64_t cpu;
	uint64_t areas;			/* contiguous ones of the command line */
	uint64_t tables;		/* memmap, hash and page tables: in low or in any */
	uint64_t huge;			/* huge pages: in low or in any */
	bool old_crash;			/* an old crash region is counted on */
};

/*
 * Work out the demand. With old_crash the running kernel's crash regions serve
 * for crashkernel=, each for one area of at most its size; d->old_crash says
 * whether that made a difference.
 *
 * -EINVAL (logged) for a crashkernel=X@Y that no region of the running kernel
 * covers.
 */
int placement_demand(const struct placement_inputs *in, bool old_crash, struct demand *d);

struct placement {
	uint64_t kernel;
	uint64_t initrd;
	uint64_t block;
};

/*
 * Put the three segments into the arenas below 4 GiB. -ENOSPC (logged, with
 * figures) when they do not fit.
 */
int placement_segments(const struct placement_inputs *in, const struct pramfs_arena *arena,
		       uint32_t nr, struct placement *out);

/*
 * Check what the claim's three numbers cannot express: gigantic pages, wherever
 * the new kernel lands; -ENOSPC (logged). And whether an old crash region that
 * is counted on will be left alone: -EAGAIN (not logged) if not, to ask again
 * without it.
 */
int placement_verify(const struct placement_inputs *in, const struct demand *d,
		     const struct placement *at, const struct pramfs_arena *arena, uint32_t nr);

#endif
