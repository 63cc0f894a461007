/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_system.h - what of the host, and of the kernel that is to come, speaks
 * against an update. Nothing is changed.
 *
 * What they found is in `findings`; those that return something return 0, or -errno
 * (logged) when they could not look.
 */
#ifndef REBOOTLESS_CHECK_SYSTEM_H
#define REBOOTLESS_CHECK_SYSTEM_H

#include "checkpoint/initrd_contents.h"
#include "checkpoint/placement.h"
#include "common/findings.h"
#include "common/manifest.h"

/*
 * Kernel, modules and initramfs belong together, and the initramfs brings
 * containers back. banner: what the kernel's image says that it is
 * (bzimage.h: release), "" = unknown. *contents: what is in the initramfs, nothing if
 * it cannot be read.
 */
int check_target(const struct installed_kernel *to, const char *banner,
		 struct initrd_contents *contents, struct findings *findings);

/* CRIU is there, works on this kernel, and is new enough for it and for `to`. */
int check_criu(const struct installed_kernel *to, struct findings *findings);

/* Is it of a version that loads criu-plugin.c? */
bool criu_has_plugins(void);

/* on-restore-failure = shell opens none where dracut resets the machine at its end. */
void check_shell(const struct installed_kernel *to, enum restore_policy policy,
		 struct findings *findings);

/*
 * Containers that are not among `list`: those that nobody could carry are refused, of
 * others there is a warning.
 */
void check_strays(const struct containers *list, struct findings *findings);

/*
 * SELinux has no policy in the initramfs, so that no label could be given back.
 * enforce: SELINUX_ENFORCE, which exists with SELinux alone.
 */
void check_selinux(const char *enforce, struct findings *findings);
#define SELINUX_ENFORCE "/sys/fs/selinux/enforce"

/*
 * What of the containers will be in memory twice, all of it without zero_copy, fits
 * there once the new kernel's arena (demand; NULL = claimed already) has been taken.
 */
int check_memory(const struct containers *list, const struct demand *demand, bool zero_copy,
		 struct findings *findings);

/* Warns of memory that a driver has added (virtio-mem, CXL). iomem: /proc/iomem. */
int check_driver_memory(const char *iomem, struct findings *findings);

#endif
