/* SPDX-License-Identifier: GPL-2.0 */
/*
 * path.h - paths as text; nothing here looks at a filesystem.
 */
#ifndef REBOOTLESS_PATH_H
#define REBOOTLESS_PATH_H

#include <stdbool.h>

/* Is path below dir, or dir itself? */
bool path_is_below(const char *path, const char *dir);
/* Where in a path a name stands, whole, behind a slash; NULL: nowhere. */
const char *path_find(const char *path, const char *name);
/* Absolute, and without a component ".."? */
bool path_is_plain(const char *path);

#endif
