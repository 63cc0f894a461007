// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz the configuration's parser: no crash, no leak, a message with every
 * refusal, and nothing accepted that the manual page does not allow.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/log.h"
#include "common/strv.h"

static unsigned int messages;

static void count(enum log_level level, const char *text)
{
	(void)level;
	(void)text;
	messages++;
}

static void require(int ok)
{
	if (!ok)
		abort();
}

static void check_section(const struct config *c, const struct config_section *s)
{
	require(*s->name && !strchr(s->name, '/') && s->name[0] != '.');
	require(config_section(c, s->tree, s->name) == s);
	require(!config_section(c, !s->tree, s->name));
	require(s->tree == (s->pid_file || s->unit));
	require(!(s->pid_file && s->unit));
	require(!s->pid_file || s->pid_file[0] == '/');
	require(!strv_has(s->after, s->name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config c = { 0 };
	char *text = malloc(size + 1);
	size_t i;

	log_set_sink(count);
	messages = 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (config_parse(text, "t", &c)) {
		require(messages > 0);
	} else {
		require(messages == 0);
		require(c.parallel <= 1024 && c.tries >= 1 && c.tries <= 100);
		require(c.dump_timeout && c.restore_timeout && c.filesystem_timeout);
		for (i = 0; i < c.nr_sections; i++)
			check_section(&c, &c.section[i]);
	}
	config_free(&c);
	free(text);
	return 0;
}
