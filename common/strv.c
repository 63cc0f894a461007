// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/strv.h"

size_t strv_count(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

bool strv_has(char *const *list, const char *s)
{
	for (; list && *list; list++)
		if (!strcmp(*list, s))
			return true;
	return false;
}

static int add_owned(char ***list, char *s)
{
	size_t n = strv_count(*list);
	char **longer = s ? realloc(*list, (n + 2) * sizeof(*longer)) : NULL;

	if (!longer) {
		free(s);
		return log_syserr(ENOMEM, "cannot keep a list of %zu strings", n + 1);
	}
	longer[n] = s;
	longer[n + 1] = NULL;
	*list = longer;
	return 0;
}

int strv_add(char ***list, const char *s)
{
	return add_owned(list, strdup(s));
}

int strv_addf(char ***list, const char *fmt, ...)
{
	char *s = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&s, fmt, args) < 0)
		s = NULL;
	va_end(args);
	return add_owned(list, s);
}

int strv_extend(char ***list, char *const *more)
{
	int err = 0;

	for (; !err && more && *more; more++)
		err = strv_add(list, *more);
	return err;
}

int strv_split(const char *s, char ***list)
{
	static const char separators[] = " \t\r\n,";
	_cleanup_strv_ char **words = NULL;
	size_t length;
	int err;

	for (s += strspn(s, separators); *s; s += length, s += strspn(s, separators)) {
		length = strcspn(s, separators);
		err = strv_addf(&words, "%.*s", (int)length, s);
		if (err)
			return err;
	}
	*list = steal_ptr(words);
	return 0;
}

void strv_free(char **list)
{
	char **s;

	for (s = list; s && *s; s++)
		free(*s);
	free(list);
}
