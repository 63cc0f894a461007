// SPDX-License-Identifier: GPL-2.0
/*
 * What a kernel of its own accord allows nobody: more inotify instances, asynchronous I/O and
 * open files than its limits, which the host has raised.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "survivor.h"

/* The kernel's own: 128 for a user, 65536, 1048576. */
#define INSTANCES 140
#define EVENTS 70000
#define FILES 1100000

static int instance[INSTANCES], file;
static aio_context_t context;

static void need(const char *limit, long long least)
{
	if (atoll(file_text(limit)) < least)
		survivor_skip("%s is below %lld", limit, least);
}

static void set_up(void)
{
	const struct rlimit files = { 1000, FILES };
	int i;

	need("/proc/sys/fs/inotify/max_user_instances", INSTANCES + 40);
	need("/proc/sys/fs/aio-max-nr", EVENTS + 1000);
	need("/proc/sys/fs/nr_open", FILES);
	for (i = 0; i < INSTANCES; i++)
		instance[i] = must(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	must(syscall(SYS_io_setup, EVENTS, &context));
	if (setrlimit(RLIMIT_NOFILE, &files))
		survivor_skip("no leave to raise the limit of open files");
	must(put_text(own_path("file"), "asynchronous") ? 0 : -1);
	file = must(open(own_path("file"), O_RDONLY | O_CLOEXEC));
}

static void check_io(void)
{
	char text[13] = "";
	struct iocb read = { .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = (unsigned int)file,
			     .aio_buf = (uintptr_t)text, .aio_nbytes = sizeof(text) - 1 };
	struct iocb *list[] = { &read };
	struct io_event event;

	if (!expect_call("io_submit", syscall(SYS_io_submit, context, 1, list)))
		return;
	expect_num("events", 1, syscall(SYS_io_getevents, context, 1, 1, &event, NULL));
	expect_text("read by asynchronous I/O", "asynchronous", text);
}

static void check(void)
{
	struct rlimit files;
	char bytes[512];
	int i, watch;

	for (i = 0; i < INSTANCES; i++) {
		watch = inotify_add_watch(instance[i], own_path(""), IN_DELETE_SELF);
		if (!expect_call("inotify_add_watch", watch))
			break;
		inotify_rm_watch(instance[i], watch);
		expect_true("inotify event", read(instance[i], bytes, sizeof(bytes)) > 0);
	}
	check_io();
	expect_call("getrlimit", getrlimit(RLIMIT_NOFILE, &files));
	expect_num("open files, at most", FILES, (long long)files.rlim_max);
}

static void sabotage(int which)
{
	const struct rlimit files = { 1000, 1000 };

	switch (which) {
	case 1: close(instance[INSTANCES / 2]); break;
	case 2: syscall(SYS_io_destroy, context); break;
	case 3: setrlimit(RLIMIT_NOFILE, &files); break;
	}
}

const struct survivor survivor_raised_limits = {
	.name = "raised_limits",
	.keeps = "more than the kernel's own limits allow, where the host has raised them",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 3,
	.by_update = true,
};
