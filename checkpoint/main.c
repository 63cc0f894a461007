// SPDX-License-Identifier: GPL-2.0
/*
 * rebootless - replace the running kernel; the containers go on.
 *
 * This file knows the commands' names and nothing else. The program of bare
 * guests (LOADER_ONLY) has those of the loader alone, so that it can be linked
 * without shared libraries.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/log.h"
#include "common/runtime.h"
#include "rebootless.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
#ifndef LOADER_ONLY
	{ "list", cmd_list, "[--config FILE]" },
	{ "check", cmd_check, "[--kernel VERSION] [--config FILE] [-v] [NAME...]" },
	{ "update", cmd_update,
	  "[--kernel VERSION] [--dry-run] [--config FILE] [-v] [NAME...]" },
	{ "status", cmd_status, "[--json] [--svg FILE] [--store DIR]" },
	{ "restore", cmd_restore, "--all | NAME... [-v]" },
	{ "rollback", cmd_rollback, "[--dry-run] [--config FILE] [-v]" },
	{ "commit", cmd_commit, "[--force]" },
	{ "settle", cmd_settle, "" },
#endif
	{ "load", cmd_load,
	  "--kernel FILE (--initrd FILE | --no-initrd) (--append STRING | --reuse-cmdline)\n"
	  "                   [--memmap DIR] [--dry-run] [-v]" },
	{ "unload", cmd_unload, "[-v]" },
	{ "fire", cmd_fire, "[--dry-run] [-v]" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "%s rebootless %s %s\n", i ? "      " : "usage:", commands[i].name,
			commands[i].usage);
}

static int run(const struct command *c, int argc, char **argv)
{
	int ret = c->run(argc, argv);

	if (ret == CMD_USAGE)
		fprintf(stderr, "usage: rebootless %s %s\n", c->name, c->usage);
	return ret < 0 ? 1 : ret;
}

int main(int argc, char **argv)
{
	size_t i;

#ifndef LOADER_ONLY
	if (runtime_is_called(argv[0]))
		return runtime_run(argv);
#endif
	if (getenv("REBOOTLESS_FAULT") && fault_set(getenv("REBOOTLESS_FAULT")) < 0)
		return CMD_USAGE;
	if (argc >= 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return 0;
	}
	for (i = 0; argc >= 2 && i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return run(&commands[i], argc - 1, argv + 1);
	if (argc >= 2)
		log_error("there is no command %s", argv[1]);
	usage(stderr);
	return CMD_USAGE;
}
