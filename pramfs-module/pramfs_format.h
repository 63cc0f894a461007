/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pramfs_format.h - the PramFS handover format, version 1.1
 *
 * This is a CONTRACT between two kernels and two builds: what one kernel seals
 * into memory, another one, of another version and compiled by somebody else,
 * opens after a kexec. Nothing here may change its meaning; see "Versions".
 * The checks that an image must pass are in format.c and nowhere else.
 *
 * Units and types
 *   All integers are little-endian and of fixed width. A "frame" is 4096 bytes
 *   of physical memory, named by its frame number (physical address >> 12, at
 *   most 40 bits: x86-64 has 52 address bits). A "page" of a file is 4096
 *   bytes of it, named by its index (offset >> 12). Times are seconds and
 *   nanoseconds since the epoch. Reserved fields are written as 0 and not read.
 *
 * The way in
 *   The new kernel's boot parameters hold a linked list of struct setup_data
 *   (Documentation/arch/x86/boot.rst). One node has type PRAMFS_SETUP_TYPE:
 *   it is the root page, one whole frame, struct pramfs_root. A kernel shows
 *   it as /sys/kernel/boot_params/setup_data/N/{type,data}. Behind it in the
 *   list, and inside that same page, stand up to PRAMFS_MAX_RANGES nodes of
 *   type SETUP_INDIRECT: each makes the kernel reserve one range of memory
 *   before it allocates anything (5.5 and later). These ranges are the
 *   reserved ranges of the handover. They hold every frame that is handed
 *   over, and many that are not: whatever lies in a range and is owned neither
 *   by an extent nor by the metadata is given back to the new kernel.
 *
 * The stream
 *   The root names the first page of a chain of stream pages. Their payloads,
 *   one after the other, are one stream of bytes; records lie in it back to
 *   back, without padding, and may cross from one page into the next.
 *
 *     stream := mount* END
 *     mount  := MOUNT inode+ DIRENT*
 *     inode  := INODE XATTR* [TARGET] (EXTENTS | CHECKSUMS)*
 *
 *   The first inode of a mount is its root directory. Inodes are numbered by
 *   their place in their mount, from 0: that is how DIRENT names them.
 *
 * Rules (a reader refuses the whole image when one is broken)
 *   - root: magic, major version, CRC, own frame number, state SEALED; ranges
 *     sorted, not empty, apart from each other, at or above PRAMFS_LOWEST_PFN.
 *   - each stream page: magic, CRC, own frame number, number in the chain,
 *     payload length; the chain has exactly as many pages as the root says.
 *   - every frame lies in a reserved range and is owned once: by the root, by
 *     one stream page, or by one extent.
 *   - inodes: a known file type, and for it: size, device number, target and
 *     extents as that type has them. Extents ascend, do not touch the same
 *     index twice and end at or before the last page of the file, unless the
 *     inode has PRAMFS_INODE_BEYOND_EOF (fallocate with KEEP_SIZE).
 *   - checksums: of the first pages that the inode's extents name, in their order,
 *     never more than the extents before have named.
 *   - tree: an entry's parent is a directory that has been reached already
 *     (the root directory has been), so that entries stand in an order in
 *     which the tree can be built; a directory (but the root directory) has
 *     exactly one entry and nlink = 2 + its subdirectories, another inode has
 *     exactly nlink entries, at least 1; a name is 1 to 255 bytes without NUL and '/', not
 *     "." or "..". Two entries of one directory have different names (checked
 *     by the reader that builds the tree).
 *   - mounts have different names, not empty and without NUL.
 *   - the END record carries the counts of all records; nothing follows it.
 *
 * Versions
 *   Another major: not readable, refused. Another minor: readable both ways.
 *   A newer minor may add fields at the end of a record's fixed part (a reader
 *   takes those that it knows; missing ones are 0) and records of new types
 *   with PRAMFS_REC_OPTIONAL set (a reader skips those that it does not know;
 *   an unknown type without it is refused).
 *   1.1: CHECKSUMS.
 *
 * Limits: 60 ranges, 256 mounts, 2^40 frames, 2^24 pages in an extent, 2^32 - 1
 * inodes in a mount, 64 KiB in an xattr's value.
 * Size: an extent costs 16 bytes; at the very worst (no two pages adjacent)
 * the metadata is 0.395 % of the data.
 *
 * Not in the format: open or deleted files, locks.
 */
#ifndef PRAMFS_FORMAT_H
#define PRAMFS_FORMAT_H

#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/build_bug.h>
#else
#include <assert.h>
#endif

#define PRAMFS_FORMAT_MAJOR	1
#define PRAMFS_FORMAT_MINOR	1

#define PRAMFS_FRAME_SHIFT	12
#define PRAMFS_FRAME_SIZE	4096u
#define PRAMFS_LOWEST_PFN	0x1000u		/* 16 MiB: nothing below is handed over */
#define PRAMFS_PFN_BITS		40
#define PRAMFS_MAX_RANGES	60
#define PRAMFS_MAX_ARENAS	32
#define PRAMFS_MAX_MOUNTS	256
#define PRAMFS_MAX_NAME		63		/* of a mount, without the NUL */
#define PRAMFS_MAX_DENTRY	255
#define PRAMFS_MAX_TARGET	4095
#define PRAMFS_MAX_XATTR_NAME	255
#define PRAMFS_MAX_XATTR_VALUE	65536

/* setup_data: the first is ours ("PRMF"), the second is SETUP_INDIRECT of asm/setup_data.h */
#define PRAMFS_SETUP_TYPE	0x50524d46u
#define PRAMFS_SETUP_INDIRECT	0x80000000u

#define PRAMFS_ROOT_MAGIC	0x3153464d41525021ull	/* "!PRAMFS1" */
#define PRAMFS_PAGE_MAGIC	0x504d5250u		/* "PRMP" */

enum pramfs_state {
	PRAMFS_STATE_CLAIMED = 1,	/* a kernel is loaded, nothing is handed over yet */
	PRAMFS_STATE_SEALED = 2,	/* a handover */
};

/* One SETUP_INDIRECT node of the boot protocol: struct setup_data + struct setup_indirect. */
struct pramfs_range_node {
	__le64 next;		/* physical address of the next node, 0 = last */
	__le32 type;		/* PRAMFS_SETUP_INDIRECT */
	__le32 len;		/* 24 */
	__le32 indirect_type;	/* PRAMFS_SETUP_TYPE */
	__le32 reserved;
	__le64 bytes;		/* length and physical address of the range, */
	__le64 addr;		/* multiples of PRAMFS_FRAME_SIZE */
};

struct pramfs_span {
	__le64 pfn;
	__le64 frames;
};

/*
 * The root page. Its first 16 bytes are a struct setup_data of len
 * PRAMFS_FRAME_SIZE - 16. crc is the CRC32C (Castagnoli, initial value ~0,
 * final inversion) of the page with crc itself taken as 0.
 */
struct pramfs_root {
	__le64 next;		/* physical address of node[0], or what followed us */
	__le32 type;		/* PRAMFS_SETUP_TYPE */
	__le32 len;		/* PRAMFS_FRAME_SIZE - 16 */
	__le64 magic;		/* PRAMFS_ROOT_MAGIC */
	__le16 major;
	__le16 minor;
	__le32 crc;
	__le32 state;		/* enum pramfs_state */
	__le32 nr_ranges;	/* nodes in use */
	__le32 nr_arenas;
	__le32 nr_mounts;
	__le64 pfn;		/* of this page itself */
	__le64 stream_pfn;	/* first stream page */
	__le64 stream_pages;	/* how many there are, at least 1 when sealed */
	__le64 stream_bytes;	/* payload bytes of all of them */
	__le64 data_frames;	/* frames in extents */
	__le64 sealed_tsc;	/* time stamp counter when the seal was done */
	char kernel[64];	/* release of the kernel that sealed, for people */
	struct pramfs_span arena[PRAMFS_MAX_ARENAS];	/* for people: the boot arena */
	__u8 reserved[1024];
	struct pramfs_range_node node[PRAMFS_MAX_RANGES];
};

/* Head of a stream page; the payload follows. crc as in the root. */
struct pramfs_page_head {
	__le32 magic;		/* PRAMFS_PAGE_MAGIC */
	__le32 crc;
	__le32 seq;		/* 0, 1, ... in the chain */
	__le32 used;		/* bytes of payload; full in all pages but the last */
	__le64 pfn;		/* of this page itself */
	__le64 next;		/* frame number of the next page, 0 = last */
};

#define PRAMFS_PAYLOAD	(PRAMFS_FRAME_SIZE - sizeof(struct pramfs_page_head))

/*
 * A record: head, fixed part (a struct below, possibly longer or shorter: see
 * Versions), tail. len counts the fixed part and the tail.
 */
struct pramfs_rec_head {
	__le16 type;		/* enum pramfs_rec */
	__le16 fixed;		/* bytes of the fixed part */
	__le32 len;
};

enum pramfs_rec {
	PRAMFS_REC_MOUNT = 1,	/* tail: name of the mount, no NUL */
	PRAMFS_REC_INODE = 2,	/* no tail */
	PRAMFS_REC_XATTR = 3,	/* tail: name, then value */
	PRAMFS_REC_TARGET = 4,	/* fixed 0; tail: target of a symlink, no NUL */
	PRAMFS_REC_EXTENTS = 5,	/* fixed 0; tail: struct pramfs_extent [] */
	PRAMFS_REC_DIRENT = 6,	/* tail: name, no NUL */
	PRAMFS_REC_END = 7,	/* no tail */
	PRAMFS_REC_OPTIONAL = 0x8000,
	PRAMFS_REC_CHECKSUMS = 0x8008,	/* fixed 0; tail: __le32 [], CRC32C as of the root, of one page each */
};

struct pramfs_rec_mount {
	__le64 max_pages;	/* size=, 0 = no limit */
	__le64 max_inodes;	/* nr_inodes=, 0 = no limit */
	__le64 next_ino;	/* larger than every ino of the mount */
	__le64 nr_inodes;	/* INODE records of this mount */
	__le64 nr_dirents;	/* DIRENT records of this mount */
};

enum {
	PRAMFS_INODE_BEYOND_EOF = 1,	/* pages allocated behind the size */
};

struct pramfs_time {
	__le64 sec;		/* signed */
	__le32 nsec;
	__le32 reserved;
};

struct pramfs_rec_inode {
	__le64 ino;		/* as stat(2) shows it; not 0 */
	__le64 size;		/* bytes; a symlink: length of the target; device, fifo, socket: 0 */
	__le32 mode;		/* type and permissions, as in stat(2) */
	__le32 uid;
	__le32 gid;
	__le32 nlink;		/* as in stat(2): a directory has 2 + subdirectories */
	__le32 rdev_major;	/* character and block devices only */
	__le32 rdev_minor;
	__le32 flags;		/* PRAMFS_INODE_* */
	__le32 generation;
	struct pramfs_time atime, mtime, ctime, btime;
};

struct pramfs_rec_xattr {
	__le32 name_len;	/* full name, with its "user." etc. */
	__le32 value_len;
};

/*
 * pages i .. i+n-1 of a file lie in frames p .. p+n-1.
 * frames: bits 0-39 p, bits 40-63 n-1.
 */
struct pramfs_extent {
	__le64 index;
	__le64 frames;
};

struct pramfs_rec_dirent {
	__le32 parent;		/* inode numbers within the mount's list */
	__le32 child;
};

struct pramfs_rec_end {
	__le64 records;		/* all before this one */
	__le64 extents;
	__le64 frames;		/* sum of all extents; = root.data_frames */
};

static_assert(sizeof(struct pramfs_range_node) == 40);
static_assert(sizeof(struct pramfs_root) == PRAMFS_FRAME_SIZE);
static_assert(sizeof(struct pramfs_page_head) == 32);
static_assert(sizeof(struct pramfs_rec_head) == 8);
static_assert(sizeof(struct pramfs_rec_mount) == 40);
static_assert(sizeof(struct pramfs_rec_inode) == 112);
static_assert(sizeof(struct pramfs_rec_xattr) == 8);
static_assert(sizeof(struct pramfs_extent) == 16);
static_assert(sizeof(struct pramfs_rec_dirent) == 8);
static_assert(sizeof(struct pramfs_rec_end) == 24);

#endif
