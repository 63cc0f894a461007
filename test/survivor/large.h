/* SPDX-License-Identifier: GPL-2.0 */
/*
 * large.h - memory of which every byte is known, by the page.
 *
 * What the survivors of large memory share. A page is filled by its number and
 * its generation; generation 0 is a page that nobody has written: zeros. The
 * generations are private memory too, so each process of a fork has its own.
 */
#ifndef SURVIVOR_LARGE_H
#define SURVIVOR_LARGE_H

#include <stddef.h>
#include <stdint.h>

#define PAGE 4096UL
#define HUGE (2UL << 20)

struct region {
	const char *name;	/* for what is reported */
	unsigned char *at;
	size_t pages;
	size_t alike;		/* page i is as page i % alike; 0: all differ */
	unsigned char *generation;
};

/* How many pages the size is that SURVIVOR_LARGE_MIB says; 4 MiB unless said. */
size_t large_pages(void);
/* All pages are generation 0, at MEMORY. */
struct region region_at(const char *name, void *memory, size_t pages);
/* Private anonymous memory; pages are ordinary ones. */
struct region region_map(const char *name, size_t pages);
/*
 * The same at a multiple of HUGE, in huge pages where the kernel has them, and as large
 * as so many pages or one huge page.
 */
struct region region_map_huge(const char *name, size_t pages);
/* Write pages [from, to) in steps of STEP, each with its next generation. */
void region_write(struct region *r, size_t from, size_t to, size_t step);
/* What page I must hold. */
void region_page(const struct region *r, size_t i, void *bytes);
/* Their memory was given back: they must read as zeros. */
void region_forget(struct region *r, size_t from, size_t to);
/* All bytes of it are looked at; the first page that differs is reported. */
void expect_region(const struct region *r);
/* A whole write of both sides of a fork: what the child sees and what the parent sees then. */
void expect_fork_keeps(struct region *r);

#endif
