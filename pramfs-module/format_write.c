// SPDX-License-Identifier: GPL-2.0
/*
 * format_write.c - writing the stream and the root page of a handover.
 */
#include "format_internal.h"

static void finish_page(struct pramfs_writer *w, u64 next)
{
	w->head->next = cpu_to_le64(next);
	w->head->crc = cpu_to_le32(pramfs_page_crc(w->head,
						   offsetof(struct pramfs_page_head, crc)));
}

static int next_page(struct pramfs_writer *w)
{
	void *page;
	u64 pfn;
	int err;

	err = w->new_page(w->ctx, &page, &pfn);
	if (err)
		return err;
	if (w->head)
		finish_page(w, pfn);
	else
		w->first_pfn = pfn;
	w->head = page;
	w->head->magic = cpu_to_le32(PRAMFS_PAGE_MAGIC);
	w->head->seq = cpu_to_le32((u32)w->pages);
	w->head->pfn = cpu_to_le64(pfn);
	w->pages++;
	return 0;
}

static int put_bytes(struct pramfs_writer *w, const void *from, u32 bytes)
{
	const u8 *in = from;
	u32 used, part;
	int err;

	while (bytes) {
		used = w->head ? le32_to_cpu(w->head->used) : PRAMFS_PAYLOAD;
		if (used == PRAMFS_PAYLOAD) {
			err = next_page(w);
			if (err)
				return err;
			used = 0;
		}
		part = PRAMFS_PAYLOAD - used;
		if (part > bytes)
			part = bytes;
		memcpy((u8 *)(w->head + 1) + used, in, part);
		w->head->used = cpu_to_le32(used + part);
		w->bytes += part;
		in += part;
		bytes -= part;
	}
	return 0;
}

static int put_record(struct pramfs_writer *w, u32 type, const void *fixed, u32 fixed_len,
		      const void *tail, u32 tail_len)
{
	struct pramfs_rec_head head = {
		.type = cpu_to_le16((u16)type),
		.fixed = cpu_to_le16((u16)fixed_len),
		.len = cpu_to_le32(fixed_len + tail_len),
	};
	int err;

	err = put_bytes(w, &head, sizeof(head));
	if (err)
		return err;
	err = put_bytes(w, fixed, fixed_len);
	if (err)
		return err;
	w->records++;
	return put_bytes(w, tail, tail_len);
}

static int flush_extents(struct pramfs_writer *w)
{
	u32 nr = w->nr_batch;

	if (!nr)
		return 0;
	w->nr_batch = 0;
	w->extents += nr;
	return put_record(w, PRAMFS_REC_EXTENTS, NULL, 0, w->batch,
			  nr * (u32)sizeof(w->batch[0]));
}

int pramfs_put_mount(struct pramfs_writer *w, const char *name, const struct pramfs_rec_mount *m)
{
	size_t len = strlen(name);
	int err;

	if (!len || len > PRAMFS_MAX_NAME)
		return -EINVAL;
	if (w->nr_mounts == PRAMFS_MAX_MOUNTS)
		return -E2BIG;
	err = flush_extents(w);
	if (err)
		return err;
	w->nr_mounts++;
	return put_record(w, PRAMFS_REC_MOUNT, m, sizeof(*m), name, (u32)len);
}

int pramfs_put_inode(struct pramfs_writer *w, const struct pramfs_rec_inode *i)
{
	int err = flush_extents(w);

	return err ? err : put_record(w, PRAMFS_REC_INODE, i, sizeof(*i), NULL, 0);
}

int pramfs_put_xattr(struct pramfs_writer *w, const char *name, const void *value, u32 len)
{
	size_t name_len = strlen(name);
	struct pramfs_rec_xattr xattr = {
		.name_len = cpu_to_le32((u32)name_len),
		.value_len = cpu_to_le32(len),
	};
	int err;

	if (!name_len || name_len > PRAMFS_MAX_XATTR_NAME || len > PRAMFS_MAX_XATTR_VALUE)
		return -EINVAL;
	/* The name is the first part of the tail, so it is written as if it were fixed. */
	err = put_bytes(w, &(struct pramfs_rec_head) {
		.type = cpu_to_le16(PRAMFS_REC_XATTR),
		.fixed = cpu_to_le16(sizeof(xattr)),
		.len = cpu_to_le32((u32)(sizeof(xattr) + name_len) + len),
	}, sizeof(struct pramfs_rec_head));
	if (!err)
		err = put_bytes(w, &xattr, sizeof(xattr));
	if (!err)
		err = put_bytes(w, name, (u32)name_len);
	if (!err)
		err = put_bytes(w, value, len);
	w->records++;
	return err;
}

int pramfs_put_target(struct pramfs_writer *w, const char *target, u32 len)
{
	if (!len || len > PRAMFS_MAX_TARGET)
		return -EINVAL;
	return put_record(w, PRAMFS_REC_TARGET, NULL, 0, target, len);
}

/* Make the last extent of the batch longer if what follows continues it. */
static u64 grow_extent(struct pramfs_writer *w, u64 index, u64 pfn, u64 pages)
{
	struct pramfs_extent *last;
	u64 first, have, more;

	if (!w->nr_batch)
		return 0;
	last = &w->batch[w->nr_batch - 1];
	first = pramfs_extent_pfn(le64_to_cpu(last->frames));
	have = pramfs_extent_pages(le64_to_cpu(last->frames));
	if (le64_to_cpu(last->index) + have != index || first + have != pfn)
		return 0;
	more = PRAMFS_EXTENT_MAX - have;
	if (more > pages)
		more = pages;
	last->frames = cpu_to_le64(first | (have + more - 1) << PRAMFS_PFN_BITS);
	return more;
}

int pramfs_put_extent(struct pramfs_writer *w, u64 index, u64 pfn, u64 pages)
{
	struct pramfs_extent *extent;
	u64 part;
	int err;

	if (!pages || pages > PRAMFS_END_PFN || pfn > PRAMFS_END_PFN - pages ||
	    index > PRAMFS_END_INDEX - pages)
		return -EINVAL;
	w->frames += pages;
	part = grow_extent(w, index, pfn, pages);
	while (pages -= part) {
		index += part;
		pfn += part;
		part = pages < PRAMFS_EXTENT_MAX ? pages : PRAMFS_EXTENT_MAX;
		if (w->nr_batch == PRAMFS_EXTENT_BATCH) {
			err = flush_extents(w);
			if (err)
				return err;
		}
		extent = &w->batch[w->nr_batch++];
		extent->index = cpu_to_le64(index);
		extent->frames = cpu_to_le64(pfn | (part - 1) << PRAMFS_PFN_BITS);
	}
	return 0;
}

int pramfs_put_checksums(struct pramfs_writer *w, const __le32 *checksum, u32 nr)
{
	int err = flush_extents(w);

	return err ? err : put_record(w, PRAMFS_REC_CHECKSUMS, NULL, 0, checksum,
				      nr * (u32)sizeof(*checksum));
}

int pramfs_put_dirent(struct pramfs_writer *w, u32 parent, u32 child, const char *name, u32 len)
{
	struct pramfs_rec_dirent entry = {
		.parent = cpu_to_le32(parent),
		.child = cpu_to_le32(child),
	};
	int err;

	if (!len || len > PRAMFS_MAX_DENTRY)
		return -EINVAL;
	err = flush_extents(w);
	if (err)
		return err;
	return put_record(w, PRAMFS_REC_DIRENT, &entry, sizeof(entry), name, len);
}

int pramfs_put_end(struct pramfs_writer *w)
{
	struct pramfs_rec_end end;
	int err;

	err = flush_extents(w);
	if (err)
		return err;
	end.records = cpu_to_le64(w->records);
	end.extents = cpu_to_le64(w->extents);
	end.frames = cpu_to_le64(w->frames);
	err = put_record(w, PRAMFS_REC_END, &end, sizeof(end), NULL, 0);
	if (err)
		return err;
	finish_page(w, 0);
	return 0;
}

static void put_node(struct pramfs_root *root, u64 pfn, u32 state)
{
	root->type = cpu_to_le32(PRAMFS_SETUP_TYPE);
	root->len = cpu_to_le32(PRAMFS_FRAME_SIZE - 16);
	root->magic = cpu_to_le64(PRAMFS_ROOT_MAGIC);
	root->major = cpu_to_le16(PRAMFS_FORMAT_MAJOR);
	root->minor = cpu_to_le16(PRAMFS_FORMAT_MINOR);
	root->state = cpu_to_le32(state);
	root->pfn = cpu_to_le64(pfn);
}

static void put_root_crc(struct pramfs_root *root)
{
	root->crc = cpu_to_le32(pramfs_page_crc(root, offsetof(struct pramfs_root, crc)));
}

int pramfs_put_root(struct pramfs_root *root, u64 pfn, const struct pramfs_writer *w,
		    const struct pramfs_span *ranges, u32 nr_ranges, u64 next_phys)
{
	u64 phys = (pfn << PRAMFS_FRAME_SHIFT) + offsetof(struct pramfs_root, node);
	struct pramfs_range_node *node;
	u32 i;

	if (!nr_ranges)
		return -EINVAL;
	if (nr_ranges > PRAMFS_MAX_RANGES)
		return -E2BIG;
	put_node(root, pfn, PRAMFS_STATE_SEALED);
	root->next = cpu_to_le64(phys);
	root->nr_ranges = cpu_to_le32(nr_ranges);
	root->nr_mounts = cpu_to_le32(w->nr_mounts);
	root->stream_pfn = cpu_to_le64(w->first_pfn);
	root->stream_pages = cpu_to_le64(w->pages);
	root->stream_bytes = cpu_to_le64(w->bytes);
	root->data_frames = cpu_to_le64(w->frames);
	for (i = 0; i < nr_ranges; i++) {
		node = &root->node[i];
		phys += sizeof(*node);
		node->next = cpu_to_le64(i + 1 < nr_ranges ? phys : next_phys);
		node->type = cpu_to_le32(PRAMFS_SETUP_INDIRECT);
		node->len = cpu_to_le32(24);
		node->indirect_type = cpu_to_le32(PRAMFS_SETUP_TYPE);
		node->addr = cpu_to_le64(le64_to_cpu(ranges[i].pfn) << PRAMFS_FRAME_SHIFT);
		node->bytes = cpu_to_le64(le64_to_cpu(ranges[i].frames) << PRAMFS_FRAME_SHIFT);
	}
	put_root_crc(root);
	return 0;
}

void pramfs_put_empty_root(struct pramfs_root *root, u64 pfn)
{
	memset(root, 0, sizeof(*root));
	put_node(root, pfn, PRAMFS_STATE_CLAIMED);
	put_root_crc(root);
}
