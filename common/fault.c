// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fault.h"
#include "common/log.h"

/* The table of outcomes is test/fault/table; a test holds the two together. */
static const char *const names[NR_FAULTS] = {
	[FAULT_LOAD_MODULE] = "load-module",
	[FAULT_CLAIM] = "claim",
	[FAULT_LOAD_KERNEL] = "load-kernel",
	[FAULT_MOUNT_STORE] = "mount-store",
	[FAULT_STOP_SERVICES] = "stop-services",
	[FAULT_DUMP] = "dump",
	[FAULT_DUMP_EXIT] = "dump-exit",
	[FAULT_DUMP_HANG] = "dump-hang",
	[FAULT_DUMP_STUCK] = "dump-stuck",
	[FAULT_IN_VDSO] = "in-vdso",
	[FAULT_HELD] = "held",
	[FAULT_MANIFEST] = "manifest",
	[FAULT_FREEZE_DISKS] = "freeze-disks",
	[FAULT_SEAL] = "seal",
	[FAULT_KILLED] = "killed",
	[FAULT_JUMP] = "jump",
	[FAULT_MOUNT_ROOT] = "mount-root",
	[FAULT_ENTER_ROOT] = "enter-root",
	[FAULT_EARLY] = "early",
	[FAULT_RESTORE] = "restore",
	[FAULT_RESTORE_FAIL] = "restore-fail",
	[FAULT_RESTORE_HANG] = "restore-hang",
	[FAULT_ROLLBACK] = "rollback",
	[FAULT_SETTLE] = "settle",
	[FAULT_COMMIT] = "commit",
};

static char *chosen;			/* as it was given: NAME or NAME:ARG; NULL = none */
static enum fault point = NR_FAULTS;	/* of chosen */
static const char *only;		/* ARG within chosen, or NULL */
static bool told;

const char *fault_name(enum fault fault)
{
	return (unsigned int)fault < NR_FAULTS ? names[fault] : NULL;
}

/* The point that a specification names; NR_FAULTS when there is none. */
static enum fault find(const char *spec)
{
	size_t length = strcspn(spec, ":");
	int i;

	for (i = 0; i < NR_FAULTS; i++)
		if (strlen(names[i]) == length && !strncmp(names[i], spec, length))
			return i;
	return NR_FAULTS;
}

bool fault_known(const char *spec)
{
	return find(spec) != NR_FAULTS;
}

static int refuse(const char *spec)
{
	char list[NR_FAULTS * 16] = "";
	size_t used = 0;
	int i;

	for (i = 0; i < NR_FAULTS; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, " %s", names[i]);
	return log_refusal(-EINVAL, "there is no fault point \"%s\"; there are:%s", spec, list);
}

int fault_set(const char *spec)
{
	_cleanup_free_ char *copy = NULL;

	if (spec && *spec) {
		if (!fault_known(spec))
			return refuse(spec);
		copy = strdup(spec);
		if (!copy)
			return log_syserr(ENOMEM, "cannot set the fault point %s", spec);
	}
	free(chosen);
	chosen = steal_ptr(copy);
	point = chosen ? find(chosen) : NR_FAULTS;
	only = chosen ? strchr(chosen, ':') : NULL;
	if (only)
		only++;
	told = false;
	return 0;
}

const char *fault_get(void)
{
	return chosen;
}

bool fault_hit(enum fault fault, const char *arg)
{
	if (!chosen || fault != point)
		return false;
	if (only && (!arg || strcmp(only, arg)))
		return false;
	if (!told)
		log_warning("the fault point %s makes this fail, as it was asked to", chosen);
	told = true;
	return true;
}
