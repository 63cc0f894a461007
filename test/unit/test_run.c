// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of run.c, with sh, sleep and cat of the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/deadline.h"
#include "common/file.h"
#include "common/run.h"
#include "common/unit.h"
#include "harness.h"

#define SH(script) ((char *const[]){ "sh", "-c", (script), NULL })

static char log_path[] = "/tmp/test_run.XXXXXX";

static void test_status(void)
{
	begin();
	EXPECT(run(SH("exit 0"), NULL, 10), 0);
	EXPECT(run(SH("exit 7"), NULL, 0), 7);
	EXPECT(run(SH("kill -TERM $$"), NULL, 10), 128 + SIGTERM);
	EXPECT(said[0], '\0');
	end("run.status");
}

static void test_not_there(void)
{
	char *const argv[] = { "/nonexistent/program", NULL };

	begin();
	expect_refused(run(argv, NULL, 10), -ENOENT, "cannot run /nonexistent/program: No such file");
	EXPECT(run_start(argv, NULL), -ENOENT);
	end("run.not-there");
}

static void test_timeout(void)
{
	struct run_options options = { .log = log_path };
	int64_t start = deadline_now();
	char text[64];
	pid_t child;

	begin();
	expect_refused(run(SH("sleep 60 & echo $! >&2; wait"), &options, 1), -ETIMEDOUT,
		       "had not ended after 1 s, and was killed");
	if (deadline_now() - start > 5000)
		complain("it took %d ms", (int)(deadline_now() - start));
	if (file_read_line(log_path, text, sizeof(text)) <= 0)
		complain("nothing in the log");
	child = atoi(text);
	usleep(100000);
	/* Nobody but init reaps it: a zombie has no memory any more. */
	snprintf(text, sizeof(text), "/proc/%d/cmdline", (int)child);
	if (file_read(text, said, sizeof(said)) > 0)
		complain("the program's child %d lives on", (int)child);
	end("run.timeout-kills-the-group");
}

static void test_log_appends(void)
{
	struct run_options options = { .log = log_path };
	char text[64] = "";

	begin();
	truncate(log_path, 0) ? complain("truncate") : (void)0;
	EXPECT(run(SH("echo out"), &options, 10), 0);
	EXPECT(run(SH("echo err >&2"), &options, 10), 0);
	file_read(log_path, text, sizeof(text));
	if (strcmp(text, "out\nerr\n"))
		complain("the log has \"%s\"", text);
	options.log = "/nonexistent/log";
	expect_refused(run(SH("exit 0"), &options, 10), -ENOENT, "cannot write /nonexistent/log");
	end("run.log");
}

static int refuse(void *arg)
{
	return *(int *)arg;
}

static void test_in_child(void)
{
	int answer = 1;
	struct run_options options = { .in_child = refuse, .arg = &answer };

	begin();
	EXPECT(run(SH("exit 0"), &options, 10), 126);
	answer = 0;
	EXPECT(run(SH("exit 3"), &options, 10), 3);
	end("run.in-child");
}

static void test_read(void)
{
	_cleanup_free_ char *text = NULL, *none = NULL, *daemon = NULL, *large = NULL;
	int64_t start = deadline_now();

	begin();
	EXPECT(run_read(SH("printf 'one\\ntwo'"), 10, &text), 0);
	if (!text || strcmp(text, "one\ntwo"))
		complain("read \"%s\"", text ? text : "");
	EXPECT(run_read(SH("exit 4"), 10, &none), 4);
	EXPECT(run_read(SH("sleep 60 >/dev/null"), 1, &none), -ETIMEDOUT);
	/* A daemon that keeps the pipe open. */
	EXPECT(run_read(SH("echo up; sleep 8 & exit 0"), 10, &daemon), 0);
	if (!daemon || strcmp(daemon, "up\n"))
		complain("read \"%s\"", daemon ? daemon : "");
	if (deadline_now() - start > 6000)
		complain("it waited for the daemon");
	EXPECT(run_read(SH("head -c 3000000 /dev/zero | tr '\\0' x"), 10, &large), 0);
	EXPECT(large ? strlen(large) : 0, 3000000);
	expect_refused(run_read(SH("cat /dev/zero"), 10, &none), -E2BIG, "at most 16 MiB");
	end("run.read");
}

/* Nothing is inherited: descriptors, blocked and ignored signals, standard input, most of the environment; PATH is there. */
static void test_clean_slate(void)
{
	_cleanup_close_ int fd = open("/dev/null", O_RDONLY);
	_cleanup_free_ char *text = NULL, *path = NULL;
	char *kept = strdup(getenv("PATH"));
	sigset_t block;

	begin();
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	signal(SIGUSR2, SIG_IGN);
	EXPECT(run_read(SH("ls /proc/self/fd | wc -l; readlink /proc/self/fd/0; sed -n 's/^Sig[BI][lg][kn]:.*\\(.......\\)$/\\1/p' /proc/self/status"),
			10, &text), 0);
	/* ls has one on the directory; signals 32 and 33, further left, are the C library's. */
	if (!text || strcmp(text, "4\n/dev/null\n0000000\n0000000\n"))
		complain("the child says \"%s\"", text ? text : "");
	unsetenv("PATH");
	setenv("TZ", "UTC", 1);
	setenv("XDG_RUNTIME_DIR", "/run/user/0", 1);
	EXPECT(run_read((char *const[]){ "env", NULL }, 10, &path), 0);
	if (!path || !strstr(path, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n") ||
	    !strstr(path, "TZ=UTC\n") || strstr(path, "XDG_RUNTIME_DIR"))
		complain("the environment is \"%s\"", path ? path : "");
	unsetenv("XDG_RUNTIME_DIR");
	setenv("PATH", kept, 1);
	free(kept);
	end("run.clean-slate");
}

/* unit.c, with a systemctl that says what the test wants. */
static void test_unit_runs(void)
{
	static const struct {
		const char *script;
		bool runs;
	} says[] = {
		{ "echo active", true }, { "echo activating", true }, { "echo deactivating", true },
		{ "echo inactive", false }, { "echo failed", false }, { "exit 1", false },
	};
	char dir[] = "/tmp/test_run_unit.XXXXXX", text[64];
	_cleanup_free_ char *path = strdup(getenv("PATH"));
	size_t i;

	begin();
	if (!path || !mkdtemp(dir) || setenv("PATH", dir, 1))
		complain("cannot make a directory");
	for (i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", says[i].script);
		expect_ok(file_write(dir, "systemctl", 0755, text));
		if (unit_runs("x.service") != says[i].runs)
			complain("`%s`: taken for the contrary", says[i].script);
	}
	setenv("PATH", path, 1);
	run(((char *const[]){ "rm", "-r", dir, NULL }), NULL, 10);
	end("run.unit");
}

int main(void)
{
	int fd = mkstemp(log_path);

	if (fd < 0)
		return 1;
	close(fd);
	log_set_sink(sink);
	test_status();
	test_not_there();
	test_timeout();
	test_log_appends();
	test_in_child();
	test_read();
	test_clean_slate();
	test_unit_runs();
	unlink(log_path);
	return failed != 0;
}
