// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "path.h"

bool path_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	while (len && dir[len - 1] == '/')
		len--;
	return !strncmp(path, dir, len) && (!path[len] || path[len] == '/');
}

const char *path_find(const char *path, const char *name)
{
	size_t length = strlen(name);
	const char *at = path;

	while ((at = strstr(at, name))) {
		if (at > path && at[-1] == '/' && (!at[length] || at[length] == '/'))
			return at;
		at++;
	}
	return NULL;
}

bool path_is_plain(const char *path)
{
	const char *p = path;

	if (*p != '/')
		return false;
	while ((p = strstr(p, "/.."))) {
		p += 3;
		if (!*p || *p == '/')
			return false;
	}
	return true;
}
