// SPDX-License-Identifier: GPL-2.0
/* Open files: offsets, flags, what dup and fork share, owners of signals, directories. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "survivor.h"

#define SIZE 10000

static int plain, duplicate, append, read_only, path_only, directory, link_fd, owned, high;
static pid_t child;
static struct stat noted;

static void child_check(void)
{
	/* The child's descriptor is the parent's: it moves with it. */
	expect_num("child: offset", 1234, lseek(plain, 0, SEEK_CUR));
	lseek(plain, 1, SEEK_CUR);
}

static void set_up(void)
{
	unsigned char bytes[SIZE];

	fill_pattern(bytes, 1, SIZE);
	plain = must(open(own_path("plain"), O_RDWR | O_CREAT | O_TRUNC | O_NOATIME, 0640));
	must(write(plain, bytes, SIZE) == SIZE ? 0 : -1);
	must(lseek(plain, 1234, SEEK_SET));
	must(fstat(plain, &noted));
	duplicate = must(dup(plain));
	high = must(fcntl(plain, F_DUPFD_CLOEXEC, 700));
	append = must(open(own_path("append"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
	must(write(append, "first\n", 6) == 6 ? 0 : -1);
	read_only = must(open(own_path("plain"), O_RDONLY | O_NONBLOCK));
	must(lseek(read_only, SIZE + 50, SEEK_SET));
	path_only = must(open(own_path("plain"), O_PATH));
	directory = must(open(own_path(""), O_RDONLY | O_DIRECTORY));
	unlink(own_path("link"));
	must(symlink("plain", own_path("link")));
	link_fd = must(open(own_path("link"), O_PATH | O_NOFOLLOW));
	owned = must(open("/dev/null", O_RDWR));
	must(fcntl(owned, F_SETOWN, getpid()));
	must(fcntl(owned, F_SETSIG, SIGRTMIN + 4));
	child = helper(NULL, child_check);
}

static void check(void)
{
	unsigned char bytes[SIZE], expected[SIZE];
	struct stat st;
	char text[64];
	ssize_t n;

	expect_num("offset", 1234, lseek(plain, 0, SEEK_CUR));
	expect_num("bytes read", SIZE, pread(plain, bytes, SIZE, 0));
	fill_pattern(expected, 1, SIZE);
	expect_bytes("contents", expected, bytes, SIZE);
	expect_call("fstat", fstat(plain, &st));
	expect_num("inode", noted.st_ino, st.st_ino);
	expect_num("mode", noted.st_mode, st.st_mode);
	expect_num("flags", O_RDWR | O_NOATIME, fcntl(plain, F_GETFL) & (O_ACCMODE | O_NOATIME | O_APPEND | O_NONBLOCK));
	expect_num("close-on-exec", 0, fcntl(plain, F_GETFD));
	/* One open file under three numbers and in two processes */
	expect_num("offset moved through a duplicate", 1235, lseek(duplicate, 1, SEEK_CUR));
	expect_num("offset seen by a high descriptor", 1235, lseek(high, 0, SEEK_CUR));
	expect_num("close-on-exec of a high descriptor", FD_CLOEXEC, fcntl(high, F_GETFD));
	expect_num("offset moved back", 1234, lseek(plain, -1, SEEK_CUR));
	helper_check(child);
	expect_num("offset moved by the child", 1235, lseek(plain, 0, SEEK_CUR));
	lseek(plain, 1234, SEEK_SET);
	expect_num("O_APPEND", O_WRONLY | O_APPEND, fcntl(append, F_GETFL) & (O_ACCMODE | O_APPEND));
	expect_num("close-on-exec", FD_CLOEXEC, fcntl(append, F_GETFD));
	n = lseek(append, 0, SEEK_SET);
	expect_num("bytes appended", 5, write(append, "more\n", 5));
	expect_true("it was appended", !strncmp(file_text(own_path("append")), "first\nmore", 10));
	expect_call("ftruncate", ftruncate(append, 6));
	expect_num("offset beyond the end", SIZE + 50, lseek(read_only, 0, SEEK_CUR));
	expect_num("read-only, non-blocking", O_NONBLOCK, fcntl(read_only, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	expect_num("O_PATH", O_PATH, fcntl(path_only, F_GETFL) & O_PATH);
	expect_num("write to O_PATH", -1, write(path_only, "x", 1));
	expect_call("openat from a directory", n = openat(directory, "plain", O_RDONLY));
	close(n);
	n = readlinkat(link_fd, "", text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	expect_text("link behind a descriptor", "plain", text);
	expect_num("owner of a file's signals", getpid(), fcntl(owned, F_GETOWN));
	expect_num("signal of a file", SIGRTMIN + 4, fcntl(owned, F_GETSIG));
}

static void sabotage(int which)
{
	switch (which) {
	case 1: lseek(plain, 0, SEEK_SET); break;
	case 2:
		close(duplicate);
		duplicate = open(own_path("plain"), O_RDWR);
		lseek(duplicate, 1234, SEEK_SET);
		break;
	case 3: fcntl(append, F_SETFL, 0); break;
	case 4: fcntl(high, F_SETFD, 0); break;
	case 5: close(directory); break;
	case 6: fcntl(owned, F_SETOWN, 0); break;
	case 7: truncate(own_path("plain"), 100); break;
	}
}

const struct survivor survivor_files = {
	.name = "files",
	.keeps = "open files: offsets, flags, what dup and fork share, O_PATH, directories, F_SETOWN",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 7,
};
