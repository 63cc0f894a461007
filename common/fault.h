/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fault.h - named points at which a step can be made to fail, for tests.
 *
 * Off unless the environment variable REBOOTLESS_FAULT or the setting `fault`
 * names one. A name may be followed by ":ARG", which fault_hit() compares with
 * its argument (a container's name, say); without it the point fails for all.
 * Every point must stand in test/fault/table with the outcome that it must have.
 */
#ifndef REBOOTLESS_FAULT_H
#define REBOOTLESS_FAULT_H

#include <stdbool.h>

enum fault {
	/* old kernel */
	FAULT_LOAD_MODULE,	/* pramfs cannot be loaded */
	FAULT_CLAIM,		/* the arena cannot be claimed */
	FAULT_LOAD_KERNEL,	/* kexec_load is refused */
	FAULT_MOUNT_STORE,	/* PramFS cannot be mounted */
	FAULT_STOP_SERVICES,
	FAULT_DUMP,		/* the engine's command cannot be started */
	FAULT_DUMP_EXIT,	/* it ends without having been held */
	FAULT_DUMP_HANG,	/* it never comes to the hold */
	FAULT_DUMP_STUCK,	/* it gets there, but is never seen to, and is killed */
	FAULT_IN_VDSO,		/* a thread stands in the vDSO, each time it is frozen */
	FAULT_HELD,		/* failure right after all are held */
	FAULT_MANIFEST,		/* the manifest cannot be written */
	FAULT_FREEZE_DISKS,	/* a filesystem cannot be frozen */
	FAULT_SEAL,
	FAULT_KILLED,		/* killed while all is sealed and the disks are frozen */
	FAULT_JUMP,		/* reboot(2) comes back */
	/* new kernel */
	FAULT_MOUNT_ROOT,	/* a filesystem is not found again */
	FAULT_ENTER_ROOT,	/* the root for the engines cannot be made */
	FAULT_EARLY,		/* what is restored before dracut has mounted root fails */
	FAULT_RESTORE,		/* the engine's command cannot be started */
	FAULT_RESTORE_FAIL,	/* it fails */
	FAULT_RESTORE_HANG,	/* it never ends */
	FAULT_ROLLBACK,		/* the way back cannot be taken */
	FAULT_SETTLE,		/* the work in the real root fails */
	FAULT_COMMIT,
	NR_FAULTS
};

/*
 * Choose the point, "" or NULL for none; kept until changed. -EINVAL when no
 * point has that name (logged, with the list of names).
 */
int fault_set(const char *spec);
/* Is there a point of that name (":ARG" or not)? Sets and logs nothing. */
bool fault_known(const char *spec);
/* What was chosen, for the manifest; NULL = none. */
const char *fault_get(void);
/* Is this the point that was chosen? Says so in the log, once, if it is. */
bool fault_hit(enum fault fault, const char *arg);
const char *fault_name(enum fault fault);

#endif
