// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/criu_log.h"

/* "(00.123456) pid: Error (file.c:12): what" -> "Error (file.c:12): what" */
static const char *error_in(const char *line)
{
	return strstr(line, "Error (");
}

void criu_log_errors(const char *path, char *text, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0, used = 0;
	const char *error;
	bool found = false;
	ssize_t n;

	text[0] = '\0';
	while (f && (n = getline(&line, &room, f)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		error = error_in(line);
		if (error && !found)
			used = 0;
		found |= error != NULL;
		/* as long as there is no error, the last line stands in for one */
		if (!error && found)
			continue;
		if (!error)
			used = 0;
		used += snprintf(text + used, size - used, "%s%s", used ? "; " : "",
				 error ? error : line);
		if (used >= size)
			break;
	}
}

void criu_log_words(const char *dir, const char *verb, char *text, size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.log", dir, verb);
	criu_log_errors(path, text, size);
	if (*text)
		return;
	snprintf(path, sizeof(path), "%s/%s.out", dir, verb);
	criu_log_errors(path, text, size);
}
