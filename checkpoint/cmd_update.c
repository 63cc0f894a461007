// SPDX-License-Identifier: GPL-2.0
/*
 * rebootless update, rollback - replace the kernel, forward or back.
 */
#include <errno.h>
#include <getopt.h>

#include "common/log.h"
#include "common/store.h"
#include "rebootless.h"
#include "update.h"

enum {
	OPTION_CONFIG = 256,
};

static int parse(int argc, char **argv, struct update_request *request)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "config", required_argument, NULL, OPTION_CONFIG },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "nv", options, NULL)) != -1) {
		switch (c) {
		case 'k':
			request->kernel = optarg;
			break;
		case 'n':
			request->dry_run = true;
			break;
		case OPTION_CONFIG:
			request->config = optarg;
			break;
		case 'v':
			log_set_verbose(true);
			break;
		default:
			return CMD_USAGE;
		}
	}
	request->names = argv + optind;
	return 0;
}

int cmd_update(int argc, char **argv)
{
	struct update_request request = { .config = CONFIG_FILE };
	int err = parse(argc, argv, &request);

	return err ? err : update(&request);
}

int cmd_check(int argc, char **argv)
{
	struct update_request request = { .config = CONFIG_FILE };
	int err = parse(argc, argv, &request);

	request.dry_run = true;
	return err ? err : update(&request);
}

/* An update to the kernel before, that takes the kept images along. */
int cmd_rollback(int argc, char **argv)
{
	struct update_request request = { .config = CONFIG_FILE, .rollback = true };
	struct manifest m = { 0 };
	int err = parse(argc, argv, &request);

	if (err)
		return err;
	if (request.kernel || request.names[0]) {
		log_error("rollback takes neither --kernel nor names: it goes to the kernel before, with every container");
		return CMD_USAGE;
	}
	err = store_is_mounted() ? manifest_read(STORE_DIR, &m) : -ENOENT;
	if (err == -ENOENT)
		return log_refusal(err, "there is no update to go back from");
	if (err)
		return err;
	request.kernel = m.from.release;
	err = update(&request);
	manifest_free(&m);
	return err;
}
