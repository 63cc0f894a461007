/* SPDX-License-Identifier: GPL-2.0 */
/*
 * overcommit.h - let a restore ask for as much memory as the old kernel had granted.
 *
 * By its default, vm.overcommit_memory=0, a kernel refuses one mapping that is larger
 * than all memory and swap (Documentation/mm/overcommit-accounting.rst). While the
 * images are there, their memory is reserved and is counted as none, and in an initramfs
 * there is no swap yet: half of the machine in one process is too much then. Strict
 * accounting (2) has less still to give, and CRIU maps things twice for a moment.
 */
#ifndef REBOOTLESS_OVERCOMMIT_H
#define REBOOTLESS_OVERCOMMIT_H

/* Grant whatever is asked for. Returns what was set before; -errno (a warning). */
int overcommit_allow(void);
/* Set again what overcommit_allow() returned; its errors are fine. */
void overcommit_set(int mode);

#endif
