// SPDX-License-Identifier: GPL-2.0
/*
 * criu_stats - what CRIU noted of a dump or a restore, as metrics.
 *
 *	criu_stats NAME FILE...
 *
 * FILE is stats-dump or stats-restore: two magic numbers, a length, and one
 * protobuf message (criu/images/stats.proto), of which field 1 holds the figures
 * of a dump and 2 those of a restore. Times are microseconds.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

#define SERVICE_MAGIC	0x55105940
#define STATS_MAGIC	0x57093306

/* By field number; those that are not here are not told. */
static const char *const dump[] = {
	[1] = "freezing_us", [2] = "frozen_us", [3] = "memdump_us", [4] = "memwrite_us",
	[5] = "pages_scanned", [7] = "pages_written",
};
static const char *const restore[] = {
	[1] = "pages_compared", [3] = "forking_us", [4] = "restore_us", [5] = "pages_restored",
};

struct message {
	const uint8_t *at, *end;
};

static uint64_t varint(struct message *m)
{
	uint64_t value = 0;

	for (int shift = 0; m->at < m->end && shift < 64; shift += 7) {
		value |= (uint64_t)(*m->at & 0x7f) << shift;
		if (!(*m->at++ & 0x80))
			return value;
	}
	errno = EINVAL;
	die("a number that does not end");
}

static void tell(const char *name, struct message m, const char *const *fields, size_t nr)
{
	char full[128];

	while (m.at < m.end) {
		uint64_t key = varint(&m), value = varint(&m);

		if (key & 7) {
			errno = EINVAL;
			die("field %u is not a number", (unsigned int)(key >> 3));
		}
		if (key >> 3 >= nr || !fields[key >> 3])
			continue;
		snprintf(full, sizeof(full), "%s.%s", name, fields[key >> 3]);
		metric(full, value, strstr(full, "_us") ? "us" : "pages");
	}
}

static void tell_file(const char *name, const char *path)
{
	uint8_t bytes[4096];
	uint32_t head[3];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
	struct message m = { bytes + sizeof(head), bytes + n }, inner;
	uint64_t key, size;

	memcpy(head, bytes, sizeof(head));
	if (n < sizeof(head) || head[0] != SERVICE_MAGIC || head[1] != STATS_MAGIC ||
	    head[2] > n - sizeof(head)) {
		errno = EINVAL;
		die("%s is no statistics of CRIU", path);
	}
	fclose(f);
	m.end = m.at + head[2];
	key = varint(&m);
	size = varint(&m);
	if ((key != (1 << 3 | 2) && key != (2 << 3 | 2)) || size > (size_t)(m.end - m.at)) {
		errno = EINVAL;
		die("%s has neither a dump nor a restore", path);
	}
	inner = (struct message){ m.at, m.at + size };
	if (key >> 3 == 1)
		tell(name, inner, dump, sizeof(dump) / sizeof(*dump));
	else
		tell(name, inner, restore, sizeof(restore) / sizeof(*restore));
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: criu_stats NAME FILE...\n", stderr);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		tell_file(argv[1], argv[i]);
	return report_status();
}
