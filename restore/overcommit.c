// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "restore/overcommit.h"

#define OVERCOMMIT "/proc/sys/vm/overcommit_memory"
#define ALWAYS 1

static int set(int mode)
{
	_cleanup_close_ int fd = open(OVERCOMMIT, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dprintf(fd, "%d\n", mode) < 0)
		return -errno;
	return 0;
}

int overcommit_allow(void)
{
	uint64_t was;
	int err = file_read_u64(OVERCOMMIT, &was);

	if (!err && was == ALWAYS)
		return ALWAYS;
	if (!err)
		err = set(ALWAYS);
	if (err) {
		log_warning("cannot set " OVERCOMMIT " to 1, so that a large mapping may be refused: %s",
			    strerror(-err));
		return err;
	}
	return (int)was;
}

void overcommit_set(int mode)
{
	int err = mode < 0 || mode == ALWAYS ? 0 : set(mode);

	if (err)
		log_warning("cannot set " OVERCOMMIT " to %d again: %s", mode, strerror(-err));
}
