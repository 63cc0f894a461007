/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cpio.h - entries of a cpio archive (newc), as an initramfs is made of.
 */
#ifndef TEST_CPIO_H
#define TEST_CPIO_H

#include <stdio.h>
#include <string.h>

static inline void cpio_entry(FILE *f, const char *name, const void *data, size_t bytes)
{
	static const char zeros[4];
	size_t length = strlen(name) + 1;

	fprintf(f, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1, 0100644, 0, 0,
		1, 0, bytes, 0, 0, 0, 0, length, 0);
	fwrite(name, 1, length, f);
	fwrite(zeros, 1, -(110 + length) & 3, f);
	fwrite(data, 1, bytes, f);
	fwrite(zeros, 1, -bytes & 3, f);
}

#endif
