/* SPDX-License-Identifier: GPL-2.0 */
/*
 * initrd.h - how much memory an initramfs will take when it is unpacked.
 *
 * Pure: no I/O, no state, trusts no byte.
 */
#ifndef REBOOTLESS_INITRD_H
#define REBOOTLESS_INITRD_H

#include <stddef.h>
#include <stdint.h>

/*
 * Estimate, on the safe side: a cpio that stands there as it is counts once, a
 * compressed one INITRD_RATIO times. -EINVAL (logged, with name) for what is
 * neither.
 */
int initrd_unpacked(const void *data, size_t bytes, const char *name, uint64_t *unpacked);

#define INITRD_RATIO 5

#endif
