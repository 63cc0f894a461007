// SPDX-License-Identifier: GPL-2.0
/* Locks: flock, fcntl on ranges, open file description locks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "survivor.h"

static int whole, shared, ranges, description;
static pid_t child;

/* Asked from another process: the own locks of one do not stand in its own way. */
static void child_check(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 10 };
	int fd = open(own_path("whole"), O_RDWR);

	expect_num("flock by another", -1, flock(fd, LOCK_EX | LOCK_NB));
	expect_num("flock by another, why", EWOULDBLOCK, errno);
	close(fd);
	fd = open(own_path("shared"), O_RDWR);
	expect_num("shared flock by another", 0, flock(fd, LOCK_SH | LOCK_NB));
	expect_num("exclusive flock on a shared one", -1, flock(fd, LOCK_EX | LOCK_NB));
	close(fd);
	fd = open(own_path("ranges"), O_RDWR);
	expect_call("F_GETLK", fcntl(fd, F_GETLK, &lock));
	expect_num("write lock on a range", F_WRLCK, lock.l_type);
	expect_num("its start", 100, lock.l_start);
	expect_num("its length", 50, lock.l_len);
	expect_num("its owner", getppid(), lock.l_pid);
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 200 };
	expect_call("F_GETLK", fcntl(fd, F_GETLK, &lock));
	expect_num("read lock on a range", F_RDLCK, lock.l_type);
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 150, .l_len = 50 };
	expect_call("F_GETLK", fcntl(fd, F_GETLK, &lock));
	expect_num("range between", F_UNLCK, lock.l_type);
	close(fd);
	fd = open(own_path("description"), O_RDWR);
	lock = (struct flock){ .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 5 };
	expect_call("F_OFD_GETLK", fcntl(fd, F_OFD_GETLK, &lock));
	expect_num("lock of an open file", F_WRLCK, lock.l_type);
	close(fd);
}

static int make(const char *name)
{
	int fd = must(open(own_path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));

	must(ftruncate(fd, 1000));
	return fd;
}

static void set_up(void)
{
	struct flock write = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 50 };
	struct flock read = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 200, .l_len = 10 };
	struct flock open_lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 5 };

	/* The child has none of these files open: a lock belongs to an open file. */
	child = helper(NULL, child_check);
	whole = make("whole");
	must(flock(whole, LOCK_EX));
	shared = make("shared");
	must(flock(shared, LOCK_SH));
	ranges = make("ranges");
	must(fcntl(ranges, F_SETLK, &write));
	must(fcntl(ranges, F_SETLK, &read));
	description = make("description");
	must(fcntl(description, F_OFD_SETLK, &open_lock));
}

static void check(void)
{
	helper_check(child);
}

static void sabotage(int which)
{
	struct flock none = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	switch (which) {
	case 1: flock(whole, LOCK_UN); break;
	case 2: flock(shared, LOCK_UN); break;
	case 3: fcntl(ranges, F_SETLK, &none); break;
	case 4: fcntl(description, F_OFD_SETLK, &none); break;
	}
}

const struct survivor survivor_file_locks = {
	.name = "file_locks",
	.keeps = "flock, fcntl locks on ranges, open file description locks",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
};
