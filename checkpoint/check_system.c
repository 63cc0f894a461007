// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "checkpoint/check_internal.h"
#include "checkpoint/check_system.h"
#include "checkpoint/initrd_contents.h"
#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/run.h"

/* ---- the kernel that is to come --------------------------------------------------- */

static void check_module(const struct installed_kernel *to, const struct initrd_contents *c,
			 struct findings *findings)
{
	static const char again[] = "build it (dkms install pramfs/VERSION -k %s) and make the initramfs again (dracut -f --kver %s)";
	char advice[512];

	snprintf(advice, sizeof(advice), again, to->release, to->release);
	if (!c->module)
		findings_add(findings, NULL, 0, "%s has no pramfs.ko: %s", to->initrd, advice);
	else if (c->directory[0] && strcmp(c->directory, to->release))
		findings_add(findings, NULL, 0, "%s has pramfs.ko among the modules of kernel %s, expected %s: %s",
			     to->initrd, c->directory, to->release, advice);
	else if (!c->vermagic[0])
		findings_add(findings, NULL, 0, "pramfs.ko in %s does not say for which kernel it was built: %s",
			     to->initrd, advice);
	else if (strcmp(c->vermagic, to->release))
		findings_add(findings, NULL, 0, "pramfs.ko in %s was built for kernel %s, expected %s: %s",
			     to->initrd, c->vermagic, to->release, advice);
}

static void check_initrd(const struct installed_kernel *to, struct findings *findings)
{
	struct initrd_contents c;

	if (initrd_inspect(to->initrd, &c)) {
		findings_add(findings, NULL, 0, "the initramfs %s cannot be looked into, see above", to->initrd);
		return;
	}
	if (!c.hooks)
		findings_add(findings, NULL, 0, "%s was made without the dracut module rebootless, so that no container would come back: make it again with dracut -f --kver %s (make install brings the module)",
			     to->initrd, to->release);
	else if (!c.restore)
		findings_add(findings, NULL, 0, "%s has no rebootless-restore, so that no container would come back: make it again with dracut -f --kver %s",
			     to->initrd, to->release);
	else if (!c.nft)
		findings_warn(findings, NULL, 0, "%s has no nft, so that peers may be told that nobody is here while containers are restored: install nftables and make it again with dracut -f --kver %s",
			      to->initrd, to->release);
	check_module(to, &c, findings);
}

int check_target(const struct installed_kernel *to, const char *banner, struct findings *findings)
{
	size_t length = strcspn(banner, " ");

	if (length && (strlen(to->release) != length || strncmp(banner, to->release, length)))
		findings_add(findings, NULL, 0, "%s is kernel %.*s, but its modules and initramfs are those of %s: install that kernel's package again",
			     to->kernel, (int)length, banner, to->release);
	check_initrd(to, findings);
	return 0;
}

/* ---- CRIU ----------------------------------------------------------------------------- */

struct version {
	unsigned int major, minor;
};

/* The first "N.N" behind `key` ("" = at the start). */
static bool parse_version(const char *text, const char *key, struct version *v)
{
	const char *at = strstr(text, key);

	return at && sscanf(at + strlen(key), " %u.%u", &v->major, &v->minor) == 2;
}

static bool before(const struct version *v, unsigned int major, unsigned int minor)
{
	return v->major < major || (v->major == major && v->minor < minor);
}

static void check_criu_for(const struct version *criu, const char *release, struct findings *findings)
{
	struct version kernel;

	if (!parse_version(release, "", &kernel) || before(&kernel, 7, 1) || !before(criu, 4, 2))
		return;
	findings_add(findings, NULL, 0, "CRIU %u.%u can dump nothing on kernel %s (UDP-Lite is gone since 7.1, and it insists on it): install CRIU 4.2 or later",
		     criu->major, criu->minor, release);
}

/* `criu check ...`: 0 when it is content; what it says goes nowhere. */
static int ask_criu(const char *option, const char *value)
{
	static const struct run_options quiet = { .log = "/dev/null" };
	char *argv[] = { "criu", "check", (char *)option, (char *)value, NULL };

	return run(argv, &quiet, 60);
}

static void ask_features(struct findings *findings)
{
	int status = ask_criu(NULL, NULL);

	if (status)
		findings_add(findings, NULL, 0, "CRIU does not work on the running kernel: `criu check` says what is missing (its status is %d)",
			     status);
	status = ask_criu("--feature", "network_lock_nftables");
	if (status)
		findings_add(findings, NULL, 0, "CRIU cannot lock the network by nftables (`criu check --feature network_lock_nftables`): the kernel's module nf_tables, or a CRIU built with libnftables, is missing");
}

int check_criu(const struct installed_kernel *to, struct findings *findings)
{
	char *argv[] = { "criu", "--version", NULL };
	_cleanup_free_ char *output = NULL;
	struct utsname running;
	struct version criu;
	int status = run_read(argv, 60, &output);

	if (status || !output || !parse_version(output, "Version:", &criu)) {
		findings_add(findings, NULL, 0, "CRIU cannot be run (`criu --version`): install it, 4.2 or later");
		return 0;
	}
	uname(&running);
	/* from then on the configuration's scripts are run for every engine */
	if (before(&criu, 3, 19))
		findings_add(findings, NULL, 0, "CRIU is version %u.%u, expected at least 3.19, and 4.2 for kernels from 7.1 on",
			     criu.major, criu.minor);
	check_criu_for(&criu, running.release, findings);
	if (strcmp(running.release, to->release))
		check_criu_for(&criu, to->release, findings);
	ask_features(findings);
	return 0;
}

/* ---- memory ------------------------------------------------------------------------------ */

/* The number behind a line's key in a file of "key number" or "Key: number kB" lines; 0 = not there. */
static uint64_t field_of(const char *path, const char *key)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0, length = strlen(key);

	while (f && getline(&line, &size, f) > 0)
		if (!strncmp(line, key, length) && (line[length] == ' ' || line[length] == ':'))
			return strtoull(line + length + 1, NULL, 10);
	return 0;
}

static uint64_t add_kib(const char *path, const char *key)
{
	return field_of(path, key) << 10;
}

/* What is in no file: a cgroup knows it, with what lies in its tmpfs. */
static uint64_t memory_of_cgroup(const char *cgroup)
{
	char path[PATH_MAX];
	uint64_t bytes, swap = 0;

	snprintf(path, sizeof(path), "%s%s/memory.stat", CGROUP_ROOT, cgroup);
	bytes = field_of(path, "anon") + field_of(path, "shmem");
	snprintf(path, sizeof(path), "%s%s/memory.swap.current", CGROUP_ROOT, cgroup);
	file_read_u64(path, &swap);
	return bytes + swap;
}

/* The same from its processes: each page counts once, however many of them share it. */
static int memory_of_processes(const struct container *c, uint64_t *bytes)
{
	_cleanup_(check_free) struct check k = { .c = c };
	char path[64];
	size_t i;
	int err = check_find_processes(&k);

	for (i = 0; !err && i < k.nr_pids; i++) {
		snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)k.pid[i]);
		*bytes += add_kib(path, "Pss_Anon") + add_kib(path, "Pss_Shmem") + add_kib(path, "SwapPss");
	}
	return err;
}

static int memory_of(const struct container *c, uint64_t *bytes)
{
	*bytes = 0;
	if (c->cgroup && strcmp(c->cgroup, "/"))
		*bytes = memory_of_cgroup(c->cgroup);
	return *bytes ? 0 : memory_of_processes(c, bytes);
}

static unsigned long long mib(uint64_t bytes)
{
	return (bytes + (1 << 20) - 1) >> 20;
}

int check_memory(const struct containers *list, const struct demand *demand,
		 struct findings *findings)
{
	uint64_t arena = demand ? demand->low + demand->any : 0, need = 0, bytes, available;
	size_t i;
	int err;

	for (i = 0; i < list->nr; i++) {
		if (list->container[i].state != CONTAINER_RUNNING)
			continue;
		err = memory_of(&list->container[i], &bytes);
		if (err)
			return err;
		log_detail("container %s has %llu MiB of memory", list->container[i].name, mib(bytes));
		need += bytes;
	}
	/* CRIU's descriptions and PramFS's own, by experience */
	need += need / 32;
	available = add_kib("/proc/meminfo", "MemAvailable");
	log_detail("images need %llu MiB, the new kernel's arena %llu MiB, available are %llu MiB",
		   mib(need), mib(arena), mib(available));
	if (need + arena > available)
		findings_add(findings, NULL, 0, "too little memory: the containers' images need %llu MiB and the new kernel's arena %llu MiB, but %llu MiB are available; free %llu MiB, or leave a container out",
			     mib(need), mib(arena), mib(available), mib(need + arena - available));
	return 0;
}
