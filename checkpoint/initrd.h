/* SPDX-License-Identifier: GPL-2.0 */
/*
 * initrd.h - the parts of an initramfs, and how much memory it will take when
 * it is unpacked. What is in it: initrd_contents.h.
 *
 * Pure: no I/O, no state, trusts no byte.
 */
#ifndef REBOOTLESS_INITRD_H
#define REBOOTLESS_INITRD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Estimate, on the safe side: a cpio that stands there as it is counts once, a
 * compressed one INITRD_RATIO times. -EINVAL (logged, with name) for what is
 * neither.
 */
int initrd_unpacked(const void *data, size_t bytes, const char *name, uint64_t *unpacked);

#define INITRD_RATIO 5

/* One entry of a cpio archive; points into it. */
struct initrd_entry {
	const char *name;	/* ends with a NUL */
	const uint8_t *data;	/* NULL when there is none */
	size_t bytes;		/* of data */
	size_t whole;		/* of the entry, with its padding */
};

/* The entry that starts at p; false when it is damaged, cut off, or none. */
bool initrd_entry(const uint8_t *p, size_t bytes, struct initrd_entry *e);

/* The program that uncompresses (with -dc) what starts at p, or NULL. */
const char *initrd_compression(const uint8_t *p, size_t bytes);

/*
 * An archive with nothing but the symbolic link @name -> @target, to stand behind an
 * initramfs of @after bytes: with zeros before it, since an archive begins at a multiple
 * of 4. What is unpacked last counts. Returns its size; out may be NULL.
 */
size_t initrd_link(const char *name, const char *target, size_t after, uint8_t *out);

#endif
