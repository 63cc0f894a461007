// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint/keepalive.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/socket_options.h"

#define FILES_IMAGE "files.img"
/* criu/include/magic.h: IMG_COMMON_MAGIC, FILES_MAGIC */
#define MAGIC_COMMON 0x54564319
#define MAGIC_FILES 0x56303138
#define MAGICS 8	/* bytes */

/* Numbers of fields. */
enum {
	FILE_SOCKET = 4,	/* file_entry.isk */
	ENTRY_INODE = 2,	/* inet_sk_entry.ino, .opts */
	ENTRY_OPTIONS = 14,
	OPTIONS_KEEPALIVE = 19,	/* sk_opts_entry.so_keepalive */
};

/* How a field is encoded. */
enum {
	WIRE_VARINT = 0,
	WIRE_64 = 1,
	WIRE_BYTES = 2,
	WIRE_32 = 5,
};

/* What is left of a message; bad: it is not one. */
struct message {
	const uint8_t *at, *end;
	bool bad;
};

struct field {
	uint64_t number;
	unsigned int wire;
	uint64_t value;		/* WIRE_VARINT */
	struct message bytes;	/* its value as it lies there */
};

static uint64_t varint(struct message *m)
{
	uint64_t value = 0;
	unsigned int shift;

	for (shift = 0; shift < 64 && m->at < m->end; shift += 7) {
		value |= (uint64_t)(*m->at & 0x7f) << shift;
		if (!(*m->at++ & 0x80))
			return value;
	}
	m->bad = true;
	return 0;
}

/* false: there is none left, or it is bad. */
static bool next_field(struct message *m, struct field *f)
{
	uint64_t key, bytes = 0;

	if (m->bad || m->at == m->end)
		return false;
	key = varint(m);
	*f = (struct field){ .number = key >> 3, .wire = key & 7 };
	f->bytes.at = m->at;
	switch (f->wire) {
	case WIRE_VARINT:
		f->value = varint(m);
		f->bytes.end = m->at;
		return !m->bad;
	case WIRE_64:
		bytes = sizeof(uint64_t);
		break;
	case WIRE_32:
		bytes = sizeof(uint32_t);
		break;
	case WIRE_BYTES:
		bytes = varint(m);
		f->bytes.at = m->at;
		break;
	default:
		m->bad = true;
	}
	if (m->bad || bytes > (uint64_t)(m->end - m->at)) {
		m->bad = true;
		return false;
	}
	m->at += bytes;
	f->bytes.end = m->at;
	return true;
}

/* The byte that says that it is on; NULL: it is not. */
static const uint8_t *find_keepalive(struct message *options)
{
	const uint8_t *found = NULL;
	struct field f;

	while (next_field(options, &f))
		if (f.number == OPTIONS_KEEPALIVE && f.wire == WIRE_VARINT)
			found = f.value == 1 && f.bytes.end - f.bytes.at == 1 ? f.bytes.at : NULL;
	return found;
}

/* The same, of one of those sockets (keys: inode numbers). */
static const uint8_t *look_at_socket(struct message *socket, struct json_object *wanted)
{
	const uint8_t *keepalive = NULL;
	uint64_t inode = 0;
	struct field f;
	char key[32];

	while (next_field(socket, &f)) {
		if (f.number == ENTRY_INODE && f.wire == WIRE_VARINT)
			inode = f.value;
		if (f.number != ENTRY_OPTIONS || f.wire != WIRE_BYTES)
			continue;
		keepalive = find_keepalive(&f.bytes);
		socket->bad |= f.bytes.bad;
	}
	snprintf(key, sizeof(key), "%" PRIu32, (uint32_t)inode);
	return json_object_object_get_ex(wanted, key, NULL) ? keepalive : NULL;
}

static const uint8_t *look_at_file(struct message *file, struct json_object *wanted)
{
	const uint8_t *keepalive = NULL;
	struct field f;

	while (next_field(file, &f)) {
		if (f.number != FILE_SOCKET || f.wire != WIRE_BYTES)
			continue;
		keepalive = look_at_socket(&f.bytes, wanted);
		file->bad |= f.bytes.bad;
	}
	return keepalive;
}

static uint32_t u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

/* The next entry of an image; false: there is none left, or it is bad. */
static bool next_entry(struct message *image, struct message *entry)
{
	uint32_t bytes;

	if (image->at == image->end)
		return false;
	if (image->end - image->at < (ptrdiff_t)sizeof(bytes))
		goto bad;
	bytes = u32(image->at);
	image->at += sizeof(bytes);
	if (bytes > (uint64_t)(image->end - image->at))
		goto bad;
	*entry = (struct message){ image->at, image->at + bytes, false };
	image->at += bytes;
	return true;
bad:
	image->bad = true;
	return false;
}

/* Nothing is changed before all of it has been understood. fd: -1 = look only. */
static int walk(const struct mapped_file *map, struct json_object *wanted, int fd)
{
	struct message image = { map->data, map->data + map->bytes, false }, file;
	const uint8_t *keepalive;
	int nr = 0;

	if (map->bytes < MAGICS || u32(map->data) != MAGIC_COMMON ||
	    u32(map->data + sizeof(uint32_t)) != MAGIC_FILES)
		return -EUCLEAN;
	image.at += MAGICS;
	while (next_entry(&image, &file)) {
		keepalive = look_at_file(&file, wanted);
		if (file.bad)
			return -EUCLEAN;
		if (!keepalive)
			continue;
		nr++;
		if (fd >= 0 && pwrite(fd, "", 1, keepalive - map->data) != 1)
			return -errno;
	}
	return image.bad ? -EUCLEAN : nr;
}

/* Inode numbers as keys; CRIU keeps 32 bits of one. NULL: none has it, or memory is out. */
static struct json_object *with_keepalive(struct json_object *sockets)
{
	struct json_object *wanted = NULL, *inode;
	char key[32];

	json_object_object_foreach(sockets, name, one) {
		(void)name;
		if (!json_object_object_get_ex(one, SOCKET_KEEPALIVE, NULL) ||
		    !json_object_object_get_ex(one, SOCKET_INODE, &inode))
			continue;
		wanted = wanted ?: json_object_new_object();
		snprintf(key, sizeof(key), "%" PRIu32, (uint32_t)json_object_get_int64(inode));
		json_object_object_add(wanted, key, json_object_new_boolean(true));
	}
	return wanted;
}

static int change(const struct mapped_file *map, struct json_object *wanted, int fd, const char *path)
{
	int nr = fd < 0 ? -EUCLEAN : walk(map, wanted, -1);

	if (nr > 0)
		nr = walk(map, wanted, fd);
	if (nr >= 0)
		return nr;
	if (nr != -EUCLEAN)
		return log_syserr(-nr, "cannot write %s", path);
	log_warning("%s is not as CRIU 4 makes it: connections with a short keepalive may be given up while they are restored",
		    path);
	return 0;
}

int keepalive_switch_off(const char *images, struct json_object *sockets)
{
	struct json_object *wanted = sockets ? with_keepalive(sockets) : NULL;
	_cleanup_unmap_ struct mapped_file map = { 0 };
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	int err;

	if (!wanted)
		return 0;
	snprintf(path, sizeof(path), "%s/" FILES_IMAGE, images);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	err = fd < 0 && errno != ENOENT ? log_syserr(errno, "cannot open %s", path) : 0;
	if (!err && fd >= 0)
		err = file_map(path, &map);
	if (!err)
		err = change(&map, wanted, fd, path);
	json_object_put(wanted);
	return err;
}
