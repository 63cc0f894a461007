// SPDX-License-Identifier: GPL-2.0
/*
 * check_files.c - open files. The rules are those by which CRIU 4.2 sorts a
 * descriptor: sockets, character devices, anonymous inodes, pidfds, regular
 * files and directories, fifos; everything else it refuses.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "checkpoint/check_internal.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/file.h"
#include "common/outside_files.h"
#include "common/processes.h"

#define MAGIC_PIPEFS 0x50495045
#define MAGIC_PIDFS 0x50494446
#define MAGIC_SECRETMEM 0x5345434d
#define MAGIC_DMABUF 0x444d4142

struct open_file {
	pid_t pid;
	int fd;
	char link[PATH_MAX];	/* what /proc/PID/fd/FD points at */
	char info[4096];	/* /proc/PID/fdinfo/FD, its beginning */
	struct stat st;
};

/* Devices of the same number are alike for one container: told once per process and kind. */
struct told {
	const char *kind[16];
	size_t nr;
};

static bool tell(struct told *told, const char *kind)
{
	size_t i;

	for (i = 0; i < told->nr; i++)
		if (!strcmp(told->kind[i], kind))
			return false;
	if (told->nr < sizeof(told->kind) / sizeof(told->kind[0]))
		told->kind[told->nr++] = kind;
	return true;
}

/* The same for a file, once in the whole container. */
static bool tell_inode(struct check *k, const struct stat *st)
{
	struct checked_inode *list;
	size_t i;

	for (i = 0; i < k->nr_told; i++)
		if (k->told[i].dev == st->st_dev && k->told[i].ino == st->st_ino)
			return false;
	list = check_room(k, k->told, k->nr_told, sizeof(*list));
	if (!list)
		return false;
	k->told = list;
	k->told[k->nr_told++] = (struct checked_inode){ st->st_dev, st->st_ino };
	return true;
}

/* The number behind "KEY:" in fdinfo; false when there is none. */
static bool info_number(const struct open_file *file, const char *key, int base, long *value)
{
	const char *at = file->info;
	size_t length = strlen(key);
	char *end;

	for (; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		if (strncmp(at, key, length) || at[length] != ':')
			continue;
		*value = strtol(at + length + 1, &end, base);
		return end != at + length + 1;
	}
	return false;
}

static bool has_flag(const struct open_file *file, long flag)
{
	long flags;

	return info_number(file, "flags", 8, &flags) && (flags & flag);
}

/* ---- anonymous inodes -------------------------------------------------------- */

static const char *const carried_anon[] = {
	"[eventfd]", "[eventpoll]", "inotify", "[fanotify]", "[signalfd]", "[timerfd]",
};

static const struct {
	const char *link, *what, *advice;
} refused_anon[] = {
	{ "[io_uring]", "an io_uring",
	  "forbid it (sysctl kernel.io_uring_disabled=2, or a seccomp profile such as podman's) and start the program again, which then does without; MariaDB can by itself (innodb-use-native-aio=OFF)" },
	{ "[userfaultfd]", "a userfaultfd", "end what handles its page faults" },
	{ "[perf_event]", "a perf event", "end the profiler" },
	{ "bpf-prog", "a BPF program", "unload it before the update" },
	{ "bpf_link", "a BPF link", "unload it before the update" },
	{ "[bpf_link]", "a BPF link", "unload it before the update" },
	{ "btf", "BPF type information", "unload it before the update" },
	{ "[fscontext]", "a filesystem that is being mounted", "let it finish" },
	{ "kvm-vm", "a virtual machine of KVM", "shut it down before the update" },
	{ "kvm-vcpu", "a virtual machine of KVM", "shut it down before the update" },
};

static void check_bpf_map(struct check *k, const struct open_file *file)
{
	long type;

	if (info_number(file, "map_type", 10, &type) && (type == 1 || type == 2))
		WARN(k, file->pid, "descriptor %d is a BPF map: only a CRIU built with libbpf carries it",
		     file->fd);
	else
		REFUSE(k, file->pid, "descriptor %d is a BPF map of a type that CRIU cannot carry (hash and array alone): unload it before the update",
		       file->fd);
}

static void check_pidfd(struct check *k, const struct open_file *file)
{
	long pid;

	if (has_flag(file, O_EXCL))
		REFUSE(k, file->pid, "descriptor %d is a pidfd of a thread, which CRIU cannot carry",
		       file->fd);
	/* it may have been started after they were listed, or have ended; CRIU sees the frozen ones */
	else if (info_number(file, "Pid", 10, &pid) && pid != -1 && !check_has_pid(k, (pid_t)pid) &&
		 !process_is_descendant((pid_t)pid, k->c->pid))
		REFUSE(k, file->pid, "descriptor %d is a pidfd of process %ld, which is not in the container: let it be closed",
		       file->fd, pid);
}

static void check_anon(struct check *k, const struct open_file *file, struct told *told)
{
	const char *type = file->link + strlen("anon_inode:");
	size_t i;

	for (i = 0; i < sizeof(carried_anon) / sizeof(carried_anon[0]); i++)
		if (!strcmp(type, carried_anon[i]))
			return;
	if (!strcmp(type, "[pidfd]")) {
		check_pidfd(k, file);
		return;
	}
	if (!strcmp(type, "bpf-map")) {
		check_bpf_map(k, file);
		return;
	}
	for (i = 0; i < sizeof(refused_anon) / sizeof(refused_anon[0]); i++) {
		if (strcmp(type, refused_anon[i].link))
			continue;
		if (tell(told, refused_anon[i].link))
			REFUSE(k, file->pid, "descriptor %d is %s, which CRIU cannot carry: %s", file->fd,
			       refused_anon[i].what, refused_anon[i].advice);
		return;
	}
	REFUSE(k, file->pid, "descriptor %d is a kernel object %s, which CRIU cannot carry: let it be closed before the update",
	       file->fd, type);
}

/* ---- devices ------------------------------------------------------------------- */

/* Is the other end of pty N a descriptor of the container? */
static bool has_pty_master(const struct check *k, long number)
{
	struct open_file file = { .info = "" };
	struct dirent *entry;
	char path[64];
	size_t i;
	long n;

	for (i = 0; i < k->nr_pids; i++) {
		_cleanup_closedir_ DIR *dir = NULL;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)k->pid[i]);
		dir = opendir(path);
		while (dir && (entry = readdir(dir))) {
			snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.20s", (int)k->pid[i],
				 entry->d_name);
			if (entry->d_name[0] != '.' && file_read(path, file.info, sizeof(file.info)) > 0 &&
			    info_number(&file, "tty-index", 10, &n) && n == number)
				return true;
		}
	}
	return false;
}

/* What CRIU has a driver for, by number; serial lines of the mainboard are not among it. */
static bool is_carried_device(dev_t dev)
{
	unsigned int ma = major(dev), mi = minor(dev);

	switch (ma) {
	case 1: return true;				/* mem, null, zero, random, kmsg ... */
	case 4: return mi >= 1 && mi <= 63;		/* virtual consoles */
	case 5: return mi == 1 || mi == 2;		/* console, ptmx; /dev/tty: see below */
	case 10: return mi == 200 || mi == 235;		/* net/tun, autofs */
	case 188: case 204: return true;		/* serial over USB, and others */
	default: return ma >= 128 && ma <= 136;		/* ptys */
	}
}

/* By its name, if its runtime's CRIU can be told of it. Where it lies is filesystems.h's matter. */
static bool is_carried_outside(struct check *k, const struct open_file *file, long mount)
{
	int err;

	if (!k->noted || !k->c->engine || !k->c->engine->carries_outside_files || !S_ISREG(file->st.st_mode) ||
	    !file->st.st_nlink || file->link[0] != '/')
		return false;
	err = outside_files_add(k->noted, mount, file->st.st_ino, file->link);
	k->out_of_memory |= err == -ENOMEM;
	return !err;
}

/*
 * CRIU finds a file again by its mount, in the container: one that came from
 * outside (standard output into a file of the host's) it dumps, and cannot
 * restore. Runtimes open /dev/null again themselves.
 */
static void check_mount_of(struct check *k, const struct open_file *file)
{
	bool runtime = k->c->engine && strcmp(k->c->engine->name, "tree");
	long mount;

	if (!k->nr_mounts || check_same_namespace(k->c->pid, 0, "mnt") ||
	    (S_ISCHR(file->st.st_mode) && file->fd <= 2 && runtime) ||
	    !info_number(file, "mnt_id", 10, &mount) || check_has_mount(k, (int)mount) ||
	    !tell_inode(k, &file->st) || is_carried_outside(k, file, mount))
		return;
	REFUSE(k, file->pid, "descriptor %d is %s of the host, in no mount of the container, where CRIU could not find it again: %s",
	       file->fd, file->link,
	       file->fd <= 2 ? "start the container with /dev/null or a pipe there" :
			       "let it be closed before the update");
}

static void check_chrdev(struct check *k, const struct open_file *file, struct told *told)
{
	unsigned int ma = major(file->st.st_rdev), mi = minor(file->st.st_rdev);

	/* CRIU wants the terminal's first descriptor to be of the same process: sshd's is not */
	if (ma == 5 && !mi) {
		if (tell(told, "tty"))
			REFUSE(k, file->pid, "descriptor %d is /dev/tty, by which an interactive shell controls its jobs, and CRIU cannot carry that: log out of it before the update",
			       file->fd);
		return;
	}
	if (!is_carried_device(file->st.st_rdev)) {
		REFUSE(k, file->pid, "descriptor %d is the device %s (%u:%u), whose state CRIU cannot carry: let it be closed before the update",
		       file->fd, file->link, ma, mi);
		return;
	}
	if (ma == 136 && !has_pty_master(k, mi) && tell(told, "pty"))
		REFUSE(k, file->pid, "descriptor %d is the terminal %s, whose other end is not in the container and dies with the old kernel: start it without a terminal",
		       file->fd, file->link);
	else if (ma == 1)
		check_mount_of(k, file);
}

/* ---- what has a name, or had one -------------------------------------------------- */

void check_ghost(struct check *k, pid_t pid, const char *path, const struct stat *st)
{
	uint64_t bytes = (uint64_t)st->st_blocks * 512;

	if (bytes <= k->ghost_limit || !tell_inode(k, st))
		return;
	REFUSE(k, pid, "the unlinked file %s takes %llu bytes, more than ghost-limit (%llu): raise the setting, or let it be closed",
	       path, (unsigned long long)bytes, (unsigned long long)k->ghost_limit);
}

static void check_regular(struct check *k, const struct open_file *file)
{
	/* memfds are carried whole; they never have a name */
	if (!strncmp(file->link, "/memfd:", 7))
		return;
	/* namespaces have links like net:[4026531840] */
	if (file->link[0] != '/' && !strchr(file->link, '['))
		REFUSE(k, file->pid, "descriptor %d is %s, which CRIU cannot carry", file->fd, file->link);
	if (file->link[0] == '/')
		check_mount_of(k, file);
	if (file->link[0] == '/' && file->st.st_nlink == 0)
		check_ghost(k, file->pid, file->link, &file->st);
}

static long filesystem_of(const struct open_file *file)
{
	struct statfs fs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)file->pid, file->fd);
	return statfs(path, &fs) < 0 ? 0 : fs.f_type;
}

static void check_fifo(struct check *k, const struct open_file *file)
{
	if (file->link[0] == '/')
		check_mount_of(k, file);
	else if (has_flag(file, O_DIRECT) && filesystem_of(file) == MAGIC_PIPEFS)
		REFUSE(k, file->pid, "descriptor %d is a pipe in packet mode (O_DIRECT), which CRIU cannot carry",
		       file->fd);
}

static void check_by_name(struct check *k, const struct open_file *file, struct told *told)
{
	long magic;

	if (!strncmp(file->link, "anon_inode:", 11)) {
		check_anon(k, file, told);
		return;
	}
	/* only what has no path of its own can be one of these; statfs() of a path may hang */
	magic = strstr(file->link, "(deleted)") || file->link[0] != '/' ||
		!strncmp(file->link, "/dmabuf:", 8) ? filesystem_of(file) : 0;
	switch (magic) {
	case MAGIC_PIDFS:
		check_pidfd(k, file);
		break;
	case MAGIC_SECRETMEM:
		REFUSE(k, file->pid, "descriptor %d is secret memory, which CRIU cannot carry", file->fd);
		break;
	case MAGIC_DMABUF:
		REFUSE(k, file->pid, "descriptor %d is a device's memory (dmabuf), which CRIU cannot carry",
		       file->fd);
		break;
	default:
		check_regular(k, file);
		break;
	}
}

static void check_file(struct check *k, const struct open_file *file, struct told *told)
{
	switch (file->st.st_mode & S_IFMT) {
	case S_IFSOCK:
		check_socket(k, file->pid, file->fd, file->st.st_ino);
		break;
	case S_IFCHR:
		check_chrdev(k, file, told);
		break;
	case S_IFIFO:
		check_fifo(k, file);
		break;
	case S_IFBLK:
		REFUSE(k, file->pid, "descriptor %d is the block device %s, which CRIU cannot carry: let it be closed before the update",
		       file->fd, file->link);
		break;
	default:
		check_by_name(k, file, told);
		break;
	}
}

/* Everything about one descriptor; false when it has been closed meanwhile. */
static bool look_at(int dir, const char *name, struct open_file *file)
{
	char path[64];
	ssize_t n = readlinkat(dir, name, file->link, sizeof(file->link) - 1);

	if (n < 0 || fstatat(dir, name, &file->st, 0) < 0)
		return false;
	file->link[n] = '\0';
	file->fd = atoi(name);
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)file->pid, file->fd);
	/* an epoll's may be long; what is looked for stands at the beginning */
	n = file_read(path, file->info, sizeof(file->info));
	if (n == -E2BIG)
		file->info[sizeof(file->info) - 1] = '\0';
	else if (n < 0)
		file->info[0] = '\0';
	return true;
}

void check_files(struct check *k, pid_t pid)
{
	struct open_file file = { .pid = pid };
	struct told told = { .nr = 0 };
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir) {
		if (errno != ENOENT && errno != ESRCH)
			REFUSE(k, pid, "its open files cannot be looked at: %s", strerror(errno));
		return;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && look_at(dirfd(dir), entry->d_name, &file))
			check_file(k, &file, &told);
}
