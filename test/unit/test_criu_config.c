// SPDX-License-Identifier: GPL-2.0
/* Unit tests of criu_config.c, below a /run and an /etc of the test's own. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/criu_config.h"
#include "common/log.h"
#include "test/unit/harness.h"

#define LINES "action-script /ours\nnetwork-lock nftables\ntimeout 45\n"

static void put(const char *path, const char *text)
{
	FILE *to = fopen(path, "we");

	if (!to || fputs(text, to) < 0 || fclose(to))
		complain("cannot write %s", path);
}

static void expect_text(const char *path, const char *expected)
{
	char text[512] = "";
	FILE *from = fopen(path, "re");
	size_t n = from ? fread(text, 1, sizeof(text) - 1, from) : 0;

	text[n] = '\0';
	if (!from || strcmp(text, expected))
		complain("%s says <%s>, not <%s>", path, from ? text : "nothing", expected);
	if (from)
		fclose(from);
}

/* An action script is called as often as files name it. */
static void test_none(void)
{
	begin();
	expect_ok(criu_config_write("", LINES));
	expect_text("/run/rebootless/criu.conf", LINES);
	expect_text("/run/rebootless/criu-runc.conf", "network-lock nftables\ntimeout 45\n");
	EXPECT(access("/etc/criu/crun.conf", F_OK), -1);
	EXPECT(criu_config_is_written(), true);
	expect_ok(criu_config_mount(true, NULL));
	expect_text("/etc/criu/default.conf", LINES);
	umount("/etc/criu/default.conf");
	umount("/etc/criu/runc.conf");
	criu_config_remove();
	EXPECT(criu_config_is_written(), false);
	EXPECT(access("/etc/criu/default.conf", F_OK), -1);
	EXPECT(access("/etc/criu/runc.conf", F_OK), -1);
	end("criu-config.none");
}

/* One container's own lines come once, though runc has CRIU read two files. */
static void test_extended(void)
{
	begin();
	expect_ok(criu_config_write("", LINES));
	expect_ok(criu_config_extend("/run/rebootless/own.conf", "inherit-fd fd[200]:file[1:2]\n"));
	expect_ok(criu_config_mount(true, "/run/rebootless/own.conf"));
	expect_text("/etc/criu/default.conf", LINES "inherit-fd fd[200]:file[1:2]\n");
	expect_text("/etc/criu/runc.conf", "network-lock nftables\ntimeout 45\n");
	expect_text("/run/rebootless/criu.conf", LINES);
	umount("/etc/criu/default.conf");
	umount("/etc/criu/runc.conf");
	criu_config_remove();
	unlink("/run/rebootless/own.conf");
	end("criu-config.extended");
}

/* The administrator's own, with ours in place of what both set. */
static void test_theirs(void)
{
	begin();
	put("/etc/criu/default.conf", "# theirs\n--timeout=3\ntcp-close\n");
	put("/etc/criu/runc.conf", "action-script /theirs\nlog-level 4");
	put("/etc/criu/crun.conf", "  network-lock skip\n");
	expect_ok(criu_config_write("", LINES));
	expect_ok(criu_config_mount(true, NULL));
	expect_text("/etc/criu/default.conf", "# theirs\ntcp-close\n" LINES);
	expect_text("/etc/criu/runc.conf", "log-level 4\nnetwork-lock nftables\ntimeout 45\n");
	expect_text("/etc/criu/crun.conf", "network-lock nftables\ntimeout 45\n");
	umount("/etc/criu/default.conf");
	umount("/etc/criu/runc.conf");
	umount("/etc/criu/crun.conf");
	criu_config_remove();
	expect_text("/etc/criu/default.conf", "# theirs\n--timeout=3\ntcp-close\n");
	expect_text("/etc/criu/runc.conf", "action-script /theirs\nlog-level 4");
	expect_text("/etc/criu/crun.conf", "  network-lock skip\n");
	end("criu-config.theirs");
}

int main(void)
{
	log_set_sink(sink);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) || mount("tmpfs", "/etc", "tmpfs", 0, NULL) ||
	    mkdir("/run/rebootless", 0700)) {
		perror("cannot make a /run and an /etc");
		return 1;
	}
	test_none();
	test_extended();
	test_theirs();
	return failed != 0;
}
