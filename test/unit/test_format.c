// SPDX-License-Identifier: GPL-2.0
/*
 * test_format.c - the handover format: what must be refused, what must be
 * read, and that writer and reader agree.
 *
 * Prints "pass NAME" or "fail NAME: why" per test; exit code 1 if one failed.
 * usage: test_format [FIRST-SEED]
 */
#include "cases.h"
#include "../../pramfs-module/crc32c.h"

#include <stdarg.h>
#include <time.h>

#define ROUNDTRIPS	25

static int failures;
static struct shot shot;

/* ---- harness ---------------------------------------------------------- */

static void __attribute__((format(printf, 3, 4)))
result(bool good, const char *name, const char *why, ...)
{
	va_list ap;

	if (good) {
		printf("pass %s\n", name);
		return;
	}
	failures++;
	printf("fail %s: ", name);
	va_start(ap, why);
	vprintf(why, ap);
	va_end(ap);
	printf("\n");
}

static u64 seed = 1;

static u64 rnd(u64 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed * 0x2545f4914f6cdd1dull >> 20) % below;
}

/* ---- a source over pages in memory ------------------------------------ */

struct mem {
	const u8 *pages;	/* page k in frame base + k */
	size_t nr;
	u64 base, low, end;	/* frames that may be asked for */
	int foreign;		/* calls for others */
	int live;		/* allocations */
	int fail_after;		/* allocations until one fails, < 0 = never */
};

static const void *mem_page(void *ctx, u64 pfn)
{
	struct mem *mem = ctx;

	if (pfn < mem->low || pfn >= mem->end)
		mem->foreign++;
	if (pfn < mem->base || pfn - mem->base >= mem->nr)
		return NULL;
	return mem->pages + (pfn - mem->base) * PRAMFS_FRAME_SIZE;
}

static void *mem_alloc(void *ctx, size_t bytes)
{
	struct mem *mem = ctx;
	void *p;

	if (!mem->fail_after--)
		return NULL;
	p = bytes < 1u << 30 ? calloc(1, bytes) : NULL;
	mem->live += !!p;
	return p;
}

static void mem_free(void *ctx, void *p)
{
	struct mem *mem = ctx;

	mem->live -= !!p;
	free(p);
}

static struct mem shot_mem(const struct shot *s)
{
	return (struct mem) {
		.pages = s->pages, .nr = s->nr_pages, .base = SHOT_BASE, .low = SHOT_BASE,
		.end = SHOT_BASE + SHOT_FRAMES, .fail_after = -1,
	};
}

static struct pramfs_source mem_source(struct mem *mem)
{
	return (struct pramfs_source) { mem_page, mem_alloc, mem_free, mem };
}

static u64 count_owned(const struct pramfs_owned *owned)
{
	u64 n = 0, pfn, frames;

	for (u32 r = 0; r < owned->nr; r++) {
		n += owned->range[r].frames;
		for (pfn = 0; pramfs_unowned_run(owned, r, &pfn, &frames); pfn += frames)
			n -= frames;
	}
	return n;
}

static int count_mount(void *ctx, u32 nr, const char *name, const struct pramfs_rec_mount *m)
{
	(void)nr, (void)name, (void)m;
	++*(u32 *)ctx;
	return 0;
}

/* Check an image; on success see that what it owns is what it says, and all mounts were told. */
static int check_mem(struct mem *mem, struct pramfs_finding *f)
{
	const struct pramfs_root *root = (const void *)mem->pages;
	struct pramfs_source src = mem_source(mem);
	struct pramfs_owned owned;
	u32 mounts = 0;
	const struct pramfs_visitor v = { .mount = count_mount, .ctx = &mounts };
	int err = pramfs_check(&src, root, mem->base, &owned, &v, f);

	if (!err && mounts != root->nr_mounts)
		err = -1004;
	if (!err && count_owned(&owned) != root->data_frames + root->stream_pages + 1)
		err = -1000;
	if (err && owned.nr)
		err = -1001;
	pramfs_owned_free(&src, &owned);
	if (mem->live)
		err = -1002;
	if (mem->foreign)
		err = -1003;
	return err;
}

static int check_shot(struct shot *s, struct pramfs_finding *f)
{
	struct mem mem = shot_mem(s);

	return check_mem(&mem, f);
}

/* ---- refusals --------------------------------------------------------- */

static int expected_error(const struct refusal *r)
{
	if (!strcmp(r->check, "root version") || !strcmp(r->check, "record type"))
		return -EPROTONOSUPPORT;
	return strcmp(r->name, "root_state_claimed") ? -EUCLEAN : -ENOENT;
}

static void test_refusals(void)
{
	const struct pramfs_visitor nobody = { 0 };
	struct pramfs_finding f;
	char name[128];
	int err, provoked;

	for (const struct refusal *r = refusals; r->name; r++) {
		r->make(&shot);
		err = check_shot(&shot, &f);
		snprintf(name, sizeof(name), "refuse.%s", r->name);
		result(err == expected_error(r) && f.check && !strcmp(f.check, r->check) &&
		       f.offset < PRAMFS_FRAME_SIZE + 1 && f.pfn,
		       name, "error %d, check \"%s\", expected \"%s\"", err,
		       f.check ? f.check : "", r->check);

		/* A walk sees the same, but for ownership; above all it must not crash. */
		struct mem mem = shot_mem(&shot);
		struct pramfs_source src = mem_source(&mem);

		err = pramfs_walk(&src, shot_root(&shot), -1, &nobody, &f);
		if ((!err && !strstr(r->check, "owned twice")) || mem.live || mem.foreign)
			result(false, name, "walk: %d, live %d, foreign %d", err, mem.live,
			       mem.foreign);
	}
	for (int i = 0; pramfs_checks[i]; i++) {
		provoked = 0;
		for (const struct refusal *r = refusals; r->name; r++)
			provoked += !strcmp(r->check, pramfs_checks[i]);
		snprintf(name, sizeof(name), "provoked.%s", pramfs_checks[i]);
		result(provoked, name, "no case provokes it");
	}
}

static void test_bits(void)
{
	struct pramfs_finding f;
	size_t bits, accepted = 0;

	shot_tree(&shot);
	bits = shot.nr_pages * PRAMFS_FRAME_SIZE * 8;
	for (size_t i = 0; i < bits; i++) {
		shot.pages[i / 8] ^= (u8)(1u << i % 8);
		if (!check_shot(&shot, &f)) {
			accepted++;
			fprintf(stderr, "bit %zu accepted\n", i);
		}
		shot.pages[i / 8] ^= (u8)(1u << i % 8);
	}
	result(!accepted && !check_shot(&shot, &f), "bits.each", "%zu of %zu flips accepted",
	       accepted, bits);
}

/* Where a finding says it is: the record, in the page in which it starts. */
static void test_place(void)
{
	static const char pad[PRAMFS_PAYLOAD];
	struct pramfs_finding f;
	size_t at;

	shot_reset(&shot);
	shot_mount(&shot, "m", 2, 1);
	shot_inode(&shot, S_IFDIR, 0, 2);
	shot_record(&shot, PRAMFS_REC_OPTIONAL, NULL, 0, pad, PRAMFS_PAYLOAD - shot.bytes - 8);
	at = shot.bytes;
	shot_inode(&shot, S_IFREG, 0, 1)->ino = 0;
	shot_dirent(&shot, 0, 1, "f");
	shot_end(&shot);
	shot_pack(&shot);
	result(check_shot(&shot, &f) == -EUCLEAN && at == PRAMFS_PAYLOAD &&
	       f.pfn == SHOT_BASE + 2 && f.offset == 32 && !strcmp(f.check, "inode number"),
	       "place.next_page", "%s at %u of %llx", f.check, f.offset,
	       (unsigned long long)f.pfn);
	result(f.found == 0 && f.expected == 1000, "place.values", "%llu %llu",
	       (unsigned long long)f.found, (unsigned long long)f.expected);
}

static void test_memory(void)
{
	struct pramfs_finding f;
	struct mem mem;
	int err = -ENOMEM, nth;

	shot_tree(&shot);
	for (nth = 0; err == -ENOMEM && nth < 100; nth++) {
		mem = shot_mem(&shot);
		mem.fail_after = nth;
		err = check_mem(&mem, &f);
	}
	result(!err && nth > 3, "memory.each_allocation_fails", "%d after %d", err, nth);

	const struct pramfs_span span[] = {
		{ SHOT_BASE, SHOT_FRAMES }, { 1ull << 30, (1ull << 40) - (1ull << 30) },
	};
	shot_ranges(&shot, span, 2);
	shot_crcs(&shot);
	err = check_shot(&shot, &f);
	result(err == -ENOMEM, "memory.ranges_of_a_petabyte", "%d", err);
}

/* ---- versions --------------------------------------------------------- */

static void test_versions(void)
{
	const struct pramfs_rec_mount m = { .next_ino = 9, .nr_inodes = 2, .nr_dirents = 1 };
	struct { struct pramfs_rec_inode i; u8 more[24]; } dir, file;
	struct { struct pramfs_rec_dirent d; u8 more[8]; } entry = { .d = { 0, 1 } };
	struct pramfs_rec_end end;
	struct pramfs_finding f;
	int err;

	memset(&dir, 0xee, sizeof(dir));
	dir.i = (struct pramfs_rec_inode) { .ino = 1, .mode = S_IFDIR, .nlink = 2 };
	memset(&file, 0xee, sizeof(file));
	file.i = (struct pramfs_rec_inode) { .ino = 2, .mode = S_IFREG, .nlink = 1, .size = 4096 };

	shot_reset(&shot);
	shot.mounts = 1;
	shot_record(&shot, 0x9000, "abc", 3, "defg", 4);
	shot_record(&shot, PRAMFS_REC_MOUNT, &m, sizeof(m), "new", 3);
	shot_record(&shot, 0xffff, NULL, 0, NULL, 0);
	shot_record(&shot, PRAMFS_REC_INODE, &dir, sizeof(dir), NULL, 0);
	shot_record(&shot, PRAMFS_REC_INODE, &file, sizeof(file), NULL, 0);
	shot_record(&shot, PRAMFS_REC_OPTIONAL | PRAMFS_REC_INODE, &dir, sizeof(dir), NULL, 0);
	shot_extent(&shot, 0, SHOT_DATA, 1);
	shot_record(&shot, PRAMFS_REC_DIRENT, &entry, sizeof(entry), "f", 1);
	end = (struct pramfs_rec_end) { shot.records, 1, 1 };
	shot_record(&shot, PRAMFS_REC_END, &end, sizeof(end), NULL, 0);
	shot_pack(&shot);
	shot_root(&shot)->minor = PRAMFS_FORMAT_MINOR + 1;
	shot_crcs(&shot);
	err = check_shot(&shot, &f);
	result(!err, "version.newer_minor", "%d %s", err, f.check);

	/* Fixed parts that end before what is 0 anyway: times; the limits of a mount are kept. */
	shot_reset(&shot);
	shot.mounts = 1;
	shot_record(&shot, PRAMFS_REC_MOUNT, &m, sizeof(m), "old", 3);
	shot_record(&shot, PRAMFS_REC_INODE, &dir, 32, NULL, 0);
	shot_record(&shot, PRAMFS_REC_INODE, &file, 48, NULL, 0);
	shot_extent(&shot, 0, SHOT_DATA, 1);
	shot_dirent(&shot, 0, 1, "f");
	shot_end(&shot);
	shot_pack(&shot);
	err = check_shot(&shot, &f);
	result(!err, "version.shorter_fixed", "%d %s", err, f.check);
}

/* The largest of everything, in a stream that fills its last page to the end. */
static void test_limits(void)
{
	static char tail[PRAMFS_MAX_XATTR_NAME + PRAMFS_MAX_XATTR_VALUE];
	const struct pramfs_rec_xattr x = { PRAMFS_MAX_XATTR_NAME, PRAMFS_MAX_XATTR_VALUE };
	const struct pramfs_rec_dirent d = { 0, 2 };
	struct pramfs_rec_mount m = { .next_ino = ~0ull, .nr_inodes = 3, .nr_dirents = 2 };
	struct pramfs_span span[PRAMFS_MAX_RANGES] = {
		{ PRAMFS_LOWEST_PFN, 1 }, { SHOT_BASE, SHOT_FRAMES }
	};
	struct pramfs_finding f;
	size_t spare;
	int err;

	memset(tail, 't', sizeof(tail));
	shot_reset(&shot);
	shot.mounts = 1;
	shot_record(&shot, PRAMFS_REC_MOUNT, &m, sizeof(m), tail, PRAMFS_MAX_NAME);
	shot_inode(&shot, S_IFDIR | 07777, ~0ull >> 1, 2)->ino = ~0ull - 1;
	shot_record(&shot, PRAMFS_REC_XATTR, &x, sizeof(x), tail, sizeof(tail));
	shot_inode(&shot, S_IFLNK | 0777, PRAMFS_MAX_TARGET, 1);
	shot_record(&shot, PRAMFS_REC_TARGET, NULL, 0, tail, PRAMFS_MAX_TARGET);
	shot_inode(&shot, S_IFREG, ~0ull >> 1, 1)->atime.nsec = 999999999;
	shot_extent(&shot, (1ull << 51) - 1, SHOT_BASE + SHOT_FRAMES - 1, 1);
	shot_dirent(&shot, 0, 1, "l");
	shot_record(&shot, PRAMFS_REC_DIRENT, &d, sizeof(d), tail, PRAMFS_MAX_DENTRY);
	/* 32: the END record; 8: the head of what fills the rest */
	spare = 2 * PRAMFS_PAYLOAD - (shot.bytes + 32 + 8) % PRAMFS_PAYLOAD;
	shot_record(&shot, PRAMFS_REC_OPTIONAL, NULL, 0, tail, spare);
	shot_end(&shot);
	shot_pack(&shot);
	for (u32 i = 2; i < PRAMFS_MAX_RANGES; i++)
		span[i] = (struct pramfs_span) { SHOT_BASE + i * SHOT_FRAMES, SHOT_FRAMES / i };
	span[PRAMFS_MAX_RANGES - 1].frames = 1;
	shot_ranges(&shot, span, PRAMFS_MAX_RANGES);
	shot_root(&shot)->nr_arenas = PRAMFS_MAX_ARENAS;
	shot_crcs(&shot);
	err = check_shot(&shot, &f);
	result(!err && !(shot.bytes % PRAMFS_PAYLOAD), "accept.limits", "%d %s, found %llu", err,
	       f.check, (unsigned long long)f.found);
}

/* ---- owned frames ----------------------------------------------------- */

static void test_owned(void)
{
	enum { N = 1000 };
	unsigned long map[(N + 63) / 64] = { 0 }, map2[1] = { 0 };
	struct pramfs_owned owned = { .nr = 2, .range = { { 5000, N, map }, { 7000, 3, map2 } } };
	u8 model[N] = { 0 };
	bool good = true, free_run;
	u64 pfn, frames, i, at;

	for (int round = 0; round < 20000 && good; round++) {
		pfn = rnd(N);
		frames = 1 + rnd(rnd(4) ? 3 : 300);
		free_run = pfn + frames <= N;
		int expected = free_run ? 0 : -ERANGE;

		for (i = pfn; free_run && i < pfn + frames; i++)
			if (model[i])
				expected = -EEXIST;
		good = pramfs_own(&owned, 5000 + pfn, frames) == expected;
		if (!expected)
			memset(model + pfn, 1, frames);
		if (!rnd(40)) {
			memset(model, 0, sizeof(model));
			memset(map, 0, sizeof(map));
		}
		/* The runs are the model's runs. */
		at = 0;
		for (pfn = 5000; pramfs_unowned_run(&owned, 0, &pfn, &frames); pfn += frames) {
			for (; at < pfn - 5000; at++)
				good &= model[at];
			for (; at < pfn - 5000 + frames; at++)
				good &= !model[at];
		}
		for (; at < N; at++)
			good &= model[at];
	}
	result(good, "owned.model", "differs from the model, seed %llu", (unsigned long long)seed);
	result(pramfs_own(&owned, 4999, 1) == -ERANGE && pramfs_own(&owned, 6000, 1) == -ERANGE &&
	       pramfs_own(&owned, 7000, 4) == -ERANGE && pramfs_own(&owned, 7003, 1) == -ERANGE &&
	       pramfs_own(&owned, 7000, ~0ull) == -ERANGE && pramfs_own(&owned, ~0ull, 2) == -ERANGE &&
	       pramfs_own(&owned, 7000, 0) == -ERANGE && !pramfs_own(&owned, 7000, 3) &&
	       pramfs_own(&owned, 7002, 1) == -EEXIST, "owned.bounds", "a bound is wrong");
	pfn = 0;
	result(!pramfs_unowned_run(&owned, 1, &pfn, &frames) &&
	       !pramfs_unowned_run(&owned, 2, &pfn, &frames), "owned.full", "a run in a full range");
}

/* ---- writer and reader ------------------------------------------------ */

struct pool {
	u8 *pages;
	u64 base, nr, max;
};

static int pool_page(void *ctx, void **page, u64 *pfn)
{
	struct pool *pool = ctx;

	if (pool->nr == pool->max)
		return -ENOMEM;
	*page = pool->pages + pool->nr * PRAMFS_FRAME_SIZE;
	*pfn = pool->base + pool->nr++;
	return 0;
}

static struct pool new_pool(u64 max)
{
	struct pool pool = { calloc(max, PRAMFS_FRAME_SIZE), SHOT_BASE, 1, max };

	return pool;
}

struct sum {
	u64 hash, calls;
};

static void mix(struct sum *sum, const void *data, size_t bytes)
{
	const u8 *p = data;

	for (size_t i = 0; i < bytes; i++)
		sum->hash = (sum->hash ^ p[i]) * 0x100000001b3ull;
	sum->hash = (sum->hash ^ bytes) * 0x100000001b3ull;
	sum->calls++;
}

static void mix_number(struct sum *sum, u64 number)
{
	mix(sum, &number, sizeof(number));
}

static int sum_mount(void *ctx, u32 nr, const char *name, const struct pramfs_rec_mount *m)
{
	mix_number(ctx, nr);
	mix(ctx, name, strlen(name));
	mix(ctx, m, sizeof(*m));
	return 0;
}

static int sum_inode(void *ctx, u32 nr, const struct pramfs_rec_inode *i)
{
	mix_number(ctx, nr);
	mix(ctx, i, sizeof(*i));
	return 0;
}

static int sum_xattr(void *ctx, u32 inode, const char *name, const void *value, u32 len)
{
	mix_number(ctx, inode);
	mix(ctx, name, strlen(name));
	mix(ctx, value, len);
	return 0;
}

static int sum_target(void *ctx, u32 inode, const char *target, u32 len)
{
	mix_number(ctx, inode);
	mix(ctx, target, len);
	return target[len] ? -EINVAL : 0;
}

static int sum_extent(void *ctx, u32 inode, u64 index, u64 pfn, u64 pages)
{
	for (u64 i = 0; i < pages; i++) {
		mix_number(ctx, inode);
		mix_number(ctx, index + i);
		mix_number(ctx, pfn + i);
	}
	return 0;
}

static int sum_checksums(void *ctx, u32 inode, const __le32 *checksum, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		mix_number(ctx, inode);
		mix_number(ctx, le32toh(checksum[i]));
	}
	return 0;
}

static int sum_dirent(void *ctx, u32 parent, u32 child, const char *name, u32 len)
{
	mix_number(ctx, parent);
	mix_number(ctx, child);
	mix(ctx, name, len);
	return name[len] ? -EINVAL : 0;
}

static const struct pramfs_visitor summer = {
	.mount = sum_mount, .inode = sum_inode, .xattr = sum_xattr, .target = sum_target,
	.extent = sum_extent, .checksums = sum_checksums, .dirent = sum_dirent,
};

static void random_text(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('A' + rnd(26));
	text[len] = 0;
}

/* Of some of the pages that have none yet. */
static int random_checksums(struct pramfs_writer *w, struct sum *sum, u32 nr, u64 *unsummed)
{
	__le32 crc[PRAMFS_CHECKSUM_BATCH];
	u32 n = (u32)rnd(*unsummed + 1), i;
	int err;

	if (n > PRAMFS_CHECKSUM_BATCH)
		n = PRAMFS_CHECKSUM_BATCH;
	if (!n)
		return 0;
	for (i = 0; i < n; i++)
		crc[i] = htole32((u32)rnd(1ull << 32));
	err = pramfs_put_checksums(w, crc, n);
	sum_checksums(sum, nr, crc, n);
	*unsummed -= n;
	return err;
}

/* Files with holes and frames here and there; next is the next frame to give out. */
static int random_extents(struct pramfs_writer *w, struct sum *sum, u32 nr, u64 pages, u64 *next)
{
	u64 index = 0, run, unsummed = 0;
	int err;

	while (index < pages) {
		run = 1 + rnd(rnd(3) ? 2 : 60);
		if (run > pages - index)
			run = pages - index;
		if (rnd(4)) {
			*next += rnd(3) ? 0 : 1 + rnd(5);
			err = pramfs_put_extent(w, index, *next, run);
			if (err)
				return err;
			sum_extent(sum, nr, index, *next, run);
			*next += run;
			unsummed += run;
			err = rnd(3) ? 0 : random_checksums(w, sum, nr, &unsummed);
			if (err)
				return err;
		}
		index += run;
	}
	return 0;
}

static int random_inode(struct pramfs_writer *w, struct sum *sum, u32 nr, u32 type, u32 nlink,
			u64 *next)
{
	static char text[PRAMFS_MAX_XATTR_VALUE + 1];
	u64 pages = rnd(300), len = 1 + rnd(PRAMFS_MAX_TARGET);
	bool device = type == S_IFCHR || type == S_IFBLK;
	struct pramfs_rec_inode i = {
		.ino = nr + 1, .mode = type | (u32)rnd(07777), .nlink = nlink,
		.uid = (u32)rnd(65536), .gid = (u32)rnd(65536),
		.size = type == S_IFREG ? pages * 4096 - (pages ? rnd(4096) : 0) :
			type == S_IFLNK ? len : 0,
		.rdev_major = device ? (u32)rnd(4096) : 0, .rdev_minor = device ? (u32)rnd(256) : 0,
		.atime = { rnd(1ull << 40), (u32)rnd(1000000000), 0 },
		.mtime = { (u64)-5, 999999999, 0 }, .generation = (u32)rnd(1u << 31),
	};
	char name[300];
	int err = pramfs_put_inode(w, &i);

	sum_inode(sum, nr, &i);
	for (u64 n = rnd(8) ? 0 : 1 + rnd(3); n && !err; n--) {
		u32 bytes = (u32)rnd(rnd(5) ? 100 : PRAMFS_MAX_XATTR_VALUE + 1);

		random_text(name, 1 + rnd(PRAMFS_MAX_XATTR_NAME));
		random_text(text, bytes);
		err = pramfs_put_xattr(w, name, text, bytes);
		sum_xattr(sum, nr, name, text, bytes);
	}
	if (!err && type == S_IFLNK) {
		random_text(text, len);
		err = pramfs_put_target(w, text, (u32)len);
		sum_target(sum, nr, text, (u32)len);
	}
	if (!err && type == S_IFREG)
		err = random_extents(w, sum, nr, pages, next);
	return err;
}

static int random_mount(struct pramfs_writer *w, struct sum *sum, u32 mount, u64 *next)
{
	static const u32 types[] = { S_IFDIR, S_IFREG, S_IFREG, S_IFREG, S_IFLNK, S_IFCHR,
				     S_IFBLK, S_IFIFO, S_IFSOCK };
	enum { MOST = 300 };
	u32 n = 1 + (u32)rnd(MOST), type[MOST], nlink[MOST], entries = 0, i, k;
	struct { u32 parent, child; } entry[4 * MOST];
	struct pramfs_rec_mount m = { .max_pages = rnd(99), .next_ino = MOST + 2, .nr_inodes = n };
	char name[300];
	int err;

	for (i = 0; i < n; i++) {
		type[i] = i ? types[rnd(9)] : S_IFDIR;
		nlink[i] = type[i] == S_IFDIR ? 2 : 0;
	}
	for (i = 1; i < n; i++) {
		u32 links = type[i] == S_IFDIR ? 1 : 1 + (u32)rnd(3), parent;

		for (k = 0; k < links; k++) {
			do
				parent = (u32)rnd(i);	/* so it has been reached */
			while (type[parent] != S_IFDIR);
			entry[entries].parent = parent;
			entry[entries++].child = i;
			nlink[type[i] == S_IFDIR ? parent : i]++;
		}
	}
	m.nr_dirents = entries;
	random_text(name, 20 + rnd(40));
	err = pramfs_put_mount(w, name, &m);
	sum_mount(sum, mount, name, &m);
	for (i = 0; i < n && !err; i++)
		err = random_inode(w, sum, i, type[i], nlink[i], next);
	for (i = 0; i < entries && !err; i++) {
		u32 len = 1 + (u32)rnd(PRAMFS_MAX_DENTRY);

		random_text(name, len);
		err = pramfs_put_dirent(w, entry[i].parent, entry[i].child, name, len);
		sum_dirent(sum, entry[i].parent, entry[i].child, name, len);
	}
	return err;
}

static struct mem pool_mem(const struct pool *pool)
{
	return (struct mem) {
		.pages = pool->pages, .nr = pool->nr, .base = pool->base, .low = pool->base,
		.end = 1ull << 40, .fail_after = -1,
	};
}

static int put_root(struct pool *pool, const struct pramfs_writer *w, u64 frames)
{
	const struct pramfs_span spans[] = {
		{ PRAMFS_LOWEST_PFN, 16 }, { pool->base, frames }, { pool->base + frames, 5 },
	};

	return pramfs_put_root((struct pramfs_root *)pool->pages, pool->base, w, spans, 3, 0x1234);
}

static int count_page(void *ctx, u64 pfn)
{
	u64 *next = ctx;

	return pfn == (*next)++ ? 0 : -EINVAL;
}

static void test_roundtrip(u64 first_seed)
{
	struct pool pool = new_pool(30000);
	struct pramfs_writer w = { .new_page = pool_page, .ctx = &pool };
	struct sum written[3] = { { 0 } }, all = { 0 }, read = { 0 };
	struct pramfs_visitor v = summer;
	struct pramfs_finding f = { 0 };
	struct mem mem;
	struct pramfs_source src;
	const struct pramfs_root *root = (void *)pool.pages;
	u64 next = SHOT_BASE + 40000, pages = SHOT_BASE + 1;
	char name[64];
	int err = 0;

	seed = first_seed * 0x9e3779b97f4a7c15ull + 1;
	for (u32 m = 0; m < 3 && !err; m++)
		err = random_mount(&w, &written[m], m, &next);
	if (!err)
		err = pramfs_put_end(&w);
	if (!err)
		err = put_root(&pool, &w, 1 << 21);
	snprintf(name, sizeof(name), "roundtrip.%llu.write", (unsigned long long)first_seed);
	result(!err, name, "%d", err);

	mem = pool_mem(&pool);
	src = mem_source(&mem);
	err = check_mem(&mem, &f);
	snprintf(name, sizeof(name), "roundtrip.%llu.check", (unsigned long long)first_seed);
	result(!err, name, "%d %s found %llu expected %llu", err, f.check ? f.check : "",
	       (unsigned long long)f.found, (unsigned long long)f.expected);

	for (int m = 0; m < 3; m++) {
		memset(&read, 0, sizeof(read));
		v.ctx = &read;
		err = pramfs_walk(&src, root, m, &v, &f);
		snprintf(name, sizeof(name), "roundtrip.%llu.read.%d",
			 (unsigned long long)first_seed, m);
		result(!err && read.hash == written[m].hash && read.calls == written[m].calls,
		       name, "%d, %llu calls of %llu", err, (unsigned long long)read.calls,
		       (unsigned long long)written[m].calls);
		all.calls += read.calls;
	}
	memset(&read, 0, sizeof(read));
	err = pramfs_walk(&src, root, -1, &v, &f);
	snprintf(name, sizeof(name), "roundtrip.%llu.read.all", (unsigned long long)first_seed);
	result(!err && read.calls == all.calls && pramfs_walk(&src, root, 3, &v, &f) == -ENOENT,
	       name, "%d", err);
	err = pramfs_walk_pages(&src, root, count_page, &pages, &f);
	snprintf(name, sizeof(name), "roundtrip.%llu.pages", (unsigned long long)first_seed);
	result(!err && pages == SHOT_BASE + 1 + root->stream_pages, name, "%d", err);
	free(pool.pages);
}

static int stop(void *ctx, u32 parent, u32 child, const char *name, u32 len)
{
	(void)parent; (void)child; (void)name; (void)len;
	return ++*(int *)ctx == 3 ? 77 : 0;
}

static void test_walk(void)
{
	int calls = 0, err;
	const struct pramfs_visitor v = { .dirent = stop, .ctx = &calls };
	struct pramfs_finding f;
	struct mem mem;
	struct pramfs_source src = mem_source(&mem);
	u64 pages = SHOT_BASE + 1;

	shot_tree(&shot);
	mem = shot_mem(&shot);
	err = pramfs_walk(&src, shot_root(&shot), -1, &v, &f);
	result(err == 77 && calls == 3 && !mem.live, "walk.stops", "%d after %d", err, calls);

	/* The damaged page is told, what is behind it cannot be found. */
	for (const struct refusal *r = refusals; r->name; r++)
		if (!strcmp(r->name, "page_crc"))
			r->make(&shot);
	mem = shot_mem(&shot);
	err = pramfs_walk_pages(&src, shot_root(&shot), count_page, &pages, &f);
	result(err == -EUCLEAN && pages == SHOT_BASE + 3, "walk.damaged_page", "%d, %llu", err,
	       (unsigned long long)(pages - SHOT_BASE - 1));
}

/* The writer's pages are those that the other writer, in shot.h, makes. */
static void test_writer_bytes(void)
{
	struct pool pool = new_pool(100);
	struct pramfs_writer w = { .new_page = pool_page, .ctx = &pool };
	const struct pramfs_rec_mount m = { .next_ino = 1000, .nr_inodes = 2, .nr_dirents = 1 };
	const struct pramfs_rec_inode dir = { .ino = 2, .mode = S_IFDIR, .nlink = 2 };
	const struct pramfs_rec_inode file = { .ino = 3, .mode = S_IFREG, .size = 8192, .nlink = 1 };
	const struct pramfs_span span = { SHOT_BASE, SHOT_FRAMES };
	int err;

	shot_reset(&shot);
	shot_mount(&shot, "m", 2, 1);
	shot_inode(&shot, S_IFDIR, 0, 2);
	shot_inode(&shot, S_IFREG, 8192, 1);
	shot_xattr(&shot, "user.a", "b");
	shot_extent(&shot, 0, SHOT_DATA, 2);
	shot_dirent(&shot, 0, 1, "f");
	shot_end(&shot);
	shot_pack(&shot);

	err = pramfs_put_mount(&w, "m", &m) || pramfs_put_inode(&w, &dir) ||
	      pramfs_put_inode(&w, &file) || pramfs_put_xattr(&w, "user.a", "b", 1) ||
	      pramfs_put_extent(&w, 0, SHOT_DATA, 1) ||
	      pramfs_put_extent(&w, 1, SHOT_DATA + 1, 1) ||
	      pramfs_put_dirent(&w, 0, 1, "f", 1) || pramfs_put_end(&w) ||
	      pramfs_put_root((struct pramfs_root *)pool.pages, SHOT_BASE, &w, &span, 1, 0);
	result(!err && pool.nr == shot.nr_pages &&
	       !memcmp(pool.pages, shot.pages, pool.nr * PRAMFS_FRAME_SIZE), "writer.bytes",
	       "error %d or bytes differ", err);
	free(pool.pages);
}

static void test_writer_limits(void)
{
	struct pool pool = new_pool(100);
	struct pramfs_writer w = { .new_page = pool_page, .ctx = &pool };
	const struct pramfs_rec_mount m = { 0 };
	const struct pramfs_span span = { SHOT_BASE, SHOT_FRAMES };
	struct pramfs_root *root = (void *)pool.pages;
	struct pramfs_finding f;
	char name[PRAMFS_MAX_DENTRY + 2];
	int err = 0, mounts;

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = 0;
	result(pramfs_put_mount(&w, "", &m) == -EINVAL && pramfs_put_mount(&w, name, &m) == -EINVAL &&
	       pramfs_put_xattr(&w, name, "", 0) == -EINVAL &&
	       pramfs_put_xattr(&w, "", "", 0) == -EINVAL &&
	       pramfs_put_xattr(&w, "n", "", PRAMFS_MAX_XATTR_VALUE + 1) == -EINVAL &&
	       pramfs_put_target(&w, "", 0) == -EINVAL && pramfs_put_target(&w, "", 4096) == -EINVAL &&
	       pramfs_put_dirent(&w, 0, 0, "", 0) == -EINVAL &&
	       pramfs_put_dirent(&w, 0, 0, name, 256) == -EINVAL &&
	       pramfs_put_extent(&w, 0, 1, 0) == -EINVAL &&
	       pramfs_put_extent(&w, 0, 1ull << 40, 1) == -EINVAL &&
	       pramfs_put_extent(&w, ~0ull, 1, 1) == -EINVAL &&
	       pramfs_put_extent(&w, 0, 1, ~0ull) == -EINVAL &&
	       !w.bytes, "writer.values", "a value was taken");
	for (mounts = 0; !err; mounts++) {
		snprintf(name, sizeof(name), "mount-%d", mounts);
		err = pramfs_put_mount(&w, name, &m);
	}
	result(err == -E2BIG && mounts == PRAMFS_MAX_MOUNTS + 1, "writer.mounts", "%d", err);
	while (!(err = pramfs_put_target(&w, name, 200)))
		;
	result(err == -ENOMEM, "writer.no_page", "%d", err);
	result(pramfs_put_root(root, SHOT_BASE, &w, &span, 0, 0) == -EINVAL &&
	       pramfs_put_root(root, SHOT_BASE, &w, &span, PRAMFS_MAX_RANGES + 1, 0) == -E2BIG,
	       "writer.ranges", "a number of ranges was taken");
	memset(root, 0x55, sizeof(*root));
	pramfs_put_empty_root(root, SHOT_BASE);
	result(pramfs_check_root(root, SHOT_BASE, &f) == -ENOENT && !root->next,
	       "writer.empty_root", "%s", f.check);
	free(pool.pages);
}

/* Nanoseconds of one check, the best of five: others use the machine too. */
static double time_check(struct mem *mem)
{
	const struct pramfs_root *root = (const void *)mem->pages;
	struct pramfs_source src = mem_source(mem);
	struct timespec start, end;
	struct pramfs_finding f;
	struct pramfs_owned owned;
	double ns, best = 1e18;

	for (int i = 0; i < 5; i++) {
		clock_gettime(CLOCK_MONOTONIC, &start);
		pramfs_check(&src, root, mem->base, &owned, NULL, &f);
		clock_gettime(CLOCK_MONOTONIC, &end);
		pramfs_owned_free(&src, &owned);
		ns = (double)(end.tv_sec - start.tv_sec) * 1e9 +
		     (double)(end.tv_nsec - start.tv_nsec);
		best = ns < best ? ns : best;
	}
	return best;
}

/* One file of so many pages, each step frames from the last; what it costs. */
static void test_size(const char *name, u64 pages, u64 step, double percent)
{
	struct pool pool = new_pool(20000);
	struct pramfs_writer w = { .new_page = pool_page, .ctx = &pool };
	const struct pramfs_rec_mount m = { .next_ino = 9, .nr_inodes = 2, .nr_dirents = 1 };
	const struct pramfs_rec_inode dir = { .ino = 1, .mode = S_IFDIR, .nlink = 2 };
	const struct pramfs_rec_inode file = { .ino = 2, .mode = S_IFREG, .nlink = 1,
					       .size = pages << 12 };
	struct pramfs_finding f = { 0 };
	struct mem mem;
	double cost;
	int err;

	err = pramfs_put_mount(&w, "m", &m) || pramfs_put_inode(&w, &dir) ||
	      pramfs_put_inode(&w, &file);
	for (u64 i = 0; i < pages && !err; i++)
		err = pramfs_put_extent(&w, i, SHOT_BASE + 20000 + i * step, 1);
	err = err || pramfs_put_dirent(&w, 0, 1, "f", 1) || pramfs_put_end(&w) ||
	      put_root(&pool, &w, 20000 + pages * step);
	mem = pool_mem(&pool);
	err = err ? err : check_mem(&mem, &f);
	cost = 100.0 * (double)pool.nr / (double)pages;
	result(!err && cost < percent, name, "%d %s, %.4f %% of the data", err,
	       f.check ? f.check : "", cost);
	printf("# %s: metadata %.4f %% of the data, check %.1f ns a frame\n", name, cost,
	       time_check(&mem) / (double)pages);
	free(pool.pages);
}

/* Extents longer than one can be are split and come back whole. */
static void test_long_extent(void)
{
	struct pool pool = new_pool(100);
	struct pramfs_writer w = { .new_page = pool_page, .ctx = &pool };
	const struct pramfs_rec_mount m = { .next_ino = 9, .nr_inodes = 2, .nr_dirents = 1 };
	const struct pramfs_rec_inode dir = { .ino = 1, .mode = S_IFDIR, .nlink = 2 };
	const u64 pages = (3ull << 24) + 5;
	const struct pramfs_rec_inode file = { .ino = 2, .mode = S_IFREG, .nlink = 1,
					       .size = pages << 12 };
	struct pramfs_finding f = { 0 };
	struct mem mem;
	int err;

	err = pramfs_put_mount(&w, "m", &m) || pramfs_put_inode(&w, &dir) ||
	      pramfs_put_inode(&w, &file) ||
	      pramfs_put_extent(&w, 0, SHOT_BASE + 1000, 7) ||
	      pramfs_put_extent(&w, 7, SHOT_BASE + 1007, pages - 7) ||
	      pramfs_put_dirent(&w, 0, 1, "f", 1) || pramfs_put_end(&w) ||
	      put_root(&pool, &w, 1ull << 26);
	mem = pool_mem(&pool);
	err = err ? err : check_mem(&mem, &f);
	result(!err && w.extents == 4 && w.frames == pages, "writer.long_extent", "%d, %llu", err,
	       (unsigned long long)w.extents);
	free(pool.pages);
}

static void test_crc(void)
{
	u8 page[PRAMFS_FRAME_SIZE] = { 0 };

	result(!(crc32c(~0u, "123456789", 9) ^ ~0xe3069283u) &&
	       crc32c_plain(~0u, (const u8 *)"123456789", 9) == ~0xe3069283u,
	       "crc.known_value", "%08x", ~crc32c(~0u, "123456789", 9));
	memcpy(page + 16, "\1\2\3\4", 4);
	u32 with = pramfs_page_crc(page, 16);

	memset(page + 16, 0, 4);
	result(with == pramfs_page_crc(page, 16) && with == ~crc32c(~0u, page, sizeof(page)),
	       "crc.own_place_is_zero", "%08x", with);
}

int main(int argc, char **argv)
{
	struct pramfs_finding f;
	u64 first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;

	shot_tree(&shot);
	result(!check_shot(&shot, &f), "accept.tree", "%s", f.check);
	test_crc();
	test_owned();
	test_refusals();
	test_place();
	test_memory();
	test_versions();
	test_limits();
	test_walk();
	test_writer_bytes();
	test_writer_limits();
	test_long_extent();
	for (u64 i = 0; i < ROUNDTRIPS; i++)
		test_roundtrip(first + i);
	test_size("size.apart", 1000000, 2, 0.5);
	test_size("size.contiguous", 1000000, 1, 0.01);
	test_bits();
	free(shot.stream);
	return failures ? 1 : 0;
}
