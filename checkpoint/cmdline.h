/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cmdline.h - what a kernel command line makes a kernel reserve at boot.
 *
 * A kernel that boots inside the boot arena finds only the arena's memory
 * free; what its command line takes out of that must be counted beforehand.
 * The parameters understood here: crashkernel= (all forms), hugepages= with
 * hugepagesz= and default_hugepagesz=, hugetlb_cma=, cma=, numa_cma=,
 * cma_pernuma=, reserve_mem=, swiotlb=, log_buf_len=, mem=, memmap=, root=.
 *
 * Pure: no I/O, no state. All sizes are bytes. A value that the kernel itself
 * would not parse it ignores, and so it is counted as nothing, with a warning.
 */
#ifndef REBOOTLESS_CMDLINE_H
#define REBOOTLESS_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESERVATIONS_MAX 24

/* One piece of memory that must be contiguous and aligned. */
struct reservation {
	const char *parameter;	/* for messages; static */
	uint64_t bytes;
	uint64_t align;
	bool crash;		/* a region of an old crash kernel may serve */
};

struct reservations {
	struct reservation contig[RESERVATIONS_MAX];
	uint32_t nr;
	uint64_t gigantic;	/* pages of 1 GiB, so aligned */
	uint64_t scattered;	/* bytes in pieces of at most 2 MiB */
	uint64_t low;		/* bytes in any pieces below 4 GiB */
	uint64_t crash_base;	/* crashkernel=X@Y: Y, else 0 */
	uint64_t crash_bytes;	/* and X */
	bool swiotlb_given;	/* swiotlb= says its size, or that there is none; */
	uint64_t swiotlb;	/* it is counted in neither of the above */
	bool swiotlb_force;
	bool has_root;		/* root=: the initramfs is then not limited to half of memory */
};

struct cmdline_host {
	uint64_t ram_bytes;	/* of the machine */
	uint32_t nodes;		/* NUMA nodes */
	const char *running;	/* the running kernel's command line */
};

/*
 * A number as the kernel's memparse() reads it: decimal, 0x or octal, then at
 * most one of K M G T P E. *end is put behind it (= text when there is none).
 * Beyond 64 bits it is UINT64_MAX.
 */
uint64_t cmdline_memparse(const char *text, const char **end);

/*
 * 0, or -EINVAL (logged) for what cannot be guaranteed: memory at a fixed
 * place, or a limit on memory that the running kernel does not have.
 */
int cmdline_reservations(const char *cmdline, const struct cmdline_host *host,
			 struct reservations *res);

/*
 * The value ("" without) of the nth (from 0) word NAME or NAME=VALUE, cut off at size;
 * false when there are not so many. dracut goes by the last, or by all.
 */
bool cmdline_value(const char *cmdline, const char *name, size_t nth, char *value, size_t size);

/*
 * Copy a command line without the words that a boot loader put there for
 * itself (BOOT_IMAGE=, initrd=) and what was meant for this boot alone
 * (rebootless.skip). out has room for as much as there is in.
 */
void cmdline_without_loader(const char *cmdline, char *out);

#endif
