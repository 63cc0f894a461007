// SPDX-License-Identifier: GPL-2.0
#include "tool.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const u8 *data, size_t bytes)
{
	ssize_t done;

	while (bytes) {
		done = write(fd, data, bytes);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		bytes -= (size_t)done;
	}
	return 0;
}

static int save(const char *path, bool force, const u8 *data, size_t bytes)
{
	/* Names of files and their owners are nobody else's business. */
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (force ? O_TRUNC : O_EXCL),
		      0600);
	int err = 0;

	if (fd < 0) {
		say_error(errno, "cannot create %s", path);
		return EXIT_USAGE;
	}
	if (force && fchmod(fd, 0600))
		err = -errno;
	if (!err)
		err = write_all(fd, data, bytes);
	if (!err && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (err) {
		say_error(err, "cannot write %s", path);
		unlink(path);
		return EXIT_USAGE;
	}
	return EXIT_GOOD;
}

int cmd_save(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' }, { "help", no_argument, NULL, 'h' }, { 0 }
	};
	bool force = false;
	size_t bytes;
	u8 *data;
	int c, code;

	while ((c = getopt_long(argc, argv, "fh", options, NULL)) != -1) {
		if (c == 'h')
			return usage_help(self);
		if (c != 'f')
			return usage_error(self);
		force = true;
	}
	if (argc - optind != 1)
		return usage_error(self);
	if (read_image(NULL, &data, &bytes))
		return EXIT_USAGE;
	if (bytes) {
		code = save(argv[optind], force, data, bytes);
	} else {
		say_error(0, "no handover is there");
		code = EXIT_NOTHING;
	}
	free(data);
	return code;
}
