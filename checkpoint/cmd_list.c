// SPDX-License-Identifier: GPL-2.0
/*
 * rebootless list - which containers are there, and can each be carried?
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/log.h"
#include "rebootless.h"

static int parse(int argc, char **argv, const char **config)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'c')
			return CMD_USAGE;
		*config = optarg;
	}
	if (optind == argc)
		return 0;
	log_error("list takes no argument, found %s", argv[optind]);
	return CMD_USAGE;
}

static void print_reasons(const struct container *c, const struct findings *findings)
{
	const struct finding *f;

	for (f = findings->finding; f < findings->finding + findings->nr; f++) {
		if (!f->container || strcmp(f->container, c->name))
			continue;
		printf("    %s", f->warning ? "warning: " : "");
		if (f->pid)
			printf("process %d (%s): ", (int)f->pid, f->comm);
		puts(f->text);
	}
}

int cmd_list(int argc, char **argv)
{
	_cleanup_findings_ struct findings findings = { 0 };
	_cleanup_(containers_free) struct containers list = { 0 };
	_cleanup_config_ struct config config = { 0 };
	struct json_object *filesystems = NULL;
	const char *path = CONFIG_FILE;
	const struct container *c;
	int err = parse(argc, argv, &path);

	if (!err)
		err = config_read(path, &config);
	if (!err)
		err = engines_list(&config, &list);
	if (!err)
		err = check_containers(&list, &config, &findings, &filesystems);
	json_object_put(filesystems);
	if (err)
		return err;
	printf("%-24s %-6s %8s  %s\n", "NAME", "ENGINE", "PID", "CAN BE CARRIED");
	for (c = list.container; c < list.container + list.nr; c++) {
		printf("%-24s %-6s %8d  %s\n", c->name, c->engine->name, (int)c->pid,
		       findings_refuse(&findings, c->name) ? "no" : "yes");
		print_reasons(c, &findings);
	}
	return 0;
}
