/* SPDX-License-Identifier: GPL-2.0 */
/*
 * format_internal.h - what the files format*.c share, and what differs between
 * kernel and user space for them. Nobody else includes it.
 */
#ifndef PRAMFS_FORMAT_INTERNAL_H
#define PRAMFS_FORMAT_INTERNAL_H

#ifdef __KERNEL__
#include <linux/crc32c.h>
#include <linux/stat.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <asm/byteorder.h>
#else
#include <endian.h>
#include <string.h>
#include <sys/stat.h>
#include "crc32c.h"
#define fallthrough	__attribute__((__fallthrough__))
#define le16_to_cpu(x)	le16toh(x)
#define le32_to_cpu(x)	le32toh(x)
#define le64_to_cpu(x)	le64toh(x)
#define cpu_to_le16(x)	htole16(x)
#define cpu_to_le32(x)	htole32(x)
#define cpu_to_le64(x)	htole64(x)
#endif

#include "format.h"

#define PRAMFS_END_PFN		(1ull << PRAMFS_PFN_BITS)
#define PRAMFS_END_INDEX	(1ull << (63 - PRAMFS_FRAME_SHIFT))
#define PRAMFS_EXTENT_MAX	(1ull << (64 - PRAMFS_PFN_BITS))

/* Every way in which an image can be refused. */
#define PRAMFS_CHECKS(X)				\
	X(ROOT_MAGIC, "root magic")			\
	X(ROOT_VERSION, "root version")			\
	X(ROOT_CRC, "root crc")				\
	X(ROOT_STATE, "root state")			\
	X(ROOT_NODE, "root node")			\
	X(ROOT_PFN, "root frame number")		\
	X(ROOT_LINK, "root link")			\
	X(ROOT_FRAME, "root frame reserved")		\
	X(RANGE_COUNT, "range count")			\
	X(RANGE_NODE, "range node")			\
	X(RANGE_LINK, "range link")			\
	X(RANGE_BOUNDS, "range bounds")			\
	X(RANGE_ORDER, "range order")			\
	X(ARENA_COUNT, "arena count")			\
	X(MOUNT_LIMIT, "mount limit")			\
	X(STREAM_PAGES, "stream pages")			\
	X(STREAM_BYTES, "stream bytes")			\
	X(PAGE_FRAME, "page frame reserved")		\
	X(PAGE_TWICE, "page frame owned twice")		\
	X(PAGE_MISSING, "page missing")			\
	X(PAGE_MAGIC, "page magic")			\
	X(PAGE_CRC, "page crc")				\
	X(PAGE_PFN, "page frame number")		\
	X(PAGE_SEQ, "page number in chain")		\
	X(PAGE_USED, "page payload length")		\
	X(PAGE_NEXT, "page chain length")		\
	X(STREAM_END, "stream end")			\
	X(RECORD_LENGTH, "record length")		\
	X(RECORD_TYPE, "record type")			\
	X(RECORD_ORDER, "record order")			\
	X(RECORD_TAIL, "record tail")			\
	X(MOUNT_NAME, "mount name")			\
	X(MOUNT_TWICE, "mount name twice")		\
	X(MOUNT_COUNT, "mount count")			\
	X(INODE_COUNT, "inode count")			\
	X(ENTRY_COUNT, "entry count")			\
	X(INODE_NUMBER, "inode number")			\
	X(INODE_TYPE, "inode type")			\
	X(INODE_ROOT, "inode of root directory")	\
	X(INODE_OWNER, "inode owner")			\
	X(INODE_SIZE, "inode size")			\
	X(INODE_DEVICE, "inode device number")		\
	X(INODE_FLAGS, "inode flags")			\
	X(INODE_TIME, "inode time")			\
	X(INODE_LINKS, "inode links")			\
	X(XATTR_NAME, "xattr name")			\
	X(XATTR_VALUE, "xattr value length")		\
	X(TARGET_OWNER, "target of what is no symlink")	\
	X(TARGET_TEXT, "target text")			\
	X(TARGET_LENGTH, "target length")		\
	X(TARGET_MISSING, "target missing")		\
	X(EXTENT_OWNER, "extents of what is no file")	\
	X(EXTENT_ORDER, "extent order")			\
	X(EXTENT_END, "extent end")			\
	X(EXTENT_FRAME, "extent frames reserved")	\
	X(EXTENT_TWICE, "extent frames owned twice")	\
	X(CHECKSUM_COUNT, "checksum count")		\
	X(ENTRY_PARENT, "entry parent")			\
	X(ENTRY_CHILD, "entry child")			\
	X(ENTRY_NAME, "entry name")			\
	X(END_TRAILING, "end trailing bytes")		\
	X(END_RECORDS, "end record count")		\
	X(END_EXTENTS, "end extent count")		\
	X(END_FRAMES, "end frame count")

enum pramfs_check_id {
#define PRAMFS_CHECK_ID(id, name) PRAMFS_CHECK_##id,
	PRAMFS_CHECKS(PRAMFS_CHECK_ID)
#undef PRAMFS_CHECK_ID
};

/* Fill *f in; returns -EUCLEAN, the usual answer. */
int pramfs_refuse(struct pramfs_finding *f, enum pramfs_check_id check, u64 pfn, u32 offset,
		  u64 found, u64 expected);

/* The stream of a handover, as it is read. */
struct pramfs_stream {
	const struct pramfs_source *src;
	const struct pramfs_root *root;	/* checked */
	struct pramfs_owned *owned;	/* bounds, unless the caller claims frames */
	struct pramfs_finding *f;

	/* the page at hand */
	const struct pramfs_page_head *page;
	u64 pfn;
	u64 pages;			/* pages read */
	u64 next;
	u64 left;			/* bytes of the stream not read */
	u32 pos, used;			/* in the payload */

	/* the record at hand */
	u64 rec_pfn;			/* where it starts */
	u32 rec_offset;
	u32 fixed, tail;		/* bytes of it not read */

	struct pramfs_owned bounds;
};

void pramfs_stream_init(struct pramfs_stream *s, const struct pramfs_source *src,
			const struct pramfs_root *root, struct pramfs_finding *f);
/* The head of the next record: sets fixed and tail, which are within the stream. */
int pramfs_get_head(struct pramfs_stream *s, u32 *type);
/* The fixed part, as much of it as we know; what is missing is 0. */
int pramfs_get_fixed(struct pramfs_stream *s, void *to, u32 bytes);
/* bytes of the tail, at most as many as are left of it. */
int pramfs_get_tail(struct pramfs_stream *s, void *to, u32 bytes);
/* Bytes that are known to be left; to == NULL: skip them. */
int pramfs_get_bytes(struct pramfs_stream *s, void *to, u32 bytes);

/* The ranges of a checked root, without maps: pramfs_own() then checks bounds only. */
void pramfs_owned_bounds(const struct pramfs_root *root, struct pramfs_owned *owned);

#endif
