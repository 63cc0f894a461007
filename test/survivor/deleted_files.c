// SPDX-License-Identifier: GPL-2.0
/* Files and directories without a name: contents, holes, one object for all who have it open. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "survivor.h"

#define SIZE 50000
#define HOLE (1 << 20)

static int file, again, sparse, directory;
static pid_t child;

static void child_check(void)
{
	unsigned char byte = 0;

	expect_num("child: byte written by the parent", 1, pread(file, &byte, 1, SIZE));
	expect_num("child: its value", 0x5a, byte);
}

static void set_up(void)
{
	unsigned char bytes[SIZE];

	fill_pattern(bytes, 3, SIZE);
	file = must(open(own_path("file"), O_RDWR | O_CREAT | O_TRUNC, 0604));
	must(write(file, bytes, SIZE) == SIZE ? 0 : -1);
	must(lseek(file, 777, SEEK_SET));
	again = must(open(own_path("file"), O_RDONLY));
	must(unlink(own_path("file")));
	sparse = must(open(own_path("sparse"), O_RDWR | O_CREAT | O_TRUNC, 0600));
	must(pwrite(sparse, bytes, 4096, HOLE) == 4096 ? 0 : -1);
	must(unlink(own_path("sparse")));
	rmdir(own_path("directory"));
	must(mkdir(own_path("directory"), 0711));
	directory = must(open(own_path("directory"), O_RDONLY | O_DIRECTORY));
	must(rmdir(own_path("directory")));
	child = helper(NULL, child_check);
}

static void check(void)
{
	unsigned char bytes[SIZE], zeros[4096] = { 0 };
	struct stat st, st2;

	expect_num("offset", 777, lseek(file, 0, SEEK_CUR));
	expect_num("offset of the other", 0, lseek(again, 0, SEEK_CUR));
	expect_num("bytes read", SIZE, pread(again, bytes, SIZE, 0));
	expect_pattern("contents", bytes, 3, SIZE);
	expect_call("fstat", fstat(file, &st));
	expect_call("fstat", fstat(again, &st2));
	expect_num("links", 0, st.st_nlink);
	expect_num("mode", 0604, st.st_mode & 07777);
	expect_num("both are one file", st.st_ino, st2.st_ino);
	expect_num("the name stays away", -1, access(own_path("file"), F_OK));
	expect_num("write", 1, pwrite(file, "\x5a", 1, SIZE));
	expect_num("write seen by the other", 1, pread(again, bytes, 1, SIZE));
	expect_num("its value", 0x5a, bytes[0]);
	helper_check(child);
	expect_call("ftruncate", ftruncate(file, SIZE));
	expect_call("fstat", fstat(sparse, &st));
	expect_num("size with a hole", HOLE + 4096, st.st_size);
	expect_range("blocks of a file with a hole", 1, 256, st.st_blocks);
	expect_num("hole", 4096, pread(sparse, bytes, 4096, 4096));
	expect_bytes("hole", zeros, bytes, 4096);
	expect_num("behind the hole", 4096, pread(sparse, bytes, 4096, HOLE));
	expect_pattern("behind the hole", bytes, 3, 4096);
	expect_call("fstat", fstat(directory, &st));
	expect_true("directory", S_ISDIR(st.st_mode));
	expect_num("links of the directory", 0, st.st_nlink);
}

static void sabotage(int which)
{
	unsigned char bytes[SIZE] = { 0 };

	switch (which) {
	case 1: pwrite(file, "", 1, 100); break;
	case 2:
		close(again);
		again = open(own_path("file"), O_RDWR | O_CREAT | O_TRUNC, 0604);
		fill_pattern(bytes, 3, SIZE);
		pwrite(again, bytes, SIZE, 0);
		break;
	case 3:
		/* the hole filled in */
		for (int at = 0; at < HOLE; at += 4096)
			pwrite(sparse, bytes, 4096, at);
		break;
	case 4: close(directory); break;
	}
}

const struct survivor survivor_deleted_files = {
	.name = "deleted_files",
	.keeps = "open files and directories without a name, holes",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
};
