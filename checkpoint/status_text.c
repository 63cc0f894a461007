// SPDX-License-Identifier: GPL-2.0
/*
 * status_text.c - the status for a terminal, in plain ASCII: it may be the
 * serial console of an initramfs.
 */
#include <math.h>
#include <string.h>

#include "common/engine.h"
#include "common/log.h"
#include "pramfs-module/pramfs_ioctl.h"
#include "status.h"

#define NAME_MAX_WIDTH 24
#define BAR_MIN 10		/* columns; with less there is no bar */
#define PHASE_COLUMNS 38	/* of a row before the bar */

enum { BOLD = 1, RED = 31, GREEN = 32, YELLOW = 33, BLUE = 34, MAGENTA = 35, CYAN = 36 };

struct out {
	FILE *to;
	const struct text_options *options;
};

static void colour(const struct out *o, int code)
{
	if (o->options->colour)
		fprintf(o->to, "\033[%dm", code);
}

static void plain(const struct out *o)
{
	if (o->options->colour)
		fputs("\033[0m", o->to);
}

static void heading(const struct out *o, const char *text, const struct phases *p)
{
	fputc('\n', o->to);
	colour(o, BOLD);
	fputs(text, o->to);
	plain(o);
	if (p->timeline && p->timeline->nr)
		fprintf(o->to, ", times in %s", p->unit);
	fputc('\n', o->to);
}

static void repeat(FILE *to, char c, unsigned int times)
{
	for (; times; times--)
		fputc(c, to);
}

/* "     1.234", or as wide a "-" when it is not known. */
static void put_time(FILE *to, double seconds)
{
	if (isnan(seconds))
		fprintf(to, " %9s", "-");
	else
		fprintf(to, " %9.3f", seconds);
}

/* ---- in words ------------------------------------------------------------ */

static const char *or_unknown(const char *s)
{
	return s ? s : "unknown";
}

static void put_loaded(const struct status *s, FILE *to)
{
	bool claimed = s->pramfs_flags & PRAMFS_CLAIMED, sealed = s->pramfs_flags & PRAMFS_SEALED;

	fprintf(to, "loaded    ");
	if (s->loaded)
		fprintf(to, "%s, %s\n", s->loaded,
			sealed ? "armed: the handover is sealed" :
			claimed ? "ready to be fired" :
				  "but no arena is claimed: `rebootless unload` clears it");
	else if (s->loaded_by_other)
		fprintf(to, "a kernel, by another tool (`kexec -u` unloads it)\n");
	else
		fprintf(to, "nothing\n");
}

static void put_pramfs(const struct status *s, FILE *to)
{
	if (!s->pramfs)
		fprintf(to, "pramfs    the module is not loaded\n");
	else if (s->pramfs_flags & PRAMFS_REFUSED)
		fprintf(to, "pramfs    a handover came and was refused: `pramfs status` says why\n");
	else if (s->pramfs_flags & PRAMFS_PENDING)
		fprintf(to, "pramfs    a handover came and has not been mounted\n");
}

static void put_update(const struct status *s, FILE *to)
{
	const struct manifest *m = s->manifest;

	fprintf(to, "running   %s\n", s->running);
	put_loaded(s, to);
	put_pramfs(s, to);
	if (!m)
		return;
	fprintf(to, "update    %s -> %s%s\n", or_unknown(m->from.release),
		or_unknown(m->to.release), m->rolling_back ? ", rolled back" : "");
	fprintf(to, "id        %s\n", or_unknown(m->id));
	if (m->tried > 1)
		fprintf(to, "tries     %u of %u\n", m->tried, m->tries);
	if (m->fault)
		fprintf(to, "fault     %s (for tests)\n", m->fault);
}

/* ---- bars ------------------------------------------------------------------ */

/* The column of a time; times outside are at the ends. */
static unsigned int column(double at, double end, unsigned int width)
{
	double x = end > 0 ? at / end * width : 0;

	return x <= 0 ? 0 : x >= width ? width : (unsigned int)x;
}

static int phase_colour(enum stamp stamp)
{
	static const int colours[] = { CYAN, BLUE, MAGENTA, YELLOW, RED, GREEN };

	return colours[stamp % (sizeof(colours) / sizeof(colours[0]))];
}

static void put_phase_bar(const struct out *o, const struct phases *p, const struct phase *phase,
			  unsigned int width)
{
	unsigned int from = column(phase->begin, p->end, width);
	unsigned int to = column(phase->end, p->end, width);

	/* each has at least one column, the last one too */
	if (from == width)
		from--;
	if (to <= from)
		to = from + 1;
	repeat(o->to, ' ', 2 + from);
	colour(o, phase_colour(phase->stamp));
	repeat(o->to, '#', to - from);
	plain(o);
}

static unsigned int bar_width(const struct out *o, unsigned int before)
{
	unsigned int width = o->options->width;

	return width >= before + 2 + BAR_MIN ? width - before - 2 : 0;
}

static void put_phases(const struct out *o, const struct phases *p)
{
	unsigned int width = bar_width(o, PHASE_COLUMNS);
	size_t i;

	heading(o, "timeline", p);
	fprintf(o->to, "  %-15s %9s %9s\n", "phase", "begins", "takes");
	for (i = 0; i < p->nr; i++) {
		fprintf(o->to, "  %-15s", phase_name(p->phase[i].stamp));
		put_time(o->to, p->phase[i].begin);
		put_time(o->to, p->phase[i].end - p->phase[i].begin);
		if (width)
			put_phase_bar(o, p, &p->phase[i], width);
		fputc('\n', o->to);
	}
	fprintf(o->to, "  %-15s", "all");
	put_time(o->to, 0);
	put_time(o->to, p->end);
	fputc('\n', o->to);
}

/* What a container did at a time: a character of its bar, and that one's colour. */
static char doing(const struct container_times *t, double at, bool failed, int *code)
{
	*code = GREEN;
	if (!(at >= t->freeze) || at >= t->restored)
		return '.';
	if (at >= t->restore) {
		*code = failed ? RED : BLUE;
		return failed ? '!' : '=';
	}
	*code = at >= t->captured ? YELLOW : MAGENTA;
	return at >= t->captured ? '-' : '#';
}

static void put_container_bar(const struct out *o, const struct container_times *t, double end,
			      bool failed, unsigned int width)
{
	int last = 0, code;
	unsigned int i;
	char c;

	fputs("  ", o->to);
	for (i = 0; i < width; i++) {
		c = doing(t, (i + 0.5) * end / width, failed, &code);
		if (code != last)
			colour(o, code);
		last = code;
		fputc(c, o->to);
	}
	plain(o);
}

/* ---- containers ------------------------------------------------------------ */

static unsigned int name_width(const struct status *s)
{
	size_t width = strlen("name"), n, i;

	for (i = 0; s->manifest && i < s->manifest->containers.nr; i++) {
		n = strlen(s->manifest->containers.container[i].name);
		width = n > width ? n : width;
	}
	for (i = 0; i < s->phases.nr_containers; i++) {
		n = strlen(s->phases.container[i].name);
		width = n > width ? n : width;
	}
	return width > NAME_MAX_WIDTH ? NAME_MAX_WIDTH : (unsigned int)width;
}

static void put_row(const struct out *o, const struct status *s, const char *name,
		    const char *engine, const char *state, unsigned int connections,
		    const struct container_times *t)
{
	unsigned int name_columns = name_width(s);
	unsigned int width = bar_width(o, name_columns + 2 + 7 + 9 + 6 + 10);
	bool failed = !strcmp(state, container_state_name(CONTAINER_FAILED));

	fprintf(o->to, "  %-*s %-6s ", (int)name_columns, name, engine);
	if (failed)
		colour(o, RED);
	fprintf(o->to, "%-8s", state);
	plain(o);
	fprintf(o->to, " %5u", connections);
	put_time(o->to, t ? container_blackout(t) : NAN);
	if (t && width)
		put_container_bar(o, t, s->phases.end, failed, width);
	fputc('\n', o->to);
}

/* What came from a container (CRIU names its files) is not to control the terminal. */
static void put_line(FILE *to, const char *before, const char *s)
{
	fputs(before, to);
	for (; *s; s++)
		fputc(log_plain(*s), to);
	fputc('\n', to);
}

static void put_trouble(const struct container *c, const struct container_log *log, FILE *to)
{
	char **line;

	if (c->error)
		put_line(to, "    ", c->error);
	if (!log->path)
		return;
	for (line = log->lines; line && *line; line++)
		put_line(to, "    | ", *line);
	put_line(to, "    log: ", log->path);
}

static void put_containers(const struct out *o, const struct status *s)
{
	const struct containers *list = s->manifest ? &s->manifest->containers : NULL;
	const struct phases *p = &s->phases;
	const struct container *c;
	size_t i;

	if (!p->nr_containers && !(list && list->nr))
		return;
	heading(o, "containers", p);
	fprintf(o->to, "  %-*s %-6s %-8s %5s %9s\n", (int)name_width(s), "name", "engine", "state",
		"conns", "blackout");
	for (i = 0; list && i < list->nr; i++) {
		c = &list->container[i];
		put_row(o, s, c->name, c->engine->name, container_state_name(c->state),
			c->connections, phases_container(p, c->name));
		put_trouble(c, &s->log[i], o->to);
	}
	for (i = 0; i < p->nr_containers; i++)
		if (!list || !containers_find(list, p->container[i].name))
			put_row(o, s, p->container[i].name, "-", "-", 0, &p->container[i]);
	if (p->nr_containers)
		fprintf(o->to, "  . runs  # is saved  - is only in memory  = is restored  ! failed\n");
}

bool status_has_update(const struct status *s)
{
	return s->manifest || (s->phases.timeline && s->phases.timeline->nr);
}

void status_text(const struct status *s, const struct text_options *options, FILE *to)
{
	const struct out o = { to, options };

	put_update(s, to);
	if (!status_has_update(s)) {
		fprintf(to, "update    none: no update has been made since this machine was started\n");
		return;
	}
	put_containers(&o, s);
	if (s->phases.nr)
		put_phases(&o, &s->phases);
	if (!isnan(s->phases.blackout))
		fprintf(to, "\nblackout  %.3f %s, from the first freeze to the last container restored\n",
			s->phases.blackout, s->phases.unit);
}
