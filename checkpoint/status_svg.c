// SPDX-License-Identifier: GPL-2.0
/*
 * status_svg.c - the timeline drawn: a row for the whole update, coloured by
 * phase, and one for each container. SVG 1.1 without scripts or style sheets,
 * so that every viewer shows it.
 */
#include <math.h>
#include <string.h>

#include "status.h"

#define LEFT 180.0		/* column of names */
#define CHART 920.0
#define RIGHT 120.0		/* column of the blackouts */
#define TOP 64.0
#define ROW 34.0
#define BAR 22.0
#define LEGEND_ROW 22.0
#define LEGEND_COLUMNS 3
#define NAME_LETTERS 22		/* that fit into LEFT */

/* Apart enough from their neighbours, also for those who see colours differently. */
static const char *const phase_colours[NR_STAMPS] = {
	[STAMP_PREPARE] = "#9ecae1",
	[STAMP_PREPARED] = "#bdbdbd",
	[STAMP_FREEZE] = "#e6550d",
	[STAMP_CAPTURED] = "#fdae6b",
	[STAMP_SEAL] = "#7b4173",
	[STAMP_SEALED] = "#252525",
	[STAMP_KERNEL] = "#3182bd",
	[STAMP_INITRAMFS] = "#6baed6",
	[STAMP_STORE] = "#e7ba52",
	[STAMP_ROOT] = "#31a354",
	[STAMP_RESTORED] = "#a1d99b",
	[STAMP_PIVOT] = "#c7e9c0",
};

static const struct {
	const char *colour, *meaning;
} container_kinds[] = {
	{ "#d9f0d3", "runs" },
	{ "#e6550d", "is being saved" },
	{ "#969696", "is only in memory" },
	{ "#31a354", "is being restored" },
	{ "#de2d26", "restore failed" },
};

enum { RUNS, SAVED, HELD, RESTORED, FAILED, NR_KINDS };

struct chart {
	const struct phases *phases;
	FILE *to;
	double y;		/* of the row that is being drawn */
};

/* Text that is safe anywhere in XML; what is not ASCII is '?', no name needs it. */
static void put_text(FILE *to, const char *s, size_t most)
{
	size_t i;

	for (i = 0; s[i] && i < most; i++) {
		if (s[i] == '&')
			fputs("&amp;", to);
		else if (s[i] == '<')
			fputs("&lt;", to);
		else if (s[i] == '>')
			fputs("&gt;", to);
		else if (s[i] == '"')
			fputs("&quot;", to);
		else
			fputc((unsigned char)s[i] < ' ' || (unsigned char)s[i] >= 0x7f ? '?' : s[i], to);
	}
	if (s[i])
		fputs("...", to);
}

static double x_of(const struct chart *c, double at)
{
	double end = c->phases->end > 0 ? c->phases->end : 1;
	double x = LEFT + at / end * CHART;

	return x < LEFT ? LEFT : x > LEFT + CHART ? LEFT + CHART : x;
}

/* A bar from one time to another, at least wide enough to be seen; its title shows on hovering. */
static void put_bar(const struct chart *c, double begin, double end, const char *fill,
		    const char *title)
{
	double x = x_of(c, begin), width = x_of(c, end) - x;

	if (!(end > begin))
		return;
	if (width < 1)
		width = 1;
	fprintf(c->to, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.0f\" fill=\"%s\"><title>",
		x, c->y, width, BAR, fill);
	put_text(c->to, title, 200);
	fprintf(c->to, ": %.3f %s</title></rect>\n", end - begin, c->phases->unit);
}

static void put_label(const struct chart *c, const char *name)
{
	fprintf(c->to, "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 10,
		c->y + BAR / 2 + 5);
	put_text(c->to, name, NAME_LETTERS);
	fputs("</text>\n", c->to);
}

/* At the end of a row. */
static void put_note(const struct chart *c, const char *text, const char *fill)
{
	fprintf(c->to, "<text x=\"%.0f\" y=\"%.1f\" fill=\"%s\">%s</text>\n", LEFT + CHART + 10,
		c->y + BAR / 2 + 5, fill, text);
}

static void put_seconds(const struct chart *c, double seconds)
{
	char text[48];

	if (isnan(seconds))
		return;
	snprintf(text, sizeof(text), "%.3f %s", seconds, c->phases->unit);
	put_note(c, text, "#000");
}

static void put_whole(struct chart *c)
{
	const struct phases *p = c->phases;
	size_t i;

	put_label(c, "update");
	for (i = 0; i < p->nr; i++)
		put_bar(c, p->phase[i].begin, p->phase[i].end,
			phase_colours[p->phase[i].stamp], phase_name(p->phase[i].stamp));
	put_seconds(c, p->end);
	c->y += ROW;
}

static void put_kind(const struct chart *c, double begin, double end, int kind)
{
	put_bar(c, begin, end, container_kinds[kind].colour, container_kinds[kind].meaning);
}

/* The first of these that is known, else the end of the drawing. */
static double first_of(const struct chart *c, double a, double b, double d)
{
	return !isnan(a) ? a : !isnan(b) ? b : !isnan(d) ? d : c->phases->end;
}

static void put_container(struct chart *c, const char *name, const struct container_times *t,
			  bool failed)
{
	double freeze, captured, restore, restored;

	put_label(c, name);
	if (t) {
		restored = first_of(c, t->restored, NAN, NAN);
		restore = first_of(c, t->restore, t->restored, NAN);
		captured = first_of(c, t->captured, t->restore, t->restored);
		freeze = first_of(c, t->freeze, t->captured, t->restore);
		put_kind(c, 0, freeze, RUNS);
		put_kind(c, freeze, captured, SAVED);
		put_kind(c, captured, restore, HELD);
		put_kind(c, restore, restored, failed ? FAILED : RESTORED);
		put_kind(c, restored, c->phases->end, RUNS);
	}
	if (failed)
		put_note(c, "failed", container_kinds[FAILED].colour);
	else if (t)
		put_seconds(c, container_blackout(t));
	c->y += ROW;
}

static void put_containers(struct chart *c, const struct status *s)
{
	const struct containers *list = s->manifest ? &s->manifest->containers : NULL;
	const struct phases *p = c->phases;
	size_t i;

	for (i = 0; list && i < list->nr; i++)
		put_container(c, list->container[i].name,
			      phases_container(p, list->container[i].name),
			      list->container[i].state == CONTAINER_FAILED);
	for (i = 0; i < p->nr_containers; i++)
		if (!list || !containers_find(list, p->container[i].name))
			put_container(c, p->container[i].name, &p->container[i], false);
}

static size_t nr_rows(const struct status *s)
{
	const struct containers *list = s->manifest ? &s->manifest->containers : NULL;
	size_t i, n = 1 + (list ? list->nr : 0);

	for (i = 0; i < s->phases.nr_containers; i++)
		if (!list || !containers_find(list, s->phases.container[i].name))
			n++;
	return n;
}

/* 1, 2 or 5 times a power of ten, so that there are at most ten of them. */
static double tick(double end)
{
	double step = 1e-6;

	for (; step < 1e9; step *= 10) {
		if (end / step <= 10)
			return step;
		if (end / step <= 20)
			return 2 * step;
		if (end / step <= 50)
			return 5 * step;
	}
	return end > 0 ? end : 1;
}

static void put_axis(const struct chart *c, double bottom)
{
	double end = c->phases->end, step = tick(end), x;
	int digits = step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : step >= 0.001 ? 3 : 6;
	unsigned int i;

	for (i = 0; i * step <= end; i++) {
		x = x_of(c, i * step);
		fprintf(c->to, "<line x1=\"%.2f\" y1=\"%.0f\" x2=\"%.2f\" y2=\"%.1f\" stroke=\"#ccc\"/>\n",
			x, TOP - 8, x, bottom + 4);
		fprintf(c->to, "<text x=\"%.2f\" y=\"%.1f\" text-anchor=\"middle\" font-size=\"12\">%.*f</text>\n",
			x, bottom + 18, digits, i * step);
	}
	fprintf(c->to, "<text x=\"%.0f\" y=\"%.1f\" font-size=\"12\">%s</text>\n", LEFT + CHART + 16,
		bottom + 18, !strcmp(c->phases->unit, "s") ? "seconds" : c->phases->unit);
}

static void put_key(const struct chart *c, unsigned int nr, const char *fill, const char *name,
		    const char *meaning)
{
	double x = LEFT + (nr % LEGEND_COLUMNS) * (CHART + RIGHT) / LEGEND_COLUMNS;
	double y = c->y + nr / LEGEND_COLUMNS * LEGEND_ROW;

	fprintf(c->to, "<rect x=\"%.0f\" y=\"%.1f\" width=\"14\" height=\"14\" fill=\"%s\"/>", x, y, fill);
	fprintf(c->to, "<text x=\"%.0f\" y=\"%.1f\" font-size=\"12\">%s%s%s</text>\n", x + 20, y + 12,
		name, *name ? ": " : "", meaning);
}

static unsigned int rows_of(unsigned int keys)
{
	return (keys + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS;
}

/* Only the phases that are there; how many they are when `c` is NULL. */
static unsigned int phase_keys(const struct chart *c, const struct phases *p)
{
	unsigned int nr = 0, stamp;
	size_t i;

	for (stamp = 0; stamp < NR_STAMPS; stamp++) {
		for (i = 0; i < p->nr && p->phase[i].stamp != stamp; i++)
			;
		if (i == p->nr)
			continue;
		if (c)
			put_key(c, nr, phase_colours[stamp], phase_name(stamp),
				phase_meaning(stamp));
		nr++;
	}
	return nr;
}

static void put_legend(struct chart *c)
{
	unsigned int i, keys;

	put_label(c, "update");
	keys = phase_keys(c, c->phases);
	c->y += rows_of(keys) * LEGEND_ROW + 12;
	put_label(c, "a container");
	for (i = 0; i < NR_KINDS; i++)
		put_key(c, i, container_kinds[i].colour, "", container_kinds[i].meaning);
}

static void put_title(const struct status *s, FILE *to)
{
	const struct manifest *m = s->manifest;

	fprintf(to, "<text x=\"%.0f\" y=\"34\" font-size=\"18\">", LEFT);
	if (m && m->from.release && m->to.release) {
		put_text(to, m->from.release, 60);
		fputs(" &#8594; ", to);
		put_text(to, m->to.release, 60);
	} else {
		fputs("rebootless update", to);
	}
	if (!isnan(s->phases.blackout))
		fprintf(to, ", blackout %.3f %s", s->phases.blackout, s->phases.unit);
	fputs("</text>\n", to);
	fprintf(to, "<text x=\"%.0f\" y=\"%.0f\" font-size=\"12\">total, blackouts</text>\n",
		LEFT + CHART + 10, TOP - 10);
}

void status_svg(const struct status *s, FILE *to)
{
	struct chart c = { &s->phases, to, TOP };
	double bottom = TOP + (double)nr_rows(s) * ROW;
	double height = bottom + 44 + rows_of(phase_keys(NULL, &s->phases)) * LEGEND_ROW + 12 +
			rows_of(NR_KINDS) * LEGEND_ROW + 12;

	fprintf(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" font-family=\"sans-serif\" font-size=\"14\">\n",
		LEFT + CHART + RIGHT, height, LEFT + CHART + RIGHT, height);
	fprintf(to, "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n");
	put_title(s, to);
	put_axis(&c, bottom);
	put_whole(&c);
	put_containers(&c, s);
	c.y = bottom + 44;
	put_legend(&c);
	fputs("</svg>\n", to);
}
