/* SPDX-License-Identifier: GPL-2.0 */
/*
 * store.h - the PramFS mount that an update lives in (see manifest.h).
 */
#ifndef REBOOTLESS_STORE_H
#define REBOOTLESS_STORE_H

#include <stdbool.h>

/* Load the pramfs module; fine when it is there. 0 or -errno (logged). */
int store_load_module(void);

/*
 * Mount the store, a new one or the one that came from the old kernel, at
 * STORE_DIR; fine when it is there, but for its options. zero_copy: pages are adopted,
 * which is right since dumps are held, and deleted before their containers go on, and
 * given. verify: sealed with a checksum of every page, which is tested when it is
 * read. 0 or -errno (logged).
 */
int store_mount(bool zero_copy, bool verify);
bool store_is_mounted(void);
/*
 * Mount it if it has come from the old kernel, as the initramfs does; fine when
 * it is mounted. -ENOENT, not logged: none has come.
 */
int store_take_over(void);
/* Remove a directory of the store with all that is in it; fine when it is not there. */
int store_remove(const char *dir);
/* What the files in it take, in bytes; 0 (logged) when that cannot be found out. */
unsigned long long store_bytes(void);
/* Take away all that is in it, or (unmount) the store itself. */
int store_clear(void);
int store_unmount(void);

/* Messages go to STORE/log as well from now on; -1: they cannot (logged). */
int store_log_open(void);
void store_log_close(int *fd);
#define _cleanup_store_log_ __attribute__((cleanup(store_log_close)))

#endif
