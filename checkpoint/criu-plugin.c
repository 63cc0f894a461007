// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of CRIU, for what it does not do by itself: it gets a place to begin where it
 * would find none (private_code.h), and system calls that sleep go on, whatever becomes
 * of the dump.
 *
 * To stop a thread is to interrupt its system call. Most calls are simply made once
 * more, and CRIU sees to that. But those of sleeping_call.h it lets end with EINTR, in
 * the restored thread and in one that it has only let go (compel:
 * compel_get_task_regs()). Programs that handle no signals do not expect it: `sleep 1h`
 * ends, and a container that runs nothing else.
 *
 * CRIU calls this when it has stopped all threads of a process and has read none of
 * their registers yet. Those are set so that such a thread makes its call once more.
 *
 * A call that had been taken up before, and that taken_up.h has not found, ends with
 * EINTR after a restore. If the dump is given up it goes on, but for a process's first
 * thread, in which CRIU has worked by then.
 *
 * The interface is that of CRIU 4.0 and later (criu: include/criu-plugin.h).
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "checkpoint/private_code.h"
#include "checkpoint/sleeping_call.h"
#include "common/cleanup.h"

/* All threads of the process are stopped. Whatever cannot be done leaves CRIU its way. */
static int stopped(int pid)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			sleeping_call_once_more(pid, atoi(entry->d_name), CALL_AS_IT_IS);
	private_code_make(pid);
	return -ENOTSUP;	/* so that other plugins are asked as well */
}

/* ---- what CRIU looks for ----------------------------------------------------------------- */

#define PLUGIN_VERSION (0 << 16 | 2 << 8 | 0)

enum { HOOK_CHECKPOINT_DEVICES = 11, NR_HOOKS };

struct plugin {
	const char *name;
	int (*init)(int stage);
	void (*exit)(int stage, int ret);
	unsigned int version, nr_hooks;
	void *hooks[NR_HOOKS];
};

static int init(int stage)
{
	(void)stage;
	return 0;
}

static void leave(int stage, int ret)
{
	(void)stage;
	(void)ret;
}

extern __attribute__((visibility("default"))) struct plugin CR_PLUGIN_DESC;
struct plugin CR_PLUGIN_DESC = {
	.name = "rebootless",
	.init = init,
	.exit = leave,
	.version = PLUGIN_VERSION,
	.nr_hooks = NR_HOOKS,
	.hooks = { [HOOK_CHECKPOINT_DEVICES] = (void *)stopped },
};
