// SPDX-License-Identifier: GPL-2.0
/*
 * format.c - the handover format: the root page and who owns which frame.
 *
 * The stream is read in format_stream.c and format_check.c, and written in
 * format_write.c. All are pure (see format.h): the same in the kernel and in
 * user space.
 */
#include "format_internal.h"

#define WORD_BITS	(8 * sizeof(unsigned long))

const char *const pramfs_checks[] = {
#define PRAMFS_CHECK_NAME(id, name) [PRAMFS_CHECK_##id] = name,
	PRAMFS_CHECKS(PRAMFS_CHECK_NAME)
#undef PRAMFS_CHECK_NAME
	NULL
};

int pramfs_refuse(struct pramfs_finding *f, enum pramfs_check_id check, u64 pfn, u32 offset,
		  u64 found, u64 expected)
{
	f->check = pramfs_checks[check];
	f->pfn = pfn;
	f->offset = offset;
	f->found = found;
	f->expected = expected;
	return -EUCLEAN;
}

u32 pramfs_page_crc(const void *page, size_t crc_offset)
{
	static const u8 zero[4];
	const u8 *p = page;
	u32 crc;

	crc = crc32c(~0u, p, crc_offset);
	crc = crc32c(crc, zero, sizeof(zero));
	crc = crc32c(crc, p + crc_offset + sizeof(zero),
		     PRAMFS_FRAME_SIZE - crc_offset - sizeof(zero));
	return ~crc;
}

/* ---- which frames are owned ------------------------------------------- */

static const struct pramfs_owned_range *find_range(const struct pramfs_owned *owned, u64 pfn,
						   u64 frames)
{
	const struct pramfs_owned_range *range;
	u32 low = 0, high = owned->nr, middle;

	/* low = number of ranges that start at or before pfn */
	while (low < high) {
		middle = low + (high - low) / 2;
		if (owned->range[middle].pfn <= pfn)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	range = &owned->range[low - 1];
	if (pfn - range->pfn >= range->frames || frames > range->frames - (pfn - range->pfn))
		return NULL;
	return range;
}

/* The bits of word number w that belong to bits first .. last. */
static unsigned long word_mask(u64 w, u64 first, u64 last)
{
	unsigned long mask = ~0ul;

	if (w == first / WORD_BITS)
		mask &= ~0ul << (first % WORD_BITS);
	if (w == last / WORD_BITS)
		mask &= ~0ul >> (WORD_BITS - 1 - last % WORD_BITS);
	return mask;
}

int pramfs_own(struct pramfs_owned *owned, u64 pfn, u64 frames)
{
	const struct pramfs_owned_range *range = find_range(owned, pfn, frames);
	u64 first, last, w;

	if (!range || !frames)
		return -ERANGE;
	if (!range->map)
		return 0;
	first = pfn - range->pfn;
	last = first + frames - 1;
	for (w = first / WORD_BITS; w <= last / WORD_BITS; w++)
		if (range->map[w] & word_mask(w, first, last))
			return -EEXIST;
	for (w = first / WORD_BITS; w <= last / WORD_BITS; w++)
		range->map[w] |= word_mask(w, first, last);
	return 0;
}

/* The first bit at or after bit whose value is set; the number of bits if none. */
static u64 find_bit_from(const struct pramfs_owned_range *range, u64 bit, bool set)
{
	unsigned long word;
	u64 w;

	if (bit >= range->frames)
		return range->frames;
	w = bit / WORD_BITS;
	word = set ? range->map[w] : ~range->map[w];
	word &= ~0ul << (bit % WORD_BITS);
	while (!word) {
		w++;
		if (w > (range->frames - 1) / WORD_BITS)
			return range->frames;
		word = set ? range->map[w] : ~range->map[w];
	}
	bit = w * WORD_BITS + (u64)__builtin_ctzl(word);
	return bit < range->frames ? bit : range->frames;
}

bool pramfs_unowned_run(const struct pramfs_owned *owned, u32 r, u64 *pfn, u64 *frames)
{
	const struct pramfs_owned_range *range;
	u64 first;

	if (r >= owned->nr)
		return false;
	range = &owned->range[r];
	first = find_bit_from(range, *pfn > range->pfn ? *pfn - range->pfn : 0, false);
	if (first == range->frames)
		return false;
	*pfn = range->pfn + first;
	*frames = find_bit_from(range, first, true) - first;
	return true;
}

void pramfs_owned_bounds(const struct pramfs_root *root, struct pramfs_owned *owned)
{
	const struct pramfs_range_node *node;
	u32 i;

	owned->nr = le32_to_cpu(root->nr_ranges);
	for (i = 0; i < owned->nr; i++) {
		node = &root->node[i];
		owned->range[i].pfn = le64_to_cpu(node->addr) >> PRAMFS_FRAME_SHIFT;
		owned->range[i].frames = le64_to_cpu(node->bytes) >> PRAMFS_FRAME_SHIFT;
		owned->range[i].map = NULL;
	}
}

void pramfs_owned_free(const struct pramfs_source *src, struct pramfs_owned *owned)
{
	u32 i;

	for (i = 0; i < owned->nr; i++)
		src->free(src->ctx, owned->range[i].map);
	memset(owned, 0, sizeof(*owned));
}

/* ---- the root page ---------------------------------------------------- */

#define ROOT_OFFSET(field)	((u32)offsetof(struct pramfs_root, field))

static int check_range(const struct pramfs_root *root, u64 pfn, u32 nr, struct pramfs_finding *f)
{
	const struct pramfs_range_node *node = &root->node[nr];
	u32 at = ROOT_OFFSET(node) + nr * (u32)sizeof(*node);
	u64 addr = le64_to_cpu(node->addr), bytes = le64_to_cpu(node->bytes), end;

	if (le32_to_cpu(node->type) != PRAMFS_SETUP_INDIRECT)
		return pramfs_refuse(f, PRAMFS_CHECK_RANGE_NODE, pfn, at + 8,
				     le32_to_cpu(node->type), PRAMFS_SETUP_INDIRECT);
	if (le32_to_cpu(node->len) != 24)
		return pramfs_refuse(f, PRAMFS_CHECK_RANGE_NODE, pfn, at + 12,
				     le32_to_cpu(node->len), 24);
	if (le32_to_cpu(node->indirect_type) != PRAMFS_SETUP_TYPE)
		return pramfs_refuse(f, PRAMFS_CHECK_RANGE_NODE, pfn, at + 16,
				     le32_to_cpu(node->indirect_type), PRAMFS_SETUP_TYPE);
	/* The last node's next is not ours. */
	if (nr + 1 < le32_to_cpu(root->nr_ranges)) {
		u64 next = (pfn << PRAMFS_FRAME_SHIFT) + at + sizeof(*node);

		if (le64_to_cpu(node->next) != next)
			return pramfs_refuse(f, PRAMFS_CHECK_RANGE_LINK, pfn, at,
					     le64_to_cpu(node->next), next);
	}
	if (addr % PRAMFS_FRAME_SIZE || addr >> PRAMFS_FRAME_SHIFT < PRAMFS_LOWEST_PFN)
		return pramfs_refuse(f, PRAMFS_CHECK_RANGE_BOUNDS, pfn, at + 24, addr,
				     (u64)PRAMFS_LOWEST_PFN << PRAMFS_FRAME_SHIFT);
	if (!bytes || bytes % PRAMFS_FRAME_SIZE || __builtin_add_overflow(addr, bytes, &end) ||
	    end > PRAMFS_END_PFN << PRAMFS_FRAME_SHIFT)
		return pramfs_refuse(f, PRAMFS_CHECK_RANGE_BOUNDS, pfn, at + 32, bytes,
				     PRAMFS_END_PFN << PRAMFS_FRAME_SHIFT);
	if (nr) {
		/* Checked in the round before: no overflow. */
		end = le64_to_cpu(node[-1].addr) + le64_to_cpu(node[-1].bytes);
		if (addr < end)
			return pramfs_refuse(f, PRAMFS_CHECK_RANGE_ORDER, pfn, at + 24, addr, end);
	}
	return 0;
}

static int check_counts(const struct pramfs_root *root, u64 pfn, struct pramfs_finding *f)
{
	u32 nr_ranges = le32_to_cpu(root->nr_ranges);
	u32 nr_arenas = le32_to_cpu(root->nr_arenas);
	u32 nr_mounts = le32_to_cpu(root->nr_mounts);

	if (!nr_ranges || nr_ranges > PRAMFS_MAX_RANGES)
		return pramfs_refuse(f, PRAMFS_CHECK_RANGE_COUNT, pfn, ROOT_OFFSET(nr_ranges),
				     nr_ranges, PRAMFS_MAX_RANGES);
	if (nr_arenas > PRAMFS_MAX_ARENAS)
		return pramfs_refuse(f, PRAMFS_CHECK_ARENA_COUNT, pfn, ROOT_OFFSET(nr_arenas),
				     nr_arenas, PRAMFS_MAX_ARENAS);
	if (nr_mounts > PRAMFS_MAX_MOUNTS)
		return pramfs_refuse(f, PRAMFS_CHECK_MOUNT_LIMIT, pfn, ROOT_OFFSET(nr_mounts),
				     nr_mounts, PRAMFS_MAX_MOUNTS);
	return 0;
}

/* The ranges, and that what the root promises can lie in them. */
static int check_sizes(const struct pramfs_root *root, u64 pfn, struct pramfs_finding *f)
{
	u64 pages = le64_to_cpu(root->stream_pages), bytes = le64_to_cpu(root->stream_bytes);
	u64 frames = 0, addr, end;
	bool reserved = false;
	u32 i;
	int err;

	for (i = 0; i < le32_to_cpu(root->nr_ranges); i++) {
		err = check_range(root, pfn, i, f);
		if (err)
			return err;
		addr = le64_to_cpu(root->node[i].addr) >> PRAMFS_FRAME_SHIFT;
		end = addr + (le64_to_cpu(root->node[i].bytes) >> PRAMFS_FRAME_SHIFT);
		frames += end - addr;
		if (addr <= pfn && pfn < end)
			reserved = true;
	}
	if (!reserved)
		return pramfs_refuse(f, PRAMFS_CHECK_ROOT_FRAME, pfn, ROOT_OFFSET(pfn), pfn, 0);
	/* The number of a page in the chain has 32 bits. */
	if (!pages || pages >= frames || pages > ~0u)
		return pramfs_refuse(f, PRAMFS_CHECK_STREAM_PAGES, pfn, ROOT_OFFSET(stream_pages),
				     pages, frames - 1);
	if (bytes > pages * PRAMFS_PAYLOAD || bytes <= (pages - 1) * PRAMFS_PAYLOAD)
		return pramfs_refuse(f, PRAMFS_CHECK_STREAM_BYTES, pfn, ROOT_OFFSET(stream_bytes),
				     bytes, pages * PRAMFS_PAYLOAD);
	return 0;
}

int pramfs_check_root(const void *page, u64 pfn, struct pramfs_finding *f)
{
	const struct pramfs_root *root = page;
	u64 own = le64_to_cpu(root->pfn), at = pfn == ~0ull ? own : pfn, first;
	u32 crc, state = le32_to_cpu(root->state);
	int err;

	memset(f, 0, sizeof(*f));
	if (le64_to_cpu(root->magic) != PRAMFS_ROOT_MAGIC)
		return pramfs_refuse(f, PRAMFS_CHECK_ROOT_MAGIC, at, ROOT_OFFSET(magic),
				     le64_to_cpu(root->magic), PRAMFS_ROOT_MAGIC);
	/* Before the CRC: another major may have it in another place. */
	if (le16_to_cpu(root->major) != PRAMFS_FORMAT_MAJOR) {
		pramfs_refuse(f, PRAMFS_CHECK_ROOT_VERSION, at, ROOT_OFFSET(major),
			      le16_to_cpu(root->major), PRAMFS_FORMAT_MAJOR);
		return -EPROTONOSUPPORT;
	}
	crc = pramfs_page_crc(root, offsetof(struct pramfs_root, crc));
	if (le32_to_cpu(root->crc) != crc)
		return pramfs_refuse(f, PRAMFS_CHECK_ROOT_CRC, at, ROOT_OFFSET(crc),
				     le32_to_cpu(root->crc), crc);
	if (own != at || own < PRAMFS_LOWEST_PFN || own >= PRAMFS_END_PFN)
		return pramfs_refuse(f, PRAMFS_CHECK_ROOT_PFN, at, ROOT_OFFSET(pfn), own, at);
	if (le32_to_cpu(root->type) != PRAMFS_SETUP_TYPE)
		return pramfs_refuse(f, PRAMFS_CHECK_ROOT_NODE, at, ROOT_OFFSET(type),
				     le32_to_cpu(root->type), PRAMFS_SETUP_TYPE);
	if (le32_to_cpu(root->len) != PRAMFS_FRAME_SIZE - 16)
		return pramfs_refuse(f, PRAMFS_CHECK_ROOT_NODE, at, ROOT_OFFSET(len),
				     le32_to_cpu(root->len), PRAMFS_FRAME_SIZE - 16);
	if (state != PRAMFS_STATE_SEALED) {
		pramfs_refuse(f, PRAMFS_CHECK_ROOT_STATE, at, ROOT_OFFSET(state), state,
			      PRAMFS_STATE_SEALED);
		return state == PRAMFS_STATE_CLAIMED ? -ENOENT : -EUCLEAN;
	}
	err = check_counts(root, at, f);
	if (err)
		return err;
	first = (own << PRAMFS_FRAME_SHIFT) + ROOT_OFFSET(node);
	if (le64_to_cpu(root->next) != first)
		return pramfs_refuse(f, PRAMFS_CHECK_ROOT_LINK, at, ROOT_OFFSET(next),
				     le64_to_cpu(root->next), first);
	return check_sizes(root, at, f);
}
