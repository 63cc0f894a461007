/* SPDX-License-Identifier: GPL-2.0 */
/*
 * oci_root.h - what CRIU needs in a container's root that is read-only.
 *
 * root: where the host's root is seen ("/sysroot" in an initramfs, "" in it).
 */
#ifndef REBOOTLESS_OCI_ROOT_H
#define REBOOTLESS_OCI_ROOT_H

#include "common/engine.h"

void oci_root_check(const struct container *c, struct json_object *config,
		    struct findings *findings);
/* Before its restore. Where it cannot, the restore fails and its engine says why. */
void oci_root_lend(const struct container *c, const char *root);
/* The inverse, when it runs; nothing if nothing was lent. */
void oci_root_take_back(const struct container *c, const char *root);

#endif
