/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernels.h - which kernels are installed, and where their files are.
 */
#ifndef REBOOTLESS_KERNELS_H
#define REBOOTLESS_KERNELS_H

#include "common/manifest.h"

/*
 * Find a kernel below root ("" = the running system). version: NULL for the
 * newest, a release, or a beginning of just one release ("7.3"). Sets release,
 * kernel and initrd (paths without root); cmdline is the caller's.
 * 0, or -ENOENT / -ENOTUNIQ (logged, with what is installed).
 */
int kernels_find(const char *root, const char *version, struct installed_kernel *k);

/*
 * The module of kernel `release`, of the running system, that modprobe(8) loads for
 * a name or alias ("fs-xfs"): allocated, "" = built in. 0, -ENOENT: it has none, or
 * -errno (logged).
 */
int kernels_module(const char *release, const char *alias, char **module);

/*
 * A module's name by its file, "kernel/drivers/block/xen-blkfront.ko.xz": allocated,
 * "xen_blkfront", since files are named either way. NULL: that is no file of a module,
 * or there is no memory (logged).
 */
char *kernels_module_name(const char *file);

#endif
