// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/store.h"
#include "restore/containers.h"
#include "restore/keep_stopped.h"
#include "restore/restore.h"

int parse_options(int argc, char **argv, bool want_names, struct restore_options *options)
{
	static const struct option known[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	*options = (struct restore_options){ .root = "/sysroot" };
	while ((c = getopt_long(argc, argv, "v", known, NULL)) != -1) {
		switch (c) {
		case 'r':
			options->root = optarg;
			break;
		case 'v':
			options->verbose = true;
			log_set_verbose(true);
			break;
		default:
			return RESTORE_USAGE;
		}
	}
	options->names = argv + optind;
	if (want_names == (optind < argc))
		return 0;
	log_error(want_names ? "%s: expected the names of containers; `rebootless-restore list` shows them" :
			       "%s takes no argument", argv[0]);
	return RESTORE_USAGE;
}

int cmd_list(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	struct restore_options options;
	const struct container *c;
	int err = parse_options(argc, argv, false, &options);

	if (!err)
		err = restore_manifest(&m);
	if (err)
		return err;
	log_info("from %s to %s", m.from.release, m.to.release);
	for (c = m.containers.container; c < m.containers.container + m.containers.nr; c++)
		log_info("%-24s %-6s %-10s %s", c->name, c->engine->name,
			 container_state_name(c->state), c->error ? c->error : "");
	return 0;
}

int cmd_try(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	_cleanup_store_log_ int log = -1;
	struct restore_options options;
	struct restore restore = { .store = STORE_DIR };
	int err = parse_options(argc, argv, true, &options);

	if (err)
		return err;
	log = store_log_open();
	err = restore_manifest(&m);
	if (!err)
		err = restore_prepare(&m, options.root);
	if (err)
		return err;
	restore.root = options.root;
	restore.verbose = options.verbose;
	err = restore_containers(&m, options.names, &restore);
	keep_stopped(&m);
	restore_spare(&m);
	return err;
}

int cmd_rollback(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	_cleanup_store_log_ int log = -1;
	struct restore_options options;
	int err = parse_options(argc, argv, false, &options);

	if (err)
		return err;
	log = store_log_open();
	err = restore_manifest(&m);
	return err ? err : roll_back(&m, options.root);
}
