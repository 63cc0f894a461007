// SPDX-License-Identifier: GPL-2.0
/*
 * room.c - whether a memory cgroup can bear more pages that cannot be reclaimed.
 *
 * A page that a file holds, adopted or given, stays charged to its cgroup and
 * cannot go to swap. A cgroup full of such pages has nothing to reclaim when it
 * comes to its limit, and somebody is killed. So a quarter of each limit is left to
 * pages that can go; what does not fit is copied, as without adopt= and give=.
 */
#include <linux/memcontrol.h>

#include "internal.h"

#ifdef CONFIG_MEMCG
static bool has_room(struct mem_cgroup *memcg, unsigned long pages)
{
	for (; memcg; memcg = parent_mem_cgroup(memcg)) {
		unsigned long max = READ_ONCE(memcg->memory.max);

		if (max < PAGE_COUNTER_MAX &&
		    page_counter_read(&memcg->memory) + pages > max - max / 4)
			return false;
	}
	return true;
}

bool pramfs_reader_has_room(unsigned long pages)
{
	bool has;

	rcu_read_lock();
	has = has_room(mem_cgroup_from_task(current), pages);
	rcu_read_unlock();
	return has;
}

/* What is charged already need not be reclaimed, unless more is to come out of swap. */
bool pramfs_owner_has_room(struct folio *folio)
{
	struct mem_cgroup *memcg;
	bool has;

	rcu_read_lock();
	memcg = folio_memcg(folio);
	has = !memcg || !page_counter_read(&memcg->swap) || has_room(memcg, 0);
	rcu_read_unlock();
	return has;
}
#else
bool pramfs_reader_has_room(unsigned long pages)
{
	return true;
}

bool pramfs_owner_has_room(struct folio *folio)
{
	return true;
}
#endif
