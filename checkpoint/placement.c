// SPDX-License-Identifier: GPL-2.0
/*
 * placement.c - see placement.h.
 *
 * The new kernel boots in the arena and nowhere else: all other memory is
 * reserved until its pramfs module has given it back, and if that never
 * happens it must still come up to a shell. So the arena has to hold
 * everything that a kernel takes for itself at boot, on this machine and with
 * this command line.
 *
 * Contiguous areas (crashkernel=, cma=, ...). KASLR puts the kernel, K bytes
 * after alignment, anywhere in the arena, and so splits it in two. An area of
 * D bytes still fits in the larger half if the arena has K + 2*D. With several
 * areas D1..Dn: when the i-th finds both halves too small, less than 2*Di is
 * left of what the others have not taken; so K + sum(D) + max(D) is enough,
 * whatever the order. Each D is counted with its alignment.
 *
 * On EFI hosts KASLR looks for free memory in the EFI map alone, and ours has only
 * the runtime services' ("Physical KASLR disabled: no suitable memory region!"). So
 * the kernel stays at the arena's bottom, and what is above it is not split.
 *
 * An old crash region is free memory for the new kernel as well, and may serve
 * again. But KASLR may also choose it. Then the arena is not split, and has
 * the kernel's room for the area: so the demand is the larger of the two cases.
 * A kernel that stays is not in it.
 */
#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "placement.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define PAGE 4096ull
#define LOW_END (4 * GIB)

/* A kernel's slabs and tables, its devices' buffers, init, udev, a shell and tools. */
#define BASE (160 * MIB)
/* From here on, memmap and tables are asked for above 4 GiB. */
#define LARGE_RAM (8 * GIB)
/* Page tables and the like, taken from the top of an arena before its areas; log_buf_len= is, too. */
#define EARLY (16 * MIB)
/*
 * Per possible CPU: the per-CPU area (first chunk 256-512 KiB on
 * distribution kernels), idle task, half a dozen kernel threads, per-CPU lists.
 */
#define PER_CPU (1 * MIB)
/* swiotlb's default; allocated when memory reaches above what 32 bits address */
#define SWIOTLB_DEFAULT (64 * MIB)

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t mul(uint64_t a, uint64_t b)
{
	return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t round_up(uint64_t n, uint64_t align)
{
	return add(n, align - 1) / align * align;
}

static unsigned long long ull(uint64_t n)
{
	return n;
}

/*
 * What grows with memory: memmap, 64 bytes a page. Hash tables of dentries and
 * inodes, 8 bytes per 8 and 16 KiB, growing four times slower above 64 GiB
 * (alloc_large_system_hash); the network's are small beside them. Page tables
 * of the direct map, 8 bytes per 2 MiB, doubled for parts split into 4 KiB.
 */
static uint64_t tables_bytes(uint64_t ram)
{
	uint64_t hash = min(ram, 64 * GIB) / 512;

	if (ram > 64 * GIB)
		hash += (ram - 64 * GIB) / 2048;
	return ram / 64 + hash + ram / 131072 + MIB;
}

static uint64_t swiotlb_bytes(const struct placement_inputs *in)
{
	if (in->res->swiotlb_given)
		return in->res->swiotlb;
	if (in->ram_end > LOW_END || in->res->swiotlb_force)
		return SWIOTLB_DEFAULT;
	return 0;
}

/*
 * Contents of the initramfs. Without root= the kernel unpacks into a tmpfs
 * that takes at most half of the memory there is then, so the arena must have
 * twice as much.
 */
static uint64_t unpacked_bytes(const struct placement_inputs *in)
{
	return in->res->has_root ? in->initrd_unpacked : mul(in->initrd_unpacked, 2);
}

/* crashkernel=X@Y: only where the running kernel has its own, since that is free there. */
static int check_fixed_crash(const struct placement_inputs *in)
{
	const struct reservations *res = in->res;
	uint32_t i;

	if (!res->crash_base)
		return 0;
	for (i = 0; i < in->nr_crash; i++) {
		const struct pramfs_arena *c = &in->crash[i];

		if (res->crash_base >= c->start && res->crash_bytes <= c->bytes &&
		    res->crash_base - c->start <= c->bytes - res->crash_bytes)
			return 0;
	}
	return log_refusal(-EINVAL,
			   "crashkernel=0x%llx@0x%llx: memory at a fixed place cannot be guaranteed to be free unless the running kernel has its crash kernel there (it has %u regions, first 0x%llx bytes at 0x%llx); give crashkernel=SIZE without a place",
			   ull(res->crash_bytes), ull(res->crash_base), in->nr_crash,
			   ull(in->nr_crash ? in->crash[0].bytes : 0),
			   ull(in->nr_crash ? in->crash[0].start : 0));
}

/* Sums over the contiguous areas: all of them, and those without an old crash region. */
struct areas {
	uint64_t sum_all;
	uint64_t sum, max;
};

static void sum_areas(const struct placement_inputs *in, bool old_crash, struct areas *a)
{
	bool used[CRASH_REGIONS_MAX] = { false };
	uint32_t i, j;

	*a = (struct areas){ 0 };
	for (i = 0; i < in->res->nr; i++) {
		const struct reservation *r = &in->res->contig[i];
		uint64_t bytes = add(r->bytes, r->align);

		a->sum_all = add(a->sum_all, bytes);
		for (j = 0; old_crash && r->crash && j < in->nr_crash; j++)
			if (!used[j] && in->crash[j].bytes >= r->bytes)
				break;
		if (old_crash && r->crash && j < in->nr_crash) {
			used[j] = true;
			continue;
		}
		a->sum = add(a->sum, bytes);
		a->max = max(a->max, bytes);
	}
}

static uint64_t huge_bytes(const struct placement_inputs *in)
{
	const struct reservations *res = in->res;
	uint64_t bytes = res->scattered;

	/*
	 * The kernel takes 2 MiB pages until none are left, so all of them
	 * must be there, or nothing would remain for the rest. Pages of 1 GiB
	 * lie at multiples of it: kernel and initrd can each spoil two such
	 * places, and an arena's two ends are not whole.
	 */
	if (res->gigantic)
		bytes = add(bytes, mul(add(res->gigantic, 3), GIB));
	return bytes;
}

int placement_demand(const struct placement_inputs *in, bool old_crash, struct demand *d)
{
	uint64_t kernel = add(in->kernel_bytes, in->kernel_align);
	uint64_t fixed = round_up(in->initrd_bytes, PAGE) + in->block_bytes;
	struct areas a, plain;
	int err = check_fixed_crash(in);

	if (err)
		return err;
	sum_areas(in, old_crash, &a);
	sum_areas(in, false, &plain);

	*d = (struct demand){ 0 };
	d->old_crash = a.sum != plain.sum;
	d->base = BASE;
	d->kernel = kernel;
	d->initrd = add(fixed, unpacked_bytes(in));
	d->swiotlb = swiotlb_bytes(in);
	d->cpu = mul(in->cpus, PER_CPU);
	d->tables = tables_bytes(in->ram_bytes);
	d->huge = huge_bytes(in);
	d->areas = a.sum;
	d->contig = max(kernel, fixed);
	if (a.sum)
		d->contig = add(add(kernel, fixed),
				add(a.sum, in->kernel_stays ? add(EARLY, in->res->low) : a.max));
	/* not the kernel beside the areas, but in the old region, and all areas here */
	if (d->old_crash && !in->kernel_stays) {
		d->areas = max(d->areas, a.sum_all > kernel ? a.sum_all - kernel : 0);
		d->contig = max(d->contig, add(fixed, a.sum_all));
	}

	d->low = add(add(add(d->base, d->kernel), add(d->initrd, d->swiotlb)),
		     add(add(d->cpu, d->areas), in->res->low));
	if (in->ram_bytes > LARGE_RAM)
		d->any = add(d->tables, d->huge);
	else
		d->low = add(d->low, add(d->tables, d->huge));
	d->low = max(d->low, d->contig);
	return 0;
}

/* ---- segments ----------------------------------------------------------- */

/* What is still free of an arena: segments are taken from its top and its bottom. */
struct room {
	uint64_t start, end;
};

static uint64_t low_end(const struct pramfs_arena *a)
{
	return min(add(a->start, a->bytes), LOW_END);
}

/*
 * The kernel at the bottom of the largest arena, initrd and block at the top of
 * one with room: what is left over stays in one piece.
 */
int placement_segments(const struct placement_inputs *in, const struct pramfs_arena *arena,
		       uint32_t nr, struct placement *out)
{
	struct room room[PRAMFS_IOC_MAX_ARENAS];
	const uint64_t bytes[] = { round_up(in->initrd_bytes, PAGE), in->block_bytes };
	uint64_t *const place[] = { &out->initrd, &out->block };
	uint64_t largest = 0, at;
	uint32_t i, kernel = nr;
	size_t s;

	if (nr > PRAMFS_IOC_MAX_ARENAS)
		return log_refusal(-EINVAL, "%u arenas, at most %d", nr, PRAMFS_IOC_MAX_ARENAS);
	for (i = 0; i < nr; i++) {
		room[i].start = round_up(arena[i].start, PAGE);
		room[i].end = max(low_end(&arena[i]) & ~(PAGE - 1), room[i].start);
		at = round_up(room[i].start, in->kernel_align);
		if (at < room[i].end && room[i].end - at >= in->kernel_bytes &&
		    room[i].end - at > largest) {
			kernel = i;
			largest = room[i].end - at;
		}
	}
	if (kernel == nr)
		return log_refusal(-ENOSPC,
				   "no arena below 4 GiB has room for the kernel: needed %llu bytes at a multiple of 0x%llx, in %u arenas",
				   ull(in->kernel_bytes), ull(in->kernel_align), nr);
	out->kernel = round_up(room[kernel].start, in->kernel_align);
	room[kernel].start = out->kernel + in->kernel_bytes;

	for (s = 0; s < 2; s++) {
		uint32_t best = nr;

		*place[s] = 0;
		if (!bytes[s])
			continue;
		for (i = 0; i < nr; i++)
			if (room[i].end - room[i].start >= bytes[s] &&
			    (best == nr || i == kernel))
				best = i;
		if (best == nr)
			return log_refusal(-ENOSPC,
					   "no arena below 4 GiB has room for the %s: needed %llu bytes beside the kernel, in %u arenas",
					   s ? "boot parameters" : "initrd", ull(bytes[s]), nr);
		room[best].end -= bytes[s];
		*place[s] = room[best].end;
	}
	return 0;
}

static bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a < add(b, b_bytes) && b < add(a, a_bytes);
}

/*
 * Whole, aligned GiB in the arenas that initrd and block leave alone. Of these
 * the kernel, where ever it lands, spoils at most two.
 */
static uint64_t gigantic_places(const struct placement_inputs *in, const struct placement *at,
				const struct pramfs_arena *arena, uint32_t nr)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		uint64_t p = round_up(arena[i].start, GIB), end = add(arena[i].start, arena[i].bytes);

		for (; p < end && end - p >= GIB; p += GIB)
			if (!overlap(p, GIB, at->initrd, in->initrd_bytes) &&
			    !overlap(p, GIB, at->block, in->block_bytes))
				n++;
	}
	return n;
}

/*
 * Before it reserves for crashkernel=, a kernel makes a few small allocations,
 * from the top of free memory down. If the old crash region were the topmost
 * free memory it would be nibbled at, and the same size would not fit again.
 */
static bool crash_regions_safe(const struct placement_inputs *in,
			       const struct pramfs_arena *arena, uint32_t nr)
{
	uint64_t top = nr ? arena[nr - 1].start : 0;
	uint32_t i;

	for (i = 0; i < in->nr_crash; i++)
		if (in->crash[i].start > top)
			return false;
	return true;
}

int placement_verify(const struct placement_inputs *in, const struct demand *d,
		     const struct placement *at, const struct pramfs_arena *arena, uint32_t nr)
{
	uint64_t places;

	if (d->old_crash && !crash_regions_safe(in, arena, nr))
		return -EAGAIN;
	if (!in->res->gigantic)
		return 0;
	places = gigantic_places(in, at, arena, nr);
	if (places < add(in->res->gigantic, 2))
		return log_refusal(-ENOSPC,
				   "the new kernel's command line asks for %llu pages of 1 GiB (hugepages=, hugetlb_cma=): %llu aligned places needed, 2 of them for the kernel to land in, found %llu in the boot arena; ask for fewer",
				   ull(in->res->gigantic), ull(in->res->gigantic + 2), ull(places));
	return 0;
}
