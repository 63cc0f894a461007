// SPDX-License-Identifier: GPL-2.0
/* What a process has beside all that: directories, umask, limits, priority, names. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "survivor.h"

static pid_t child;
static char command[512], environment[512], program[512], started_in[512];

/* Everything that would be in the way of the parent is the child's. */
static void child_set_up(void)
{
	struct rlimit files = { 123, 456 }, core = { 0, RLIM_INFINITY }, stack = { 1 << 22, 1 << 23 };
	struct sched_param batch = { 0 };

	must(prctl(PR_SET_NAME, "an own name"));
	umask(0137);
	must(setrlimit(RLIMIT_NOFILE, &files));
	must(setrlimit(RLIMIT_CORE, &core));
	must(setrlimit(RLIMIT_STACK, &stack));
	must(put_text("/proc/self/oom_score_adj", "321") ? 0 : -1);
	must(sched_setscheduler(0, SCHED_BATCH, &batch));
	must(setpriority(PRIO_PROCESS, 0, 7));
	must(prctl(PR_SET_DUMPABLE, 0));
	must(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	/* A root of its own, and a working directory in it */
	must(chdir(own_path("root/work")));
	must(chroot(own_path("root")));
}

static void child_check(void)
{
	struct rlimit limit = { 0 };
	char name[16] = "", dir[512] = "";
	struct stat st;

	expect_call("PR_GET_NAME", prctl(PR_GET_NAME, name));
	expect_text("name", "an own name", name);
	expect_num("umask", 0137, umask(0137));
	expect_call("getrlimit", getrlimit(RLIMIT_NOFILE, &limit));
	expect_num("limit of files", 123, limit.rlim_cur);
	expect_num("hard limit of files", 456, limit.rlim_max);
	expect_call("getrlimit", getrlimit(RLIMIT_CORE, &limit));
	expect_num("limit of core dumps", 0, limit.rlim_cur);
	expect_num("hard limit of core dumps", -1, limit.rlim_max);
	expect_call("getrlimit", getrlimit(RLIMIT_STACK, &limit));
	expect_num("limit of the stack", 1 << 22, limit.rlim_cur);
	expect_num("scheduler", SCHED_BATCH, sched_getscheduler(0));
	expect_num("nice", 7, getpriority(PRIO_PROCESS, 0));
	expect_num("dumpable", 0, prctl(PR_GET_DUMPABLE));
	expect_num("THP", 1, prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	expect_num("parent death signal", 0, prctl(PR_GET_PDEATHSIG, &(int){ 0 }));
	expect_text("working directory", "/work", getcwd(dir, sizeof(dir)) ? dir : "");
	expect_call("a file of its root", stat("/here", &st));
}

static void set_up(void)
{
	mkdir(own_path("root"), 0755);
	mkdir(own_path("root/work"), 0755);
	must(put_text(own_path("root/here"), "here") ? 0 : -1);
	child = helper(child_set_up, child_check);
	snprintf(command, sizeof(command), "%.500s", file_text("/proc/self/cmdline"));
	snprintf(environment, sizeof(environment), "%.500s", file_text("/proc/self/environ"));
	must(readlink("/proc/self/exe", program, sizeof(program) - 1));
	must(getcwd(started_in, sizeof(started_in)) ? 0 : -1);
}

static void check(void)
{
	char path[64], link[512] = "";
	int signal = 0;

	helper_check(child);
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", child);
	expect_text("oom_score_adj", "321", file_text(path));
	expect_text("command line", command, file_text("/proc/self/cmdline"));
	expect_text("environment", environment, file_text("/proc/self/environ"));
	expect_call("/proc/self/exe", readlink("/proc/self/exe", link, sizeof(link) - 1));
	expect_text("program", program, link);
	expect_text("working directory", started_in, getcwd(link, sizeof(link)) ? link : "");
	expect_call("PR_GET_PDEATHSIG", prctl(PR_GET_PDEATHSIG, &signal));
	expect_num("parent death signal of one that has none", 0, signal);
}

static void spoil_umask(void)
{
	umask(022);
}

static void spoil_limit(void)
{
	struct rlimit files = { 100, 456 };

	setrlimit(RLIMIT_NOFILE, &files);
}

static void spoil_nice(void)
{
	setpriority(PRIO_PROCESS, 0, 8);
}

static void spoil_name(void)
{
	prctl(PR_SET_NAME, "survivor");
}

static void spoil_directory(void)
{
	chdir("/");
}

static void spoil_scheduler(void)
{
	sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){ 0 });
}

static void sabotage(int which)
{
	static void (*const spoil[])(void) = {
		spoil_umask, spoil_limit, spoil_nice, spoil_name, spoil_directory, spoil_scheduler,
	};
	char path[64];

	if (which <= 6) {
		helper_do(child, spoil[which - 1]);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", child);
	put_text(path, "322");
}

const struct survivor survivor_attributes = {
	.name = "attributes",
	.keeps = "cwd, root, umask, rlimits, nice, scheduler, oom_score_adj, names, command line",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 7,
};
