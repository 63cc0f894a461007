// SPDX-License-Identifier: GPL-2.0
/*
 * sealing_damage.c - ways to damage a handover. Each works on a copy of the
 * image; what differs from the image in the end is the damage. Where the CRC
 * shall not give it away, it is made again.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "pramfs_format.h"
#include "report.h"
#include "sealing.h"

#define PAGE	PRAMFS_FRAME_SIZE

/* Root page, then the stream pages in order. */
static uint8_t *was, *is;
static size_t pages;

static struct pramfs_root *root(void)
{
	return (struct pramfs_root *)is;
}

static struct pramfs_page_head *stream(size_t n)
{
	if (n + 1 >= pages)
		die("the handover has only %zu stream pages", pages - 1);
	return (struct pramfs_page_head *)(is + (n + 1) * PAGE);
}

static uint64_t stream_pfn(size_t n)
{
	return le64toh(((struct pramfs_page_head *)(was + (n + 1) * PAGE))->pfn);
}

static void read_file(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || st.st_size < 2 * (off_t)PAGE)
		die("%s", file);
	pages = st.st_size / PAGE;
	was = malloc(pages * PAGE);
	is = malloc(pages * PAGE);
	if (!was || !is || read(fd, was, pages * PAGE) != (ssize_t)(pages * PAGE))
		die("read %s", file);
	memcpy(is, was, pages * PAGE);
	close(fd);
}

/* ---- CRCs --------------------------------------------------------------- */

static uint32_t crc_of(const void *page)
{
	return ~crc32c(~0u, page, PAGE);
}

static void mend_root(void)
{
	root()->crc = 0;
	root()->crc = htole32(crc_of(root()));
}

static void mend_stream(void)
{
	for (size_t n = 0; n + 1 < pages; n++) {
		stream(n)->crc = 0;
		stream(n)->crc = htole32(crc_of(stream(n)));
	}
}

/* ---- records ------------------------------------------------------------ */

/* Bytes of the stream: records may cross from page to page. */
static uint8_t *stream_byte(uint64_t at)
{
	return (uint8_t *)(stream(at / PRAMFS_PAYLOAD) + 1) + at % PRAMFS_PAYLOAD;
}

static void get(uint64_t at, void *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		((uint8_t *)to)[i] = *stream_byte(at + i);
}

static void put(uint64_t at, const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		*stream_byte(at + i) = ((const uint8_t *)from)[i];
}

/* Where the EXTENTS record with the most of them, the last such, has its extents. */
static uint64_t find_extents(size_t *nr)
{
	uint64_t best = 0;

	*nr = 0;
	for (uint64_t at = 0, end = le64toh(root()->stream_bytes); at < end;) {
		struct pramfs_rec_head head;
		uint32_t len;

		get(at, &head, sizeof(head));
		len = le32toh(head.len);
		if (le16toh(head.type) == PRAMFS_REC_EXTENTS && len / 16 >= *nr) {
			*nr = len / 16;
			best = at + sizeof(head);
		}
		at += sizeof(head) + len;
	}
	if (*nr < 4)
		die("the handover has too few extents");
	return best;
}

static uint64_t extent_frame(uint64_t extents, size_t i)
{
	struct pramfs_extent e;

	get(extents + i * sizeof(e), &e, sizeof(e));
	return le64toh(e.frames) & ((1ull << PRAMFS_PFN_BITS) - 1);
}

/* The second extent of the largest file is to lie in this frame. */
static void move_extent(uint64_t pfn)
{
	size_t nr;
	uint64_t at = find_extents(&nr) + sizeof(struct pramfs_extent);
	struct pramfs_extent e;

	get(at, &e, sizeof(e));
	e.frames = htole64((le64toh(e.frames) & ~((1ull << PRAMFS_PFN_BITS) - 1)) | pfn);
	put(at, &e, sizeof(e));
	mend_stream();
}

/* ---- kinds -------------------------------------------------------------- */

static void root_crc(void)
{
	root()->kernel[0] ^= 1;
}

static void root_magic(void)
{
	root()->magic ^= htole64(1ull << 40);
}

static void root_version(void)
{
	root()->major = htole16(PRAMFS_FORMAT_MAJOR + 1);
	mend_root();
}

static void root_moved(void)
{
	root()->pfn = htole64(stream_pfn(0));
	mend_root();
}

/* Half of the largest range is left, the one with the root page in it. */
static void range_cut(void)
{
	struct pramfs_range_node *node = root()->node;
	uint64_t start, bytes, half, at = le64toh(root()->pfn) * PAGE;

	for (uint32_t i = 1; i < le32toh(root()->nr_ranges); i++)
		if (le64toh(root()->node[i].bytes) > le64toh(node->bytes))
			node = &root()->node[i];
	start = le64toh(node->addr);
	bytes = le64toh(node->bytes);
	half = bytes / 2 / PAGE * PAGE;
	if (at >= start + half && at < start + bytes) {
		node->addr = htole64(start + half);
		node->bytes = htole64(bytes - half);
	} else {
		node->bytes = htole64(half);
	}
	mend_root();
}

static void crc_bit(void)
{
	stream(1)->crc ^= htole32(1u << 31);
}

static void first_bit(void)
{
	((uint8_t *)(stream(0) + 1))[0] ^= 1;
}

static void last_bit(void)
{
	((uint8_t *)stream((pages - 1) / 2))[PAGE - 1] ^= 0x80;
}

static void magic_bit(void)
{
	stream(2)->magic ^= htole32(1u << 7);
}

static void swapped(void)
{
	uint8_t page[PAGE];

	memcpy(page, stream(1), PAGE);
	memcpy(stream(1), stream(2), PAGE);
	memcpy(stream(2), page, PAGE);
}

static void zeroed(void)
{
	memset(stream(1), 0, PAGE);
}

static void next_outside(void)
{
	stream(1)->next = root()->arena[0].pfn;
	mend_stream();
}

static void next_loop(void)
{
	stream(1)->next = htole64(stream_pfn(0));
	mend_stream();
}

/* To a page of a file, which nobody has claimed yet at that point. */
static void next_data(void)
{
	size_t nr;
	uint64_t extents = find_extents(&nr);

	stream(1)->next = htole64(extent_frame(extents, nr - 1));
	mend_stream();
}

static void extent_arena(void)
{
	move_extent(le64toh(root()->arena[0].pfn));
}

static void extent_other(void)
{
	size_t nr;
	uint64_t extents = find_extents(&nr);

	move_extent(extent_frame(extents, 0));
}

static void extent_metadata(void)
{
	move_extent(stream_pfn(0));
}

static void extent_nowhere(void)
{
	move_extent(1ull << 39);
}

static void record_unknown(void)
{
	put(0, &(uint16_t){ htole16(99) }, 2);
	mend_stream();
}

static const struct {
	const char *name, *check;
	void (*run)(void);
} kinds[] = {
	{ "root-crc", "root crc", root_crc },
	{ "root-magic", "root magic", root_magic },
	{ "root-version", "root version", root_version },
	{ "root-moved", "root magic", root_moved },
	{ "range-cut", "reserved", range_cut },
	{ "crc-bit", "page crc", crc_bit },
	{ "first-bit", "page crc", first_bit },
	{ "last-bit", "page crc", last_bit },
	{ "magic-bit", "page magic", magic_bit },
	{ "swapped", "page frame number", swapped },
	{ "zeroed", "page magic", zeroed },
	{ "next-outside", "page frame reserved", next_outside },
	{ "next-loop", "page frame owned twice", next_loop },
	{ "next-data", "page magic", next_data },
	{ "extent-arena", "extent frames reserved", extent_arena },
	{ "extent-other", "extent frames owned twice", extent_other },
	{ "extent-metadata", "extent frames owned twice", extent_metadata },
	{ "extent-nowhere", "extent frames reserved", extent_nowhere },
	{ "record-unknown", "record type", record_unknown },
};

void damage_list(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		printf("%s:%s\n", kinds[i].name, kinds[i].check);
}

static void print_page(size_t n)
{
	const uint8_t *a = was + n * PAGE, *b = is + n * PAGE;
	uint64_t pfn = n ? stream_pfn(n - 1) : le64toh(((struct pramfs_root *)was)->pfn);
	char comma = '=';

	if (!memcmp(a, b, PAGE))
		return;
	printf("pfn=0x%llx offset", (unsigned long long)pfn);
	for (size_t i = 0; i < PAGE; i++)
		if (a[i] != b[i]) {
			printf("%c%zu", comma, i);
			comma = ',';
		}
	printf(" value");
	comma = '=';
	for (size_t i = 0; i < PAGE; i++)
		if (a[i] != b[i]) {
			printf("%c%d", comma, b[i]);
			comma = ',';
		}
	printf("\n");
}

int damage_image(const char *file, const char *kind)
{
	read_file(file);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kind, kinds[i].name))
			continue;
		kinds[i].run();
		for (size_t n = 0; n < pages; n++)
			print_page(n);
		return 0;
	}
	fprintf(stderr, "no such kind of damage: %s\n", kind);
	return 2;
}
