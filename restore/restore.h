/* SPDX-License-Identifier: GPL-2.0 */
/*
 * restore.h - the commands of rebootless-restore.
 */
#ifndef REBOOTLESS_RESTORE_H
#define REBOOTLESS_RESTORE_H

#include <stdbool.h>

#include "common/manifest.h"

/* Exit statuses, which the dracut hooks know. */
enum {
	RESTORE_OK = 0,		/* or nothing to do */
	RESTORE_FAILED = 1,	/* something was not restored; the boot goes on */
	RESTORE_USAGE = 2,
	RESTORE_SHELL = 3,	/* the same, and the administrator wants a shell */
};

int cmd_open(int argc, char **argv);
int cmd_early(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_try(int argc, char **argv);
int cmd_rollback(int argc, char **argv);

/*
 * init.c: what PID 1 of the initramfs does, which then becomes systemd. Does not come back
 * but for -errno (logged).
 */
int init_main(char **argv);

struct restore_options {
	const char *root;
	bool verbose;
	char *const *names;	/* arguments, NULL-ended */
};

/* 0 or RESTORE_USAGE (logged). */
int parse_options(int argc, char **argv, bool want_names, struct restore_options *options);

/*
 * boot.c. The manifest of what has come (-ENOENT, logged: there is none). All that must be
 * there before a restore: 0 or -errno (logged), which may be had more than once. And once
 * more, last of all, the mark of cgroup_spare(): systemd takes it off a scope when it
 * touches that.
 */
int restore_manifest(struct manifest *m);
int restore_prepare(struct manifest *m, const char *root);
void restore_spare(const struct manifest *m);

/*
 * rollback.c: back into the old kernel, all images as they are. root: of the
 * real root's files. Comes back only when it failed: -errno (logged).
 */
int roll_back(struct manifest *m, const char *root);

#endif
