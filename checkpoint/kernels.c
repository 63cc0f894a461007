// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/strv.h"
#include "kernels.h"

#define MODULES "/usr/lib/modules"

/* Where distributions put them; %s is the release, the machine's id comes with kernel-install. */
static const char *const kernel_paths[] = {
	"/boot/vmlinuz-%s", "/usr/lib/modules/%s/vmlinuz", "/lib/modules/%s/vmlinuz",
	"/boot/%2$s/%1$s/linux",
};
static const char *const initrd_paths[] = {
	"/boot/initrd.img-%s", "/boot/initramfs-%s.img", "/boot/%2$s/%1$s/initrd",
};

static bool is_release(const char *root, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" MODULES "/%s/modules.dep", root, name);
	return !access(path, R_OK);
}

static int list_releases(const char *root, char ***releases)
{
	char path[PATH_MAX];
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int err = 0;

	snprintf(path, sizeof(path), "%s" MODULES, root);
	dir = opendir(path);
	if (!dir)
		return log_syserr(errno, "cannot look for kernels in %s", path);
	while (!err && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && is_release(root, entry->d_name))
			err = strv_add(releases, entry->d_name);
	return err;
}

static void log_installed(char *const *releases)
{
	for (; releases && *releases; releases++)
		log_error("  %s is installed", *releases);
}

/* The exact one, else the only one that begins so, else (version NULL) the newest. */
static int choose(char *const *releases, const char *version, const char **release)
{
	char *const *r;

	*release = NULL;
	for (r = releases; r && *r; r++) {
		if (!version && (!*release || strverscmp(*r, *release) > 0))
			*release = *r;
		if (version && !strcmp(*r, version)) {
			*release = *r;
			return 0;
		}
		if (version && !strncmp(*r, version, strlen(version))) {
			if (*release)
				return -ENOTUNIQ;
			*release = *r;
		}
	}
	return *release ? 0 : -ENOENT;
}

/* The first of the paths that is a file (allocated, without root), or NULL. */
static char *first_there(const char *root, const char *const *formats, size_t nr,
			 const char *release)
{
	char id[64], path[PATH_MAX];
	size_t i, skip = strlen(root);

	snprintf(path, sizeof(path), "%s/etc/machine-id", root);
	if (file_read_line(path, id, sizeof(id)) < 0)
		strcpy(id, "none");
	for (i = 0; i < nr; i++) {
		strcpy(path, root);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(path + skip, sizeof(path) - skip, formats[i], release, id);
#pragma GCC diagnostic pop
		if (!access(path, R_OK))
			return strdup(path + skip);
	}
	return NULL;
}

int kernels_find(const char *root, const char *version, struct installed_kernel *k)
{
	_cleanup_strv_ char **releases = NULL;
	const char *release;
	int err = list_releases(root, &releases);

	if (err)
		return err;
	err = choose(releases, version, &release);
	if (err) {
		log_refusal(err, err == -ENOTUNIQ ? "more than one installed kernel begins with %s" :
						    "no kernel %s is installed",
			    version ? version : "at all");
		log_installed(releases);
		return err;
	}
	k->release = strdup(release);
	k->kernel = first_there(root, kernel_paths, 4, release);
	k->initrd = first_there(root, initrd_paths, 3, release);
	if (!k->kernel)
		return log_refusal(-ENOENT,
				   "kernel %s has modules, but neither /boot/vmlinuz-%s nor /usr/lib/modules/%s/vmlinuz is there",
				   release, release, release);
	if (!k->initrd)
		return log_refusal(-ENOENT,
				   "kernel %s has no initramfs (/boot/initrd.img-%s): make one with `dracut -f --kver %s`",
				   release, release, release);
	return 0;
}
