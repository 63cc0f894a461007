// SPDX-License-Identifier: GPL-2.0
/* inotify: watches with their numbers and masks still report. Queued events are lost (CRIU). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "survivor.h"

static int fd, directory, file;

static void set_up(void)
{
	char event[512];

	mkdir(own_path("watched"), 0700);
	must(put_text(own_path("file"), "text") ? 0 : -1);
	fd = must(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	/* Numbers with a gap before them */
	file = must(inotify_add_watch(fd, own_path(""), IN_DELETE_SELF));
	must(inotify_rm_watch(fd, file));
	must(read(fd, event, sizeof(event)));
	directory = must(inotify_add_watch(fd, own_path("watched"), IN_CREATE | IN_DELETE));
	file = must(inotify_add_watch(fd, own_path("file"), IN_ATTRIB));
}

/* The next event of the kinds that were asked for; the rest is a restore's own noise. */
static void expect_event(const char *what, int watch, unsigned int mask, const char *name)
{
	char bytes[sizeof(struct inotify_event) + NAME_MAX + 1] __attribute__((aligned(8))) = "";
	struct inotify_event *event = (void *)bytes;

	ssize_t n = read(fd, bytes, sizeof(bytes));

	/* One event and no more */
	expect_num(what, sizeof(*event) + event->len, n);
	expect_num("watch of an event", watch, event->wd);
	expect_num("mask of an event", mask, event->mask);
	expect_text("name of an event", name, event->len ? event->name : "");
}

static void check(void)
{
	char bytes[4096];

	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	expect_num("no event", EAGAIN, errno);
	expect_true("file made", put_text(own_path("watched/new"), ""));
	expect_event("event of a new file", directory, IN_CREATE, "new");
	expect_call("unlink", unlink(own_path("watched/new")));
	expect_event("event of a removed file", directory, IN_DELETE, "new");
	expect_call("chmod", chmod(own_path("file"), 0640));
	expect_event("event of a file", file, IN_ATTRIB, "");
	expect_num("no more events", -1, read(fd, bytes, sizeof(bytes)));
}

static void sabotage(int which)
{
	switch (which) {
	case 1: inotify_rm_watch(fd, directory); break;
	case 2: inotify_rm_watch(fd, file); break;
	case 3: inotify_add_watch(fd, own_path("watched"), IN_CREATE); break;
	case 4: inotify_add_watch(fd, own_path("watched"), IN_OPEN | IN_MASK_ADD); break;
	}
}

const struct survivor survivor_inotify = {
	.name = "inotify",
	.keeps = "inotify watches: their numbers and masks",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
};
