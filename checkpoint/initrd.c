// SPDX-License-Identifier: GPL-2.0
/*
 * initrd.c - see initrd.h.
 *
 * An initramfs is one or more cpio archives, one after the other with zeros
 * between: first, often, an uncompressed one with microcode or ACPI tables
 * (the kernel takes those before it can uncompress), then the main one,
 * usually compressed. Everything from the first compressed byte to the end is
 * counted INITRD_RATIO times: initramfs images of kernel modules (themselves
 * already compressed in most distributions) and programs come to 2 to 4 with
 * xz or zstd. It is a guess: an archive of zeros is far beyond any factor. A
 * wrong one ends in "Initramfs unpacking failed" in the new kernel, and that
 * is why the demand has a base of its own beside it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/log.h"
#include "initrd.h"

#define CPIO_HEAD 110u		/* newc: 6 of magic and 13 fields of 8 hex digits */

static const struct {
	const char *magic;
	size_t bytes;
	const char *program;
} compressions[] = {
	{ "\x1f\x8b", 2, "gzip" },
	{ "\xfd" "7zXZ", 5, "xz" },
	{ "\x28\xb5\x2f\xfd", 4, "zstd" },
	{ "\x02\x21\x4c\x18", 4, "lz4" },	/* the legacy frame that the kernel reads */
	{ "\x5d\x00\x00", 3, "xz" },		/* lzma */
	{ "BZh", 3, "bzip2" },
	{ "\x89" "LZO", 4, "lzop" },
};

const char *initrd_compression(const uint8_t *p, size_t bytes)
{
	size_t i;

	for (i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++)
		if (bytes >= compressions[i].bytes &&
		    !memcmp(p, compressions[i].magic, compressions[i].bytes))
			return compressions[i].program;
	return NULL;
}

static bool is_cpio(const uint8_t *p, size_t bytes)
{
	return bytes >= 6 && (!memcmp(p, "070701", 6) || !memcmp(p, "070702", 6));
}

static bool hex8(const uint8_t *p, uint64_t *value)
{
	uint64_t v = 0;
	int i;

	for (i = 0; i < 8; i++) {
		uint8_t c = p[i];

		if (c >= '0' && c <= '9')
			v = v * 16 + (c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v = v * 16 + ((c | 32) - 'a' + 10);
		else
			return false;
	}
	*value = v;
	return true;
}

static uint64_t align4(uint64_t n)
{
	return (n + 3) & ~3ull;
}

bool initrd_entry(const uint8_t *p, size_t bytes, struct initrd_entry *e)
{
	uint64_t file, name, whole, data;

	if (bytes < CPIO_HEAD || !is_cpio(p, bytes) || !hex8(p + 54, &file) || !hex8(p + 94, &name))
		return false;
	data = align4(CPIO_HEAD + name);
	whole = data + align4(file);
	/* the padding of the last entry may be missing */
	if (!name || whole > (uint64_t)bytes + 3 || CPIO_HEAD + name > bytes || p[CPIO_HEAD + name - 1])
		return false;
	if (file && data + file > bytes)
		return false;
	e->name = (const char *)p + CPIO_HEAD;
	e->data = file ? p + data : NULL;
	e->bytes = (size_t)file;
	e->whole = whole < bytes ? (size_t)whole : bytes;
	return true;
}

/* Length of the archive that starts here, with its trailer; all that is left when that is missing. */
static size_t cpio_bytes(const uint8_t *p, size_t bytes)
{
	struct initrd_entry e;
	size_t at = 0;

	while (at < bytes) {
		if (!initrd_entry(p + at, bytes - at, &e))
			return bytes;
		at += e.whole;
		if (!strcmp(e.name, "TRAILER!!!"))
			break;
	}
	return at;
}

int initrd_unpacked(const void *data, size_t bytes, const char *name, uint64_t *unpacked)
{
	const uint8_t *p = data;
	uint64_t sum = 0;
	size_t at = 0;

	if (!bytes)
		return log_refusal(-EINVAL, "%s is not an initramfs: the file is empty (--no-initrd goes without one)",
				   name);
	while (at < bytes) {
		if (p[at] == 0) {
			at++;
		} else if (is_cpio(p + at, bytes - at)) {
			size_t n = cpio_bytes(p + at, bytes - at);

			sum += n;
			at += n;
		} else if (initrd_compression(p + at, bytes - at)) {
			sum += (uint64_t)(bytes - at) * INITRD_RATIO;
			break;
		} else if (at == 0) {
			return log_refusal(-EINVAL,
					   "%s is not an initramfs: it starts with %02x %02x, neither a cpio archive nor a compression the kernel knows",
					   name, p[0], bytes > 1 ? p[1] : 0);
		} else {
			/* junk behind an archive: the kernel stops there, or fails; count it */
			sum += (uint64_t)(bytes - at) * INITRD_RATIO;
			break;
		}
	}
	if (!sum)
		return log_refusal(-EINVAL, "%s is not an initramfs: it holds only zeros", name);
	*unpacked = sum;
	return 0;
}

/* A header of the new ASCII format: 13 numbers of 8 digits (usr/gen_init_cpio.c, cpio(5)). */
static size_t put_entry(const char *name, unsigned int mode, const char *data, uint8_t *out)
{
	size_t bytes = strlen(data), length = strlen(name) + 1;
	size_t whole = align4(CPIO_HEAD + length) + align4(bytes);

	if (!out)
		return whole;
	memset(out, 0, whole);
	sprintf((char *)out, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 0, mode, 0, 0, 1, 0,
		bytes, 0, 0, 0, 0, length, 0);
	memcpy(out + CPIO_HEAD, name, length);
	memcpy(out + align4(CPIO_HEAD + length), data, bytes);
	return whole;
}

size_t initrd_link(const char *name, const char *target, size_t after, uint8_t *out)
{
	size_t used = (size_t)(align4(after) - after);

	if (out)
		memset(out, 0, used);
	used += put_entry(name, S_IFLNK | 0777, target, out ? out + used : NULL);
	used += put_entry("TRAILER!!!", 0, "", out ? out + used : NULL);
	return used;
}
