// SPDX-License-Identifier: GPL-2.0
#include "tool.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int print_mount(void *ctx, u32 nr, const char *name, const struct pramfs_rec_mount *m)
{
	char *text = escape(name, strlen(name));

	(void)ctx;
	(void)nr;
	printf("  %s: %llu files and directories\n", text,
	       (unsigned long long)le64toh(m->nr_inodes));
	free(text);
	return 0;
}

/* What will be lost, as far as it can be read. */
static void print_loss(const struct pramfs_ioc_status *status)
{
	static const struct pramfs_visitor v = { .mount = print_mount };
	struct pramfs_finding f = { 0 };
	struct image image;
	char size[16];
	u8 *data;
	int err;

	printf("This gives up the handover; its memory (%s) is freed and its files are lost:\n",
	       human(status->reserved_bytes, size));
	if (open_image(NULL, &image, &data))
		return;
	err = pramfs_walk(&image.src, image_root(&image), -1, &v, &f);
	if (err)
		print_finding(&f, err);
	image_release(&image);
	free(data);
}

static bool confirmed(void)
{
	char answer[16];

	printf("Type yes to go on: ");
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && !strcmp(answer, "yes\n");
}

static int discard(int fd, bool yes)
{
	struct pramfs_ioc_status status;

	if (get_status(fd, &status))
		return EXIT_USAGE;
	if (!(status.flags & (PRAMFS_PENDING | PRAMFS_REFUSED))) {
		say_error(0, "there is no handover to discard");
		return EXIT_NOTHING;
	}
	if (!yes) {
		print_loss(&status);
		if (!confirmed()) {
			say_error(0, "nothing was discarded");
			return EXIT_USAGE;
		}
	}
	if (!ioctl(fd, PRAMFS_IOC_DISCARD))
		return EXIT_GOOD;
	if (errno == EBUSY)
		say_error(0, "cannot discard: a part of the handover is mounted");
	else if (errno == EUCLEAN)
		say_error(0, "cannot discard: the root page is damaged, so nobody knows which memory"
			  " to free; it comes back at the next boot");
	else
		say_error(errno, "cannot discard");
	return errno == ENOENT ? EXIT_NOTHING : EXIT_USAGE;
}

int cmd_discard(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "yes", no_argument, NULL, 'y' }, { "help", no_argument, NULL, 'h' }, { 0 }
	};
	bool yes = false;
	int c, fd;

	while ((c = getopt_long(argc, argv, "yh", options, NULL)) != -1) {
		if (c == 'h')
			return usage_help(self);
		if (c != 'y')
			return usage_error(self);
		yes = true;
	}
	if (argc != optind)
		return usage_error(self);
	if (!yes && !isatty(STDIN_FILENO)) {
		say_error(0, "discard needs a terminal to ask, or --yes");
		return EXIT_USAGE;
	}
	fd = open_device();
	if (fd < 0)
		return EXIT_USAGE;
	c = discard(fd, yes);
	close(fd);
	return c;
}
