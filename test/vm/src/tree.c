// SPDX-License-Identifier: GPL-2.0
/*
 * tree - make a tree with everything that a filesystem can hold, and look at
 * one from the outside: what system calls show, and in which page frames.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest.h"
#include "report.h"
#include "tree.h"

#define DIFFERENCES_SHOWN	40

struct arguments {
	char *dir;
	const char *file;	/* MANIFEST of compare, output of manifest */
	unsigned int flags;
	uint64_t seed;
	bool full;
};

static int cmd_make(const struct arguments *a)
{
	tree_make(a->dir, a->seed, a->full);
	pass("tree-make");
	return report_status();
}

static int cmd_manifest(const struct arguments *a)
{
	struct manifest m;
	FILE *out = stdout;
	int err;

	report_to_stderr();
	noatime_namespace(a->dir);
	err = manifest_collect(&m, a->dir, a->flags);
	if (a->file)
		out = fopen(a->file, "we");
	if (!out)
		die("%s", a->file);
	if (!err)
		err = manifest_write(&m, out);
	if (err)
		fail("tree-manifest", "%s", strerror(-err));
	manifest_free(&m);
	return report_status();
}

static int cmd_compare(const struct arguments *a)
{
	struct manifest was, is;
	size_t differences;

	if (!a->file)
		return 2;
	if (manifest_read(&was, a->file)) {
		fail("tree-compare", "cannot read %s", a->file);
		return report_status();
	}
	noatime_namespace(a->dir);
	if (manifest_collect(&is, a->dir, was.flags)) {
		fail("tree-compare", "cannot read the tree %s", a->dir);
		return report_status();
	}
	differences = manifest_diff(&was, &is, DIFFERENCES_SHOWN);
	if (!was.nr)
		fail("tree-compare", "the manifest is empty");
	else if (differences)
		fail("tree-compare", "%zu differences in %zu lines", differences, was.nr);
	else
		pass("tree-compare");
	metric("tree-compare-lines", is.nr, "lines");
	return report_status();
}

static int cmd_frames(const struct arguments *a)
{
	int err;

	report_to_stderr();
	noatime_namespace(a->dir);
	err = tree_frames(a->dir);
	if (err)
		fail("tree-frames", "%s", strerror(-err));
	return report_status();
}

static const struct {
	const char *name, *usage;
	int (*run)(const struct arguments *a);
} commands[] = {
	{ "make", "DIR [--seed N] [--scale small|full]", cmd_make },
	{ "manifest", "DIR [FILE] [--no-atime] [--no-times] [--no-ino] [--no-blocks] [--no-map] "
	  "[--no-dir-size] [--offsets]", cmd_manifest },
	{ "compare", "DIR MANIFEST", cmd_compare },
	{ "frames", "DIR", cmd_frames },
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(*commands))

static int usage(void)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(stderr, "usage: tree %s %s\n", commands[i].name, commands[i].usage);
	return 2;
}

static int parse(struct arguments *a, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		bool more = i + 1 < argc;

		if (!strcmp(argv[i], "--seed") && more)
			a->seed = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--scale") && more)
			a->full = !strcmp(argv[++i], "full");
		else if (manifest_option(argv[i]))
			a->flags |= manifest_option(argv[i]);
		else if (argv[i][0] == '-')
			return -EINVAL;
		else if (!a->dir)
			a->dir = realpath(argv[i], NULL) ?: argv[i];
		else if (!a->file)
			a->file = argv[i];
		else
			return -EINVAL;
	}
	return a->dir ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct arguments a = { .seed = 1 };
	int status;

	if (argc < 3 || parse(&a, argc - 2, argv + 2))
		return usage();
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		status = commands[i].run(&a);
		return status == 2 ? usage() : status;
	}
	return usage();
}
