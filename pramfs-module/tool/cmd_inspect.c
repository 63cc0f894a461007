// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_inspect.c - what a handover holds, for people and as JSON.
 *
 * The stream has the inodes of a mount before its entries, so a mount's inodes
 * are kept until the entries give them their paths. A file with several links
 * is shown under each. The root directory has no entry: it is shown before what
 * comes after its own records.
 */
#include "tool.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct span {
	u64 index, pfn, pages;
};

struct file {
	struct pramfs_rec_inode inode;
	u32 parent;		/* of a directory, and its name there */
	char *name;
	char *target;		/* escaped */
	u32 nr_xattrs;
	u64 nr_extents, pages;
	u64 first_span;		/* in inspection.spans */
};

struct inspection {
	bool extents;
	struct json_object *json;	/* list of mounts; NULL = text */
	struct json_object *files;	/* of the mount at hand */
	struct file *file;
	u32 nr;
	bool root_shown;
	struct span *spans;
	u64 nr_spans, room;
};

static void add_number(struct json_object *o, const char *key, u64 value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

/* ---- one file --------------------------------------------------------- */

static char type_letter(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return 'd';
	case S_IFLNK: return 'l';
	case S_IFCHR: return 'c';
	case S_IFBLK: return 'b';
	case S_IFIFO: return 'p';
	case S_IFSOCK: return 's';
	default: return '-';
	}
}

static const char *type_word(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return "directory";
	case S_IFLNK: return "symlink";
	case S_IFCHR: return "character device";
	case S_IFBLK: return "block device";
	case S_IFIFO: return "fifo";
	case S_IFSOCK: return "socket";
	default: return "file";
	}
}

/*
 * The path of an entry, from its end; one that is longer than a path can be
 * loses its beginning, so that a hostile image costs no more than a long one.
 */
static char *path_of(const struct inspection *in, u32 parent, const char *name, size_t len)
{
	char path[PATH_MAX + 8];
	size_t at = sizeof(path);

	for (;;) {
		if (len + 4 > at) {
			at -= 3;
			memcpy(path + at, "...", 3);
			break;
		}
		at -= len;
		memcpy(path + at, name, len);
		path[--at] = '/';
		if (!parent)
			break;
		name = in->file[parent].name;
		len = strlen(name);
		parent = in->file[parent].parent;
	}
	return escape(path + at, sizeof(path) - at);
}

static void text_file(const struct inspection *in, const struct file *file, const char *path)
{
	const struct pramfs_rec_inode *i = &file->inode;
	u32 mode = le32toh(i->mode);
	char size[32];
	u64 k;

	if (S_ISCHR(mode) || S_ISBLK(mode))
		snprintf(size, sizeof(size), "%u,%u", le32toh(i->rdev_major), le32toh(i->rdev_minor));
	else
		snprintf(size, sizeof(size), "%llu", (unsigned long long)le64toh(i->size));
	printf("  %c%04o %u:%u %12s  %s", type_letter(mode), mode & 07777, le32toh(i->uid),
	       le32toh(i->gid), size, path);
	if (file->target)
		printf(" -> %s", file->target);
	if (S_ISREG(mode))
		printf("  (%llu extents, %llu pages)", (unsigned long long)file->nr_extents,
		       (unsigned long long)file->pages);
	if (file->nr_xattrs)
		printf("  (%u xattrs)", file->nr_xattrs);
	printf("\n");
	for (k = 0; in->extents && k < file->nr_extents; k++) {
		const struct span *span = &in->spans[file->first_span + k];

		printf("      page %llu -> frame 0x%llx, %llu pages\n",
		       (unsigned long long)span->index, (unsigned long long)span->pfn,
		       (unsigned long long)span->pages);
	}
}

static struct json_object *json_file(const struct inspection *in, const struct file *file,
				     const char *path)
{
	struct json_object *o = json_object_new_object(), *list, *e;
	const struct pramfs_rec_inode *i = &file->inode;
	u32 mode = le32toh(i->mode);
	char text[16];
	u64 k;

	json_object_object_add(o, "path", json_object_new_string(path));
	json_object_object_add(o, "type", json_object_new_string(type_word(mode)));
	snprintf(text, sizeof(text), "%04o", mode & 07777);
	json_object_object_add(o, "mode", json_object_new_string(text));
	add_number(o, "ino", le64toh(i->ino));
	add_number(o, "uid", le32toh(i->uid));
	add_number(o, "gid", le32toh(i->gid));
	add_number(o, "nlink", le32toh(i->nlink));
	add_number(o, "size", le64toh(i->size));
	json_object_object_add(o, "mtime", json_object_new_int64((int64_t)le64toh(i->mtime.sec)));
	if (S_ISCHR(mode) || S_ISBLK(mode)) {
		add_number(o, "major", le32toh(i->rdev_major));
		add_number(o, "minor", le32toh(i->rdev_minor));
	}
	if (file->target)
		json_object_object_add(o, "target", json_object_new_string(file->target));
	add_number(o, "xattrs", file->nr_xattrs);
	add_number(o, "extents", file->nr_extents);
	add_number(o, "pages", file->pages);
	if (!in->extents)
		return o;
	list = json_object_new_array();
	for (k = 0; k < file->nr_extents; k++) {
		const struct span *span = &in->spans[file->first_span + k];

		e = json_object_new_object();
		add_number(e, "page", span->index);
		add_number(e, "pfn", span->pfn);
		add_number(e, "pages", span->pages);
		json_object_array_add(list, e);
	}
	json_object_object_add(o, "extent_list", list);
	return o;
}

static void show_file(struct inspection *in, u32 nr, const char *path)
{
	if (in->json)
		json_object_array_add(in->files, json_file(in, &in->file[nr], path));
	else
		text_file(in, &in->file[nr], path);
}

static void show_root(struct inspection *in)
{
	if (in->nr && !in->root_shown)
		show_file(in, 0, "/");
	in->root_shown = true;
}

static void end_mount(struct inspection *in)
{
	u32 i;

	show_root(in);
	in->root_shown = false;
	for (i = 0; i < in->nr; i++) {
		free(in->file[i].name);
		free(in->file[i].target);
	}
	free(in->file);
	in->file = NULL;
	in->nr = 0;
	in->nr_spans = 0;
}

/* ---- the walk --------------------------------------------------------- */

static int see_mount(void *ctx, u32 nr, const char *name, const struct pramfs_rec_mount *m)
{
	struct inspection *in = ctx;
	struct json_object *o;
	char *text;
	char size[16];

	(void)nr;
	end_mount(in);
	in->file = calloc(le64toh(m->nr_inodes), sizeof(*in->file));
	if (!in->file)
		return -ENOMEM;
	if (in->json) {
		o = json_object_new_object();
		json_object_object_add(o, "name", json_text(name, strlen(name)));
		add_number(o, "max_bytes", le64toh(m->max_pages) * PRAMFS_FRAME_SIZE);
		add_number(o, "max_inodes", le64toh(m->max_inodes));
		add_number(o, "inodes", le64toh(m->nr_inodes));
		add_number(o, "entries", le64toh(m->nr_dirents));
		in->files = json_object_new_array();
		json_object_object_add(o, "files", in->files);
		json_object_array_add(in->json, o);
		return 0;
	}
	text = escape(name, strlen(name));
	printf("\nmount %s: %llu inodes, %llu entries", text,
	       (unsigned long long)le64toh(m->nr_inodes),
	       (unsigned long long)le64toh(m->nr_dirents));
	free(text);
	if (m->max_pages)
		printf(", at most %s", human(le64toh(m->max_pages) * PRAMFS_FRAME_SIZE, size));
	if (m->max_inodes)
		printf(", at most %llu inodes", (unsigned long long)le64toh(m->max_inodes));
	printf("\n");
	return 0;
}

static int see_inode(void *ctx, u32 nr, const struct pramfs_rec_inode *i)
{
	struct inspection *in = ctx;

	if (nr)
		show_root(in);
	in->nr = nr + 1;
	in->file[nr].inode = *i;
	in->file[nr].first_span = in->nr_spans;
	return 0;
}

static int see_xattr(void *ctx, u32 inode, const char *name, const void *value, u32 len)
{
	struct inspection *in = ctx;

	(void)name;
	(void)value;
	(void)len;
	in->file[inode].nr_xattrs++;
	return 0;
}

static int see_target(void *ctx, u32 inode, const char *target, u32 len)
{
	struct inspection *in = ctx;

	in->file[inode].target = escape(target, len);
	return 0;
}

static int see_extent(void *ctx, u32 inode, u64 index, u64 pfn, u64 pages)
{
	struct inspection *in = ctx;
	struct span *larger;

	in->file[inode].nr_extents++;
	in->file[inode].pages += pages;
	if (!in->extents)
		return 0;
	if (in->nr_spans == in->room) {
		in->room = in->room ? 2 * in->room : 1024;
		larger = reallocarray(in->spans, in->room, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		in->spans = larger;
	}
	in->spans[in->nr_spans++] = (struct span) { index, pfn, pages };
	return 0;
}

static int see_dirent(void *ctx, u32 parent, u32 child, const char *name, u32 len)
{
	struct inspection *in = ctx;
	struct file *file = &in->file[child];
	char *path;

	show_root(in);
	if (S_ISDIR(le32toh(file->inode.mode))) {
		file->parent = parent;
		file->name = strdup(name);
		if (!file->name)
			return -ENOMEM;
	}
	path = path_of(in, parent, name, len);
	show_file(in, child, path);
	free(path);
	return 0;
}

/* ---- the root page ---------------------------------------------------- */

static void text_root(const struct pramfs_root *root)
{
	char *kernel = escape(root->kernel, strnlen(root->kernel, sizeof(root->kernel)));
	char size[16], more[16];
	u32 i;

	printf("format    %u.%u\nstate     sealed\nkernel    %s\n", le16toh(root->major),
	       le16toh(root->minor), *kernel ? kernel : "unknown");
	printf("root      frame 0x%llx\nmounts    %u\n", (unsigned long long)le64toh(root->pfn),
	       le32toh(root->nr_mounts));
	printf("data      %s in %llu frames\n",
	       human(le64toh(root->data_frames) * PRAMFS_FRAME_SIZE, size),
	       (unsigned long long)le64toh(root->data_frames));
	printf("metadata  %s in %llu pages, %llu bytes of records\n",
	       human((le64toh(root->stream_pages) + 1) * PRAMFS_FRAME_SIZE, more),
	       (unsigned long long)le64toh(root->stream_pages) + 1,
	       (unsigned long long)le64toh(root->stream_bytes));
	for (i = 0; i < le32toh(root->nr_ranges); i++)
		printf("range     0x%012llx  %s\n", (unsigned long long)le64toh(root->node[i].addr),
		       human(le64toh(root->node[i].bytes), size));
	for (i = 0; i < le32toh(root->nr_arenas); i++)
		printf("arena     0x%012llx  %s\n",
		       (unsigned long long)le64toh(root->arena[i].pfn) << PRAMFS_FRAME_SHIFT,
		       human(le64toh(root->arena[i].frames) * PRAMFS_FRAME_SIZE, size));
	free(kernel);
}

static struct json_object *json_span(u64 start, u64 bytes)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "start", start);
	add_number(o, "bytes", bytes);
	return o;
}

static struct json_object *json_root(const struct pramfs_root *root)
{
	struct json_object *o = json_object_new_object(), *list;
	char version[16];
	u32 i;

	snprintf(version, sizeof(version), "%u.%u", le16toh(root->major), le16toh(root->minor));
	json_object_object_add(o, "format", json_object_new_string(version));
	json_object_object_add(o, "state", json_object_new_string("sealed"));
	json_object_object_add(o, "kernel", json_text(root->kernel, strnlen(root->kernel,
							sizeof(root->kernel))));
	add_number(o, "root_pfn", le64toh(root->pfn));
	add_number(o, "data_bytes", le64toh(root->data_frames) * PRAMFS_FRAME_SIZE);
	add_number(o, "metadata_bytes", (le64toh(root->stream_pages) + 1) * PRAMFS_FRAME_SIZE);
	add_number(o, "stream_bytes", le64toh(root->stream_bytes));
	add_number(o, "sealed_tsc", le64toh(root->sealed_tsc));
	list = json_object_new_array();
	for (i = 0; i < le32toh(root->nr_ranges); i++)
		json_object_array_add(list, json_span(le64toh(root->node[i].addr),
						      le64toh(root->node[i].bytes)));
	json_object_object_add(o, "ranges", list);
	list = json_object_new_array();
	for (i = 0; i < le32toh(root->nr_arenas); i++)
		json_object_array_add(list, json_span(
			le64toh(root->arena[i].pfn) << PRAMFS_FRAME_SHIFT,
			le64toh(root->arena[i].frames) << PRAMFS_FRAME_SHIFT));
	json_object_object_add(o, "arenas", list);
	return o;
}

static int inspect(const struct image *image, bool json, bool extents)
{
	struct inspection in = { .extents = extents };
	const struct pramfs_visitor v = {
		.mount = see_mount, .inode = see_inode, .xattr = see_xattr,
		.target = see_target, .extent = see_extent, .dirent = see_dirent, .ctx = &in,
	};
	const struct pramfs_root *root = image_root(image);
	struct json_object *top = NULL;
	struct pramfs_owned owned;
	struct pramfs_finding f = { 0 };
	int err;

	err = pramfs_check_root(root, ~0ull, &f);
	if (err == -ENOENT) {
		say_error(0, "nothing is handed over: memory is claimed, but not sealed");
		return EXIT_NOTHING;
	}
	if (json) {
		top = err ? json_object_new_object() : json_root(root);
		in.json = json_object_new_array();
		json_object_object_add(top, "mounts", in.json);
	} else if (!err) {
		text_root(root);
	}
	/* What cannot be trusted is not shown: the files only if all is right. */
	if (!err)
		err = pramfs_check(&image->src, root, ~0ull, &owned, NULL, &f);
	if (!err) {
		pramfs_owned_free(&image->src, &owned);
		err = pramfs_walk(&image->src, root, -1, &v, &f);
		end_mount(&in);
	}
	if (json) {
		if (err)
			json_object_object_add(top, "damage", json_finding(&f, err));
		printf("%s\n", json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(top);
	}
	if (err)
		print_finding(&f, err);
	free(in.spans);
	if (!err)
		return EXIT_GOOD;
	return f.check ? EXIT_DAMAGED : EXIT_USAGE;
}

int cmd_inspect(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' }, { "extents", no_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' }, { 0 }
	};
	bool json = false, extents = false;
	struct image image;
	u8 *data;
	int c, code;

	while ((c = getopt_long(argc, argv, "jeh", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'e':
			extents = true;
			break;
		case 'h':
			return usage_help(self);
		default:
			return usage_error(self);
		}
	}
	if (argc - optind > 1)
		return usage_error(self);
	code = open_image(argv[optind], &image, &data);
	if (code)
		return code;
	code = inspect(&image, json, extents);
	image_release(&image);
	free(data);
	return code;
}
