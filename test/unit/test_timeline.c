// SPDX-License-Identifier: GPL-2.0
/* Unit tests of common/timeline.c, and of what checkpoint/phases.c makes of it. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint/phases.h"
#include "common/cleanup.h"
#include "harness.h"

static char dir[] = "/tmp/test_timeline.XXXXXX";

static void expect_text(const char *what, const char *found, const char *expected)
{
	if (!found || strcmp(found, expected))
		complain("%s is \"%s\", expected \"%s\"", what, found ? found : "(none)", expected);
}

static void expect_near(const char *what, double found, double expected)
{
	if (isnan(expected) ? !isnan(found) : !(found > expected - 1e-6 && found < expected + 1e-6))
		complain("%s is %f, expected %f", what, found, expected);
}

#define NEAR(expr, expected) expect_near(#expr, expr, expected)

/* ---- parsing -------------------------------------------------------------- */

static void test_names(void)
{
	_cleanup_timeline_ struct timeline t = { 0 };
	char text[1024] = "";
	unsigned int i, j;

	begin();
	for (i = 0; i < NR_STAMPS; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u %s\n", i + 1,
			 stamp_name((enum stamp)i));
		for (j = 0; j < i; j++)
			if (!strcmp(stamp_name((enum stamp)i), stamp_name((enum stamp)j)))
				complain("two stamps are called %s", stamp_name((enum stamp)i));
	}
	expect_ok(timeline_parse(text, "T", &t));
	EXPECT(t.nr, NR_STAMPS);
	for (i = 0; i < t.nr; i++)
		EXPECT(t.entry[i].stamp, i);
	end("timeline-names");
}

static void test_good(void)
{
	_cleanup_timeline_ struct timeline t = { 0 };

	begin();
	expect_ok(timeline_parse("frequency 1000000000\n"
				 "300 sealed\n"
				 "18446744073709551615 settled\n"
				 "100 prepare\n"
				 "200 freeze a name with spaces\n"
				 "200 freeze a\n"
				 "frequency 2400000000.5\n", "T", &t));
	EXPECT(t.nr, 5);
	expect_near("hz", t.hz, 2400000000.5);
	EXPECT(t.entry[0].stamp, STAMP_PREPARE);
	EXPECT(t.entry[0].container == NULL, true);
	expect_text("the first container", t.entry[1].container, "a");
	expect_text("the second container", t.entry[2].container, "a name with spaces");
	EXPECT(t.entry[3].stamp, STAMP_SEALED);
	EXPECT(t.entry[4].tsc, UINT64_MAX);
	end("timeline-good");

	begin();
	timeline_free(&t);
	expect_ok(timeline_parse("", "T", &t));
	EXPECT(t.nr, 0);
	expect_near("hz", t.hz, 0);
	end("timeline-empty");
}

static void test_bad(void)
{
	static const struct {
		const char *name, *text, *message;
	} bad[] = {
		{ "no-number", "1 prepare\nx\n", "T line 2: \"x\", expected a time stamp and a name" },
		{ "empty-line", "1 prepare\n\n2 seal\n", "T line 2: \"\", expected a time stamp" },
		{ "number-only", "17\n", "T line 1: \"17\", expected a time stamp" },
		{ "negative", "-1 seal\n", "T line 1: \"-1 seal\", expected a time stamp" },
		{ "hex", "0x10 seal\n", "expected a time stamp" },
		{ "too-large", "18446744073709551616 seal\n", "expected a time stamp" },
		{ "space-first", " 1 seal\n", "expected a time stamp" },
		{ "unknown", "1 seal\n2 seal\n3 sale\n", "T line 3: there is no stamp \"sale\"" },
		{ "prefix", "1 sea\n", "T line 1: there is no stamp \"sea\"" },
		{ "no-name", "1\x20\n", "T line 1: there is no stamp \"\"" },
		{ "no-container", "1 freeze\x20\n", "T line 1: \"1 freeze \", expected a container's name" },
		{ "escape", "1 freeze a\033[2J\n", "T line 1: " },
		{ "cut-off", "1 prepare\n2 pre", "T line 2 is cut off" },
		{ "frequency", "frequency fast\n", "T line 1: \"frequency fast\", expected a frequency" },
		{ "frequency-none", "frequency\x20\n", "expected a frequency" },
		{ "frequency-0", "frequency 0\n", "expected a frequency" },
		{ "frequency-inf", "frequency inf\n", "expected a frequency" },
		{ "frequency-huge", "frequency 1000000000001\n", "expected a frequency" },
		{ "frequency-dots", "frequency 1.5.5\n", "expected a frequency" },
	};
	struct timeline t = { .nr = 77 };
	char name[80];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		expect_refused(timeline_parse(bad[i].text, "T", &t), -EINVAL, bad[i].message);
		EXPECT(t.nr, 77);	/* left alone */
		snprintf(name, sizeof(name), "timeline-bad-%s", bad[i].name);
		end(name);
	}
}

/* ---- the file --------------------------------------------------------------- */

static void path_of(char path[128])
{
	snprintf(path, 128, "%s/" TIMELINE_FILE, dir);
}

static void test_file(void)
{
	_cleanup_timeline_ struct timeline t = { 0 };
	char path[128];
	struct stat st;

	begin();
	path_of(path);
	EXPECT(timeline_read(dir, &t), -ENOENT);
	expect_text("what was said", said, "");
	timeline_stamp(dir, STAMP_PREPARE, NULL);
	timeline_stamp(dir, STAMP_FREEZE, "web");
	timeline_stamp_at(dir, 5, STAMP_SEALED, NULL);
	expect_text("what was said", said, "");
	expect_ok(timeline_read(dir, &t));
	EXPECT(t.nr, 3);
	EXPECT(t.entry[0].tsc, 5);
	EXPECT(t.entry[1].stamp, STAMP_PREPARE);
	expect_text("the container", t.entry[2].container, "web");
	EXPECT(stat(path, &st), 0);
	EXPECT(st.st_mode & 07777, 0600);
	end("timeline-file");

	begin();
	timeline_stamp(dir, STAMP_FREEZE, "a\nb");
	expect_said("its stamp freeze is left out");
	timeline_stamp(dir, STAMP_FREEZE, "");
	timeline_stamp("/nonexistent", STAMP_SEAL, NULL);
	expect_said("cannot add to the timeline /nonexistent/timeline");
	timeline_free(&t);
	expect_ok(timeline_read(dir, &t));
	EXPECT(t.nr, 3);
	end("timeline-not-written");
	unlink(path);
}

static void test_damaged_file(void)
{
	struct timeline t = { 0 };
	char path[128];
	FILE *out;

	begin();
	path_of(path);
	out = fopen(path, "w");
	fwrite("1 seal\n\0002 seal\n", 1, 15, out);
	fclose(out);
	expect_refused(timeline_read(dir, &t), -EINVAL, "there is a NUL in it");
	unlink(path);
	mkdir(path, 0700);
	expect_refused(timeline_read(dir, &t), -EISDIR, "cannot read");
	rmdir(path);
	end("timeline-damaged-file");
}

/* What it says a second is must be one, by another clock. */
static void test_calibration(void)
{
	_cleanup_timeline_ struct timeline t = { 0 };
	struct timespec before, after, pause = { .tv_nsec = 100000000 };
	double passed, stamped = 0;
	char path[128];

	begin();
	timeline_calibrate_end(dir);		/* not begun: says nothing */
	path_of(path);
	EXPECT(access(path, F_OK), -1);
	timeline_calibrate_begin();
	timeline_calibrate_end(dir);
	timeline_stamp(dir, STAMP_SEAL, NULL);
	clock_gettime(CLOCK_MONOTONIC, &before);
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	timeline_stamp(dir, STAMP_SEALED, NULL);
	expect_ok(timeline_read(dir, &t));
	passed = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
	if (t.nr == 2 && t.hz > 0)
		stamped = (double)(t.entry[1].tsc - t.entry[0].tsc) / t.hz;
	/* the machine may be busy between a stamp and the clock */
	if (!(stamped > passed * 0.99 && stamped < passed * 1.5 + 0.1))
		complain("%f s passed, %f by the stamps", passed, stamped);
	unlink(path);
	end("timeline-calibration");
}

/* This machine was not started by a handover. */
static void test_import(void)
{
	_cleanup_timeline_ struct timeline t = { 0 };
	char path[128];

	begin();
	if (access("/sys/kernel/boot_params/setup_data/0", F_OK) < 0) {
		timeline_import(dir);
		expect_said("the old kernel has left no time of its jump");
		EXPECT(timeline_read(dir, &t), -ENOENT);
		timeline_import_early();
		timeline_import(dir);
		timeline_import(dir);
		expect_ok(timeline_read(dir, &t));
		EXPECT(t.nr, 1);
		EXPECT(t.nr && t.entry[0].stamp == STAMP_INITRAMFS, true);
		path_of(path);
		unlink(path);
	}
	end("timeline-import-nothing");
}

/* ---- phases ------------------------------------------------------------------ */

/* Times are in ms, and so is the counter, from 5000 on. */
static void make(const char *text, struct timeline *t, struct phases *p)
{
	timeline_free(t);
	expect_ok(timeline_parse(text, "T", t));
	phases_free(p);
	expect_ok(phases_make(t, p));
}

static void expect_phases(const struct phases *p, const char *expected)
{
	char text[1024] = "";
	size_t i;

	for (i = 0; i < p->nr; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %.0f-%.0f",
			 i ? ", " : "", phase_name(p->phase[i].stamp), p->phase[i].begin * 1000,
			 p->phase[i].end * 1000);
	expect_text("the list of phases", text, expected);
}

#define HZ "frequency 1000000\n"	/* so a stamp N000000 is at N s */

static const char whole[] =
	HZ "5000000 prepare\n5100000 prepared\n5200000 freeze a\n5250000 freeze b\n5300000 captured a\n"
	"5320000 freeze c\n5400000 captured b\n5410000 captured c\n5500000 seal\n5600000 sealed\n"
	"5700000 kernel\n5800000 initramfs\n5900000 store\n6000000 root\n6010000 restore a\n"
	"6020000 restore b\n6100000 restored b\n6200000 restored a\n6210000 restore c\n"
	"6300000 restored c\n6400000 pivot\n6500000 settled\n7500000 committed\n";

static void test_whole(void)
{
	_cleanup_timeline_ struct timeline t = { 0 };
	_cleanup_phases_ struct phases p = { 0 };
	const struct container_times *b;

	begin();
	make(whole, &t, &p);
	expect_phases(&p, "prepare 0-100, stop-services 100-200, capture 200-410, quiesce 410-500, "
		      "seal 500-600, jump 600-700, kernel 700-800, initramfs 800-900, mount 900-1000, "
		      "restore 1000-1300, hand-over 1300-1400, real-root 1400-1500");
	NEAR(p.end, 1.5);
	NEAR(p.blackout, 1.1);
	EXPECT(p.nr_containers, 3);
	expect_text("the first frozen", p.container[0].name, "a");
	b = phases_container(&p, "b");
	NEAR(b->freeze, 0.25);
	NEAR(b->captured, 0.4);
	NEAR(b->restore, 1.02);
	NEAR(b->restored, 1.1);
	NEAR(container_blackout(b), 0.85);
	EXPECT(phases_container(&p, "d") == NULL, true);
	expect_text("the unit", p.unit, "s");
	end("phases-whole");
}

static void test_missing(void)
{
	_cleanup_timeline_ struct timeline t = { 0 };
	_cleanup_phases_ struct phases p = { 0 };

	begin();
	make("", &t, &p);
	EXPECT(p.nr, 0);
	make(HZ "1000000 prepare\n", &t, &p);
	EXPECT(p.nr, 0);
	NEAR(p.end, 0);
	NEAR(p.blackout, NAN);
	end("phases-none");

	begin();
	make(HZ "1000000 prepare\n2000000 sealed\n4000000 store\n5000000 root\n", &t, &p);
	expect_phases(&p, "prepare 0-1000, jump 1000-3000, mount 3000-4000");
	end("phases-missing");

	begin();
	make(HZ "1000000 sealed\n2000000 kernel\n3000000 store\n", &t, &p);
	expect_phases(&p, "jump 0-1000, kernel 1000-2000");
	end("phases-without-prepare");

	begin();
	make("1000000000 seal\n3000000000 sealed\n", &t, &p);
	expect_phases(&p, "seal 0-2000");
	expect_text("the unit", p.unit, "10^9 ticks");
	end("phases-without-frequency");
}

static void test_failures(void)
{
	_cleanup_timeline_ struct timeline t = { 0 };
	_cleanup_phases_ struct phases p = { 0 };

	begin();
	make(HZ "1000000 prepare\n2000000 prepared\n3000000 freeze a\n4000000 captured a\n"
	     "5000000 freeze b\n", &t, &p);
	expect_phases(&p, "prepare 0-1000, stop-services 1000-2000, capture 2000-3000");
	NEAR(p.blackout, NAN);
	NEAR(container_blackout(phases_container(&p, "a")), NAN);
	NEAR(phases_container(&p, "b")->freeze, 4);
	NEAR(p.end, 4);
	end("phases-aborted");

	begin();
	make(HZ "1000000 prepare\n2000000 freeze a\n3000000 captured a\n4000000 seal\n5000000 sealed\n"
	     "6000000 kernel\n7000000 root\n8000000 restore a\n9000000 seal\n10000000 sealed\n"
	     "11000000 kernel\n12000000 root\n13000000 restore a\n14000000 restored a\n15000000 pivot\n",
	     &t, &p);
	expect_phases(&p, "prepare 0-1000, capture 1000-2000, quiesce 2000-3000, seal 3000-4000, "
		      "jump 4000-5000, kernel 5000-6000, restore 6000-8000, seal 8000-9000, "
		      "jump 9000-10000, kernel 10000-11000, restore 11000-13000, hand-over 13000-14000");
	NEAR(p.blackout, 12);
	NEAR(phases_container(&p, "a")->restore, 12);
	end("phases-rolled-back");

	begin();
	make(HZ "1000000 prepare\n2000000 freeze a\n3000000 captured a\n4000000 kernel\n5000000 root\n"
	     "6000000 restore a\n7000000 pivot\n8000000 settled\n90000000 restore a\n99000000 restored a\n",
	     &t, &p);
	expect_phases(&p, "prepare 0-1000, capture 1000-2000, quiesce 2000-3000, kernel 3000-4000, "
		      "restore 4000-6000, real-root 6000-7000");
	NEAR(p.end, 7);
	NEAR(p.blackout, 97);
	end("phases-restored-later");
}

static void test_several(void)
{
	_cleanup_timeline_ struct timeline t = { 0 };
	_cleanup_phases_ struct phases p = { 0 };
	char text[2048];

	begin();
	snprintf(text, sizeof(text), "%s%s", whole,
		 "20000000 prepare\n21000000 freeze a\n22500000 captured a\n23000000 seal\n");
	make(text, &t, &p);
	expect_phases(&p, "prepare 0-1000, capture 1000-2500, quiesce 2500-3000");
	EXPECT(p.nr_containers, 1);
	NEAR(phases_time(&p, &t.entry[t.nr - 1]), 3);
	end("phases-last-update-only");
}

int main(void)
{
	log_set_sink(sink);
	if (!mkdtemp(dir))
		return 2;
	test_names();
	test_good();
	test_bad();
	test_file();
	test_damaged_file();
	test_calibration();
	test_import();
	test_whole();
	test_missing();
	test_failures();
	test_several();
	rmdir(dir);
	return failed != 0;
}
