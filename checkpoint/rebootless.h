/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rebootless.h - the commands. Each lives in cmd_NAME.c and stands in the table
 * in main.c.
 *
 * A command gets its own arguments (argv[0] is its name) and returns 0,
 * -errno when it failed (exit status 1), or CMD_USAGE when it was called
 * wrongly (exit status 2); either way the reason has been logged.
 */
#ifndef REBOOTLESS_H
#define REBOOTLESS_H

#define CMD_USAGE 2

int cmd_load(int argc, char **argv);
int cmd_unload(int argc, char **argv);
int cmd_fire(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_update(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_rollback(int argc, char **argv);
int cmd_commit(int argc, char **argv);
int cmd_settle(int argc, char **argv);
int cmd_status(int argc, char **argv);

#endif
