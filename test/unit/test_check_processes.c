// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of checkpoint/check_processes.c with real processes: a child gets
 * something that CRIU cannot carry, and the check has to name it; what CRIU
 * does carry must not be complained about. What the running kernel does not
 * have is skipped. Needs root.
 *
 * With the argument --criu, CRIU itself is asked whether it can dump each child,
 * and has to be of the same opinion.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checkpoint/check_processes.h"
#include "common/engine.h"
#include "common/processes.h"
#include "test/unit/harness.h"

#define GHOST_LIMIT (1u << 20)

/* Descriptors that a case wants to find open in its child. */
static int outside = -1;

/* ---- what the children do: 0, or an errno that says it is not possible here ---- */

static int nothing(void)
{
	return 0;
}

static int opened(int fd)
{
	return fd < 0 ? errno : 0;
}

static int carried(void)
{
	int pair[2], ends[2], epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t set;

	sigemptyset(&set);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || pipe(ends))
		return errno;
	epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
	if (eventfd(0, 0) < 0 || signalfd(-1, &set, 0) < 0 || inotify_init() < 0 ||
	    timerfd_create(CLOCK_MONOTONIC, 0) < 0 || memfd_create("m", 0) < 0 ||
	    pidfd_open(getpid(), 0) < 0 || open("/dev/zero", O_RDWR) < 0 ||
	    open("/proc/self/ns/net", O_RDONLY) < 0 || open("/proc/self", O_RDONLY) < 0 ||
	    socket(AF_INET, SOCK_STREAM, 0) < 0 || socket(AF_INET6, SOCK_DGRAM, 0) < 0 ||
	    socket(AF_NETLINK, SOCK_RAW, 0) < 0 || socket(AF_PACKET, SOCK_RAW, 0) < 0)
		return errno;
	mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return 0;
}

static int io_uring(void)
{
	struct io_uring_params params = { 0 };

	return opened((int)syscall(SYS_io_uring_setup, 4, &params));
}

static int userfault(void)
{
	return opened((int)syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY));
}

static int perf_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
	};

	return opened((int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int bpf_program(void)
{
	/* r0 = 0; exit */
	static const uint64_t code[] = { 0xb7, 0x95 };
	struct {
		uint32_t type, count;
		uint64_t code, license;
		char rest[104];
	} attr = { .type = 1, .count = 2, .code = (uintptr_t)code, .license = (uintptr_t)"GPL" };

	return opened((int)syscall(SYS_bpf, 5, &attr, sizeof(attr)));
}

static int foreign_pidfd(void)
{
	return opened(pidfd_open(1, 0));
}

/* Children come and go, and each is known by a pidfd until it is waited for, as systemd's are. */
static int passing_children(void)
{
	pid_t pid = fork();
	int fd;

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!pid) {
		pid_t child = fork();

		if (!child) {
			usleep(200);
			_exit(0);
		}
		fd = pidfd_open(child, 0);
		waitpid(child, NULL, 0);
		close(fd);
	}
	return pid < 0 ? errno : 0;
}

static int packet_pipe(void)
{
	int ends[2];

	return pipe2(ends, O_DIRECT) ? errno : 0;
}

static int unlinked(off_t bytes)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	return fd < 0 ? errno : posix_fallocate(fd, 0, bytes);
}

static int big_unlinked(void)
{
	return unlinked(2 * GHOST_LIMIT);
}

static int small_unlinked(void)
{
	return unlinked(GHOST_LIMIT / 2);
}

static int big_mapped(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	if (fd < 0 || ftruncate(fd, 2 * GHOST_LIMIT) || posix_fallocate(fd, 0, 2 * GHOST_LIMIT))
		return errno;
	mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return 0;
}

static int socket_alg(void)
{
	return opened(socket(AF_ALG, SOCK_SEQPACKET, 0));
}

static int socket_vsock(void)
{
	return opened(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int socket_mptcp(void)
{
	return opened(socket(AF_INET, SOCK_STREAM, 262));
}

static int socket_sctp(void)
{
	return opened(socket(AF_INET, SOCK_STREAM, 132));
}

static int kernel_tls(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t length = sizeof(address);

	if (bind(server, (void *)&address, length) || listen(server, 1) ||
	    getsockname(server, (void *)&address, &length) ||
	    connect(client, (void *)&address, length) || accept(server, NULL, NULL) < 0 ||
	    setsockopt(client, IPPROTO_TCP, TCP_ULP, "tls", 3))
		return errno;
	return 0;
}

/* `outside` is one end of a pair, of which the test has the other. */
static int half_pair(void)
{
	return opened(dup(outside));
}

static int char_device(void)
{
	return opened(open("/dev/fuse", O_RDWR));
}

static int block_device(void)
{
	int fd;

	mknod("/dev/test_check.block", S_IFBLK | 0600, makedev(7, 0));
	fd = open("/dev/test_check.block", O_RDONLY | O_NONBLOCK);
	unlink("/dev/test_check.block");
	return opened(fd);
}

static int terminal(bool both)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), number, unlock = 0, slave;
	char path[64];

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) || ioctl(master, TIOCGPTN, &number))
		return errno;
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	slave = open(path, O_RDWR | O_NOCTTY);
	if (slave < 0)
		return errno;
	if (!both) {
		/* somebody else keeps it */
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			setsid();
			if (fork())
				_exit(0);
			close(slave);
			/* nobody's child, and so to end by itself */
			alarm(300);
			pause();
		}
		wait(NULL);
		close(master);
	}
	return 0;
}

static int half_terminal(void)
{
	return terminal(false);
}

static int whole_terminal(void)
{
	return terminal(true);
}

/* As under sshd: the master is the parent's, the shell has the terminal for its jobs. */
static int shell(void)
{
	int err = terminal(true), ready[2];
	char byte = 0;

	if (err || pipe(ready))
		return err ? err : errno;
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		/* the slave: opened last, before the pipe */
		byte = ioctl(ready[0] - 1, TIOCSCTTY, 0) || open("/dev/tty", O_RDWR) < 0 ? 'x' : 0;
		close(ready[0]);
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1 || byte)
		err = ENOTTY;
	close(ready[0]);
	return err;
}

static int deadline(void)
{
	/* struct sched_attr; its header does not go with sched.h */
	const struct {
		uint32_t size, policy;
		uint64_t flags;
		uint32_t nice, priority;
		uint64_t runtime, deadline, period;
	} attr = { sizeof(attr), 6, 0, 0, 0, 1000000, 10000000, 10000000 };

	return syscall(SYS_sched_setattr, 0, &attr, 0) ? errno : 0;
}

static int traced_child(void)
{
	pid_t pid = fork();

	if (pid) {
		waitpid(pid, NULL, WUNTRACED);
		return 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	for (;;)
		pause();
}

static int time_namespace(void)
{
	return unshare(0x80) ? errno : 0;
}

static int nested_uts(void)
{
	int ready[2];
	char byte;

	if (pipe(ready))
		return errno;
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = unshare(CLONE_NEWUTS) ? (char)errno : 0;
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	return read(ready[0], &byte, 1) == 1 ? byte : EIO;
}

/* With standard input, output and error of its own mounts. */
static int own_mounts(void)
{
	int null, i;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return errno;
	null = open("/dev/null", O_RDWR);
	for (i = 0; i < 3; i++)
		dup2(null, i);
	return opened(null);
}

static int outside_file(void)
{
	int fd = open("/tmp/test_check.file", O_RDWR | O_CREAT, 0600), err = own_mounts();

	unlink("/tmp/test_check.file");
	return err ? err : opened(dup2(fd, 1));
}

/* It keeps its name, by which a runtime's CRIU is given it. */
static int outside_log(void)
{
	int fd = open("/tmp/test_check.file", O_WRONLY | O_CREAT | O_APPEND, 0600), err = own_mounts();

	return err ? err : opened(dup2(fd, 1));
}

static int outside_null(void)
{
	int fd = open("/dev/null", O_RDWR), err = own_mounts();

	return err ? err : opened(dup2(fd, 1));
}

static int fuse_mount(void)
{
	int err = own_mounts(), fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[128];

	if (err || fd < 0)
		return err ? err : errno;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	err = mount("nobody", "/mnt", "fuse.test", 0, options) ? errno : 0;
	return err;
}

static int message_queue(void)
{
	int err = own_mounts();

	if (err || unshare(CLONE_NEWIPC))
		return err ? err : errno;
	if (mount("mqueue", "/mnt", "mqueue", 0, NULL) ||
	    mq_open("/letters", O_CREAT | O_RDWR, 0600, NULL) < 0)
		return errno;
	return 0;
}

static int shared_tmpfs(void)
{
	int err = own_mounts();

	if (!err && mount("t", "/mnt", "tmpfs", 0, NULL))
		err = errno;
	return err;
}

static int host_sysv(void)
{
	int id = (int)syscall(SYS_shmget, 0, 4096, 0600);

	if (id < 0 || syscall(SYS_shmat, id, NULL, 0) == -1)
		return errno;
	syscall(SYS_shmctl, id, 0, NULL);
	return 0;
}

#define CGROUP "/sys/fs/cgroup/test_check"

static int written(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), err = fd < 0 || write(fd, text, strlen(text)) < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

/* A cgroup namespace, whose first process goes below its root and enables controllers there. */
static int cgroup_namespace(const char *controllers)
{
	int err;

	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		return errno;
	err = written(CGROUP "/cgroup.procs", "0");
	if (!err && unshare(CLONE_NEWCGROUP))
		err = errno;
	if (!err && mkdir(CGROUP "/init.scope", 0755) && errno != EEXIST)
		err = errno;
	if (!err)
		err = written(CGROUP "/init.scope/cgroup.procs", "0");
	return err ? err : written(CGROUP "/cgroup.subtree_control", controllers);
}

static int threaded_controllers(void)
{
	return cgroup_namespace("+pids");
}

static int domain_controllers(void)
{
	return cgroup_namespace("+pids +memory");
}

/* ---- the cases ------------------------------------------------------------------------ */

static const struct {
	const char *name;
	int (*setup)(void);
	const char *expected;	/* in a finding, or NULL: none at all */
} cases[] = {
	{ "nothing", nothing, NULL },
	{ "carried", carried, NULL },
	{ "io_uring", io_uring, "is an io_uring, which CRIU cannot carry" },
	{ "userfaultfd", userfault, "is a userfaultfd, which CRIU cannot carry" },
	{ "perf", perf_event, "is a perf event, which CRIU cannot carry" },
	{ "bpf", bpf_program, "is a BPF program, which CRIU cannot carry" },
	{ "pidfd", foreign_pidfd, "is a pidfd of process 1, which is not in the container" },
	{ "passing-pidfds", passing_children, NULL },
	{ "packet-pipe", packet_pipe, "is a pipe in packet mode (O_DIRECT)" },
	{ "ghost", big_unlinked, "takes 2097152 bytes, more than ghost-limit (1048576)" },
	{ "small-ghost", small_unlinked, NULL },
	{ "mapped-ghost", big_mapped, "takes 2097152 bytes, more than ghost-limit (1048576)" },
	{ "alg", socket_alg, "is a socket of the family AF_ALG" },
	{ "vsock", socket_vsock, "is a socket of the family AF_VSOCK" },
	{ "mptcp", socket_mptcp, "is a socket of multipath TCP" },
	{ "sctp", socket_sctp, "is an internet socket of protocol 132" },
	{ "tls", kernel_tls, "is a TCP socket with kernel TLS or the like (tls)" },
	{ "half-pair", half_pair, "is a unix socket whose other end" },
	{ "device", char_device, "is the device /dev/fuse (10:229)" },
	{ "block", block_device, "is the block device" },
	{ "half-terminal", half_terminal, "is the terminal /dev/pts/" },
	{ "terminal", whole_terminal, NULL },
	{ "shell", shell, "is /dev/tty, by which an interactive shell controls its jobs" },
	{ "deadline", deadline, "has the scheduling policy SCHED_DEADLINE" },
	{ "traced", traced_child, "it is traced by process " },
	{ "cgroup-threaded", threaded_controllers, NULL },
	{ "cgroup-domain", domain_controllers, "gives the controller memory to cgroups below it" },
	{ "time-namespace", time_namespace, "has made a time namespace for its children" },
	{ "nested-uts", nested_uts, "has a uts namespace of its own within the container" },
	{ "fuse", fuse_mount, "/mnt is a FUSE filesystem (fuse.test)" },
	{ "message-queue", message_queue, "the POSIX message queue letters in /mnt" },
	{ "outside-file", outside_file, "in no mount of the container, where CRIU could not find it" },
	{ "outside-log", outside_log, NULL },
	{ "outside-log-of-tree", outside_log, "in no mount of the container, where CRIU could not find it" },
	{ "outside-null", outside_null, "in no mount of the container, where CRIU could not find it" },
	{ "tmpfs", shared_tmpfs, NULL },
	{ "sysv", host_sysv, "System V shared memory of the host is mapped" },
};

/* With nothing of ours open but `outside` and the pipe that says it is ready. */
static _Noreturn void child(int (*setup)(void), int ready)
{
	int null = open("/dev/null", O_RDWR), i, err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	for (i = 0; i < 3; i++)
		dup2(null, i);
	/* 3: ready, 4: outside */
	dup2(outside, 40);
	dup2(ready, 3);
	if (outside >= 0)
		dup2(40, 4);
	close_range(outside >= 0 ? 5 : 4, ~0u, 0);
	outside = outside >= 0 ? 4 : -1;
	err = setup();
	if (outside >= 0 && setup != half_pair)
		close(outside);
	if (write(3, &err, sizeof(err)) != sizeof(err))
		_exit(1);
	close(3);
	for (;;)
		pause();
}

static bool found(const struct findings *f, const char *text)
{
	size_t i;

	for (i = 0; i < f->nr; i++)
		if (strstr(f->finding[i].text, text))
			return true;
	return false;
}

static const struct engine runtime = { .name = "crun", .carries_outside_files = true };

/* By the name that CRIU gives it: mount and inode. */
static void expect_outside_log(const struct container *c, pid_t pid)
{
	struct json_object *path;
	char key[64], line[64];
	struct stat st = { 0 };
	long mount = 0;
	FILE *info;

	snprintf(key, sizeof(key), "/proc/%d/fdinfo/1", (int)pid);
	info = fopen(key, "re");
	while (info && fgets(line, sizeof(line), info) && sscanf(line, "mnt_id: %ld", &mount) != 1)
		;
	if (!info || fclose(info) || stat("/tmp/test_check.file", &st))
		complain("it is not there");
	snprintf(key, sizeof(key), "file[%lx:%lx]", (unsigned long)mount, (unsigned long)st.st_ino);
	if (!json_object_object_get_ex(c->outside_files, key, &path) ||
	    strcmp(json_object_get_string(path), "/tmp/test_check.file"))
		complain("outside-files are %s, without %s",
			 json_object_to_json_string(c->outside_files), key);
}

static void expect_findings(pid_t pid, size_t i)
{
	const char *expected = cases[i].expected;
	struct container c = { .name = "web", .pid = pid };
	_cleanup_findings_ struct findings f = { 0 };

	if (cases[i].setup == outside_log && !expected)
		c.engine = &runtime;
	expect_ok(check_processes(&c, GHOST_LIMIT, &f));
	if (c.engine)
		expect_outside_log(&c, pid);
	json_object_put(c.outside_files);
	findings_log(&f);
	if (!expected && f.nr)
		complain("complains without a reason: %.600s", said);
	if (expected && !found(&f, expected))
		complain("found \"%.600s\", expected \"%s\"", said, expected);
	if (expected && !findings_refuse(&f, "web"))
		complain("does not refuse");
}

/*
 * What CRIU dumps and cannot restore, or restores as something else; and a
 * mount namespace with all that the host has mounted, which it may not dump.
 */
static bool may_differ(const char *name)
{
	static const char *const names[] = {
		"half-terminal", "deadline", "tls", "outside-file", "outside-log", "outside-log-of-tree",
		"outside-null", "tmpfs",
		"cgroup-domain",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* CRIU's own words, from the end of its log. */
static void criu_says(char *words, size_t size)
{
	FILE *f = popen("grep -a Error /tmp/test_check.images/dump.log | tail -n 3", "re");
	size_t n = f ? fread(words, 1, size - 1, f) : 0;

	words[n] = '\0';
	if (f)
		pclose(f);
}

/* As the engine of plain trees asks it, and the runtimes much the same. */
static void expect_criu_agrees(pid_t pid, const char *expected)
{
	char command[512], words[512];
	int status;

	snprintf(command, sizeof(command),
		 "rm -rf /tmp/test_check.images; mkdir /tmp/test_check.images; "
		 "criu dump --tree %d --images-dir /tmp/test_check.images --log-file dump.log "
		 "--leave-running --tcp-established --file-locks --shell-job --link-remap "
		 "--manage-cgroups=ignore --network-lock nftables --ghost-limit %u >/dev/null 2>&1",
		 (int)pid, GHOST_LIMIT);
	status = system(command);
	criu_says(words, sizeof(words));
	if (status && !expected)
		complain("CRIU cannot dump it, and the check says nothing: %s", words);
	if (!status && expected)
		complain("CRIU can dump it, and the check says that it cannot");
}

static bool ask_criu;

static void run_case(size_t i)
{
	int ready[2], pair[2], err = EIO, looks = 1;
	char name[64];
	pid_t pid;

	begin();
	snprintf(name, sizeof(name), "check.%s", cases[i].name);
	if (pipe(ready) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		complain("cannot make a pipe");
	outside = -1;
	if (cases[i].setup == half_pair)
		outside = pair[0];
	pid = fork();
	if (!pid)
		child(cases[i].setup, ready[1]);
	close(ready[1]);
	if (read(ready[0], &err, sizeof(err)) != sizeof(err))
		complain("its child died");
	/* it must come between the list and a look at a descriptor */
	if (cases[i].setup == passing_children)
		looks = 300;
	while (!err && !why[0] && looks--)
		expect_findings(pid, i);
	if (!err && ask_criu && !may_differ(cases[i].name))
		expect_criu_agrees(pid, cases[i].expected);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink("/tmp/test_check.file");
	rmdir(CGROUP "/init.scope");
	rmdir(CGROUP);
	close(ready[0]);
	close(pair[0]);
	close(pair[1]);
	if (err && !why[0])
		printf("skip %s: %s\n", name, strerror(err));
	else
		end(name);
}

/* Another process, or one that has ended and is not waited for, does not pass for it. */
static void test_started(void)
{
	uint64_t own = process_started(getpid()), started;
	int status;
	pid_t pid;

	begin();
	usleep(50000);
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	started = process_started(pid);
	if (!own || own != process_started(getpid()) || started <= own)
		complain("started %" PRIu64 ", the child %" PRIu64, own, started);
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	EXPECT(process_started(pid), 0);
	waitpid(pid, &status, 0);
	EXPECT(process_started(pid), 0);
	end("processes.started");
}

int main(int argc, char **argv)
{
	size_t i;

	ask_criu = argc > 1 && !strcmp(argv[1], "--criu");
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_set_sink(sink);
	if (geteuid()) {
		printf("skip check: root is needed\n");
		return 0;
	}
	test_started();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run_case(i);
	return failed != 0;
}
