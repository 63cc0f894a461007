// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of the loader's pure parts: bzimage, boot_params, memmap, initrd,
 * cmdline, placement. Prints `pass NAME` or `fail NAME: why`, exit status 1
 * when one failed. Images and directories are made here; nothing is needed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#include "checkpoint/boot_params.h"
#include "checkpoint/bzimage.h"
#include "checkpoint/cmdline.h"
#include "checkpoint/initrd.h"
#include "checkpoint/memmap.h"
#include "checkpoint/placement.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "test/unit/harness.h"
#include "common/stamp_node.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)

/* ---- a bzImage ----------------------------------------------------------- */

#define SETUP_BYTES (5 * 512u)
#define PAYLOAD_BYTES 8192u
#define IMAGE_BYTES (SETUP_BYTES + PAYLOAD_BYTES)
#define INFO_OFFSET 4096u

struct image {
	union {
		uint8_t bytes[IMAGE_BYTES + 64];
		struct boot_params bp;
	};
	size_t len;
};

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static struct setup_header *header_of(struct image *im)
{
	return &im->bp.hdr;
}

static void make_image(struct image *im)
{
	struct setup_header *h = header_of(im);
	uint8_t *info = im->bytes + SETUP_BYTES + INFO_OFFSET;

	memset(im, 0, sizeof(*im));
	im->len = IMAGE_BYTES;
	h->setup_sects = 4;
	h->syssize = PAYLOAD_BYTES / 16;
	h->vid_mode = 0xffff;
	h->root_dev = 0x1234;
	h->boot_flag = 0xaa55;
	im->bytes[0x200] = 0xeb;
	im->bytes[0x201] = 0x6c;	/* header ends at 0x26e, as today's do */
	memcpy(&h->header, "HdrS", 4);
	h->version = 0x020f;
	h->kernel_version = 0x300;
	strcpy((char *)im->bytes + 0x500, "6.12.1-test (me@here) #1");
	h->loadflags = LOADED_HIGH | KASLR_FLAG | CAN_USE_HEAP;
	h->code32_start = 0x100000;
	h->initrd_addr_max = 0x7fffffff;
	h->kernel_alignment = 0x200000;
	h->relocatable_kernel = 1;
	h->xloadflags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G | XLF_5LEVEL;
	h->cmdline_size = 2047;
	h->init_size = 0x123456;
	h->kernel_info_offset = INFO_OFFSET;
	memcpy(info, "LToP", 4);
	put32(info + 4, 16);
	put32(info + 8, 16);
	put32(info + 12, 0x80000009);
}

/* Parse from memory of exactly the image's size, so that ASan sees any step beyond. */
static int parse(const struct image *im, bool la57, struct bzimage *out)
{
	uint8_t *copy = malloc(im->len ? im->len : 1);
	int ret;

	memcpy(copy, im->bytes, im->len);
	ret = bzimage_parse(copy, im->len, "F", la57, out);
	free(copy);
	return ret;
}

enum field { SECTS, SYSSIZE, BOOT_FLAG, VERSION, LOADFLAGS, XLOADFLAGS, RELOCATABLE, INIT_SIZE,
	     ALIGNMENT, INFO, LENGTH, HEADER, INFO_MAGIC, INFO_TYPES, INFO_SIZE };

static void set_field(struct image *im, enum field f, uint64_t v)
{
	struct setup_header *h = header_of(im);
	uint8_t *info = im->bytes + SETUP_BYTES + INFO_OFFSET;

	switch (f) {
	case SECTS: h->setup_sects = (uint8_t)v; break;
	case SYSSIZE: h->syssize = (uint32_t)v; break;
	case BOOT_FLAG: h->boot_flag = (uint16_t)v; break;
	case VERSION: h->version = (uint16_t)v; break;
	case LOADFLAGS: h->loadflags = (uint8_t)v; break;
	case XLOADFLAGS: h->xloadflags = (uint16_t)v; break;
	case RELOCATABLE: h->relocatable_kernel = (uint8_t)v; break;
	case INIT_SIZE: h->init_size = (uint32_t)v; break;
	case ALIGNMENT: h->kernel_alignment = (uint32_t)v; break;
	case INFO: h->kernel_info_offset = (uint32_t)v; break;
	case LENGTH: im->len = (size_t)v; break;
	case HEADER: h->header = (uint32_t)v; break;
	case INFO_MAGIC: put32(info, (uint32_t)v); break;
	case INFO_SIZE: put32(info + 4, (uint32_t)v); break;
	case INFO_TYPES: put32(info + 12, (uint32_t)v); break;
	}
}

static const struct {
	const char *name;
	enum field field;
	uint64_t value;
	bool la57;
	const char *message;
} refusals[] = {
	{ "empty", LENGTH, 0, false, "the file is empty" },
	{ "one-byte", LENGTH, 1, false, "it has 1 bytes" },
	{ "cut-before-magic", LENGTH, 0x205, false, "it has 517 bytes" },
	{ "cut-in-header", LENGTH, 0x240, false, "F is truncated: it has 576 bytes, its header alone ends at 622" },
	{ "cut-in-setup", LENGTH, 1024, false, "F is truncated: it has 1024 bytes, its header says 10752" },
	{ "cut-in-payload", LENGTH, IMAGE_BYTES - 16, false, "it has 10736 bytes, its header says 10752" },
	{ "magic", HEADER, 0x12345678, false, "header magic at 0x202 is not \"HdrS\"" },
	{ "boot-flag", BOOT_FLAG, 0x1234, false, "boot_flag is 0x1234, expected 0xaa55" },
	{ "protocol", VERSION, 0x020b, false, "boot protocol 2.11, needed 2.12" },
	{ "no-indirect-protocol", VERSION, 0x020d, false, "boot protocol 2.13, but keeping memory needs 2.15" },
	{ "zimage", LOADFLAGS, 0, false, "lack LOADED_HIGH" },
	{ "32-bit", XLOADFLAGS, XLF_CAN_BE_LOADED_ABOVE_4G, false, "lack XLF_KERNEL_64" },
	{ "not-relocatable", RELOCATABLE, 0, false, "relocatable_kernel is 0" },
	{ "no-5level", XLOADFLAGS, XLF_KERNEL_64, true, "lack XLF_5LEVEL" },
	{ "syssize-0", SYSSIZE, 0, false, "syssize 0x0 leaves no room" },
	{ "syssize-huge", SYSSIZE, 0xffffffff, false, "its header says 68719479280" },
	{ "init-size-small", INIT_SIZE, 100, false, "init_size is 100 bytes, expected 8192" },
	{ "init-size-huge", INIT_SIZE, 0x40000001, false, "init_size is 1073741825 bytes" },
	{ "alignment-0", ALIGNMENT, 0, false, "kernel_alignment is 0x0" },
	{ "alignment-odd", ALIGNMENT, 0x300000, false, "kernel_alignment is 0x300000" },
	{ "alignment-huge", ALIGNMENT, 0x80000000, false, "kernel_alignment is 0x80000000" },
	{ "info-outside", INFO, 0xffffffff, false, "kernel_info_offset 0xffffffff lies outside" },
	{ "info-at-end", INFO, PAYLOAD_BYTES - 15, false, "lies outside its payload of 0x2000 bytes" },
	{ "info-magic", INFO_MAGIC, 0, false, "no kernel_info at" },
	{ "info-short", INFO_SIZE, 12, false, "no kernel_info at" },
	{ "no-indirect", INFO_TYPES, 9, false, "without SETUP_INDIRECT" },
};

static void test_bzimage_refusals(void)
{
	struct bzimage out;
	struct image im;
	char name[80];
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		begin();
		make_image(&im);
		set_field(&im, refusals[i].field, refusals[i].value);
		expect_refused(parse(&im, refusals[i].la57, &out), -ENOEXEC, refusals[i].message);
		snprintf(name, sizeof(name), "bzimage-%s", refusals[i].name);
		end(name);
	}
}

static void test_bzimage_kinds(void)
{
	static const struct {
		const char *name;
		size_t at;
		const char *magic;
		const char *message;
	} kinds[] = {
		{ "elf", 0, "\x7f" "ELF", "an ELF file" },
		{ "gzip", 0, "\x1f\x8b\x08", "a gzip file" },
		{ "zboot", 4, "zimg", "an EFI zboot image" },
		{ "arm64", 0x38, "ARM\x64", "a kernel for arm64" },
		{ "uki", 0, "MZ", "an EFI program without a boot header" },
		{ "zstd", 0, "\x28\xb5\x2f\xfd", "a zstd file" },
		{ "cpio", 0, "070701", "a cpio archive" },
	};
	struct image im = { .len = 1024 };
	struct bzimage out;
	char name[80];
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		begin();
		memset(im.bytes, 0, sizeof(im.bytes));
		memcpy(im.bytes, "MZ", 2 * (kinds[i].at != 0));
		memcpy(im.bytes + kinds[i].at, kinds[i].magic, strlen(kinds[i].magic));
		expect_refused(parse(&im, false, &out), -ENOEXEC, kinds[i].message);
		snprintf(name, sizeof(name), "bzimage-is-%s", kinds[i].name);
		end(name);
	}
}

static void test_bzimage_good(void)
{
	struct image im;
	struct bzimage b;

	begin();
	make_image(&im);
	expect_ok(bzimage_parse(im.bytes, im.len, "F", true, &b));
	EXPECT(b.payload - im.bytes, SETUP_BYTES);
	EXPECT(b.payload_bytes, PAYLOAD_BYTES);
	EXPECT(b.memory, 0x124000);
	EXPECT(b.alignment, 0x200000);
	EXPECT(b.header_bytes, 0x26e - 0x1f1);
	if (strcmp(b.release, "6.12.1-test"))
		complain("release is \"%s\"", b.release);
	end("bzimage-good");

	begin();
	header_of(&im)->setup_sects = 0;	/* means 4 */
	im.len += 64;				/* a signature behind it */
	header_of(&im)->kernel_alignment = 0x1000;
	expect_ok(bzimage_parse(im.bytes, im.len, "F", false, &b));
	EXPECT(b.payload - im.bytes, SETUP_BYTES);
	EXPECT(b.payload_bytes, PAYLOAD_BYTES);
	EXPECT(b.alignment, 2 * MIB);
	end("bzimage-setup-sects-0");

	begin();
	make_image(&im);
	im.len -= 15;				/* the last paragraph may be short */
	expect_ok(bzimage_parse(im.bytes, im.len, "F", false, &b));
	EXPECT(b.payload_bytes, PAYLOAD_BYTES - 15);
	im.bytes[0x201] = 0xff;			/* a header longer than its room */
	expect_ok(bzimage_parse(im.bytes, im.len, "F", false, &b));
	EXPECT(b.header_bytes, BZIMAGE_HEADER_MAX);
	header_of(&im)->kernel_version = 0xffff;
	expect_ok(bzimage_parse(im.bytes, im.len, "F", false, &b));
	EXPECT(b.release[0], 0);
	end("bzimage-edges");
}

/* Every single byte of the header and kernel_info, set to a few values: no crash, no overrun. */
static void test_bzimage_mutations(void)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct bzimage out;
	struct image im;
	size_t at, v;

	begin();
	for (at = 0x1f1; at < 0x290; at++) {
		for (v = 0; v < sizeof(values); v++) {
			make_image(&im);
			im.bytes[at] = values[v];
			begin();
			if (parse(&im, true, &out) && !said[0])
				complain("byte 0x%zx = 0x%x: refused without a word", at, values[v]);
		}
	}
	for (at = 0; at < IMAGE_BYTES - 15; at += 7) {
		make_image(&im);
		im.len = at;
		begin();
		if (!parse(&im, true, &out))
			complain("accepted when cut to %zu bytes", at);
	}
	end("bzimage-mutations");
}

/* ---- boot_params ---------------------------------------------------------- */

#define BLOCK_AT 0x234567000ull		/* above 4 GiB, to see the upper halves */

static struct memmap map;

static void make_map(uint32_t nr)
{
	uint32_t i;

	map.nr = nr;
	for (i = 0; i < nr; i++)
		map.entry[i] = (struct boot_e820_entry){ (uint64_t)i * 0x1000000, 0x1000000,
							 E820_RAM };
}

struct fixture {
	struct image im;
	struct bzimage kernel;
	struct boot_params running;
	struct efi_descriptor efi_map[3];
	struct boot_inputs in;
	struct boot_layout l;
	uint8_t *block;
	struct boot_params bp;
};

static void setup(struct fixture *f, uint32_t e820, bool efi)
{
	memset(f, 0, sizeof(*f));
	make_image(&f->im);
	expect_ok(bzimage_parse(f->im.bytes, f->im.len, "F", true, &f->kernel));
	memset(&f->running, 0x5a, sizeof(f->running));
	make_map(e820);
	f->in = (struct boot_inputs){
		.kernel = &f->kernel,
		.running = &f->running,
		.memmap = &map,
		.cmdline = "root=/dev/vda quiet",
		.kernel_addr = 0x112200000,
		.initrd_addr = 0x3fffff000,
		.initrd_bytes = 0x123456789,
		.pramfs_root = 0x7fff000,
		.acpi_rsdp = 0xf59d0,
		.efi = { 1, 0, 3, 4, { 0 } },
		.efi_map = efi ? f->efi_map : NULL,
		.efi_map_nr = efi ? 3 : 0,
		.have_seed = true,
		.seed = { 9, 8, 7 },
	};
	f->efi_map[2].virt_addr = 0xfffffffeffffe000;
	boot_layout(&f->in, &f->l);
	f->block = malloc(f->l.bytes);
	memset(f->block, 0xee, f->l.bytes);
	boot_block_build(&f->in, &f->l, BLOCK_AT, f->block);
	memcpy(&f->bp, f->block, sizeof(f->bp));
}

static void test_boot_fields(void)
{
	struct fixture f;
	const struct setup_header *h = &f.bp.hdr;

	begin();
	setup(&f, 3, false);
	EXPECT(h->setup_sects, 4);
	EXPECT(h->boot_flag, 0xaa55);
	EXPECT(h->vid_mode, 0xffff);
	EXPECT(h->root_dev, 0x1234);
	EXPECT(h->version, 0x020f);
	EXPECT(h->type_of_loader, 0xff);
	EXPECT(h->loadflags, LOADED_HIGH);
	EXPECT(h->code32_start, 0x100000);
	EXPECT(h->init_size, 0x123456);
	EXPECT(h->hardware_subarch, 0x5a5a5a5a);
	EXPECT(h->ramdisk_image, 0xfffff000);
	EXPECT(f.bp.ext_ramdisk_image, 3);
	EXPECT(h->ramdisk_size, 0x23456789);
	EXPECT(f.bp.ext_ramdisk_size, 1);
	EXPECT(h->cmd_line_ptr, (uint32_t)(BLOCK_AT + f.l.cmdline));
	EXPECT(f.bp.ext_cmd_line_ptr, 2);
	if (strcmp((char *)f.block + f.l.cmdline, "root=/dev/vda quiet"))
		complain("the command line is not in its place");
	EXPECT(f.bp.sentinel, 0);
	EXPECT(f.bp.acpi_rsdp_addr, 0xf59d0);
	EXPECT(f.bp.screen_info.orig_x, 0x5a);
	EXPECT(f.bp.screen_info.lfb_base, 0x5a5a5a5a);
	EXPECT(f.bp.eddbuf_entries, 0x5a);
	EXPECT(f.bp.edd_mbr_sig_buf_entries, 0x5a);
	EXPECT(f.bp.edd_mbr_sig_buffer[15], 0x5a5a5a5a);
	EXPECT(f.bp.edid_info.dummy[0], 0x5a);
	EXPECT(f.bp.hd0_info[0], 0);
	EXPECT(f.bp.tboot_addr, 0);
	EXPECT(f.bp.cc_blob_address, 0);
	EXPECT(f.bp.secure_boot, 0);
	EXPECT(f.bp.efi_info.efi_memmap_size, 0);
	EXPECT(f.bp.e820_entries, 3);
	EXPECT(f.bp.e820_table[2].addr, 0x2000000);
	EXPECT(f.bp.e820_table[2].size, 0x1000000);
	EXPECT(f.bp.e820_table[2].type, E820_RAM);
	EXPECT(f.bp.alt_mem_k, 15 << 10);		/* from 1 MiB to 16 MiB */
	EXPECT(f.bp.screen_info.ext_mem_k, 15 << 10);
	EXPECT(f.l.bytes % 4096, 0);
	free(f.block);
	end("boot-fields");
}

static void test_boot_no_initrd(void)
{
	struct fixture f;

	begin();
	setup(&f, 1, false);
	f.in.initrd_bytes = 0;
	boot_block_build(&f.in, &f.l, BLOCK_AT, f.block);
	memcpy(&f.bp, f.block, sizeof(f.bp));
	EXPECT(f.bp.hdr.ramdisk_image | f.bp.ext_ramdisk_image, 0);
	EXPECT(f.bp.hdr.ramdisk_size | f.bp.ext_ramdisk_size, 0);
	free(f.block);
	end("boot-no-initrd");
}

static void test_boot_trampoline(void)
{
	static const uint8_t expected[] = {
		0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0,
		0x48, 0xa3, 0, 0, 0, 0, 0, 0, 0, 0,	/* filled in below: the stamp */
		0x48, 0xbe, 0x00, 0x70, 0x56, 0x34, 0x02, 0, 0, 0,
		0x48, 0xb8, 0x00, 0x02, 0x20, 0x12, 0x01, 0, 0, 0,
		0xff, 0xe0,
	};
	uint8_t code[sizeof(expected)];
	struct fixture f;
	uint64_t stamp;

	begin();
	setup(&f, 1, true);
	memcpy(code, f.block + f.l.trampoline, sizeof(code));
	memcpy(&stamp, code + 11, sizeof(stamp));
	EXPECT(stamp, BLOCK_AT + f.l.stamp_node + sizeof(struct setup_data));
	memset(code + 11, 0, sizeof(stamp));
	if (memcmp(code, expected, sizeof(expected)))
		complain("the code differs");
	EXPECT(f.l.trampoline + sizeof(expected) <= f.l.bytes, true);
	free(f.block);
	end("boot-trampoline");
}

/* Run it, as far as the jump: the time must be in the node's payload, and only there. */
static void test_boot_stamp(void)
{
	uint64_t before, after, *payload;
	struct fixture f;
	uint8_t *copy;

	begin();
	setup(&f, 300, true);
	boot_block_build(&f.in, &f.l, (uintptr_t)f.block, f.block);
	copy = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED) {
		complain("no page that can be run");
		goto out;
	}
	memcpy(copy, f.block + f.l.trampoline, 41);
	copy[19] = 0xc3;	/* return, where %rsi would be set up */
	payload = (uint64_t *)(f.block + f.l.stamp_node + sizeof(struct setup_data));
	EXPECT(*payload, 0);
	before = __rdtsc();
	((void (*)(void))copy)();
	after = __rdtsc();
	EXPECT(*payload >= before && *payload <= after, true);
	munmap(copy, 4096);
out:
	free(f.block);
	end("boot-stamp");
}

/* One node of the list: check it, return the address of the next. */
static uint64_t walk(const struct fixture *f, uint64_t at, uint32_t type, uint32_t len,
		     const void *data)
{
	struct setup_data node;

	if (at < BLOCK_AT || at - BLOCK_AT > f->l.bytes - sizeof(node) - len) {
		complain("node of type %u at 0x%" PRIx64 " lies outside the block", type, at);
		return 0;
	}
	memcpy(&node, f->block + (at - BLOCK_AT), sizeof(node));
	EXPECT(node.type, type);
	EXPECT(node.len, len);
	EXPECT(at % 8, 0);
	if (memcmp(f->block + (at - BLOCK_AT) + sizeof(node), data, len))
		complain("the data of node type %u differ", type);
	return node.next;
}

/* The stamp is the last of our own; what follows it is returned. */
static uint64_t walk_stamp(const struct fixture *f, uint64_t at)
{
	static const struct stamp_node unset;

	return walk(f, at, STAMP_SETUP_TYPE, sizeof(unset), &unset);
}

static void test_boot_list(void)
{
	struct fixture f;
	uint64_t at;

	begin();
	setup(&f, 300, true);
	EXPECT(f.bp.e820_entries, 128);
	at = walk(&f, f.bp.hdr.setup_data, SETUP_EFI, 96, &f.in.efi);
	at = walk(&f, at, SETUP_E820_EXT, 172 * 20, &map.entry[128]);
	at = walk(&f, at, SETUP_RNG_SEED, 32, f.in.seed);
	EXPECT(walk_stamp(&f, at), 0x7fff000);
	/* back to back, so that they are one region to the kernel */
	EXPECT(f.l.seed_node - f.l.e820_node, 16 + 172 * 20);
	EXPECT(f.l.stamp_node - f.l.seed_node, 16 + 32);
	EXPECT(sizeof(struct boot_e820_entry), 20);
	free(f.block);
	end("boot-list-all");

	begin();
	setup(&f, 128, false);
	EXPECT(f.bp.e820_entries, 128);
	at = walk(&f, f.bp.hdr.setup_data, SETUP_RNG_SEED, 32, f.in.seed);
	EXPECT(walk_stamp(&f, at), 0x7fff000);
	free(f.block);
	end("boot-list-128");

	begin();
	setup(&f, 1, false);
	f.in.have_seed = false;
	boot_layout(&f.in, &f.l);
	boot_block_build(&f.in, &f.l, BLOCK_AT, f.block);
	memcpy(&f.bp, f.block, sizeof(f.bp));
	EXPECT(walk_stamp(&f, f.bp.hdr.setup_data), 0x7fff000);
	free(f.block);
	end("boot-list-stamp-only");
}

static void test_boot_efi(void)
{
	struct fixture f;

	begin();
	setup(&f, 1, true);
	EXPECT(f.bp.efi_info.efi_loader_signature, 0x5a5a5a5a);
	EXPECT(f.bp.efi_info.efi_systab, 0x5a5a5a5a);
	EXPECT(f.bp.efi_info.efi_systab_hi, 0x5a5a5a5a);
	EXPECT(f.bp.efi_info.efi_memdesc_version, 0x5a5a5a5a);
	EXPECT(f.bp.efi_info.efi_memdesc_size, 40);
	EXPECT(f.bp.efi_info.efi_memmap_size, 120);
	EXPECT(f.bp.efi_info.efi_memmap, (uint32_t)(BLOCK_AT + f.l.efi_map));
	EXPECT(f.bp.efi_info.efi_memmap_hi, 2);
	EXPECT(f.bp.secure_boot, 0x5a);
	if (memcmp(f.block + f.l.efi_map, f.efi_map, sizeof(f.efi_map)))
		complain("the runtime map differs");
	free(f.block);
	end("boot-efi");
}

static void test_boot_cmdline_limit(void)
{
	struct fixture f;
	char text[2049];

	begin();
	setup(&f, 1, false);
	memset(text, 'a', sizeof(text));
	text[2047] = '\0';
	f.in.cmdline = text;
	expect_ok(boot_inputs_check(&f.in));
	text[2047] = 'a';
	text[2048] = '\0';
	expect_refused(boot_inputs_check(&f.in), -E2BIG, "2048 characters, the new kernel takes at most 2047");
	free(f.block);
	end("boot-cmdline-limit");
}

/* ---- memmap ----------------------------------------------------------------- */

static char dir[] = "/tmp/test_loader.XXXXXX";

static void write_file(const char *name, const char *file, const char *text)
{
	char path[256];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", dir, name, file);
	unlink(path);
	out = text ? fopen(path, "w") : NULL;
	if (!out)
		return;
	fputs(text, out);
	fclose(out);
}

static void write_entry(const char *name, const char *start, const char *last, const char *type)
{
	write_file(name, "start", start);
	write_file(name, "end", last);
	write_file(name, "type", type);
}

static void good_dir(void)
{
	write_entry("0", "0x100000\n", "0x7fffffff\n", "System RAM\n");
	write_entry("1", "0x0\n", "0x9fbff\n", "System RAM\n");
	write_entry("2", "0x9fc00\n", "0xfffff\n", "Reserved\n");
	write_entry("3", "0x80000000\n", "0x80000fff\n", "ACPI Tables\n");
	write_entry("4", "0x80001000\n", "0x80001fff\n", "ACPI Non-volatile Storage\n");
	write_entry("5", "0x100000000\n", "0x1ffffffff\n", "Something new\n");
}

static void test_memmap(void)
{
	static const struct {
		const char *name, *file, *text, *message;
	} bad[] = {
		{ "garbage", "start", "hello\n", "/2/start: expected an address" },
		{ "negative", "start", "-1\n", "/2/start: expected an address" },
		{ "empty", "end", "", "/2/end: expected an address" },
		{ "trailing", "end", "0xfffff junk\n", "/2/end: expected an address" },
		{ "overflow", "end", "0x10000000000000000\n", "/2/end: expected an address" },
		{ "missing", "type", NULL, "/2/type" },
		{ "backwards", "end", "0x9f000\n", "/2: end 0x9f000 lies before start 0x9fc00" },
		{ "overlap", "end", "0x100000\n", "0x9fc00-0x100000 and 0x100000-0x7fffffff overlap" },
		{ "type-empty", "type", "\n", "/2/type: it is empty" },
	};
	static struct memmap m;
	char name[80];
	size_t i;

	begin();
	good_dir();
	expect_ok(memmap_read(dir, &m));
	EXPECT(m.nr, 6);
	EXPECT(m.entry[0].size, 0x9fc00);
	EXPECT(m.entry[1].type, E820_RESERVED);
	EXPECT(m.entry[2].addr, 0x100000);
	EXPECT(m.entry[3].type, E820_ACPI);
	EXPECT(m.entry[4].type, E820_NVS);
	EXPECT(m.entry[5].type, E820_RESERVED);
	EXPECT(memmap_ram_bytes(&m), 0x7ff00000 + 0x9fc00);
	EXPECT(memmap_ram_end(&m), 0x80000000);
	end("memmap-good");

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int ret;

		begin();
		good_dir();
		write_file("2", bad[i].file, bad[i].text);
		ret = memmap_read(dir, &m);
		expect_refused(ret < 0 ? -EINVAL : 0, -EINVAL, bad[i].message);
		snprintf(name, sizeof(name), "memmap-%s", bad[i].name);
		end(name);
	}
	begin();
	expect_refused(memmap_read("/nonexistent", &m), -ENOENT, "/nonexistent");
	end("memmap-no-directory");
}

/* ---- initrd ------------------------------------------------------------------- */

static size_t put_cpio(char *out, const char *name, size_t bytes)
{
	size_t at = 6 + 13 * 8;		/* magic and fields; zero but for the two sizes */

	memset(out, '0', at);
	memcpy(out, "070701", 6);
	sprintf(out + 54, "%08zx", bytes);
	out[62] = '0';
	sprintf(out + 94, "%08zx", strlen(name) + 1);
	out[102] = '0';
	strcpy(out + at, name);
	at = (at + strlen(name) + 1 + 3) & ~(size_t)3;
	memset(out + at, 'x', bytes);
	return (at + bytes + 3) & ~(size_t)3;
}

static void test_initrd(void)
{
	static char buf[8192];
	struct initrd_entry e;
	uint64_t n = 0;
	size_t at;

	begin();
	at = put_cpio(buf, "init", 1001);
	at += put_cpio(buf + at, "TRAILER!!!", 0);
	expect_ok(initrd_unpacked(buf, at, "F", &n));
	EXPECT(n, at);
	end("initrd-cpio");

	begin();
	memcpy(buf + at + 100, "\x28\xb5\x2f\xfd", 4);
	expect_ok(initrd_unpacked(buf, at + 100 + 1000, "F", &n));
	EXPECT(n, at + 5 * 1000);
	end("initrd-early-cpio-then-zstd");

	begin();
	expect_ok(initrd_unpacked("\x1f\x8b\x08\x00", 4, "F", &n));
	EXPECT(n, 20);
	expect_ok(initrd_unpacked(buf, 700, "F", &n));	/* cut off: counted as it stands */
	EXPECT(n, 700);
	end("initrd-gzip-and-cut");

	begin();
	expect_refused(initrd_unpacked("hello", 5, "F", &n), -EINVAL, "F is not an initramfs: it starts with 68 65");
	begin();
	expect_refused(initrd_unpacked("", 0, "F", &n), -EINVAL, "the file is empty");
	begin();
	expect_refused(initrd_unpacked("\0\0\0", 3, "F", &n), -EINVAL, "only zeros");
	end("initrd-refused");

	begin();
	at = put_cpio(buf, "init", 1001);
	at += 3;	/* a file of any length */
	memset(buf + at - 3, 0, 3);
	EXPECT(initrd_link("init", "/usr/lib/other", at, NULL), 1 + 132 + 124);
	memset(buf + at, 'x', 300);
	EXPECT(initrd_link("init", "/usr/lib/other", at, (uint8_t *)buf + at), 1 + 132 + 124);
	EXPECT(buf[at], 0);
	EXPECT(initrd_entry((uint8_t *)buf + at + 1, 256, &e), true);
	EXPECT(strcmp(e.name, "init"), 0);
	EXPECT(memcmp(buf + at + 1 + 14, "0000a1ff", 8), 0);
	EXPECT(e.bytes == 14 && !memcmp(e.data, "/usr/lib/other", 14), true);
	EXPECT(e.whole, 132);
	EXPECT(initrd_entry((uint8_t *)buf + at + 1 + 132, 124, &e), true);
	EXPECT(strcmp(e.name, "TRAILER!!!"), 0);
	EXPECT(e.whole, 124);
	expect_ok(initrd_unpacked(buf, at + 257, "F", &n));
	end("initrd-link");
}

/* ---- command line --------------------------------------------------------------- */

static const struct cmdline_host host4g = { 4 * GIB, 2, "quiet mem=3G memmap=64K$0x18690000" };

/* What a command line comes to: sum and largest of the contiguous areas, and the rest. */
static const struct {
	const char *cmdline;
	uint64_t nr, sum, gigantic, scattered, low;
} counted[] = {
	{ "", 0, 0, 0, 0, 0 },
	{ "quiet splash root=/dev/vda1", 0, 0, 0, 0, 0 },
	{ "crashkernel=256M", 1, 256 * MIB, 0, 0, 0 },
	{ "crashkernel=0x10000000", 1, 256 * MIB, 0, 0, 0 },
	{ "crashkernel=128M crashkernel=256M", 1, 256 * MIB, 0, 0, 0 },
	{ "crashkernel=512M-2G:64M,2G-:128M", 1, 128 * MIB, 0, 0, 0 },
	{ "crashkernel=512M-2G:64M", 0, 0, 0, 0, 0 },
	{ "crashkernel=1G-4G:192M,4G-64G:256M", 1, 256 * MIB, 0, 0, 0 },
	{ "crashkernel=512M,high", 2, 768 * MIB, 0, 0, 0 },
	{ "crashkernel=512M,high crashkernel=128M,low", 2, 640 * MIB, 0, 0, 0 },
	{ "crashkernel=512M,high crashkernel=0,low", 1, 512 * MIB, 0, 0, 0 },
	{ "crashkernel=512M,high crashkernel=64M", 1, 64 * MIB, 0, 0, 0 },
	{ "crashkernel=128M,low", 0, 0, 0, 0, 0 },
	{ "crashkernel=256M crashkernel=1G,cma", 1, 256 * MIB, 0, 0, GIB },
	{ "crashkernel=8G", 0, 0, 0, 0, 0 },
	{ "crashkernel=auto", 0, 0, 0, 0, 0 },
	{ "crashkernel=", 0, 0, 0, 0, 0 },
	{ "crashkernel=64Mx", 0, 0, 0, 0, 0 },
	{ "hugepages=100", 0, 0, 0, 200 * MIB, 0 },
	{ "hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=8", 0, 0, 4, 16 * MIB, 0 },
	{ "default_hugepagesz=1G hugepages=3", 0, 0, 3, 0, 0 },
	{ "hugepages=3 default_hugepagesz=1G", 0, 0, 3, 0, 0 },
	{ "hugepagesz=1G hugepages=0:2,1:3", 0, 0, 5, 0, 0 },
	{ "hugepagesz=3M hugepages=4", 0, 0, 0, 0, 0 },
	{ "hugepages=many", 0, 0, 0, 0, 0 },
	{ "hugetlb_cma=2G", 0, 0, 3, 0, 0 },
	{ "hugetlb_cma=0:1G,1:2G", 0, 0, 3, 0, 0 },
	{ "cma=64M", 1, 64 * MIB, 0, 0, 0 },
	{ "cma=64M@0-4G", 1, 64 * MIB, 0, 0, 0 },
	{ "cma=0", 0, 0, 0, 0, 0 },
	{ "cma_pernuma=32M", 2, 64 * MIB, 0, 0, 0 },
	{ "numa_cma=0:16M,1:32M", 2, 48 * MIB, 0, 0, 0 },
	{ "numa-cma=0:16M", 1, 16 * MIB, 0, 0, 0 },
	{ "reserve_mem=20M:4096:trace", 1, 20 * MIB, 0, 0, 0 },
	{ "reserve_mem=12M:4096:a reserve_mem=20M:2M:b", 2, 32 * MIB, 0, 0, 0 },
	{ "reserve_mem=20M", 0, 0, 0, 0, 0 },
	{ "log_buf_len=1M", 0, 0, 0, 0, 3 * MIB },
	{ "foo=\"a b crashkernel=256M\" x", 0, 0, 0, 0, 0 },
	{ "\"cma=64M\"", 1, 64 * MIB, 0, 0, 0 },
	{ "quiet -- crashkernel=64M", 0, 0, 0, 0, 0 },
	{ "mem=3G memmap=64K$0x18690000", 0, 0, 0, 0, 0 },
	{ "mem=64G", 0, 0, 0, 0, 0 },
};

static void test_cmdline_counted(void)
{
	struct reservations r;
	char name[128];
	size_t i;
	uint32_t j;

	for (i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		uint64_t sum = 0;

		begin();
		expect_ok(cmdline_reservations(counted[i].cmdline, &host4g, &r));
		for (j = 0; j < r.nr; j++)
			sum += r.contig[j].bytes;
		EXPECT(r.nr, counted[i].nr);
		EXPECT(sum, counted[i].sum);
		EXPECT(r.gigantic, counted[i].gigantic);
		EXPECT(r.scattered, counted[i].scattered);
		EXPECT(r.low, counted[i].low);
		snprintf(name, sizeof(name), "cmdline '%s'", counted[i].cmdline);
		end(name);
	}
}

static void test_cmdline_rest(void)
{
	struct reservations r;
	char out[128];

	begin();
	expect_ok(cmdline_reservations("swiotlb=65536", &host4g, &r));
	EXPECT(r.swiotlb, 128 * MIB);
	EXPECT(r.swiotlb_given, true);
	expect_ok(cmdline_reservations("swiotlb=1,force", &host4g, &r));
	EXPECT(r.swiotlb, 256 * KIB);
	EXPECT(r.swiotlb_force, true);
	expect_ok(cmdline_reservations("swiotlb=noforce", &host4g, &r));
	EXPECT(r.swiotlb_given && !r.swiotlb, true);
	expect_ok(cmdline_reservations("swiotlb=force root=LABEL=x", &host4g, &r));
	EXPECT(r.swiotlb_given, false);
	EXPECT(r.has_root, true);
	end("cmdline-swiotlb");

	begin();
	expect_ok(cmdline_reservations("crashkernel=128M@64M", &host4g, &r));
	EXPECT(r.crash_base, 64 * MIB);
	EXPECT(r.crash_bytes, 128 * MIB);
	EXPECT(r.nr, 0);
	expect_ok(cmdline_reservations("crashkernel=1G-:128M@16M", &host4g, &r));
	EXPECT(r.crash_base, 16 * MIB);
	end("cmdline-crash-fixed");

	begin();
	expect_refused(cmdline_reservations("memmap=64K$0x20000000", &host4g, &r), -EINVAL,
		       "memmap=64K$0x20000000: it changes which memory there is");
	begin();
	expect_refused(cmdline_reservations("mem=2G", &host4g, &r), -EINVAL, "mem=2G");
	begin();
	expect_refused(cmdline_reservations("cma=64M@256M", &host4g, &r), -EINVAL,
		       "between 0x10000000 and 0x14000000 cannot be guaranteed");
	end("cmdline-refused");

	begin();
	cmdline_without_loader("BOOT_IMAGE=/vmlinuz root=/dev/vda  initrd=\\x rebootless.skip a=\"b c\" quiet rebootless.skipped", out);
	if (strcmp(out, "root=/dev/vda a=\"b c\" quiet rebootless.skipped"))
		complain("made \"%s\"", out);
	end("cmdline-without-loader");
}

static void test_memparse(void)
{
	static const struct {
		const char *text;
		uint64_t value;
		size_t used;
	} cases[] = {
		{ "0", 0, 1 }, { "1", 1, 1 }, { "10k", 10240, 3 }, { "1M", MIB, 2 },
		{ "2g,", 2 * GIB, 2 }, { "1T", 1ull << 40, 2 }, { "1P", 1ull << 50, 2 },
		{ "1E", 1ull << 60, 2 }, { "0x10", 16, 4 }, { "0x10M", 16 * MIB, 5 },
		{ "010", 8, 3 }, { "08", 0, 1 }, { "", 0, 0 }, { "M", 0, 0 }, { "-1", 0, 0 },
		{ "0xg", 0, 1 }, { "99E", UINT64_MAX, 3 },
		{ "99999999999999999999999", UINT64_MAX, 23 },
	};
	const char *rest;
	size_t i;

	begin();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = cmdline_memparse(cases[i].text, &rest);

		if (v != cases[i].value || (size_t)(rest - cases[i].text) != cases[i].used)
			complain("\"%s\" gave 0x%" PRIx64 " and %td characters", cases[i].text, v,
				 rest - cases[i].text);
	}
	end("memparse");
}

/* ---- placement -------------------------------------------------------------------- */

static struct reservations res;

static struct placement_inputs sizes_of(const char *cmdline, uint64_t ram, uint64_t ram_end)
{
	const struct cmdline_host host = { ram, 1, "" };

	expect_ok(cmdline_reservations(cmdline, &host, &res));
	return (struct placement_inputs){
		.kernel_bytes = 60 * MIB,
		.kernel_align = 2 * MIB,
		.initrd_bytes = 50 * MIB + 1,
		.initrd_unpacked = 200 * MIB,
		.block_bytes = 16 * KIB,
		.ram_bytes = ram,
		.ram_end = ram_end,
		.cpus = 4,
		.res = &res,
	};
}

static void test_demand(void)
{
	struct placement_inputs in;
	struct demand d;
	uint64_t fixed = 50 * MIB + 4 * KIB + 16 * KIB, k = 62 * MIB;

	begin();
	in = sizes_of("root=x", 2 * GIB, 2 * GIB);
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(d.contig, k);
	EXPECT(d.swiotlb, 0);
	EXPECT(d.any, 0);
	EXPECT(d.low, 160 * MIB + k + fixed + 200 * MIB + 4 * MIB + d.tables);
	EXPECT(d.tables >= 32 * MIB && d.tables <= 40 * MIB, true);
	end("demand-small");

	begin();
	in = sizes_of("", 2 * GIB, 2 * GIB);		/* tmpfs: half of memory */
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(d.initrd, fixed + 400 * MIB);
	end("demand-no-root");

	begin();
	in = sizes_of("root=x", 64 * GIB, 66 * GIB);
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(d.swiotlb, 64 * MIB);
	EXPECT(d.any, d.tables);
	EXPECT(d.any >= GIB, true);
	EXPECT(d.low, 160 * MIB + k + fixed + 200 * MIB + 4 * MIB + 64 * MIB);
	end("demand-large");

	begin();
	in = sizes_of("root=x crashkernel=256M cma=64M", 8 * GIB, 9 * GIB);
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(d.contig, k + fixed + 272 * MIB + 68 * MIB + 272 * MIB);
	end("demand-areas");

	begin();
	in.crash[0] = (struct pramfs_arena){ 0x30000000, 256 * MIB };
	in.nr_crash = 1;
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(d.old_crash, true);
	/* the kernel in the old region, both areas in the arena; that is more than kernel and cma */
	EXPECT(d.contig, fixed + 272 * MIB + 68 * MIB);
	EXPECT(d.areas, 272 * MIB + 68 * MIB - k);
	expect_ok(placement_demand(&in, false, &d));
	EXPECT(d.old_crash, false);
	EXPECT(d.contig, k + fixed + 272 * MIB + 68 * MIB + 272 * MIB);
	in.crash[0].bytes = 255 * MIB;
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(d.old_crash, false);
	end("demand-old-crash");

	begin();
	in.kernel_stays = true;
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(d.contig, k + fixed + 272 * MIB + 68 * MIB + 16 * MIB);
	EXPECT(d.areas, 272 * MIB + 68 * MIB);
	in.crash[0].bytes = 256 * MIB;
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(d.old_crash, true);
	EXPECT(d.contig, k + fixed + 68 * MIB + 16 * MIB);
	EXPECT(d.areas, 68 * MIB);
	in = sizes_of("root=x crashkernel=256M log_buf_len=4M", 8 * GIB, 9 * GIB);
	in.kernel_stays = true;
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(d.contig, k + fixed + 272 * MIB + 16 * MIB + 12 * MIB);
	end("demand-kernel-stays");

	begin();
	in = sizes_of("root=x crashkernel=128M@768M", 8 * GIB, 9 * GIB);
	expect_refused(placement_demand(&in, true, &d), -EINVAL, "crashkernel=0x8000000@0x30000000");
	in.crash[0] = (struct pramfs_arena){ 0x30000000, 128 * MIB };
	in.nr_crash = 1;
	begin();
	expect_ok(placement_demand(&in, true, &d));
	end("demand-crash-fixed");

	begin();
	in = sizes_of("root=x hugepages=512 hugepagesz=1G hugepages=2", 64 * GIB, 65 * GIB);
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(d.huge, GIB + 5 * GIB);
	EXPECT(d.any, d.tables + d.huge);
	end("demand-huge");

	begin();
	in = sizes_of("root=x crashkernel=3G reserve_mem=17179869183G:4096:x", 4 * GIB, 5 * GIB);
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(d.low >= d.contig && d.contig > 1ull << 60, true);
	end("demand-saturates");
}

/* Segments: in arenas, below 4 GiB, aligned, apart. */
static void check_segments(const struct placement_inputs *in, const struct pramfs_arena *a,
			   uint32_t nr, const struct placement *p)
{
	const uint64_t at[] = { p->kernel, p->initrd, p->block };
	const uint64_t bytes[] = { in->kernel_bytes, (in->initrd_bytes + 4095) & ~4095ull,
				   in->block_bytes };
	uint32_t i, j;

	EXPECT(p->kernel % in->kernel_align, 0);
	for (i = 0; i < 3; i++) {
		bool inside = false;

		if (!bytes[i])
			continue;
		EXPECT(at[i] % 4096, 0);
		EXPECT(at[i] + bytes[i] <= 4 * GIB, true);
		for (j = 0; j < nr; j++)
			inside |= at[i] >= a[j].start &&
				  at[i] + bytes[i] <= a[j].start + a[j].bytes;
		if (!inside)
			complain("segment %u at 0x%" PRIx64 " lies outside the arenas", i, at[i]);
		for (j = 0; j < i; j++)
			if (bytes[j] && at[i] < at[j] + bytes[j] && at[j] < at[i] + bytes[i])
				complain("segments %u and %u overlap", i, j);
	}
}

static void test_segments(void)
{
	struct placement_inputs in;
	struct placement p;
	struct pramfs_arena one[] = { { 0x1000000, 112 * MIB } };
	struct pramfs_arena three[] = {
		{ 0x1000000, 50 * MIB + 2 * MIB }, { 0x10000000, 64 * MIB }, { 5 * GIB, GIB },
	};
	struct pramfs_arena across[] = { { 4 * GIB - 62 * MIB, GIB } };
	uint64_t seed = 1;
	int i;

	begin();
	in = sizes_of("", 2 * GIB, 2 * GIB);
	expect_ok(placement_segments(&in, one, 1, &p));
	check_segments(&in, one, 1, &p);
	end("segments-one-arena");

	begin();
	expect_ok(placement_segments(&in, three, 3, &p));
	check_segments(&in, three, 3, &p);
	EXPECT(p.kernel, 0x10000000);
	end("segments-two-arenas");

	begin();
	one[0].bytes = 110 * MIB;
	expect_refused(placement_segments(&in, one, 1, &p), -ENOSPC, "has room for the initrd: needed 52432896");
	begin();
	one[0].bytes = 58 * MIB;
	expect_refused(placement_segments(&in, one, 1, &p), -ENOSPC, "room for the kernel: needed 62914560");
	begin();
	expect_refused(placement_segments(&in, across, 1, &p), -ENOSPC, "room for the initrd");
	begin();
	expect_refused(placement_segments(&in, three + 2, 1, &p), -ENOSPC, "room for the kernel");
	end("segments-too-small");

	begin();
	in.initrd_bytes = 0;
	expect_ok(placement_segments(&in, across, 1, &p));
	check_segments(&in, across, 1, &p);
	end("segments-across-4g");

	begin();
	for (i = 0; i < 2000; i++) {
		struct pramfs_arena a[5];
		uint64_t at = 16 * MIB;
		int j;

		for (j = 0; j < 5; j++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			at += ((seed >> 33) % 64) * 2 * MIB;
			a[j] = (struct pramfs_arena){ at, (1 + (seed >> 45) % 64) * 2 * MIB };
			at += a[j].bytes;
		}
		in.initrd_bytes = (seed >> 20) % (100 * MIB);
		in.kernel_align = 2 * MIB << (seed >> 60) % 4;
		if (!placement_segments(&in, a, 5, &p))
			check_segments(&in, a, 5, &p);
	}
	end("segments-random");
}

static void test_verify(void)
{
	struct pramfs_arena a[] = { { 256 * MIB, 512 * MIB }, { 4 * GIB, 4 * GIB } };
	struct placement_inputs in;
	struct placement p;
	struct demand d;

	begin();
	in = sizes_of("root=x hugepagesz=1G hugepages=2", 64 * GIB, 65 * GIB);
	expect_ok(placement_demand(&in, true, &d));
	expect_ok(placement_segments(&in, a, 2, &p));
	expect_ok(placement_verify(&in, &d, &p, a, 2));
	a[1].start += 2 * MIB;
	expect_refused(placement_verify(&in, &d, &p, a, 2), -ENOSPC, "4 aligned places needed");
	end("verify-gigantic");

	begin();
	in = sizes_of("root=x crashkernel=256M", 64 * GIB, 65 * GIB);
	in.crash[0] = (struct pramfs_arena){ 0x30000000, 256 * MIB };
	in.nr_crash = 1;
	expect_ok(placement_demand(&in, true, &d));
	EXPECT(placement_verify(&in, &d, &p, a, 2), 0);
	EXPECT(placement_verify(&in, &d, &p, a, 1), -EAGAIN);
	end("verify-old-crash");
}

int main(void)
{
	char command[128];

	log_set_sink(sink);
	if (!mkdtemp(dir)) {
		perror("mkdtemp");
		return 1;
	}
	test_bzimage_good();
	test_bzimage_refusals();
	test_bzimage_kinds();
	test_bzimage_mutations();
	test_boot_fields();
	test_boot_no_initrd();
	test_boot_trampoline();
	test_boot_stamp();
	test_boot_list();
	test_boot_efi();
	test_boot_cmdline_limit();
	test_memmap();
	test_initrd();
	test_memparse();
	test_cmdline_counted();
	test_cmdline_rest();
	test_demand();
	test_segments();
	test_verify();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		perror(command);
	printf("%s: %u failed\n", failed ? "FAIL" : "PASS", failed);
	return failed != 0;
}
