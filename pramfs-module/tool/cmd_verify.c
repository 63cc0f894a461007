// SPDX-License-Identifier: GPL-2.0
#include "tool.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static int verify(const struct image *image)
{
	const struct pramfs_root *root = image_root(image);
	struct pramfs_finding f = { 0 };
	struct pramfs_owned owned;
	char size[16];
	int err;

	err = pramfs_check(&image->src, root, ~0ull, &owned, NULL, &f);
	if (err == -ENOENT) {
		say_error(0, "nothing is handed over: memory is claimed, but not sealed");
		return EXIT_NOTHING;
	}
	if (err) {
		print_finding(&f, err);
		return f.check ? EXIT_DAMAGED : EXIT_USAGE;
	}
	printf("good: %u mounts, %s in files, %llu pages of metadata\n", le32toh(root->nr_mounts),
	       human(le64toh(root->data_frames) * PRAMFS_FRAME_SIZE, size),
	       (unsigned long long)le64toh(root->stream_pages) + 1);
	pramfs_owned_free(&image->src, &owned);
	return EXIT_GOOD;
}

int cmd_verify(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	struct image image;
	u8 *data;
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return c == 'h' ? usage_help(self) : usage_error(self);
	if (argc - optind > 1)
		return usage_error(self);
	code = open_image(argv[optind], &image, &data);
	if (code)
		return code;
	code = verify(&image);
	image_release(&image);
	free(data);
	return code;
}
