/* SPDX-License-Identifier: GPL-2.0 */
/*
 * enter_root.h - make the real root the root of one program, from an initramfs.
 *
 * chroot is not enough: CRIU pivots, which fails where / is not a mount of its
 * own, and setns resets the root. So the program gets a mount namespace in
 * which the real root is all there is.
 */
#ifndef REBOOTLESS_ENTER_ROOT_H
#define REBOOTLESS_ENTER_ROOT_H

/*
 * In the initramfs, once: what programs need below the real root (/dev, /proc,
 * /sys, /run) is bound there, where it stays through the switch. 0 or -errno (logged).
 */
int root_prepare(const char *root);

/* In a child: its mount namespace becomes one with root as "/". 0 or -errno (logged). */
int root_enter(const char *root);

/*
 * In a child: the same root in the mount namespace that is there, for what is
 * to live on in that one; it becomes the real root's at the switch. CRIU does
 * with it as long as it has no mounts to restore.
 */
int root_change(const char *root);

#endif
