// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/check_drivers.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/path.h"
#include "common/strv.h"

#define VALUE_MAX 32

/* *has: the module is in the initramfs (allocated), else NULL: it is built in, or lacking. */
static int look_for(const struct drivers *d, const char *what, const char *alias, bool must, char **has)
{
	_cleanup_free_ char *module = NULL;
	int err = d->module(d->to->release, alias, &module);

	*has = NULL;
	if (err || !*module)
		return err;
	if (strv_has(d->contents->modules, module)) {
		*has = steal_ptr(module);
		return 0;
	}
	(must ? findings_add : findings_warn)(d->findings, NULL, 0,
		"%s needs the driver %s, which %s does not have: make it again with dracut --force --add-drivers %s --kver %s",
		what, module, d->to->initrd, module, d->to->release);
	return 0;
}

int check_driver(const struct drivers *d, const char *what, const char *alias)
{
	_cleanup_free_ char *has = NULL;

	return look_for(d, what, alias, true, &has);
}

static int look_for_device(struct drivers *d, const char *what, const char *name, bool must)
{
	char path[PATH_MAX], device[PATH_MAX], all[PATH_MAX], module[PATH_MAX];
	int err = 0;

	snprintf(path, sizeof(path), "%s/%s", d->sysfs, name);
	if (!realpath(path, device))
		return 0;
	snprintf(path, sizeof(path), "%s/devices", d->sysfs);
	if (!realpath(path, all))
		return 0;
	for (; (!err || err == -ENOENT) && path_is_below(device, all); *strrchr(device, '/') = '\0') {
		_cleanup_free_ char *has = NULL;

		if (snprintf(path, sizeof(path), "%s/driver/module", device) >= (int)sizeof(path) ||
		    !realpath(path, module))
			continue;
		err = look_for(d, what, strrchr(module, '/') + 1, must, &has);
		if (has && !strv_has(d->found, has))
			err = strv_add(&d->found, has);
	}
	return err == -ENOENT ? 0 : err;
}

int check_device_drivers(struct drivers *d, const char *what, const char *device)
{
	return look_for_device(d, what, device, true);
}

static bool is_up(const struct drivers *d, const char *link)
{
	char path[PATH_MAX], flags[VALUE_MAX];

	snprintf(path, sizeof(path), "%s/class/net/%s/flags", d->sysfs, link);
	return file_read_line(path, flags, sizeof(flags)) > 0 && strtoul(flags, NULL, 16) & IFF_UP;
}

int check_link_drivers(struct drivers *d, bool must)
{
	char path[PATH_MAX], device[NAME_MAX + 32], what[NAME_MAX + 32];
	_cleanup_closedir_ DIR *links = NULL;
	struct dirent *entry;
	int err = 0;

	snprintf(path, sizeof(path), "%s/class/net", d->sysfs);
	links = opendir(path);
	while (!err && links && (entry = readdir(links))) {
		if (entry->d_name[0] == '.' || !is_up(d, entry->d_name))
			continue;
		snprintf(device, sizeof(device), "class/net/%s/device", entry->d_name);
		snprintf(what, sizeof(what), "the network device %s", entry->d_name);
		err = look_for_device(d, what, device, must);
	}
	return err;
}
