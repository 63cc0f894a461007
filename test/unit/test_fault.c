// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of common/fault.c and common/findings.c, and of test/fault/table
 * (argument 1) against the enum.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fault.h"
#include "common/findings.h"
#include "test/unit/harness.h"

static void test_names(void)
{
	int i, k;

	begin();
	for (i = 0; i < NR_FAULTS; i++) {
		if (!fault_name(i))
			complain("fault point %d has no name", i);
		for (k = 0; k < i && !why[0]; k++)
			if (!strcmp(fault_name(i), fault_name(k)))
				complain("two fault points are called %s", fault_name(i));
	}
	end("fault.names");
}

static void test_choice(void)
{
	begin();
	EXPECT(fault_hit(FAULT_DUMP, "web"), false);
	expect_ok(fault_set("dump"));
	EXPECT(fault_hit(FAULT_DUMP_EXIT, "web"), false);
	EXPECT(fault_hit(FAULT_DUMP, NULL), true);
	expect_said("the fault point dump makes this fail");
	said[0] = '\0';
	EXPECT(fault_hit(FAULT_DUMP, "web"), true);
	EXPECT(said[0], 0);
	expect_ok(fault_set("dump-exit:web"));
	EXPECT(fault_hit(FAULT_DUMP, "web"), false);
	EXPECT(fault_hit(FAULT_DUMP_EXIT, "we"), false);
	EXPECT(fault_hit(FAULT_DUMP_EXIT, NULL), false);
	EXPECT(fault_hit(FAULT_DUMP_EXIT, "web"), true);
	EXPECT(strcmp(fault_get(), "dump-exit:web"), 0);
	expect_refused(fault_set("dum"), -EINVAL, "there is no fault point \"dum\"; there are: load-module");
	expect_said(" commit\n");
	expect_refused(fault_set(":web"), -EINVAL, "no fault point");
	EXPECT(strcmp(fault_get(), "dump-exit:web"), 0);
	expect_ok(fault_set(""));
	EXPECT(fault_get() == NULL, true);
	EXPECT(fault_hit(FAULT_DUMP_EXIT, "web"), false);
	end("fault.choice");
}

static const char *const outcomes[] = { "aborted", "released", "kept", "rolled-back", "carried", NULL };
static const char *const kernels[] = { "old", "new", NULL };
static const char *const policies[] = { "continue", "shell", "rollback", NULL };

static void expect_word(const char *word, const char *const *list, const char *line)
{
	for (; *list; list++)
		if (!strcmp(word, *list))
			return;
	complain("\"%s\" in \"%s\" is none of the words of its column", word, line);
}

static int point_of(const char *name)
{
	int i;

	for (i = 0; i < NR_FAULTS; i++)
		if (!strcmp(fault_name(i), name))
			return i;
	return -1;
}

static void table_line(char *line, unsigned int rows[NR_FAULTS])
{
	char point[32], kernel[32], policy[32], outcome[32], more;
	int fault;

	line[strcspn(line, "\n")] = '\0';
	if (!line[0] || line[0] == '#')
		return;
	if (sscanf(line, "%31s %31s %31s %31s %c", point, kernel, policy, outcome, &more) != 4) {
		complain("\"%s\" has not four columns", line);
		return;
	}
	fault = point_of(point);
	if (fault < 0)
		complain("\"%s\" is a row for a fault point that does not exist", line);
	else
		rows[fault]++;
	expect_word(kernel, kernels, line);
	expect_word(policy, policies, line);
	expect_word(outcome, outcomes, line);
	/* what fails before the point of no return must abort; only one that is killed cannot */
	EXPECT(!strcmp(kernel, "old"),
	       !strcmp(outcome, "aborted") || !strcmp(outcome, "released"));
	EXPECT(fault == FAULT_KILLED, !strcmp(outcome, "released"));
	EXPECT(!strcmp(kernel, "old"), fault >= 0 && fault <= FAULT_JUMP);
}

static void test_table(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	unsigned int rows[NR_FAULTS] = { 0 };
	size_t size = 0;
	int i;

	begin();
	if (!f)
		complain("cannot open %s", path);
	while (f && getline(&line, &size, f) > 0)
		table_line(line, rows);
	for (i = 0; i < NR_FAULTS; i++)
		if (!rows[i])
			complain("%s has no row for %s", path, fault_name(i));
	end("fault.table");
}

static void test_findings(void)
{
	_cleanup_findings_ struct findings f = { 0 };

	begin();
	EXPECT(findings_refuse(&f, NULL), false);
	findings_warn(&f, "web", 0, "slow %s", "disk");
	EXPECT(findings_refuse(&f, NULL), false);
	findings_add(&f, "db", getpid(), "fd %d: io_uring", 7);
	findings_add(&f, NULL, 0, "no memory");
	EXPECT(findings_refuse(&f, NULL), true);
	EXPECT(findings_refuse(&f, "web"), false);
	EXPECT(findings_refuse(&f, "db"), true);
	EXPECT(f.nr, 3);
	findings_log(&f);
	expect_said("container web: slow disk\n");
	expect_said("container db: process ");
	expect_said(" (test_fault): fd 7: io_uring\n");
	expect_said("\nno memory\n");
	end("findings");
}

int main(int argc, char **argv)
{
	log_set_sink(sink);
	test_names();
	test_choice();
	if (argc > 1)
		test_table(argv[1]);
	test_findings();
	fault_set(NULL);
	return failed != 0;
}
