/* SPDX-License-Identifier: GPL-2.0 */
/*
 * config.h - /etc/rebootless.conf, documented in rebootless.conf(5).
 *
 * Lines `key = value`, sections `[container NAME]` and `[tree NAME]`, comments
 * with '#'. What is wrong is named with file and line, and all of it, not just
 * the first. What the new kernel has to know travels in the manifest, so the
 * file is read in the old kernel only.
 */
#ifndef REBOOTLESS_CONFIG_H
#define REBOOTLESS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_FILE "/etc/rebootless.conf"

enum restore_policy {
	POLICY_CONTINUE,	/* boot on; the images are kept */
	POLICY_SHELL,		/* a shell in the initramfs, then boot on */
	POLICY_ROLLBACK,	/* back to the old kernel, with every container */
};

/* What a [container NAME] or [tree NAME] section says. */
struct config_section {
	char *name;
	unsigned int line;	/* of its head, for messages */
	bool tree;		/* [tree]: a plain process tree */
	bool carry;		/* no: left out of updates, it dies with the old kernel */
	char **after;		/* dumped before these and restored after them */
	char *pid_file;		/* tree: file with the pid of its first process, or ... */
	char *unit;		/* tree: ... the systemd unit whose main process it is */
};

struct config {
	enum restore_policy on_restore_failure;
	bool commit_auto;		/* commit = auto | manual */
	unsigned int parallel;		/* containers at a time; 0 = number of CPUs */
	unsigned int dump_timeout;	/* seconds for a container to be captured */
	unsigned int restore_timeout;	/* seconds for a container to be restored */
	unsigned int filesystem_timeout;/* seconds to wait for a disk in the initramfs */
	unsigned int tries;		/* boots that try by themselves to restore */
	bool restore_early;		/* no: not before dracut has mounted the real root */
	uint64_t ghost_limit;		/* bytes of the largest unlinked file to carry */
	bool zero_copy;			/* no: memory is copied into PramFS and out of it */
	bool verify;			/* yes: checksums of all pages that are handed over */
	bool stop_services;		/* stop host services in order before the freeze */
	char **keep_services;		/* of them, those to be left running; patterns */
	char **engines;			/* which to ask for containers: podman crun runc tree */
	char *append;			/* added to the new kernel's command line */
	char *fault;			/* see fault.h; NULL = none */
	struct config_section *section;
	size_t nr_sections;
};

/*
 * Defaults, then the file over them; a missing file is fine when it is
 * CONFIG_FILE itself. 0 or -errno (every mistake logged).
 */
int config_read(const char *path, struct config *config);

/*
 * The pure part: parse text over the defaults; `path` is for messages. Both
 * write *config only on success, and do not free what was in it.
 */
int config_parse(const char *text, const char *path, struct config *config);

void config_defaults(struct config *config);
void config_free(struct config *config);
#define _cleanup_config_ __attribute__((cleanup(config_free)))

/* The section of a container, or NULL. */
const struct config_section *config_section(const struct config *config, bool tree,
					    const char *name);

const char *restore_policy_name(enum restore_policy policy);
/* -EINVAL when there is no such policy; not logged. */
int restore_policy_parse(const char *name, enum restore_policy *policy);

#endif
