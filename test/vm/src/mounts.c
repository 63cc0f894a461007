// SPDX-License-Identifier: GPL-2.0
/*
 * common/filesystems.h and common/cgroup.h on the command line of a guest.
 *
 *   mounts note FILE [-c NAME:PID]... [-p NAME:PATH]...  findings on stdout
 *   mounts mount FILE ROOT SECONDS                       "missing TARGET" on stdout
 *   mounts freeze PATH       does a file made at PATH wait until the thaw?
 *   mounts killed PATH       killed while all is frozen: can PATH be made soon after?
 *   mounts subvolume DIR NAME
 *   mounts cgroup-note PATH FILE | cgroup-make FILE | cgroup-apply FILE
 *   mounts cgroup-same FILE FILE     are all values of the first in the second?
 *   mounts cgroup-spare PATH | cgroup-unspare PATH | cgroup-unthrottle PATH
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/filesystems.h"
#include "common/log.h"
#include "common/strv.h"
#include "pramfs-module/pramfs_ioctl.h"

/* manifest.c reads no manifest here. */
const struct engine *engine_find(const char *name)
{
	(void)name;
	return NULL;
}

static int write_json(const char *path, struct json_object *json)
{
	int err = json_object_to_file_ext(path, json, JSON_C_TO_STRING_PRETTY);

	json_object_put(json);
	return err;
}

static struct json_object *read_json(const char *path)
{
	struct json_object *json = json_object_from_file(path);

	if (!json)
		fprintf(stderr, "cannot read %s: %s\n", path, json_util_get_last_err());
	return json;
}

static int cmd_note(int argc, char **argv)
{
	_cleanup_findings_ struct findings findings = { 0 };
	struct containers list = { 0 };
	struct json_object *out = NULL;
	char **paths = NULL;
	int opt, err = 0;
	size_t i;

	while (!err && (opt = getopt(argc, argv, "c:p:")) != -1) {
		char *colon = strchr(optarg, ':');
		struct container *c;

		if (!colon)
			return 64;
		if (opt == 'p') {
			*colon = '\t';
			err = strv_add(&paths, optarg);
			continue;
		}
		*colon = '\0';
		c = containers_add(&list);
		c->name = strdup(optarg);
		c->pid = atoi(colon + 1);
	}
	if (!err)
		err = filesystems_note(&list, paths, &findings, &out);
	for (i = 0; i < findings.nr; i++)
		printf("finding %s: %s\n", findings.finding[i].container ? : "host",
		       findings.finding[i].text);
	strv_free(paths);
	containers_free(&list);
	return err ? err : write_json(argv[optind], out);
}

static int cmd_mount(int argc, char **argv)
{
	struct json_object *json = argc == 4 ? read_json(argv[1]) : NULL;
	char **missing = NULL, **one;
	int err;

	if (!json)
		return 64;
	err = filesystems_mount(json, argv[2], (unsigned int)atoi(argv[3]), &missing);
	for (one = missing; one && *one; one++)
		printf("missing %s\n", *one);
	strv_free(missing);
	json_object_put(json);
	return err;
}

/* mount-root NOTES FROM DIR SECONDS [UUID]: as if what was noted of FROM were the root */
static int cmd_mount_root(int argc, char **argv)
{
	struct json_object *json = argc >= 5 ? read_json(argv[1]) : NULL, *one, *target;
	size_t i;
	int err;

	if (!json)
		return 64;
	for (i = 0; i < json_object_array_length(json); i++) {
		one = json_object_array_get_idx(json, i);
		if (!json_object_object_get_ex(one, "target", &target) ||
		    strcmp(json_object_get_string(target), argv[2]))
			continue;
		json_object_object_add(one, "target", json_object_new_string("/"));
		if (argc > 5)
			json_object_object_add(one, "uuid", json_object_new_string(argv[5]));
	}
	err = filesystems_mount_root(json, argv[3], (unsigned int)atoi(argv[4]));
	json_object_put(json);
	return err;
}

/* 1 = it has ended within that time. */
static int ended_within(pid_t pid, int ms)
{
	_cleanup_close_ int fd = pidfd_open(pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms);
}

/*
 * The frozen one is a child, and dies of SIGKILL. A child of its own has the
 * device open still, as a job of an update could, and waits for the disk.
 */
static int cmd_killed(int argc, char **argv)
{
	int status;
	pid_t pid = fork();

	(void)argc;
	if (!pid) {
		int device = open(PRAMFS_DEVICE, O_RDWR | O_CLOEXEC);

		if (filesystems_freeze(device))
			_exit(1);
		if (!fork())
			_exit(open(argv[1], O_CREAT | O_WRONLY, 0600) < 0);
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status))
		return -EIO;
	pid = fork();
	if (!pid)
		_exit(open(argv[1], O_CREAT | O_WRONLY, 0600) < 0);
	if (!ended_within(pid, 5000)) {
		fprintf(stderr, "%s is frozen still\n", argv[1]);
		return -ETIMEDOUT;
	}
	waitpid(pid, &status, 0);
	unlink(argv[1]);
	return status ? -EIO : 0;
}

static int cmd_freeze(int argc, char **argv)
{
	_cleanup_close_ int device = open(PRAMFS_DEVICE, O_RDWR | O_CLOEXEC);
	int status, blocked, err = filesystems_freeze(device);
	pid_t pid;

	(void)argc;
	if (err)
		return err;
	pid = fork();
	if (!pid)
		_exit(open(argv[1], O_CREAT | O_WRONLY | O_EXCL, 0600) < 0);
	blocked = !ended_within(pid, 1500);
	filesystems_thaw(device);
	if (!ended_within(pid, 5000)) {
		fprintf(stderr, "%s still waits after the thaw\n", argv[1]);
		return -ETIMEDOUT;
	}
	waitpid(pid, &status, 0);
	unlink(argv[1]);
	if (!blocked)
		fprintf(stderr, "%s could be made while frozen\n", argv[1]);
	return blocked && !status ? 0 : -EIO;
}

static int cmd_subvolume(int argc, char **argv)
{
	struct btrfs_ioctl_vol_args args = { 0 };
	_cleanup_close_ int fd = open(argv[1], O_RDONLY | O_DIRECTORY);

	(void)argc;
	snprintf(args.name, sizeof(args.name), "%s", argv[2]);
	return ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &args) < 0 ? -errno : 0;
}

static int cmd_cgroup_note(int argc, char **argv)
{
	struct json_object *out = NULL;
	int err = cgroup_note(argv[1], &out);

	(void)argc;
	return err ? err : write_json(argv[2], out);
}

static int with_note(const char *path, int (*fn)(struct json_object *noted))
{
	struct json_object *json = read_json(path);
	int err = json ? fn(json) : -EINVAL;

	json_object_put(json);
	return err;
}

static struct json_object *get(struct json_object *from, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(from, key, &value);
	return value;
}

static int compare_one(struct json_object *one, struct json_object *other, const char *part)
{
	struct json_object *values = get(one, part), *others = get(other, part);
	const char *path = json_object_get_string(get(one, "path"));
	int different = 0;

	json_object_object_foreach(values, key, value) {
		const char *a = json_object_get_string(value);
		const char *b = json_object_get_string(get(others, key));

		const char *new = json_object_get_string(get(get(one, "defaults"), key));

		/* Its device numbers may differ: the test looks at it by itself. */
		if (!strcmp(key, "io.max") || (b && !strcmp(a, b)))
			continue;
		/* The other kernel does not have it, and nobody had set it. */
		if (!b && new && !strcmp(a, new))
			continue;
		fprintf(stderr, "%s %s is \"%s\", was \"%s\"\n", path, key, b ? b : "not there", a);
		different = -EIO;
	}
	return different;
}

static int cmd_cgroup_same(int argc, char **argv)
{
	struct json_object *a = read_json(argv[1]), *b = read_json(argv[2]);
	struct json_object *before = get(a, "tree"), *now = get(b, "tree");
	size_t i, nr = json_object_array_length(before);
	int different = nr == json_object_array_length(now) ? 0 : -EIO;

	(void)argc;
	for (i = 0; i < nr && !different; i++) {
		struct json_object *one = json_object_array_get_idx(before, i), *other = NULL;
		const char *path = json_object_get_string(get(one, "path"));
		size_t k;

		/* readdir's order is nobody's promise */
		for (k = 0; k < nr; k++)
			if (!strcmp(json_object_get_string(get(json_object_array_get_idx(now, k), "path")),
				    path))
				other = json_object_array_get_idx(now, k);
		if (!other || strcmp(json_object_get_string(get(one, "type")),
				     json_object_get_string(get(other, "type"))) ||
		    strcmp(json_object_get_string(get(one, "owner")),
			   json_object_get_string(get(other, "owner")))) {
			fprintf(stderr, "%s is missing, or of another type or owner\n", path);
			different = -EIO;
			break;
		}
		different = compare_one(one, other, "values");
		if (!different)
			different = compare_one(one, other, "xattrs");
	}
	return different;
}

static int cmd_cgroup(int argc, char **argv)
{
	const char *what = argv[0] + strlen("cgroup-");

	if (!strcmp(what, "note") && argc == 3)
		return cmd_cgroup_note(argc, argv);
	if (!strcmp(what, "same") && argc == 3)
		return cmd_cgroup_same(argc, argv);
	if (argc != 2)
		return 64;
	if (!strcmp(what, "make"))
		return with_note(argv[1], cgroup_make);
	if (!strcmp(what, "apply"))
		return with_note(argv[1], cgroup_apply);
	if (!strcmp(what, "unthrottle")) {
		cgroup_unthrottle(argv[1]);
		return 0;
	}
	if (!strcmp(what, "spare"))
		return cgroup_spare(argv[1]);
	return strcmp(what, "unspare") ? 64 : cgroup_unspare(argv[1]);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*fn)(int argc, char **argv);
		int min;
	} commands[] = {
		{ "note", cmd_note, 2 },
		{ "mount", cmd_mount, 4 },
		{ "mount-root", cmd_mount_root, 5 },
		{ "freeze", cmd_freeze, 2 },
		{ "killed", cmd_killed, 2 },
		{ "subvolume", cmd_subvolume, 3 },
	};
	int err = 64;
	size_t i;

	log_set_program("mounts");
	log_set_verbose(true);
	argv++;
	argc--;
	for (i = 0; argc && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[0], commands[i].name) && argc >= commands[i].min)
			err = commands[i].fn(argc, argv);
	if (argc && !strncmp(argv[0], "cgroup-", 7))
		err = cmd_cgroup(argc, argv);
	return err < 0 ? 1 : err;
}
