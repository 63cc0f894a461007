// SPDX-License-Identifier: GPL-2.0
/*
 * An update, step by step. Every step has its inverse, and until the jump a
 * failure undoes all that was done, latest first.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "check.h"
#include "common/apparmor.h"
#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/filesystems.h"
#include "common/host_limits.h"
#include "common/interrupt.h"
#include "common/log.h"
#include "common/network.h"
#include "common/network_lock.h"
#include "common/network_managers.h"
#include "common/network_namespaces.h"
#include "common/network_tables.h"
#include "common/socket_options.h"
#include "common/stopped.h"
#include "common/store.h"
#include "common/strv.h"
#include "common/timeline.h"
#include "device.h"
#include "dump.h"
#include "host.h"
#include "keepalive.h"
#include "kernels.h"
#include "kexec.h"
#include "limits.h"
#include "loader.h"
#include "services.h"
#include "state.h"
#include "taken_up.h"
#include "update.h"
#include "urgent.h"

#define UUID_FILE "/proc/sys/kernel/random/uuid"
#define UUID_MAX 40
#define MANIFEST_FILE STORE_DIR "/manifest.json"
#define MANIFEST_BEFORE STORE_DIR "/manifest.before"

struct update {
	const struct update_request *request;
	struct config config;
	struct manifest manifest;
	struct json_object *kept_filesystems;	/* of a rollback: what kept images need */
	struct findings findings;
	struct dump dump;
	int lock;
	int device;
	int log;
};

/* What was done, to be undone in reverse. */
enum done {
	DONE_NOTHING,
	DONE_STORE,	/* the store is mounted */
	DONE_LOAD,	/* the arena is claimed, the kernel loaded */
	DONE_SERVICES,	/* the host's services are stopped */
	DONE_ENGINES,	/* the engines are prepared for it */
	DONE_LOCK,	/* no new connections come in */
	DONE_DUMP,	/* the containers are held */
};

static int copy(char **to, const char *from)
{
	*to = strdup(from);
	return *to ? 0 : log_syserr(ENOMEM, "cannot prepare the update");
}

/* The running kernel: what a rollback starts again. */
static int describe_running(struct installed_kernel *k)
{
	char cmdline[HOST_CMDLINE_MAX], words[HOST_CMDLINE_MAX];
	struct utsname uts;
	int err;

	uname(&uts);
	err = kernels_find("", uts.release, k);
	/* check_way_back() tells of it */
	if (err)
		err = copy(&k->release, uts.release);
	if (!err)
		err = file_read_line("/proc/cmdline", cmdline, sizeof(cmdline));
	if (err < 0)
		return log_syserr(-err, "cannot read /proc/cmdline");
	cmdline_without_loader(cmdline, words);
	return copy(&k->cmdline, words);
}

/* What was added by the last update already is not added again. */
static bool ends_with(const char *cmdline, const char *words)
{
	size_t length = strlen(cmdline), tail = strlen(words);

	return tail <= length && !strcmp(cmdline + length - tail, words) &&
	       (tail == length || cmdline[length - tail - 1] == ' ');
}

static int describe_target(struct update *u)
{
	const char *append = u->config.append ? u->config.append : "";
	struct installed_kernel *from = &u->manifest.from, *to = &u->manifest.to;
	int err = kernels_find("", u->request->kernel, to);

	if (err)
		return err;
	if (ends_with(from->cmdline, append))
		append = "";
	if (asprintf(&to->cmdline, "%s%s%s", from->cmdline, *append ? " " : "", append) < 0) {
		to->cmdline = NULL;
		return log_syserr(ENOMEM, "cannot prepare the update");
	}
	return 0;
}

/* Of those that run, the ones asked for. */
static int select_containers(struct update *u)
{
	struct containers *list = &u->manifest.containers;
	char *const *name = u->request->names;
	size_t i;

	for (; name && *name; name++)
		if (!containers_find(list, *name))
			return log_refusal(-ENOENT,
					   "no container %s runs here; `rebootless list` shows them",
					   *name);
	if (!u->request->names || !u->request->names[0])
		return 0;
	for (i = list->nr; i-- > 0;) {
		if (strv_has(u->request->names, list->container[i].name))
			continue;
		log_warning("container %s is not carried, it ends with this kernel",
			    list->container[i].name);
		containers_remove(list, &list->container[i]);
	}
	return 0;
}

static void take_settings(struct manifest *m, const struct config *config)
{
	m->on_restore_failure = config->on_restore_failure;
	m->commit_auto = config->commit_auto;
	m->zero_copy = config->zero_copy;
	m->early = config->restore_early;
	m->parallel = config->parallel ? config->parallel :
					 (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	m->restore_timeout = config->restore_timeout;
	m->filesystem_timeout = config->filesystem_timeout;
	m->tries = config->tries;
}

static int read_settings(struct update *u)
{
	char id[UUID_MAX], boot[HOST_BOOT_ID_MAX];
	int err = config_read(u->request->config, &u->config);

	if (!err && u->config.fault)
		err = fault_set(u->config.fault);
	if (err)
		return err;
	take_settings(&u->manifest, &u->config);
	u->manifest.rolling_back = u->request->rollback;
	err = file_read_line(UUID_FILE, id, sizeof(id));
	if (err < 0)
		return log_syserr(-err, "cannot read %s", UUID_FILE);
	err = copy(&u->manifest.id, id);
	if (!err)
		err = host_boot_id(boot);
	if (!err)
		err = copy(&u->manifest.boot, boot);
	return !err && fault_get() ? copy(&u->manifest.fault, fault_get()) : err;
}

/* What a rollback takes along: images of containers that could not be restored. */
static int take_kept(struct update *u, struct manifest *before)
{
	struct container *c, *mine;

	for (c = before->containers.container;
	     c < before->containers.container + before->containers.nr; c++) {
		if (!container_is_kept(c))
			continue;
		if (containers_find(&u->manifest.containers, c->name))
			return log_refusal(-EEXIST,
					   "a container %s runs while the images of one are kept; commit or delete one of them",
					   c->name);
		mine = containers_add(&u->manifest.containers);
		if (!mine)
			return -ENOMEM;
		*mine = *c;
		memset(c, 0, sizeof(*c));
		mine->state = CONTAINER_CAPTURED;
		mine->pid = 0;	/* was the old kernel's */
		log_info("taking the images of %s along", mine->name);
		json_object_put(u->kept_filesystems);
		u->kept_filesystems = json_object_get(before->filesystems);
	}
	return 0;
}

/*
 * An update that died before its jump: whom it had captured runs on here, and
 * the images are worth nothing. A rollback that died has left the manifest
 * before it. 0; -ENOENT: no manifest is left; or another -errno (logged).
 */
static int discard_dead(struct manifest *m)
{
	if (!host_is_this_boot(m->boot))
		return 0;
	manifest_free(m);
	if (rename(MANIFEST_BEFORE, MANIFEST_FILE) < 0)
		return errno == ENOENT ? -ENOENT : log_syserr(errno, "cannot bring back %s",
							       MANIFEST_FILE);
	return manifest_read(STORE_DIR, m);
}

/* Until the commit they are allowed more memory than they are to have. */
static void take_limits(struct containers *list, const struct containers *before)
{
	const struct container *c;
	struct container *mine;

	for (c = before->container; c < before->container + before->nr; c++) {
		mine = containers_find(list, c->name);
		if (c->state == CONTAINER_RESTORED && mine && !mine->cgroups)
			mine->cgroups = json_object_get(c->cgroups);
	}
}

/* Kept images must not be lost by a further update; only a rollback takes them along. */
static int look_at_store(struct update *u)
{
	_cleanup_manifest_ struct manifest before = { 0 };
	const struct container *c;
	int err;

	err = store_take_over();
	if (!err)
		err = manifest_read(STORE_DIR, &before);
	if (!err)
		err = discard_dead(&before);
	if (err == -ENOENT && u->request->rollback)
		return log_refusal(err, "there is no update to go back from");
	/* images of one that died before it had a manifest: their containers run, and memory is short */
	if (err == -ENOENT)
		return store_is_mounted() && !u->request->dry_run ? store_clear() : 0;
	if (err)
		return err;
	take_limits(&u->manifest.containers, &before.containers);
	if (u->request->rollback)
		return take_kept(u, &before);
	for (c = before.containers.container;
	     c < before.containers.container + before.containers.nr; c++)
		if (container_is_kept(c))
			return log_refusal(-EBUSY,
					   "container %s of the update before is not restored, and its images would be lost: `rebootless restore %s`, `rebootless rollback`, or `rebootless commit --force` to give it up",
					   c->name, c->name);
	return 0;
}

/* The lock is ours: what is loaded, claimed, sealed or stopped is of one that has died. */
static int release_dead(void)
{
	_cleanup_close_ int device = -1;
	struct pramfs_ioc_status status;
	int err, did = 0;

	services_start_left();
	network_unlock();
	if (access(PRAMFS_DEVICE, F_OK) < 0)
		return 0;
	device = device_open();
	err = device < 0 ? device : device_status(device, &status);
	if (!err && status.flags & PRAMFS_SEALED)
		err = device_unseal(device);
	if (!err)
		err = unload_all(device, &did);
	if (did)
		log_warning("a kernel was loaded by a rebootless that has ended: unloaded it");
	return err;
}

static int find_all(struct update *u)
{
	int err = read_settings(u);

	if (!err)
		err = describe_running(&u->manifest.from);
	if (!err)
		err = describe_target(u);
	if (!err)
		err = engines_list(&u->config, &u->manifest.containers);
	return err ? err : select_containers(u);
}

static int check_all(struct update *u)
{
	int err = check_containers(&u->manifest.containers, &u->config, &u->findings,
				   &u->manifest.filesystems);

	if (!err && u->kept_filesystems)
		err = filesystems_add(u->manifest.filesystems, u->kept_filesystems);
	if (!err)
		/* until a commit by hand, a write to what was handed over copies it after all */
		err = check_host(&u->manifest, u->manifest.zero_copy && u->manifest.commit_auto,
				 &u->findings);
	if (!err && !u->request->rollback)
		err = check_way_back(&u->manifest.containers, &u->manifest.from, &u->manifest.to,
				     u->manifest.on_restore_failure == POLICY_ROLLBACK, &u->findings,
				     u->manifest.filesystems);
	if (err)
		return err;
	findings_log(&u->findings);
	if (findings_refuse(&u->findings, NULL))
		return log_refusal(-EPERM,
				   "nothing was changed; mend what is named above, or leave a container out (carry = no in %s)",
				   CONFIG_FILE);
	return 0;
}

/* A rollback that is given up leaves the update before it as it was. */
static int keep_manifest(void)
{
	unlink(MANIFEST_BEFORE);
	if (link(MANIFEST_FILE, MANIFEST_BEFORE) < 0)
		return log_syserr(errno, "cannot keep %s", MANIFEST_FILE);
	return 0;
}

static void bring_back_manifest(void)
{
	if (rename(MANIFEST_BEFORE, MANIFEST_FILE) < 0 && errno != ENOENT)
		log_syserr(errno, "cannot bring back %s", MANIFEST_FILE);
}

/* For a rollback with all that it holds, else empty. */
static int open_store(struct update *u)
{
	int err = store_load_module();

	if (!err)
		err = store_mount(u->config.zero_copy, u->config.verify);
	if (!err && !u->request->rollback)
		err = store_clear();
	if (err)
		return err;
	u->log = store_log_open();
	return u->request->rollback ? keep_manifest() : 0;
}

static int load_target(struct update *u)
{
	const struct load_request request = {
		.kernel = u->manifest.to.kernel,
		.initrd = u->manifest.to.initrd,
		.append = u->manifest.to.cmdline,
		.init = u->manifest.before_systemd ? REBOOTLESS_INIT : NULL,
	};

	if (u->request->rollback && fault_hit(FAULT_ROLLBACK, NULL))
		return -EIO;
	u->device = device_open();
	if (u->device < 0)
		return u->device;
	log_info("loading %s", u->manifest.to.release);
	return loader_load(&request, u->device);
}

static int note_containers(struct containers *list)
{
	struct json_object *before;
	struct container *c;
	int err = 0;

	for (c = list->container; !err && c < list->container + list->nr; c++) {
		if (c->state != CONTAINER_RUNNING)
			continue;
		before = steal_ptr(c->cgroups);
		err = cgroup_note(c->cgroup, &c->cgroups);
		if (!err && before)
			cgroup_take_less_memory(c->cgroups, before);
		json_object_put(before);
		if (!err)
			err = stopped_note(c->pid, &c->stopped);
	}
	return err;
}

/*
 * A host without a link that is up, and without two containers that may talk to each
 * other over loopback, has nobody to talk to, and no need of nft.
 */
static int lock_network(struct manifest *m)
{
	int err = network_note(&m->network);

	if (err)
		return err;
	if (!network_is_up(m->network) && network_namespaces_in_hosts(&m->containers) < 2) {
		json_object_put(steal_ptr(m->network));
		return 0;
	}
	network_managers_note(m->network);
	network_tables_note(m->network);
	err = network_namespaces_note(&m->containers, m->network);
	if (!err)
		err = network_lock_new();
	if (err)
		network_unlock();
	else
		network_lock_drain(&m->containers);
	return err;
}

/* The last thing before the jump: from here on nothing may write to a disk. */
static int jump(struct update *u)
{
	int err = fault_hit(FAULT_MANIFEST, NULL) ? -EIO :
						    manifest_write(STORE_DIR, &u->manifest);

	if (err)
		return err;
	log_info("sealing, and starting %s", u->manifest.to.release);
	fflush(stdout);
	log_hold(true);
	err = filesystems_freeze(u->device);
	if (!err) {
		timeline_stamp(STORE_DIR, STAMP_SEAL, NULL);
		store_log_close(&u->log);
		err = loader_fire(u->device);
		filesystems_thaw(u->device);
		u->log = store_log_open();
	}
	log_hold(false);
	return err;
}

/* The images of the update before, which a rollback leaves in the store until it jumps. */
static unsigned long long more_memory(const struct update *u)
{
	return u->request->rollback ? store_bytes() : 0;
}

static void undo(struct update *u, enum done done)
{
	size_t i;
	int did;

	if (done >= DONE_DUMP)
		dump_abort(&u->dump);
	if (done >= DONE_LOCK)
		network_unlock();
	for (i = 0; i < u->dump.jobs.nr; i++)
		containers_find(&u->manifest.containers,
				u->dump.jobs.job[i].container->name)->state = CONTAINER_RUNNING;
	if (done >= DONE_ENGINES)
		engines_after_dumps(&u->manifest.containers);
	if (done >= DONE_LOCK)
		limits_set(&u->manifest.containers, more_memory(u));
	if (done >= DONE_SERVICES)
		services_start(u->manifest.stopped_services);
	if (done >= DONE_LOAD)
		unload_all(u->device, &did);
	store_log_close(&u->log);
	if (u->request->rollback)
		bring_back_manifest();
	/* the images of containers that run here are worth nothing */
	if (done >= DONE_STORE && !u->request->rollback && !store_clear())
		store_unmount();
	log_error("nothing was updated: all containers run on in this kernel; mend what is named above and try again");
}

static int dump_running(struct update *u, struct containers *running)
{
	const struct container *c;
	struct container *copy_;
	struct containers *all = &u->manifest.containers;

	for (c = all->container; c < all->container + all->nr; c++) {
		if (c->state != CONTAINER_RUNNING)
			continue;
		copy_ = containers_add(running);
		if (!copy_)
			return -ENOMEM;
		*copy_ = *c;
	}
	return dump_all(&u->dump, running, &u->config, STORE_DIR);
}

static int switch_keepalive_off(struct update *u)
{
	const struct container *c;
	const struct job *j;
	int nr;

	for (j = u->dump.jobs.job; j < u->dump.jobs.job + u->dump.jobs.nr; j++) {
		c = containers_find(&u->manifest.containers, j->container->name);
		nr = keepalive_switch_off(j->dirs.images, c->sockets);
		if (nr < 0)
			return nr;
		if (nr)
			log_detail("container %s: keepalive of %d connections is off until all is restored",
				   c->name, nr);
	}
	return 0;
}

/*
 * Since they were listed, services were stopped and much was checked: one that was
 * started, or started anew, meanwhile would be lost.
 */
static int expect_no_change(const struct update *u)
{
	_cleanup_(containers_free) struct containers now = { 0 };
	const struct containers *before = &u->manifest.containers;
	const bool all = !u->request->names || !u->request->names[0];
	const struct container *c, *other;
	int err = engines_ask(&u->config, &now);

	for (c = now.container; !err && all && c < now.container + now.nr; c++)
		if (!containers_find(before, c->name))
			err = log_refusal(-EAGAIN, "container %s was started while the update was prepared: try again",
					  c->name);
	for (c = before->container; !err && c < before->container + before->nr; c++) {
		if (c->state != CONTAINER_RUNNING)
			continue;
		other = containers_find(&now, c->name);
		if (!other || other->pid != c->pid)
			err = log_refusal(-EAGAIN, "container %s %s while the update was prepared: try again", c->name,
					  other ? "was started anew" : "has ended");
	}
	return err;
}

/* Killed for want of memory it would leave all frozen, and the network locked. */
static void be_spared(void)
{
	file_write("/proc/self", "oom_score_adj", 0600, "-1000");
}

/* Everything from the first change on. */
static int carry_out(struct update *u)
{
	enum done done = DONE_NOTHING;
	struct containers running = { 0 };
	struct container *c;
	int err;

	interrupt_catch();
	be_spared();
	timeline_calibrate_begin();
	err = open_store(u);
	if (err)
		goto out;
	done = DONE_STORE;
	/* not before it is empty: what lies in it is charged to them, and they would be short of memory */
	limits_set_left(more_memory(u));
	timeline_stamp(STORE_DIR, STAMP_PREPARE, NULL);
	err = load_target(u);
	if (err)
		goto out;
	done = DONE_LOAD;
	err = services_stop(&u->config, &u->manifest.containers, &u->manifest.stopped_services);
	if (err)
		goto out;
	done = DONE_SERVICES;
	err = engines_before_dumps(&u->manifest.containers);
	if (err)
		goto out;
	done = DONE_ENGINES;
	err = expect_no_change(u);
	if (err)
		goto out;
	u->manifest.limits = host_limits_note();
	err = note_containers(&u->manifest.containers);
	if (!err)
		err = apparmor_save(&u->manifest.containers, STORE_DIR);
	if (err)
		goto out;
	taken_up_make_again(&u->manifest.containers);
	dump_prepare(&u->dump);
	if (interrupted()) {
		err = log_refusal(-EINTR, "interrupted");
		goto out;
	}
	timeline_calibrate_end(STORE_DIR);
	timeline_stamp(STORE_DIR, STAMP_PREPARED, NULL);
	err = lock_network(&u->manifest);
	if (err)
		goto out;
	done = DONE_LOCK;
	err = limits_lift(&u->manifest.containers);
	if (!err)
		err = socket_options_note(&u->manifest.containers);
	if (!err)
		err = dump_running(u, &running);
	if (err)
		goto out;
	done = DONE_DUMP;
	err = urgent_refuse(&running);
	if (!err)
		err = socket_options_confirm(&u->manifest.containers);
	if (!err)
		err = switch_keepalive_off(u);
	if (err)
		goto out;
	if (u->manifest.network)
		network_tracked_note(u->manifest.network);
	for (c = u->manifest.containers.container;
	     c < u->manifest.containers.container + u->manifest.containers.nr; c++)
		c->state = CONTAINER_CAPTURED;
	err = jump(u);
out:
	undo(u, done);
	free(running.container);	/* what they point to is the manifest's */
	return err;
}

static void update_free(struct update *u)
{
	dump_free(&u->dump);
	findings_free(&u->findings);
	json_object_put(u->kept_filesystems);
	manifest_free(&u->manifest);
	config_free(&u->config);
	store_log_close(&u->log);
	cleanup_close(&u->device);
	cleanup_close(&u->lock);
}

int update(const struct update_request *request)
{
	_cleanup_(update_free) struct update u = { .request = request, .lock = -1,
						   .device = -1, .log = -1 };
	int err;

	err = kexec_check_allowed();
	if (err)
		return err;
	u.lock = state_lock();
	if (u.lock < 0)
		return u.lock;
	err = request->dry_run ? 0 : release_dead();
	if (!err)
		err = find_all(&u);
	if (!err)
		err = look_at_store(&u);
	if (err)
		return err;
	log_info("from %s to %s, carrying %zu containers", u.manifest.from.release,
		 u.manifest.to.release, u.manifest.containers.nr);
	err = check_all(&u);
	if (err)
		return err;
	if (request->dry_run) {
		log_info("all checks passed; nothing was changed");
		return 0;
	}
	return carry_out(&u);
}
