/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loader.h - a new kernel: claim the boot arena, load, seal, jump.
 *
 * Everything needs root and the lock of state.h.
 */
#ifndef REBOOTLESS_LOADER_H
#define REBOOTLESS_LOADER_H

#include <stdbool.h>

#include "placement.h"

#define LOADER_RELEASE_MAX 128

struct load_request {
	const char *kernel;	/* path of a bzImage */
	const char *initrd;	/* path, or no_initrd */
	const char *append;	/* command line; may be NULL with reuse_cmdline */
	const char *init;	/* what its /init is to be a link to instead; NULL = as it is */
	const char *memmap;	/* directory instead of /sys/firmware/memmap, or NULL */
	bool no_initrd;
	bool reuse_cmdline;	/* the running kernel's, without what its loader added, before append */
};

/*
 * All that can be known without changing anything. How much memory will be
 * asked for, and the kernel's release. 0 or -errno (logged).
 */
int loader_check(const struct load_request *request, struct demand *demand,
		 char release[LOADER_RELEASE_MAX]);

/* Claim and load, in place of what was loaded before. 0 or -errno (logged; nothing is changed). */
int loader_load(const struct load_request *request, int device);

/* Take back what was loaded. *did: there was something. 0 or -errno (logged). */
int unload_all(int device, int *did);

/* Is what is loaded what we loaded? 0 or -errno (logged). release may be NULL. */
int loader_check_ready(int device, char release[LOADER_RELEASE_MAX]);

/*
 * The point of no return: seal and jump. Comes back only when it failed, and
 * the mounts are then writable again: -errno (logged).
 */
int loader_fire(int device);

#endif
