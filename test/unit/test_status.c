// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of what `rebootless status` writes: text, JSON, SVG.
 *
 * usage: test_status DIR     leaves its drawings there, for an XML parser
 */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "checkpoint/status.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/strv.h"
#include "harness.h"
#include "pramfs-module/pramfs_ioctl.h"

static const struct engine crun = { .name = "crun" }, tree = { .name = "tree" };

/* The manifest knows all engines; here are enough of them. */
const struct engine *engine_find(const char *name)
{
	return !strcmp(name, "crun") ? &crun : !strcmp(name, "tree") ? &tree : NULL;
}

#define EVIL "e<v>i&l\"\303\244"

static struct container list[] = {
	{ .engine = &crun, .name = "web", .pid = 12, .state = CONTAINER_RESTORED, .cgroup = "/a", .connections = 12 },
	{ .engine = &tree, .name = EVIL, .state = CONTAINER_FAILED, .error = "restore: status 1\033[2J" },
};
static struct manifest manifest = {
	.id = "an-id",
	.from = { .release = "6.12.1-old" },
	.to = { .release = "7.3.4-new" },
	.tries = 3,
	.tried = 2,
	.containers = { list, 2 },
};
static char *errors[] = { "Error (a.c:1): first", "Error (b.c:2): second", NULL };
static const struct container_log logs[] = { { 0 }, { "/store/log", errors } };

static const char text_of_timeline[] =
	"frequency 1000000\n1000000 prepare\n3000000 freeze web\n3000000 freeze " EVIL "\n"
	"3500000 captured web\n3600000 captured " EVIL "\n4000000 seal\n4100000 sealed\n"
	"4200000 kernel\n6000000 root\n6000000 restore web\n6100000 restore " EVIL "\n"
	"6600000 restored web\n7000000 pivot\n9000000 settled\n3100000 freeze unknown\n";

static struct timeline timeline;

static void setup(struct status *s)
{
	*s = (struct status){
		.running = "7.3.4-new",
		.pramfs = true,
		.manifest = &manifest,
		.log = logs,
	};
	timeline_free(&timeline);
	expect_ok(timeline_parse(text_of_timeline, "T", &timeline));
	expect_ok(phases_make(&timeline, &s->phases));
}

/* ---- text ------------------------------------------------------------------- */

/* What status_text() writes; freed by the caller. */
static char *text(const struct status *s, unsigned int width, bool colour)
{
	const struct text_options options = { width, colour };
	char *out = NULL;
	size_t size;
	FILE *to = open_memstream(&out, &size);

	status_text(s, &options, to);
	fclose(to);
	return out;
}

static void expect_in(const char *out, const char *part)
{
	if (!strstr(out, part))
		complain("expected \"%s\" in:\n%.700s", part, out);
}

static void expect_not_in(const char *out, const char *part)
{
	if (strstr(out, part))
		complain("expected no \"%s\" in:\n%.700s", part, out);
}

static size_t longest_line(const char *out)
{
	size_t longest = 0, n;

	for (; *out; out += n + (out[n] == '\n')) {
		n = strcspn(out, "\n");
		longest = n > longest ? n : longest;
	}
	return longest;
}

static void test_text_none(void)
{
	struct status s = { .running = "6.12.1-old", .phases = { .blackout = NAN } };
	_cleanup_free_ char *out = NULL, *loaded = NULL, *armed = NULL, *other = NULL;

	begin();
	out = text(&s, 80, false);
	expect_in(out, "running   6.12.1-old\nloaded    nothing\n");
	expect_in(out, "no update has been made since this machine was started\n");
	expect_not_in(out, "timeline");
	EXPECT(status_has_update(&s), false);
	s.pramfs = true;
	s.loaded = "7.3.4-new";
	s.pramfs_flags = PRAMFS_CLAIMED;
	loaded = text(&s, 80, false);
	expect_in(loaded, "loaded    7.3.4-new, ready to be fired\n");
	expect_not_in(loaded, "not loaded");
	s.pramfs_flags |= PRAMFS_SEALED;
	armed = text(&s, 80, false);
	expect_in(armed, "loaded    7.3.4-new, armed");
	s.loaded = NULL;
	s.loaded_by_other = true;
	s.pramfs_flags = PRAMFS_REFUSED;
	other = text(&s, 80, false);
	expect_in(other, "by another tool");
	expect_in(other, "was refused");
	end("status-text-none");
}

static void test_text_whole(void)
{
	_cleanup_free_ char *out = NULL;
	struct status s;

	begin();
	setup(&s);
	out = text(&s, 80, false);
	expect_in(out, "update    6.12.1-old -> 7.3.4-new\n");
	expect_in(out, "tries     2 of 3\n");
	expect_in(out, "  web        crun   restored    12     3.600  ");
	expect_in(out, "  " EVIL " tree   failed       0         -  ");
	expect_in(out, "    restore: status 1?[2J\n    | Error (a.c:1): first\n    | Error (b.c:2): second\n    log: /store/log\n");
	expect_in(out, "  unknown    -      -            0         -  ");
	expect_in(out, "  jump                3.100     0.100  ");
	expect_in(out, "  all                 0.000     8.000\n");
	expect_in(out, "blackout  3.600 s");
	expect_not_in(out, "\033");
	phases_free(&s.phases);
	end("status-text-whole");
}

static void test_text_widths(void)
{
	static const unsigned int widths[] = { 1, 40, 60, 61, 80, 133, 1000 };
	struct status s;
	unsigned int i;

	begin();
	setup(&s);
	for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		_cleanup_free_ char *out = text(&s, widths[i], false);

		/* the words need some 70 columns, only bars are fitted in */
		if (longest_line(out) > (widths[i] > 74 ? widths[i] : 74))
			complain("a line of %zu columns on a terminal of %u", longest_line(out), widths[i]);
		if ((strstr(out, "###") != NULL) != (widths[i] >= 60))
			complain("a bar on a terminal of %u columns", widths[i]);
	}
	phases_free(&s.phases);
	end("status-text-widths");
}

static void test_text_colour(void)
{
	_cleanup_free_ char *out = NULL;
	bool on = false;
	struct status s;
	const char *p;

	begin();
	setup(&s);
	out = text(&s, 100, true);
	expect_in(out, "\033[31mfailed");
	for (p = strchr(out, '\033'); p; p = strchr(p + 1, '\033'))
		on = strncmp(p, "\033[0m", 4) != 0;
	EXPECT(on, false);
	phases_free(&s.phases);
	end("status-text-colour");
}

/* ---- JSON -------------------------------------------------------------------- */

static struct json_object *json(const struct status *s)
{
	_cleanup_free_ char *out = NULL;
	struct json_object *o;
	size_t size;
	FILE *to = open_memstream(&out, &size);

	expect_ok(status_json(s, to));
	fclose(to);
	o = json_tokener_parse(out);
	if (!o)
		complain("not JSON: %.200s", out);
	return o;
}

/* Follow "a/0/b". */
static struct json_object *at(struct json_object *o, const char *path)
{
	struct json_object *value = NULL;

	if (json_pointer_get(o, path, &value))
		complain("there is no %s", path);
	return value;
}

static void expect_string(struct json_object *o, const char *path, const char *expected)
{
	const char *found = json_object_get_string(at(o, path));

	if (strcmp(found ? found : "null", expected))
		complain("%s is \"%s\", expected \"%s\"", path, found, expected);
}

static void test_json_none(void)
{
	struct status s = { .running = "6.12.1-old", .phases = { .blackout = NAN } };
	struct json_object *o;

	begin();
	o = json(&s);
	expect_string(o, "/version", "1");
	expect_string(o, "/running", "6.12.1-old");
	expect_string(o, "/loaded", "null");
	expect_string(o, "/pramfs", "null");
	expect_string(o, "/update", "null");
	expect_string(o, "/timeline", "null");
	EXPECT(json_object_array_length(at(o, "/containers")), 0);
	json_object_put(o);
	s.pramfs = s.loaded_by_other = true;
	o = json(&s);
	expect_string(o, "/loaded/ours", "false");
	expect_string(o, "/loaded/kernel", "null");
	expect_string(o, "/pramfs/refused", "false");
	json_object_put(o);
	end("status-json-none");
}

static void test_json_whole(void)
{
	struct json_object *o;
	struct status s;

	begin();
	setup(&s);
	s.loaded = "8.0";
	s.pramfs_flags = PRAMFS_CLAIMED;
	o = json(&s);
	expect_string(o, "/loaded/kernel", "8.0");
	expect_string(o, "/loaded/claimed", "true");
	expect_string(o, "/loaded/sealed", "false");
	expect_string(o, "/update/from", "6.12.1-old");
	expect_string(o, "/update/on-restore-failure", "continue");
	expect_string(o, "/update/tried", "2");
	EXPECT(json_object_array_length(at(o, "/containers")), 3);
	expect_string(o, "/containers/0/name", "web");
	expect_string(o, "/containers/0/state", "restored");
	expect_string(o, "/containers/0/blackout", "3.600000");
	expect_string(o, "/containers/0/log", "null");
	expect_string(o, "/containers/1/name", EVIL);
	expect_string(o, "/containers/1/error", "restore: status 1\033[2J");
	expect_string(o, "/containers/1/log-errors/1", "Error (b.c:2): second");
	expect_string(o, "/containers/1/restored", "null");
	expect_string(o, "/containers/2/name", "unknown");
	expect_string(o, "/containers/2/state", "null");
	expect_string(o, "/timeline/unit", "s");
	expect_string(o, "/timeline/blackout", "3.600000");
	expect_string(o, "/timeline/phases/0/phase", "prepare");
	expect_string(o, "/timeline/phases/0/takes", "2.000000");
	expect_string(o, "/timeline/stamps/1/container", EVIL);
	expect_string(o, "/timeline/stamps/14/stamp", "settled");
	expect_string(o, "/timeline/stamps/14/at", "8.000000");
	expect_string(o, "/timeline/stamps/14/tsc", "9000000");
	json_object_put(o);
	phases_free(&s.phases);
	end("status-json-whole");
}

/* ---- SVG --------------------------------------------------------------------- */

static void draw(const struct status *s, const char *dir, const char *name)
{
	char path[256];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%s.svg", dir, name);
	to = fopen(path, "w");
	if (!to) {
		complain("cannot write %s", path);
		return;
	}
	status_svg(s, to);
	fclose(to);
}

static void test_svg(const char *dir)
{
	_cleanup_timeline_ struct timeline one = { 0 };
	_cleanup_free_ char *out = NULL;
	struct status s;
	size_t size;
	FILE *to;

	begin();
	setup(&s);
	draw(&s, dir, "whole");
	to = open_memstream(&out, &size);
	status_svg(&s, to);
	fclose(to);
	expect_in(out, "6.12.1-old &#8594; 7.3.4-new, blackout 3.600 s");
	expect_in(out, ">e&lt;v&gt;i&amp;l&quot;?" "?</text>");
	expect_in(out, "<title>kernel: 1.800 s</title>");
	expect_in(out, "<title>restore failed: 2.900 s</title>");
	expect_not_in(out, "nan");
	s.manifest = NULL;
	draw(&s, dir, "no-manifest");
	phases_free(&s.phases);
	expect_ok(timeline_parse("1 prepare\n", "T", &one));
	expect_ok(phases_make(&one, &s.phases));
	draw(&s, dir, "one-stamp");
	phases_free(&s.phases);
	end("status-svg");
}

int main(int argc, char **argv)
{
	log_set_sink(sink);
	if (argc != 2)
		return 2;
	test_text_none();
	test_text_whole();
	test_text_widths();
	test_text_colour();
	test_json_none();
	test_json_whole();
	test_svg(argv[1]);
	timeline_free(&timeline);
	return failed != 0;
}
