// SPDX-License-Identifier: GPL-2.0
/*
 * rebootless status - what is loaded, what was updated, how each container
 * fares and how long everything took. Changes nothing.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/strv.h"
#include "device.h"
#include "kexec.h"
#include "rebootless.h"
#include "state.h"
#include "status.h"

struct options {
	bool json;
	const char *svg;
	const char *store;
};

/* Everything that struct status points at. */
struct collected {
	struct utsname uts;
	struct state state;
	struct manifest manifest;
	struct timeline timeline;
	struct container_log *log;
	struct status status;
};

static void collected_free(struct collected *c)
{
	size_t i;

	for (i = 0; c->log && i < c->manifest.containers.nr; i++) {
		free(c->log[i].path);
		strv_free(c->log[i].lines);
	}
	free(c->log);
	phases_free(&c->status.phases);
	timeline_free(&c->timeline);
	manifest_free(&c->manifest);
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "svg", required_argument, NULL, 's' },
		{ "store", required_argument, NULL, 'd' },
		{ 0 },
	};
	int c;

	*o = (struct options){ .store = STORE_DIR };
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'j': o->json = true; break;
		case 's': o->svg = optarg; break;
		case 'd': o->store = optarg; break;
		default: return CMD_USAGE;
		}
	}
	if (optind == argc)
		return 0;
	log_error("status takes no argument without a --, found %s", argv[optind]);
	return CMD_USAGE;
}

/* ---- CRIU's logs ----------------------------------------------------------- */

static int read_errors(const char *path, char ***lines)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	char *last[STATUS_LOG_LINES] = { NULL };
	size_t room = 0, nr = 0, i;
	int err = 0;

	if (!in)
		return 0;	/* it did not get that far */
	while (getline(&line, &room, in) > 0) {
		if (!strstr(line, "Error ("))
			continue;
		line[strcspn(line, "\n")] = '\0';
		free(last[nr % STATUS_LOG_LINES]);
		last[nr++ % STATUS_LOG_LINES] = steal_ptr(line);
	}
	for (i = nr > STATUS_LOG_LINES ? nr - STATUS_LOG_LINES : 0; i < nr && !err; i++)
		err = strv_add(lines, last[i % STATUS_LOG_LINES]);
	for (i = 0; i < STATUS_LOG_LINES; i++)
		free(last[i]);
	return err;
}

/* Of a container that went well there is nothing to say. */
static int read_log(const char *store, const struct container *c, struct container_log *log)
{
	char path[PATH_MAX];
	int err;

	if (c->state != CONTAINER_FAILED && !c->error)
		return 0;
	err = container_dir(store, c->name, "work/restore.log", path, sizeof(path));
	if (!err && access(path, F_OK) < 0)
		err = container_dir(store, c->name, "work/dump.log", path, sizeof(path));
	if (err || access(path, F_OK) < 0)
		return err;
	log->path = strdup(path);
	if (!log->path)
		return log_syserr(ENOMEM, "cannot read %s", path);
	return read_errors(path, &log->lines);
}

/* ---- collecting ------------------------------------------------------------ */

static int collect_loaded(struct collected *c)
{
	struct status *s = &c->status;
	int loaded, err;

	/* a kernel without kexec has nothing loaded, which is no mistake here */
	if (access("/sys/kernel/kexec_loaded", F_OK) < 0)
		return 0;
	loaded = kexec_is_loaded();
	if (loaded <= 0)
		return loaded;
	err = state_read(&c->state);
	if (err)
		return err;
	if (c->state.there)
		s->loaded = c->state.release;
	else
		s->loaded_by_other = true;
	return 0;
}

static int collect_pramfs(struct status *s)
{
	struct pramfs_ioc_status now;
	_cleanup_close_ int device = -1;
	int err;

	if (access(PRAMFS_DEVICE, F_OK) < 0)
		return 0;
	device = device_open();
	if (device < 0)
		return device;
	err = device_status(device, &now);
	if (err)
		return err;
	s->pramfs = true;
	s->pramfs_flags = now.flags;
	return 0;
}

static int collect_manifest(const char *store, struct collected *c)
{
	int err = manifest_read(store, &c->manifest);
	size_t i;

	if (err)
		return err == -ENOENT ? 0 : err;
	c->status.manifest = &c->manifest;
	c->log = calloc(c->manifest.containers.nr + 1, sizeof(*c->log));
	if (!c->log)
		return log_syserr(ENOMEM, "cannot read the containers' logs");
	c->status.log = c->log;
	for (i = 0; i < c->manifest.containers.nr && !err; i++)
		err = read_log(store, &c->manifest.containers.container[i], &c->log[i]);
	return err;
}

static int collect_timeline(const char *store, struct collected *c)
{
	int err = timeline_read(store, &c->timeline);

	if (err)
		return err == -ENOENT ? 0 : err;
	return phases_make(&c->timeline, &c->status.phases);
}

/* What cannot be read is left out and the rest is shown; the first error is returned. */
static int collect(const char *store, struct collected *c)
{
	int errs[] = {
		collect_loaded(c),
		collect_pramfs(&c->status),
		collect_manifest(store, c),
		collect_timeline(store, c),
	};
	size_t i;

	uname(&c->uts);
	c->status.running = c->uts.release;
	for (i = 0; i < sizeof(errs) / sizeof(errs[0]); i++)
		if (errs[i])
			return errs[i];
	return 0;
}

/* ---- showing ------------------------------------------------------------- */

static void look_at_terminal(struct text_options *o)
{
	const char *columns = getenv("COLUMNS"), *term = getenv("TERM");
	struct winsize size = { 0 };
	bool tty = isatty(STDOUT_FILENO);
	int set = columns ? atoi(columns) : 0;

	o->width = 80;
	if (set > 0)
		o->width = set > 1000 ? 1000 : (unsigned int)set;
	else if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		o->width = size.ws_col;
	o->colour = tty && !getenv("NO_COLOR") && !(term && !strcmp(term, "dumb"));
}

static int show(const struct status *s, bool json)
{
	struct text_options options;
	int err = 0;

	if (json) {
		err = status_json(s, stdout);
	} else {
		look_at_terminal(&options);
		status_text(s, &options, stdout);
	}
	if (!err && (fflush(stdout) || ferror(stdout)))
		err = log_syserr(errno, "cannot write the status");
	return err;
}

static int draw(const struct status *s, const char *path)
{
	FILE *to;
	bool failed;

	if (!s->phases.timeline || !s->phases.timeline->nr)
		return log_refusal(-ENOENT, "there is no timeline to draw: no update has been made since this machine was started");
	to = fopen(path, "we");
	if (!to)
		return log_syserr(errno, "cannot write %s", path);
	status_svg(s, to);
	failed = ferror(to);
	if (fclose(to) || failed)
		return log_syserr(errno, "cannot write %s", path);
	return 0;
}

int cmd_status(int argc, char **argv)
{
	_cleanup_(collected_free) struct collected c = { 0 };
	struct options o;
	int err = parse(argc, argv, &o), shown = 0;

	if (err)
		return err;
	if (geteuid() != 0)
		return log_refusal(-EPERM, "only root can see the status");
	err = collect(o.store, &c);
	if (o.json || !o.svg)
		shown = show(&c.status, o.json);
	if (!shown && o.svg)
		shown = draw(&c.status, o.svg);
	return err ? err : shown;
}
