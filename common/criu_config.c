// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/criu_config.h"
#include "common/log.h"

#define CONFIG_DIR "/etc/criu"

/*
 * What runc and crun (since 1.26) have CRIU read on top of the first; crun takes
 * runc's where it has none of its own, so that none is made for it.
 */
static const struct file {
	const char *theirs;
	const char *ours;
	bool is_on_top;
	bool is_made;
} files[] = {
	{ CONFIG_DIR "/default.conf", "/run/rebootless/criu.conf", false, true },
	{ CONFIG_DIR "/runc.conf", "/run/rebootless/criu-runc.conf", true, true },
	{ CONFIG_DIR "/crun.conf", "/run/rebootless/criu-crun.conf", true, false },
};

#define NR_FILES (sizeof(files) / sizeof(files[0]))

/* Those that were not there, to be taken away again. */
static char *made[NR_FILES];

/* A file to mount over must be there; an empty one says nothing. */
static int make_file(const char *root, const struct file *f)
{
	char path[PATH_MAX];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s" CONFIG_DIR, root);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return log_syserr(errno, "cannot make %s", path);
	snprintf(path, sizeof(path), "%s%s", root, f->theirs);
	if (access(path, F_OK) < 0 && !made[f - files])
		made[f - files] = strdup(path);
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? log_syserr(errno, "cannot open %s", path) : 0;
}

/* Does `line` set what one of `lines` sets? */
static bool is_set(const char *lines, const char *line)
{
	size_t length;

	line += strspn(line, " \t-");
	length = strcspn(line, " \t=\n");
	for (; length && *lines; lines += strcspn(lines, "\n"), lines += *lines == '\n')
		if (strcspn(lines, "\n ") == length && !strncmp(lines, line, length))
			return true;
	return false;
}

static int copy_lines(const char *root, const struct file *f, const char *lines, FILE *to)
{
	_cleanup_fclose_ FILE *from = NULL;
	_cleanup_free_ char *line = NULL;
	char path[PATH_MAX];
	size_t room = 0;

	snprintf(path, sizeof(path), "%s%s", root, f->theirs);
	from = fopen(path, "re");
	if (!from)
		return log_syserr(errno, "cannot read %s", path);
	while (getline(&line, &room, from) > 0)
		if (!is_set(lines, line))
			fprintf(to, "%s%s", line, strchr(line, '\n') ? "" : "\n");
	return 0;
}

/* All others count where they are read last; scripts add up: each would be called. */
static void put_lines(const struct file *f, const char *lines, FILE *to)
{
	const char *line;
	size_t length;

	for (line = lines; *line; line += length) {
		length = strcspn(line, "\n");
		length += line[length] == '\n';
		if (!f->is_on_top || strncmp(line, "action-script ", strlen("action-script ")))
			fwrite(line, 1, length, to);
	}
}

static int write_file(const char *root, const struct file *f, const char *lines)
{
	_cleanup_fclose_ FILE *to = NULL;
	char path[PATH_MAX];
	mode_t mask;
	int err;

	snprintf(path, sizeof(path), "%s%s", root, f->theirs);
	if (!f->is_made && access(path, F_OK) < 0)
		return 0;
	mask = umask(0077);
	to = fopen(f->ours, "we");
	umask(mask);
	if (!to)
		return log_syserr(errno, "cannot write %s", f->ours);
	err = make_file(root, f);
	if (!err)
		err = copy_lines(root, f, lines, to);
	if (err)
		return err;
	put_lines(f, lines, to);
	return fflush(to) ? log_syserr(errno, "cannot write %s", f->ours) : 0;
}

int criu_config_write(const char *root, const char *lines)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < NR_FILES; i++)
		err = write_file(root, &files[i], lines);
	return err;
}

int criu_config_extend(const char *path, const char *lines)
{
	_cleanup_fclose_ FILE *from = fopen(files[0].ours, "re"), *to = NULL;
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	mode_t mask;

	if (!from)
		return log_syserr(errno, "cannot read %s", files[0].ours);
	mask = umask(0077);
	to = fopen(path, "we");
	umask(mask);
	if (!to)
		return log_syserr(errno, "cannot write %s", path);
	while (getline(&line, &room, from) > 0)
		fputs(line, to);
	fputs(lines, to);
	return fflush(to) ? log_syserr(errno, "cannot write %s", path) : 0;
}

/* What is on top of the first stays: settings that add up would be there twice. */
int criu_config_mount(bool is_private, const char *extended)
{
	const char *ours;
	size_t i;

	if (!is_private &&
	    (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0))
		return log_syserr(errno, "cannot make a mount namespace");
	for (i = 0; i < NR_FILES; i++) {
		ours = !i && extended ? extended : files[i].ours;
		if (mount(ours, files[i].theirs, NULL, MS_BIND, NULL) < 0 &&
		    (files[i].is_made || errno != ENOENT))
			return log_syserr(errno, "cannot mount %s over %s", ours, files[i].theirs);
	}
	return 0;
}

void criu_config_remove(void)
{
	size_t i;

	for (i = 0; i < NR_FILES; i++) {
		unlink(files[i].ours);
		if (made[i])
			unlink(made[i]);
		free(made[i]);
		made[i] = NULL;
	}
}

bool criu_config_is_written(void)
{
	return !access(files[0].ours, F_OK);
}
