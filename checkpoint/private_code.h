/* SPDX-License-Identifier: GPL-2.0 */
/*
 * private_code.h - a place in a process where CRIU can begin.
 *
 * CRIU makes a stopped process run what it needs by writing a system call, with
 * ptrace(2), into the first executable mapping (criu: get_exec_start()). Of a private
 * one the kernel makes a copy for that; into one that is shared, and that the process
 * itself may not write, nothing is written (EIO), and the dump fails. PHP's opcache (8.4,
 * with its default opcache.jit_buffer_size) keeps such a one below the program's own code.
 */
#ifndef REBOOTLESS_PRIVATE_CODE_H
#define REBOOTLESS_PRIVATE_CODE_H

#include <sys/types.h>

/*
 * Of a process all of whose threads the caller has stopped with ptrace(2): if its first
 * executable mapping is such a one, have the process map one private page, executable,
 * below it. The page stays; all else is as it was. 0, also when there was nothing to do,
 * or -errno (-EOPNOTSUPP: not of a 32-bit process).
 */
int private_code_make(pid_t pid);

#endif
