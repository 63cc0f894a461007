// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/host_limits.h"
#include "common/log.h"
#include "common/strv.h"

#define PROC_SYS "/proc/sys/"
#define THP "/sys/kernel/mm/transparent_hugepage/"
#define HUGETLB "/sys/kernel/mm/hugepages/"
#define TMPFS_MAGIC 0x01021994

/*
 * Numbers, or several of them that are compared one by one. Those of the first lines are
 * raised by systemd or by administrators, and not in the initramfs: a process that had
 * more than the kernel's own limit allows would not be restored.
 */
static const char *const sysctls[] = {
	"kernel/pid_max", "fs/nr_open", "fs/aio-max-nr", "fs/mount-max", "fs/pipe-max-size",
	"fs/inotify/max_user_instances", "fs/fanotify/max_user_groups", "vm/max_map_count",
	"net/core/rmem_max", "net/core/wmem_max", "net/core/optmem_max",
	"net/ipv4/igmp_max_memberships", "net/ipv4/igmp_max_msf",
	"kernel/threads-max", "fs/file-max", "vm/min_free_kbytes",
	"net/ipv4/tcp_mem", "net/ipv4/udp_mem", "net/ipv4/tcp_rmem", "net/ipv4/tcp_wmem",
	"net/ipv4/tcp_max_orphans", "net/ipv4/tcp_max_tw_buckets", "net/ipv4/tcp_max_syn_backlog",
	"user/max_cgroup_namespaces", "user/max_ipc_namespaces", "user/max_mnt_namespaces",
	"user/max_net_namespaces", "user/max_pid_namespaces", "user/max_time_namespaces",
	"user/max_user_namespaces", "user/max_uts_namespaces",
	"fs/inotify/max_user_watches", "fs/epoll/max_user_watches", "fs/fanotify/max_user_marks",
	"vm/admin_reserve_kbytes", "vm/user_reserve_kbytes",
	"net/netfilter/nf_conntrack_buckets", "net/netfilter/nf_conntrack_max",
};

/*
 * As they were, since what runs goes by them until the real root has read its own: a
 * database that forks, say. In this order: each of the last two sets the other to 0.
 */
static const char *const settings[] = {
	"vm/overcommit_memory", "vm/overcommit_ratio", "vm/overcommit_kbytes",
};

/* Below 512 MiB a kernel turns huge pages off, and whether to make an effort for them. */
static const char *const thp[] = { "defrag", "use_zero_page", "khugepaged/defrag", "enabled" };

/* Mounted in the initramfs already, with a share of memory as their limit. */
static const char *const tmpfs_mounts[] = { "/run", "/dev/shm" };

/* Of PID 1, from which everybody inherits. */
static const struct {
	const char *name;
	int resource;
} rlimits[] = {
	{ "nproc", RLIMIT_NPROC },
	{ "sigpending", RLIMIT_SIGPENDING },
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static int read_sysctl(const char *name, char *value, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), PROC_SYS "%s", name);
	return file_read_line(path, value, size);
}

/* What each is now, by name; of those that this kernel has. */
static void note_values(struct json_object *o, const char *const *names, size_t nr,
			int (*read_one)(const char *name, char *value, size_t size))
{
	char value[128];
	size_t i;

	for (i = 0; i < nr; i++)
		if (read_one(names[i], value, sizeof(value)) > 0)
			json_object_object_add(o, names[i], json_object_new_string(value));
}

static uint64_t tmpfs_bytes(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
		return 0;
	return (uint64_t)fs.f_blocks * fs.f_bsize;
}

static void note_tmpfs(struct json_object *o)
{
	size_t i;

	for (i = 0; i < LENGTH(tmpfs_mounts); i++)
		if (tmpfs_bytes(tmpfs_mounts[i]))
			json_object_object_add(o, tmpfs_mounts[i],
					       json_object_new_int64((int64_t)tmpfs_bytes(tmpfs_mounts[i])));
}

/* "always [madvise] never" is madvise; a number is itself. */
static int read_thp(const char *name, char *value, size_t size)
{
	char path[128], line[128], *from, *to;
	int n;

	snprintf(path, sizeof(path), THP "%s", name);
	n = file_read_line(path, line, sizeof(line));
	if (n <= 0)
		return n;
	from = strchr(line, '[');
	to = from ? strchr(from, ']') : NULL;
	if (to)
		*to = '\0';
	return snprintf(value, size, "%s", to ? from + 1 : line);
}

static void note_rlimits(struct json_object *o)
{
	struct rlimit limit;
	size_t i;

	/* "no limit" does not depend on memory */
	for (i = 0; i < LENGTH(rlimits); i++)
		if (!prlimit(1, rlimits[i].resource, NULL, &limit) && limit.rlim_max != RLIM_INFINITY)
			json_object_object_add(o, rlimits[i].name,
					       json_object_new_int64((int64_t)limit.rlim_max));
}

static int read_hugetlb(const char *name, char *value, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), HUGETLB "%s", name);
	return file_read_line(path, value, size);
}

/* The pool of each size, and how far it may grow. */
static void note_hugetlb(struct json_object *o)
{
	_cleanup_closedir_ DIR *dir = opendir(HUGETLB);
	struct dirent *entry;
	char names[2][64];

	while (dir && (entry = readdir(dir))) {
		const char *const both[] = { names[0], names[1] };

		if (entry->d_name[0] == '.' || strlen(entry->d_name) > 32)
			continue;
		snprintf(names[0], sizeof(names[0]), "%.32s/nr_hugepages", entry->d_name);
		snprintf(names[1], sizeof(names[1]), "%.32s/nr_overcommit_hugepages", entry->d_name);
		note_values(o, both, LENGTH(both), read_hugetlb);
	}
}

struct json_object *host_limits_note(void)
{
	struct json_object *o = json_object_new_object();
	struct json_object *sysctl = json_object_new_object();
	struct json_object *tmpfs = json_object_new_object();
	struct json_object *rlimit = json_object_new_object();
	struct json_object *huge = json_object_new_object();
	struct json_object *hugetlb = json_object_new_object();

	if (!o || !sysctl || !tmpfs || !rlimit || !huge || !hugetlb) {
		log_syserr(ENOMEM, "cannot note the host's limits");
		return NULL;
	}
	note_values(sysctl, sysctls, LENGTH(sysctls), read_sysctl);
	note_values(sysctl, settings, LENGTH(settings), read_sysctl);
	note_tmpfs(tmpfs);
	note_rlimits(rlimit);
	note_values(huge, thp, LENGTH(thp), read_thp);
	note_hugetlb(hugetlb);
	json_object_object_add(o, "sysctl", sysctl);
	json_object_object_add(o, "tmpfs", tmpfs);
	json_object_object_add(o, "rlimit", rlimit);
	json_object_object_add(o, "thp", huge);
	json_object_object_add(o, "hugetlb", hugetlb);
	return o;
}

/* Is a number of `then` greater than its like of `now`? */
static bool is_lower(const char *now, const char *then)
{
	unsigned long long a, b;
	int used_a, used_b;

	while (sscanf(now, "%llu%n", &a, &used_a) == 1 && sscanf(then, "%llu%n", &b, &used_b) == 1) {
		if (a < b)
			return true;
		now += used_a;
		then += used_b;
	}
	return false;
}

static bool is_one_of(const char *name, const char *const *names, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void set_again(const char *path, const char *then, const char *now)
{
	int err = file_put(path, then);

	if (err)
		log_warning("cannot set %s to %s again: %s", path, then, strerror(-err));
	else if (strcmp(then, now))
		log_detail("%s: %s, as in the old kernel, instead of %s", path, then, now);
}

static void apply_sysctl(const char *name, struct json_object *noted)
{
	char now[128], path[128];
	const char *then = json_object_get_string(noted);

	if (!then || read_sysctl(name, now, sizeof(now)) <= 0 ||
	    !(is_one_of(name, settings, LENGTH(settings)) ? strcmp(now, then) :
	      is_one_of(name, sysctls, LENGTH(sysctls)) && is_lower(now, then)))
		return;
	snprintf(path, sizeof(path), PROC_SYS "%s", name);
	set_again(path, then, now);
}

/* Did whoever wrote the command line decide? The kernel forgets that together with the rest. */
static bool is_decided(char *word, size_t size)
{
	static const char key[] = "transparent_hugepage=";
	_cleanup_strv_ char **words = NULL;
	char cmdline[4096];
	bool found = false;
	size_t i;

	if (file_read("/proc/cmdline", cmdline, sizeof(cmdline)) < 0 || strv_split(cmdline, &words))
		return false;
	for (i = 0; words && words[i]; i++)
		if (!strncmp(words[i], key, strlen(key))) {
			snprintf(word, size, "%s", words[i] + strlen(key));
			found = true;
		}
	return found;
}

static void apply_thp(const char *name, struct json_object *noted)
{
	char now[32], decided[32], path[128];
	const char *then = json_object_get_string(noted);

	if (!is_one_of(name, thp, LENGTH(thp)) || !then || read_thp(name, now, sizeof(now)) <= 0 ||
	    (strcmp(now, "never") && strcmp(now, "0")))
		return;
	if (!strcmp(name, "enabled") && is_decided(decided, sizeof(decided)))
		then = decided;
	if (!strcmp(now, then))
		return;
	snprintf(path, sizeof(path), THP "%s", name);
	set_again(path, then, now);
}

/* hugepages-2048kB/nr_hugepages: of a pool the kernel may find a part only. */
static void apply_hugetlb(const char *name, struct json_object *noted)
{
	static const char prefix[] = "hugepages-";
	char now[32], path[128];
	const char *then = json_object_get_string(noted);

	if (strncmp(name, prefix, strlen(prefix)) || strstr(name, "..") || !then ||
	    read_hugetlb(name, now, sizeof(now)) <= 0 || !is_lower(now, then))
		return;
	snprintf(path, sizeof(path), HUGETLB "%s", name);
	set_again(path, then, now);
	if (read_hugetlb(name, now, sizeof(now)) > 0 && is_lower(now, then))
		log_warning("%s is %s and not %s, as it was: there is not so much memory in such pieces",
			    path, now, then);
}

/* A remount keeps what it does not name, but for the flags. */
static void apply_tmpfs(const char *path, struct json_object *noted)
{
	int64_t bytes = json_object_get_int64(noted);
	struct statvfs fs;
	char option[48];

	if (bytes <= 0 || !tmpfs_bytes(path) || tmpfs_bytes(path) >= (uint64_t)bytes ||
	    statvfs(path, &fs) < 0)
		return;
	snprintf(option, sizeof(option), "size=%lld", (long long)bytes);
	if (mount(NULL, path, NULL,
		  MS_REMOUNT | (fs.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC)),
		  option) < 0)
		log_warning("cannot set the size of %s to %lld again: %s", path, (long long)bytes,
			    strerror(errno));
}

static void apply_rlimit(const char *name, struct json_object *noted)
{
	rlim_t then = (rlim_t)json_object_get_int64(noted);
	struct rlimit now;
	size_t i;

	for (i = 0; i < LENGTH(rlimits); i++) {
		if (strcmp(name, rlimits[i].name) || prlimit(1, rlimits[i].resource, NULL, &now) < 0 ||
		    now.rlim_max >= then)
			continue;
		now.rlim_cur = then;
		now.rlim_max = then;
		if (prlimit(1, rlimits[i].resource, &now, NULL) < 0)
			log_warning("cannot set the limit %s again: %s", name, strerror(errno));
	}
}

/* They are counted when this is written. */
void host_limits_count_reserves(void)
{
	char ratio[128];

	if (read_sysctl("vm/lowmem_reserve_ratio", ratio, sizeof(ratio)) > 0)
		set_again(PROC_SYS "vm/lowmem_reserve_ratio", ratio, ratio);
}

static void apply_each(struct json_object *noted, const char *group,
		       void (*apply)(const char *name, struct json_object *value))
{
	struct json_object *o;

	if (!json_object_object_get_ex(noted, group, &o) || !json_object_is_type(o, json_type_object))
		return;
	json_object_object_foreach(o, name, value)
		apply(name, value);
}

void host_limits_apply(struct json_object *noted)
{
	host_limits_count_reserves();
	apply_each(noted, "sysctl", apply_sysctl);
	apply_each(noted, "tmpfs", apply_tmpfs);
	apply_each(noted, "rlimit", apply_rlimit);
	apply_each(noted, "thp", apply_thp);
	apply_each(noted, "hugetlb", apply_hugetlb);
}
