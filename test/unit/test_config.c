// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of common/config.c: the shipped example, every mistake by its
 * message, and files that are not to be trusted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/config.h"
#include "common/strv.h"
#include "test/unit/harness.h"

static void expect_text(const char *what, const char *found, const char *expected)
{
	if (!found || strcmp(found, expected))
		complain("%s is \"%s\", expected \"%s\"", what, found ? found : "(null)", expected);
}

static void test_all_settings(void)
{
	_cleanup_config_ struct config c = { 0 };
	const struct config_section *s;

	begin();
	expect_ok(config_parse("# comment\n"
			       "on-restore-failure = rollback\r\n"
			       "  commit=manual # behind a value\n"
			       "parallel = 3\ndump-timeout = 86400\nrestore-timeout = 1\n"
			       "filesystem-timeout = 5\ntries = 100\nrestore-early = no\nghost-limit = 3G\n"
			       "zero-copy = no\nverify = yes\nstop-services = no\nkeep-services = a.service, b*.service\n"
			       "engines = tree crun\nappend = quiet x=y a#b\nfault = dump:web\n"
			       "[container web]\nafter = db cache\n"
			       "[tree db]\ncarry = no\npid-file = /run/db.pid\n"
			       "[ tree  cache ]\nunit = cache@1.service", "t", &c));
	EXPECT(c.on_restore_failure, POLICY_ROLLBACK);
	EXPECT(c.commit_auto, false);
	EXPECT(c.parallel, 3);
	EXPECT(c.dump_timeout, 86400);
	EXPECT(c.restore_timeout, 1);
	EXPECT(c.filesystem_timeout, 5);
	EXPECT(c.tries, 100);
	EXPECT(c.restore_early, false);
	EXPECT(c.ghost_limit, 3ull << 30);
	EXPECT(c.zero_copy, false);
	EXPECT(c.verify, true);
	EXPECT(c.stop_services, false);
	EXPECT(strv_count(c.keep_services), 2);
	EXPECT(strv_count(c.engines), 2);
	EXPECT(strv_has(c.engines, "runc"), false);
	expect_text("append", c.append, "quiet x=y a#b");
	expect_text("fault", c.fault, "dump:web");
	EXPECT(c.nr_sections, 3);
	s = config_section(&c, false, "web");
	if (!s || !s->carry || strv_count(s->after) != 2)
		complain("[container web] is not as written");
	s = config_section(&c, true, "db");
	if (!s || s->carry || !s->pid_file || s->unit || s->line != 20)
		complain("[tree db] is not as written");
	s = config_section(&c, true, "cache");
	expect_text("unit", s ? s->unit : NULL, "cache@1.service");
	if (config_section(&c, false, "db"))
		complain("[tree db] is found as a container");
	end("config.all");
}

static const struct {
	const char *text, *message;
} wrong[] = {
	{ "parallel", "t:1: \"parallel\" is neither" },
	{ "= 1", "t:1: \"= 1\" is neither" },
	{ "\n\nparalel = 1", "t:3: there is no setting `paralel`" },
	{ "parallel = 1025", "t:1: `parallel` is \"1025\", expected a number from 0 to 1024" },
	{ "parallel = -1", "`parallel` is \"-1\", expected a number" },
	{ "parallel = 1x", "`parallel` is \"1x\", expected" },
	{ "parallel = 99999999999999999999999", "expected a number from 0 to 1024" },
	{ "parallel =", "`parallel` is \"\", expected a value" },
	{ "tries = 0", "`tries` is \"0\", expected a number from 1 to 100" },
	{ "dump-timeout = 0", "expected a number from 1 to 86400 (seconds)" },
	{ "ghost-limit = 1025G", "`ghost-limit` is \"1025G\", expected bytes" },
	{ "ghost-limit = 1T", "`ghost-limit` is \"1T\", expected bytes" },
	{ "ghost-limit = 1MB", "`ghost-limit` is \"1MB\", expected bytes" },
	{ "commit = yes", "`commit` is \"yes\", expected auto or manual" },
	{ "stop-services = true", "`stop-services` is \"true\", expected yes or no" },
	{ "on-restore-failure = panic", "expected continue, shell or rollback" },
	{ "engines = crun docker", "expected a list of podman, crun, runc and tree" },
	{ "fault = nothing", "`fault` is \"nothing\", expected a fault point" },
	{ "tries = 1\ntries = 1", "t:2: `tries` is set for the second time" },
	{ "carry = no", "`carry` belongs into a section [container NAME] or [tree NAME]" },
	{ "unit = a.service", "`unit` belongs into a section [tree NAME]" },
	{ "[container a]\ntries = 2", "t:2: `tries` belongs before the first section" },
	{ "[container a]\nunit = a.service", "t:2: `unit` belongs into a section [tree NAME]" },
	{ "[containers a]", "t:1: there is no such section; expected [container NAME]" },
	{ "[container]", "t:1: \"\" cannot be the name of a container" },
	{ "[container a b]", "t:1: \"a b\" cannot be the name" },
	{ "[container ../a]", "\"../a\" cannot be the name" },
	{ "[container a", "t:1: \"[container a\" is neither" },
	{ "[container a]\n[container a]", "t:2: there is a section of the name a already, in line 1" },
	{ "[container a]\n[tree a]", "t:2: there is a section of the name a already, in line 1" },
	{ "[container a]\nafter = a", "t:1: [container a] is to come after itself" },
	{ "\n[tree a]\ncarry = yes", "t:2: [tree a] has neither `pid-file` nor `unit`" },
	{ "[tree a]\npid-file = /a\nunit = a.service", "t:1: [tree a] has both" },
	{ "[tree a]\npid-file = run/a.pid", "t:2: `pid-file` is \"run/a.pid\", expected an absolute path" },
	{ "[tree a]\nunit = a.mount", "t:2: `unit` is \"a.mount\", expected the name of a systemd service" },
	{ "[tree a]\nunit = .service", "expected the name of a systemd service" },
	{ "[tree a]\nunit = a/b.service", "expected the name of a systemd service" },
};

static void test_mistakes(void)
{
	char name[64];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		_cleanup_config_ struct config c = { 0 };

		begin();
		expect_refused(config_parse(wrong[i].text, "t", &c), -EINVAL, wrong[i].message);
		EXPECT(c.nr_sections, 0);
		snprintf(name, sizeof(name), "config.mistake.%zu", i);
		end(name);
	}
}

static void test_all_mistakes(void)
{
	_cleanup_config_ struct config c = { 0 };

	begin();
	expect_refused(config_parse("tries = 0\nx = 1\n[tree a]\nunit = b\n[nosuch b]\ncarry = 5\n"
				    "[container c]\ncarry = 5\n", "t", &c),
		       -EINVAL, "t:1: ");
	expect_said("t:2: ");
	expect_said("t:4: ");
	expect_said("t:3: [tree a] has neither");
	expect_said("t:5: ");
	expect_said("t:8: ");
	if (strstr(said, "t:6: "))
		complain("a refused section's settings are complained about, too");
	end("config.all-mistakes");
}

static void expect_same(const struct config *a, const struct config *b)
{
	EXPECT(a->on_restore_failure, b->on_restore_failure);
	EXPECT(a->commit_auto, b->commit_auto);
	EXPECT(a->parallel, b->parallel);
	EXPECT(a->dump_timeout, b->dump_timeout);
	EXPECT(a->restore_timeout, b->restore_timeout);
	EXPECT(a->filesystem_timeout, b->filesystem_timeout);
	EXPECT(a->tries, b->tries);
	EXPECT(a->restore_early, b->restore_early);
	EXPECT(a->ghost_limit, b->ghost_limit);
	EXPECT(a->zero_copy, b->zero_copy);
	EXPECT(a->verify, b->verify);
	EXPECT(a->stop_services, b->stop_services);
	EXPECT(strv_count(a->keep_services), strv_count(b->keep_services));
	EXPECT(strv_count(a->engines), strv_count(b->engines));
	EXPECT(a->append == NULL, b->append == NULL);
	EXPECT(a->fault == NULL, b->fault == NULL);
	EXPECT(a->nr_sections, b->nr_sections);
}

/* "#key = value" lines of the example taken for real. */
static void uncomment(const char *example, char *text)
{
	const char *from;
	char *to = text;

	for (from = example; *from; from++)
		if (*from != '#' || (from > example && from[-1] != '\n') || from[1] == ' ')
			*to++ = *from;
	*to = '\0';
}

/* The example changes nothing as it is, and has every default in it. */
static void test_example(const char *path)
{
	static const char *const keys[] = {
		"on-restore-failure", "commit", "parallel", "dump-timeout", "restore-timeout",
		"filesystem-timeout", "tries", "restore-early", "ghost-limit", "zero-copy", "verify", "stop-services", "keep-services",
		"engines", "append", "fault", "carry", "after", "pid-file", "unit",
	};
	_cleanup_config_ struct config c = { 0 }, d = { 0 }, all = { 0 };
	static char example[1 << 16], text[1 << 16], key[64];
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	size_t i;

	begin();
	if (!f || fread(example, 1, sizeof(example) - 1, f) == 0) {
		complain("cannot read %s", path);
		end("config.example");
		return;
	}
	config_defaults(&d);
	expect_ok(config_parse(example, path, &c));
	expect_same(&c, &d);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(key, sizeof(key), "\n#%s =", keys[i]);
		if (!strstr(example, key))
			complain("%s has no line \"%s\"", path, key + 1);
	}
	uncomment(example, text);
	expect_ok(config_parse(text, path, &all));
	EXPECT(all.nr_sections, 3);
	d.nr_sections = all.nr_sections;
	expect_same(&all, &d);
	d.nr_sections = 0;
	end("config.example");
}

static void write_file(const char *path, const char *text, size_t bytes, mode_t mode)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, bytes) != (ssize_t)bytes || fchmod(fd, mode) < 0)
		complain("cannot write %s", path);
}

static void test_files(void)
{
	char dir[] = "/tmp/test_config.XXXXXX", path[64];
	_cleanup_config_ struct config c = { 0 };

	begin();
	if (!mkdtemp(dir))
		complain("mkdtemp failed");
	snprintf(path, sizeof(path), "%s/conf", dir);
	expect_refused(config_read(path, &c), -ENOENT, "cannot open");
	write_file(path, "tries = 7\n", 10, 0644);
	expect_ok(config_read(path, &c));
	EXPECT(c.tries, 7);
	write_file(path, "tries = 7\n", 10, 0664);
	expect_refused(config_read(path, &c), -EPERM, "has mode 0664");
	write_file(path, "tries = 7\n", 10, 0646);
	expect_refused(config_read(path, &c), -EPERM, "chmod go-w");
	write_file(path, "tries\0= 7\n", 10, 0600);
	expect_refused(config_read(path, &c), -EINVAL, "NUL byte at offset 5");
	if (truncate(path, (1 << 20) + 1))
		complain("truncate failed");
	expect_refused(config_read(path, &c), -EFBIG, "expected at most 1048576");
	expect_refused(config_read(dir, &c), -EINVAL, "not a regular file");
	if (!geteuid()) {
		write_file(path, "tries = 7\n", 10, 0644);
		if (chown(path, 1000, 0))
			complain("chown failed");
		expect_refused(config_read(path, &c), -EPERM, "belongs to user 1000");
	}
	unlink(path);
	rmdir(dir);
	end("config.files");
}

int main(int argc, char **argv)
{
	log_set_sink(sink);
	test_all_settings();
	test_mistakes();
	test_all_mistakes();
	if (argc > 1)
		test_example(argv[1]);
	test_files();
	return failed != 0;
}
