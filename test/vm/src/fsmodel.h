/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fsmodel.h - one random operation, done alike on two filesystems.
 *
 * An operation is made once, with all its parameters, and then applied to each
 * side. Both sides must give the same return value, errno and result data. A
 * side keeps files open in slots, so that open files that were unlinked, and two
 * descriptors of one file, come up.
 */
#ifndef TEST_VM_FSMODEL_H
#define TEST_VM_FSMODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "content.h"

#define FSMODEL_SLOTS	6

struct side {
	int root;			/* directory that all paths are below */
	int fd[FSMODEL_SLOTS];		/* open files, -1 = none */
	bool dir_size;			/* compare size of directories, blocks of all but files */
	bool holes;			/* compare SEEK_DATA and SEEK_HOLE */
	unsigned char *buf;		/* FSMODEL_BUF bytes */
};

#define FSMODEL_BUF	(128 << 10)

struct op {
	unsigned int kind;		/* index into the table of kinds */
	char path[32], other[32];	/* relative */
	int slot, other_slot;
	uint64_t offset, other_offset, length, seed;
	unsigned int mode, id, choice;
};

struct result {
	long ret;			/* -1: see err */
	int err;
	uint64_t data;			/* hash of what was read */
	char text[160];			/* result of stat */
};

/* Paths made last: half of the operations take one, so that most of them succeed. */
#define FSMODEL_RECENT	24

struct recent {
	char path[FSMODEL_RECENT][32];
	unsigned int next;
};

extern const size_t fsmodel_kinds;
const char *fsmodel_kind_name(unsigned int kind);

void fsmodel_generate(struct op *op, struct rng *rng, const struct recent *recent);
/* After @op has succeeded. */
void fsmodel_remember(struct recent *recent, const struct op *op);

void fsmodel_apply(struct side *side, const struct op *op, struct result *result);
void fsmodel_describe(const struct op *op, char *text, size_t len);

/* Once, before the first operation. */
void fsmodel_catch_bus_errors(void);

/* 0 or -errno */
int side_open(struct side *side, int parent, const char *name);
void side_close(struct side *side);

#endif
