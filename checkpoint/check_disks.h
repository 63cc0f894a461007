/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_disks.h - will the initramfs set up the disks that containers need?
 *
 * dracut sets up what root is on. Of other LVM volumes, LUKS devices and md
 * arrays only those that the command line names, by rd.lvm.lv, rd.lvm.vg,
 * rd.luks.uuid, rd.luks.name or rd.md.uuid; where none of a kind is named,
 * rd.auto sets up all of it. An initramfs made for one host has such words of
 * its own, in /etc/cmdline.d, and an /etc/crypttab; and only the drivers of what
 * was mounted and plugged in when it was made.
 */
#ifndef REBOOTLESS_CHECK_DISKS_H
#define REBOOTLESS_CHECK_DISKS_H

#include <json-c/json.h>

#include "checkpoint/initrd_contents.h"
#include "common/findings.h"
#include "common/manifest.h"
#include "common/mount_table.h"

/* Where to look: "/sys", "/etc/crypttab", the host's mounts, and kernels_module(). */
struct disks_host {
	const char *sysfs, *crypttab;
	const struct mount_table *mounts;
	int (*module)(const char *release, const char *alias, char **module);
};

/*
 * filesystems: those of the containers (filesystems.h). What nothing sets up is a
 * finding, with the words to add; a passphrase that somebody must type, a warning.
 * 0 or -errno (logged).
 */
int check_disks(const struct disks_host *host, struct json_object *filesystems,
		const struct installed_kernel *to, const struct initrd_contents *contents,
		struct findings *findings);

#endif
