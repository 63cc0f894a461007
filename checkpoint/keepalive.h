/* SPDX-License-Identifier: GPL-2.0 */
/*
 * keepalive.h - connections that ask for their peers must not give them up while
 * nobody can answer: CRIU makes a socket as it was before it reads the memory, with the
 * network locked until it has, and the kernel counts on from there.
 *
 * So SO_KEEPALIVE is switched off in the images, and on again when the network is let go
 * (socket_options.h). The sockets themselves are left alone: whatever becomes of the
 * update, they are what they were.
 *
 * Of files.img this much is read (CRIU's images/fdinfo.proto, sk-inet.proto, sk-opts.proto):
 * two magic numbers, and then for each file its size in four bytes and a file_entry in the
 * encoding of protocol buffers. To switch it off is to change one byte of it.
 */
#ifndef REBOOTLESS_KEEPALIVE_H
#define REBOOTLESS_KEEPALIVE_H

#include <json-c/json.h>

/*
 * In the images of a container, for the sockets whose inode numbers are noted. Images that
 * are not laid out as expected are left as they are, with a warning. How many were switched
 * off, or -errno (logged).
 */
int keepalive_switch_off(const char *images, struct json_object *sockets);

#endif
