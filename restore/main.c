// SPDX-License-Identifier: GPL-2.0
/*
 * rebootless-restore - in the initramfs: take over what the old kernel left,
 * and bring its containers back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "restore/keep_stopped.h"
#include "restore/restore.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
	{ "open", cmd_open, "           take the store over from the old kernel" },
	{ "early", cmd_early, "[-v]        restore before the initramfs has mounted root, if that can be" },
	{ "run", cmd_run, "[-v]        restore all that is left, as the boot does by itself" },
	{ "list", cmd_list, "           what the update carries, and what became of it" },
	{ "try", cmd_try, "[-v] NAME...   restore these, with CRIU's words on the screen" },
	{ "rollback", cmd_rollback, "       go back to the old kernel, with all images" },
};

/* Not for people: keep_stopped.h. */
#define KEEP_STOPPED "keep-stopped"

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "%s rebootless-restore %s %s\n", i ? "      " : "usage:",
			commands[i].name, commands[i].usage);
	fputs("  -v, --verbose   say more\n"
	      "  --root DIR      where the real root is mounted (/sysroot)\n", to);
}

int main(int argc, char **argv)
{
	size_t i;
	int ret;

	log_set_program("rebootless-restore");
	if (getpid() == 1) {
		init_main(argv);
		return RESTORE_FAILED;
	}
	if (argc >= 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return 0;
	}
	if (argc >= 2 && !strcmp(argv[1], KEEP_STOPPED))
		return cmd_keep_stopped(argc - 1, argv + 1);
	for (i = 0; argc >= 2 && i < NR_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		ret = commands[i].run(argc - 1, argv + 1);
		return ret < 0 ? RESTORE_FAILED : ret;
	}
	if (argc >= 2)
		log_error("there is no command %s", argv[1]);
	usage(stderr);
	return RESTORE_USAGE;
}
