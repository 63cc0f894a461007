/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tool.h - what the subcommands of pramfs share.
 *
 * The function that detects a failure says it on stderr; the commands return
 * an exit code.
 */
#ifndef PRAMFS_TOOL_H
#define PRAMFS_TOOL_H

#include "image.h"
#include "../pramfs_ioctl.h"

#include <endian.h>
#include <stdlib.h>

#include <json-c/json.h>

#ifndef PRAMFS_VERSION
#define PRAMFS_VERSION	"1.0"
#endif

enum exit_code {
	EXIT_GOOD = 0,
	EXIT_DAMAGED = 1,
	EXIT_USAGE = 2,		/* or the system said no */
	EXIT_NOTHING = 3,	/* no handover there */
};

struct command {
	const char *name;
	int (*run)(const struct command *self, int argc, char **argv);
	const char *arguments;
	const char *summary;
};

int cmd_inspect(const struct command *self, int argc, char **argv);
int cmd_verify(const struct command *self, int argc, char **argv);
int cmd_save(const struct command *self, int argc, char **argv);
int cmd_discard(const struct command *self, int argc, char **argv);
int cmd_status(const struct command *self, int argc, char **argv);

/* "pramfs: ", the text, and what errno err (of either sign, 0 = none) means. */
void say_error(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* How the command is called, on stderr; returns EXIT_USAGE. */
int usage_error(const struct command *self);
int usage_help(const struct command *self);

/*
 * Whole file into memory that the caller frees; path NULL: the live handover.
 * 0 or -errno, which has been said.
 */
int read_image(const char *path, u8 **data, size_t *bytes);
/*
 * The same, as an image: EXIT_GOOD, or the exit code for what was said. Only
 * after EXIT_GOOD: image_release() and free(*data).
 */
int open_image(const char *path, struct image *image, u8 **data);

/* /dev/pramfs for ioctls: a descriptor, or -errno, which has been said. */
int open_device(void);
int get_status(int fd, struct pramfs_ioc_status *status);

/*
 * Names come from whoever wrote the image: backslash, control characters and
 * what is not UTF-8 become \xNN. To be freed; never NULL.
 */
char *escape(const char *text, size_t len);

/* "3.5 MiB"; the buffer holds 16 bytes. */
const char *human(u64 bytes, char buffer[16]);

/* A finding in words, one line. */
void print_finding(const struct pramfs_finding *f, int err);
struct json_object *json_finding(const struct pramfs_finding *f, int err);
struct json_object *json_text(const char *text, size_t len);

#endif
