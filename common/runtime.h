/* SPDX-License-Identifier: GPL-2.0 */
/*
 * runtime.h - crun and runc, called by an engine that has to stay in the mount
 * namespace of the initramfs, which is chrooted into the real root there.
 *
 * CRIU cannot restore mounts from a chroot. So conmon, and whoever else starts
 * runtimes, is given RUNTIME_DIR/crun instead of crun: that is `rebootless` by
 * another name. For a restore it makes the real root the root of a mount
 * namespace of its own first; for everything else, and in the real root, it is
 * just the runtime.
 */
#ifndef REBOOTLESS_RUNTIME_H
#define REBOOTLESS_RUNTIME_H

#include <stdbool.h>

#define RUNTIME_DIR "/run/rebootless/runtimes"
/* containers.conf(5) that names them; it stays, since conmon passes it on to podman. */
#define RUNTIME_CONF "/run/rebootless/containers.conf"

/* Make both. 0 or -errno (logged). */
int runtime_prepare(void);

/* Is this program called as a runtime? Then run it: comes back only to fail, with an exit status. */
bool runtime_is_called(const char *argv0);
int runtime_run(char **argv);

#endif
