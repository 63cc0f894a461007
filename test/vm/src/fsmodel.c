// SPDX-License-Identifier: GPL-2.0
/*
 * fsmodel - random operations on a filesystem and on a model of it, which is a
 * directory on tmpfs. Every thread has a directory of its own, where each
 * operation is compared, and all threads together work on a shared one, where
 * only the state at the end is checked.
 *
 * The tree is DIR/fsmodel-SEED. Without --state it is removed at the end, and
 * the filesystem must then be as empty as before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "fsmodel.h"
#include "manifest.h"
#include "report.h"

#define MAX_THREADS	64
#define SHARED_PART	4	/* one operation of these goes to the shared directory */
#define SHOWN		20

static struct {
	const char *dir, *model, *state;
	uint64_t seed, ops;
	unsigned int threads, flags;
	bool check;
} options = { .seed = 1, .ops = 100000, .threads = 1 };

static char test_tree[4096], model_tree[4096];
static atomic_ulong done_ops;
static atomic_bool stop;
static atomic_ulong *tried, *succeeded;	/* by kind */

static void report_mismatch(unsigned int thread, uint64_t nr, const struct op *op,
			    const struct result *test, const struct result *model)
{
	char text[300];

	stop = true;
	fsmodel_describe(op, text, sizeof(text));
	fail("fsmodel", "seed %" PRIu64 " thread %u op %" PRIu64 ": %s: is ret %ld errno %d data %" PRIx64
	     " %s; tmpfs has ret %ld errno %d data %" PRIx64 " %s", options.seed, thread, nr, text,
	     test->ret, test->err, test->data, test->text, model->ret, model->err, model->data, model->text);
}

static void one_op(unsigned int thread, uint64_t nr, struct rng *rng, struct recent *recent,
		   struct side *test, struct side *model)
{
	struct result is, want;
	struct op op;

	fsmodel_generate(&op, rng, recent);
	fsmodel_apply(test, &op, &is);
	fsmodel_apply(model, &op, &want);
	tried[op.kind]++;
	if (want.ret >= 0) {
		succeeded[op.kind]++;
		fsmodel_remember(recent, &op);
	}
	if (is.ret != want.ret || is.err != want.err || is.data != want.data || strcmp(is.text, want.text))
		report_mismatch(thread, nr, &op, &is, &want);
}

static void one_shared_op(struct rng *rng, struct side *shared)
{
	static const struct recent none;
	struct result ignored;
	struct op op;

	fsmodel_generate(&op, rng, &none);
	fsmodel_apply(shared, &op, &ignored);
}

static void open_sides(struct side *test, struct side *model, struct side *shared, unsigned int thread)
{
	int a = open(test_tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int b = open(model_tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[32];

	snprintf(name, sizeof(name), "thread-%u", thread);
	if (a < 0 || b < 0 || side_open(test, a, name) || side_open(model, b, name) ||
	    side_open(shared, a, "shared"))
		die("directories of thread %u", thread);
	test->dir_size = model->dir_size = shared->dir_size = !(options.flags & MANIFEST_NO_DIR_SIZE);
	test->holes = model->holes = shared->holes = !(options.flags & MANIFEST_NO_MAP);
	close(a);
	close(b);
}

static void *work(void *arg)
{
	unsigned int thread = (uintptr_t)arg;
	struct rng rng = { mix64(options.seed) + thread };
	struct side test, model, shared;
	struct recent recent = { };

	open_sides(&test, &model, &shared, thread);
	for (uint64_t nr = 0; nr < options.ops / options.threads && !stop; nr++) {
		if (options.threads > 1 && !rng_below(&rng, SHARED_PART))
			one_shared_op(&rng, &shared);
		else
			one_op(thread, nr, &rng, &recent, &test, &model);
		done_ops++;
	}
	side_close(&test);
	side_close(&model);
	side_close(&shared);
	return NULL;
}

static void run_threads(void)
{
	pthread_t thread[MAX_THREADS];

	for (uintptr_t i = 0; i < options.threads; i++)
		if (pthread_create(&thread[i], NULL, work, (void *)i))
			die("thread");
	for (unsigned int i = 0; i < options.threads; i++)
		pthread_join(thread[i], NULL);
}

static void compare_threads(void)
{
	const unsigned int flags = options.flags | MANIFEST_NO_TIMES | MANIFEST_NO_ATIME | MANIFEST_NO_INO;
	size_t differences = 0, lines = 0;

	for (unsigned int i = 0; i < options.threads; i++) {
		char test[4200], model[4200];
		struct manifest a, b;

		snprintf(test, sizeof(test), "%s/thread-%u", test_tree, i);
		snprintf(model, sizeof(model), "%s/thread-%u", model_tree, i);
		if (manifest_collect(&a, test, flags) || manifest_collect(&b, model, flags)) {
			fail("fsmodel-trees", "cannot read the trees");
			return;
		}
		differences += manifest_diff(&b, &a, SHOWN);
		lines += a.nr;
		manifest_free(&a);
		manifest_free(&b);
	}
	if (differences)
		fail("fsmodel-trees", "%zu differences to tmpfs", differences);
	else
		pass("fsmodel-trees (%zu lines)", lines);
}

/* The names of an inode, counted, must be its link count. */
struct names {
	ino_t ino;
	unsigned int nlink, found;
};

static struct names *names;
static size_t nr_names;

static int count_name(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t i;

	if (S_ISDIR(st->st_mode))
		return 0;
	for (i = 0; i < nr_names && names[i].ino != st->st_ino; i++)
		;
	if (i == nr_names) {
		names = realloc(names, ++nr_names * sizeof(*names));
		if (!names)
			die("memory");
		names[i] = (struct names) { st->st_ino, st->st_nlink, 0 };
	}
	names[i].found++;
	return 0;
}

static void check_shared(void)
{
	char dir[4200];
	struct manifest m;
	size_t bad = 0;

	if (options.threads < 2)
		return;
	snprintf(dir, sizeof(dir), "%s/shared", test_tree);
	if (manifest_collect(&m, dir, options.flags) || nftw(dir, count_name, 32, FTW_PHYS)) {
		fail("fsmodel-shared", "cannot read the shared directory");
		return;
	}
	for (size_t i = 0; i < nr_names; i++)
		bad += names[i].found != names[i].nlink;
	if (bad)
		fail("fsmodel-shared", "%zu inodes with a wrong link count", bad);
	else
		pass("fsmodel-shared (%zu inodes)", nr_names);
	manifest_free(&m);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void remove_and_check(const struct statfs *before)
{
	struct statfs after;

	if (nftw(test_tree, remove_entry, 32, FTW_DEPTH | FTW_PHYS) || statfs(options.dir, &after))
		fail("fsmodel-remove", "%s", strerror(errno));
	else if (after.f_bfree != before->f_bfree || after.f_ffree != before->f_ffree)
		fail("fsmodel-remove", "%lld pages and %lld inodes are not free again",
		     (long long)(before->f_bfree - after.f_bfree), (long long)(before->f_ffree - after.f_ffree));
	else
		pass("fsmodel-remove");
}

static void write_state(void)
{
	struct manifest m;
	FILE *out = fopen(options.state, "we");

	if (!out)
		die("%s", options.state);
	noatime_namespace(options.dir);
	if (manifest_collect(&m, test_tree, options.flags) || manifest_write(&m, out))
		fail("fsmodel-state", "cannot write %s", options.state);
	else
		note("fsmodel-state %zu lines", m.nr);
	manifest_free(&m);
	fclose(out);
}

static int check_state(void)
{
	struct manifest was, is;
	size_t differences;

	if (manifest_read(&was, options.state))
		die("%s", options.state);
	noatime_namespace(options.dir);
	if (manifest_collect(&is, test_tree, was.flags))
		fail("fsmodel-check", "cannot read %s", test_tree);
	differences = manifest_diff(&was, &is, SHOWN);
	if (differences || !was.nr)
		fail("fsmodel-check", "%zu differences in %zu lines", differences, was.nr);
	else
		pass("fsmodel-check (%zu lines)", is.nr);
	return report_status();
}

static void note_coverage(void)
{
	char text[3000];
	size_t len = 0;

	for (size_t i = 0; i < fsmodel_kinds && len < sizeof(text) - 64; i++)
		len += sprintf(text + len, " %s %lu/%lu", fsmodel_kind_name(i), succeeded[i], tried[i]);
	note("fsmodel succeeded/tried:%s", text);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int run(void)
{
	struct statfs before;
	double start = seconds();

	if (statfs(options.dir, &before))
		die("%s", options.dir);
	if (mkdir(test_tree, 0755) || mkdir(model_tree, 0755))
		die("%s or %s", test_tree, model_tree);
	fsmodel_catch_bus_errors();
	run_threads();
	if (!stop)
		pass("fsmodel seed %" PRIu64 ": %lu operations alike in %u threads", options.seed, done_ops,
		     options.threads);
	metric("fsmodel-operations", done_ops, "ops");
	metric("fsmodel-time", seconds() - start, "s");
	note_coverage();
	compare_threads();
	check_shared();
	nftw(model_tree, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
	if (options.state)
		write_state();
	else if (!report_status())
		remove_and_check(&before);
	return report_status();
}

static int usage(void)
{
	fputs("usage: fsmodel DIR --model DIR2 [--seed S] [--ops N] [--threads T] [--state FILE]\n"
	      "               [--no-dir-size] [--no-blocks] [--no-map]\n"
	      "       fsmodel DIR --check --seed S --state FILE\n"
	      "  DIR2 is on tmpfs; --state keeps the tree, and what it is like in FILE\n"
	      "  --no-dir-size: nor blocks of what is no file; --no-map: nor lseek to data and holes\n", stderr);
	return 2;
}

static bool parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(argv[i], "--check"))
			options.check = true;
		else if (manifest_option(argv[i]))
			options.flags |= manifest_option(argv[i]);
		else if (argv[i][0] != '-' && !options.dir)
			options.dir = realpath(argv[i], NULL) ?: argv[i];
		else if (!value)
			return false;
		else if (!strcmp(argv[i], "--model"))
			options.model = argv[++i];
		else if (!strcmp(argv[i], "--state"))
			options.state = argv[++i];
		else if (!strcmp(argv[i], "--seed"))
			options.seed = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--ops"))
			options.ops = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--threads"))
			options.threads = strtoul(argv[++i], NULL, 0);
		else
			return false;
	}
	if (options.threads < 1 || options.threads > MAX_THREADS)
		return false;
	return options.dir && (options.check ? options.state : options.model);
}

int main(int argc, char **argv)
{
	if (!parse(argc, argv))
		return usage();
	umask(0);
	signal(SIGPIPE, SIG_IGN);	/* a fifo whose reader was closed */
	tried = calloc(fsmodel_kinds, sizeof(*tried));
	succeeded = calloc(fsmodel_kinds, sizeof(*succeeded));
	if (!tried || !succeeded)
		die("memory");
	snprintf(test_tree, sizeof(test_tree), "%s/fsmodel-%" PRIu64, options.dir, options.seed);
	snprintf(model_tree, sizeof(model_tree), "%s/fsmodel-%" PRIu64, options.model ?: "", options.seed);
	return options.check ? check_state() : run();
}
