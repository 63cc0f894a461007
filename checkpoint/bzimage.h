/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bzimage.h - an x86-64 bzImage in memory, checked.
 *
 * Pure: no I/O, no state, trusts no byte of the image. Facts from the kernel's
 * Documentation/arch/x86/boot.rst ("boot.rst" below).
 */
#ifndef REBOOTLESS_BZIMAGE_H
#define REBOOTLESS_BZIMAGE_H

#include <asm/bootparam.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The setup header's room in boot_params: 0x1f1 up to edd_mbr_sig_buffer. */
#define BZIMAGE_HEADER_OFFSET	0x1f1u
#define BZIMAGE_HEADER_MAX	(0x290u - BZIMAGE_HEADER_OFFSET)
/* 64-bit entry point, counted from the payload's start. */
#define BZIMAGE_ENTRY_64	0x200u

struct bzimage {
	const uint8_t *data;		/* the whole file; not owned */
	size_t bytes;
	const uint8_t *header;		/* the setup header as it stands in the file */
	size_t header_bytes;		/* at most BZIMAGE_HEADER_MAX */
	struct setup_header hdr;	/* the fields of it that this build knows */
	const uint8_t *payload;		/* the protected-mode part */
	size_t payload_bytes;
	uint64_t memory;		/* bytes needed where it is put, whole pages */
	uint64_t alignment;		/* of the place where it is put */
	char release[128];		/* version string, "" when there is none */
};

/*
 * Check an image and say where its parts are. `name` is for messages, `la57`
 * says that the running kernel uses 5-level paging (so that the new one must
 * be able to start under it).
 *
 * Beyond what a loader needs anyway, the kernel must understand SETUP_INDIRECT
 * (boot protocol 2.15, Linux 5.5): one that does not would overwrite, without
 * a word, the memory that is handed over.
 *
 * -ENOEXEC with a message that names the field, or 0.
 */
int bzimage_parse(const void *data, size_t bytes, const char *name, bool la57,
		  struct bzimage *image);

#endif
