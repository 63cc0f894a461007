// SPDX-License-Identifier: GPL-2.0
/*
 * Every program gets a process group of its own, so that what it started can
 * be ended with it. Of the environment it gets little. All descriptors but 0 to 2
 * are closed at its exec; one that in_child() wants to hand on, it makes inheritable
 * itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "deadline.h"
#include "file.h"
#include "log.h"
#include "run.h"

#define RUN_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define RUN_OUTPUT_MAX (16u << 20)
#define IN_CHILD_FAILED 126

struct stdio {
	int in, out, err;
};

/* 0 seconds = no limit. */
static int64_t limit(unsigned int seconds)
{
	return seconds ? deadline_in(seconds) : DEADLINE_NONE;
}

/* An ignored signal and a blocked one are inherited through an exec. */
static void signals_default(void)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Of a login's environment they must know nothing: with XDG_RUNTIME_DIR crun has
 * other containers, with CONTAINER_HOST podman is another machine's.
 */
static int set_environment(void)
{
	static const char *const kept[] = { "LANG", "LC_ALL", "TERM", "TZ" };
	_cleanup_free_ char *path = strdup(getenv("PATH") ? getenv("PATH") : RUN_PATH);
	char *value[sizeof(kept) / sizeof(kept[0])];
	int err = path ? 0 : -1;
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		value[i] = getenv(kept[i]);
	/* forgets the strings, and leaves them where they are */
	clearenv();
	for (i = 0; !err && i < sizeof(kept) / sizeof(kept[0]); i++)
		if (value[i])
			err = setenv(kept[i], value[i], 1);
	return err ? err : setenv("PATH", path, 1);
}

/* `report` takes errno when the exec fails; it closes by itself when it does not. */
static _Noreturn void child(char *const *argv, const struct run_options *options,
			    const struct stdio *io, int report)
{
	int err = 0;

	setpgid(0, 0);
	signals_default();
	if (dup2(io->in, STDIN_FILENO) < 0 || dup2(io->out, STDOUT_FILENO) < 0 ||
	    dup2(io->err, STDERR_FILENO) < 0 || close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		err = errno;
	if (!err && options->in_child && options->in_child(options->arg))
		_exit(IN_CHILD_FAILED);
	if (!err && set_environment())
		err = ENOMEM;
	if (!err) {
		execvp(argv[0], argv);
		err = errno;
	}
	if (write(report, &err, sizeof(err)) < 0)
		_exit(IN_CHILD_FAILED);
	_exit(IN_CHILD_FAILED + 1);
}

static pid_t start(char *const *argv, const struct run_options *options, const struct stdio *io)
{
	_cleanup_close_ int reader = -1, writer = -1;
	int ends[2], err = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return log_syserr(errno, "cannot start %s: no pipe", argv[0]);
	reader = ends[0];
	writer = ends[1];
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return log_syserr(errno, "cannot start %s", argv[0]);
	if (!pid)
		child(argv, options, io, writer);
	close(steal_fd(&writer));
	do {
		n = read(reader, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(err))
		return pid;
	waitpid(pid, NULL, 0);
	return log_syserr(err, "cannot run %s", argv[0]);
}

static int open_null(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? log_syserr(errno, "cannot open /dev/null") : fd;
}

pid_t run_start(char *const *argv, const struct run_options *options)
{
	static const struct run_options none;
	_cleanup_close_ int null = open_null(), log = -1;
	struct stdio io = { .in = null, .out = STDOUT_FILENO, .err = STDERR_FILENO };

	if (null < 0)
		return null;
	if (!options)
		options = &none;
	if (options->log) {
		log = open(options->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (log < 0)
			return log_syserr(errno, "cannot write %s, the log of %s", options->log,
					  argv[0]);
		io.out = log;
		io.err = log;
	}
	return start(argv, options, &io);
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return log_syserr(errno, "cannot wait for process %d", (int)pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void kill_group(pid_t pid)
{
	/* The group is gone once its last member is; the leader may have left it. */
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	reap(pid);
}

static int timed_out(pid_t pid, unsigned int seconds)
{
	char path[64], name[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file_read_line(path, name, sizeof(name));
	kill_group(pid);
	return log_refusal(-ETIMEDOUT, "%s (process %d) had not ended after %u s, and was killed",
			   *name ? name : "a program", (int)pid, seconds);
}

/* 1 = one of them is ready, 0 = the deadline has passed, or -errno. */
static int poll_until(struct pollfd *fds, nfds_t nr, int64_t deadline)
{
	int n;

	do {
		n = poll(fds, nr, deadline_left(deadline));
	} while ((n < 0 && errno == EINTR) || (!n && deadline_left(deadline)));
	return n < 0 ? -errno : n > 0;
}

static int wait_until(pid_t pid, int64_t deadline, unsigned int seconds)
{
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	int n;

	if (pidfd < 0)
		return log_syserr(errno, "cannot wait for process %d", (int)pid);
	n = poll_until(&ended, 1, deadline);
	if (n < 0)
		return log_syserr(-n, "cannot wait for process %d", (int)pid);
	return n ? reap(pid) : timed_out(pid, seconds);
}

int run_wait(pid_t pid, unsigned int seconds)
{
	return wait_until(pid, limit(seconds), seconds);
}

int run(char *const *argv, const struct run_options *options, unsigned int seconds)
{
	pid_t pid = run_start(argv, options);

	return pid < 0 ? pid : run_wait(pid, seconds);
}

struct output {
	char *text;
	size_t used, size;
};

/* Bytes read; 0 = its end; -EAGAIN = nothing there now; or another -errno. */
static ssize_t output_read(struct output *o, int fd)
{
	ssize_t n;

	if (o->used + 1 >= o->size) {
		size_t size = o->size ? 2 * o->size : 4096;
		char *more = realloc(o->text, size);

		if (!more)
			return -ENOMEM;
		o->text = more;
		o->size = size;
	}
	n = read(fd, o->text + o->used, o->size - o->used - 1);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	o->used += (size_t)n;
	o->text[o->used] = '\0';
	return o->used > RUN_OUTPUT_MAX ? -E2BIG : n;
}

/*
 * Until its end, or until the program has ended: a daemon that it left behind
 * may hold the pipe for ever. 0, -ETIMEDOUT or another -errno, not logged.
 */
static int output_collect(struct output *o, int fd, int pidfd, int64_t deadline)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	ssize_t n;
	int err;

	for (;;) {
		err = poll_until(fds, 2, deadline);
		if (err <= 0)
			return err ? err : -ETIMEDOUT;
		do {
			n = output_read(o, fd);
		} while (n > 0);
		if (n != -EAGAIN)
			return (int)n;
		if (fds[1].revents)
			return 0;
	}
}

static int read_from(pid_t pid, int fd, unsigned int seconds, struct output *o)
{
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	int64_t deadline = limit(seconds);
	int err = pidfd < 0 ? -errno : output_collect(o, fd, pidfd, deadline);

	if (err == -ETIMEDOUT)
		return timed_out(pid, seconds);
	if (err) {
		kill_group(pid);
		return log_syserr(-err, "cannot read what process %d says (at most %u MiB)",
				  (int)pid, RUN_OUTPUT_MAX >> 20);
	}
	return wait_until(pid, deadline, seconds);
}

int run_read(char *const *argv, unsigned int seconds, char **output)
{
	static const struct run_options none;
	_cleanup_close_ int null = open_null(), reader = -1, writer = -1;
	struct stdio io = { .in = null, .err = STDERR_FILENO };
	struct output o = { 0 };
	int ends[2], status;
	pid_t pid;

	if (null < 0)
		return null;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return log_syserr(errno, "cannot start %s: no pipe", argv[0]);
	reader = ends[0];
	writer = ends[1];
	io.out = writer;
	/* Ours alone: the program's end must block as a pipe does. */
	fcntl(reader, F_SETFL, O_NONBLOCK);
	pid = start(argv, &none, &io);
	if (pid < 0)
		return pid;
	close(steal_fd(&writer));
	status = read_from(pid, reader, seconds, &o);
	if (status < 0)
		free(o.text);
	else
		*output = o.text;
	return status;
}
