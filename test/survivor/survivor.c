// SPDX-License-Identifier: GPL-2.0
/*
 * survivor.c - the program: runs survivors, asks them, and says what they found.
 *
 *   survivor --list             names, and what each keeps
 *   survivor --list-large       those that take as much memory as they are told
 *   survivor --list-update      those that an update carries, and CRIU alone does not
 *   survivor --once NAME DIR    set up, check at once, end; for tests without CRIU.
 *                               SURVIVOR_SABOTAGE=N does harm N in between
 *   survivor --sabotages NAME   how many harms it knows
 *   survivor NAME DIR           run for ever
 *   survivor --all DIR NAME...  be the parent of several, as the init of a container
 *
 * In DIR: NAME.ready comes when it is set up, with its pid; a number in `check`
 * that is new asks for a check; NAME.result is then "NUMBER PASS", "NUMBER
 * FAIL: what, expected, found" or "NUMBER SKIP: why". NAME.d/ is its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "survivor.h"

/* All of the table; the last one only ends the list. */
extern const struct survivor
#define SURVIVOR(name) survivor_##name,
#include "survivors.h"
#undef SURVIVOR
	survivor_none;

static const struct survivor *const survivors[] = {
#define SURVIVOR(name) &survivor_##name,
#include "survivors.h"
#undef SURVIVOR
	NULL
};

/* Shared with helpers: they add to what was found, and are asked through it. */
#define MAX_HELPERS 16
struct common {
	int failures;
	char text[2048];
	int helpers;
	struct {
		pid_t pid;
		int asked, answered;
		void (*call)(void);
	} helper[MAX_HELPERS];
};

static struct common *common;
static const struct survivor *self;
static char dir[PATH_MAX], name_of_dir[PATH_MAX];
static pid_t my_pid;
static unsigned long long ticks;
static char sleep_failure[64];
struct clock_gaps clock_gaps;

static void put_result(int number, const char *text)
{
	char tmp[PATH_MAX + 64], path[PATH_MAX + 64];
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s/.%s.result", dir, self->name);
	snprintf(path, sizeof(path), "%s/%s.result", dir, self->name);
	f = fopen(tmp, "w");
	if (!f)
		return;
	fprintf(f, "%d ", number);
	/* One line, whatever a value has in it */
	for (; *text; text++)
		fputc(*text < ' ' && *text >= 0 ? ' ' : *text, f);
	fputc('\n', f);
	fclose(f);
	rename(tmp, path);
}

static __attribute__((noreturn)) void give_up(const char *verdict, const char *text)
{
	char line[2048];

	snprintf(line, sizeof(line), "%s: %s", verdict, text);
	printf("%s\n", line);
	/* 0 stands for every check that may come. */
	if (*dir)
		put_result(0, line);
	exit(strcmp(verdict, "SKIP") ? 1 : 77);
}

long must_(long value, const char *call)
{
	char text[512];

	if (value != -1)
		return value;
	snprintf(text, sizeof(text), "%s, expected success, found %s", call,
		 strerror(errno));
	give_up("FAIL", text);
}

void *must_map(void *p, const char *call)
{
	if (p == MAP_FAILED || !p)
		must_(-1, call);
	return p;
}

void survivor_skip(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	give_up("SKIP", text);
}

static __attribute__((format(printf, 1, 2))) void failed(const char *fmt, ...)
{
	size_t used = strlen(common->text);
	va_list ap;

	/* The first few say it; the text must not run over. */
	if (common->failures++ >= 6)
		return;
	va_start(ap, fmt);
	if (used)
		used += snprintf(common->text + used, sizeof(common->text) - used, "; ");
	vsnprintf(common->text + used, sizeof(common->text) - used, fmt, ap);
	va_end(ap);
}

void expect_num(const char *what, long long expected, long long found)
{
	if (expected != found)
		failed("%s, expected %lld, found %lld", what, expected, found);
}

void expect_range(const char *what, long long least, long long most, long long found)
{
	if (found < least || found > most)
		failed("%s, expected %lld to %lld, found %lld", what, least, most, found);
}

void expect_text(const char *what, const char *expected, const char *found)
{
	if (strcmp(expected, found))
		failed("%s, expected \"%.200s\", found \"%.200s\"", what, expected, found);
}

void expect_bytes(const char *what, const void *expected, const void *found, size_t size)
{
	const unsigned char *e = expected, *f = found;

	for (size_t i = 0; i < size; i++) {
		if (e[i] == f[i])
			continue;
		failed("%s, byte %zu of %zu, expected %#x, found %#x", what, i, size, e[i], f[i]);
		return;
	}
}

void expect_true(const char *what, bool is)
{
	if (!is)
		failed("%s, expected yes, found no", what);
}

bool expect_call(const char *what, long value)
{
	if (value == -1)
		failed("%s, expected success, found %s", what, strerror(errno));
	return value != -1;
}

static char *next_text(void)
{
	static char text[8][PATH_MAX + 512];
	static int next;

	return text[next++ % 8];
}

void bring_loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0));

	must(ioctl(fd, SIOCGIFFLAGS, &lo));
	if (!(lo.ifr_flags & IFF_UP)) {
		lo.ifr_flags |= IFF_UP;
		must(ioctl(fd, SIOCSIFFLAGS, &lo));
	}
	close(fd);
}

const char *own_path(const char *name)
{
	char *path = next_text();

	snprintf(path, PATH_MAX + 512, "%s%s%s", name_of_dir, *name ? "/" : "", name);
	return path;
}

const char *file_text(const char *path)
{
	char *text = next_text();
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		n = read(fd, text, PATH_MAX);
		close(fd);
	}
	text[n > 0 ? n : 0] = 0;
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = 0;
	return text;
}

bool put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

long long proc_stat(pid_t pid, int field)
{
	char path[64], *at;
	const char *text;
	long long value = -1;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = file_text(path);
	at = strrchr(text, ')');
	if (!at)
		return -1;
	/* ") S 4th 5th": the third field is a letter */
	at += 2;
	for (int i = 3; i < field && at; i++)
		at = strchr(at + 1, ' ');
	if (at)
		value = field == 3 ? *at : strtoll(at, NULL, 10);
	return value;
}

char proc_state(pid_t pid)
{
	return proc_stat(pid, 3);
}

const char *proc_status(pid_t pid, const char *key)
{
	char path[64], line[512], *value = next_text();
	FILE *f;

	*value = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	if (!f)
		return value;
	while (fgets(line, sizeof(line), f)) {
		size_t len = strlen(key);

		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		line[strcspn(line, "\n")] = 0;
		strcpy(value, line + len + 1 + strspn(line + len + 1, " \t"));
	}
	fclose(f);
	return value;
}

unsigned char pattern(unsigned int seed, size_t i)
{
	/* differs from page to page and within one */
	return (i + seed) * 31 + (i >> 12) * 17 + (i >> 20) * 7 + seed;
}

void fill_pattern(void *p, unsigned int seed, size_t size)
{
	unsigned char *bytes = p;

	for (size_t i = 0; i < size; i++)
		bytes[i] = pattern(seed, i);
}

void expect_pattern(const char *what, const void *p, unsigned int seed, size_t size)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == pattern(seed, i))
			continue;
		failed("%s, byte %zu of %zu, expected %#x, found %#x", what, i, size,
		       pattern(seed, i), bytes[i]);
		return;
	}
}

static void pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
}

/* One that is asked once, and no more, need not wait. */
#define TICK_ONCE_NS 100000000LL
static long long tick_ns = TICK_NS;

pid_t helper(void (*set_up)(void), void (*check)(void))
{
	int n = common->helpers++;
	pid_t pid;

	pid = must(n < MAX_HELPERS ? fork() : -1);
	if (pid) {
		while (!common->helper[n].pid) {
			pause_ms(1);
			/* A set up that failed has reported itself. */
			if (waitpid(pid, NULL, WNOHANG) == pid)
				exit(1);
		}
		return pid;
	}
	/* A change of credentials takes this away: the loop looks as well. */
	must(prctl(PR_SET_PDEATHSIG, SIGKILL));
	if (set_up)
		set_up();
	common->helper[n].pid = getpid();
	while (!kill(my_pid, 0) || errno != ESRCH) {
		if (common->helper[n].asked != common->helper[n].answered) {
			if (common->helper[n].call)
				common->helper[n].call();
			else if (check)
				check();
			__sync_synchronize();
			common->helper[n].answered = common->helper[n].asked;
		}
		pause_ms(tick_ns / 2000000);
	}
	_exit(0);
}

static void helper_ask(pid_t pid, void (*call)(void))
{
	int n = 0;

	while (n < common->helpers && common->helper[n].pid != pid)
		n++;
	if (n == common->helpers) {
		failed("helper %d, expected to be known, found nothing", pid);
		return;
	}
	common->helper[n].call = call;
	__sync_synchronize();
	common->helper[n].asked++;
	for (int ms = 0; common->helper[n].asked != common->helper[n].answered; ms += 5) {
		if (ms > 20000 || kill(pid, 0)) {
			failed("helper %d, expected an answer, found %s", pid,
			       kill(pid, 0) ? "it is gone" : "none in 20 s");
			return;
		}
		pause_ms(5);
	}
}

void helper_check(pid_t pid)
{
	helper_ask(pid, NULL);
}

void helper_do(pid_t pid, void (*call)(void))
{
	helper_ask(pid, call);
}

static long long now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* One count, and what the clocks did meanwhile. */
static void tick(void)
{
	static long long boottime, realtime;
	struct timespec ts = { 0, tick_ns };
	long long m, b, r;
	int err;

	err = clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	if (err && err != EINTR)
		snprintf(sleep_failure, sizeof(sleep_failure), "%s", strerror(err));
	m = now(CLOCK_MONOTONIC);
	b = now(CLOCK_BOOTTIME);
	r = now(CLOCK_REALTIME);
	if (ticks) {
		long long dm = m - clock_gaps.last_monotonic, db = b - boottime;

		if (dm < 0 || db < 0)
			clock_gaps.went_back = true;
		if (dm > clock_gaps.monotonic)
			clock_gaps.monotonic = dm;
		if (db > clock_gaps.boottime)
			clock_gaps.boottime = db;
		if (r - realtime > clock_gaps.realtime)
			clock_gaps.realtime = r - realtime;
	}
	clock_gaps.last_monotonic = m;
	boottime = b;
	realtime = r;
	ticks++;
}

/* What every survivor checks; then its own. */
static void run_check(int number)
{
	static unsigned long long ticks_before;
	char line[sizeof(common->text) + 32];

	common->failures = 0;
	common->text[0] = 0;
	expect_num("own pid", my_pid, getpid());
	expect_range("count", ticks_before + 1, LLONG_MAX, ticks);
	expect_text("sleep", "", sleep_failure);
	expect_true("monotonic clocks go on", !clock_gaps.went_back);
	ticks_before = ticks;
	self->check();
	memset(&clock_gaps, 0, offsetof(struct clock_gaps, last_monotonic));
	clock_gaps.went_back = false;
	if (common->failures)
		snprintf(line, sizeof(line), "FAIL: %s", common->text);
	else
		strcpy(line, "PASS");
	printf("%s\n", line);
	fflush(stdout);
	put_result(number, line);
}

static void begin(const char *name, const char *where)
{
	for (int i = 0; survivors[i]; i++)
		if (!strcmp(survivors[i]->name, name))
			self = survivors[i];
	if (!self) {
		fprintf(stderr, "survivor: there is none called %s\n", name);
		exit(64);
	}
	/* An absolute path: a survivor may change its directory. */
	must(mkdir(where, 0755) && errno != EEXIST ? -1 : 0);
	if (!realpath(where, dir))
		must_(-1, "realpath");
	snprintf(name_of_dir, sizeof(name_of_dir), "%.*s/%s.d", PATH_MAX - 64, dir, name);
	must(mkdir(name_of_dir, 0755) && errno != EEXIST ? -1 : 0);
	must(prctl(PR_SET_NAME, name));
	common = must_map(mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0), "mmap");
	my_pid = getpid();
	self->set_up();
}

static int run_once(const char *name, const char *where)
{
	const char *harm = getenv("SURVIVOR_SABOTAGE");

	tick_ns = TICK_ONCE_NS;
	begin(name, where);
	tick();
	if (harm && *harm)
		self->sabotage(atoi(harm));
	run_check(1);
	/* A second check finds what the first has left. */
	if (!common->failures) {
		tick();
		run_check(2);
	}
	return common->failures != 0;
}

static __attribute__((noreturn)) void run_for_ever(const char *name, const char *where)
{
	char path[PATH_MAX + 64], pid[16];
	int checked;

	begin(name, where);
	snprintf(path, sizeof(path), "%s/%s.ready", dir, name);
	snprintf(pid, sizeof(pid), "%d\n", getpid());
	must(put_text(path, pid) ? 0 : -1);
	snprintf(path, sizeof(path), "%s/check", dir);
	checked = atoi(file_text(path));
	for (;;) {
		int number;

		tick();
		number = atoi(file_text(path));
		if (number == checked)
			continue;
		checked = number;
		run_check(number);
	}
}

/*
 * As a daemon: what was open was the caller's, and lies outside of the container. Standard
 * error may be a file, see outside_log.c.
 */
static void close_all(void)
{
	struct stat st;
	bool has_log = !fstat(STDERR_FILENO, &st) && S_ISREG(st.st_mode);
	int fd;

	close_range(STDERR_FILENO + has_log, ~0U, 0);
	close_range(0, STDOUT_FILENO, 0);
	fd = open("/dev/null", O_RDWR);
	if (fd || dup(fd) != 1 || (!has_log && dup(fd) != 2))
		_exit(1);
}

/* A new session for each, as a service would have; orphans are reaped here. */
static int run_all(const char *where, char **names)
{
	close_all();
	for (; *names; names++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("survivor: fork");
			return 1;
		}
		if (!pid) {
			setsid();
			run_for_ever(*names, where);
		}
	}
	for (;;) {
		if (wait(NULL) < 0 && errno == ECHILD)
			return 1;
	}
}

static int list(bool large, bool by_update)
{
	for (int i = 0; survivors[i]; i++)
		if (survivors[i]->large == large && survivors[i]->by_update == by_update)
			printf("%-16s %s\n", survivors[i]->name, survivors[i]->keeps);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--list"))
		return list(false, false);
	if (argc == 2 && !strcmp(argv[1], "--list-large"))
		return list(true, false);
	if (argc == 2 && !strcmp(argv[1], "--list-update"))
		return list(false, true);
	if (argc == 3 && !strcmp(argv[1], "--sabotages")) {
		for (int i = 0; survivors[i]; i++)
			if (!strcmp(survivors[i]->name, argv[2]))
				printf("%d\n", survivors[i]->sabotages);
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "--once"))
		return run_once(argv[2], argv[3]);
	if (argc > 3 && !strcmp(argv[1], "--all"))
		return run_all(argv[2], argv + 3);
	if (argc == 3 && argv[1][0] != '-')
		run_for_ever(argv[1], argv[2]);
	fprintf(stderr, "usage: survivor --list | --list-large | --list-update | --once NAME DIR | --sabotages NAME | NAME DIR | --all DIR NAME...\n");
	return 64;
}
