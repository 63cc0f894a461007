// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "common/runtime.h"

static const char *const runtimes[] = { "crun", "runc" };

#define NR_RUNTIMES (sizeof(runtimes) / sizeof(runtimes[0]))

static int make_link(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), RUNTIME_DIR "/%s", name);
	if (symlink(SBINDIR "/rebootless", path) < 0 && errno != EEXIST)
		return log_syserr(errno, "cannot make %s", path);
	return 0;
}

int runtime_prepare(void)
{
	char conf[512] = "# made by rebootless, for containers that came through a kernel update\n[engine.runtimes]\n";
	size_t i, used;
	int err = file_make_dirs(RUNTIME_DIR);

	for (i = 0; !err && i < NR_RUNTIMES; i++) {
		err = make_link(runtimes[i]);
		used = strlen(conf);
		snprintf(conf + used, sizeof(conf) - used, "%s = [\"" RUNTIME_DIR "/%s\"]\n",
			 runtimes[i], runtimes[i]);
	}
	return err ? err : file_write("/run/rebootless", strrchr(RUNTIME_CONF, '/') + 1, 0600, conf);
}
