/* SPDX-License-Identifier: GPL-2.0 */
/*
 * taken_up.h - before a dump: system calls that sleep and have been taken up again
 * already (sleeping_call.h).
 *
 * After SIGSTOP and SIGCONT, a freezer or a debugger they are restart_syscall(2), and
 * that ends with EINTR after a restore. SIGSTOP and SIGCONT is what systemd's PID 1 sends
 * to all processes when it leaves an initramfs: every `sleep 1d` that has come through
 * one update would end in the next. In what such a thread sleeps is on its kernel stack
 * (proc(5): /proc/PID/stack), as long as it does; so it is looked up while the container
 * still runs, and each such thread is stopped for a moment and makes that call once more.
 */
#ifndef REBOOTLESS_TAKEN_UP_H
#define REBOOTLESS_TAKEN_UP_H

#include "common/manifest.h"

/* Where that is not possible, the call ends with EINTR after the restore, no worse. */
void taken_up_make_again(const struct containers *list);

#endif
