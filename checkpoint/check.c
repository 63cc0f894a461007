// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "check.h"
#include "check_disks.h"
#include "check_early.h"
#include "check_processes.h"
#include "check_system.h"
#include "common/engine.h"
#include "common/filesystems.h"
#include "common/log.h"
#include "common/network_namespaces.h"
#include "common/oci.h"
#include "common/podman.h"
#include "common/strv.h"
#include "kernels.h"
#include "kexec.h"
#include "loader.h"

static int bundle_paths(const struct containers *list, char ***paths)
{
	const struct container *c;
	int err = 0;

	for (c = list->container; !err && c < list->container + list->nr; c++)
		if (c->engine == &engine_podman)
			err = strv_addf(paths, "%s\t%s", c->name,
					podman_text(c->engine_data, "/static-dir"));
		else if (c->engine == &engine_crun || c->engine == &engine_runc)
			err = strv_addf(paths, "%s\t%s", c->name, oci_bundle(c));
	return err;
}

int check_containers(struct containers *list, const struct config *config,
		     struct findings *findings, struct json_object **filesystems)
{
	_cleanup_strv_ char **paths = NULL;
	struct container *c;
	int err = 0;

	for (c = list->container; !err && c < list->container + list->nr; c++) {
		err = c->engine->check(c, findings);
		if (!err && c->engine->check_together)
			c->engine->check_together(c, list, findings);
		if (!err)
			err = check_processes(c, config->ghost_limit, findings);
	}
	if (!err)
		err = bundle_paths(list, &paths);
	if (!err)
		err = filesystems_note(list, paths, findings, filesystems);
	return err;
}

static void look_for_early(struct manifest *m, const struct initrd_contents *contents,
			   const struct mount_table *mounts)
{
	const struct early_host host = { "/sys", mounts, m->to.cmdline, contents->words, early_device };
	const char *why;

	if (!m->early)
		return;
	m->early = check_early(&host, m->filesystems, &why);
	if (!m->early) {
		log_detail("containers are restored when dracut has mounted root, and not before: %s", why);
		return;
	}
	m->before_systemd = contents->init && contents->systemd_init &&
			    !engines_need_systemd(&m->containers);
	if (!m->before_systemd)
		log_detail("containers are restored by a hook of dracut's, and not before: %s",
			   contents->init && contents->systemd_init ? "the cgroup of one is systemd's to make" :
			   "there is no systemd in the initramfs, or no " REBOOTLESS_INIT);
}

/* Without the hooks it is refused anyway, and what else is missing of no account. */
static int look_at_devices(struct manifest *m, const struct initrd_contents *contents,
			   struct findings *findings)
{
	_cleanup_mount_table_ struct mount_table mounts = { 0 };
	const struct disks_host host = { "/etc/crypttab", &mounts };
	struct drivers drivers = { "/sys", kernels_module, &m->to, contents, findings, NULL };
	int err;

	if (!contents->hooks) {
		m->early = false;
		return 0;
	}
	err = mount_table_read(HOST_MOUNTINFO, &mounts);
	if (!err)
		look_for_early(m, contents, &mounts);
	if (!err)
		err = check_disks(&host, m->filesystems, &drivers);
	if (!err)
		err = check_link_drivers(&drivers, network_namespaces_in_hosts(&m->containers) > 0);
	strv_free(m->drivers);
	m->drivers = drivers.found;
	return err;
}

/* A kernel image that the loader refuses, or memory that cannot be claimed, is logged by it. */
int check_host(struct manifest *m, bool zero_copy, struct findings *findings)
{
	const struct installed_kernel *to = &m->to;
	const struct load_request request = {
		.kernel = to->kernel,
		.initrd = to->initrd,
		.append = to->cmdline,
	};
	char banner[LOADER_RELEASE_MAX] = "";
	_cleanup_initrd_contents_ struct initrd_contents contents = { 0 };
	struct demand demand;
	int err = loader_check(&request, &demand, banner);
	bool loadable = !err;

	if (!loadable)
		findings_add(findings, NULL, 0, "kernel %s cannot be loaded, see above", to->release);
	if (kexec_check_allowed())
		findings_add(findings, NULL, 0, "this system does not let a kernel be loaded, see above");
	check_strays(&m->containers, findings);
	check_shell(to, m->on_restore_failure, findings);
	check_selinux(SELINUX_ENFORCE, findings);
	err = check_target(to, banner, &contents, findings);
	if (!err)
		err = look_at_devices(m, &contents, findings);
	if (!err)
		err = check_criu(to, findings);
	if (!err)
		err = check_memory(&m->containers, loadable ? &demand : NULL,
				   zero_copy && contents.gives, findings);
	if (!err)
		err = check_driver_memory("/proc/iomem", findings);
	return err;
}

/* "\tPATH": of no container */
static int note_kernel(const struct installed_kernel *k, struct findings *findings,
		       struct json_object *filesystems)
{
	const struct containers nobody = { 0 };
	_cleanup_strv_ char **paths = NULL;
	struct json_object *noted = NULL;
	int err = strv_addf(&paths, "\t%s", k->kernel);

	if (!err)
		err = strv_addf(&paths, "\t%s", k->initrd);
	if (!err)
		err = filesystems_note(&nobody, paths, findings, &noted);
	if (!err)
		err = filesystems_add(filesystems, noted);
	json_object_put(noted);
	return err;
}

/*
 * With `rollback` none runs before all are restored: each is held in its CRIU, and
 * which process another's namespaces are those of is not known by then.
 */
static void check_held(const struct containers *list, struct findings *findings)
{
	const struct container *c;
	struct json_object *joins;

	for (c = list->container; c < list->container + list->nr; c++)
		if (c->engine == &engine_podman &&
		    json_object_object_get_ex(c->engine_data, "joins", &joins) &&
		    json_object_object_length(joins))
			findings_add(findings, c->name, 0,
				     "it lives in the namespaces of another container (a pod's, --network container:X), with which on-restore-failure = rollback does not work: set continue or shell");
}

int check_way_back(const struct containers *list, const struct installed_kernel *from,
		   const struct installed_kernel *to, bool must, struct findings *findings,
		   struct json_object *filesystems)
{
	static const char text[] = "there is no way back to %s: %s";
	_cleanup_findings_ struct findings own = { 0 };
	_cleanup_initrd_contents_ struct initrd_contents contents = { 0 };
	size_t i;
	int err = 0;

	if (must)
		check_held(list, findings);
	if (!from->kernel || !from->initrd) {
		findings_add(&own, NULL, 0, "it is not installed any more, see above");
	} else {
		err = note_kernel(from, &own, filesystems);
		/* its own was looked into */
		if (!err && strcmp(from->initrd, to->initrd))
			err = check_target(from, "", &contents, &own);
	}
	for (i = 0; i < own.nr; i++)
		if (own.finding[i].warning)
			continue;
		else if (must)
			findings_add(findings, NULL, 0, text, from->release, own.finding[i].text);
		else
			findings_warn(findings, NULL, 0, text, from->release, own.finding[i].text);
	return err;
}
