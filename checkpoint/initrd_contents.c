// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "checkpoint/initrd.h"
#include "checkpoint/initrd_contents.h"
#include "checkpoint/kernels.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/run.h"
#include "common/strv.h"

#define UNCOMPRESSED_MAX (4ull << 30)
#define SECONDS_MAX 120
/* of the same version as PID 1, which needs it: libsystemd-shared-257.so, ...-257.9-2.fc42.so */
#define SYSTEMD_LIBRARY "libsystemd-shared-"

struct streams {
	int in, out;
};

/* In the child: the program's standard input and output. What it complains about is not ours. */
static int take_streams(void *arg)
{
	const struct streams *streams = arg;
	const struct rlimit limit = { UNCOMPRESSED_MAX, UNCOMPRESSED_MAX };
	/* standard input is /dev/null as yet */
	bool ok = dup2(STDIN_FILENO, STDERR_FILENO) >= 0 && !setrlimit(RLIMIT_FSIZE, &limit) &&
		  dup2(streams->in, STDIN_FILENO) >= 0 && dup2(streams->out, STDOUT_FILENO) >= 0;

	return ok ? 0 : -1;
}

static int write_all(int fd, const uint8_t *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, data, bytes);

		if (n < 0)
			return -errno;
		data += n;
		bytes -= (size_t)n;
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

/*
 * The status of the program does not count: some end with an error at the zeros
 * that pad an initramfs. What is missing is noticed.
 */
static int uncompress(const char *program, const uint8_t *data, size_t bytes, const char *name,
		      struct mapped_file *map)
{
	_cleanup_close_ int in = memfd_create("compressed", MFD_CLOEXEC);
	_cleanup_close_ int out = memfd_create("uncompressed", MFD_CLOEXEC);
	struct streams streams = { in, out };
	const struct run_options options = { .in_child = take_streams, .arg = &streams };
	char *argv[] = { (char *)program, "-dc", NULL };
	char path[64];
	int err;

	if (in < 0 || out < 0)
		return log_syserr(errno, "cannot uncompress %s", name);
	err = write_all(in, data, bytes);
	if (err)
		return log_syserr(-err, "cannot uncompress %s", name);
	err = run(argv, &options, SECONDS_MAX);
	if (err < 0)
		return err == -ETIMEDOUT ?
			log_refusal(err, "%s took more than %d seconds for %s", program, SECONDS_MAX, name) :
			err;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", out);
	return file_map(path, map);
}

/* "vermagic=6.12.117+deb13-amd64 SMP ..." and the like in the module's section .modinfo */
static void find_modinfo(const uint8_t *data, size_t bytes, struct initrd_contents *c)
{
	static const char key[] = "vermagic=", gives[] = "gives=pages";
	const char *at = memmem(data, bytes, key, strlen(key));
	char *vermagic = c->vermagic;
	size_t left, length = 0;

	/* with the NUL; see give.c */
	c->gives = memmem(data, bytes, gives, sizeof(gives));
	if (!at)
		return;
	at += strlen(key);
	left = bytes - (size_t)(at - (const char *)data);
	while (length < left && length < INITRD_RELEASE_MAX - 1 && at[length] && at[length] != ' ')
		length++;
	memcpy(vermagic, at, length);
	vermagic[length] = '\0';
}

static int look_at_module(const struct initrd_entry *e, struct initrd_contents *c)
{
	_cleanup_unmap_ struct mapped_file map = { 0 };
	const char *program = e->data ? initrd_compression(e->data, e->bytes) : NULL;
	const char *modules = strstr(e->name, "lib/modules/");
	int err = 0;

	c->module = true;
	if (modules) {
		modules += strlen("lib/modules/");
		snprintf(c->directory, sizeof(c->directory), "%.*s", (int)strcspn(modules, "/"), modules);
	}
	if (program)
		err = uncompress(program, e->data, e->bytes, e->name, &map);
	if (!err && program && map.data)
		find_modinfo(map.data, map.bytes, c);
	else if (!program && e->data)
		find_modinfo(e->data, e->bytes, c);
	return err;
}

/* Add a file to a text, on a line of its own. */
static void take_text(const struct initrd_entry *e, char text[INITRD_TEXT_MAX])
{
	size_t used = strlen(text);

	if (e->data)
		snprintf(text + used, INITRD_TEXT_MAX - used, "%.*s\n", (int)strnlen((const char *)e->data, e->bytes),
			 (const char *)e->data);
}

static int note_module(const char *file, struct initrd_contents *c)
{
	_cleanup_free_ char *name = kernels_module_name(file);

	return name ? strv_add(&c->modules, name) : 0;
}

static int look_at(const struct initrd_entry *e, struct initrd_contents *c)
{
	const char *slash = strrchr(e->name, '/'), *base = slash ? slash + 1 : e->name;

	if (strstr(e->name, "lib/modules/") && note_module(e->name, c))
		return -ENOMEM;
	if (strstr(e->name, "etc/cmdline.d/"))
		take_text(e, c->words);
	else if (!strcmp(base, "crypttab"))
		take_text(e, c->crypttab);
	c->lvm = c->lvm || !strcmp(base, "lvm_scan");
	c->mdadm = c->mdadm || !strcmp(base, "mdadm");
	c->cryptsetup = c->cryptsetup || !strcmp(base, "cryptsetup") || !strcmp(base, "systemd-cryptsetup");
	c->init = c->init || !strcmp(base, "rebootless-init");
	c->systemd_init = c->systemd_init || str_ends_with(e->name, "lib/systemd/systemd");
	if (!strcmp(base, "rebootless-restore"))
		c->restore = true;
	else if (!strcmp(base, "rebootless-lib.sh"))
		c->hooks = true;
	else if (!strcmp(base, "nft"))
		c->nft = true;
	else if (!strncmp(base, SYSTEMD_LIBRARY, strlen(SYSTEMD_LIBRARY)))
		sscanf(base, SYSTEMD_LIBRARY "%u", &c->systemd);
	else if (!strcmp(base, "pramfs.ko") || !strncmp(base, "pramfs.ko.", 10))
		return look_at_module(e, c);
	return 0;
}

/* inside: it has been uncompressed already, and what is compressed in it is not looked at. */
static int walk(const uint8_t *p, size_t bytes, const char *name, bool inside,
		struct initrd_contents *c)
{
	_cleanup_unmap_ struct mapped_file map = { 0 };
	struct initrd_entry e;
	const char *program;
	size_t at = 0;
	int err = 0;

	while (!err && at < bytes) {
		if (!p[at]) {
			at++;
		} else if (initrd_entry(p + at, bytes - at, &e)) {
			err = look_at(&e, c);
			at += e.whole;
		} else {
			break;
		}
	}
	if (err || at >= bytes)
		return err;
	program = inside ? NULL : initrd_compression(p + at, bytes - at);
	if (!program)
		return log_refusal(-EINVAL,
				   "%s is damaged: what stands at offset %zu%s is neither a cpio archive nor compressed",
				   name, at, inside ? " of what was compressed" : "");
	err = uncompress(program, p + at, bytes - at, name, &map);
	if (err)
		return err;
	if (!map.bytes)
		return log_refusal(-EINVAL, "%s is damaged: %s cannot uncompress what stands at offset %zu",
				   name, program, at);
	return walk(map.data, map.bytes, name, true, c);
}

int initrd_inspect(const char *path, struct initrd_contents *contents)
{
	_cleanup_unmap_ struct mapped_file file = { 0 };
	struct initrd_contents c = { 0 };
	int err = file_map(path, &file);

	if (!err)
		err = walk(file.data, file.bytes, path, false, &c);
	if (err)
		initrd_contents_free(&c);
	else
		*contents = c;
	return err;
}

void initrd_contents_free(struct initrd_contents *contents)
{
	strv_free(contents->modules);
	contents->modules = NULL;
}
