// SPDX-License-Identifier: GPL-2.0
/*
 * cases.c - for each check at least one image that only it refuses. All CRCs
 * are right unless the case is about them.
 */
#include "cases.h"

#define REG	(S_IFREG | 0644)
#define DIR	(S_IFDIR | 0755)
#define LNK	(S_IFLNK | 0777)

/* A mount with a root directory and one more inode; the caller adds what belongs to it. */
static struct pramfs_rec_inode *one(struct shot *s, u32 mode, u64 size)
{
	bool dir = S_ISDIR(mode);

	shot_reset(s);
	shot_mount(s, "m", 2, 1);
	shot_inode(s, DIR, 0, dir ? 3 : 2);
	return shot_inode(s, mode, size, dir ? 2 : 1);
}

static void ready(struct shot *s)
{
	shot_end(s);
	shot_pack(s);
}

static void close_one(struct shot *s)
{
	shot_dirent(s, 0, 1, "f");
	ready(s);
}

/* ---- root ---- */

#define ROOT_CASE(id, change)						\
static void id(struct shot *s)						\
{									\
	struct pramfs_root *root;					\
									\
	shot_tree(s);							\
	root = shot_root(s);						\
	change;								\
	shot_crcs(s);							\
}

ROOT_CASE(root_magic, root->magic ^= 1)
ROOT_CASE(root_major_newer, root->major++)
ROOT_CASE(root_major_older, root->major--)
ROOT_CASE(root_state_claimed, root->state = PRAMFS_STATE_CLAIMED)
ROOT_CASE(root_state_zero, root->state = 0)
ROOT_CASE(root_state_other, root->state = 3)
ROOT_CASE(root_type, root->type++)
ROOT_CASE(root_len, root->len++)
ROOT_CASE(root_pfn_low, root->pfn = 5)
ROOT_CASE(root_pfn_high, root->pfn = 1ull << 40)
ROOT_CASE(root_link, root->next += 8)
ROOT_CASE(range_count_none, root->nr_ranges = 0)
ROOT_CASE(range_count_many, root->nr_ranges = PRAMFS_MAX_RANGES + 1)
ROOT_CASE(range_count_huge, root->nr_ranges = ~0u)
ROOT_CASE(range_type, root->node[0].type = 1)
ROOT_CASE(range_len, root->node[0].len = 16)
ROOT_CASE(range_indirect, root->node[0].indirect_type = 1)
ROOT_CASE(range_low, root->node[0].addr = (PRAMFS_LOWEST_PFN - 1ull) << 12)
ROOT_CASE(range_addr_odd, root->node[0].addr += 512)
ROOT_CASE(range_addr_huge, root->node[0].addr = ~0xfffull)
ROOT_CASE(range_bytes_odd, root->node[0].bytes += 512)
ROOT_CASE(range_bytes_none, root->node[0].bytes = 0)
ROOT_CASE(range_bytes_huge, root->node[0].bytes = ~0xfffull)
ROOT_CASE(range_bytes_over, root->node[0].bytes = (1ull << 52) - root->node[0].addr + 4096)
ROOT_CASE(arena_count, root->nr_arenas = PRAMFS_MAX_ARENAS + 1)
ROOT_CASE(mount_limit, root->nr_mounts = PRAMFS_MAX_MOUNTS + 1)
ROOT_CASE(stream_pages_none, root->stream_pages = 0)
ROOT_CASE(stream_pages_many, root->stream_pages = SHOT_FRAMES)
ROOT_CASE(stream_pages_huge, root->stream_pages = ~0ull)
ROOT_CASE(stream_bytes_few, root->stream_bytes = 0)
ROOT_CASE(stream_bytes_many, root->stream_bytes = root->stream_pages * PRAMFS_PAYLOAD + 1)
ROOT_CASE(stream_foreign, root->stream_pfn = SHOT_BASE + SHOT_FRAMES)
ROOT_CASE(stream_null, root->stream_pfn = 0)
ROOT_CASE(stream_is_root, root->stream_pfn = SHOT_BASE)
ROOT_CASE(stream_absent, root->stream_pfn = SHOT_BASE + 100)
ROOT_CASE(mounts_fewer, root->nr_mounts--)
ROOT_CASE(mounts_more, root->nr_mounts++)
ROOT_CASE(data_frames, root->data_frames++)

static void root_crc(struct shot *s)
{
	shot_tree(s);
	shot_root(s)->sealed_tsc++;
}

static void two_ranges(struct shot *s, u64 second)
{
	const struct pramfs_span span[] = { { SHOT_BASE, SHOT_FRAMES }, { second, 0x100 } };

	shot_tree(s);
	shot_ranges(s, span, 2);
}

static void range_link(struct shot *s)
{
	two_ranges(s, SHOT_BASE + SHOT_FRAMES + 1);
	shot_root(s)->node[0].next += 40;
	shot_crcs(s);
}

static void range_order(struct shot *s)
{
	two_ranges(s, PRAMFS_LOWEST_PFN);
	shot_crcs(s);
}

static void range_overlap(struct shot *s)
{
	two_ranges(s, SHOT_BASE + SHOT_FRAMES - 1);
	shot_crcs(s);
}

static void root_outside(struct shot *s)
{
	const struct pramfs_span span = { SHOT_BASE + 1, SHOT_FRAMES };

	shot_tree(s);
	shot_ranges(s, &span, 1);
	shot_crcs(s);
}

/* The root stands right behind a range. */
static void root_behind(struct shot *s)
{
	const struct pramfs_span span[] = { { SHOT_BASE - 16, 16 }, { SHOT_BASE + 1, SHOT_FRAMES } };

	shot_tree(s);
	shot_ranges(s, span, 2);
	shot_crcs(s);
}

/* ---- pages ---- */

/* Three pages: the tree of shot_tree() and much padding in optional records. */
static void three_pages(struct shot *s)
{
	static const char zero[4000];

	one(s, REG, 0);
	shot_record(s, PRAMFS_REC_OPTIONAL | 77, NULL, 0, zero, sizeof(zero));
	shot_record(s, PRAMFS_REC_OPTIONAL | 78, NULL, 0, zero, sizeof(zero));
	close_one(s);
}

#define PAGE_CASE(id, change)						\
static void id(struct shot *s)						\
{									\
	struct pramfs_page_head *page;					\
									\
	three_pages(s);							\
	page = shot_page(s, 1);						\
	(void)page;							\
	change;								\
	shot_crcs(s);							\
}

PAGE_CASE(page_magic, page->magic++)
PAGE_CASE(page_pfn, page->pfn++)
PAGE_CASE(page_seq, page->seq++)
PAGE_CASE(page_used, page->used--)
PAGE_CASE(page_used_huge, page->used = ~0u)
PAGE_CASE(page_next_none, page->next = 0)
PAGE_CASE(page_next_more, shot_page(s, 2)->next = SHOT_BASE + 4)
PAGE_CASE(page_next_self, page->next = page->pfn)
PAGE_CASE(page_next_first, page->next = SHOT_BASE + 1)
PAGE_CASE(page_next_root, page->next = SHOT_BASE)
PAGE_CASE(page_next_foreign, page->next = 0x1234567890)
PAGE_CASE(page_next_wild, page->next = ~0ull)
PAGE_CASE(page_next_absent, page->next = SHOT_BASE + 0x3000)

static void page_crc(struct shot *s)
{
	three_pages(s);
	shot_page(s, 1)[1].magic ^= 0x100;
}

static void page_swapped(struct shot *s)
{
	u8 tmp[PRAMFS_FRAME_SIZE];

	three_pages(s);
	memcpy(tmp, shot_page(s, 0), sizeof(tmp));
	memcpy(shot_page(s, 0), shot_page(s, 1), sizeof(tmp));
	memcpy(shot_page(s, 1), tmp, sizeof(tmp));
}

static void page_truncated(struct shot *s)
{
	three_pages(s);
	s->nr_pages--;
}

/* ---- records ---- */

static void stream_end(struct shot *s)
{
	one(s, REG, 0);
	shot_dirent(s, 0, 1, "f");
	shot_pack(s);
}

static void stream_end_head(struct shot *s)
{
	one(s, REG, 0);
	shot_dirent(s, 0, 1, "f");
	s->bytes += 7;
	shot_pack(s);
}

static void record_long(struct shot *s)
{
	struct pramfs_rec_head *head;

	one(s, REG, 0);
	shot_dirent(s, 0, 1, "f");
	head = (struct pramfs_rec_head *)shot_end(s) - 1;
	head->len++;
	shot_pack(s);
}

static void record_fixed(struct shot *s)
{
	struct pramfs_rec_head *head;

	head = (struct pramfs_rec_head *)one(s, REG, 0) - 1;
	head->fixed = (u16)(head->len + 1);
	close_one(s);
}

static void record_unknown(struct shot *s)
{
	one(s, REG, 0);
	shot_record(s, 8, NULL, 0, NULL, 0);
	close_one(s);
}

static void record_zero(struct shot *s)
{
	one(s, REG, 0);
	shot_record(s, 0, NULL, 0, NULL, 0);
	close_one(s);
}

static void order_inode_first(struct shot *s)
{
	shot_reset(s);
	shot_inode(s, DIR, 0, 2);
	ready(s);
}

static void order_no_inode(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "m", 1, 0);
	shot_end(s);
	s->bytes += 100;	/* room, so that the count of inodes is believed */
	shot_pack(s);
}

static void order_xattr_late(struct shot *s)
{
	one(s, REG, 4096);
	shot_extent(s, 0, SHOT_DATA, 1);
	shot_xattr(s, "user.a", "b");
	close_one(s);
}

static void order_two_targets(struct shot *s)
{
	one(s, LNK, 3);
	shot_target(s, "abc");
	shot_target(s, "abc");
	close_one(s);
}

static void order_inode_after_entry(struct shot *s)
{
	one(s, REG, 0);
	shot_dirent(s, 0, 1, "f");
	shot_inode(s, REG, 0, 1);
	ready(s);
}

static void tail_of_inode(struct shot *s)
{
	struct pramfs_rec_inode i = { .ino = 9, .mode = REG, .nlink = 1 };

	shot_reset(s);
	shot_mount(s, "m", 2, 1);
	shot_inode(s, DIR, 0, 2);
	shot_record(s, PRAMFS_REC_INODE, &i, sizeof(i), "x", 1);
	close_one(s);
}

static void tail_of_xattr(struct shot *s)
{
	one(s, REG, 0);
	shot_xattr(s, "user.a", "b")->value_len = 2;
	close_one(s);
}

static void tail_of_extents(struct shot *s)
{
	one(s, REG, 4096);
	shot_record(s, PRAMFS_REC_EXTENTS, NULL, 0, "0123456789abcdef+", 17);
	close_one(s);
}

static void tail_of_extents_none(struct shot *s)
{
	one(s, REG, 4096);
	shot_record(s, PRAMFS_REC_EXTENTS, NULL, 0, NULL, 0);
	close_one(s);
}

/* ---- mounts ---- */

static void named(struct shot *s, const char *name, size_t len)
{
	struct pramfs_rec_mount m = { .next_ino = 99, .nr_inodes = 1 };

	shot_reset(s);
	s->mounts++;
	shot_record(s, PRAMFS_REC_MOUNT, &m, sizeof(m), name, len);
	shot_inode(s, DIR, 0, 2);
	ready(s);
}

static void mount_name_none(struct shot *s) { named(s, "", 0); }
static void mount_name_nul(struct shot *s) { named(s, "a\0b", 3); }

static void mount_name_long(struct shot *s)
{
	char name[PRAMFS_MAX_NAME + 1];

	memset(name, 'n', sizeof(name));
	named(s, name, sizeof(name));
}

static void mount_name_twice(struct shot *s)
{
	shot_reset(s);
	for (int i = 0; i < 2; i++) {
		shot_mount(s, "same", 1, 0);
		shot_inode(s, DIR, 0, 2);
	}
	ready(s);
}

static void mount_counts(struct shot *s, u64 inodes, u64 entries)
{
	shot_reset(s);
	shot_mount(s, "m", inodes, entries);
	shot_inode(s, DIR, 0, 2);
	shot_inode(s, REG, 0, 1);
	close_one(s);
}

static void inodes_none(struct shot *s) { mount_counts(s, 0, 1); }
static void inodes_fewer(struct shot *s) { mount_counts(s, 1, 1); }
static void inodes_more(struct shot *s) { mount_counts(s, 3, 1); }
static void inodes_huge(struct shot *s) { mount_counts(s, 1ull << 32, 1); }
static void inodes_max(struct shot *s) { mount_counts(s, ~0ull, 1); }
static void entries_fewer(struct shot *s) { mount_counts(s, 2, 0); }
static void entries_more(struct shot *s) { mount_counts(s, 2, 2); }

static void inodes_more_no_entry(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "m", 2, 0);
	shot_inode(s, DIR, 0, 2);
	ready(s);
}

/* ---- inodes ---- */

#define INODE_CASE(id, mode, bytes, change)				\
static void id(struct shot *s)						\
{									\
	struct pramfs_rec_inode *i = one(s, mode, bytes);		\
									\
	change;								\
	close_one(s);							\
}

INODE_CASE(ino_zero, REG, 0, i->ino = 0)
INODE_CASE(ino_next, REG, 0, i->ino = 1000)
INODE_CASE(type_none, 0644, 0, (void)i)
INODE_CASE(type_all, S_IFMT | 0644, 0, (void)i)
INODE_CASE(type_high, REG, 0, i->mode |= 0x10000)
INODE_CASE(uid_none, REG, 0, i->uid = ~0u)
INODE_CASE(gid_none, REG, 0, i->gid = ~0u)
INODE_CASE(size_negative, REG, 1ull << 63, (void)i)
INODE_CASE(size_of_dir, DIR, ~0ull, (void)i)
INODE_CASE(size_of_fifo, S_IFIFO | 0600, 1, (void)i)
INODE_CASE(size_of_target_none, LNK, 0, (void)i)
INODE_CASE(size_of_target_long, LNK, 4096, (void)i)
INODE_CASE(device_major, S_IFCHR | 0600, 0, i->rdev_major = 0x1000)
INODE_CASE(device_minor, S_IFBLK | 0600, 0, i->rdev_minor = 0x100000)
INODE_CASE(device_of_file, REG, 0, i->rdev_minor = 1)
INODE_CASE(device_of_socket, S_IFSOCK | 0600, 0, i->rdev_major = 1)
INODE_CASE(flags_unknown, REG, 0, i->flags = 2)
INODE_CASE(flags_of_dir, DIR, 0, i->flags = PRAMFS_INODE_BEYOND_EOF)
INODE_CASE(time_a, REG, 0, i->atime.nsec = 1000000000)
INODE_CASE(time_b, REG, 0, i->btime.nsec = ~0u)
INODE_CASE(nlink_zero, REG, 0, i->nlink = 0)
INODE_CASE(nlink_dir_low, DIR, 0, i->nlink = 1)
INODE_CASE(nlink_more, REG, 0, i->nlink = 2)
INODE_CASE(nlink_dir_more, DIR, 0, i->nlink = 3)
INODE_CASE(target_missing, LNK, 3, (void)i)

static void root_no_dir(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "m", 1, 0);
	shot_inode(s, REG, 0, 1);
	ready(s);
}

static void nlink_fewer(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "m", 2, 2);
	shot_inode(s, DIR, 0, 2);
	shot_inode(s, REG, 0, 1);
	shot_dirent(s, 0, 1, "g");
	close_one(s);
}

static void nlink_parent_fewer(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "m", 2, 1);
	shot_inode(s, DIR, 0, 2);
	shot_inode(s, DIR, 0, 2);
	close_one(s);
}

static void inode_unreached(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "m", 2, 0);
	shot_inode(s, DIR, 0, 3);
	shot_inode(s, DIR, 0, 2);
	ready(s);
}

static void target_missing_then_inode(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "m", 3, 2);
	shot_inode(s, DIR, 0, 2);
	shot_inode(s, LNK, 3, 1);
	shot_inode(s, REG, 0, 1);
	shot_dirent(s, 0, 2, "g");
	close_one(s);
}

#define PART_CASE(id, mode, bytes, part)				\
static void id(struct shot *s)						\
{									\
	one(s, mode, bytes);						\
	part;								\
	close_one(s);							\
}

static void xattr_raw(struct shot *s, size_t name, size_t value, const char *tail)
{
	struct pramfs_rec_xattr x = { .name_len = (u32)name, .value_len = (u32)value };

	shot_record(s, PRAMFS_REC_XATTR, &x, sizeof(x), tail, name + value);
}

static const char big[70000] = "name";

PART_CASE(xattr_name_none, REG, 0, xattr_raw(s, 0, 2, "ab"))
PART_CASE(xattr_name_nul, REG, 0, xattr_raw(s, 3, 0, "a\0b"))
PART_CASE(xattr_name_long, REG, 0, xattr_raw(s, 256, 0, big))
PART_CASE(xattr_value_long, REG, 0, xattr_raw(s, 4, 65537, big))
PART_CASE(xattr_wrap, REG, 0, (xattr_raw(s, 4, 1, "abcde"),
	((struct pramfs_rec_xattr *)(void *)(s->stream + s->bytes - 13))->value_len = ~0u))
PART_CASE(target_of_file, REG, 3, shot_target(s, "abc"))
PART_CASE(target_nul, LNK, 3, shot_record(s, PRAMFS_REC_TARGET, NULL, 0, "a\0b", 3))
PART_CASE(target_short, LNK, 4, shot_target(s, "abc"))
PART_CASE(target_long, LNK, 2, shot_target(s, "abc"))
PART_CASE(target_after_xattr, LNK, 2, shot_xattr(s, "user.a", "b"))

/* ---- extents ---- */

PART_CASE(extents_of_dir, DIR, 4096, shot_extent(s, 0, SHOT_DATA, 1))
PART_CASE(extents_of_fifo, S_IFIFO | 0600, 0, shot_extent(s, 0, SHOT_DATA, 1))
PART_CASE(extents_of_link, LNK, 2, (shot_target(s, "ab"), shot_extent(s, 0, SHOT_DATA, 1)))
PART_CASE(extent_back, REG, 40960, (shot_extent(s, 3, SHOT_DATA, 1),
				    shot_extent(s, 2, SHOT_DATA + 9, 1)))
PART_CASE(extent_overlap, REG, 40960, (shot_extent(s, 3, SHOT_DATA, 3),
				       shot_extent(s, 5, SHOT_DATA + 9, 1)))
PART_CASE(extent_end, REG, 4097, shot_extent(s, 2, SHOT_DATA, 1))
PART_CASE(extent_end_long, REG, 4097, shot_extent(s, 1, SHOT_DATA, 2))
PART_CASE(extent_end_empty, REG, 0, shot_extent(s, 0, SHOT_DATA, 1))
PART_CASE(extent_end_wrap, REG, 4096, shot_extent(s, ~0ull, SHOT_DATA, 2))
PART_CASE(extent_foreign, REG, 4096, shot_extent(s, 0, SHOT_BASE - 1, 1))
PART_CASE(extent_foreign_zero, REG, 4096, shot_extent(s, 0, 0, 1))
PART_CASE(extent_foreign_half, REG, 1 << 20,
	  shot_extent(s, 0, SHOT_BASE + SHOT_FRAMES - 1, 2))
PART_CASE(extent_foreign_top, REG, 1ull << 40,
	  shot_extent(s, 0, (1ull << 40) - 1, 1ull << 24))
PART_CASE(extent_in_root, REG, 4096, shot_extent(s, 0, SHOT_BASE, 1))
PART_CASE(extent_in_stream, REG, 4096, shot_extent(s, 0, SHOT_BASE + 1, 1))
PART_CASE(extent_over_stream, REG, 1 << 20, shot_extent(s, 0, SHOT_BASE, 100))
PART_CASE(extent_twice, REG, 1 << 20, (shot_extent(s, 0, SHOT_DATA, 100),
				       shot_extent(s, 100, SHOT_DATA + 99, 64)))

static void extent_beyond(struct shot *s)
{
	one(s, REG, 0)->flags = PRAMFS_INODE_BEYOND_EOF;
	shot_extent(s, (1ull << 51) - 1, SHOT_DATA, 2);
	close_one(s);
}

static void extent_of_two_files(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "m", 3, 2);
	shot_inode(s, DIR, 0, 2);
	shot_inode(s, REG, 40960, 1);
	shot_extent(s, 0, SHOT_DATA, 10);
	shot_inode(s, REG, 40960, 1);
	shot_extent(s, 0, SHOT_DATA + 9, 1);
	shot_dirent(s, 0, 2, "g");
	close_one(s);
}

static void checksums(struct shot *s, u32 type, u64 size, u32 nr)
{
	static const __le32 crc[600];

	one(s, type, size);
	if (size)
		shot_extent(s, 0, SHOT_DATA, size / 4096);
	shot_record(s, PRAMFS_REC_CHECKSUMS, NULL, 0, crc, nr * sizeof(crc[0]));
	close_one(s);
}

static void checksums_too_many(struct shot *s)
{
	checksums(s, REG, 4096 * 500, 501);
}

static void checksums_of_nothing(struct shot *s)
{
	checksums(s, REG, 0, 1);
}

static void checksums_in_two(struct shot *s)
{
	static const __le32 crc[4];

	one(s, REG, 40960);
	shot_extent(s, 0, SHOT_DATA, 3);
	shot_record(s, PRAMFS_REC_CHECKSUMS, NULL, 0, crc, sizeof(crc[0]));
	shot_record(s, PRAMFS_REC_CHECKSUMS, NULL, 0, crc, 3 * sizeof(crc[0]));
	close_one(s);
}

static void checksums_empty(struct shot *s)
{
	checksums(s, REG, 4096, 0);
}

static void checksums_of_the_entry(struct shot *s)
{
	static const __le32 crc;

	one(s, REG, 4096);
	shot_extent(s, 0, SHOT_DATA, 1);
	shot_dirent(s, 0, 1, "f");
	shot_record(s, PRAMFS_REC_CHECKSUMS, NULL, 0, &crc, sizeof(crc));
	ready(s);
}

/* A stream page that is an extent's already when the chain comes to it. */
static void page_in_extent(struct shot *s)
{
	static const char zero[5000];

	one(s, REG, 4096);
	shot_extent(s, 0, SHOT_BASE + 2, 1);
	shot_record(s, PRAMFS_REC_OPTIONAL | 1, NULL, 0, zero, sizeof(zero));
	close_one(s);
}

/* ---- entries ---- */

static void entry(struct shot *s, u32 parent, u32 child, const char *name, size_t len)
{
	struct pramfs_rec_dirent d = { .parent = parent, .child = child };

	one(s, REG, 0);
	shot_record(s, PRAMFS_REC_DIRENT, &d, sizeof(d), name, len);
	ready(s);
}

static void parent_far(struct shot *s) { entry(s, 2, 1, "f", 1); }
static void parent_max(struct shot *s) { entry(s, ~0u, 1, "f", 1); }
static void parent_file(struct shot *s) { entry(s, 1, 1, "f", 1); }
static void child_far(struct shot *s) { entry(s, 0, 2, "f", 1); }
static void child_root(struct shot *s) { entry(s, 0, 0, "f", 1); }
static void name_none(struct shot *s) { entry(s, 0, 1, "", 0); }
static void name_nul(struct shot *s) { entry(s, 0, 1, "a\0b", 3); }
static void name_slash(struct shot *s) { entry(s, 0, 1, "a/b", 3); }
static void name_dot(struct shot *s) { entry(s, 0, 1, ".", 1); }
static void name_dots(struct shot *s) { entry(s, 0, 1, "..", 2); }
static void name_long(struct shot *s) { entry(s, 0, 1, big, 256); }

static void three_dirs(struct shot *s, u32 a, u32 b)
{
	shot_reset(s);
	shot_mount(s, "m", 3, 2);
	shot_inode(s, DIR, 0, 3);
	shot_inode(s, DIR, 0, 3);
	shot_inode(s, DIR, 0, 3);
	shot_dirent(s, a, b, "a");
	shot_dirent(s, b, a, "b");
	ready(s);
}

static void parent_unreached(struct shot *s) { three_dirs(s, 1, 2); }

static void child_dir_twice(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "m", 2, 2);
	shot_inode(s, DIR, 0, 4);
	shot_inode(s, DIR, 0, 2);
	shot_dirent(s, 0, 1, "a");
	shot_dirent(s, 0, 1, "b");
	ready(s);
}

static void child_cycle(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "m", 3, 3);
	shot_inode(s, DIR, 0, 3);
	shot_inode(s, DIR, 0, 3);
	shot_inode(s, DIR, 0, 3);
	shot_dirent(s, 0, 1, "a");
	shot_dirent(s, 1, 2, "b");
	shot_dirent(s, 2, 1, "c");
	ready(s);
}

/* ---- end ---- */

#define END_CASE(id, change)						\
static void id(struct shot *s)						\
{									\
	struct pramfs_rec_end *end;					\
									\
	one(s, REG, 4096);						\
	shot_extent(s, 0, SHOT_DATA, 1);				\
	shot_dirent(s, 0, 1, "f");					\
	end = shot_end(s);						\
	(void)end;							\
	change;								\
	shot_pack(s);							\
}

END_CASE(end_records, end->records++)
END_CASE(end_extents, end->extents++)
END_CASE(end_frames, end->frames++)
END_CASE(end_trailing, shot_end(s))
END_CASE(end_trailing_byte, s->bytes++)

#define C(check, make) { check, #make, make }
const struct refusal refusals[] = {
	C("root magic", root_magic),
	C("root version", root_major_newer), C("root version", root_major_older),
	C("root crc", root_crc),
	C("root state", root_state_claimed), C("root state", root_state_zero),
	C("root state", root_state_other),
	C("root node", root_type), C("root node", root_len),
	C("root frame number", root_pfn_low), C("root frame number", root_pfn_high),
	C("root link", root_link),
	C("root frame reserved", root_outside), C("root frame reserved", root_behind),
	C("range count", range_count_none), C("range count", range_count_many),
	C("range count", range_count_huge),
	C("range node", range_type), C("range node", range_len), C("range node", range_indirect),
	C("range link", range_link),
	C("range bounds", range_low), C("range bounds", range_addr_odd),
	C("range bounds", range_addr_huge), C("range bounds", range_bytes_odd),
	C("range bounds", range_bytes_none), C("range bounds", range_bytes_huge),
	C("range bounds", range_bytes_over),
	C("range order", range_order), C("range order", range_overlap),
	C("arena count", arena_count), C("mount limit", mount_limit),
	C("stream pages", stream_pages_none), C("stream pages", stream_pages_many),
	C("stream pages", stream_pages_huge),
	C("stream bytes", stream_bytes_few), C("stream bytes", stream_bytes_many),
	C("page frame reserved", stream_foreign), C("page frame reserved", stream_null),
	C("page frame reserved", page_next_foreign), C("page frame reserved", page_next_wild),
	C("page frame owned twice", stream_is_root), C("page frame owned twice", page_next_self),
	C("page frame owned twice", page_next_first), C("page frame owned twice", page_next_root),
	C("page frame owned twice", page_in_extent),
	C("page missing", stream_absent), C("page missing", page_next_absent),
	C("page missing", page_truncated),
	C("page magic", page_magic), C("page crc", page_crc),
	C("page frame number", page_pfn), C("page frame number", page_swapped),
	C("page number in chain", page_seq),
	C("page payload length", page_used), C("page payload length", page_used_huge),
	C("page chain length", page_next_none), C("page chain length", page_next_more),
	C("stream end", stream_end), C("stream end", stream_end_head),
	C("record length", record_long), C("record length", record_fixed),
	C("record type", record_unknown), C("record type", record_zero),
	C("record order", order_inode_first), C("record order", order_no_inode),
	C("record order", order_xattr_late), C("record order", order_two_targets),
	C("record order", order_inode_after_entry),
	C("record tail", tail_of_inode), C("record tail", tail_of_xattr),
	C("record tail", tail_of_extents), C("record tail", tail_of_extents_none),
	C("mount name", mount_name_none), C("mount name", mount_name_nul),
	C("mount name", mount_name_long),
	C("mount name twice", mount_name_twice),
	C("mount count", mounts_fewer), C("mount count", mounts_more),
	C("inode count", inodes_none), C("inode count", inodes_fewer),
	C("inode count", inodes_more), C("inode count", inodes_huge),
	C("inode count", inodes_max), C("inode count", inodes_more_no_entry),
	C("entry count", entries_fewer), C("entry count", entries_more),
	C("inode number", ino_zero), C("inode number", ino_next),
	C("inode type", type_none), C("inode type", type_all), C("inode type", type_high),
	C("inode of root directory", root_no_dir),
	C("inode owner", uid_none), C("inode owner", gid_none),
	C("inode size", size_negative), C("inode size", size_of_dir),
	C("inode size", size_of_fifo), C("inode size", size_of_target_none),
	C("inode size", size_of_target_long),
	C("inode device number", device_major), C("inode device number", device_minor),
	C("inode device number", device_of_file), C("inode device number", device_of_socket),
	C("inode flags", flags_unknown), C("inode flags", flags_of_dir),
	C("inode time", time_a), C("inode time", time_b),
	C("inode links", nlink_zero), C("inode links", nlink_dir_low),
	C("inode links", nlink_more), C("inode links", nlink_dir_more),
	C("inode links", nlink_fewer), C("inode links", nlink_parent_fewer),
	C("inode links", inode_unreached),
	C("xattr name", xattr_name_none), C("xattr name", xattr_name_nul),
	C("xattr name", xattr_name_long),
	C("xattr value length", xattr_value_long), C("xattr value length", xattr_wrap),
	C("target of what is no symlink", target_of_file),
	C("target text", target_nul),
	C("target length", target_short), C("target length", target_long),
	C("target missing", target_missing), C("target missing", target_after_xattr),
	C("target missing", target_missing_then_inode),
	C("extents of what is no file", extents_of_dir),
	C("extents of what is no file", extents_of_fifo),
	C("extents of what is no file", extents_of_link),
	C("extent order", extent_back), C("extent order", extent_overlap),
	C("extent end", extent_end), C("extent end", extent_end_long),
	C("extent end", extent_end_empty), C("extent end", extent_end_wrap),
	C("extent end", extent_beyond),
	C("extent frames reserved", extent_foreign),
	C("extent frames reserved", extent_foreign_zero),
	C("extent frames reserved", extent_foreign_half),
	C("extent frames reserved", extent_foreign_top),
	C("extent frames owned twice", extent_in_root),
	C("extent frames owned twice", extent_in_stream),
	C("extent frames owned twice", extent_over_stream),
	C("extent frames owned twice", extent_twice),
	C("extent frames owned twice", extent_of_two_files),
	C("checksum count", checksums_too_many), C("checksum count", checksums_of_nothing),
	C("checksum count", checksums_in_two), C("checksum count", checksums_of_the_entry),
	C("record tail", checksums_empty),
	C("entry parent", parent_far), C("entry parent", parent_max),
	C("entry parent", parent_file), C("entry parent", parent_unreached),
	C("entry child", child_far), C("entry child", child_root),
	C("entry child", child_dir_twice), C("entry child", child_cycle),
	C("entry name", name_none), C("entry name", name_nul), C("entry name", name_slash),
	C("entry name", name_dot), C("entry name", name_dots), C("entry name", name_long),
	C("end trailing bytes", end_trailing), C("end trailing bytes", end_trailing_byte),
	C("end record count", end_records), C("end extent count", end_extents),
	C("end frame count", end_frames), C("end frame count", data_frames),
	{ NULL, NULL, NULL }
};
