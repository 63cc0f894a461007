/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stopped.h - processes that are stopped (by SIGSTOP, or job control), noted
 * before the dump. CRIU restores them stopped, but PID 1 of an initramfs sends
 * SIGCONT to everything before it switches to the real root.
 */
#ifndef REBOOTLESS_STOPPED_H
#define REBOOTLESS_STOPPED_H

#include <json-c/json.h>
#include <sys/types.h>

/*
 * The stopped ones among a process and its descendants, as a JSON array of the
 * pids that they have in their own pid namespace; NULL when there is none.
 * 0 or -errno (logged).
 */
int stopped_note(pid_t pid, struct json_object **out);

/* Their pids here, among a restored process and its descendants, appended to a list. */
int stopped_find(pid_t pid, struct json_object *noted, pid_t **pids, size_t *nr);

#endif
