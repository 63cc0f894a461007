// SPDX-License-Identifier: GPL-2.0
#include <blkid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "file.h"

int block_path(const char *numbers, char *path, size_t size)
{
	char uevent[64], text[4096], *name;
	int n;

	snprintf(uevent, sizeof(uevent), "/sys/dev/block/%s/uevent", numbers);
	n = file_read(uevent, text, sizeof(text));
	name = n < 0 ? NULL : strstr(text, "DEVNAME=");
	if (!name)
		return -ENODEV;
	name += strlen("DEVNAME=");
	n = snprintf(path, size, "/dev/%.*s", (int)strcspn(name, "\n"), name);
	return n < 0 || (size_t)n >= size ? -ENODEV : 0;
}

static int probe_for(const char *path, const char *const *names, char **found)
{
	blkid_probe probe = blkid_new_probe_from_filename(path);
	const char *value;
	int err = -ENODATA;

	if (!probe)
		return -ENODEV;
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_UUID);
	blkid_probe_enable_partitions(probe, !strcmp(names[0], "PTUUID"));
	if (!blkid_do_safeprobe(probe)) {
		for (; err && *names; names++) {
			if (blkid_probe_lookup_value(probe, *names, &value, NULL))
				continue;
			*found = strdup(value);
			err = *found ? 0 : -ENOMEM;
		}
	}
	blkid_free_probe(probe);
	return err;
}

int block_uuid(const char *path, char **uuid)
{
	static const char *const names[] = { "UUID", NULL };

	return probe_for(path, names, uuid);
}

int block_disk_id(const char *path, char **id)
{
	static const char *const names[] = { "PTUUID", "UUID", NULL };

	return probe_for(path, names, id);
}
