// SPDX-License-Identifier: GPL-2.0
/*
 * device.c - /dev/pramfs, where it is steered and not read.
 */
#include "tool.h"

#include <fcntl.h>
#include <sys/ioctl.h>

int open_device(void)
{
	int fd = open(PRAMFS_DEVICE, O_RDWR | O_CLOEXEC), err;

	if (fd >= 0)
		return fd;
	err = -errno;
	if (err == -ENOENT)
		say_error(0, "no " PRAMFS_DEVICE ": the module pramfs is not loaded");
	else
		say_error(err, "cannot open " PRAMFS_DEVICE);
	return err;
}

int get_status(int fd, struct pramfs_ioc_status *status)
{
	int err;

	if (!ioctl(fd, PRAMFS_IOC_STATUS, status))
		return 0;
	err = -errno;
	say_error(err, "cannot get the status from " PRAMFS_DEVICE);
	return err;
}
