// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "host.h"
#include "state.h"

static int check_private(const struct stat *st, const char *path)
{
	if (st->st_uid != 0 || (st->st_mode & 077))
		return log_refusal(-EPERM,
				   "%s has owner %u and mode %04o, expected root's and closed to others; remove it",
				   path, (unsigned int)st->st_uid, (unsigned int)st->st_mode & 07777);
	return 0;
}

int state_lock(void)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err;

	if (mkdir(STATE_DIR, 0700) < 0 && errno != EEXIST)
		return log_syserr(errno, "cannot make %s", STATE_DIR);
	fd = open(STATE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return log_syserr(errno, "cannot open %s", STATE_DIR);
	err = check_private(&st, STATE_DIR);
	if (err)
		return err;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return log_refusal(-EBUSY, "another rebootless is at work (it holds the lock on %s)",
				   STATE_DIR);
	return steal_fd(&fd);
}

int state_read(struct state *state)
{
	char text[512], now[HOST_BOOT_ID_MAX], then[HOST_BOOT_ID_MAX], release[128];
	uint64_t root;
	struct stat st;
	int n, err;

	memset(state, 0, sizeof(*state));
	if (lstat(STATE_LOADED, &st) < 0)
		return errno == ENOENT ? 0 : log_syserr(errno, "cannot stat %s", STATE_LOADED);
	err = check_private(&st, STATE_LOADED);
	if (!err)
		err = host_boot_id(now);
	if (err)
		return err;
	n = file_read(STATE_LOADED, text, sizeof(text));
	if (n < 0)
		return log_syserr(-n, "cannot read %s", STATE_LOADED);
	if (sscanf(text, "boot_id=%63s root=%" SCNx64 " release=%127s", then, &root, release) != 3)
		return log_refusal(-EINVAL, "%s is damaged; `rebootless unload` clears it",
				   STATE_LOADED);
	if (strcmp(now, then))
		return 0;
	state->there = true;
	state->root = root;
	strcpy(state->release, release);
	return 0;
}

int state_write(uint64_t root, const char *release)
{
	static const char temporary[] = STATE_LOADED ".new";
	_cleanup_close_ int fd = -1;
	char id[HOST_BOOT_ID_MAX];
	int err = host_boot_id(id);

	if (err)
		return err;
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return log_syserr(errno, "cannot write %s", temporary);
	if (dprintf(fd, "boot_id=%s\nroot=0x%" PRIx64 "\nrelease=%s\n", id, root,
		    *release ? release : "unknown") < 0 ||
	    rename(temporary, STATE_LOADED) < 0) {
		err = log_syserr(errno, "cannot write %s", STATE_LOADED);
		unlink(temporary);
	}
	return err;
}

int state_remove(void)
{
	if (unlink(STATE_LOADED) < 0 && errno != ENOENT)
		return log_syserr(errno, "cannot remove %s", STATE_LOADED);
	return 0;
}
