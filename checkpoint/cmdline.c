// SPDX-License-Identifier: GPL-2.0
/*
 * cmdline.c - see cmdline.h.
 *
 * Mirrors the parsers of the kernel: lib/cmdline.c, kernel/crash_reserve.c,
 * mm/hugetlb.c, mm/hugetlb_cma.c, kernel/dma/contiguous.c, kernel/dma/swiotlb.c,
 * mm/memblock.c (reserve_mem=), arch/x86/kernel/e820.c (mem=, memmap=).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/strv.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define LOW_END (4 * GIB)

#define CRASH_ALIGN (16 * MIB)
#define CRASH_LOW_DEFAULT (256 * MIB)	/* DEFAULT_CRASH_KERNEL_LOW_SIZE */
#define CMA_ALIGN (4 * MIB)		/* a page block, at most */
#define SWIOTLB_SLAB (2 * KIB)

struct word {
	char *name;
	char *value;	/* NULL without '=' */
};

struct parse {
	const struct cmdline_host *host;
	struct reservations *res;
	uint64_t page_size;		/* of the last hugepagesz=, 0 = the default */
	uint64_t default_page_size;
	uint64_t default_pages;		/* asked of the default size */
	bool crash_plain, crash_high, crash_low, crash_cma;	/* seen */
	uint64_t plain_bytes, plain_base, high_bytes, low_bytes, cma_bytes;
};

static uint64_t add_sat(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t mul_sat(uint64_t a, uint64_t b)
{
	return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

uint64_t cmdline_memparse(const char *text, const char **end)
{
	static const char suffixes[] = "KMGTPE";
	const char *p = text, *s;
	unsigned int base = 10;
	uint64_t v = 0;

	if (p[0] == '0' && (p[1] | 32) == 'x' && digit_of(p[2]) < 16) {
		base = 16;
		p += 2;
	} else if (p[0] == '0') {
		base = 8;
	}
	if (digit_of(*p) >= (int)base) {
		*end = text;
		return 0;
	}
	for (; digit_of(*p) < (int)base; p++)
		v = add_sat(mul_sat(v, base), (uint64_t)digit_of(*p));
	s = *p ? strchr(suffixes, *p & ~32) : NULL;
	if (s && *s) {
		v = mul_sat(v, 1ull << (10 * (s - suffixes + 1)));
		p++;
	}
	*end = p;
	return v;
}

/* A name matches with '-' for '_', as in the kernel's parameq(). */
static bool name_is(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != *b)
			return false;
	return *a == *b;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

/*
 * Cut the next word off *rest, in place, as the kernel's next_arg(): quotes
 * hold spaces together and are taken off around a value or a whole word.
 */
static bool next_word(char **rest, struct word *word)
{
	char *p = *rest, *equals = NULL;
	bool quoted = false;

	while (is_space(*p))
		p++;
	if (!*p)
		return false;
	word->name = p;
	for (; *p && (quoted || !is_space(*p)); p++) {
		if (*p == '=' && !equals)
			equals = p;
		if (*p == '"')
			quoted = !quoted;
	}
	*rest = *p ? p + 1 : p;
	*p = '\0';
	word->value = NULL;
	if (equals) {
		*equals = '\0';
		word->value = equals + 1;
		if (p > word->value && *word->value == '"') {
			word->value++;
			if (p > word->value && p[-1] == '"')
				p[-1] = '\0';
		}
	}
	if (*word->name == '"')
		word->name++;
	return true;
}

static void ignored(const char *parameter, const char *value, const char *expected)
{
	log_warning("%s=%s: the new kernel will ignore it, expected %s", parameter, value, expected);
}

static int add_contig(struct reservations *res, const char *parameter, uint64_t bytes,
		      uint64_t align, bool crash)
{
	if (!bytes)
		return 0;
	if (res->nr == RESERVATIONS_MAX)
		return log_refusal(-EINVAL,
				   "%s=: more than %d reservations on the command line of the new kernel",
				   parameter, RESERVATIONS_MAX);
	res->contig[res->nr++] = (struct reservation){ parameter, bytes, align, crash };
	return 0;
}

/* ---- crashkernel= ------------------------------------------------------ */

/* start-[end]:size,... : the size for this machine's memory. False: not in that form. */
static bool crash_ranges(const char *value, uint64_t ram, uint64_t *bytes, uint64_t *base)
{
	const char *p = value, *end;

	ram = (ram + 128 * MIB - 1) / (128 * MIB) * (128 * MIB);
	*bytes = *base = 0;
	do {
		uint64_t from, to = UINT64_MAX, size;

		from = cmdline_memparse(p, &end);
		if (end == p || *end != '-')
			return false;
		p = end + 1;
		if (*p != ':') {
			to = cmdline_memparse(p, &end);
			if (end == p || to <= from)
				return false;
			p = end;
		}
		if (*p != ':')
			return false;
		p++;
		size = cmdline_memparse(p, &end);
		if (end == p || size >= ram)
			return false;
		p = end;
		if (ram >= from && ram < to) {
			*bytes = size;
			break;
		}
	} while (*p++ == ',');
	if (!*bytes)
		return true;
	p = strchr(p, '@');
	if (p) {
		*base = cmdline_memparse(p + 1, &end);
		return end != p + 1;
	}
	return true;
}

/* X[@Y] */
static bool crash_simple(const char *value, uint64_t *bytes, uint64_t *base)
{
	const char *end;

	*base = 0;
	*bytes = cmdline_memparse(value, &end);
	if (end == value)
		return false;
	if (*end == '@')
		*base = cmdline_memparse(end + 1, &end);
	else if (*end)
		return false;
	return true;
}

static int parse_crashkernel(struct parse *p, const char *value)
{
	const char *end;
	uint64_t bytes = cmdline_memparse(value, &end), base = 0;
	bool ok = end != value, suffix = true;

	/* of several of one form, the last one counts */
	if (str_ends_with(value, ",high")) {
		p->crash_high = true;
		ok = ok && !strcmp(end, ",high");
		p->high_bytes = ok ? bytes : 0;
	} else if (str_ends_with(value, ",low")) {
		ok = ok && !strcmp(end, ",low");
		p->crash_low = true;
		p->low_bytes = ok ? bytes : 0;
	} else if (str_ends_with(value, ",cma")) {
		ok = ok && !strcmp(end, ",cma");
		p->crash_cma = true;
		p->cma_bytes = ok ? bytes : 0;
	} else {
		suffix = false;
		ok = strchr(value, ':') ? crash_ranges(value, p->host->ram_bytes, &bytes, &base) :
					  crash_simple(value, &bytes, &base);
		p->crash_plain = true;
		p->plain_bytes = ok ? bytes : 0;
		p->plain_base = ok ? base : 0;
	}
	if (!ok)
		ignored("crashkernel", value,
			suffix ? "SIZE,high SIZE,low or SIZE,cma" :
				 "SIZE[@OFFSET] or START-[END]:SIZE[,...][@OFFSET]");
	return 0;
}

/*
 * X: below 4 GiB. X,high: above, or below when there is no room; and then a
 * low part is needed if it does lie above. Which of the two happens is not
 * known here, so both are counted below 4 GiB.
 */
static int finish_crashkernel(struct parse *p)
{
	struct reservations *res = p->res;
	uint64_t low = p->crash_low ? p->low_bytes : CRASH_LOW_DEFAULT;
	uint64_t bytes = p->crash_plain ? p->plain_bytes : p->high_bytes;
	int err = 0;

	if (!p->crash_plain && !p->crash_high)
		bytes = 0;
	if (bytes >= p->host->ram_bytes) {
		log_warning("crashkernel=: %llu bytes are more than this machine has, the new kernel will ignore it",
			    (unsigned long long)bytes);
		bytes = 0;
	}
	if (!bytes)
		return 0;
	if (p->crash_plain && p->plain_base) {
		res->crash_base = p->plain_base;
		res->crash_bytes = bytes;
		return 0;
	}
	err = add_contig(res, "crashkernel", bytes, CRASH_ALIGN, true);
	if (!err && !p->crash_plain)
		err = add_contig(res, "crashkernel (low part)", low, CRASH_ALIGN, true);
	if (p->crash_cma)
		res->low = add_sat(res->low, p->cma_bytes);
	return err;
}

/* ---- huge pages -------------------------------------------------------- */

static int add_pages(struct parse *p, uint64_t page_size, uint64_t pages)
{
	if (page_size == GIB)
		p->res->gigantic = add_sat(p->res->gigantic, pages);
	else
		p->res->scattered = add_sat(p->res->scattered, mul_sat(page_size, pages));
	return 0;
}

/* N, or node:N,node:N. Suffixes are not allowed here (the kernel uses sscanf). */
static bool parse_count(const char *value, uint64_t *count)
{
	const char *p = value;
	uint64_t sum = 0;

	for (;;) {
		char *end;
		unsigned long long n;

		if (*p < '0' || *p > '9')
			return false;
		n = strtoull(p, &end, 10);
		if (*end == ':') {
			p = end + 1;
			if (*p < '0' || *p > '9')
				return false;
			n = strtoull(p, &end, 10);
		}
		sum = add_sat(sum, n);
		if (!*end)
			break;
		if (*end != ',')
			return false;
		p = end + 1;
	}
	*count = sum;
	return true;
}

static bool huge_size(const char *parameter, const char *value, uint64_t *bytes)
{
	const char *end;
	uint64_t n = cmdline_memparse(value, &end);

	if (end == value || (n != 2 * MIB && n != GIB)) {
		ignored(parameter, value, "2M or 1G");
		return false;
	}
	*bytes = n;
	return true;
}

static int parse_hugepagesz(struct parse *p, const char *value)
{
	/* after a size that it does not know the kernel ignores the next hugepages= */
	if (!huge_size("hugepagesz", value, &p->page_size))
		p->page_size = UINT64_MAX;
	return 0;
}

static int parse_default_hugepagesz(struct parse *p, const char *value)
{
	huge_size("default_hugepagesz", value, &p->default_page_size);
	p->page_size = 0;
	return 0;
}

static int parse_hugepages(struct parse *p, const char *value)
{
	uint64_t count;

	if (p->page_size == UINT64_MAX)
		return 0;
	if (!parse_count(value, &count)) {
		ignored("hugepages", value, "a number, or NODE:NUMBER[,...]");
		return 0;
	}
	if (p->page_size)
		return add_pages(p, p->page_size, count);
	p->default_pages = add_sat(p->default_pages, count);
	return 0;
}

/* SIZE, or node:SIZE,...; whole areas, each a multiple of 1 GiB and so aligned. */
static int parse_hugetlb_cma(struct parse *p, const char *value)
{
	const char *s = value, *end;
	uint64_t pages = 0;

	for (;;) {
		uint64_t n = cmdline_memparse(s, &end);

		if (end == s)
			break;
		if (*end == ':') {
			s = end + 1;
			n = cmdline_memparse(s, &end);
			if (end == s)
				break;
		}
		/* without nodes it is shared out, and rounded up on each node */
		pages = add_sat(pages, n / GIB + (n % GIB != 0));
		if (!*end) {
			if (!strchr(value, ':') && pages)
				pages = add_sat(pages, p->host->nodes - 1);
			p->res->gigantic = add_sat(p->res->gigantic, pages);
			return 0;
		}
		if (*end != ',')
			break;
		s = end + 1;
	}
	ignored("hugetlb_cma", value, "SIZE, or NODE:SIZE[,...]");
	return 0;
}

/* ---- other areas ------------------------------------------------------- */

/* SIZE[@START[-END]] */
static int parse_cma(struct parse *p, const char *value)
{
	const char *end;
	uint64_t bytes = cmdline_memparse(value, &end), from = 0, to = 0;

	if (end == value) {
		ignored("cma", value, "SIZE[@START[-END]]");
		return 0;
	}
	if (*end == '@') {
		from = cmdline_memparse(end + 1, &end);
		to = *end == '-' ? cmdline_memparse(end + 1, &end) : add_sat(from, bytes);
		if (bytes && (from > 16 * MIB || to < LOW_END))
			return log_refusal(-EINVAL,
					   "cma=%s: memory between 0x%llx and 0x%llx cannot be guaranteed to be free; give cma=SIZE without a place",
					   value, (unsigned long long)from, (unsigned long long)to);
	}
	return add_contig(p->res, "cma", bytes, CMA_ALIGN, false);
}

static int parse_cma_pernuma(struct parse *p, const char *value)
{
	const char *end;
	uint64_t bytes = cmdline_memparse(value, &end);
	uint32_t i;
	int err = 0;

	for (i = 0; i < p->host->nodes && !err; i++)
		err = add_contig(p->res, "cma_pernuma", bytes, CMA_ALIGN, false);
	return err;
}

/* node:SIZE[,node:SIZE] */
static int parse_numa_cma(struct parse *p, const char *value)
{
	const char *s = value, *end;
	int err = 0;

	while (!err) {
		uint64_t bytes;

		cmdline_memparse(s, &end);
		if (end == s || *end != ':')
			break;
		s = end + 1;
		bytes = cmdline_memparse(s, &end);
		err = add_contig(p->res, "numa_cma", bytes, CMA_ALIGN, false);
		if (*end != ',')
			break;
		s = end + 1;
	}
	return err;
}

/* SIZE:ALIGN:NAME */
static int parse_reserve_mem(struct parse *p, const char *value)
{
	const char *end, *s;
	uint64_t bytes = cmdline_memparse(value, &end), align;

	if (!bytes || *end != ':')
		goto bad;
	s = end + 1;
	align = cmdline_memparse(s, &end);
	if (end == s || *end != ':' || !end[1])
		goto bad;
	if (align < 4 * KIB)
		align = 4 * KIB;
	return add_contig(p->res, "reserve_mem", bytes, align, false);
bad:
	ignored("reserve_mem", value, "SIZE:ALIGN:NAME");
	return 0;
}

/* [SLABS][,AREAS][,force|,noforce] */
static int parse_swiotlb(struct parse *p, const char *value)
{
	struct reservations *res = p->res;
	const char *end;
	uint64_t slabs;

	if (*value >= '0' && *value <= '9') {
		slabs = cmdline_memparse(value, &end);
		/* rounded up to a segment of 128 slabs */
		res->swiotlb = mul_sat(slabs / 128 + (slabs % 128 != 0), 128 * SWIOTLB_SLAB);
		res->swiotlb_given = true;
	}
	if (strstr(value, "noforce")) {
		res->swiotlb_given = true;
		res->swiotlb = 0;
	} else if (strstr(value, "force")) {
		res->swiotlb_force = true;
	}
	return 0;
}

static int parse_log_buf_len(struct parse *p, const char *value)
{
	const char *end;

	/* the buffer, and half as much again for its descriptors; a power of two */
	p->res->low = add_sat(p->res->low, mul_sat(cmdline_memparse(value, &end), 3));
	return 0;
}

/* ---- mem= and memmap= --------------------------------------------------- */

/* Does the running kernel have the very same parameter? */
static bool running_has(const struct parse *p, const char *name, const char *value)
{
	_cleanup_free_ char *copy = strdup(p->host->running);
	char *rest = copy;
	struct word w;

	while (copy && next_word(&rest, &w))
		if (w.value && name_is(w.name, name) && !strcmp(w.value, value))
			return true;
	return false;
}

/*
 * These change what is memory at all. When the running kernel has the very
 * same, nothing that it uses, and so nothing that is handed over, lies in what
 * they take away. Otherwise handed-over memory could vanish: refused.
 */
static int parse_limit(struct parse *p, const char *name, const char *value)
{
	if (running_has(p, name, value))
		return 0;
	return log_refusal(-EINVAL,
			   "%s=%s: it changes which memory there is, and the running kernel was not started with it, so memory that is handed over could be lost; leave it out, or reboot with it first",
			   name, value);
}

static int parse_mem(struct parse *p, const char *value)
{
	const char *end;
	uint64_t bytes;

	if (!strcmp(value, "nopentium"))
		return 0;
	bytes = cmdline_memparse(value, &end);
	/* ram_bytes leaves holes out, so this is only sure well above it */
	if (end != value && bytes / 2 >= p->host->ram_bytes && bytes > 2 * LOW_END)
		return 0;
	return parse_limit(p, "mem", value);
}

static int parse_memmap(struct parse *p, const char *value)
{
	return parse_limit(p, "memmap", value);
}

static int parse_root(struct parse *p, const char *value)
{
	p->res->has_root = *value != '\0';
	return 0;
}

static const struct {
	const char *name;
	int (*parse)(struct parse *p, const char *value);
} parameters[] = {
	{ "crashkernel", parse_crashkernel },
	{ "hugepagesz", parse_hugepagesz },
	{ "default_hugepagesz", parse_default_hugepagesz },
	{ "hugepages", parse_hugepages },
	{ "hugetlb_cma", parse_hugetlb_cma },
	{ "cma", parse_cma },
	{ "cma_pernuma", parse_cma_pernuma },
	{ "numa_cma", parse_numa_cma },
	{ "reserve_mem", parse_reserve_mem },
	{ "swiotlb", parse_swiotlb },
	{ "log_buf_len", parse_log_buf_len },
	{ "mem", parse_mem },
	{ "memmap", parse_memmap },
	{ "root", parse_root },
};

static int parse_word(struct parse *p, const struct word *w)
{
	size_t i;

	for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
		if (name_is(w->name, parameters[i].name))
			return parameters[i].parse(p, w->value);
	return 0;
}

int cmdline_reservations(const char *cmdline, const struct cmdline_host *host,
			 struct reservations *res)
{
	_cleanup_free_ char *copy = strdup(cmdline);
	struct parse p = { .host = host, .res = res, .default_page_size = 2 * MIB };
	char *rest = copy;
	struct word w;
	int err;

	if (!copy)
		return log_syserr(ENOMEM, "cannot read the command line");
	*res = (struct reservations){ 0 };
	while (next_word(&rest, &w)) {
		/* what follows is for init */
		if (!strcmp(w.name, "--"))
			break;
		err = w.value ? parse_word(&p, &w) : 0;
		if (err)
			return err;
	}
	add_pages(&p, p.default_page_size, p.default_pages);
	return finish_crashkernel(&p);
}

bool cmdline_value(const char *cmdline, const char *name, size_t nth, char *value, size_t size)
{
	_cleanup_free_ char *copy = strdup(cmdline);
	char *rest = copy;
	struct word w;

	while (copy && next_word(&rest, &w)) {
		if (strcmp(w.name, name) || nth--)
			continue;
		snprintf(value, size, "%s", w.value ? w.value : "");
		return true;
	}
	return false;
}

/* Words that the next kernel is not given: a boot loader's, or for one boot only. */
static bool is_dropped(const char *word, size_t length)
{
	static const char skip[] = "rebootless.skip";

	return !strncmp(word, "BOOT_IMAGE=", 11) || !strncmp(word, "initrd=", 7) ||
	       (length == strlen(skip) && !strncmp(word, skip, length));
}

void cmdline_without_loader(const char *cmdline, char *out)
{
	const char *p = cmdline;
	size_t used = 0;

	while (*p) {
		const char *start;
		bool quoted = false;

		while (is_space(*p))
			p++;
		start = p;
		for (; *p && (quoted || !is_space(*p)); p++)
			if (*p == '"')
				quoted = !quoted;
		if (p == start || is_dropped(start, (size_t)(p - start)))
			continue;
		if (used)
			out[used++] = ' ';
		memcpy(out + used, start, (size_t)(p - start));
		used += (size_t)(p - start);
	}
	out[used] = '\0';
}
