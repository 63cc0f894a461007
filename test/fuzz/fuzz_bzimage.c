// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz the image parser: whatever it accepts must lie inside the input, and
 * boot_params must be buildable from it. The first input byte chooses whether
 * the rest is taken as it stands, has a good header's magic put over it, or
 * good sizes as well, so that the fuzzer gets past the first checks quickly.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/boot_params.h"
#include "checkpoint/bzimage.h"
#include "checkpoint/initrd.h"
#include "common/log.h"

static void silent(enum log_level level, const char *text)
{
	(void)level;
	(void)text;
}

static void require(int ok)
{
	if (!ok)
		abort();
}

static void build(const struct bzimage *b)
{
	static struct memmap map = { .nr = 1, .entry = { { 0, 1 << 30, E820_RAM } } };
	static struct boot_params running;
	struct boot_inputs in = {
		.kernel = b,
		.running = &running,
		.memmap = &map,
		.cmdline = "quiet",
	};
	struct boot_layout l;
	uint8_t *block;

	boot_layout(&in, &l);
	block = malloc(l.bytes);
	boot_block_build(&in, &l, 0x1000000, block);
	free(block);
}

static void parse(const uint8_t *data, size_t size)
{
	struct bzimage b;
	uint64_t unpacked;

	initrd_unpacked(data, size, "F", &unpacked);
	if (bzimage_parse(data, size, "F", true, &b))
		return;
	require(b.payload >= data && b.payload_bytes <= size &&
		(size_t)(b.payload - data) <= size - b.payload_bytes);
	require(b.header >= data && b.header + b.header_bytes <= data + size);
	require(b.header_bytes <= BZIMAGE_HEADER_MAX);
	require(b.memory >= b.payload_bytes && b.memory % 4096 == 0);
	require(b.alignment && !(b.alignment & (b.alignment - 1)));
	require(memchr(b.release, 0, sizeof(b.release)) != NULL);
	build(&b);
}

static void put_magic(struct boot_params *bp)
{
	memcpy((uint8_t *)bp + 0x202, "HdrS", 4);
	bp->hdr.boot_flag = 0xaa55;
	bp->hdr.version = 0x020f;
	bp->hdr.loadflags |= LOADED_HIGH;
	bp->hdr.xloadflags |= XLF_KERNEL_64 | XLF_5LEVEL;
	bp->hdr.relocatable_kernel = 1;
}

static void put_sizes(uint8_t *image, size_t size)
{
	struct boot_params *bp = (struct boot_params *)image;

	bp->hdr.setup_sects = 1;
	bp->hdr.syssize = (uint32_t)(size - 1024 + 15) / 16;
	bp->hdr.init_size = (bp->hdr.init_size & 0xffffff) + 0x100000;
	bp->hdr.kernel_alignment = 0x1000u << (bp->hdr.kernel_alignment % 20);
	bp->hdr.kernel_info_offset %= (uint32_t)size;
	if (bp->hdr.kernel_info_offset + 1024u + 16 <= size)
		memcpy(image + 1024 + bp->hdr.kernel_info_offset, "LToP\x10\0\0", 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	log_set_sink(silent);
	if (!size)
		return 0;
	/* bytes behind the end, for whole structs to be written over */
	copy = calloc(1, size + sizeof(struct boot_params));
	memcpy(copy, data + 1, size - 1);
	if ((data[0] & 1) && size - 1 > 0x268)
		put_magic((struct boot_params *)copy);
	if ((data[0] & 2) && size - 1 > 2048)
		put_sizes(copy, size - 1);
	/* shrink to fit, so that ASan sees one byte too far */
	copy = realloc(copy, size - 1 ? size - 1 : 1);
	parse(copy, size - 1);
	free(copy);
	return 0;
}
