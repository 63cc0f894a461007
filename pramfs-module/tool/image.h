/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image.h - an image file (root page, then stream pages) as a pramfs_source.
 *
 * In a file, frames have no addresses: a page is found by the frame number
 * that it says itself, which the checks then hold against the chain.
 */
#ifndef PRAMFS_IMAGE_H
#define PRAMFS_IMAGE_H

#include "../format.h"

struct image {
	const u8 *data;		/* borrowed */
	size_t pages;		/* root included */
	struct image_frame {
		u64 pfn;
		size_t page;
	} *frame;		/* stream pages, sorted */
	size_t nr;
	size_t budget;		/* bytes that may still be allocated while reading it */
	struct pramfs_source src;
};

/*
 * 0; -ENODATA: no bytes at all; -EINVAL: not whole pages; -ENOMEM. budget:
 * bytes, a bound for what a hostile image can make its reader allocate.
 */
int image_init(struct image *image, const void *data, size_t bytes, size_t budget);
void image_release(struct image *image);

static inline const struct pramfs_root *image_root(const struct image *image)
{
	return (const struct pramfs_root *)image->data;
}

#endif
