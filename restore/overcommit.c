// SPDX-License-Identifier: GPL-2.0
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "restore/overcommit.h"

#define OVERCOMMIT "/proc/sys/vm/overcommit_memory"
#define ALWAYS 1

int overcommit_allow(void)
{
	uint64_t was;
	int err = file_read_u64(OVERCOMMIT, &was);

	if (!err && was == ALWAYS)
		return ALWAYS;
	if (!err)
		err = file_put(OVERCOMMIT, "1");
	if (err) {
		log_warning("cannot set " OVERCOMMIT " to 1, so that a large mapping may be refused: %s",
			    strerror(-err));
		return err;
	}
	return (int)was;
}

void overcommit_set(int mode)
{
	char text[16];
	int err;

	if (mode < 0 || mode == ALWAYS)
		return;
	snprintf(text, sizeof(text), "%d", mode);
	err = file_put(OVERCOMMIT, text);
	if (err)
		log_warning("cannot set " OVERCOMMIT " to %d again: %s", mode, strerror(-err));
}
