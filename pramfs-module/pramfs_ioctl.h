/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pramfs_ioctl.h - /dev/pramfs, how user space steers a handover.
 *
 * The device has mode 0600 and every call needs CAP_SYS_ADMIN. All sizes are
 * bytes, all addresses physical. One operation at a time.
 *
 * The life of a handover, each verb with its inverse:
 *   CLAIM   / RELEASE   boot arena and root page; before the kernel is loaded
 *   SEAL    / UNSEAL    write the handover; all mounts are read-only in between
 *   (kexec)
 *   in the new kernel the module checks and opens it as it is loaded; mount
 *   takes the files over, or DISCARD gives the memory up. Files that were taken over
 *   go with the last mount, but not before one of them, or a directory, was opened.
 *
 * read(2) gives the metadata of the handover that is there (sealed, or come
 * from the old kernel and not yet taken over): the root page, then the stream
 * pages in order; this is also what an image file holds. It gives 0 bytes when
 * there is none. The stream behind a damaged page cannot be found and is left out.
 */
#ifndef PRAMFS_IOCTL_H
#define PRAMFS_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PRAMFS_IOC_MAX_ARENAS	32

struct pramfs_arena {
	__u64 start;
	__u64 bytes;
};

/*
 * Claim free memory, moving what is movable out of it. Every arena is a
 * multiple of 2 MiB and so aligned.
 *   -ENOMEM  not to be had; *_missing say how much; nothing is claimed
 *   -EBUSY   claimed already, or a handover from the old kernel is pending
 *   -E2BIG   system RAM, less the arenas, has more parts than a handover has ranges
 */
struct pramfs_ioc_claim {
	/* in */
	__u64 contig;		/* one arena below 4 GiB must be at least this large */
	__u64 low;		/* all arenas below 4 GiB together (contig included) */
	__u64 any;		/* further memory, above 4 GiB where there is some */
	/* out */
	__u64 root;		/* for boot_params.hdr.setup_data */
	__u64 contig_missing;
	__u64 low_missing;
	__u64 any_missing;
	__u32 nr;
	__u32 reserved;
	struct pramfs_arena arena[PRAMFS_IOC_MAX_ARENAS];	/* sorted by start */
};

/* What a seal made. -ENOMEM, -EBUSY (not claimed, or sealed), -E2BIG (too many ranges). */
struct pramfs_ioc_seal {
	__u64 mounts;
	__u64 inodes;
	__u64 data_bytes;
	__u64 metadata_bytes;
	__u64 ranges;
	__u64 extents;
	__u64 nanoseconds;	/* time that the seal took */
};

enum {
	PRAMFS_CLAIMED = 1,	/* an arena is claimed */
	PRAMFS_SEALED = 2,	/* the handover is written, mounts are read-only */
	PRAMFS_PENDING = 4,	/* a handover came and not all of it is mounted yet */
	PRAMFS_REFUSED = 8,	/* a handover came and failed a check */
};

struct pramfs_ioc_status {
	__u32 flags;
	__u32 format_major;	/* of this module */
	__u32 format_minor;
	__u32 pending_mounts;
	__u64 root;		/* physical address of the root page in use, 0 = none */
	__u64 arena_bytes;
	__u64 reserved_bytes;	/* still kept from the system for a pending or refused handover */
	__u64 came_bytes;	/* size of all reserved ranges of the handover that came, 0 = none came */
	__u64 given_back_bytes;	/* of them, what the system has got back at load */
	__u64 check_ns;		/* time to check the handover at load */
	__u64 give_back_ns;	/* time to give back at load */
	__u64 refused_pfn;	/* where a check failed */
	__u32 refused_offset;
	__u32 reserved;
	__u64 refused_found;
	__u64 refused_expected;
	char refused_check[64];	/* "" when nothing was refused */
	/* Pages of all instances, since each was first mounted: */
	__u64 adopted_pages;		/* spliced in, taken as they were (adopt=on) */
	__u64 adopt_copied_pages;	/* spliced in, copied in spite of adopt=on */
	__u64 given_pages;		/* read, mapped as they were (give=on) */
	__u64 give_copied_pages;	/* read, copied in spite of give=on */
};

#define PRAMFS_IOC_CLAIM	_IOWR('P', 1, struct pramfs_ioc_claim)
#define PRAMFS_IOC_RELEASE	_IO('P', 2)
#define PRAMFS_IOC_SEAL		_IOR('P', 3, struct pramfs_ioc_seal)
#define PRAMFS_IOC_UNSEAL	_IO('P', 4)
#define PRAMFS_IOC_STATUS	_IOR('P', 5, struct pramfs_ioc_status)
/*
 * Give up a handover that came and is pending or refused. -ENOENT: there is none;
 * -EBUSY: a part of it is mounted, and not all; -EUCLEAN: its root page is damaged, so that
 * nobody knows the ranges, or they are not memory of this kernel's: the memory comes
 * back at the next boot.
 */
#define PRAMFS_IOC_DISCARD	_IO('P', 6)
/*
 * FREEZE (the argument is a descriptor on a filesystem) and THAW (all of them,
 * the last first): as FIFREEZE and FITHAW do, but what a process has frozen is
 * thawed as well when it closes the device, or ends.
 *   -EOPNOTSUPP  this filesystem cannot be frozen
 *   -EBUSY       it is frozen already, by somebody else
 */
#define PRAMFS_IOC_FREEZE	_IO('P', 7)
#define PRAMFS_IOC_THAW		_IO('P', 8)

#define PRAMFS_DEVICE		"/dev/pramfs"

#endif
