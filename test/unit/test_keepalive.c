// SPDX-License-Identifier: GPL-2.0
/* Tests of checkpoint/keepalive.c on images as CRIU makes them, put together here, whole and damaged. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/keepalive.h"
#include "test/unit/harness.h"

#define INODE 4711

static char dir[] = "/tmp/keepalive-XXXXXX";
static char path[64];
static uint8_t image[512];
static size_t used, keepalive_at[2];

static void put(const void *bytes, size_t nr)
{
	memcpy(image + used, bytes, nr);
	used += nr;
}

static void put_u32(uint32_t value)
{
	put(&value, sizeof(value));	/* little-endian, as all that this runs on */
}

static void put_varint(uint64_t value)
{
	uint8_t byte;

	do {
		byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		put(&byte, 1);
		value >>= 7;
	} while (value);
}

static void put_number(unsigned int field, uint64_t value)
{
	put_varint(field << 3);
	put_varint(value);
}

/* Begin a message in a field; what end_message() is to be called with. It is shorter than 128 bytes. */
static size_t begin_message(unsigned int field)
{
	put_varint(field << 3 | 2);
	put("", 1);
	return used;
}

static void end_message(size_t begun)
{
	image[begun - 1] = (uint8_t)(used - begun);
}

/* A file_entry with a socket; nr: where the byte is noted. */
static void put_socket(uint32_t inode, bool keepalive, unsigned int nr)
{
	size_t entry = used, socket, options;

	put_u32(0);
	put_number(1, 3);
	put_number(2, 300);
	socket = begin_message(4);
	put_number(1, 300);
	put_number(2, inode);
	put_number(5, 6);
	options = begin_message(14);
	put_number(1, 212992);
	put_varint(16 << 3 | 1);	/* fixed64 */
	put("12345678", 8);
	put_number(18, 1);
	put_number(19, keepalive);
	keepalive_at[nr] = used - 1;
	put_number(20, 9);
	end_message(options);
	put_number(15, 1);
	end_message(socket);
	image[entry] = (uint8_t)(used - entry - 4);
}

static void put_image(void)
{
	used = 0;
	put_u32(0x54564319);
	put_u32(0x56303138);
	put_u32(4);		/* a regular file, whose own message is not looked at */
	put_number(1, 1);
	put_number(2, 1);
	put_socket(INODE, true, 0);
	put_socket(INODE + 1, true, 1);
}

static void write_image(size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, image, bytes) != (ssize_t)bytes) {
		perror(path);
		exit(1);
	}
	close(fd);
}

/* Is it as it was written, but for one byte at `changed` (0: none)? */
static void expect_image(size_t bytes, size_t changed)
{
	uint8_t found[sizeof(image)];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, found, sizeof(found));
	size_t i;

	close(fd);
	EXPECT(n, bytes);
	for (i = 0; i < bytes && (ssize_t)i < n; i++)
		if (found[i] != (changed && i == changed ? 0 : image[i]))
			complain("byte %zu is 0x%02x", i, found[i]);
}

static struct json_object *noted(uint32_t inode)
{
	struct json_object *sockets = json_object_new_object(), *one = json_object_new_object();

	json_object_object_add(one, "SO_KEEPALIVE", json_object_new_int(1));
	if (inode)
		json_object_object_add(one, "ino", json_object_new_int64(inode));
	json_object_object_add(sockets, "1:5", one);
	return sockets;
}

static int switch_off(uint32_t inode)
{
	struct json_object *sockets = noted(inode);
	int nr = keepalive_switch_off(dir, sockets);

	json_object_put(sockets);
	return nr;
}

static void test_whole(void)
{
	begin();
	put_image();
	write_image(used);
	EXPECT(switch_off(INODE), 1);
	expect_image(used, keepalive_at[0]);
	EXPECT(switch_off(INODE), 0);
	end("keepalive.off");

	begin();
	write_image(used);
	EXPECT(switch_off(INODE + 1), 1);
	expect_image(used, keepalive_at[1]);
	end("keepalive.the-other");

	begin();
	write_image(used);
	EXPECT(switch_off(INODE + 2), 0);
	EXPECT(switch_off(0), 0);
	EXPECT(keepalive_switch_off(dir, NULL), 0);
	expect_image(used, 0);
	EXPECT(said[0], 0);
	end("keepalive.not-noted");
}

/* Cut anywhere it is left alone, but where an entry ends: that one is whole, too. */
static void test_cut(void)
{
	size_t bytes;
	int nr;

	begin();
	put_image();
	for (bytes = 0; bytes < used; bytes++) {
		write_image(bytes);
		nr = switch_off(INODE + 1);
		if (nr)
			complain("cut at %zu it returned %d", bytes, nr);
		expect_image(bytes, 0);
	}
	expect_said("is not as CRIU 4 makes it");
	end("keepalive.cut");
}

/* Any bit of it: nothing but bytes of value 1 may become 0, and it must come back. */
static void test_damaged(void)
{
	size_t bit, changed;
	uint8_t found[sizeof(image)];
	int fd;

	begin();
	for (bit = 0; bit < used * 8; bit++) {
		put_image();
		image[bit / 8] ^= (uint8_t)(1u << bit % 8);
		write_image(used);
		said[0] = '\0';
		switch_off(INODE);
		fd = open(path, O_RDONLY);
		if (read(fd, found, sizeof(found)) != (ssize_t)used)
			complain("its length changed");
		close(fd);
		for (changed = 0; changed < used; changed++)
			if (found[changed] != image[changed] && (image[changed] != 1 || found[changed]))
				complain("bit %zu: byte %zu was changed", bit, changed);
	}
	end("keepalive.damaged");
}

static void test_missing(void)
{
	begin();
	unlink(path);
	EXPECT(switch_off(INODE), 0);
	expect_said("files.img is not as CRIU 4 makes it");
	end("keepalive.missing");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_set_sink(sink);
	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/files.img", dir);
	test_whole();
	test_cut();
	test_damaged();
	test_missing();
	rmdir(dir);
	return failed ? 1 : 0;
}
