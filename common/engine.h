/* SPDX-License-Identifier: GPL-2.0 */
/*
 * engine.h - one kind of container: how it is found, dumped and restored.
 *
 * One file per engine with both directions in it, one row in engine.c. Engines
 * say which command does a thing; running it, holding its CRIU at the end of
 * the dump, limits of time and the log are the same for all (dump.c, restore.c).
 */
#ifndef REBOOTLESS_ENGINE_H
#define REBOOTLESS_ENGINE_H

#include <stdbool.h>

#include "common/manifest.h"

struct findings;

/* Where a container's images and CRIU's logs are. */
struct image_dirs {
	char images[512];
	char work[512];
};

/* What CRIU is told beyond what an engine knows. */
struct dump_options {
	const char *action_script;	/* program for CRIU's --action-script, holds the dump */
	const char *plugins;		/* directory for CRIU's --libdir, NULL = it knows none */
	uint64_t ghost_limit;		/* bytes */
	unsigned int freeze_seconds;	/* for all processes of a container to stop, CRIU's --timeout */
};

/* More than any engine has (companions). */
#define COMPANIONS_MAX 4

struct engine {
	const char *name;

	/* Program that must be there for the engine to be asked; NULL = none. */
	const char *program;

	/*
	 * Append all running containers: name, pid, engine_data. Fine when
	 * there is none. 0 or -errno (logged).
	 */
	int (*list)(const struct config *config, struct containers *list);

	/* What speaks against carrying it, beyond what every process is asked. */
	int (*check)(const struct container *c, struct findings *findings);

	/* The same, of what it must be carried together with; list: all that are carried. NULL = nothing. */
	void (*check_together)(const struct container *c, const struct containers *list,
			       struct findings *findings);

	/*
	 * argv of the command that dumps it and, since CRIU is held, does not
	 * end.
	 */
	int (*dump_command)(const struct container *c, const struct image_dirs *dirs,
			    const struct dump_options *options, char ***argv);

	/*
	 * CRIU can be told things in its configuration file only; false:
	 * everything is in dump_command's argv.
	 */
	bool needs_criu_config;

	/* Has CRIU make an empty network namespace at a restore: loopback is for us to bring up. */
	bool empties_network;

	/*
	 * Once for all containers (of any engine), before the first is dumped:
	 * what would disturb them there, or be lost. 0 or -errno (logged).
	 */
	int (*before_dumps)(const struct containers *all);

	/* The inverse, when the update was given up, or once they are restored and the host runs. */
	void (*after_dumps)(const struct containers *all);

	/* It is held at the end of its dump: what else must be captured. 0 or -errno (logged). */
	int (*captured)(const struct container *c, const struct image_dirs *dirs);

	/* Before restore_command, outside of its root (see restored). 0 or -errno (logged). */
	int (*before_restore)(const struct container *c, const struct image_dirs *dirs,
			      const char *root);

	/* The cgroup that restore_command is to be run in; NULL = none in particular. */
	const char *(*home)(const struct container *c);

	/* argv of the command that restores it, run with the real root as /. It ends when it runs. */
	int (*restore_command)(const struct container *c, const struct image_dirs *dirs,
			       const char *action_script, char ***argv);

	/*
	 * argv of the command that takes away what a failed restore has left, so
	 * that it can be tried again; NULL = nothing is left.
	 */
	int (*forget_command)(const struct container *c, char ***argv);

	/*
	 * After a restore: tell those on the host who look after it. root: the
	 * real root in an initramfs, "" when in it. NULL = nobody. 0 or -errno (logged).
	 */
	int (*restored)(const struct container *c, pid_t pid, const char *root);

	/* It could not be restored, and its images are kept; root as above. */
	void (*not_restored)(const struct container *c, const struct image_dirs *dirs);

	/*
	 * Processes of the host without which it cannot be: up to `max` pids into
	 * `pids`. Returns how many.
	 */
	size_t (*companions)(const struct container *c, pid_t *pids, size_t max);

	/* Do processes that are none of its own come into it and go again (healthchecks)? NULL = no. */
	bool (*has_visitors)(const struct container *c);

	/* Does it use the host's own mount namespace? NULL = none does. */
	bool (*has_host_mounts)(const struct container *c);

	/* Has systemd made its cgroup, and must be asked for it again? NULL = never. */
	bool (*needs_systemd)(const struct container *c);

	/* Can files of the host's that it has open be passed to CRIU through its runtime? */
	bool carries_outside_files;

	/* Makes the network namespaces of its containers anew, with all that leads into them. */
	bool makes_network;

	/* Nobody else is in its cgroup: what is found there may be killed. */
	bool owns_cgroup;

	/* After a restore: the pid of its first process; -errno (logged) when it is not there. */
	pid_t (*restored_pid)(const struct container *c, const struct image_dirs *dirs);
};

extern const struct engine engine_podman, engine_crun, engine_runc, engine_tree;

/* All of them, in the order in which they are asked; ends with NULL. */
extern const struct engine *const engines[];
/* NULL when there is none of that name. */
const struct engine *engine_find(const char *name);

/* before_dumps and after_dumps of all engines; when one of the first fails, those before it are undone. */
int engines_before_dumps(const struct containers *all);
void engines_after_dumps(const struct containers *all);

/* Ask the engines that the configuration names. Fills in pid and after. 0 or -errno (logged). */
int engines_ask(const struct config *config, struct containers *list);

/*
 * The same, for an update: fills in cgroup as well, and looks at names and order.
 * 0 or -errno (logged): an engine that cannot be asked, a name that two have,
 * an `after` that names nobody or goes in a circle.
 */
int engines_list(const struct config *config, struct containers *list);

/* Is one of them such that systemd must be asked for its cgroup? */
bool engines_need_systemd(const struct containers *all);

#endif
