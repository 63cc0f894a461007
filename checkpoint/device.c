// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "common/log.h"
#include "device.h"

#define MIB(bytes) ((unsigned long long)(((bytes) + (1 << 20) - 1) >> 20))

int device_open(void)
{
	int fd = open(PRAMFS_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		return log_refusal(-errno, "%s is not there: the pramfs module is not loaded; run `modprobe pramfs`",
				   PRAMFS_DEVICE);
	return log_syserr(errno, "cannot open %s", PRAMFS_DEVICE);
}

int device_status(int fd, struct pramfs_ioc_status *status)
{
	if (ioctl(fd, PRAMFS_IOC_STATUS, status) < 0)
		return log_syserr(errno, "%s: cannot read the status", PRAMFS_DEVICE);
	return 0;
}

static int explain_missing(const struct pramfs_ioc_claim *c)
{
	if (c->contig_missing)
		log_error("one piece of %llu MiB below 4 GiB is needed, the largest to be had is %llu MiB too small",
			  MIB(c->contig), MIB(c->contig_missing));
	if (c->low_missing)
		log_error("%llu MiB below 4 GiB are needed, %llu MiB are missing", MIB(c->low),
			  MIB(c->low_missing));
	if (c->any_missing)
		log_error("%llu MiB of further memory are needed, %llu MiB are missing", MIB(c->any),
			  MIB(c->any_missing));
	return log_refusal(-ENOMEM,
			   "not enough memory can be claimed for the new kernel to boot in: free some (stop something large, or `sync; echo 3 >/proc/sys/vm/drop_caches`), or let its command line reserve less; nothing was changed");
}

int device_claim(int fd, struct pramfs_ioc_claim *c)
{
	struct pramfs_ioc_status status;
	int err;

	if (ioctl(fd, PRAMFS_IOC_CLAIM, c) == 0)
		return 0;
	err = errno;
	if (err == ENOMEM)
		return explain_missing(c);
	if (err == E2BIG)
		return log_refusal(-E2BIG,
				   "%s: memory has too many parts for the ranges that a boot can reserve; nothing was changed: try again, when less of it is in use",
				   PRAMFS_DEVICE);
	if (err != EBUSY || ioctl(fd, PRAMFS_IOC_STATUS, &status) < 0)
		return log_syserr(err, "%s: cannot claim memory for the new kernel", PRAMFS_DEVICE);
	if (status.flags & PRAMFS_REFUSED)
		return log_refusal(-EBUSY,
				   "a handover from the kernel before was refused (%.64s) and is still there; look at it, then `pramfs discard` it",
				   status.refused_check);
	if (status.flags & PRAMFS_PENDING)
		return log_refusal(-EBUSY,
				   "a handover from the kernel before is still there, %u mounts of it not taken over; mount or discard it first",
				   status.pending_mounts);
	return log_refusal(-EBUSY, "an arena is claimed already%s; `rebootless unload` gives it back",
			   status.flags & PRAMFS_SEALED ? " and sealed" : "");
}

int device_release(int fd)
{
	if (ioctl(fd, PRAMFS_IOC_RELEASE) < 0)
		return log_syserr(errno, "%s: cannot release the arena", PRAMFS_DEVICE);
	return 0;
}

int device_seal(int fd, struct pramfs_ioc_seal *seal)
{
	if (ioctl(fd, PRAMFS_IOC_SEAL, seal) == 0)
		return 0;
	if (errno == E2BIG)
		return log_refusal(-E2BIG,
				   "%s: the handover lies too scattered for the ranges that a boot can reserve; release and load again",
				   PRAMFS_DEVICE);
	return log_syserr(errno, "%s: cannot seal the handover", PRAMFS_DEVICE);
}

int device_unseal(int fd)
{
	if (ioctl(fd, PRAMFS_IOC_UNSEAL) < 0)
		return log_syserr(errno, "%s: cannot take the seal back; the mounts stay read-only",
				  PRAMFS_DEVICE);
	return 0;
}
