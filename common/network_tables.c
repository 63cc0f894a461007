// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/network_lock.h"
#include "common/network_tables.h"
#include "common/run.h"

#define NFT_SECONDS 30
#define TABLE_FILE "/run/rebootless/table.nft"

/* Ours, and CRIU's locks, are of the one kernel; podman has netavark make its own anew. */
static bool is_passing(const char *name)
{
	return !strcmp(name, NETWORK_LOCK_TABLE) || !strcmp(name, "netavark") || !strncmp(name, "CRIU-", 5);
}

static void note_table(struct json_object *array, char *family, char *name)
{
	char *argv[] = { "nft", "list", "table", family, name, NULL };
	_cleanup_free_ char *text = NULL;

	if (is_passing(name))
		return;
	if (run_read(argv, NFT_SECONDS, &text))
		log_warning("the table %s %s of nftables cannot be noted", family, name);
	else
		json_object_array_add(array, json_object_new_string(text));
}

void network_tables_note(struct json_object *noted)
{
	char *argv[] = { "nft", "list", "tables", NULL };
	struct json_object *array = json_object_new_array();
	_cleanup_free_ char *text = NULL;
	char family[16], name[256];
	const char *line;
	int used;

	json_object_object_add(noted, "tables", array);
	if (run_read(argv, NFT_SECONDS, &text)) {
		log_warning("the tables of nftables cannot be noted: port mappings may be lost");
		return;
	}
	for (line = text; sscanf(line, " table %15s %255s%n", family, name, &used) == 2; line += used)
		note_table(array, family, name);
}

static int write_table(const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(TABLE_FILE, "we");

	return !f || fputs(text, f) < 0 || fflush(f) ? -1 : 0;
}

static void make_table(const char *text, const char *listed)
{
	char *argv[] = { "nft", "-f", TABLE_FILE, NULL };
	char family[16], name[256], head[300];

	/* comments come before it */
	text = strstr(text, "table ");
	if (!text || sscanf(text, "table %15s %255s", family, name) != 2)
		return;
	snprintf(head, sizeof(head), "table %s %s\n", family, name);
	if (strstr(listed, head))
		return;
	if (write_table(text) < 0 || run(argv, NULL, NFT_SECONDS))
		log_warning("the table %s %s of nftables cannot be made again: what it maps or lets pass is lost until whoever made it does so again",
			    family, name);
	unlink(TABLE_FILE);
}

void network_tables_make(struct json_object *noted)
{
	char *argv[] = { "nft", "list", "tables", NULL };
	_cleanup_free_ char *listed = NULL;
	struct json_object *array;
	size_t i;

	if (!json_object_object_get_ex(noted, "tables", &array) ||
	    !json_object_is_type(array, json_type_array) || !json_object_array_length(array))
		return;
	if (run_read(argv, NFT_SECONDS, &listed)) {
		log_warning("nft does not work: port mappings are lost");
		return;
	}
	for (i = 0; i < json_object_array_length(array); i++)
		make_table(json_object_get_string(json_object_array_get_idx(array, i)), listed);
}
