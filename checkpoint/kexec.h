/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kexec.h - the system calls: kexec_load(2) and the jump.
 */
#ifndef REBOOTLESS_KEXEC_H
#define REBOOTLESS_KEXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kexec_part {
	const void *data;
	size_t bytes;
	uint64_t addr;		/* physical, whole pages */
	uint64_t memory;	/* whole pages, at least bytes; the rest is zeroed */
};

/*
 * Refuse, without changing anything, when this system does not let a kernel be
 * loaded: not root, locked down, switched off by sysctl, not built in. Logged.
 */
int kexec_check_allowed(void);

/* Is any kernel loaded, by whomever? 1, 0 or -errno (logged). */
int kexec_is_loaded(void);

/* Load: entry is a physical address. The kernel copies everything. Logged. */
int kexec_load_parts(uint64_t entry, const struct kexec_part *part, unsigned int nr);

/* Unload whatever is loaded; fine when nothing is. Logged. */
int kexec_unload(void);

/* Jump. Only comes back when it failed: -errno, logged. */
int kexec_jump(void);

#endif
