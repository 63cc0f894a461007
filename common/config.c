// SPDX-License-Identifier: GPL-2.0
/*
 * config.c - see config.h.
 *
 * One table of settings: name, where it may stand, how its value is read, and
 * the field that takes it. A value that is read twice is a mistake, so what a
 * field holds before is always the default, or nothing.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/config.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/strv.h"

#define CONFIG_BYTES_MAX (1u << 20)
#define NAME_MAX_BYTES 128		/* of a container: it becomes a directory's name */

/* Which section a setting may stand in. */
enum place {
	IN_HEAD = 1,			/* before any section */
	IN_CONTAINER = 2,
	IN_TREE = 4,
};

struct parser {
	const char *path;
	unsigned int line;
	struct config config;		/* what has been read */
	unsigned int mistakes;
	unsigned int seen;		/* settings of this section, by index in the table */
	bool in_section;		/* false: in the head, ... */
	bool skip;			/* ... or in a section that is refused itself */
};

struct setting {
	const char *name;
	unsigned int places;
	/* Says what was expected when the value is wrong; NULL = fine. May use min and max. */
	const char *(*read)(const struct setting *setting, const char *value, void *field);
	size_t offset;			/* in struct config, or in struct config_section */
	uint64_t min, max;
	char range[64];
	bool may_be_empty;		/* that is the default, too */
};

#define mistake(p, ...) mistake_at(p, (p)->line, __VA_ARGS__)

__attribute__((format(printf, 3, 4))) static void mistake_at(struct parser *p, unsigned int line,
							     const char *fmt, ...)
{
	char text[768];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_error("%s:%u: %s", p->path, line, text);
	p->mistakes++;
}

/* ---- values --------------------------------------------------------------- */

static const char *const policies[] = {
	[POLICY_CONTINUE] = "continue",
	[POLICY_SHELL] = "shell",
	[POLICY_ROLLBACK] = "rollback",
};

const char *restore_policy_name(enum restore_policy policy)
{
	return (unsigned int)policy <= POLICY_ROLLBACK ? policies[policy] : NULL;
}

int restore_policy_parse(const char *name, enum restore_policy *policy)
{
	unsigned int i;

	for (i = POLICY_CONTINUE; i <= POLICY_ROLLBACK; i++) {
		if (strcmp(name, policies[i]))
			continue;
		*policy = i;
		return 0;
	}
	return -EINVAL;
}

static const char *read_policy(const struct setting *setting, const char *value, void *field)
{
	(void)setting;
	return restore_policy_parse(value, field) ? "continue, shell or rollback" : NULL;
}

static const char *read_commit(const struct setting *setting, const char *value, void *field)
{
	(void)setting;
	if (strcmp(value, "auto") && strcmp(value, "manual"))
		return "auto or manual";
	*(bool *)field = !strcmp(value, "auto");
	return NULL;
}

static const char *read_yes_no(const struct setting *setting, const char *value, void *field)
{
	(void)setting;
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return "yes or no";
	*(bool *)field = !strcmp(value, "yes");
	return NULL;
}

/* Decimal digits only: strtoull() would take a sign, too. *end is behind them. */
static bool read_digits(const char *value, char **end, unsigned long long *number)
{
	if (!isdigit((unsigned char)*value))
		return false;
	errno = 0;
	*number = strtoull(value, end, 10);
	return !errno;
}

static const char *read_number(const struct setting *setting, const char *value, void *field)
{
	unsigned long long number;
	char *end;

	if (!read_digits(value, &end, &number) || *end || number < setting->min ||
	    number > setting->max)
		return setting->range;
	*(unsigned int *)field = (unsigned int)number;
	return NULL;
}

static const char *read_size(const struct setting *setting, const char *value, void *field)
{
	static const char units[] = "KMG";
	unsigned long long number;
	unsigned int shift = 0;
	const char *unit;
	char *end;

	if (!read_digits(value, &end, &number))
		return setting->range;
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		end++;
	}
	if (*end || number > setting->max >> shift || number << shift < setting->min)
		return setting->range;
	*(uint64_t *)field = (uint64_t)number << shift;
	return NULL;
}

static const char *read_string(const struct setting *setting, const char *value, void *field)
{
	char *copy = strdup(value);

	(void)setting;
	if (!copy)
		return "memory to be left for it";
	*(char **)field = copy;
	return NULL;
}

static const char *read_path(const struct setting *setting, const char *value, void *field)
{
	if (value[0] != '/')
		return "an absolute path";
	return read_string(setting, value, field);
}

static bool is_unit_name(const char *name)
{
	static const char suffix[] = ".service";
	size_t length = strlen(name);

	if (length < sizeof(suffix) || length > 255 ||
	    strcmp(name + length - strlen(suffix), suffix))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr(":-_.\\@", *name))
			return false;
	return true;
}

static const char *read_unit(const struct setting *setting, const char *value, void *field)
{
	if (!is_unit_name(value))
		return "the name of a systemd service, as in web.service";
	return read_string(setting, value, field);
}

static const char *read_list(const struct setting *setting, const char *value, void *field)
{
	_cleanup_strv_ char **list = NULL;

	(void)setting;
	if (strv_split(value, &list))
		return "memory to be left for it";
	/* what was there is a default */
	strv_free(*(char ***)field);
	*(char ***)field = steal_ptr(list);
	return NULL;
}

static const char *read_engines(const struct setting *setting, const char *value, void *field)
{
	_cleanup_strv_ char **list = NULL;
	char *const *name;

	if (strv_split(value, &list))
		return "memory to be left for it";
	for (name = list; name && *name; name++)
		if (strcmp(*name, "podman") && strcmp(*name, "crun") && strcmp(*name, "runc") &&
		    strcmp(*name, "tree"))
			return "a list of podman, crun, runc and tree";
	return read_list(setting, value, field);
}

static const char *read_fault(const struct setting *setting, const char *value, void *field)
{
	if (!fault_known(value))
		return "a fault point, as in test/fault/table";
	return read_string(setting, value, field);
}

/* ---- the table ------------------------------------------------------------- */

#define SETTING(key, where, how, type, member) \
	.name = key, .places = where, .read = read_##how, .offset = offsetof(struct type, member)
#define HEAD(key, how, member) SETTING(key, IN_HEAD, how, config, member)
#define SECTION(key, where, how, member) SETTING(key, where, how, config_section, member)
#define RANGE(low, high, unit) \
	.min = low, .max = high, .range = "a number from " #low " to " #high unit

static const struct setting settings[] = {
	{ HEAD("on-restore-failure", policy, on_restore_failure) },
	{ HEAD("commit", commit, commit_auto) },
	{ HEAD("parallel", number, parallel), RANGE(0, 1024, " (0 = one for each CPU)") },
	{ HEAD("dump-timeout", number, dump_timeout), RANGE(1, 86400, " (seconds)") },
	{ HEAD("restore-timeout", number, restore_timeout), RANGE(1, 86400, " (seconds)") },
	{ HEAD("filesystem-timeout", number, filesystem_timeout), RANGE(1, 3600, " (seconds)") },
	{ HEAD("tries", number, tries), RANGE(1, 100, "") },
	{ HEAD("restore-early", yes_no, restore_early) },
	{ HEAD("ghost-limit", size, ghost_limit), .max = 1ull << 40,
	  .range = "bytes, or a number with K, M or G; at most 1024G" },
	{ HEAD("zero-copy", yes_no, zero_copy) },
	{ HEAD("verify", yes_no, verify) },
	{ HEAD("stop-services", yes_no, stop_services) },
	{ HEAD("keep-services", list, keep_services), .may_be_empty = true },
	{ HEAD("engines", engines, engines) },
	{ HEAD("append", string, append), .may_be_empty = true },
	{ HEAD("fault", fault, fault), .may_be_empty = true },
	{ SECTION("carry", IN_CONTAINER | IN_TREE, yes_no, carry) },
	{ SECTION("after", IN_CONTAINER | IN_TREE, list, after), .may_be_empty = true },
	{ SECTION("pid-file", IN_TREE, path, pid_file) },
	{ SECTION("unit", IN_TREE, unit, unit) },
};

#define NR_SETTINGS (sizeof(settings) / sizeof(settings[0]))

static const struct setting *find_setting(const char *name)
{
	size_t i;

	for (i = 0; i < NR_SETTINGS; i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

void config_defaults(struct config *config)
{
	*config = (struct config){
		.on_restore_failure = POLICY_CONTINUE,
		.commit_auto = true,
		.parallel = 0,
		.dump_timeout = 60,
		.restore_timeout = 120,
		.filesystem_timeout = 60,
		.tries = 2,
		.restore_early = true,
		.ghost_limit = 64ull << 20,
		.zero_copy = true,
		.stop_services = true,
	};
	if (!strv_add(&config->engines, "podman") && !strv_add(&config->engines, "crun") &&
	    !strv_add(&config->engines, "runc"))
		strv_add(&config->engines, "tree");
}

/* ---- lines ------------------------------------------------------------------ */

static struct config_section *last_section(struct parser *p)
{
	return &p->config.section[p->config.nr_sections - 1];
}

/* What can only be said once all of a section has been read. */
static void finish_section(struct parser *p)
{
	const struct config_section *s;

	if (!p->in_section || p->skip)
		return;
	s = last_section(p);
	if (s->tree && !s->pid_file && !s->unit)
		mistake_at(p, s->line, "[tree %s] has neither `pid-file` nor `unit`: one of them must say which process it is",
			   s->name);
	if (s->pid_file && s->unit)
		mistake_at(p, s->line, "[tree %s] has both `pid-file` and `unit`: which of them is right?",
			   s->name);
	if (strv_has(s->after, s->name))
		mistake_at(p, s->line, "[%s %s] is to come after itself", s->tree ? "tree" : "container",
			   s->name);
}

static bool is_container_name(const char *name)
{
	size_t length = strlen(name);
	const char *c;

	if (!length || length > NAME_MAX_BYTES || name[0] == '.' || name[0] == '-')
		return false;
	for (c = name; *c; c++)
		if (!isgraph((unsigned char)*c) || strchr("/,[]#\"\\", *c))
			return false;
	return true;
}

static void add_section(struct parser *p, bool tree, const char *name)
{
	struct config_section *longer;
	size_t i, n = p->config.nr_sections;

	for (i = 0; i < n; i++) {
		if (strcmp(p->config.section[i].name, name))
			continue;
		mistake(p, "there is a section of the name %s already, in line %u; a name stands for one container",
			name, p->config.section[i].line);
		return;
	}
	longer = realloc(p->config.section, (n + 1) * sizeof(*longer));
	if (!longer) {
		mistake(p, "no memory is left for section %s", name);
		return;
	}
	p->config.section = longer;
	longer[n] = (struct config_section){
		.name = strdup(name), .line = p->line, .tree = tree, .carry = true,
	};
	if (!longer[n].name) {
		mistake(p, "no memory is left for section %s", name);
		return;
	}
	p->config.nr_sections++;
	p->skip = false;
}

/* Without white space at both ends, and without a comment. */
static char *trim(char *text)
{
	char *end, *hash;

	for (hash = strchr(text, '#'); hash; hash = strchr(hash + 1, '#'))
		if (hash == text || isspace((unsigned char)hash[-1]))
			break;
	if (hash)
		*hash = '\0';
	text += strspn(text, " \t\r");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return text;
}

/* "[kind name]"; the closing bracket is there. */
static void read_section(struct parser *p, char *text)
{
	char *kind, *name;
	bool tree;

	finish_section(p);
	p->in_section = p->skip = true;
	p->seen = 0;
	text[strlen(text) - 1] = '\0';
	kind = trim(text + 1);
	name = kind + strcspn(kind, " \t");
	if (*name)
		*name++ = '\0';
	name += strspn(name, " \t");
	tree = !strcmp(kind, "tree");
	if (!tree && strcmp(kind, "container"))
		mistake(p, "there is no such section; expected [container NAME] or [tree NAME]");
	else if (!is_container_name(name))
		mistake(p, "\"%.200s\" cannot be the name of a container; expected [%s NAME], at most %u characters, none of them white space or one of / , [ ] # \" \\, and no . or - at the start",
			name, kind, NAME_MAX_BYTES);
	else
		add_section(p, tree, name);
}

/* Where we are, as in `places`. */
static enum place here(struct parser *p)
{
	if (!p->in_section)
		return IN_HEAD;
	return last_section(p)->tree ? IN_TREE : IN_CONTAINER;
}

static void wrong_place(struct parser *p, const struct setting *s)
{
	if (s->places == IN_HEAD)
		mistake(p, "`%s` belongs before the first section", s->name);
	else if (s->places == IN_TREE)
		mistake(p, "`%s` belongs into a section [tree NAME]", s->name);
	else
		mistake(p, "`%s` belongs into a section [container NAME] or [tree NAME]", s->name);
}

static void read_setting(struct parser *p, const char *key, const char *value)
{
	const struct setting *s = find_setting(key);
	const char *expected;
	char *base;

	if (!s) {
		mistake(p, "there is no setting `%.200s`; see rebootless.conf(5)", key);
		return;
	}
	if (p->in_section && p->skip)
		return;
	if (!(s->places & here(p))) {
		wrong_place(p, s);
		return;
	}
	if (p->seen & 1u << (s - settings)) {
		mistake(p, "`%s` is set for the second time in this section", key);
		return;
	}
	p->seen |= 1u << (s - settings);
	base = p->in_section ? (char *)last_section(p) : (char *)&p->config;
	if (*value)
		expected = s->read(s, value, base + s->offset);
	else
		expected = s->may_be_empty ? NULL : "a value";
	if (expected)
		mistake(p, "`%s` is \"%.200s\", expected %s", key, value, expected);
}

static void read_line(struct parser *p, char *line)
{
	char *text = trim(line), *equals = strchr(text, '=');

	if (!*text)
		return;
	if (text[0] == '[' && text[strlen(text) - 1] == ']') {
		read_section(p, text);
	} else if (text[0] == '[' || !equals || equals == text) {
		mistake(p, "\"%.200s\" is neither `key = value` nor a section [container NAME] or [tree NAME]",
			text);
	} else {
		*equals = '\0';
		read_setting(p, trim(text), trim(equals + 1));
	}
}

static_assert(NR_SETTINGS <= 32, "struct parser: seen has a bit for each setting");

int config_parse(const char *text, const char *path, struct config *config)
{
	_cleanup_free_ char *copy = strdup(text);
	struct parser p = { .path = path };
	char *line, *next;

	if (!copy)
		return log_syserr(ENOMEM, "cannot read %s", path);
	config_defaults(&p.config);
	for (line = copy; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		p.line++;
		read_line(&p, line);
	}
	finish_section(&p);
	if (p.mistakes) {
		config_free(&p.config);
		return -EINVAL;
	}
	*config = p.config;
	return 0;
}

/* ---- the file --------------------------------------------------------------- */

/* Whoever can write it decides what root runs. */
static int check_file(int fd, const char *path, size_t *bytes)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return log_syserr(errno, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode))
		return log_refusal(-EINVAL, "%s is not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return log_refusal(-EPERM, "%s belongs to user %u, expected root: chown root %s",
				   path, (unsigned int)st.st_uid, path);
	if (st.st_mode & 0022)
		return log_refusal(-EPERM, "%s has mode %04o, so that others than its owner may write it: chmod go-w %s",
				   path, (unsigned int)st.st_mode & 07777, path);
	if (st.st_size > CONFIG_BYTES_MAX)
		return log_refusal(-EFBIG, "%s has %lld bytes, expected at most %u", path,
				   (long long)st.st_size, CONFIG_BYTES_MAX);
	*bytes = (size_t)st.st_size;
	return 0;
}

/* All of it, with a NUL behind; what is added while it is read does not count. */
static int read_text(int fd, const char *path, size_t bytes, char **text)
{
	_cleanup_free_ char *buf = malloc(bytes + 1);
	size_t used = 0;
	ssize_t n;

	if (!buf)
		return log_syserr(ENOMEM, "cannot read %s", path);
	while (used < bytes && (n = read(fd, buf + used, bytes - used)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return log_syserr(errno, "cannot read %s", path);
		used += (size_t)n;
	}
	buf[used] = '\0';
	if (strlen(buf) != used)
		return log_refusal(-EINVAL, "%s has a NUL byte at offset %zu: it is not a text file",
				   path, strlen(buf));
	*text = steal_ptr(buf);
	return 0;
}

int config_read(const char *path, struct config *config)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	size_t bytes = 0;
	int err;

	if (fd < 0 && errno == ENOENT && !strcmp(path, CONFIG_FILE)) {
		config_defaults(config);
		return 0;
	}
	if (fd < 0)
		return log_syserr(errno, "cannot open %s", path);
	err = check_file(fd, path, &bytes);
	if (!err)
		err = read_text(fd, path, bytes, &text);
	if (!err)
		err = config_parse(text, path, config);
	return err;
}

void config_free(struct config *config)
{
	size_t i;

	for (i = 0; i < config->nr_sections; i++) {
		struct config_section *s = &config->section[i];

		free(s->name);
		strv_free(s->after);
		free(s->pid_file);
		free(s->unit);
	}
	free(config->section);
	strv_free(config->keep_services);
	strv_free(config->engines);
	free(config->append);
	free(config->fault);
	*config = (struct config){ 0 };
}

const struct config_section *config_section(const struct config *config, bool tree,
					    const char *name)
{
	size_t i;

	for (i = 0; i < config->nr_sections; i++)
		if (config->section[i].tree == tree && !strcmp(config->section[i].name, name))
			return &config->section[i];
	return NULL;
}
