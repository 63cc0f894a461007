/* SPDX-License-Identifier: GPL-2.0 */
/*
 * shot.h - images made record by record, right or wrong as the caller wants.
 *
 * It is written from pramfs_format.h and does not use format_write.c, so that
 * the two can be held against each other. A shot is an image file in memory:
 * page 0 is the root, in frame SHOT_BASE, page k lies in frame SHOT_BASE + k.
 */
#ifndef SHOT_H
#define SHOT_H

#include "../../pramfs-module/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SHOT_BASE	0x2000ull
#define SHOT_FRAMES	0x8000ull	/* of the one range, from SHOT_BASE on */
#define SHOT_DATA	(SHOT_BASE + 0x4000)
#define SHOT_MAX	(16u << 20)

struct shot {
	u8 *stream;
	size_t bytes;
	u64 records, extents, frames;
	u32 mounts;
	u8 *pages;
	size_t nr_pages;
};

static inline void shot_reset(struct shot *s)
{
	if (!s->stream) {
		s->stream = calloc(2, SHOT_MAX);
		s->pages = s->stream + SHOT_MAX;
	}
	s->bytes = 0;
	s->records = s->extents = s->frames = 0;
	s->mounts = 0;
	s->nr_pages = 0;
}

/* One record; returns its fixed part, to be changed at will. */
static inline void *shot_record(struct shot *s, u32 type, const void *fixed, size_t fixed_len,
				const void *tail, size_t tail_len)
{
	struct pramfs_rec_head head = {
		.type = (u16)type, .fixed = (u16)fixed_len, .len = (u32)(fixed_len + tail_len),
	};
	u8 *at = s->stream + s->bytes;

	memcpy(at, &head, sizeof(head));
	if (fixed_len)
		memcpy(at + sizeof(head), fixed, fixed_len);
	if (tail_len)
		memcpy(at + sizeof(head) + fixed_len, tail, tail_len);
	s->bytes += sizeof(head) + fixed_len + tail_len;
	s->records++;
	return at + sizeof(head);
}

static inline struct pramfs_rec_mount *shot_mount(struct shot *s, const char *name, u64 inodes,
						  u64 dirents)
{
	struct pramfs_rec_mount m = {
		.next_ino = 1000, .nr_inodes = inodes, .nr_dirents = dirents,
	};

	s->mounts++;
	return shot_record(s, PRAMFS_REC_MOUNT, &m, sizeof(m), name, strlen(name));
}

static inline struct pramfs_rec_inode *shot_inode(struct shot *s, u32 mode, u64 size, u32 nlink)
{
	struct pramfs_rec_inode i = {
		.ino = 1 + s->records, .size = size, .mode = mode, .nlink = nlink,
	};

	return shot_record(s, PRAMFS_REC_INODE, &i, sizeof(i), NULL, 0);
}

static inline struct pramfs_rec_xattr *shot_xattr(struct shot *s, const char *name, const char *value)
{
	struct pramfs_rec_xattr x = {
		.name_len = (u32)strlen(name), .value_len = (u32)strlen(value),
	};
	char tail[1024];

	snprintf(tail, sizeof(tail), "%s%s", name, value);
	return shot_record(s, PRAMFS_REC_XATTR, &x, sizeof(x), tail, strlen(tail));
}

static inline void *shot_target(struct shot *s, const char *target)
{
	return shot_record(s, PRAMFS_REC_TARGET, NULL, 0, target, strlen(target));
}

static inline struct pramfs_extent *shot_extent(struct shot *s, u64 index, u64 pfn, u64 pages)
{
	struct pramfs_extent e = {
		.index = index, .frames = pfn | (pages - 1) << PRAMFS_PFN_BITS,
	};

	s->extents++;
	s->frames += pages;
	return shot_record(s, PRAMFS_REC_EXTENTS, NULL, 0, &e, sizeof(e));
}

static inline struct pramfs_rec_dirent *shot_dirent(struct shot *s, u32 parent, u32 child,
						    const char *name)
{
	struct pramfs_rec_dirent d = { .parent = parent, .child = child };

	return shot_record(s, PRAMFS_REC_DIRENT, &d, sizeof(d), name, strlen(name));
}

static inline struct pramfs_rec_end *shot_end(struct shot *s)
{
	struct pramfs_rec_end e = {
		.records = s->records, .extents = s->extents, .frames = s->frames,
	};

	return shot_record(s, PRAMFS_REC_END, &e, sizeof(e), NULL, 0);
}

static inline struct pramfs_root *shot_root(struct shot *s)
{
	return (struct pramfs_root *)s->pages;
}

static inline struct pramfs_page_head *shot_page(struct shot *s, size_t nr)
{
	return (struct pramfs_page_head *)(s->pages + (nr + 1) * PRAMFS_FRAME_SIZE);
}

static inline void shot_crcs(struct shot *s)
{
	struct pramfs_page_head *page;
	size_t i;

	shot_root(s)->crc = pramfs_page_crc(s->pages, offsetof(struct pramfs_root, crc));
	for (i = 0; i + 1 < s->nr_pages; i++) {
		page = shot_page(s, i);
		page->crc = pramfs_page_crc(page, offsetof(struct pramfs_page_head, crc));
	}
}

static inline void shot_ranges(struct shot *s, const struct pramfs_span *span, u32 nr)
{
	struct pramfs_root *root = shot_root(s);
	u64 phys = (root->pfn << PRAMFS_FRAME_SHIFT) + offsetof(struct pramfs_root, node);
	u32 i;

	root->nr_ranges = nr;
	root->next = phys;
	for (i = 0; i < nr && i < PRAMFS_MAX_RANGES; i++) {
		phys += sizeof(root->node[0]);
		root->node[i] = (struct pramfs_range_node) {
			.next = i + 1 < nr ? phys : 0,
			.type = PRAMFS_SETUP_INDIRECT,
			.len = 24,
			.indirect_type = PRAMFS_SETUP_TYPE,
			.addr = span[i].pfn << PRAMFS_FRAME_SHIFT,
			.bytes = span[i].frames << PRAMFS_FRAME_SHIFT,
		};
	}
}

/* The stream cut into pages, and a root before them. */
static inline void shot_pack(struct shot *s)
{
	size_t pages = (s->bytes + PRAMFS_PAYLOAD - 1) / PRAMFS_PAYLOAD, i, at, used;
	const struct pramfs_span span = { SHOT_BASE, SHOT_FRAMES };
	struct pramfs_root *root = shot_root(s);
	struct pramfs_page_head *page;

	s->nr_pages = pages + 1;
	memset(s->pages, 0, s->nr_pages * PRAMFS_FRAME_SIZE);
	root->type = PRAMFS_SETUP_TYPE;
	root->len = PRAMFS_FRAME_SIZE - 16;
	root->magic = PRAMFS_ROOT_MAGIC;
	root->major = PRAMFS_FORMAT_MAJOR;
	root->minor = PRAMFS_FORMAT_MINOR;
	root->state = PRAMFS_STATE_SEALED;
	root->nr_mounts = s->mounts;
	root->pfn = SHOT_BASE;
	root->stream_pfn = SHOT_BASE + 1;
	root->stream_pages = pages;
	root->stream_bytes = s->bytes;
	root->data_frames = s->frames;
	shot_ranges(s, &span, 1);
	for (i = 0, at = 0; i < pages; i++, at += used) {
		used = s->bytes - at < PRAMFS_PAYLOAD ? s->bytes - at : PRAMFS_PAYLOAD;
		page = shot_page(s, i);
		page->magic = PRAMFS_PAGE_MAGIC;
		page->seq = (u32)i;
		page->used = (u32)used;
		page->pfn = SHOT_BASE + 1 + i;
		page->next = i + 1 < pages ? page->pfn + 1 : 0;
		memcpy(page + 1, s->stream + at, used);
	}
	shot_crcs(s);
}

/* A small tree with every record type in it; counts as in the real world. */
static inline void shot_tree(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "images", 7, 7);
	shot_inode(s, S_IFDIR | 0755, 0, 3);			/* 0 */
	shot_inode(s, S_IFREG | 0644, 10 * 4096 - 5, 2);	/* 1: two links */
	shot_xattr(s, "user.note", "some value");
	shot_xattr(s, "user.empty", "");
	shot_extent(s, 0, SHOT_DATA, 4);
	shot_extent(s, 6, SHOT_DATA + 100, 4);
	shot_inode(s, S_IFLNK | 0777, 9, 1);			/* 2 */
	shot_target(s, "some/file");
	shot_inode(s, S_IFDIR | 0700, 0, 2);			/* 3 */
	shot_inode(s, S_IFCHR | 0600, 0, 1)->rdev_major = 5;	/* 4 */
	shot_inode(s, S_IFIFO | 0600, 0, 1);			/* 5 */
	shot_inode(s, S_IFREG | 0600, 0, 1)->flags = PRAMFS_INODE_BEYOND_EOF; /* 6 */
	shot_extent(s, 3, SHOT_DATA + 50, 2);
	shot_dirent(s, 0, 1, "file");
	shot_dirent(s, 0, 3, "dir");
	shot_dirent(s, 3, 1, "link");
	shot_dirent(s, 3, 2, "symlink");
	shot_dirent(s, 0, 4, "tty");
	shot_dirent(s, 3, 5, "fifo");
	shot_dirent(s, 3, 6, "spare");
	shot_mount(s, "second", 1, 0);
	shot_inode(s, S_IFDIR | 0755, 0, 2);
	shot_end(s);
	shot_pack(s);
}

#endif
