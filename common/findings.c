// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/findings.h"
#include "common/log.h"

/* What stands in for a finding for which there was no memory: it refuses. */
static struct finding out_of_memory = { .text = "out of memory while checking; see above" };

static void read_comm(pid_t pid, char comm[static 16])
{
	char path[64];

	comm[0] = '\0';
	if (pid <= 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	/* 15 characters and a newline; a kernel thread's may be longer */
	if (file_read_line(path, comm, 16) < 0)
		comm[15] = '\0';
}

/* Once memory is out, `finding` is the stand-in and nothing more is noted. */
static bool gave_up(const struct findings *f)
{
	return f->finding == &out_of_memory;
}

static void give_up(struct findings *f)
{
	log_syserr(ENOMEM, "cannot keep what the check found");
	findings_log(f);
	findings_free(f);
	f->finding = &out_of_memory;
	f->nr = 1;
}

static void append(struct findings *f, bool warning, const char *container, pid_t pid,
		   const char *fmt, va_list args)
{
	struct finding *longer, new = { .warning = warning, .pid = pid };

	if (gave_up(f))
		return;
	if (vasprintf(&new.text, fmt, args) < 0)
		new.text = NULL;
	if (container)
		new.container = strdup(container);
	read_comm(pid, new.comm);
	log_make_plain(new.comm);
	if (new.text)
		log_make_plain(new.text);
	longer = realloc(f->finding, (f->nr + 1) * sizeof(*longer));
	if (longer)
		f->finding = longer;
	if (!longer || !new.text || (container && !new.container)) {
		free(new.text);
		free(new.container);
		give_up(f);
		return;
	}
	f->finding[f->nr++] = new;
}

void findings_add(struct findings *f, const char *container, pid_t pid, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	append(f, false, container, pid, fmt, args);
	va_end(args);
}

void findings_warn(struct findings *f, const char *container, pid_t pid, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	append(f, true, container, pid, fmt, args);
	va_end(args);
}

bool findings_refuse(const struct findings *f, const char *container)
{
	size_t i;

	for (i = 0; i < f->nr; i++) {
		const struct finding *one = &f->finding[i];

		if (one->warning)
			continue;
		if (!container || gave_up(f) || (one->container && !strcmp(one->container, container)))
			return true;
	}
	return false;
}

static void log_one(const struct finding *one)
{
	enum log_level level = one->warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR;
	char where[512] = "", process[64] = "";

	if (one->pid && one->comm[0])
		snprintf(process, sizeof(process), "process %d (%s): ", (int)one->pid, one->comm);
	else if (one->pid)
		snprintf(process, sizeof(process), "process %d: ", (int)one->pid);
	if (one->container)
		snprintf(where, sizeof(where), "container %s: ", one->container);
	log_message(level, "%s%s%s", where, process, one->text);
}

void findings_log(const struct findings *f)
{
	size_t i;

	for (i = 0; i < f->nr; i++)
		log_one(&f->finding[i]);
}

void findings_free(struct findings *f)
{
	size_t i;

	for (i = 0; i < f->nr && !gave_up(f); i++) {
		free(f->finding[i].container);
		free(f->finding[i].text);
	}
	if (!gave_up(f))
		free(f->finding);
	*f = (struct findings){ 0 };
}
