// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "checkpoint/check_disks.h"
#include "checkpoint/cmdline.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

#define SEEN_MAX 256
#define VALUE_MAX 256
#define NUMBERS_MAX 32

struct disks {
	const struct disks_host *host;
	struct drivers *drivers;	/* with the kernel that comes, and its initramfs */
	char *words;			/* the initramfs's own, then the command line */
	const char *target;		/* the filesystem that is looked at; root comes first */
	char seen[SEEN_MAX][NUMBERS_MAX];
	size_t nr_seen;
};

/* ---- what is named ---------------------------------------------------------------- */

/* UUIDs are written with '-', ':' or neither, and as luks-UUID. */
static void plain(const char *from, char *to, size_t size)
{
	size_t used = 0;

	if (!strncmp(from, "luks-", 5))
		from += 5;
	for (; *from && used < size - 1; from++)
		if (*from != '-' && *from != ':')
			to[used++] = (char)tolower(*from);
	to[used] = '\0';
}

static bool same(const char *value, const char *expected)
{
	return !strcmp(value, expected);
}

/* A part is enough for dracut. */
static bool same_uuid(const char *value, const char *expected)
{
	char a[VALUE_MAX], b[VALUE_MAX];

	plain(value, a, sizeof(a));
	plain(expected, b, sizeof(b));
	return *a && strstr(b, a);
}

/* UUID=NAME */
static bool same_uuid_of_name(const char *value, const char *expected)
{
	char uuid[VALUE_MAX];

	snprintf(uuid, sizeof(uuid), "%.*s", (int)strcspn(value, "="), value);
	return same_uuid(uuid, expected);
}

static bool any(const char *value, const char *expected)
{
	(void)value;
	(void)expected;
	return true;
}

static bool has_word(const struct disks *d, const char *name, const char *expected,
		     bool (*matches)(const char *value, const char *expected))
{
	char value[VALUE_MAX];
	size_t i;

	for (i = 0; cmdline_value(d->words, name, i, value, sizeof(value)); i++)
		if (matches(value, expected))
			return true;
	return false;
}

static bool sets_up_all(const struct disks *d)
{
	char value[VALUE_MAX];
	bool all = false;
	size_t i;

	/* the last one counts */
	for (i = 0; cmdline_value(d->words, "rd.auto", i, value, sizeof(value)); i++)
		all = !same(value, "0") && !same(value, "no") && !same(value, "off");
	return all;
}

/* The line of crypttab(5) for the device-mapper name: its third and fourth fields. */
static bool crypttab_line(const char *text, const char *name, char key[VALUE_MAX],
			  char options[VALUE_MAX])
{
	size_t length = strlen(name);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		text += strspn(text, " \t");
		if (strncmp(text, name, length) || !strchr(" \t", text[length]))
			continue;
		*key = *options = '\0';
		return sscanf(text + length, " %*[^ \t\n] %255[^ \t\n] %255[^ \t\n]", key,
			      options) != EOF;
	}
	return false;
}

/* ---- one device --------------------------------------------------------------------- */

static void not_set_up(const struct disks *d, const char *what, const char *word, const char *value)
{
	findings_add(d->drivers->findings, NULL, 0, "%s lies on %s, which the initramfs does not set up: add %s=%s to append in rebootless.conf",
		     d->target, what, word, value);
}

static void need_program(const struct disks *d, bool has, const char *what, const char *module)
{
	if (!has)
		findings_add(d->drivers->findings, NULL, 0, "%s lies on %s, and %s cannot set that up: make it again with dracut --force --add %s --kver %s",
			     d->target, what, d->drivers->to->initrd, module, d->drivers->to->release);
}

/* "vg-lv"; a '-' within one of the names is written "--". */
static void look_at_lvm(const struct disks *d, const char *name)
{
	char volume[VALUE_MAX], group[VALUE_MAX], what[VALUE_MAX + 32];
	size_t used = 0;

	for (; *name && used < sizeof(volume) - 1; name++) {
		volume[used++] = *name == '-' && name[1] != '-' ? '/' : *name;
		if (*name == '-' && name[1] == '-')
			name++;
	}
	volume[used] = '\0';
	snprintf(group, sizeof(group), "%.*s", (int)strcspn(volume, "/"), volume);
	snprintf(what, sizeof(what), "the LVM volume %s", volume);
	need_program(d, d->drivers->contents->lvm, what, "lvm");
	if (has_word(d, "rd.lvm.lv", volume, same) || has_word(d, "rd.lvm.vg", group, same))
		return;
	if (sets_up_all(d) && !has_word(d, "rd.lvm.lv", "", any) && !has_word(d, "rd.lvm.vg", "", any))
		return;
	not_set_up(d, what, "rd.lvm.lv", volume);
}

static void look_at_md(const struct disks *d, const char *numbers, const char *uuid)
{
	char what[VALUE_MAX + 64];

	snprintf(what, sizeof(what), "the md array %s (UUID %s)", numbers, uuid);
	need_program(d, d->drivers->contents->mdadm, what, "mdraid");
	if (has_word(d, "rd.md.uuid", uuid, same_uuid) ||
	    (sets_up_all(d) && !has_word(d, "rd.md.uuid", "", any)))
		return;
	not_set_up(d, what, "rd.md.uuid", uuid);
}

/* Known only where it is not the name of a file, and no chip or token has it. */
static void look_for_passphrase(const struct disks *d, const char *name)
{
	char text[16384], key[VALUE_MAX], options[VALUE_MAX];

	if (file_read(d->host->crypttab, text, sizeof(text)) < 0 ||
	    !crypttab_line(text, name, key, options))
		*key = *options = '\0';
	if (*key == '/' || strstr(options, "tpm2-device=") || strstr(options, "pkcs11-uri=") ||
	    has_word(d, "rd.luks.key", "", any) || strstr(d->words, "tpm2-device="))
		return;
	findings_warn(d->drivers->findings, NULL, 0, "%s lies on the LUKS device %s: somebody must type its passphrase in the initramfs, while all containers stand still",
		      d->target, name);
}

static void look_at_luks(const struct disks *d, const char *name, const char *uuid)
{
	char what[VALUE_MAX + 32], key[VALUE_MAX], options[VALUE_MAX];

	snprintf(what, sizeof(what), "the LUKS device %s", name);
	need_program(d, d->drivers->contents->cryptsetup, what, "crypt");
	if (has_word(d, "rd.luks.uuid", uuid, same_uuid) ||
	    has_word(d, "rd.luks.name", uuid, same_uuid_of_name) ||
	    has_word(d, "rd.luks.partuuid", "", any) || has_word(d, "rd.luks.serial", "", any))
		return;
	if (!has_word(d, "rd.luks.uuid", "", any) &&
	    (sets_up_all(d) || crypttab_line(d->drivers->contents->crypttab, name, key, options)))
		return;
	not_set_up(d, what, "rd.luks.uuid", uuid);
}

/* ---- drivers --------------------------------------------------------------------------- */

static int need_filesystem(const struct disks *d, const char *type)
{
	const struct installed_kernel *to = d->drivers->to;
	char alias[VALUE_MAX];
	int err;

	snprintf(alias, sizeof(alias), "fs-%s", type);
	err = check_driver(d->drivers, d->target, alias);
	/* built in, it may be known by its name alone */
	if (err == -ENOENT)
		err = check_driver(d->drivers, d->target, type);
	if (err != -ENOENT)
		return err;
	findings_add(d->drivers->findings, NULL, 0, "%s is %s, which kernel %s does not know: install what brings that filesystem, and make %s again with dracut --force --kver %s",
		     d->target, type, to->release, to->initrd, to->release);
	return 0;
}

static int need_device(const struct disks *d, const char *numbers)
{
	char device[NUMBERS_MAX + 32];

	snprintf(device, sizeof(device), "dev/block/%s/device", numbers);
	return check_device_drivers(d->drivers, d->target, device);
}

/* ---- from a filesystem down to the disks ---------------------------------------------- */

static bool read_of(const struct disks *d, const char *numbers, const char *file, char *text,
		    size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/dev/block/%s/%s", d->drivers->sysfs, numbers, file);
	return file_read_line(path, text, size) > 0;
}

static int look_at(struct disks *d, const char *numbers, bool root, bool *below_lvm)
{
	char uuid[VALUE_MAX], name[VALUE_MAX], luks[33];

	/* of the older format it is written in another order, of external ones the container counts */
	if (!root && read_of(d, numbers, "md/metadata_version", name, sizeof(name)) &&
	    *name == '1' &&
	    read_of(d, numbers, "md/uuid", uuid, sizeof(uuid)))
		look_at_md(d, numbers, uuid);
	if (!read_of(d, numbers, "dm/uuid", uuid, sizeof(uuid)) ||
	    !read_of(d, numbers, "dm/name", name, sizeof(name)))
		return need_device(d, numbers);
	if (!strncmp(uuid, "LVM-", 4)) {
		/* what a volume is made of comes with it */
		if (!root && !*below_lvm)
			look_at_lvm(d, name);
		*below_lvm = true;
	} else if (sscanf(uuid, "CRYPT-LUKS%*[12]-%32[0-9a-f]", luks) == 1) {
		look_for_passphrase(d, name);
		if (!root)
			look_at_luks(d, name, luks);
	}
	return 0;
}

static bool seen_before(struct disks *d, const char *numbers)
{
	size_t i;

	for (i = 0; i < d->nr_seen; i++)
		if (!strcmp(d->seen[i], numbers))
			return true;
	if (d->nr_seen < SEEN_MAX)
		snprintf(d->seen[d->nr_seen++], NUMBERS_MAX, "%s", numbers);
	return d->nr_seen == SEEN_MAX;
}

/* It, and what it is made of. */
static int walk(struct disks *d, const char *numbers, bool root, bool below_lvm)
{
	_cleanup_closedir_ DIR *slaves = NULL;
	char path[PATH_MAX], file[NAME_MAX + 16], below[NUMBERS_MAX];
	struct dirent *entry;
	int err;

	if (seen_before(d, numbers))
		return 0;
	err = look_at(d, numbers, root, &below_lvm);
	/* a partition's directory is in its disk's */
	if (!err && read_of(d, numbers, "partition", below, sizeof(below)) &&
	    read_of(d, numbers, "../dev", below, sizeof(below)))
		err = walk(d, below, root, below_lvm);
	snprintf(path, sizeof(path), "%s/dev/block/%s/slaves", d->drivers->sysfs, numbers);
	slaves = opendir(path);
	while (!err && slaves && (entry = readdir(slaves))) {
		snprintf(file, sizeof(file), "slaves/%s/dev", entry->d_name);
		if (entry->d_name[0] != '.' && read_of(d, numbers, file, below, sizeof(below)))
			err = walk(d, below, root, below_lvm);
	}
	return err;
}

/* A mount point may be covered: whatever is on a disk there counts. */
static int walk_target(struct disks *d, const char *target, bool root)
{
	const struct mount_table *t = d->host->mounts;
	char numbers[NUMBERS_MAX];
	size_t i;
	int err = 0;

	d->target = target;
	for (i = 0; !err && i < t->nr; i++) {
		const struct mount *m = &t->mount[i];
		dev_t dev;

		if (m->kind != MOUNT_DISK || strcmp(m->target, target) != 0)
			continue;
		dev = mount_device(m);
		snprintf(numbers, sizeof(numbers), "%u:%u", major(dev), minor(dev));
		err = walk(d, numbers, root, false);
		if (!err && !root)
			err = need_filesystem(d, m->type);
	}
	return err;
}

int check_disks(const struct disks_host *host, struct json_object *filesystems,
		struct drivers *drivers)
{
	_cleanup_free_ char *words = NULL;
	struct disks d = { .host = host, .drivers = drivers };
	struct json_object *target;
	size_t i;
	int err;

	if (asprintf(&words, "%s %s", drivers->contents->words, drivers->to->cmdline) < 0) {
		words = NULL;
		return log_syserr(ENOMEM, "cannot look at the disks");
	}
	d.words = words;
	err = walk_target(&d, "/", true);
	for (i = 0; !err && i < json_object_array_length(filesystems); i++)
		if (json_object_object_get_ex(json_object_array_get_idx(filesystems, i), "target", &target))
			err = walk_target(&d, json_object_get_string(target), false);
	return err;
}
