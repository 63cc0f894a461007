// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/criu_config.h"
#include "common/log.h"
#include "common/network_lock.h"
#include "common/network_namespaces.h"
#include "common/oci_sysctls.h"
#include "common/podman.h"
#include "common/runtime.h"
#include "restore/enter_root.h"

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool runtime_is_called(const char *argv0)
{
	const char *name = name_of(argv0);

	return !strcmp(name, "crun") || !strcmp(name, "runc");
}

/* Is our root another than that of the host's first process? */
static bool is_chrooted(void)
{
	struct stat here, there;

	return !stat("/", &here) && !stat("/proc/1/root", &there) &&
	       (here.st_dev != there.st_dev || here.st_ino != there.st_ino);
}

/* Where the root that we are in is mounted, seen from the whole namespace; and go there. */
static int leave_chroot(char *root, size_t size)
{
	_cleanup_close_ int here = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int namespace = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	char link[64];
	ssize_t n;

	/* this resets the root to that of the namespace */
	if (here < 0 || namespace < 0 || setns(namespace, CLONE_NEWNS) < 0)
		return log_syserr(errno, "cannot leave the chroot");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", here);
	n = readlink(link, root, size - 1);
	if (n < 0)
		return log_syserr(errno, "cannot tell where the real root is mounted");
	root[n] = '\0';
	return 0;
}

static int enter(void)
{
	char root[PATH_MAX], cwd[PATH_MAX];
	int err;

	if (!getcwd(cwd, sizeof(cwd)))
		return log_syserr(errno, "cannot tell the working directory");
	err = leave_chroot(root, sizeof(root));
	if (!err)
		err = root_enter(root);
	if (!err)
		err = criu_config_mount(true, NULL);
	if (!err && chdir(cwd) < 0)
		err = log_syserr(errno, "cannot go to %s", cwd);
	return err;
}

/*
 * The engine has made it already, and the one whose connections it has comes only
 * now: nobody else there, or on the same bridge, may be told that it is not there.
 * Its settings are the kernel's own as yet, and a socket listens by them.
 */
static void prepare_network(char *const *argv)
{
	struct json_object *config, *namespaces = NULL, *one;
	const char *type, *network;
	char path[PATH_MAX];
	size_t i;

	for (; *argv && strcmp(*argv, "--bundle"); argv++)
		;
	if (!*argv || !argv[1])
		return;
	snprintf(path, sizeof(path), "%s/config.json", argv[1]);
	config = json_object_from_file(path);
	json_pointer_get(config, "/linux/namespaces", &namespaces);
	for (i = 0; namespaces && i < json_object_array_length(namespaces); i++) {
		one = json_object_array_get_idx(namespaces, i);
		type = podman_text(one, "/type");
		network = podman_text(one, "/path");
		if (!type || !network || strcmp(type, "network"))
			continue;
		if (network_is_locked())
			network_namespace_do(network, network_lock_inside, NULL);
		oci_sysctls_set(config, network);
	}
	json_object_put(config);
}

int runtime_run(char **argv)
{
	const char *name = name_of(argv[0]);
	char *const *word;

	for (word = argv + 1; *word && strcmp(*word, "restore"); word++)
		;
	if (*word)
		prepare_network(word);
	if (*word && (is_chrooted() ? enter() : criu_config_is_written() && criu_config_mount(false, NULL)))
		return 1;
	argv[0] = (char *)name;
	execvp(name, argv);
	log_syserr(errno, "cannot run %s", name);
	return 127;
}
