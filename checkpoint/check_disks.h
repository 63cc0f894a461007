/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_disks.h - will the initramfs set up the disks that containers need?
 *
 * dracut sets up what root is on. Of other LVM volumes, LUKS devices and md
 * arrays only those that the command line names, by rd.lvm.lv, rd.lvm.vg,
 * rd.luks.uuid, rd.luks.name or rd.md.uuid; where none of a kind is named,
 * rd.auto sets up all of it. An initramfs made for one host has such words of
 * its own, in /etc/cmdline.d, and an /etc/crypttab.
 */
#ifndef REBOOTLESS_CHECK_DISKS_H
#define REBOOTLESS_CHECK_DISKS_H

#include <json-c/json.h>

#include "checkpoint/check_drivers.h"
#include "common/mount_table.h"

/* Where to look: "/etc/crypttab", and the host's mounts. */
struct disks_host {
	const char *crypttab;
	const struct mount_table *mounts;
};

/*
 * filesystems: those of the containers (filesystems.h). What nothing sets up, and
 * drivers that are lacking (drivers: whose), are findings, with the words to add; a
 * passphrase that somebody must type, a warning. 0 or -errno (logged).
 */
int check_disks(const struct disks_host *host, struct json_object *filesystems,
		struct drivers *drivers);

#endif
