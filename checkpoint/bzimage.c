// SPDX-License-Identifier: GPL-2.0
/*
 * bzimage.c - see bzimage.h.
 *
 * A file of another kind is named for what it is, because the commonest
 * mistakes are a vmlinux, a compressed kernel of another architecture, and a
 * file that a full disk cut short.
 */
#include <errno.h>
#include <string.h>

#include "bzimage.h"
#include "common/log.h"
#include "pramfs-module/pramfs_format.h"

#define PAGE		4096u
#define SECTOR		512u
#define MAGIC_OFFSET	0x202u
#define MIN_PROTOCOL	0x020cu		/* 2.12: 64-bit entry, xloadflags */
#define INDIRECT_PROTOCOL 0x020fu	/* 2.15: kernel_info, SETUP_INDIRECT */
#define MEMORY_MAX	(1ull << 30)	/* a kernel image ends within 1 GiB (KERNEL_IMAGE_SIZE) */
#define ALIGNMENT_MIN	(2u << 20)	/* MIN_KERNEL_ALIGN of 64-bit kernels */
#define ALIGNMENT_MAX	(1u << 30)

/* Start of kernel_info, boot.rst "kernel_info". */
struct kernel_info {
	uint32_t header;		/* "LToP" */
	uint32_t size;
	uint32_t size_total;
	uint32_t setup_type_max;
};

static const struct {
	size_t offset;
	const char *magic;
	size_t bytes;
	const char *what;
} other_kinds[] = {
	{ 0, "\x7f" "ELF", 4, "an ELF file (a vmlinux?); give the bzImage, usually /boot/vmlinuz-VERSION" },
	{ 4, "zimg", 4, "an EFI zboot image; unpack it and give the kernel in it" },
	{ 0x38, "ARM\x64", 4, "a kernel for arm64" },
	{ 0x38, "RSC\x05", 4, "a kernel for RISC-V" },
	{ 0, "MZ", 2, "an EFI program without a boot header (a unified kernel image?); give the kernel in it" },
	{ 0, "\x1f\x8b", 2, "a gzip file; give the bzImage, usually /boot/vmlinuz-VERSION" },
	{ 0, "\xfd" "7zXZ", 5, "an xz file; give the bzImage, usually /boot/vmlinuz-VERSION" },
	{ 0, "\x28\xb5\x2f\xfd", 4, "a zstd file; give the bzImage, usually /boot/vmlinuz-VERSION" },
	{ 0, "070701", 6, "a cpio archive (the initrd?)" },
};

static int refuse_other_kind(const uint8_t *data, size_t bytes, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(other_kinds) / sizeof(other_kinds[0]); i++) {
		if (bytes < other_kinds[i].offset + other_kinds[i].bytes)
			continue;
		if (memcmp(data + other_kinds[i].offset, other_kinds[i].magic,
			   other_kinds[i].bytes) == 0)
			return log_refusal(-ENOEXEC, "%s is not an x86-64 bzImage: it is %s", name,
					   other_kinds[i].what);
	}
	if (bytes < MAGIC_OFFSET + 4)
		return log_refusal(-ENOEXEC,
				   "%s is not an x86-64 bzImage: it has %zu bytes, too few for a boot header",
				   name, bytes);
	return log_refusal(-ENOEXEC,
			   "%s is not an x86-64 bzImage: header magic at 0x202 is not \"HdrS\"",
			   name);
}

static int check_kind(const struct setup_header *h, const char *name, bool la57)
{
	if (h->boot_flag != 0xaa55)
		return log_refusal(-ENOEXEC,
				   "%s is not an x86-64 bzImage: boot_flag is 0x%04x, expected 0xaa55",
				   name, h->boot_flag);
	if (h->version < MIN_PROTOCOL)
		return log_refusal(-ENOEXEC,
				   "%s is not an x86-64 bzImage: boot protocol %u.%02u, needed 2.12 or later",
				   name, h->version >> 8, h->version & 0xff);
	if (!(h->loadflags & LOADED_HIGH))
		return log_refusal(-ENOEXEC,
				   "%s is not an x86-64 bzImage: loadflags 0x%02x lack LOADED_HIGH (a zImage)",
				   name, h->loadflags);
	if (!(h->xloadflags & XLF_KERNEL_64))
		return log_refusal(-ENOEXEC,
				   "%s is not an x86-64 bzImage: xloadflags 0x%04x lack XLF_KERNEL_64 (a 32-bit kernel)",
				   name, h->xloadflags);
	if (!h->relocatable_kernel)
		return log_refusal(-ENOEXEC,
				   "%s cannot be used: relocatable_kernel is 0, it was built without CONFIG_RELOCATABLE",
				   name);
	if (la57 && !(h->xloadflags & XLF_5LEVEL))
		return log_refusal(-ENOEXEC,
				   "%s cannot be used: xloadflags 0x%04x lack XLF_5LEVEL, and the running kernel uses 5-level paging",
				   name, h->xloadflags);
	return 0;
}

static int check_sizes(struct bzimage *image, const char *name)
{
	const struct setup_header *h = &image->hdr;
	size_t setup = ((h->setup_sects ? h->setup_sects : 4) + 1u) * SECTOR;
	uint64_t payload = (uint64_t)h->syssize * 16;
	uint64_t whole = setup + payload;

	/* syssize counts paragraphs of 16 bytes, the last may be short */
	if (payload <= BZIMAGE_ENTRY_64 + 16)
		return log_refusal(-ENOEXEC,
				   "%s is not an x86-64 bzImage: syssize 0x%x leaves no room for the entry point at 0x200",
				   name, h->syssize);
	if (image->bytes + 15 < whole)
		return log_refusal(-ENOEXEC,
				   "%s is truncated: it has %zu bytes, its header says %llu (setup %zu + syssize %llu)",
				   name, image->bytes, (unsigned long long)whole, setup,
				   (unsigned long long)payload);
	image->payload = image->data + setup;
	image->payload_bytes = image->bytes < whole ? image->bytes - setup : (size_t)payload;

	if (h->init_size < image->payload_bytes || h->init_size > MEMORY_MAX)
		return log_refusal(-ENOEXEC,
				   "%s is not an x86-64 bzImage: init_size is %u bytes, expected %zu (its payload) to %llu",
				   name, h->init_size, image->payload_bytes, MEMORY_MAX);
	if (h->kernel_alignment < PAGE || h->kernel_alignment > ALIGNMENT_MAX ||
	    (h->kernel_alignment & (h->kernel_alignment - 1)))
		return log_refusal(-ENOEXEC,
				   "%s is not an x86-64 bzImage: kernel_alignment is 0x%x, expected a power of 2 from 4 KiB to 1 GiB",
				   name, h->kernel_alignment);
	image->memory = ((uint64_t)h->init_size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	image->alignment = h->kernel_alignment < ALIGNMENT_MIN ? ALIGNMENT_MIN :
								 h->kernel_alignment;
	return 0;
}

static int check_indirect(const struct bzimage *image, const char *name)
{
	const struct setup_header *h = &image->hdr;
	struct kernel_info info;

	if (h->version < INDIRECT_PROTOCOL)
		return log_refusal(-ENOEXEC,
				   "%s cannot be used: boot protocol %u.%02u, but keeping memory needs 2.15 (Linux 5.5 or later)",
				   name, h->version >> 8, h->version & 0xff);
	if (h->kernel_info_offset > image->payload_bytes ||
	    image->payload_bytes - h->kernel_info_offset < sizeof(info))
		return log_refusal(-ENOEXEC,
				   "%s is not an x86-64 bzImage: kernel_info_offset 0x%x lies outside its payload of 0x%zx bytes",
				   name, h->kernel_info_offset, image->payload_bytes);
	memcpy(&info, image->payload + h->kernel_info_offset, sizeof(info));
	if (memcmp(&info.header, "LToP", 4) || info.size < sizeof(info))
		return log_refusal(-ENOEXEC,
				   "%s is not an x86-64 bzImage: no kernel_info at kernel_info_offset 0x%x",
				   name, h->kernel_info_offset);
	/* SETUP_INDIRECT is a bit, but its macro shifts into the sign of an int */
	if (!(info.setup_type_max & PRAMFS_SETUP_INDIRECT))
		return log_refusal(-ENOEXEC,
				   "%s cannot be used: kernel_info says setup_type_max 0x%x, without SETUP_INDIRECT; this kernel cannot keep memory",
				   name, info.setup_type_max);
	return 0;
}

/* kernel_version points, counted from 0x200, at a string in the setup part. */
static void copy_release(struct bzimage *image)
{
	size_t at = (size_t)image->hdr.kernel_version + 0x200, i;
	size_t end = (size_t)(image->payload - image->data);

	image->release[0] = '\0';
	if (!image->hdr.kernel_version)
		return;
	for (i = 0; i < sizeof(image->release) - 1 && at + i < end; i++) {
		uint8_t c = image->data[at + i];

		if (c <= ' ' || c > '~')
			break;
		image->release[i] = (char)c;
	}
	image->release[i] = '\0';
}

int bzimage_parse(const void *data, size_t bytes, const char *name, bool la57,
		  struct bzimage *image)
{
	const uint8_t *p = data;
	struct bzimage new = { .data = p, .bytes = bytes };
	size_t known;
	int err;

	if (!bytes)
		return log_refusal(-ENOEXEC, "%s is not an x86-64 bzImage: the file is empty", name);
	if (bytes < MAGIC_OFFSET + 4 || memcmp(p + MAGIC_OFFSET, "HdrS", 4))
		return refuse_other_kind(p, bytes, name);

	/* boot.rst: the header ends at 0x202 + the byte at 0x201 (the jump's distance) */
	new.header = p + BZIMAGE_HEADER_OFFSET;
	new.header_bytes = MAGIC_OFFSET + p[0x201] - BZIMAGE_HEADER_OFFSET;
	if (new.header_bytes > BZIMAGE_HEADER_MAX)
		new.header_bytes = BZIMAGE_HEADER_MAX;
	if (bytes < BZIMAGE_HEADER_OFFSET + new.header_bytes)
		return log_refusal(-ENOEXEC,
				   "%s is truncated: it has %zu bytes, its header alone ends at %zu",
				   name, bytes, BZIMAGE_HEADER_OFFSET + new.header_bytes);
	known = new.header_bytes < sizeof(new.hdr) ? new.header_bytes : sizeof(new.hdr);
	memcpy(&new.hdr, new.header, known);

	err = check_kind(&new.hdr, name, la57);
	if (!err)
		err = check_sizes(&new, name);
	if (!err)
		err = check_indirect(&new, name);
	if (err)
		return err;
	copy_release(&new);
	*image = new;
	return 0;
}
