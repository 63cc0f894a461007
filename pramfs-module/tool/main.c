// SPDX-License-Identifier: GPL-2.0
/*
 * pramfs - look at, verify, save and give up a PramFS handover.
 *
 * Making one (claim, seal) is the work of rebootless, not of this program.
 */
#include "tool.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
	{ "inspect", cmd_inspect, "[--json] [--extents] [IMAGE]", "show what a handover holds" },
	{ "verify", cmd_verify, "[IMAGE]", "check a handover and say what is wrong" },
	{ "save", cmd_save, "[--force] FILE", "write the live handover's metadata to a file" },
	{ "discard", cmd_discard, "[--yes]", "give up a handover and free its memory" },
	{ "status", cmd_status, "[--json]", "show the state of the module" },
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *out)
{
	size_t i;

	fprintf(out, "usage: pramfs COMMAND [OPTION...]\n\n");
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-8s %-30s %s\n", commands[i].name, commands[i].arguments,
			commands[i].summary);
	fprintf(out, "\nIMAGE is a file made by save; without it the live handover is read.\n"
		"  --help, --version\n");
}

int usage_error(const struct command *self)
{
	fprintf(stderr, "usage: pramfs %s %s\n", self->name, self->arguments);
	return EXIT_USAGE;
}

int usage_help(const struct command *self)
{
	printf("usage: pramfs %s %s\n%s\n", self->name, self->arguments, self->summary);
	return EXIT_GOOD;
}

int main(int argc, char **argv)
{
	size_t i;
	int code;

	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return EXIT_GOOD;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("pramfs %s (format %d.%d)\n", PRAMFS_VERSION, PRAMFS_FORMAT_MAJOR,
		       PRAMFS_FORMAT_MINOR);
		return EXIT_GOOD;
	}
	for (i = 0; i < NR_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		code = commands[i].run(&commands[i], argc - 1, argv + 1);
		if (fflush(stdout) || ferror(stdout)) {
			say_error(0, "cannot write the output");
			return EXIT_USAGE;
		}
		return code;
	}
	say_error(0, "unknown command: %s", argv[1]);
	print_usage(stderr);
	return EXIT_USAGE;
}
