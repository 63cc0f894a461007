/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memmap.h - the firmware's memory map, as the new kernel is to see it.
 */
#ifndef REBOOTLESS_MEMMAP_H
#define REBOOTLESS_MEMMAP_H

#include <asm/bootparam.h>
#include <stdint.h>

#define MEMMAP_DIR	"/sys/firmware/memmap"
/* More than any machine has; the kernel's own table ends at 128 + 3 per node. */
#define MEMMAP_MAX	3072

/* e820 types beyond asm/bootparam.h, from the kernel's asm/e820/types.h */
enum {
	E820_RAM = 1,
	E820_RESERVED = 2,
	E820_ACPI = 3,
	E820_NVS = 4,
	E820_UNUSABLE = 5,
	E820_PMEM = 7,
	E820_PRAM = 12,
};
#define E820_SOFT_RESERVED 0xefffffffu

/* Sorted by address, entries apart from each other. */
struct memmap {
	uint32_t nr;
	struct boot_e820_entry entry[MEMMAP_MAX];
};

/*
 * Read DIR/N/{start,end,type} (format of /sys/firmware/memmap: end is the last
 * byte). Refuses what is unreadable, unknown in form or overlapping, with the
 * name of the file. 0 or -errno.
 */
int memmap_read(const char *dir, struct memmap *map);

uint64_t memmap_ram_bytes(const struct memmap *map);
/* First byte above all RAM. */
uint64_t memmap_ram_end(const struct memmap *map);

#endif
