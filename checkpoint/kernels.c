// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/run.h"
#include "common/strv.h"
#include "kernels.h"

#define MODPROBE_SECONDS 60

/* One and the same on most systems. */
static const char *const module_dirs[] = { "/usr/lib/modules", "/lib/modules", NULL };

/* Where distributions put them; %1$s is the release, %2$s the machine's id (kernel-install). */
static const char *const kernel_paths[] = {
	"/boot/vmlinuz-%1$s", "/usr/lib/modules/%1$s/vmlinuz", "/lib/modules/%1$s/vmlinuz",
	"/boot/%2$s/%1$s/linux", NULL,
};
static const char *const initrd_paths[] = {
	"/boot/initrd.img-%1$s", "/boot/initramfs-%1$s.img", "/boot/%2$s/%1$s/initrd", NULL,
};

/* The first of the paths that is a file (allocated, without root), or NULL. */
static char *first_there(const char *root, const char *const *formats, const char *release)
{
	char id[64], path[PATH_MAX];
	size_t skip = strlen(root);

	snprintf(path, sizeof(path), "%s/etc/machine-id", root);
	if (file_read_line(path, id, sizeof(id)) < 0)
		strcpy(id, "none");
	for (; *formats; formats++) {
		strcpy(path, root);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(path + skip, sizeof(path) - skip, *formats, release, id);
#pragma GCC diagnostic pop
		if (!access(path, R_OK))
			return strdup(path + skip);
	}
	return NULL;
}

/* A directory of modules may outlive its kernel: modules.dep is depmod's, of an installed one. */
static bool is_release(const char *root, const char *modules, const char *name)
{
	_cleanup_free_ char *kernel = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s/%s/modules.dep", root, modules, name);
	if (access(path, R_OK))
		return false;
	kernel = first_there(root, kernel_paths, name);
	return kernel;
}

static int list_releases(const char *root, char ***releases)
{
	const char *const *modules;
	struct dirent *entry;
	char path[PATH_MAX];
	int err = 0;

	for (modules = module_dirs; *modules; modules++) {
		_cleanup_closedir_ DIR *dir = NULL;

		snprintf(path, sizeof(path), "%s%s", root, *modules);
		dir = opendir(path);
		if (!dir && errno != ENOENT)
			return log_syserr(errno, "cannot look for kernels in %s", path);
		while (!err && dir && (entry = readdir(dir)))
			if (entry->d_name[0] != '.' && !strv_has(*releases, entry->d_name) &&
			    is_release(root, *modules, entry->d_name))
				err = strv_add(releases, entry->d_name);
	}
	return err;
}

/* "6.1" begins 6.1.3 and 6.1-rc2, but not 6.12. */
static bool begins(const char *release, const char *version)
{
	size_t length = strlen(version);

	return length && !strncmp(release, version, length) &&
	       !(isdigit((unsigned char)version[length - 1]) && isdigit((unsigned char)release[length]));
}

/* The exact one, else the only one that begins so, else (version NULL) the newest. */
static int choose(char *const *releases, const char *version, const char **release)
{
	char *const *r;
	bool several = false;

	*release = NULL;
	for (r = releases; r && *r; r++) {
		if (version && !strcmp(*r, version)) {
			*release = *r;
			return 0;
		}
		if (version && begins(*r, version)) {
			several = several || *release;
			*release = *r;
		} else if (!version && (!*release || strverscmp(*r, *release) > 0)) {
			*release = *r;
		}
	}
	if (several)
		return -ENOTUNIQ;
	return *release ? 0 : -ENOENT;
}

static int refuse_choice(int err, const char *version, char *const *releases)
{
	if (!releases)
		return log_refusal(err, "no kernel is installed: none has an image (/boot/vmlinuz-RELEASE, /usr/lib/modules/RELEASE/vmlinuz) and modules (/lib/modules/RELEASE/modules.dep)");
	if (err == -ENOTUNIQ)
		log_refusal(err, "more than one installed kernel begins with %s:", version);
	else
		log_refusal(err, "no kernel %s is installed (image and modules); there are:", version);
	for (; *releases; releases++)
		log_error("  %s", *releases);
	return err;
}

int kernels_find(const char *root, const char *version, struct installed_kernel *k)
{
	_cleanup_free_ char *kernel = NULL, *initrd = NULL, *copy = NULL;
	_cleanup_strv_ char **releases = NULL;
	const char *release;
	int err = list_releases(root, &releases);

	if (err)
		return err;
	err = choose(releases, version, &release);
	if (err)
		return refuse_choice(err, version, releases);
	kernel = first_there(root, kernel_paths, release);
	initrd = first_there(root, initrd_paths, release);
	copy = strdup(release);
	if (!kernel || !copy)
		return log_syserr(ENOMEM, "cannot keep the name of kernel %s", release);
	if (!initrd)
		return log_refusal(-ENOENT,
				   "kernel %s has no initramfs (looked for /boot/initrd.img-%s, /boot/initramfs-%s.img and /boot/MACHINE-ID/%s/initrd): make one with `dracut -f --kver %s`",
				   release, release, release, release, release);
	k->release = steal_ptr(copy);
	k->kernel = steal_ptr(kernel);
	k->initrd = steal_ptr(initrd);
	return 0;
}

char *kernels_module_name(const char *file)
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
	const char *end = strstr(base, ".ko");
	char *name, *c;

	if (!end || (end[3] && end[3] != '.'))
		return NULL;
	name = strndup(base, (size_t)(end - base));
	if (!name)
		log_syserr(ENOMEM, "cannot look at the module %s", file);
	for (c = name; c && *c; c++)
		if (*c == '-')
			*c = '_';
	return name;
}

/* Of what it says, "insmod PATH.ko.xz" or "builtin NAME", the last line is the module itself. */
int kernels_module(const char *release, const char *alias, char **module)
{
	/* without the administrator's configuration, which is not the kernel's */
	char *argv[] = { "modprobe", "--config", "/dev/null", "--quiet", "--set-version", (char *)release,
			 "--show-depends", (char *)alias, NULL };
	_cleanup_free_ char *said = NULL;
	char *last, *end;
	int status = run_read(argv, MODPROBE_SECONDS, &said);

	if (status)
		return status < 0 ? status : -ENOENT;
	while ((end = strrchr(said, '\n')) && !end[1])
		*end = '\0';
	last = end ? end + 1 : said;
	if (strncmp(last, "insmod ", 7)) {
		*module = strdup("");
	} else {
		last += 7;
		last[strcspn(last, " ")] = '\0';
		*module = kernels_module_name(last);
	}
	return *module ? 0 : log_refusal(-EINVAL, "what `modprobe --show-depends %s` says is not understood: %s", alias, last);
}
