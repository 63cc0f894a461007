/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TEST_VM_SEALING_H
#define TEST_VM_SEALING_H

#include <stddef.h>

/*
 * Print how the sealed handover in the image file (see pramfs_ioctl.h) is to be
 * damaged: one line per frame, the parameters of damage.ko. 0, or 2 = usage.
 */
int damage_image(const char *file, const char *kind);
/* The kinds of damage, one a line. */
void damage_list(void);

#endif
