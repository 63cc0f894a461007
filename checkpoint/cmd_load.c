// SPDX-License-Identifier: GPL-2.0
/*
 * rebootless load - claim the boot arena and load the new kernel into it. An
 * earlier load of ours is taken back once the checks have passed.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "device.h"
#include "kexec.h"
#include "loader.h"
#include "placement.h"
#include "rebootless.h"
#include "state.h"

static int check_options(const struct load_request *o)
{
	if (!o->kernel)
		log_error("--kernel is missing, expected the path of a bzImage");
	else if (!o->initrd && !o->no_initrd)
		log_error("--initrd is missing, expected the path of an initramfs (or --no-initrd)");
	else if (o->initrd && o->no_initrd)
		log_error("--initrd and --no-initrd exclude each other");
	else if (!o->append && !o->reuse_cmdline)
		log_error("the new kernel's command line is missing: --append STRING, or --reuse-cmdline, or both");
	else if (o->append && strpbrk(o->append, "\n\r"))
		log_error("--append: expected one line");
	else if (o->memmap && !*o->memmap)
		log_error("--memmap: expected a directory like /sys/firmware/memmap");
	else
		return 0;
	return CMD_USAGE;
}

static int parse(int argc, char **argv, struct load_request *o, bool *dry_run)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "initrd", required_argument, NULL, 'i' },
		{ "no-initrd", no_argument, NULL, 'I' },
		{ "append", required_argument, NULL, 'a' },
		{ "reuse-cmdline", no_argument, NULL, 'r' },
		{ "memmap", required_argument, NULL, 'm' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		switch (c) {
		case 'k': o->kernel = optarg; break;
		case 'i': o->initrd = optarg; break;
		case 'I': o->no_initrd = true; break;
		case 'a': o->append = optarg; break;
		case 'r': o->reuse_cmdline = true; break;
		case 'm': o->memmap = optarg; break;
		case 'n': *dry_run = true; break;
		case 'v': log_set_verbose(true); break;
		default: return CMD_USAGE;
		}
	}
	if (optind != argc) {
		log_error("load takes no argument without a --, found %s", argv[optind]);
		return CMD_USAGE;
	}
	return check_options(o);
}

static int show_check(const struct load_request *request)
{
	char release[LOADER_RELEASE_MAX];
	struct demand d;
	int err = loader_check(request, &d, release);

	if (!err)
		log_info("%s can be loaded if %llu MiB below 4 GiB (%llu MiB of them in one piece) and %llu MiB more can be claimed; nothing was changed",
			 release, (unsigned long long)d.low >> 20,
			 (unsigned long long)d.contig >> 20, (unsigned long long)d.any >> 20);
	return err;
}

int cmd_load(int argc, char **argv)
{
	_cleanup_close_ int lock = -1, device = -1;
	struct load_request request = { 0 };
	bool dry_run = false;
	int err = parse(argc, argv, &request, &dry_run);

	if (err)
		return err;
	err = kexec_check_allowed();
	if (err)
		return err;
	lock = state_lock();
	if (lock < 0)
		return lock;
	device = device_open();
	if (device < 0)
		return device;
	return dry_run ? show_check(&request) : loader_load(&request, device);
}
