// SPDX-License-Identifier: GPL-2.0
/*
 * fsops - what programs expect of a tmpfs-like filesystem, in small cases. tmpfs
 * is the reference: it passes everything.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fsops.h"
#include "report.h"

#define CASE_SECONDS	120
#define SKIPPED		77

const char *fsops_root;
static int reason_fd = -1;

static const struct fsops_case *const groups[] = {
	fsops_name_cases, fsops_data_cases, fsops_map_cases, fsops_meta_cases, fsops_node_cases,
	fsops_mount_cases,
};

static const struct fsops_case *const limit_groups[] = { fsops_limits_cases };

static void say_reason(const char *text)
{
	ssize_t n = write(reason_fd, text, strlen(text));

	(void)n;
}

void case_fail(int line, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n = snprintf(text, sizeof(text), "line %d: ", line);

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - n, fmt, ap);
	va_end(ap);
	say_reason(text);
	_exit(1);
}

void case_skip(const char *reason)
{
	say_reason(reason);
	_exit(SKIPPED);
}

unsigned char pattern(size_t pos)
{
	return (pos * 7 + (pos >> 8) * 31 + (pos >> 16) * 13 + 1) | 1;
}

void fill_pattern(unsigned char *buf, size_t pos, size_t len)
{
	while (len--)
		*buf++ = pattern(pos++);
}

int make_file(const char *name, size_t len)
{
	unsigned char *buf = malloc(len + 1);
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	OK(fd >= 0);
	OK(buf);
	fill_pattern(buf, 0, len);
	if (len)
		EQ(pwrite(fd, buf, len, 0), len);
	free(buf);
	return fd;
}

void write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	OK(fd >= 0);
	EQ(write(fd, text, strlen(text)), strlen(text));
	OK(!close(fd));
}

void expect_text(const char *name, const char *text)
{
	char buf[256] = "";
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	OK(fd >= 0);
	EQ(read(fd, buf, sizeof(buf) - 1), strlen(text));
	OK(!strcmp(buf, text));
	close(fd);
}

void expect_pattern(int fd, size_t pos, size_t len)
{
	unsigned char *buf = malloc(len + 1);

	OK(buf);
	EQ(pread(fd, buf, len, pos), len);
	for (size_t i = 0; i < len; i++)
		if (buf[i] != pattern(pos + i))
			case_fail(__LINE__, "byte %zu is %u, not %u", pos + i, buf[i], pattern(pos + i));
	free(buf);
}

void expect_zero(int fd, size_t pos, size_t len)
{
	unsigned char *buf = malloc(len + 1);

	OK(buf);
	EQ(pread(fd, buf, len, pos), len);
	for (size_t i = 0; i < len; i++)
		if (buf[i])
			case_fail(__LINE__, "byte %zu is %u, not 0", pos + i, buf[i]);
	free(buf);
}

bool exists(const char *name)
{
	struct stat st;

	return !lstat(name, &st);
}

struct stat stat_of(const char *name)
{
	struct stat st;

	OK(!lstat(name, &st));
	return st;
}

ino_t inode_of(const char *name)
{
	return stat_of(name).st_ino;
}

nlink_t nlink_of(const char *name)
{
	return stat_of(name).st_nlink;
}

void as_user(unsigned int id, void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	OK(pid >= 0);
	if (!pid) {
		OK(!setgroups(0, NULL));
		OK(!setresgid(id, id, id));
		OK(!setresuid(id, id, id));
		fn();
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));	/* it has said the reason */
	EQ(status, 0);
}

/* By one that is sent: of a fault the kernel's log would speak, which is to be clean. */
static void end_by(int sig)
{
	signal(sig, SIG_DFL);
	raise(sig);
}

int signal_of(void (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid = fork();

	OK(pid >= 0);
	if (!pid) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, end_by);
		fn(arg);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void enter_case(const char *dir)
{
	umask(0);
	setpgid(0, 0);
	alarm(CASE_SECONDS);
	signal(SIGPIPE, SIG_IGN);
	if (mkdir(dir, 0777) || chdir(dir))
		case_fail(__LINE__, "cannot make %s: %s", dir, strerror(errno));
}

static void judge(const char *name, int status, const char *reason)
{
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		pass("%s", name);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip(name, "%s", reason);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		fail(name, "not done after %d seconds", CASE_SECONDS);
	else if (WIFSIGNALED(status))
		fail(name, "signal %d %s", WTERMSIG(status), reason);
	else
		fail(name, "%s", *reason ? reason : "no reason given");
}

static void run_case(const struct fsops_case *c)
{
	char dir[4096], reason[1100] = "";
	int status, report[2];
	ssize_t len;
	pid_t pid;

	snprintf(dir, sizeof(dir), "%s/fsops.%s", fsops_root, c->name);
	if (pipe2(report, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		reason_fd = report[1];
		enter_case(dir);
		c->run();
		_exit(0);
	}
	close(report[1]);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	kill(-pid, SIGKILL);
	fcntl(report[0], F_SETFL, O_NONBLOCK);
	len = read(report[0], reason, sizeof(reason) - 1);
	reason[len > 0 ? len : 0] = 0;
	close(report[0]);
	judge(c->name, status, reason);
	nftw(dir, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
}

static int usage(void)
{
	fputs("usage: fsops DIR [--limits] [CASE...]\n"
	      "  --limits: DIR is a mount of size=8m,nr_inodes=100 (about) with nothing in it\n", stderr);
	return 2;
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const struct fsops_case *const *group = groups;
	size_t nr = sizeof(groups) / sizeof(*groups);
	char **names = argv + 2;

	if (argc < 2 || argv[1][0] == '-')
		return usage();
	if (argc > 2 && !strcmp(argv[2], "--limits")) {
		group = limit_groups;
		nr = 1;
		names++;
	} else if (argc > 2 && argv[2][0] == '-') {
		return usage();
	}
	fsops_root = realpath(argv[1], NULL);
	if (!fsops_root)
		die("%s", argv[1]);
	for (; nr--; group++)
		for (const struct fsops_case *c = *group; c->name; c++)
			if (wanted(c->name, names))
				run_case(c);
	return report_status();
}
