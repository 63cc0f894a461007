// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "common/cgroup.h"
#include "common/cgroup_mount.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/mount_table.h"

/* Flags of a mount that mean the same to statvfs(3) and to mount(2). */
#define SAME_FLAGS (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_NODIRATIME)

char *cgroup_options(void)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };
	const struct mount *m;

	if (mount_table_read("/proc/self/mountinfo", &t))
		return NULL;
	m = mount_table_by_path(&t, CGROUP_ROOT);
	if (m && !strcmp(m->type, "cgroup2"))
		return strdup(m->super);
	log_warning("no cgroups are mounted at " CGROUP_ROOT);
	return NULL;
}

void cgroup_set_options(const char *options)
{
	_cleanup_free_ char *now = options ? cgroup_options() : NULL;
	const char *words = options;
	struct statvfs st;

	if (!now || !strcmp(now, options))
		return;
	if (!strncmp(words, "rw,", 3))
		words += 3;
	if (statvfs(CGROUP_ROOT, &st) < 0 ||
	    mount(NULL, CGROUP_ROOT, NULL, MS_REMOUNT | (st.f_flag & SAME_FLAGS), words) < 0)
		log_warning("cannot set the options of " CGROUP_ROOT " again, %s: %s", words,
			    strerror(errno));
}
