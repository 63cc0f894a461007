// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/apparmor.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/filesystems.h"
#include "common/host_limits.h"
#include "common/log.h"
#include "common/network.h"
#include "common/network_lock.h"
#include "common/network_managers.h"
#include "common/socket_options.h"
#include "common/store.h"
#include "common/strv.h"
#include "common/timeline.h"
#include "restore/containers.h"
#include "restore/enter_root.h"
#include "restore/keep_stopped.h"
#include "restore/restore.h"
#include "restore/system.h"

#define SKIP_WORD "rebootless.skip"
#define CMDLINE_MAX 8192
/* That a network device may take to come. */
#define LINK_SECONDS 15

int parse_options(int argc, char **argv, bool want_names, struct restore_options *options)
{
	static const struct option known[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	*options = (struct restore_options){ .root = "/sysroot" };
	while ((c = getopt_long(argc, argv, "v", known, NULL)) != -1) {
		switch (c) {
		case 'r':
			options->root = optarg;
			break;
		case 'v':
			options->verbose = true;
			log_set_verbose(true);
			break;
		default:
			return RESTORE_USAGE;
		}
	}
	options->names = argv + optind;
	if (want_names == (optind < argc))
		return 0;
	log_error(want_names ? "%s: expected the names of containers; `rebootless-restore list` shows them" :
			       "%s takes no argument", argv[0]);
	return RESTORE_USAGE;
}

static int open_manifest(struct manifest *m)
{
	int err = manifest_read(STORE_DIR, m);

	if (err == -ENOENT)
		return log_refusal(err, "the handover from the old kernel holds no update (no manifest in %s)", STORE_DIR);
	return err;
}

int cmd_open(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	_cleanup_store_log_ int log = -1;
	struct restore_options options;
	struct utsname kernel;
	int err = parse_options(argc, argv, false, &options);

	if (err)
		return err;
	timeline_import_early();
	err = store_load_module();
	if (!err)
		err = store_mount(true, false);
	if (err)
		return err;
	log = store_log_open();
	timeline_import(STORE_DIR);
	timeline_stamp(STORE_DIR, STAMP_STORE, NULL);
	err = open_manifest(&m);
	if (err)
		return err;
	if (!m.zero_copy)
		store_mount(false, false);
	host_limits_apply(m.limits);
	/* before any link is up; without it peers may be told that nobody is here */
	if (m.network && network_lock_all() < 0)
		log_warning("the network is not locked: connections may be lost");
	/* links too, so not before */
	system_load_drivers(m.drivers);
	uname(&kernel);
	log_info("an update has come into kernel %s", kernel.release);
	return 0;
}

static bool wants_to_skip(void)
{
	_cleanup_strv_ char **words = NULL;
	char cmdline[CMDLINE_MAX];

	return file_read("/proc/cmdline", cmdline, sizeof(cmdline)) >= 0 &&
	       !strv_split(cmdline, &words) && strv_has(words, SKIP_WORD);
}

/* The fault point: as if no other disk had come. */
static int mount_root_alone(const struct manifest *m, const char *root)
{
	struct json_object *alone = json_object_new_array(), *entry, *target;
	size_t i;

	for (i = 0; m->filesystems && i < json_object_array_length(m->filesystems); i++) {
		entry = json_object_array_get_idx(m->filesystems, i);
		if (json_object_object_get_ex(entry, "target", &target) &&
		    !strcmp(json_object_get_string(target), "/"))
			json_object_array_add(alone, json_object_get(entry));
	}
	filesystems_mount(alone, root, m->filesystem_timeout, NULL);
	json_object_put(alone);
	return -ENODEV;
}

/* All that must be there before the first restore. */
static int prepare(struct manifest *m, const char *root)
{
	_cleanup_strv_ char **missing = NULL;
	char **target;
	int err = system_prepare(m);

	if (err)
		return err;
	apparmor_load(STORE_DIR);
	/* sockets need their addresses; whose are missing is not restored, the others are */
	if (m->network) {
		network_make(m->network, LINK_SECONDS);
		network_managers_make(m->network);
	}
	err = fault_hit(FAULT_MOUNT_ROOT, NULL) ? mount_root_alone(m, root) :
		filesystems_mount(m->filesystems, root, m->filesystem_timeout, &missing);
	for (target = missing; target && *target; target++)
		log_error("the filesystem of %s did not come; containers that need it cannot be restored",
			  *target);
	/* Those that can do without it are restored all the same. */
	if (err)
		log_warning("not all filesystems of the containers are there");
	timeline_stamp(STORE_DIR, STAMP_ROOT, NULL);
	return root_prepare(root);
}

static void mark_failed(struct manifest *m, const char *why)
{
	struct container *c;

	for (c = m->containers.container; c < m->containers.container + m->containers.nr; c++)
		if (c->state == CONTAINER_CAPTURED)
			container_failed(c, STORE_DIR, why);
	manifest_write(STORE_DIR, m);
}

/* Without a way back it is as with `continue`. */
static int after_failure(struct manifest *m, const struct restore_options *options, bool prepared)
{
	const struct restore restore = {
		.store = STORE_DIR,
		.root = options->root,
		.verbose = options->verbose,
	};

	if (m->on_restore_failure == POLICY_ROLLBACK && !m->rolling_back) {
		roll_back(m, options->root);
		log_error("there is no way back to %s: restoring what can be restored here",
			  m->from.release);
		if (prepared)
			restore_containers(m, NULL, &restore);
		mark_failed(m, "the initramfs could not prepare for it");
	}
	return m->on_restore_failure == POLICY_SHELL ? RESTORE_SHELL : RESTORE_FAILED;
}

static int restore_all(struct manifest *m, const struct restore_options *options)
{
	const struct restore restore = {
		.store = STORE_DIR,
		.root = options->root,
		.all_or_none = m->on_restore_failure == POLICY_ROLLBACK && !m->rolling_back,
		.verbose = options->verbose,
	};
	int err;

	if (m->tried >= m->tries) {
		log_error("%u boots have tried to restore and did not come to an end; the images are kept, `rebootless restore` tries again",
			  m->tried);
		mark_failed(m, "too many boots have tried (tries)");
		return RESTORE_FAILED;
	}
	m->tried++;
	err = manifest_write(STORE_DIR, m);
	if (!err)
		err = prepare(m, options->root);
	if (err) {
		mark_failed(m, "the initramfs could not prepare for it");
		return after_failure(m, options, false);
	}
	err = restore_containers(m, NULL, &restore);
	return err ? after_failure(m, options, true) : RESTORE_OK;
}

/* Once more, and last of all: systemd takes the mark off a scope when it touches it. */
static void spare_all(const struct manifest *m)
{
	const struct container *c;

	for (c = m->containers.container; c < m->containers.container + m->containers.nr; c++)
		if (c->state == CONTAINER_RESTORED)
			container_spare(c, true);
}

static void set_socket_options(const struct manifest *m)
{
	const struct container *c;

	for (c = m->containers.container; c < m->containers.container + m->containers.nr; c++)
		socket_options_set(c);
}

int cmd_run(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	_cleanup_store_log_ int log = -1;
	struct restore_options options;
	int ret = parse_options(argc, argv, false, &options);

	if (ret)
		return ret;
	log = store_log_open();
	ret = open_manifest(&m);
	/* what is done by hand, and the way back, are to succeed */
	if (!ret && m.fault && !m.rolling_back)
		ret = fault_set(m.fault);
	if (ret)
		return ret;
	if (wants_to_skip()) {
		log_warning(SKIP_WORD " is on the kernel command line: nothing is restored, the images are kept; `rebootless restore --all` does it");
		mark_failed(&m, SKIP_WORD " was on the kernel command line");
		network_unlock_all(m.network, &m.containers);
		return RESTORE_OK;
	}
	ret = restore_all(&m, &options);
	/* also when not all are back: those that are must not wait for the others */
	network_unlock_all(m.network, &m.containers);
	set_socket_options(&m);
	keep_stopped(&m);
	spare_all(&m);
	timeline_stamp(STORE_DIR, STAMP_PIVOT, NULL);
	/* what CRIU has found out of this kernel, another must not believe */
	unlink("/run/criu.kdat");
	return ret;
}

int cmd_list(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	struct restore_options options;
	const struct container *c;
	int err = parse_options(argc, argv, false, &options);

	if (!err)
		err = open_manifest(&m);
	if (err)
		return err;
	log_info("from %s to %s", m.from.release, m.to.release);
	for (c = m.containers.container; c < m.containers.container + m.containers.nr; c++)
		log_info("%-24s %-6s %-10s %s", c->name, c->engine->name,
			 container_state_name(c->state), c->error ? c->error : "");
	return 0;
}

int cmd_try(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	_cleanup_store_log_ int log = -1;
	struct restore_options options;
	struct restore restore = { .store = STORE_DIR };
	int err = parse_options(argc, argv, true, &options);

	if (err)
		return err;
	log = store_log_open();
	err = open_manifest(&m);
	if (!err)
		err = prepare(&m, options.root);
	if (err)
		return err;
	restore.root = options.root;
	restore.verbose = options.verbose;
	err = restore_containers(&m, options.names, &restore);
	keep_stopped(&m);
	spare_all(&m);
	return err;
}

int cmd_rollback(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	_cleanup_store_log_ int log = -1;
	struct restore_options options;
	int err = parse_options(argc, argv, false, &options);

	if (err)
		return err;
	log = store_log_open();
	err = open_manifest(&m);
	return err ? err : roll_back(&m, options.root);
}
