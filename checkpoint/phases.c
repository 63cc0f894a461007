// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "phases.h"

static const struct {
	const char *name, *meaning;
} after[NR_STAMPS] = {
	[STAMP_PREPARE] = { "prepare", "checks, memory claimed, kernel loaded" },
	[STAMP_PREPARED] = { "stop-services", "host services stopped" },
	[STAMP_FREEZE] = { "capture", "containers frozen and saved" },
	[STAMP_CAPTURED] = { "quiesce", "disks synced and frozen" },
	[STAMP_SEAL] = { "seal", "handover written" },
	[STAMP_SEALED] = { "jump", "devices shut down, kexec" },
	[STAMP_KERNEL] = { "kernel", "new kernel boots" },
	[STAMP_INITRAMFS] = { "initramfs", "PramFS loaded and mounted" },
	[STAMP_STORE] = { "mount", "filesystems found and mounted" },
	[STAMP_ROOT] = { "restore", "containers restored" },
	[STAMP_RESTORED] = { "hand-over", "switch to the real root" },
	[STAMP_PIVOT] = { "real-root", "real root starts" },
};

const char *phase_name(enum stamp stamp)
{
	return after[stamp].name;
}

const char *phase_meaning(enum stamp stamp)
{
	return after[stamp].meaning;
}

double phases_time(const struct phases *p, const struct timeline_entry *entry)
{
	return (double)(entry->tsc - p->timeline->entry[p->first].tsc) / p->hz;
}

static struct container_times *find(const struct phases *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->nr_containers; i++)
		if (!strcmp(p->container[i].name, name))
			return &p->container[i];
	return NULL;
}

const struct container_times *phases_container(const struct phases *p, const char *name)
{
	return find(p, name);
}

double container_blackout(const struct container_times *t)
{
	return t->restored - t->freeze;
}

static void note_container(struct phases *p, const struct timeline_entry *e)
{
	struct container_times *t = find(p, e->container);
	double at = phases_time(p, e);

	if (!t) {
		t = &p->container[p->nr_containers++];
		*t = (struct container_times){ e->container, NAN, NAN, NAN, NAN };
	}
	switch (e->stamp) {
	case STAMP_FREEZE:
		if (isnan(t->freeze))
			t->freeze = at;
		break;
	case STAMP_CAPTURED:
		t->captured = at;
		break;
	case STAMP_RESTORE:
		t->restore = at;
		break;
	case STAMP_RESTORED:
		t->restored = at;
		break;
	default:
		break;
	}
}

/* Does the stamp of one container end a phase of the whole, which is at `last`? */
static bool counts_for_all(enum stamp now, enum stamp last)
{
	switch (now) {
	case STAMP_FREEZE:
		return last < STAMP_FREEZE;
	case STAMP_CAPTURED:
		return last <= STAMP_CAPTURED;
	case STAMP_RESTORED:
		return last >= STAMP_KERNEL && last <= STAMP_RESTORED;
	default:
		return false;
	}
}

static void note_whole(struct phases *p, enum stamp which, double at)
{
	struct phase *last = p->nr ? &p->phase[p->nr - 1] : NULL;

	if (last)
		last->end = at;
	/* the last of these counts: what began with one before goes on until here */
	if (last && last->stamp == which &&
	    (which == STAMP_CAPTURED || which == STAMP_RESTORED)) {
		last->begin = at;
		if (p->nr > 1)
			last[-1].end = at;
		return;
	}
	p->phase[p->nr++] = (struct phase){ which, at, at };
}

/* Phases that nobody waits for, or that have not ended, are no phases. */
static void drop_empty(struct phases *p)
{
	size_t i, kept = 0;

	for (i = 0; i < p->nr; i++)
		if (phase_name(p->phase[i].stamp) && i + 1 < p->nr)
			p->phase[kept++] = p->phase[i];
	p->nr = kept;
}

static void note_all(struct phases *p)
{
	const struct timeline *t = p->timeline;
	const struct timeline_entry *e;
	enum stamp last = STAMP_PREPARE;
	bool settled = false;
	double at;
	size_t i;

	for (i = p->first; i < t->nr; i++) {
		e = &t->entry[i];
		at = phases_time(p, e);
		if (e->container)
			note_container(p, e);
		/* what comes later, by hand, is not part of the update's course */
		if (settled)
			continue;
		if (!e->container || counts_for_all(e->stamp, last)) {
			note_whole(p, e->stamp, at);
			last = e->stamp;
		}
		settled = e->stamp == STAMP_SETTLED;
		p->end = at;
	}
}

static void note_blackout(struct phases *p)
{
	const struct container_times *t;
	double freeze = NAN, restored = NAN;
	size_t i;

	for (i = 0; i < p->nr_containers; i++) {
		t = &p->container[i];
		if (isnan(freeze) || t->freeze < freeze)
			freeze = t->freeze;
		if (isnan(restored) || t->restored > restored)
			restored = t->restored;
	}
	p->blackout = restored - freeze;
}

int phases_make(const struct timeline *t, struct phases *p)
{
	size_t i, rest;

	*p = (struct phases){ .timeline = t, .hz = t->hz, .unit = "s", .blackout = NAN };
	if (!t->nr)
		return 0;
	if (!(t->hz > 0)) {
		p->hz = 1e9;
		p->unit = "10^9 ticks";
	}
	for (i = 0; i < t->nr; i++)
		if (t->entry[i].stamp == STAMP_PREPARE)
			p->first = i;
	rest = t->nr - p->first;
	p->phase = calloc(rest, sizeof(*p->phase));
	p->container = calloc(rest, sizeof(*p->container));
	if (!p->phase || !p->container) {
		phases_free(p);
		return log_syserr(ENOMEM, "cannot work out the phases of %zu stamps", rest);
	}
	note_all(p);
	drop_empty(p);
	note_blackout(p);
	return 0;
}

void phases_free(struct phases *p)
{
	free(p->phase);
	free(p->container);
	*p = (struct phases){ 0 };
}
