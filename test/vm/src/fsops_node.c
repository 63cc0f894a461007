// SPDX-License-Identifier: GPL-2.0
/* fsops_node.c - device nodes, fifos, sockets, locks, inotify. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fsops.h"

static void device_nodes(void)
{
	struct stat st;
	char c;
	int fd;

	OK(!mknod("c", S_IFCHR | 0600, makedev(4095, 1048575)));
	st = stat_of("c");
	OK(S_ISCHR(st.st_mode));
	EQ(major(st.st_rdev), 4095);
	EQ(minor(st.st_rdev), 1048575);
	OK(!mknod("b", S_IFBLK | 0600, makedev(259, 65537)));
	st = stat_of("b");
	OK(S_ISBLK(st.st_mode));
	EQ(st.st_rdev, makedev(259, 65537));
	OK(!mknod("zero", S_IFCHR | 0666, makedev(1, 5)));
	fd = open("zero", O_RDWR);
	if (fd < 0 && errno == EACCES)
		case_skip("the mount is nodev");
	OK(fd >= 0);
	c = 1;
	EQ(read(fd, &c, 1), 1);
	EQ(c, 0);
	ERR(open("c", O_RDONLY), ENXIO);
	OK(!mknod("f", S_IFREG | 0644, 0));
	OK(S_ISREG(stat_of("f").st_mode));
	ERR(mknod("f", S_IFREG | 0644, 0), EEXIST);
}

static void fifo(void)
{
	pid_t pid;
	char buf[16] = "";
	int fd;

	OK(!mkfifo("p", 0600));
	ERR(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	pid = fork();
	OK(pid >= 0);
	if (!pid) {
		fd = open("p", O_WRONLY);
		_exit(write(fd, "hello", 5) != 5);
	}
	fd = open("p", O_RDONLY);
	OK(fd >= 0);
	EQ(read(fd, buf, sizeof(buf)), 5);
	OK(!strcmp(buf, "hello"));
	EQ(read(fd, buf, sizeof(buf)), 0);
	EQ(waitpid(pid, NULL, 0), pid);
}

static void unix_socket(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0), fd;
	char buf[8] = "";

	OK(!bind(server, (void *)&addr, sizeof(addr)));
	OK(S_ISSOCK(stat_of("sock").st_mode));
	ERR(bind(client, (void *)&addr, sizeof(addr)), EADDRINUSE);
	ERR(connect(client, (void *)&addr, sizeof(addr)), ECONNREFUSED);
	OK(!listen(server, 5));
	OK(!connect(client, (void *)&addr, sizeof(addr)));
	fd = accept(server, NULL, NULL);
	OK(fd >= 0);
	EQ(write(client, "hi", 2), 2);
	EQ(read(fd, buf, sizeof(buf)), 2);
	OK(!rename("sock", "moved"));
	strcpy(addr.sun_path, "moved");
	OK(!connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&addr, sizeof(addr)));
	ERR(open("moved", O_RDWR), ENXIO);
	OK(!unlink("moved"));
}

static void flock_between_processes(void)
{
	int fd = make_file("a", 10), status;
	pid_t pid;

	OK(!flock(fd, LOCK_EX));
	pid = fork();
	OK(pid >= 0);
	if (!pid) {
		int other = open("a", O_RDWR);

		ERR(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
		ERR(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	OK(!flock(fd, LOCK_UN));
	OK(!flock(open("a", O_RDWR), LOCK_EX | LOCK_NB));
}

static void record_locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 4 };
	int fd = make_file("a", 10), status;
	pid_t pid;

	OK(!fcntl(fd, F_SETLK, &lock));
	pid = fork();
	OK(pid >= 0);
	if (!pid) {
		struct flock try = lock;
		int other = open("a", O_RDWR);

		try.l_start = 5;
		try.l_len = 1;
		ERR(fcntl(other, F_SETLK, &try), EAGAIN);
		OK(!fcntl(other, F_GETLK, &try));
		EQ(try.l_pid, getppid());
		EQ(try.l_start, 2);
		EQ(try.l_len, 4);
		try = lock;
		try.l_start = 6;
		try.l_pid = 0;
		OK(!fcntl(other, F_SETLK, &try));
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	lock.l_pid = 0;
	lock.l_start = 8;
	lock.l_len = 1;
	OK(!fcntl(fd, F_OFD_SETLK, &lock));
	ERR(fcntl(open("a", O_RDWR), F_OFD_SETLK, &lock), EAGAIN);
}

static unsigned int next_event(int fd)
{
	static char buf[4096] __attribute__((aligned(8)));
	static ssize_t len, at;
	struct inotify_event *event;
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	if (at >= len) {
		if (poll(&wait, 1, 2000) != 1)
			return 0;
		len = read(fd, buf, sizeof(buf));
		at = 0;
		OK(len > 0);
	}
	event = (void *)(buf + at);
	at += sizeof(*event) + event->len;
	return event->mask & ~IN_ISDIR;
}

static void inotify_events(void)
{
	int fd = inotify_init1(IN_NONBLOCK), file;

	OK(fd >= 0);
	OK(inotify_add_watch(fd, ".", IN_CREATE | IN_MODIFY | IN_MOVE | IN_DELETE | IN_ATTRIB |
			     IN_CLOSE_WRITE | IN_DELETE_SELF) >= 0);
	file = open("a", O_CREAT | O_RDWR, 0644);
	EQ(next_event(fd), IN_CREATE);
	EQ(write(file, "x", 1), 1);
	EQ(next_event(fd), IN_MODIFY);
	OK(!ftruncate(file, 0));
	EQ(next_event(fd), IN_MODIFY);
	close(file);
	EQ(next_event(fd), IN_CLOSE_WRITE);
	OK(!chmod("a", 0600));
	EQ(next_event(fd), IN_ATTRIB);
	OK(!rename("a", "b"));
	EQ(next_event(fd), IN_MOVED_FROM);
	EQ(next_event(fd), IN_MOVED_TO);
	OK(!unlink("b"));
	EQ(next_event(fd), IN_DELETE);
	OK(!mkdir("d", 0755));
	EQ(next_event(fd), IN_CREATE);
	OK(!rmdir("d"));
	EQ(next_event(fd), IN_DELETE);
}

static void open_by_proc(void)
{
	int fd = make_file("a", PAGE), again;
	char path[64], target[4096] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	OK(readlink(path, target, sizeof(target) - 1) > 0);
	OK(strstr(target, "/a"));
	OK(!unlink("a"));
	again = open(path, O_RDWR);
	OK(again >= 0);
	expect_pattern(again, 0, PAGE);
	OK(readlink(path, target, sizeof(target) - 1) > 0);
	OK(strstr(target, " (deleted)"));
}

const struct fsops_case fsops_node_cases[] = {
	{ "device-nodes", device_nodes },
	{ "fifo", fifo },
	{ "unix-socket", unix_socket },
	{ "flock", flock_between_processes },
	{ "record-locks", record_locks },
	{ "inotify", inotify_events },
	{ "open-by-proc", open_by_proc },
	{ }
};
