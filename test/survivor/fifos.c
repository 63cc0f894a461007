// SPDX-License-Identifier: GPL-2.0
/* Fifos: named pipes with data, one whose name is gone, one opened for both directions. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "survivor.h"

#define DATA 5000

static int reader, writer, nameless;

static void put(int fd, unsigned int seed)
{
	unsigned char bytes[DATA];

	fill_pattern(bytes, seed, DATA);
	must(write(fd, bytes, DATA) == DATA ? 0 : -1);
}

static void set_up(void)
{
	unlink(own_path("named"));
	must(mkfifo(own_path("named"), 0600));
	reader = must(open(own_path("named"), O_RDONLY | O_NONBLOCK));
	writer = must(open(own_path("named"), O_WRONLY));
	put(writer, 1);
	unlink(own_path("gone"));
	must(mkfifo(own_path("gone"), 0600));
	nameless = must(open(own_path("gone"), O_RDWR | O_NONBLOCK));
	must(unlink(own_path("gone")));
	put(nameless, 2);
}

static void check(void)
{
	unsigned char bytes[DATA + 1];
	struct stat st, by_name;

	expect_call("fstat", fstat(reader, &st));
	expect_call("stat", stat(own_path("named"), &by_name));
	expect_num("inode of the fifo", by_name.st_ino, st.st_ino);
	expect_num("bytes in a fifo", DATA, read(reader, bytes, sizeof(bytes)));
	expect_pattern("contents of a fifo", bytes, 1, DATA);
	expect_num("empty fifo with a writer", -1, read(reader, bytes, 1));
	put(writer, 1);
	expect_call("fstat", fstat(nameless, &st));
	expect_num("links of a deleted fifo", 0, st.st_nlink);
	expect_num("bytes in a deleted fifo", DATA, read(nameless, bytes, sizeof(bytes)));
	expect_pattern("contents of a deleted fifo", bytes, 2, DATA);
	put(nameless, 2);
}

static void sabotage(int which)
{
	char byte;

	switch (which) {
	case 1: if (read(reader, &byte, 1) != 1) abort(); break;
	case 2: if (read(nameless, &byte, 1) != 1) abort(); break;
	case 3: unlink(own_path("named")); break;
	}
}

const struct survivor survivor_fifos = {
	.name = "fifos",
	.keeps = "fifos with data in them, with and without a name",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
};
