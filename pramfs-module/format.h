/* SPDX-License-Identifier: GPL-2.0 */
/*
 * format.h - reading, checking and writing the handover format.
 *
 * It is in format.c (root page, ownership), format_stream.c (pages to bytes),
 * format_check.c (records) and format_write.c. They are pure: no allocation but through the callbacks, no
 * I/O, no global state, the same source in the kernel module, in the pramfs
 * tool, in the unit tests and in the fuzzer. They trust no byte of an image.
 *
 * All functions return 0 or -errno. A refusal is -EUCLEAN (damaged or not
 * allowed) or -EPROTONOSUPPORT (a major version or a record that this build
 * does not know), and struct pramfs_finding says which check failed and where.
 */
#ifndef PRAMFS_FORMAT_API_H
#define PRAMFS_FORMAT_API_H

#include "pramfs_format.h"

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/errno.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

/*
 * CRC32C of a metadata page (PRAMFS_FRAME_SIZE bytes) with the four bytes at
 * crc_offset taken as 0.
 */
u32 pramfs_page_crc(const void *page, size_t crc_offset);

/* ---- which frames are owned ------------------------------------------- */

struct pramfs_owned_range {
	u64 pfn;
	u64 frames;
	unsigned long *map;	/* one bit a frame, set = owned */
};

/* The reserved ranges of a handover and which of their frames it owns. */
struct pramfs_owned {
	u32 nr;
	struct pramfs_owned_range range[PRAMFS_MAX_RANGES];
};

/*
 * 0; -ERANGE: not wholly in one range; -EEXIST: one of them is owned already.
 * Nothing is marked when it fails.
 */
int pramfs_own(struct pramfs_owned *owned, u64 pfn, u64 frames);
/*
 * The next run of frames in range r that are not owned, at or after *pfn.
 * Returns false when there is none, else sets *pfn and *frames.
 */
bool pramfs_unowned_run(const struct pramfs_owned *owned, u32 r, u64 *pfn, u64 *frames);

/* ---- reading ---------------------------------------------------------- */

/* Where an image is read from. */
struct pramfs_source {
	/*
	 * The metadata page in this frame, or NULL when there is none to be
	 * read. Valid until the next call. Only called for frames that lie in
	 * a reserved range.
	 */
	const void *(*page)(void *ctx, u64 pfn);
	void *(*alloc)(void *ctx, size_t bytes);	/* zeroed; NULL = no memory */
	void (*free)(void *ctx, void *p);		/* accepts NULL */
	void *ctx;
};

/* What a check found. Nothing here is allocated. */
struct pramfs_finding {
	const char *check;	/* "page crc", "extent order", ...; a constant */
	u64 pfn;		/* metadata page in which it stands */
	u32 offset;		/* byte offset in that page */
	u64 found;
	u64 expected;		/* value or bound that was expected */
};

/* Names of all checks, ended by NULL: the tests see that each one can fail. */
extern const char *const pramfs_checks[];

/*
 * What a walk tells. Every callback may be NULL; a non-zero return ends the
 * walk with that value. Pointers are valid during the call only.
 */
struct pramfs_visitor {
	int (*mount)(void *ctx, u32 nr, const char *name, const struct pramfs_rec_mount *m);
	int (*inode)(void *ctx, u32 nr, const struct pramfs_rec_inode *i);
	int (*xattr)(void *ctx, u32 inode, const char *name, const void *value, u32 len);
	int (*target)(void *ctx, u32 inode, const char *target, u32 len);
	int (*extent)(void *ctx, u32 inode, u64 index, u64 pfn, u64 pages);
	/* The next ones of an inode; its extents so far have at least as many pages. */
	int (*checksums)(void *ctx, u32 inode, const __le32 *checksum, u32 nr);
	int (*dirent)(void *ctx, u32 parent, u32 child, const char *name, u32 len);
	void *ctx;
};

/*
 * Check the root page that was found at frame pfn (~0ull: not known, as in an
 * image file; then the root's own word is taken). -ENOENT: it is whole, but
 * hands nothing over (state CLAIMED).
 */
int pramfs_check_root(const void *root, u64 pfn, struct pramfs_finding *f);

/*
 * Check a whole image, root included. On success *owned says what the handover
 * owns (root and stream pages too); the caller frees it with
 * pramfs_owned_free(). On failure *owned is empty. The visitor (NULL: none) is
 * told while the end of the image may yet turn out to be bad.
 */
int pramfs_check(const struct pramfs_source *src, const struct pramfs_root *root, u64 root_pfn,
		 struct pramfs_owned *owned, const struct pramfs_visitor *v,
		 struct pramfs_finding *f);
void pramfs_owned_free(const struct pramfs_source *src, struct pramfs_owned *owned);

/*
 * Walk a checked image. mount < 0: all mounts; else only the one with this
 * number (-ENOENT: there is none). It keeps no trust: everything but who owns
 * which frame is checked again as it goes.
 */
int pramfs_walk(const struct pramfs_source *src, const struct pramfs_root *root, int mount,
		const struct pramfs_visitor *v, struct pramfs_finding *f);

/*
 * Frame numbers of the stream pages, in order: fn is called for each, also for
 * one that is found damaged; what follows that one cannot be found.
 */
int pramfs_walk_pages(const struct pramfs_source *src, const struct pramfs_root *root,
		      int (*fn)(void *ctx, u64 pfn), void *ctx, struct pramfs_finding *f);

/* ---- writing ---------------------------------------------------------- */

#define PRAMFS_EXTENT_BATCH	128
#define PRAMFS_CHECKSUM_BATCH	256	/* a good size for pramfs_put_checksums() */

/*
 * A writer makes the stream; call the put functions in the order of the format
 * (see "The stream"). It does not check that order, nor what only the whole
 * image can show: pramfs_check() does. A put fails as new_page does, or with
 * -EINVAL (a value that the format has no room for) or -E2BIG (too many mounts);
 * after a failure the writer is of no use. Start with a zeroed one.
 */
struct pramfs_writer {
	/* A new zeroed page for the stream; 0 or -errno. */
	int (*new_page)(void *ctx, void **page, u64 *pfn);
	void *ctx;

	/* private */
	struct pramfs_page_head *head;
	u64 first_pfn, pages, bytes, records, extents, frames;
	u32 nr_batch;
	u32 nr_mounts;
	struct pramfs_extent batch[PRAMFS_EXTENT_BATCH];
};

int pramfs_put_mount(struct pramfs_writer *w, const char *name, const struct pramfs_rec_mount *m);
int pramfs_put_inode(struct pramfs_writer *w, const struct pramfs_rec_inode *i);
int pramfs_put_xattr(struct pramfs_writer *w, const char *name, const void *value, u32 len);
int pramfs_put_target(struct pramfs_writer *w, const char *target, u32 len);
/* Extents of the last inode, ascending; adjacent ones become one. */
int pramfs_put_extent(struct pramfs_writer *w, u64 index, u64 pfn, u64 pages);
/* Of the next pages of the last inode that were put as extents. */
int pramfs_put_checksums(struct pramfs_writer *w, const __le32 *checksum, u32 nr);
int pramfs_put_dirent(struct pramfs_writer *w, u32 parent, u32 child, const char *name, u32 len);
/* END, and the CRC of the last page. */
int pramfs_put_end(struct pramfs_writer *w);

/*
 * Fill a zeroed root page at frame pfn from a finished writer and the ranges
 * (start and length of each, sorted). next_phys: what shall follow our nodes in
 * the setup_data list, 0 = nothing. The caller may set arena and nr_arenas,
 * kernel and sealed_tsc before; the CRC is made here, last. -E2BIG: too many ranges.
 */
int pramfs_put_root(struct pramfs_root *root, u64 pfn, const struct pramfs_writer *w,
		    const struct pramfs_span *ranges, u32 nr_ranges, u64 next_phys);

/* A root page of state CLAIMED: an honest setup_data node that hands over nothing. */
void pramfs_put_empty_root(struct pramfs_root *root, u64 pfn);

static inline u64 pramfs_extent_pfn(u64 frames)
{
	return frames & ((1ull << PRAMFS_PFN_BITS) - 1);
}

static inline u64 pramfs_extent_pages(u64 frames)
{
	return (frames >> PRAMFS_PFN_BITS) + 1;
}

#endif
