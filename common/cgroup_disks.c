// SPDX-License-Identifier: GPL-2.0
/*
 * Limits by device name it by its numbers, "8:0 rbps=...". Numbers are given
 * out anew by each kernel; a disk is known by the UUID of its partition table
 * or of the filesystem on it.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "cgroup.h"
#include "cleanup.h"
#include "file.h"
#include "log.h"

/* Of the whole disk DEV ("8:0"), allocated. */
static int disk_id(const char *dev, char **id)
{
	char device[300];
	int err = block_path(dev, device, sizeof(device));

	return err ? err : block_disk_id(device, id);
}

/* Does the line begin with "8:0 "? Its length, or 0. */
static size_t dev_of(const char *line)
{
	size_t n = strspn(line, "0123456789");

	if (!n || line[n] != ':' || !isdigit((unsigned char)line[n + 1]))
		return 0;
	n += 1 + strspn(line + n + 1, "0123456789");
	return line[n] == ' ' && n < 32 ? n : 0;
}

static int note_line(const char *line, struct json_object *disks)
{
	_cleanup_free_ char *id = NULL;
	char dev[32];
	size_t n = dev_of(line);

	snprintf(dev, sizeof(dev), "%.*s", (int)n, line);
	if (!n || json_object_object_get_ex(disks, dev, NULL))
		return 0;
	if (disk_id(dev, &id)) {
		log_warning("the disk %s has no UUID: a cgroup's limits on it are not carried", dev);
		return 0;
	}
	return json_object_object_add(disks, dev, json_object_new_string(id)) ? -ENOMEM : 0;
}

static int note_values_of(struct json_object *one, struct json_object *disks)
{
	struct json_object *values;
	int err = 0;

	if (!json_object_object_get_ex(one, "values", &values))
		return 0;
	json_object_object_foreach(values, name, value) {
		const char *line = json_object_get_string(value);

		if (strncmp(name, "io.", 3))
			continue;
		while (!err && *line) {
			err = note_line(line, disks);
			line += strcspn(line, "\n");
			line += *line == '\n';
		}
	}
	return err;
}

int cgroup_disks_note(struct json_object *noted)
{
	static const char *const arrays[] = { "parents", "tree" };
	struct json_object *disks = json_object_new_object(), *array;
	int err = disks ? 0 : -ENOMEM;
	size_t i, k;

	for (i = 0; !err && i < 2; i++) {
		json_object_object_get_ex(noted, arrays[i], &array);
		for (k = 0; !err && k < json_object_array_length(array); k++)
			err = note_values_of(json_object_array_get_idx(array, k), disks);
	}
	if (!err && !json_object_object_add(noted, "disks", disks))
		return 0;
	json_object_put(disks);
	return log_syserr(ENOMEM, "cannot note the disks of a cgroup");
}

static int find_disk(const char *id, char *dev, size_t size)
{
	_cleanup_closedir_ DIR *dir = opendir("/sys/block");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *found = NULL;
		char path[300];

		snprintf(path, sizeof(path), "/sys/block/%s/dev", entry->d_name);
		if (entry->d_name[0] != '.' && file_read_line(path, dev, size) > 0 &&
		    !disk_id(dev, &found) && !strcmp(found, id))
			return 0;
	}
	return -ENODEV;
}

int cgroup_disks_translate(struct json_object *noted, const char *line, char *out, size_t size)
{
	struct json_object *disks, *id = NULL;
	char dev[32];
	size_t n = dev_of(line);
	int err = 0;

	snprintf(dev, sizeof(dev), "%.*s", (int)n, line);
	if (n) {
		/* Another disk may have the number now: without an id it is not tried. */
		if (!json_object_object_get_ex(noted, "disks", &disks) ||
		    !json_object_object_get_ex(disks, dev, &id))
			return -ENODEV;
		err = find_disk(json_object_get_string(id), dev, sizeof(dev));
	}
	if (!err && snprintf(out, size, "%s%s", n ? dev : "", line + n) >= (int)size)
		err = -E2BIG;
	return err;
}
