/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cgroup_values.h - what of a cgroup is a setting; shared by cgroup_note.c and
 * cgroup_make.c.
 */
#ifndef REBOOTLESS_CGROUP_VALUES_H
#define REBOOTLESS_CGROUP_VALUES_H

#include <stdbool.h>

#define CGROUP_VALUE_MAX 65536

/* Is a file of this name a setting? Not a count, an action, nor another name of one. */
bool cgroup_is_setting(const char *name);
/* Is it an attribute that is carried? The mark of cgroup_spare() is not. */
bool cgroup_is_carried_xattr(const char *name);

/* A file without its last newline; `text` has CGROUP_VALUE_MAX bytes. Its length or -errno (not logged). */
int cgroup_read_value(const char *path, const char *file, char *text);
/* A partition's "root invalid (why)" is set as "root". */
void cgroup_trim_state(const char *name, char *text);

#endif
