// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/setup_data.h"
#include "common/stamp_node.h"
#include "common/timeline.h"
#include "pramfs-module/pramfs_format.h"

#define SETUP_DATA_HEAD 16	/* struct setup_data, which `data` leaves out */
#define MAX_TEXT (4u << 20)
#define MIN_CALIBRATION_NS 20000000ull

static const char *const names[NR_STAMPS] = {
	[STAMP_PREPARE] = "prepare",
	[STAMP_PREPARED] = "prepared",
	[STAMP_FREEZE] = "freeze",
	[STAMP_CAPTURED] = "captured",
	[STAMP_SEAL] = "seal",
	[STAMP_SEALED] = "sealed",
	[STAMP_KERNEL] = "kernel",
	[STAMP_INITRAMFS] = "initramfs",
	[STAMP_STORE] = "store",
	[STAMP_ROOT] = "root",
	[STAMP_RESTORE] = "restore",
	[STAMP_RESTORED] = "restored",
	[STAMP_PIVOT] = "pivot",
	[STAMP_SETTLED] = "settled",
	[STAMP_COMMITTED] = "committed",
};

const char *stamp_name(enum stamp stamp)
{
	return stamp < NR_STAMPS ? names[stamp] : "unknown";
}

static int stamp_find(const char *name, size_t length, enum stamp *stamp)
{
	unsigned int i;

	for (i = 0; i < NR_STAMPS; i++) {
		if (strlen(names[i]) == length && !memcmp(names[i], name, length)) {
			*stamp = (enum stamp)i;
			return 0;
		}
	}
	return -ENOENT;
}

/* ---- writing ------------------------------------------------------------ */

static bool one_line(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* One write per line: two programs that stamp at the same time do not mix theirs. */
__attribute__((format(printf, 2, 3)))
static void append(const char *store, const char *fmt, ...)
{
	_cleanup_free_ char *path = NULL, *line = NULL;
	_cleanup_close_ int fd = -1;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vasprintf(&line, fmt, args);
	va_end(args);
	if (length < 0)
		line = NULL;
	if (length < 0 || asprintf(&path, "%s/" TIMELINE_FILE, store) < 0) {
		path = NULL;
		log_detail("no memory for a line of the timeline");
		return;
	}
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, (size_t)length) != length)
		log_detail("cannot add to the timeline %s: %s", path, strerror(errno));
}

void timeline_stamp_at(const char *store, uint64_t tsc, enum stamp stamp, const char *container)
{
	if (container && (!*container || !one_line(container)))
		log_detail("the timeline cannot name this container, its stamp %s is left out",
			   stamp_name(stamp));
	else
		append(store, "%" PRIu64 " %s%s%s\n", tsc, stamp_name(stamp), container ? " " : "",
		       container ? container : "");
}

void timeline_stamp(const char *store, enum stamp stamp, const char *container)
{
	timeline_stamp_at(store, __rdtsc(), stamp, container);
}

/* ---- frequency ---------------------------------------------------------- */

struct instant {
	uint64_t tsc;
	uint64_t ns;
};

static struct instant calibration;	/* .ns = 0: not begun */

/* Both clocks at one time: of several tries the one that took least. */
static struct instant read_clocks(void)
{
	uint64_t least = UINT64_MAX, before, after;
	struct instant best = { 0 };
	struct timespec now;
	int i;

	for (i = 0; i < 16; i++) {
		before = __rdtsc();
		clock_gettime(CLOCK_MONOTONIC_RAW, &now);
		after = __rdtsc();
		if (after - before >= least)
			continue;
		least = after - before;
		best.tsc = before + least / 2;
		best.ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	}
	return best;
}

void timeline_calibrate_begin(void)
{
	if (!calibration.ns)
		calibration = read_clocks();
}

void timeline_calibrate_end(const char *store)
{
	struct instant now;
	struct timespec rest = { 0 };

	if (!calibration.ns)
		return;
	now = read_clocks();
	if (now.ns - calibration.ns < MIN_CALIBRATION_NS) {
		rest.tv_nsec = (long)(MIN_CALIBRATION_NS - (now.ns - calibration.ns));
		nanosleep(&rest, NULL);
		now = read_clocks();
	}
	append(store, "frequency %.0f\n", (double)(now.tsc - calibration.tsc) * 1e9 /
	       (double)(now.ns - calibration.ns));
}

/* ---- what the old kernel could not write --------------------------------- */

static uint64_t early_sealed, early_now;

/* 0: not there, which was said. */
static uint64_t kernel_tsc(void)
{
	struct stamp_node stamp = { 0 };
	int nr = setup_data_find(STAMP_SETUP_TYPE), err;

	err = nr < 0 ? nr : setup_data_read((unsigned int)nr, &stamp, sizeof(stamp));
	if (err)
		log_detail("the old kernel has left no time of its jump: %s", strerror(-err));
	return le64toh(stamp.tsc);
}

static uint64_t sealed_tsc(void)
{
	struct pramfs_root root = { 0 };
	size_t size = offsetof(struct pramfs_root, sealed_tsc) + sizeof(root.sealed_tsc);
	int nr = setup_data_find(PRAMFS_SETUP_TYPE), err;

	err = nr < 0 ? nr : setup_data_read((unsigned int)nr, (char *)&root + SETUP_DATA_HEAD,
				      size - SETUP_DATA_HEAD);
	if (err) {
		log_detail("the old kernel has left no time of its seal: %s", strerror(-err));
		return 0;
	}
	if (le64toh(root.magic) != PRAMFS_ROOT_MAGIC ||
	    le16toh(root.major) != PRAMFS_FORMAT_MAJOR ||
	    le32toh(root.state) != PRAMFS_STATE_SEALED)
		return 0;
	return le64toh(root.sealed_tsc);
}

void timeline_import_early(void)
{
	early_now = __rdtsc();
	early_sealed = sealed_tsc();
}

static void add_once(const char *store, const struct timeline *there, uint64_t tsc, enum stamp which)
{
	size_t i;

	for (i = 0; i < there->nr; i++)
		if (there->entry[i].stamp == which && there->entry[i].tsc == tsc)
			return;
	if (tsc)
		timeline_stamp_at(store, tsc, which, NULL);
}

void timeline_import(const char *store)
{
	_cleanup_timeline_ struct timeline there = { 0 };

	/* One that cannot be read is said by whoever shows it; it can be added to. */
	timeline_read(store, &there);
	add_once(store, &there, early_sealed ? early_sealed : sealed_tsc(), STAMP_SEALED);
	add_once(store, &there, kernel_tsc(), STAMP_KERNEL);
	add_once(store, &there, early_now, STAMP_INITRAMFS);
}

/* ---- reading ------------------------------------------------------------ */

static int parse_frequency(const char *s, double *hz)
{
	char *end;
	double v;

	/* strtod() alone would take signs, white space, "inf" and "0x". */
	if (s[strspn(s, "0123456789.")] || !*s)
		return -EINVAL;
	v = strtod(s, &end);
	if (*end || !(v >= 1e6 && v <= 1e12))
		return -EINVAL;
	*hz = v;
	return 0;
}

static int parse_tsc(const char *s, char **end, uint64_t *tsc)
{
	unsigned long long v;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(s, end, 10);
	if (errno || **end != ' ')
		return -EINVAL;
	(*end)++;
	*tsc = v;
	return 0;
}

static int add_entry(struct timeline *t, uint64_t tsc, enum stamp stamp, const char *container)
{
	struct timeline_entry *more;

	/* it doubles when it is full, which is when nr is 0 or a power of two */
	if (!(t->nr & (t->nr - 1))) {
		more = realloc(t->entry, (t->nr ? 2 * t->nr : 1) * sizeof(*more));
		if (!more)
			return log_syserr(ENOMEM, "cannot keep %zu stamps", t->nr + 1);
		t->entry = more;
	}
	t->entry[t->nr] = (struct timeline_entry){ tsc, stamp, NULL };
	if (container) {
		t->entry[t->nr].container = strdup(container);
		if (!t->entry[t->nr].container)
			return log_syserr(ENOMEM, "cannot keep %zu stamps", t->nr + 1);
	}
	t->nr++;
	return 0;
}

static int parse_line(char *line, const char *path, unsigned int nr, struct timeline *t)
{
	char *name, *container;
	enum stamp stamp;
	uint64_t tsc;

	if (!strncmp(line, "frequency ", 10)) {
		if (parse_frequency(line + 10, &t->hz))
			return log_refusal(-EINVAL,
					   "%s line %u: \"%.80s\", expected a frequency in Hz from 1e6 to 1e12",
					   path, nr, line);
		return 0;
	}
	if (parse_tsc(line, &name, &tsc))
		return log_refusal(-EINVAL,
				   "%s line %u: \"%.80s\", expected a time stamp and a name", path,
				   nr, line);
	container = strchrnul(name, ' ');
	if (stamp_find(name, (size_t)(container - name), &stamp))
		return log_refusal(-EINVAL, "%s line %u: there is no stamp \"%.*s\"", path, nr,
				   (int)(container - name < 80 ? container - name : 80), name);
	if (*container && (!*++container || !one_line(container)))
		return log_refusal(-EINVAL, "%s line %u: \"%.80s\", expected a container's name",
				   path, nr, line);
	return add_entry(t, tsc, stamp, *container ? container : NULL);
}

static int by_time(const void *a, const void *b)
{
	const struct timeline_entry *x = a, *y = b;

	if (x->tsc != y->tsc)
		return x->tsc < y->tsc ? -1 : 1;
	if (x->stamp != y->stamp)
		return x->stamp < y->stamp ? -1 : 1;
	return strcmp(x->container ? x->container : "", y->container ? y->container : "");
}

int timeline_parse(const char *text, const char *path, struct timeline *timeline)
{
	_cleanup_timeline_ struct timeline t = { 0 };
	_cleanup_free_ char *copy = strdup(text);
	char *line, *end;
	unsigned int nr;
	int err;

	if (!copy)
		return log_syserr(ENOMEM, "cannot read %s", path);
	for (line = copy, nr = 1; *line; line = end + 1, nr++) {
		end = strchr(line, '\n');
		if (!end)
			return log_refusal(-EINVAL, "%s line %u is cut off", path, nr);
		*end = '\0';
		err = parse_line(line, path, nr, &t);
		if (err)
			return err;
	}
	if (t.nr)
		qsort(t.entry, t.nr, sizeof(*t.entry), by_time);
	*timeline = t;
	t = (struct timeline){ 0 };
	return 0;
}

int timeline_read(const char *store, struct timeline *timeline)
{
	_cleanup_free_ char *path = NULL, *text = malloc(MAX_TEXT);
	int n;

	if (!text || asprintf(&path, "%s/" TIMELINE_FILE, store) < 0) {
		path = NULL;
		return log_syserr(ENOMEM, "cannot read the timeline");
	}
	n = file_read(path, text, MAX_TEXT);
	if (n == -ENOENT)
		return n;
	if (n < 0)
		return log_syserr(-n, "cannot read %s", path);
	if (strlen(text) != (size_t)n)
		return log_refusal(-EINVAL, "%s is damaged: there is a NUL in it", path);
	return timeline_parse(text, path, timeline);
}

void timeline_free(struct timeline *timeline)
{
	size_t i;

	for (i = 0; i < timeline->nr; i++)
		free(timeline->entry[i].container);
	free(timeline->entry);
	*timeline = (struct timeline){ 0 };
}
