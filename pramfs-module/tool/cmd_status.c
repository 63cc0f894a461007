// SPDX-License-Identifier: GPL-2.0
#include "tool.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct {
	u32 flag;
	const char *name;
	const char *words;
} flags[] = {
	{ PRAMFS_CLAIMED, "claimed", "memory is claimed for the next kernel" },
	{ PRAMFS_SEALED, "sealed", "a handover is sealed; all mounts are read-only" },
	{ PRAMFS_PENDING, "pending", "a handover came and is not all mounted yet" },
	{ PRAMFS_REFUSED, "refused", "a handover came and was refused" },
};

#define NR_FLAGS	(sizeof(flags) / sizeof(flags[0]))

static void print_size(const char *what, u64 bytes)
{
	char size[16];

	if (bytes)
		printf("%-24s %s\n", what, human(bytes, size));
}

static void print_pages(const char *what, u64 moved, const char *how, u64 copied)
{
	if (moved || copied)
		printf("%-24s %llu %s, %llu copied\n", what, (unsigned long long)moved, how,
		       (unsigned long long)copied);
}

static void print_status(const struct pramfs_ioc_status *s)
{
	bool any = false;
	size_t i;

	for (i = 0; i < NR_FLAGS; i++) {
		if (!(s->flags & flags[i].flag))
			continue;
		printf("%-24s %s\n", any ? "" : "state", flags[i].words);
		any = true;
	}
	if (!any)
		printf("%-24s idle\n", "state");
	printf("%-24s %u.%u\n", "format", s->format_major, s->format_minor);
	if (s->pending_mounts)
		printf("%-24s %u\n", "mounts pending", s->pending_mounts);
	if (s->root)
		printf("%-24s 0x%llx\n", "root page", (unsigned long long)s->root);
	print_size("boot arenas", s->arena_bytes);
	print_size("handed over, ranges", s->came_bytes);
	print_size("given back at load", s->given_back_bytes);
	print_size("kept from the system", s->reserved_bytes);
	if (s->came_bytes)
		printf("%-24s %.3f ms to check, %.3f ms to give back\n", "time at load",
		       (double)s->check_ns / 1e6, (double)s->give_back_ns / 1e6);
	print_pages("pages spliced in", s->adopted_pages, "adopted", s->adopt_copied_pages);
	print_pages("pages read", s->given_pages, "given", s->give_copied_pages);
	if (s->refused_check[0]) {
		char *check = escape(s->refused_check,
				     strnlen(s->refused_check, sizeof(s->refused_check)));

		printf("%-24s check \"%s\" at offset %u of the page in frame 0x%llx:"
		       " found %llu, expected %llu\n", "refused by", check, s->refused_offset,
		       (unsigned long long)s->refused_pfn, (unsigned long long)s->refused_found,
		       (unsigned long long)s->refused_expected);
		free(check);
	}
}

static void print_json(const struct pramfs_ioc_status *s)
{
	struct json_object *o = json_object_new_object(), *refused;
	const struct {
		const char *name;
		u64 value;
	} number[] = {
		{ "format_major", s->format_major }, { "format_minor", s->format_minor },
		{ "pending_mounts", s->pending_mounts }, { "root", s->root },
		{ "arena_bytes", s->arena_bytes }, { "reserved_bytes", s->reserved_bytes },
		{ "came_bytes", s->came_bytes }, { "given_back_bytes", s->given_back_bytes },
		{ "check_ns", s->check_ns }, { "give_back_ns", s->give_back_ns },
		{ "adopted_pages", s->adopted_pages },
		{ "adopt_copied_pages", s->adopt_copied_pages },
		{ "given_pages", s->given_pages }, { "give_copied_pages", s->give_copied_pages },
	};
	size_t i;

	for (i = 0; i < NR_FLAGS; i++)
		json_object_object_add(o, flags[i].name,
				       json_object_new_boolean(!!(s->flags & flags[i].flag)));
	for (i = 0; i < sizeof(number) / sizeof(number[0]); i++)
		json_object_object_add(o, number[i].name, json_object_new_uint64(number[i].value));
	if (s->refused_check[0]) {
		refused = json_object_new_object();
		json_object_object_add(refused, "check",
				       json_text(s->refused_check, strnlen(s->refused_check,
						 sizeof(s->refused_check))));
		json_object_object_add(refused, "pfn", json_object_new_uint64(s->refused_pfn));
		json_object_object_add(refused, "offset", json_object_new_uint64(s->refused_offset));
		json_object_object_add(refused, "found", json_object_new_uint64(s->refused_found));
		json_object_object_add(refused, "expected",
				       json_object_new_uint64(s->refused_expected));
		json_object_object_add(o, "refusal", refused);
	}
	printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
}

int cmd_status(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { 0 }
	};
	struct pramfs_ioc_status status;
	bool json = false;
	int c, fd;

	while ((c = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
		if (c == 'h')
			return usage_help(self);
		if (c != 'j')
			return usage_error(self);
		json = true;
	}
	if (argc != optind)
		return usage_error(self);
	fd = open_device();
	if (fd < 0)
		return EXIT_USAGE;
	c = get_status(fd, &status);
	close(fd);
	if (c)
		return EXIT_USAGE;
	if (json)
		print_json(&status);
	else
		print_status(&status);
	return EXIT_GOOD;
}
