// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "efi.h"

#define EFI_MAP_MAX 4096
#define EFI_INVALID_TABLE UINT64_MAX	/* EFI_INVALID_TABLE_ADDR */

static int read_value(const char *dir, const char *name, const char *file, uint64_t *value)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/%s%s%s", dir, name, *name ? "/" : "", file);
	err = file_read_u64(path, value);
	if (err)
		return log_syserr(-err, "cannot read a number from %s", path);
	return 0;
}

/* systab: lines of NAME=0xADDRESS. */
static uint64_t table_address(const char *systab, const char *name)
{
	size_t n = strlen(name);
	const char *line = systab;

	while (line && *line) {
		if (!strncmp(line, name, n) && line[n] == '=')
			return strtoull(line + n + 1, NULL, 0);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return 0;
}

static void read_systab(const char *dir, struct efi_state *efi)
{
	char path[PATH_MAX], text[4096];

	efi->node.smbios = EFI_INVALID_TABLE;
	snprintf(path, sizeof(path), "%s/systab", dir);
	if (file_read(path, text, sizeof(text)) < 0)
		return;
	efi->rsdp = table_address(text, "ACPI20");
	if (!efi->rsdp)
		efi->rsdp = table_address(text, "ACPI");
	if (table_address(text, "SMBIOS"))
		efi->node.smbios = table_address(text, "SMBIOS");
}

static int read_descriptor(const char *map_dir, const char *n, struct efi_descriptor *d)
{
	uint64_t type = 0;
	int err = read_value(map_dir, n, "type", &type);

	if (!err)
		err = read_value(map_dir, n, "phys_addr", &d->phys_addr);
	if (!err)
		err = read_value(map_dir, n, "virt_addr", &d->virt_addr);
	if (!err)
		err = read_value(map_dir, n, "num_pages", &d->num_pages);
	if (!err)
		err = read_value(map_dir, n, "attribute", &d->attribute);
	d->type = (uint32_t)type;
	d->pad = 0;
	return err;
}

/*
 * The map's entries are numbered in the kernel's order, in which they must be
 * handed on, while a directory is read in any order.
 */
static int read_map(const char *map_dir, struct efi_state *efi)
{
	char path[PATH_MAX + 16], name[16];
	struct stat st;
	uint32_t nr;
	int err;

	for (nr = 0; nr < EFI_MAP_MAX; nr++) {
		snprintf(path, sizeof(path), "%s/%u", map_dir, nr);
		if (stat(path, &st) < 0)
			break;
	}
	if (!nr || nr == EFI_MAP_MAX)
		return log_refusal(-EINVAL, "%s: found %s entries", map_dir,
				   nr ? "too many" : "no");
	efi->map = calloc(nr, sizeof(*efi->map));
	if (!efi->map)
		return log_syserr(ENOMEM, "cannot hold %u EFI descriptors", nr);
	for (efi->nr = 0; efi->nr < nr; efi->nr++) {
		snprintf(name, sizeof(name), "%u", efi->nr);
		err = read_descriptor(map_dir, name, &efi->map[efi->nr]);
		if (err)
			return err;
	}
	return 0;
}

int efi_read(const char *dir, const struct boot_params *running, struct efi_state *efi)
{
	char map_dir[PATH_MAX];
	struct stat st;
	int err;

	*efi = (struct efi_state){ 0 };
	if (stat(dir, &st) < 0)
		return 0;
	read_systab(dir, efi);
	snprintf(map_dir, sizeof(map_dir), "%s/runtime-map", dir);
	if (stat(map_dir, &st) < 0 || !running->efi_info.efi_memmap_size)
		return 0;
	if (memcmp(&running->efi_info.efi_loader_signature, "EL64", 4))
		return log_refusal(-ENOTSUP,
				   "the firmware is 32-bit EFI, whose runtime services cannot be handed to a new kernel; boot with efi=noruntime");
	if (running->efi_info.efi_memdesc_version != 1)
		return log_refusal(-ENOTSUP, "EFI memory descriptors have version %u, expected 1",
				   running->efi_info.efi_memdesc_version);
	err = read_value(dir, "", "fw_vendor", &efi->node.fw_vendor);
	if (!err)
		err = read_value(dir, "", "config_table", &efi->node.tables);
	if (!err)
		err = read_map(map_dir, efi);
	return err;
}

void efi_free(struct efi_state *efi)
{
	free(efi->map);
	efi->map = NULL;
	efi->nr = 0;
}
