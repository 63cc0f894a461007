// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "common/cgroup.h"
#include "common/cgroup_values.h"
#include "memory_limits.h"

void memory_limits_lift(const struct containers *list)
{
	char swap[CGROUP_VALUE_MAX];
	const struct container *c;

	cgroup_allow_memory(CGROUP_UNLIMITED);
	for (c = list->container; c < list->container + list->nr; c++)
		if (c->state == CONTAINER_RUNNING && c->cgroup &&
		    cgroup_read_value(c->cgroup, "memory.swap.current", swap) > 0 &&
		    strcmp(swap, "0"))
			cgroup_apply(c->cgroups);
	cgroup_allow_memory(0);
}

void memory_limits_set(const struct containers *list, unsigned long long more)
{
	char now[CGROUP_VALUE_MAX];
	const struct container *c;

	cgroup_allow_memory(more);
	for (c = list->container; c < list->container + list->nr; c++)
		if (c->cgroups && cgroup_read_value(c->cgroup, "memory.max", now) > 0)
			cgroup_apply(c->cgroups);
}
