/* SPDX-License-Identifier: GPL-2.0 */
/*
 * host.h - facts about the running kernel and its machine, from /proc and /sys.
 */
#ifndef REBOOTLESS_HOST_H
#define REBOOTLESS_HOST_H

#include <asm/bootparam.h>
#include <stdbool.h>
#include <stdint.h>

#include "pramfs-module/pramfs_ioctl.h"

#define HOST_CMDLINE_MAX 8192

struct host {
	bool la57;			/* 5-level paging is in use */
	uint32_t cpus;			/* possible */
	uint32_t nodes;
	char cmdline[HOST_CMDLINE_MAX];
	struct boot_params boot_params;
	struct pramfs_arena crash[8];	/* "Crash kernel" in /proc/iomem */
	uint32_t nr_crash;
};

/* 0 or -errno (logged). */
int host_read(struct host *host);

#define HOST_BOOT_ID_MAX 64
/* The kernel's boot_id: another one after every boot. 0 or -errno (logged). */
int host_boot_id(char id[HOST_BOOT_ID_MAX]);
/* Is it this kernel's? NULL: no. */
bool host_is_this_boot(const char *id);

#endif
