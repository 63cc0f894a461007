// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/network.h"
#include "common/network_link.h"
#include "common/network_namespaces.h"
#include "common/network_tables.h"

#define OURS "/proc/self/ns/net"
/* What is made there goes over from the initramfs to the real root. */
#define BELOW "/run/"

static ino_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

/* Go into the namespace of a descriptor; the one to come back to, or -errno (logged). */
static int enter(int fd, const char *path)
{
	_cleanup_close_ int ours = open(OURS, O_RDONLY | O_CLOEXEC);

	if (ours < 0 || fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		return log_syserr(errno, "cannot enter the network namespace %s", path);
	return steal_fd(&ours);
}

static int leave(int ours)
{
	int err = setns(ours, CLONE_NEWNET) < 0 ?
			  log_syserr(errno, "cannot come back from a network namespace") : 0;

	close(ours);
	return err;
}

static ino_t of_container(const struct container *c)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)c->pid);
	return inode_of(path);
}

static bool is_used(const struct containers *list, ino_t inode)
{
	const struct container *c;

	for (c = list->container; c < list->container + list->nr; c++) {
		if (c->engine && c->engine->makes_network)
			continue;
		if (of_container(c) == inode)
			return true;
	}
	return false;
}

size_t network_namespaces_in_hosts(const struct containers *list)
{
	const ino_t ours = inode_of(OURS);
	const struct container *c;
	size_t nr = 0;

	for (c = list->container; c < list->container + list->nr; c++)
		nr += of_container(c) == ours;
	return nr;
}

static int note_one(const char *path, struct json_object *array)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct json_object *o = NULL;
	int ours = enter(fd, path), err, back;

	if (ours < 0)
		return ours;
	err = network_note(&o);
	if (!err)
		network_tables_note(o);
	back = leave(ours);
	if (err || back) {
		json_object_put(o);
		return err ? err : back;
	}
	json_object_object_add(o, "path", json_object_new_string(path));
	json_object_array_add(array, o);
	return 0;
}

int network_namespaces_note(const struct containers *list, struct json_object *noted)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	struct json_object *array = json_object_new_array();
	_cleanup_free_ char *line = NULL;
	unsigned long long inode;
	char path[256];
	size_t room = 0;
	int err = 0;

	json_object_object_add(noted, "namespaces", array);
	if (!f)
		return log_syserr(errno, "cannot read /proc/self/mountinfo");
	while (!err && getline(&line, &room, f) > 0) {
		if (sscanf(line, "%*s %*s %*s net:[%llu] %255s", &inode, path) != 2 ||
		    inode == inode_of(OURS) || !is_used(list, (ino_t)inode))
			continue;
		if (strncmp(path, BELOW, strlen(BELOW)))
			log_warning("the network namespace at %s cannot be made again before the real root is there: expected it below " BELOW,
				    path);
		else if (inode_of(path) == inode)
			err = note_one(path, array);
	}
	return err;
}

static struct json_object *all(struct json_object *noted)
{
	struct json_object *array;

	return json_object_object_get_ex(noted, "namespaces", &array) &&
			       json_object_is_type(array, json_type_array) ? array : NULL;
}

/* NULL (logged): the note names none that may be made. */
static const char *path_of(struct json_object *network)
{
	struct json_object *value;
	const char *path = json_object_object_get_ex(network, "path", &value) ?
				   json_object_get_string(value) : NULL;

	if (path && !strncmp(path, BELOW, strlen(BELOW)) && !strstr(path, ".."))
		return path;
	log_error("the manifest's network namespaces: \"%s\" is no path below " BELOW, path ? path : "");
	return NULL;
}

static int make_file(const char *path)
{
	char dir[256], *slash;
	_cleanup_close_ int fd = -1;

	snprintf(dir, sizeof(dir), "%s", path);
	for (slash = strchr(dir + strlen(BELOW), '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
	return fd < 0 ? -errno : 0;
}

/* An empty one, mounted at its path, to be opened there. */
static int make_empty(const char *path)
{
	_cleanup_close_ int ours = open(OURS, O_RDONLY | O_CLOEXEC);
	int err = make_file(path);

	if (err || ours < 0)
		return log_syserr(err ? -err : errno, "cannot make %s", path);
	if (unshare(CLONE_NEWNET) < 0)
		return log_syserr(errno, "cannot make a network namespace");
	if (mount(OURS, path, NULL, MS_BIND, NULL) < 0)
		err = log_syserr(errno, "cannot mount a network namespace at %s", path);
	return leave(steal_fd(&ours)) < 0 ? -EIO : err;
}

/* Is a namespace mounted there? The file itself may be there without. */
static bool is_there(const char *path)
{
	struct stat st, ns;

	return !stat(path, &st) && !stat(OURS, &ns) && st.st_dev == ns.st_dev;
}

void network_namespaces_make(struct mnl_socket *nl, struct json_object *noted)
{
	struct json_object *array = all(noted), *ours, *theirs, *network;
	const char *path;
	size_t i;

	if (!json_object_object_get_ex(noted, "links", &ours))
		return;
	for (i = 0; array && i < json_object_array_length(array); i++) {
		_cleanup_close_ int fd = -1;

		network = json_object_array_get_idx(array, i);
		path = path_of(network);
		if (!path || (!is_there(path) && make_empty(path) < 0))
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && json_object_object_get_ex(network, "links", &theirs))
			network_pairs_make(nl, ours, theirs, fd);
	}
}

void network_namespace_do(const char *path, void (*what)(struct json_object *network),
			  struct json_object *network)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ours = enter(fd, path);

	if (ours < 0)
		return;
	what(network);
	leave(ours);
}

void network_namespaces_each(struct json_object *noted, void (*each)(struct json_object *network))
{
	struct json_object *array = all(noted), *network;
	const char *path;
	size_t i;

	for (i = 0; array && i < json_object_array_length(array); i++) {
		network = json_object_array_get_idx(array, i);
		path = path_of(network);
		if (path)
			network_namespace_do(path, each, network);
	}
}
