// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_format.c - libFuzzer target for the reader of the handover format.
 *
 * The first byte chooses what the rest is:
 *   0  an image file, as it is;
 *   1  an image file whose magics, chain, frame numbers and CRCs are mended, so
 *      that a mutation reaches the checks behind them;
 *   2  a stream, for which pages and a root are made; the counts in END and in
 *      the root are mended, so that whole images are accepted too.
 * An image that passes must be walked without an error, tell as many frames as
 * the root says, and own those, its stream pages and its root, nothing else.
 */
#include "../unit/shot.h"
#include "../../pramfs-module/tool/image.h"

#define MOST	(1u << 20)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void must(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

/* ---- a source that sees what is asked for ----------------------------- */

struct watch {
	struct image *image;
	long live;
};

static const void *watch_page(void *ctx, u64 pfn)
{
	struct watch *watch = ctx;
	const struct pramfs_root *root = image_root(watch->image);
	u32 i;

	for (i = 0; i < root->nr_ranges; i++)
		if (pfn >= root->node[i].addr >> 12 &&
		    pfn - (root->node[i].addr >> 12) < root->node[i].bytes >> 12)
			return watch->image->src.page(watch->image, pfn);
	must(false, "a foreign frame was asked for");
	return NULL;
}

static void *watch_alloc(void *ctx, size_t bytes)
{
	struct watch *watch = ctx;
	void *p = watch->image->src.alloc(watch->image, bytes);

	watch->live += !!p;
	return p;
}

static void watch_free(void *ctx, void *p)
{
	struct watch *watch = ctx;

	watch->live -= !!p;
	free(p);
}

/* ---- what an accepted image must keep --------------------------------- */

struct counts {
	u64 frames;
	u64 unsummed;		/* pages of the inode at hand without a checksum */
	u32 mounts, inodes;
};

static int count_mount(void *ctx, u32 nr, const char *name, const struct pramfs_rec_mount *m)
{
	struct counts *counts = ctx;

	must(nr == counts->mounts++ && *name && strlen(name) <= PRAMFS_MAX_NAME, "mount");
	must(m->nr_inodes, "mount without inodes");
	counts->inodes = 0;
	return 0;
}

static int count_inode(void *ctx, u32 nr, const struct pramfs_rec_inode *i)
{
	struct counts *counts = ctx;

	must(nr == counts->inodes++ && i->ino, "inode");
	counts->unsummed = 0;
	return 0;
}

static int count_xattr(void *ctx, u32 inode, const char *name, const void *value, u32 len)
{
	struct counts *counts = ctx;

	must(inode + 1 == counts->inodes && *name && !((const char *)value)[len], "xattr");
	return 0;
}

static int count_target(void *ctx, u32 inode, const char *target, u32 len)
{
	struct counts *counts = ctx;

	must(inode + 1 == counts->inodes && strlen(target) == len && len, "target");
	return 0;
}

static int count_extent(void *ctx, u32 inode, u64 index, u64 pfn, u64 pages)
{
	struct counts *counts = ctx;

	must(inode + 1 == counts->inodes && index + pages <= 1ull << 51 && pfn >= PRAMFS_LOWEST_PFN &&
	     pfn + pages <= 1ull << 40, "extent");
	counts->frames += pages;
	counts->unsummed += pages;
	return 0;
}

static int count_checksums(void *ctx, u32 inode, const __le32 *checksum, u32 nr)
{
	struct counts *counts = ctx;

	must(inode + 1 == counts->inodes && checksum && nr && nr <= counts->unsummed, "checksums");
	counts->unsummed -= nr;
	return 0;
}

static int count_dirent(void *ctx, u32 parent, u32 child, const char *name, u32 len)
{
	struct counts *counts = ctx;

	must(parent < counts->inodes && child && child < counts->inodes && len &&
	     strlen(name) == len && !strchr(name, '/'), "entry");
	return 0;
}

static int count_page(void *ctx, u64 pfn)
{
	must(pfn >= PRAMFS_LOWEST_PFN, "page");
	++*(u64 *)ctx;
	return 0;
}

static void accepted(const struct pramfs_source *src, const struct pramfs_root *root,
		     const struct pramfs_owned *owned)
{
	struct counts counts = { 0 };
	const struct pramfs_visitor v = {
		.mount = count_mount, .inode = count_inode, .xattr = count_xattr,
		.target = count_target, .extent = count_extent, .checksums = count_checksums,
		.dirent = count_dirent, .ctx = &counts,
	};
	struct pramfs_finding f;
	u64 have = 0, pfn, frames, pages = 0;
	u32 r, mounts;

	for (r = 0; r < owned->nr; r++) {
		have += owned->range[r].frames;
		for (pfn = 0; pramfs_unowned_run(owned, r, &pfn, &frames); pfn += frames)
			have -= frames;
	}
	must(have == root->data_frames + root->stream_pages + 1, "owned frames");
	must(!pramfs_walk(src, root, -1, &v, &f), "a checked image cannot be walked");
	must(counts.frames == root->data_frames && counts.mounts == root->nr_mounts, "counts");
	must(!pramfs_walk_pages(src, root, count_page, &pages, &f), "pages cannot be walked");
	must(pages == root->stream_pages, "stream pages");
	mounts = counts.mounts;
	if (mounts) {
		counts = (struct counts) { .mounts = mounts - 1 };
		must(!pramfs_walk(src, root, (int)mounts - 1, &v, &f), "last mount");
	}
}

/* ---- the three kinds of input ----------------------------------------- */

static void run(const u8 *bytes, size_t size)
{
	static const struct pramfs_visitor nobody;
	struct image image;
	struct watch watch = { .image = &image };
	const struct pramfs_source src = { watch_page, watch_alloc, watch_free, &watch };
	struct pramfs_owned owned;
	struct pramfs_finding f;
	u64 pages = 0;
	int err;

	if (image_init(&image, bytes, size, 64u << 20))
		return;
	err = pramfs_check(&src, image_root(&image), ~0ull, &owned, NULL, &f);
	if (!err) {
		accepted(&src, image_root(&image), &owned);
	} else {
		must(!owned.nr, "a refused image owns frames");
		must(err == -ENOMEM || f.check, "refused without a finding");
		must(err == -ENOMEM || err == -EUCLEAN || err == -EPROTONOSUPPORT || err == -ENOENT,
		     "error code");
		pramfs_walk(&src, image_root(&image), -1, &nobody, &f);
		pramfs_walk_pages(&src, image_root(&image), count_page, &pages, &f);
	}
	pramfs_owned_free(&src, &owned);
	must(!watch.live, "memory was not freed");
	image_release(&image);
}

static void mend_image(struct shot *s)
{
	struct pramfs_root *root = shot_root(s);
	struct pramfs_page_head *page;
	u64 pfn = root->stream_pfn;
	size_t i;

	root->magic = PRAMFS_ROOT_MAGIC;
	root->major = PRAMFS_FORMAT_MAJOR;
	for (i = 0; i + 1 < s->nr_pages; i++) {
		page = shot_page(s, i);
		page->magic = PRAMFS_PAGE_MAGIC;
		page->pfn = pfn;
		page->seq = (u32)i;
		pfn = page->next;
	}
	shot_crcs(s);
}

/* Count the records as far as they can be read, and say so in END. */
static void mend_counts(struct shot *s)
{
	struct pramfs_rec_head head;
	struct pramfs_rec_end end;
	struct pramfs_extent e;
	u8 *at = s->stream, *last = at + s->bytes, *x;

	while (last - at >= (long)sizeof(head)) {
		memcpy(&head, at, sizeof(head));
		at += sizeof(head);
		if (head.len > (size_t)(last - at) || head.fixed > head.len)
			return;
		if (head.type == PRAMFS_REC_END && head.fixed >= sizeof(end)) {
			end = (struct pramfs_rec_end) { s->records, s->extents, s->frames };
			memcpy(at, &end, sizeof(end));
			return;
		}
		s->records++;
		s->mounts += head.type == PRAMFS_REC_MOUNT;
		if (head.type == PRAMFS_REC_EXTENTS) {
			for (x = at + head.fixed; at + head.len - x >= (long)sizeof(e); x += sizeof(e)) {
				memcpy(&e, x, sizeof(e));
				s->extents++;
				s->frames += pramfs_extent_pages(e.frames);
			}
		}
		at += head.len;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct shot s;
	u8 mode;

	if (size < 2 || size > MOST)
		return 0;
	mode = *data++ % 3;
	size--;
	shot_reset(&s);
	if (mode == 2) {
		memcpy(s.stream, data, size);
		s.bytes = size;
		mend_counts(&s);
		shot_pack(&s);
	} else {
		s.nr_pages = size / PRAMFS_FRAME_SIZE;
		if (!s.nr_pages)
			return 0;
		memcpy(s.pages, data, s.nr_pages * PRAMFS_FRAME_SIZE);
		if (mode == 1)
			mend_image(&s);
	}
	/* A copy of its own, so that reading past the end is seen. */
	u8 *copy = malloc(s.nr_pages * PRAMFS_FRAME_SIZE);

	memcpy(copy, s.pages, s.nr_pages * PRAMFS_FRAME_SIZE);
	run(copy, s.nr_pages * PRAMFS_FRAME_SIZE);
	free(copy);
	return 0;
}
