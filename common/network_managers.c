// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/network_managers.h"

/* ifupdown: a link each, and all of them */
#define STATE_DIR "/run/network"
#define STATE_FILES STATE_DIR "/ifstate*"
#define STATE_MAX 16384

void network_managers_note(struct json_object *noted)
{
	struct json_object *files = json_object_new_object();
	char text[STATE_MAX];
	glob_t found = { 0 };
	size_t i;
	int n;

	json_object_object_add(noted, "managers", files);
	if (glob(STATE_FILES, 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++) {
		n = file_read(found.gl_pathv[i], text, sizeof(text));
		if (n < 0)
			log_warning("%s cannot be noted: %s; ifupdown will fail to set up again what is there",
				    found.gl_pathv[i], strerror(-n));
		else
			json_object_object_add(files, found.gl_pathv[i], json_object_new_string(text));
	}
	globfree(&found);
}

/* The path comes from a file: it must not lead elsewhere. */
static void make_file(const char *path, const char *text)
{
	const char *name = path + strlen(STATE_DIR "/");

	if (strncmp(path, STATE_DIR "/ifstate", strlen(STATE_DIR "/ifstate")) || strchr(name, '/'))
		log_warning("the manifest's network: %s is no file of ifupdown's state, expected " STATE_FILES,
			    path);
	else if (access(path, F_OK) < 0)
		file_write(STATE_DIR, name, 0644, text);
}

void network_managers_make(struct json_object *noted)
{
	struct json_object *files;

	if (!json_object_object_get_ex(noted, "managers", &files) ||
	    !json_object_is_type(files, json_type_object))
		return;
	json_object_object_foreach(files, path, text)
		if (json_object_is_type(text, json_type_string))
			make_file(path, json_object_get_string(text));
}
