/* SPDX-License-Identifier: GPL-2.0 */
/*
 * oci.h - what crun and runc have in common: nearly their whole command line.
 *
 * engine_data: { "bundle": "/path", "status": "running" }, and "tmp-lent": see oci_root.c
 */
#ifndef REBOOTLESS_OCI_H
#define REBOOTLESS_OCI_H

#include "common/engine.h"

/* Those that podman has named are left to its engine. */
int oci_list(const struct engine *engine, struct containers *list);
int oci_check(const struct container *c, struct findings *findings);
int oci_dump_command(const struct container *c, const struct image_dirs *dirs,
		     const struct dump_options *options, char ***argv);
int oci_restore_command(const struct container *c, const struct image_dirs *dirs,
			const char *action_script, char ***argv);
int oci_before_restore(const struct container *c, const struct image_dirs *dirs, const char *root);
int oci_restored(const struct container *c, pid_t pid, const char *root);
bool oci_needs_systemd(const struct container *c);
int oci_forget_command(const struct container *c, char ***argv);
pid_t oci_restored_pid(const struct container *c, const struct image_dirs *dirs);

/* The bundle's directory, or NULL. */
const char *oci_bundle(const struct container *c);

/* Its config.json, in the system below root ("" = here), or NULL (a detail in the log). */
struct json_object *oci_config_read(const struct container *c, const char *root);

/* What is at @a.@b of a config.json, or NULL; it belongs to @config. */
struct json_object *oci_config_get(struct json_object *config, const char *a, const char *b);

#endif
