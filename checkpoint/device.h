/* SPDX-License-Identifier: GPL-2.0 */
/*
 * device.h - /dev/pramfs: claim and release, seal and unseal.
 *
 * All return 0 or -errno, logged; what the calls do is in pramfs_ioctl.h.
 */
#ifndef REBOOTLESS_DEVICE_H
#define REBOOTLESS_DEVICE_H

#include "pramfs-module/pramfs_ioctl.h"

/* The descriptor, or -errno; says how to get the module when it is not there. */
int device_open(void);
int device_status(int fd, struct pramfs_ioc_status *status);
/* What is missing is logged, with the figures asked for (-ENOMEM). */
int device_claim(int fd, struct pramfs_ioc_claim *claim);
int device_release(int fd);
int device_seal(int fd, struct pramfs_ioc_seal *seal);
int device_unseal(int fd);

#endif
