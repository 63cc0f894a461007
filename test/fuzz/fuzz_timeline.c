// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz the timeline's parser, and what is worked out from it: entries in order,
 * phases that follow each other, and what was read can be written and read again.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/phases.h"
#include "common/log.h"

static void silent(enum log_level level, const char *text)
{
	(void)level;
	(void)text;
}

static void require(int ok)
{
	if (!ok)
		abort();
}

static void check_entries(const struct timeline *t)
{
	const struct timeline_entry *e;
	size_t i;

	require(t->hz == 0 || (t->hz >= 1e6 && t->hz <= 1e12));
	for (i = 0; i < t->nr; i++) {
		e = &t->entry[i];
		require(e->stamp < NR_STAMPS);
		require(!i || e->tsc >= e[-1].tsc);
		require(!e->container || (*e->container && !strchr(e->container, '\n')));
	}
}

static void check_phases(const struct timeline *t)
{
	struct phases p;
	size_t i;

	if (phases_make(t, &p))
		return;
	require(p.nr <= t->nr && p.nr_containers <= t->nr);
	for (i = 0; i < p.nr; i++) {
		require(phase_name(p.phase[i].stamp) != NULL);
		require(p.phase[i].begin >= 0 && p.phase[i].end >= p.phase[i].begin);
		require(!i || p.phase[i].begin >= p.phase[i - 1].end);
		require(p.phase[i].end <= p.end);
	}
	require(isnan(p.blackout) || p.blackout > -1e14);
	phases_free(&p);
}

static void check_again(const struct timeline *t)
{
	struct timeline again = { 0 };
	size_t size, i;
	char *text;
	FILE *to = open_memstream(&text, &size);

	for (i = 0; i < t->nr; i++)
		fprintf(to, "%" PRIu64 " %s%s%s\n", t->entry[i].tsc, stamp_name(t->entry[i].stamp),
			t->entry[i].container ? " " : "",
			t->entry[i].container ? t->entry[i].container : "");
	fclose(to);
	require(!timeline_parse(text, "again", &again));
	require(again.nr == t->nr);
	for (i = 0; i < t->nr; i++)
		require(again.entry[i].tsc == t->entry[i].tsc &&
			again.entry[i].stamp == t->entry[i].stamp);
	timeline_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct timeline t = { 0 };
	char *text = malloc(size + 1);

	log_set_sink(silent);
	memcpy(text, data, size);
	text[size] = '\0';
	if (!timeline_parse(text, "F", &t)) {
		check_entries(&t);
		check_phases(&t);
		check_again(&t);
		timeline_free(&t);
	}
	free(text);
	return 0;
}
