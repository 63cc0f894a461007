/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cleanup.h - scope guards: what a function opens, its end closes.
 *
 * Every destructor accepts "nothing there" (NULL, or a descriptor below 0).
 * To hand something on, steal it: the variable is then empty.
 */
#ifndef REBOOTLESS_CLEANUP_H
#define REBOOTLESS_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)

/* The value of a pointer variable, which is NULL afterwards. */
#define steal_ptr(p)                              \
	({                                        \
		__typeof__(p) stolen_ = (p);      \
		(p) = NULL;                       \
		stolen_;                          \
	})

static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

/* errno stays as it was: a guard runs between a failure and its report. */
static inline void cleanup_close(int *fd)
{
	int err = errno;

	if (*fd >= 0)
		close(*fd);
	errno = err;
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#endif
