/* SPDX-License-Identifier: GPL-2.0 */
/*
 * strv.h - lists of strings that end with NULL; an empty list may be NULL.
 */
#ifndef REBOOTLESS_STRV_H
#define REBOOTLESS_STRV_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Of one string. */
static inline bool str_ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);

	return n >= t && !strcmp(s + n - t, tail);
}

size_t strv_count(char *const *list);
bool strv_has(char *const *list, const char *s);

/* Append a copy of s. 0 or -ENOMEM (logged); the list is as it was on failure. */
int strv_add(char ***list, const char *s);
/* The same, formatted. */
int strv_addf(char ***list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Append copies of all of `more`. On failure some may have been appended. */
int strv_extend(char ***list, char *const *more);

/* A new list of the words of s; separators are white space and commas. */
int strv_split(const char *s, char ***list);

void strv_free(char **list);

static inline void cleanup_strv(char ***list)
{
	strv_free(*list);
}
#define _cleanup_strv_ __attribute__((cleanup(cleanup_strv)))

#endif
