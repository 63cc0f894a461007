/* SPDX-License-Identifier: GPL-2.0 */
/*
 * setup_data.h - what the loader of this kernel has left for it, as the kernel
 * shows it below /sys/kernel/boot_params/setup_data.
 *
 * The data of a node of type SETUP_INDIRECT are the whole range that it names,
 * gigabytes: a node is found by its type, and only then read.
 */
#ifndef REBOOTLESS_SETUP_DATA_H
#define REBOOTLESS_SETUP_DATA_H

#include <stddef.h>
#include <stdint.h>

/* The number of the first node of that type; -ENOENT or another -errno, not logged. */
int setup_data_find(uint32_t type);
/* The first bytes of a node's data, without its head. 0 or -errno, not logged. */
int setup_data_read(unsigned int nr, void *buf, size_t size);

#endif
