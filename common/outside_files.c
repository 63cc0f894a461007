// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/outside_files.h"

/* Beyond what a runtime opens, below what CRIU keeps for itself with 1024 descriptors. */
#define FIRST_DESCRIPTOR 200
#define KEY "file[%lx:%" PRIx64 "]"

int outside_files_add(struct container *c, long mount, uint64_t inode, const char *path)
{
	struct json_object *value = json_object_new_string(path);
	char key[64];

	if (!c->outside_files)
		c->outside_files = json_object_new_object();
	snprintf(key, sizeof(key), KEY, (unsigned long)mount, inode);
	if (value && c->outside_files && json_object_object_length(c->outside_files) >= OUTSIDE_FILES_MAX) {
		json_object_put(value);
		return -ENOSPC;
	}
	if (!value || !c->outside_files || json_object_object_add(c->outside_files, key, value)) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

void outside_files_external(const struct containers *list, FILE *to)
{
	const struct container *c;

	for (c = list->container; c < list->container + list->nr; c++) {
		if (!c->outside_files)
			continue;
		json_object_object_foreach(c->outside_files, key, path) {
			(void)path;
			fprintf(to, "external %s\n", key);
		}
	}
}

char *outside_files_inherited(const struct container *c)
{
	int fd = FIRST_DESCRIPTOR;
	char *lines = NULL;
	size_t size;
	FILE *to = open_memstream(&lines, &size);

	if (to && c->outside_files) {
		json_object_object_foreach(c->outside_files, key, path) {
			(void)path;
			fprintf(to, "inherit-fd fd[%d]:%s\n", fd++, key);
		}
	}
	if (!to || fclose(to)) {
		free(lines);
		log_syserr(ENOMEM, "container %s: cannot tell CRIU of its files of the host", c->name);
		return NULL;
	}
	return lines;
}

/* A name may lead to another file than then, of another owner: a log that was rotated. */
static int open_one(const struct container *c, const char *root, const char *key, const char *name)
{
	unsigned long mount;
	char path[PATH_MAX];
	uint64_t inode;
	struct stat st;
	int fd;

	if (sscanf(key, "file[%lx:%" SCNx64 "]", &mount, &inode) != 2)
		return log_refusal(-EUCLEAN, "container %s: outside-files: \"%s\", expected file[MOUNT:INODE]",
				   c->name, key);
	snprintf(path, sizeof(path), "%s%s", root, name);
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_ino == inode)
		return fd;
	log_warning("container %s: %s, which it has open, %s", c->name, name,
		    fd < 0 ? "is not there any more" : "is another file now");
	cleanup_close(&fd);
	fd = open("/dev/null", O_PATH | O_CLOEXEC);
	return fd < 0 ? log_syserr(errno, "cannot open /dev/null") : fd;
}

int outside_files_open(const struct container *c, const char *root)
{
	int as = FIRST_DESCRIPTOR, fd;

	if (!c->outside_files)
		return 0;
	json_object_object_foreach(c->outside_files, key, name) {
		fd = open_one(c, root, key, json_object_get_string(name));
		if (fd < 0)
			return fd;
		/* without close-on-exec: it goes through the runtime to CRIU */
		if (fd != as && dup2(fd, as) < 0)
			return log_syserr(errno, "cannot open %s as descriptor %d",
					  json_object_get_string(name), as);
		if (fd != as)
			close(fd);
		else
			fcntl(fd, F_SETFD, 0);
		as++;
	}
	return 0;
}
