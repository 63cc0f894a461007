/* SPDX-License-Identifier: GPL-2.0 */
/*
 * podman.h - what podman says of a container, and what of it an update keeps.
 *
 * engine_data, made of `podman inspect`:
 *   { "id": "HEX", "status": "running", "runtime": "crun",
 *     "static-dir": "/path",	on a disk: config.json, and what a restore reads
 *     "pid-file", "conmon-pid-file": "/run/path",
 *     "problems": [ "text" ],	what speaks against carrying it
 *     "after": [ "ID" ],	containers that it needs
 *     "joins": { "ipc": "/run/path" },	namespaces that are those of the process in this pid file
 *     "secrets": [ { "Name": "x" } ],	as podman inspect has them
 *     "network": {...},	podman's network.status: addresses to be given again
 *     "shm": "/path",		its /dev/shm, when that is a tmpfs of the host
 *     "auto-remove": true,	--rm
 *     "restarted": true,	--restart, such that podman-restart.service starts it at the boot
 *     "unit": "x.service", "home": "/cgroup", "split": true, "cid-file": "/path",
 *     "health": { "unit": "NAME", "seconds": N } }
 */
#ifndef REBOOTLESS_PODMAN_H
#define REBOOTLESS_PODMAN_H

#include <json-c/json.h>

#include "common/manifest.h"

/* Of one entry of `podman inspect`. NULL (logged): something in it is not as expected. */
struct json_object *podman_data(struct json_object *inspect);

/* A text of engine_data or of what podman says, by JSON pointer (RFC 6901); NULL = none, or "". */
const char *podman_text(struct json_object *o, const char *pointer);
/* Is it there, and true? */
bool podman_flag(struct json_object *o, const char *pointer);

/* podman_keep.c: engine.h's before_dumps and after_dumps */
int podman_before_dumps(const struct containers *all);
void podman_after_dumps(const struct containers *all);

#endif
