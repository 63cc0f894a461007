// SPDX-License-Identifier: GPL-2.0
/*
 * What the boot does by itself: dracut's hooks call open and early, which is as
 * soon as can be, and run, when dracut has mounted the real root.
 */
#include <errno.h>
#include <fcntl.h>
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
/* That plain disks may take whose drivers are loaded; after that it is left to dracut. */
#define EARLY_SECONDS 10
/* There once this boot has tried early. */
#define EARLY_MARK "/run/rebootless/early"

int restore_manifest(struct manifest *m)
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
	err = restore_manifest(&m);
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

static int prepare_system(const struct manifest *m)
{
	int err = system_prepare(m);

	if (err)
		return err;
	apparmor_load(STORE_DIR);
	/* sockets need their addresses; whose are missing is not restored, the others are */
	if (m->network) {
		network_make(m->network, LINK_SECONDS);
		network_managers_make(m->network);
	}
	return 0;
}

/* Unlike restore_prepare(): all must be there, at once. What was made before it failed may stay. */
static int prepare_early(const struct manifest *m, const char *root)
{
	int err = filesystems_mount_root(m->filesystems, root, EARLY_SECONDS);

	if (!err && fault_hit(FAULT_MOUNT_ROOT, NULL))
		err = -ENODEV;
	if (!err)
		err = prepare_system(m);
	if (!err)
		err = filesystems_mount(m->filesystems, root, EARLY_SECONDS, NULL);
	if (err)
		return err;
	timeline_stamp(STORE_DIR, STAMP_ROOT, NULL);
	return root_prepare(root);
}

int restore_prepare(struct manifest *m, const char *root)
{
	_cleanup_strv_ char **missing = NULL;
	char **target;
	int err = prepare_system(m);

	if (err)
		return err;
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

void restore_spare(const struct manifest *m)
{
	const struct container *c;

	for (c = m->containers.container; c < m->containers.container + m->containers.nr; c++)
		if (c->state == CONTAINER_RESTORED)
			container_spare(c, true);
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

static int restore_in(struct manifest *m, const struct restore_options *options, bool early)
{
	const struct restore restore = {
		.store = STORE_DIR,
		.root = options->root,
		.all_or_none = m->on_restore_failure == POLICY_ROLLBACK && !m->rolling_back,
		.early = early,
		.verbose = options->verbose,
	};

	return restore_containers(m, NULL, &restore);
}

static bool has_tried_early(void)
{
	return !access(EARLY_MARK, F_OK);
}

static int restore_all(struct manifest *m, const struct restore_options *options)
{
	int err;

	if (m->tried >= m->tries && !has_tried_early()) {
		log_error("%u boots have tried to restore and did not come to an end; the images are kept, `rebootless restore` tries again",
			  m->tried);
		mark_failed(m, "too many boots have tried (tries)");
		return RESTORE_FAILED;
	}
	m->tried += !has_tried_early();
	err = manifest_write(STORE_DIR, m);
	if (!err)
		err = restore_prepare(m, options->root);
	if (err) {
		mark_failed(m, "the initramfs could not prepare for it");
		return after_failure(m, options, false);
	}
	err = restore_in(m, options, false);
	return err ? after_failure(m, options, true) : RESTORE_OK;
}

static bool all_restored(const struct manifest *m)
{
	const struct container *c;

	for (c = m->containers.container; c < m->containers.container + m->containers.nr; c++)
		if (container_is_kept(c))
			return false;
	return true;
}

/* Their peers may hear of them. */
static void let_go(const struct manifest *m)
{
	const struct container *c;

	network_unlock_all(m->network, &m->containers);
	for (c = m->containers.container; c < m->containers.container + m->containers.nr; c++)
		socket_options_set(c);
}

static int begin(struct manifest *m)
{
	int err = restore_manifest(m);

	/* what is done by hand, and the way back, are to succeed */
	return !err && m->fault && !m->rolling_back ? fault_set(m->fault) : err;
}

static int mark_early(struct manifest *m)
{
	_cleanup_close_ int fd = open(EARLY_MARK, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return log_syserr(errno, "cannot make %s", EARLY_MARK);
	m->tried++;
	return manifest_write(STORE_DIR, m);
}

/*
 * What fails here may only lack what udev brings: it is done once more in its usual
 * place, with those that are not restored yet, and nothing is given up before that. Till
 * then the network stays locked, since theirs are among the connections.
 */
int cmd_early(int argc, char **argv)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	_cleanup_store_log_ int log = -1;
	struct restore_options options;
	int err = parse_options(argc, argv, false, &options);

	if (err)
		return err;
	log = store_log_open();
	err = begin(&m);
	if (err)
		return err;
	if (has_tried_early() || !m.early || !m.containers.nr || m.rolling_back ||
	    m.tried >= m.tries || wants_to_skip())
		return RESTORE_OK;
	err = mark_early(&m);
	if (!err)
		err = prepare_early(&m, options.root);
	if (!err)
		err = restore_in(&m, &options, true);
	if (err || !all_restored(&m))
		log_warning("not all could be restored this early; it is tried again when the initramfs has mounted root");
	else
		let_go(&m);
	return RESTORE_OK;
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
	ret = begin(&m);
	if (ret)
		return ret;
	if (wants_to_skip()) {
		log_warning(SKIP_WORD " is on the kernel command line: nothing is restored, the images are kept; `rebootless restore --all` does it");
		mark_failed(&m, SKIP_WORD " was on the kernel command line");
		network_unlock_all(m.network, &m.containers);
		return RESTORE_OK;
	}
	if (!has_tried_early() || !all_restored(&m)) {
		ret = restore_all(&m, &options);
		/* also when not all are back: those that are must not wait for the others */
		let_go(&m);
	}
	keep_stopped(&m);
	restore_spare(&m);
	timeline_stamp(STORE_DIR, STAMP_PIVOT, NULL);
	/* what CRIU has found out of this kernel, another must not believe */
	unlink("/run/criu.kdat");
	return ret;
}
