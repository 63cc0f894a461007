// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/setup_data.h"

#define SETUP_DATA_DIR "/sys/kernel/boot_params/setup_data"
#define MAX_NODES 1024

int setup_data_find(uint32_t type)
{
	char path[sizeof(SETUP_DATA_DIR) + 24];
	unsigned int nr;
	uint64_t found;
	int err;

	for (nr = 0; nr < MAX_NODES; nr++) {
		snprintf(path, sizeof(path), SETUP_DATA_DIR "/%u/type", nr);
		err = file_read_u64(path, &found);
		if (err)
			return err;
		if (found == type)
			return (int)nr;
	}
	return -ENOENT;
}

int setup_data_read(unsigned int nr, void *buf, size_t size)
{
	char path[sizeof(SETUP_DATA_DIR) + 24];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), SETUP_DATA_DIR "/%u/data", nr);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = pread(fd, buf, size, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}
