// SPDX-License-Identifier: GPL-2.0
/*
 * seed.c - writes image files: good ones, and every one that a check refuses.
 * They start the fuzzer and feed the tests of the pramfs tool.
 *
 * usage: seed images|inputs DIR
 * images: DIR gets good-NAME.img, and bad-NAME.img for each case of cases.c.
 * inputs: the same as inputs of fuzz_format, a byte before each (see there).
 */
#include "../unit/cases.h"

#include <err.h>

static void save(const char *dir, const char *name, const char *first, const void *data,
		 size_t bytes)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	if (!file || (first && fputc(*first, file) == EOF) ||
	    fwrite(data, 1, bytes, file) != bytes || fclose(file))
		err(1, "write %s", path);
}

static void save_shot(const char *dir, const char *kind, const char *name, bool inputs,
		      const struct shot *s)
{
	size_t bytes = s->nr_pages * PRAMFS_FRAME_SIZE;
	char file[256];

	if (!inputs) {
		snprintf(file, sizeof(file), "%s-%s.img", kind, name);
		save(dir, file, NULL, s->pages, bytes);
		return;
	}
	snprintf(file, sizeof(file), "%s-%s.stream", kind, name);
	save(dir, file, "\2", s->stream, s->bytes);
	/* Each image whole would be much and say little more. */
	if (strcmp(kind, "good") && strncmp(name, "root", 4) && strncmp(name, "range", 5) &&
	    strncmp(name, "page", 4))
		return;
	snprintf(file, sizeof(file), "%s-%s.raw", kind, name);
	save(dir, file, "\0", s->pages, bytes);
	snprintf(file, sizeof(file), "%s-%s.mended", kind, name);
	save(dir, file, "\1", s->pages, bytes);
}

static void good_empty(struct shot *s)
{
	shot_reset(s);
	shot_end(s);
	shot_pack(s);
}

/* Names that a terminal would take for commands. */
static void good_hostile(struct shot *s)
{
	shot_reset(s);
	shot_mount(s, "a\033[2Jb", 3, 2);
	shot_inode(s, S_IFDIR | 0755, 0, 2);
	shot_inode(s, S_IFREG | 04755, 0, 1);
	shot_inode(s, S_IFLNK | 0777, 4, 1);
	shot_target(s, "\r\n\"\\");
	shot_dirent(s, 0, 1, "\033]0;title\007\"quoted\\\n\xff\xc2\x9b");
	shot_dirent(s, 0, 2, "link");
	shot_end(s);
	shot_pack(s);
}

/* Records that cross pages, each kind of tail. */
static void good_long(struct shot *s)
{
	static char value[PRAMFS_MAX_XATTR_VALUE];
	struct pramfs_rec_xattr x = { .name_len = 6, .value_len = 6000 };
	struct pramfs_extent e[300];
	char target[PRAMFS_MAX_TARGET + 1];

	memset(value, 'v', sizeof(value));
	memcpy(value, "user.v", 6);
	memset(target, 't', sizeof(target));
	target[PRAMFS_MAX_TARGET] = 0;
	for (u32 i = 0; i < 300; i++)
		e[i] = (struct pramfs_extent) { 3 * i, SHOT_DATA + 2 * i };
	shot_reset(s);
	shot_mount(s, "long", 3, 2);
	shot_inode(s, S_IFDIR | 0755, 0, 2);
	shot_inode(s, S_IFREG | 0644, 1000 * 4096, 1);
	shot_record(s, PRAMFS_REC_XATTR, &x, sizeof(x), value, 6006);
	shot_record(s, PRAMFS_REC_EXTENTS, NULL, 0, e, sizeof(e));
	s->extents = s->frames = 300;
	shot_inode(s, S_IFLNK | 0777, PRAMFS_MAX_TARGET, 1);
	shot_target(s, target);
	shot_dirent(s, 0, 1, "file");
	shot_dirent(s, 0, 2, "link");
	shot_end(s);
	shot_pack(s);
}

static void good_minor(struct shot *s)
{
	shot_tree(s);
	shot_root(s)->minor = 7;
	shot_crcs(s);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*make)(struct shot *s);
	} good[] = {
		{ "tree", shot_tree }, { "empty", good_empty }, { "hostile", good_hostile },
		{ "long", good_long }, { "minor", good_minor },
	};
	struct shot s = { 0 };
	bool inputs;

	if (argc != 3 || (strcmp(argv[1], "images") && strcmp(argv[1], "inputs")))
		errx(2, "usage: seed images|inputs DIR");
	inputs = !strcmp(argv[1], "inputs");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		good[i].make(&s);
		save_shot(argv[2], "good", good[i].name, inputs, &s);
	}
	for (const struct refusal *r = refusals; r->name; r++) {
		r->make(&s);
		save_shot(argv[2], "bad", r->name, inputs, &s);
	}
	free(s.stream);
	return 0;
}
