// SPDX-License-Identifier: GPL-2.0
#include <fnmatch.h>
#include <string.h>

#include "cgroup.h"
#include "cgroup_values.h"
#include "file.h"

/* Files that can be written and are no settings, or that another one stands for. */
static const char *const no_settings[] = {
	"cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze",
	"cgroup.subtree_control", "cgroup.type",	/* "controllers", "type" */
	"*.pressure",					/* a trigger, but cgroup.pressure below */
	"memory.reclaim", "*.peak",
	"cpu.weight.nice",				/* cpu.weight, rounded */
	NULL
};

bool cgroup_is_setting(const char *name)
{
	const char *const *pattern;

	if (!strcmp(name, "cgroup.pressure"))
		return true;
	for (pattern = no_settings; *pattern; pattern++)
		if (!fnmatch(*pattern, name, 0))
			return false;
	return true;
}

int cgroup_read_value(const char *path, const char *file, char *text)
{
	char full[CGROUP_PATH_MAX];
	int err = cgroup_file(path, file, full, sizeof(full));

	return err ? err : file_read_line(full, text, CGROUP_VALUE_MAX);
}

void cgroup_trim_state(const char *name, char *text)
{
	if (!strcmp(name, "cpuset.cpus.partition"))
		text[strcspn(text, " ")] = '\0';
}

bool cgroup_is_carried_xattr(const char *name)
{
	return (!strncmp(name, "user.", 5) || !strncmp(name, "trusted.", 8)) &&
	       strcmp(strchr(name, '.'), strchr(CGROUP_SURVIVE, '.')) != 0;
}
