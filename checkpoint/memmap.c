// SPDX-License-Identifier: GPL-2.0
/*
 * memmap.c - see memmap.h.
 *
 * /sys/firmware/memmap is what the firmware said, before mem=, memmap= and the
 * reservations of the running kernel; that is what a boot loader would pass.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "memmap.h"

static const struct {
	const char *name;
	uint32_t type;
} types[] = {
	{ "System RAM", E820_RAM },
	{ "ACPI Tables", E820_ACPI },
	{ "ACPI Non-volatile Storage", E820_NVS },
	{ "Unusable memory", E820_UNUSABLE },
	{ "Persistent Memory (legacy)", E820_PRAM },
	{ "Persistent Memory", E820_PMEM },
	{ "Soft Reserved", E820_SOFT_RESERVED },
};

/* What is not known is nothing that a kernel may use as memory. */
static uint32_t type_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(name, types[i].name))
			return types[i].type;
	return E820_RESERVED;
}

static int read_number(const char *dir, const char *entry, const char *file, uint64_t *value)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/%s/%s", dir, entry, file);
	err = file_read_u64(path, value);
	if (err == -EINVAL || err == -ERANGE)
		return log_refusal(-EINVAL, "%s: expected an address such as 0x100000", path);
	if (err)
		return log_syserr(-err, "cannot read %s", path);
	return 0;
}

static int read_entry(const char *dir, const char *name, struct boot_e820_entry *entry)
{
	char path[PATH_MAX], type[64];
	uint64_t start, end;
	int n, err;

	err = read_number(dir, name, "start", &start);
	if (!err)
		err = read_number(dir, name, "end", &end);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/%s/type", dir, name);
	n = file_read_line(path, type, sizeof(type));
	if (n < 0)
		return log_syserr(-n, "cannot read %s", path);
	if (n == 0)
		return log_refusal(-EINVAL, "%s: it is empty, expected a type such as \"System RAM\"",
				   path);
	if (end < start || end - start == UINT64_MAX)
		return log_refusal(-EINVAL, "%s/%s: end 0x%llx lies before start 0x%llx", dir, name,
				   (unsigned long long)end, (unsigned long long)start);
	entry->addr = start;
	entry->size = end - start + 1;
	entry->type = type_of(type);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct boot_e820_entry *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

static int check_apart(const char *dir, const struct memmap *map)
{
	bool ram = false;
	uint32_t i;

	for (i = 0; i < map->nr; i++) {
		const struct boot_e820_entry *e = &map->entry[i];

		ram |= e->type == E820_RAM;
		if (i + 1 < map->nr && map->entry[i + 1].addr - e->addr < e->size)
			return log_refusal(-EINVAL,
					   "%s: the entries 0x%llx-0x%llx and 0x%llx-0x%llx overlap", dir,
					   (unsigned long long)e->addr,
					   (unsigned long long)(e->addr + e->size - 1),
					   (unsigned long long)e[1].addr,
					   (unsigned long long)(e[1].addr + e[1].size - 1));
	}
	if (!ram)
		return log_refusal(-EINVAL, "%s: no entry is \"System RAM\"", dir);
	return 0;
}

int memmap_read(const char *dir, struct memmap *map)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *de;
	int err;

	if (!d)
		return log_syserr(errno, "cannot read the firmware's memory map in %s", dir);
	map->nr = 0;
	while ((errno = 0, de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		if (map->nr == MEMMAP_MAX)
			return log_refusal(-E2BIG, "%s: more than %d entries", dir, MEMMAP_MAX);
		err = read_entry(dir, de->d_name, &map->entry[map->nr]);
		if (err)
			return err;
		map->nr++;
	}
	if (errno)
		return log_syserr(errno, "cannot read %s", dir);
	qsort(map->entry, map->nr, sizeof(map->entry[0]), compare);
	return check_apart(dir, map);
}

uint64_t memmap_ram_bytes(const struct memmap *map)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < map->nr; i++)
		if (map->entry[i].type == E820_RAM)
			sum += map->entry[i].size;
	return sum;
}

uint64_t memmap_ram_end(const struct memmap *map)
{
	uint64_t end = 0;
	uint32_t i;

	for (i = 0; i < map->nr; i++)
		if (map->entry[i].type == E820_RAM)
			end = map->entry[i].addr + map->entry[i].size;
	return end;
}
