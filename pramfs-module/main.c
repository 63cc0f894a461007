// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - PramFS, a filesystem in RAM that lives through kexec. This file only
 * initialises in order and unwinds in reverse.
 */
#include <linux/module.h>

#include "internal.h"

static int __init pramfs_init(void)
{
	int err;

	err = pramfs_change_init();
	if (err)
		return err;
	err = pramfs_open_init();
	if (err)
		goto change;
	err = pramfs_super_init();
	if (err)
		goto open;
	err = pramfs_device_init();
	if (err)
		goto super;
	return 0;
super:
	pramfs_super_exit();
open:
	pramfs_open_exit();
change:
	pramfs_change_exit();
	return err;
}

static void __exit pramfs_exit(void)
{
	pramfs_device_exit();
	pramfs_super_exit();
	pramfs_open_exit();
	pramfs_change_exit();
}

module_init(pramfs_init);
module_exit(pramfs_exit);
MODULE_DESCRIPTION("PramFS: a filesystem in RAM that lives through kexec");
MODULE_LICENSE("GPL");
