// SPDX-License-Identifier: GPL-2.0
#include "image.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

static const void *image_page(void *ctx, u64 pfn)
{
	const struct image *image = ctx;
	size_t low = 0, high = image->nr, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (image->frame[middle].pfn < pfn)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == image->nr || image->frame[low].pfn != pfn)
		return NULL;
	return image->data + image->frame[low].page * PRAMFS_FRAME_SIZE;
}

static void *image_alloc(void *ctx, size_t bytes)
{
	struct image *image = ctx;

	if (bytes > image->budget)
		return NULL;
	image->budget -= bytes;
	return calloc(1, bytes);
}

static void image_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static int by_pfn(const void *a, const void *b)
{
	const struct image_frame *x = a, *y = b;

	if (x->pfn != y->pfn)
		return x->pfn < y->pfn ? -1 : 1;
	return x->page < y->page ? -1 : x->page > y->page;
}

int image_init(struct image *image, const void *data, size_t bytes, size_t budget)
{
	const struct pramfs_page_head *head;
	size_t i;

	memset(image, 0, sizeof(*image));
	if (!bytes)
		return -ENODATA;
	if (bytes % PRAMFS_FRAME_SIZE)
		return -EINVAL;
	image->data = data;
	image->pages = bytes / PRAMFS_FRAME_SIZE;
	image->nr = image->pages - 1;
	image->frame = calloc(image->pages, sizeof(*image->frame));
	if (!image->frame)
		return -ENOMEM;
	for (i = 0; i < image->nr; i++) {
		head = (const void *)(image->data + (i + 1) * PRAMFS_FRAME_SIZE);
		image->frame[i].pfn = le64toh(head->pfn);
		image->frame[i].page = i + 1;
	}
	qsort(image->frame, image->nr, sizeof(*image->frame), by_pfn);
	image->budget = budget;
	image->src = (struct pramfs_source) { image_page, image_alloc, image_free, image };
	return 0;
}

void image_release(struct image *image)
{
	free(image->frame);
	image->frame = NULL;
}
