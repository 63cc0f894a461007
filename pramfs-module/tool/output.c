// SPDX-License-Identifier: GPL-2.0
/*
 * output.c - words for people and for JSON.
 */
#include "tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void say_error(int err, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "pramfs: ");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	if (err)
		fprintf(stderr, ": %s", strerror(err < 0 ? -err : err));
	fprintf(stderr, "\n");
}

/* Bytes of the UTF-8 character at text that a terminal may see; 0 = none. */
static size_t printable(const u8 *text, size_t len)
{
	size_t more, i;
	u32 c;

	if (text[0] < 0x80)
		return text[0] >= 0x20 && text[0] != 0x7f && text[0] != '\\';
	more = text[0] >= 0xf0 ? 3 : text[0] >= 0xe0 ? 2 : 1;
	if (text[0] < 0xc2 || text[0] > 0xf4 || len <= more)
		return 0;
	c = text[0] & (0x3fu >> more);
	for (i = 1; i <= more; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	/* Overlong, surrogates, past the end; then C1 controls and what turns the line around. */
	if ((more == 2 && c < 0x800) || (more == 3 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000))
		return 0;
	if (c < 0xa0 || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069))
		return 0;
	return more + 1;
}

char *escape(const char *text, size_t len)
{
	const u8 *in = (const u8 *)text;
	char *out = malloc(4 * len + 1), *to = out;
	size_t n;

	if (!out) {
		say_error(ENOMEM, "cannot print a name");
		exit(EXIT_USAGE);
	}
	while (len) {
		n = printable(in, len);
		if (n) {
			memcpy(to, in, n);
			to += n;
		} else {
			n = 1;
			to += sprintf(to, "\\x%02x", *in);
		}
		in += n;
		len -= n;
	}
	*to = 0;
	return out;
}

const char *human(u64 bytes, char buffer[16])
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	u32 i = 0;

	while (value >= 1024 && i < 6) {
		value /= 1024;
		i++;
	}
	snprintf(buffer, 16, i && value < 100 ? "%.1f %s" : "%.0f %s", value, unit[i]);
	return buffer;
}

void print_finding(const struct pramfs_finding *f, int err)
{
	fflush(stdout);
	if (!f->check) {
		say_error(err, "cannot check the handover");
		return;
	}
	fprintf(stderr, "pramfs: %s: check \"%s\" failed at offset %u of the page in frame 0x%llx:"
		" found %llu (0x%llx), expected %llu (0x%llx)\n",
		err == -EPROTONOSUPPORT ? "not known to this version" : "damaged",
		f->check, f->offset, (unsigned long long)f->pfn, (unsigned long long)f->found,
		(unsigned long long)f->found, (unsigned long long)f->expected,
		(unsigned long long)f->expected);
}

struct json_object *json_text(const char *text, size_t len)
{
	char *escaped = escape(text, len);
	struct json_object *object = json_object_new_string(escaped);

	free(escaped);
	return object;
}

struct json_object *json_finding(const struct pramfs_finding *f, int err)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "error", json_object_new_string(strerror(-err)));
	if (f->check) {
		json_object_object_add(o, "check", json_object_new_string(f->check));
		json_object_object_add(o, "pfn", json_object_new_uint64(f->pfn));
		json_object_object_add(o, "offset", json_object_new_uint64(f->offset));
		json_object_object_add(o, "found", json_object_new_uint64(f->found));
		json_object_object_add(o, "expected", json_object_new_uint64(f->expected));
	}
	return o;
}
