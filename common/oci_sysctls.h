/* SPDX-License-Identifier: GPL-2.0 */
/*
 * oci_sysctls.h - the settings of its network that a container's config.json names
 * (linux.sysctl, `podman run --sysctl`). Runtimes write them when they make a container,
 * not when they restore it into a new namespace. Those of IPC are brought back by CRIU.
 */
#ifndef REBOOTLESS_OCI_SYSCTLS_H
#define REBOOTLESS_OCI_SYSCTLS_H

#include <json-c/json.h>

/*
 * Write those of `config` (a config.json) in the network namespace that is mounted at, or
 * linked from, `path`. What cannot be written is a warning.
 */
void oci_sysctls_set(struct json_object *config, const char *path);

#endif
