/* SPDX-License-Identifier: GPL-2.0 */
/*
 * criu_log.h - CRIU's own words on why it failed.
 */
#ifndef REBOOTLESS_CRIU_LOG_H
#define REBOOTLESS_CRIU_LOG_H

#include <stddef.h>

/*
 * The first lines of a log that say "Error (", joined by "; "; the last line
 * when there is none; "" when there is no log. At most size - 1 bytes.
 */
void criu_log_errors(const char *path, char *text, size_t size);

/*
 * The same of an engine's command: of CRIU's DIR/VERB.log, or if there is none
 * of what the engine itself said, DIR/VERB.out. verb: dump, restore.
 */
void criu_log_words(const char *dir, const char *verb, char *text, size_t size);

#endif
