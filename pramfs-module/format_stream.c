// SPDX-License-Identifier: GPL-2.0
/*
 * format_stream.c - from the chain of pages to bytes and heads of records.
 *
 * No page is asked for before its frame was seen to lie in a reserved range,
 * and no byte of one is believed before its CRC was right. The chain is as long
 * as the root says, whatever its links say.
 */
#include "format_internal.h"

void pramfs_stream_init(struct pramfs_stream *s, const struct pramfs_source *src,
			const struct pramfs_root *root, struct pramfs_finding *f)
{
	memset(s, 0, sizeof(*s));
	s->src = src;
	s->root = root;
	s->f = f;
	s->next = le64_to_cpu(root->stream_pfn);
	s->left = le64_to_cpu(root->stream_bytes);
	pramfs_owned_bounds(root, &s->bounds);
	s->owned = &s->bounds;
}

#define HEAD_OFFSET(field)	((u32)offsetof(struct pramfs_page_head, field))

static int check_page(struct pramfs_stream *s)
{
	const struct pramfs_page_head *page = s->page;
	u64 expected = s->left < PRAMFS_PAYLOAD ? s->left : PRAMFS_PAYLOAD;
	bool last = s->pages + 1 == le64_to_cpu(s->root->stream_pages);
	u32 crc;

	if (le32_to_cpu(page->magic) != PRAMFS_PAGE_MAGIC)
		return pramfs_refuse(s->f, PRAMFS_CHECK_PAGE_MAGIC, s->pfn, HEAD_OFFSET(magic),
				     le32_to_cpu(page->magic), PRAMFS_PAGE_MAGIC);
	crc = pramfs_page_crc(page, offsetof(struct pramfs_page_head, crc));
	if (le32_to_cpu(page->crc) != crc)
		return pramfs_refuse(s->f, PRAMFS_CHECK_PAGE_CRC, s->pfn, HEAD_OFFSET(crc),
				     le32_to_cpu(page->crc), crc);
	if (le64_to_cpu(page->pfn) != s->pfn)
		return pramfs_refuse(s->f, PRAMFS_CHECK_PAGE_PFN, s->pfn, HEAD_OFFSET(pfn),
				     le64_to_cpu(page->pfn), s->pfn);
	if (le32_to_cpu(page->seq) != s->pages)
		return pramfs_refuse(s->f, PRAMFS_CHECK_PAGE_SEQ, s->pfn, HEAD_OFFSET(seq),
				     le32_to_cpu(page->seq), s->pages);
	if (le32_to_cpu(page->used) != expected)
		return pramfs_refuse(s->f, PRAMFS_CHECK_PAGE_USED, s->pfn, HEAD_OFFSET(used),
				     le32_to_cpu(page->used), expected);
	if (last != !page->next)
		return pramfs_refuse(s->f, PRAMFS_CHECK_PAGE_NEXT, s->pfn, HEAD_OFFSET(next),
				     s->pages + 1, le64_to_cpu(s->root->stream_pages));
	return 0;
}

/*
 * Go to the next page of the chain; fn, if any, is told of it even when the
 * page then turns out to be damaged. Only called while bytes are left.
 */
static int next_page(struct pramfs_stream *s, int (*fn)(void *ctx, u64 pfn), void *ctx)
{
	u64 from = s->page ? s->pfn : le64_to_cpu(s->root->pfn);
	u32 at = s->page ? HEAD_OFFSET(next) : (u32)offsetof(struct pramfs_root, stream_pfn);
	int err;

	err = pramfs_own(s->owned, s->next, 1);
	if (err)
		return pramfs_refuse(s->f, err == -ERANGE ? PRAMFS_CHECK_PAGE_FRAME :
				     PRAMFS_CHECK_PAGE_TWICE, from, at, s->next, 0);
	s->page = s->src->page(s->src->ctx, s->next);
	if (!s->page)
		return pramfs_refuse(s->f, PRAMFS_CHECK_PAGE_MISSING, from, at, s->next, 0);
	s->pfn = s->next;
	if (fn) {
		err = fn(ctx, s->pfn);
		if (err)
			return err;
	}
	err = check_page(s);
	if (err)
		return err;
	s->pages++;
	s->next = le64_to_cpu(s->page->next);
	s->used = le32_to_cpu(s->page->used);
	s->pos = 0;
	return 0;
}

/* Read bytes that are known to be left, or skip them (to == NULL). */
int pramfs_get_bytes(struct pramfs_stream *s, void *to, u32 bytes)
{
	u8 *out = to;
	u32 part;
	int err;

	while (bytes) {
		if (s->pos == s->used) {
			err = next_page(s, NULL, NULL);
			if (err)
				return err;
		}
		part = s->used - s->pos;
		if (part > bytes)
			part = bytes;
		if (out) {
			memcpy(out, (const u8 *)(s->page + 1) + s->pos, part);
			out += part;
		}
		s->pos += part;
		s->left -= part;
		bytes -= part;
	}
	return 0;
}

/* The fixed part, as much of it as we know; what is missing is 0. */
int pramfs_get_fixed(struct pramfs_stream *s, void *to, u32 bytes)
{
	u32 known = s->fixed < bytes ? s->fixed : bytes, more = s->fixed - known;
	int err;

	if (to)
		memset(to, 0, bytes);
	s->fixed = 0;
	err = pramfs_get_bytes(s, to, known);
	return err ? err : pramfs_get_bytes(s, NULL, more);
}

int pramfs_get_tail(struct pramfs_stream *s, void *to, u32 bytes)
{
	s->tail -= bytes;
	return pramfs_get_bytes(s, to, bytes);
}

static int record_refuse(struct pramfs_stream *s, enum pramfs_check_id check, u64 found,
			 u64 expected)
{
	return pramfs_refuse(s->f, check, s->rec_pfn, s->rec_offset, found, expected);
}

int pramfs_get_head(struct pramfs_stream *s, u32 *type)
{
	struct pramfs_rec_head head;
	u32 len;
	int err;

	*type = 0;
	/* So that the place of the record is known as the page in which it starts. */
	if (s->left && s->pos == s->used) {
		err = next_page(s, NULL, NULL);
		if (err)
			return err;
	}
	s->rec_pfn = s->pfn;
	s->rec_offset = (u32)sizeof(struct pramfs_page_head) + s->pos;
	if (s->left < sizeof(head))
		return record_refuse(s, PRAMFS_CHECK_STREAM_END, s->left, sizeof(head));
	err = pramfs_get_bytes(s, &head, sizeof(head));
	if (err)
		return err;
	len = le32_to_cpu(head.len);
	if (len > s->left)
		return record_refuse(s, PRAMFS_CHECK_RECORD_LENGTH, len, s->left);
	s->fixed = le16_to_cpu(head.fixed);
	if (s->fixed > len)
		return record_refuse(s, PRAMFS_CHECK_RECORD_LENGTH, s->fixed, len);
	s->tail = len - s->fixed;
	*type = le16_to_cpu(head.type);
	return 0;
}

int pramfs_walk_pages(const struct pramfs_source *src, const struct pramfs_root *root,
		      int (*fn)(void *ctx, u64 pfn), void *ctx, struct pramfs_finding *f)
{
	struct pramfs_stream *s;
	int err;

	err = pramfs_check_root(root, ~0ull, f);
	if (err)
		return err;
	s = src->alloc(src->ctx, sizeof(*s));
	if (!s)
		return -ENOMEM;
	pramfs_stream_init(s, src, root, f);
	while (s->left && !err) {
		err = next_page(s, fn, ctx);
		s->left -= err ? 0 : s->used;
	}
	src->free(src->ctx, s);
	return err;
}
