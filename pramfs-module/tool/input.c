// SPDX-License-Identifier: GPL-2.0
/*
 * input.c - a handover's metadata, from an image file or from the device.
 */
#include "tool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* More metadata than the largest machine has; ends reads of endless files. */
#define MOST_BYTES	(16ull << 30)
/* A bitmap of 1 TiB of memory is 32 MiB. */
#define BUDGET		(8ull << 30)

static int read_all(int fd, u8 **data, size_t *bytes)
{
	size_t room = 1 << 20, have = 0;
	u8 *buffer = malloc(room), *larger;
	ssize_t got;
	int err = -ENOMEM;

	while (buffer) {
		got = read(fd, buffer + have, room - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err = -errno;
			break;
		}
		if (!got) {
			*data = buffer;
			*bytes = have;
			return 0;
		}
		have += (size_t)got;
		if (have < room)
			continue;
		if (room >= MOST_BYTES) {
			err = -EFBIG;
			break;
		}
		room *= 2;
		larger = realloc(buffer, room);
		if (!larger)
			break;
		buffer = larger;
	}
	free(buffer);
	return err;
}

int read_image(const char *path, u8 **data, size_t *bytes)
{
	const char *from = path ? path : PRAMFS_DEVICE;
	int fd, err;

	fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		if (!path && err == -ENOENT)
			say_error(0, "no %s: the module pramfs is not loaded", from);
		else
			say_error(err, "cannot open %s", from);
		return err;
	}
	err = read_all(fd, data, bytes);
	if (err)
		say_error(err, "cannot read %s", from);
	close(fd);
	return err;
}

int open_image(const char *path, struct image *image, u8 **data)
{
	const char *from = path ? path : PRAMFS_DEVICE;
	size_t bytes;
	int err;

	if (read_image(path, data, &bytes))
		return EXIT_USAGE;
	err = image_init(image, *data, bytes, BUDGET);
	if (!err)
		return EXIT_GOOD;
	free(*data);
	if (err == -ENODATA) {
		say_error(0, path ? "%s is empty" : "no handover is there (%s)", from);
		return EXIT_NOTHING;
	}
	if (err == -EINVAL) {
		say_error(0, "damaged: %s has %zu bytes, which is not a number of whole pages",
			  from, bytes);
		return EXIT_DAMAGED;
	}
	say_error(err, "cannot read %s", from);
	return EXIT_USAGE;
}
