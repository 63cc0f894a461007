/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stamp_node.h - the time of the jump, as the new kernel finds it.
 *
 * The last code of the old kernel's side, the loader's trampoline (checkpoint/
 * boot_params.c), stores the time stamp counter into a node of the setup_data
 * list, next to its own code. The new kernel does not know the type, leaves
 * the node alone and shows it to everybody, for as long as it runs, as
 * /sys/kernel/boot_params/setup_data/N/{type,data}; timeline.c reads it there.
 *
 * A contract between two builds: later ones may only add fields at the end.
 */
#ifndef REBOOTLESS_STAMP_NODE_H
#define REBOOTLESS_STAMP_NODE_H

#include <assert.h>
#include <stdint.h>

/* setup_data type "RLTS"; the kernel's own are small numbers or have the top bit set. */
#define STAMP_SETUP_TYPE 0x524c5453u

/* The payload, behind the node's head (struct setup_data). */
struct stamp_node {
	uint64_t tsc;		/* little-endian; 0 = the trampoline was not run */
};

static_assert(sizeof(struct stamp_node) == 8, "read by other builds");

#endif
