// SPDX-License-Identifier: GPL-2.0
/*
 * stamps - after a hop, before pramfs is loaded: are the times of the seal and
 * of the jump there, and do they stand in their order before now?
 *
 * usage: stamps [SUFFIX-OF-NAMES]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "common/timeline.h"
#include "report.h"

static const char *suffix;

static void expect(const char *name, int ok, double value)
{
	char full[64];

	snprintf(full, sizeof(full), "%s%s", name, suffix);
	if (ok)
		pass("%s", full);
	else
		fail(full, "%.0f", value);
}

static uint64_t find(const struct timeline *t, enum stamp stamp)
{
	size_t i;

	for (i = 0; i < t->nr; i++)
		if (t->entry[i].stamp == stamp)
			return t->entry[i].tsc;
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_timeline_ struct timeline t = { 0 };
	char store[] = "/tmp/stamps.XXXXXX", path[64];
	uint64_t sealed, kernel, initramfs, now;
	struct timespec up;
	double age;

	suffix = argc > 1 ? argv[1] : "";
	if (!mkdtemp(store))
		die("%s", store);
	timeline_calibrate_begin();
	timeline_import_early();
	timeline_import(store);
	timeline_import(store);
	timeline_calibrate_end(store);
	if (timeline_read(store, &t))
		die("%s", store);
	now = __rdtsc();
	clock_gettime(CLOCK_BOOTTIME, &up);
	sealed = find(&t, STAMP_SEALED);
	kernel = find(&t, STAMP_KERNEL);
	initramfs = find(&t, STAMP_INITRAMFS);
	expect("stamps-all-once", t.nr == 3, (double)t.nr);
	expect("stamps-in-order", sealed && sealed < kernel && kernel < initramfs && initramfs < now,
	       (double)kernel);
	/* The kernel's own clock starts later, by what the decompressor takes. */
	age = (double)(now - kernel) / t.hz - (double)up.tv_sec;
	expect("stamps-jump-is-boot", age > -0.1 && age < 60, age);
	metric("seal_to_jump", (double)(kernel - sealed) / t.hz, "s");
	metric("jump_to_now", (double)(now - kernel) / t.hz, "s");
	snprintf(path, sizeof(path), "%s/" TIMELINE_FILE, store);
	unlink(path);
	rmdir(store);
	return report_status();
}
