// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/engine.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/podman.h"
#include "common/run.h"
#include "common/strv.h"
#include "service_owners.h"
#include "services.h"
#include "state.h"

/* What is stopped, one to a line, until it is started again: for one that is killed. */
#define NOTE STATE_DIR "/stopped-services"
#define STOP_SECONDS 300
#define ASK_SECONDS 30
#define JOURNAL_SECONDS 60

/*
 * Left running: what others need to stop, what holds the network up, what only
 * starts things, what keeps containers, and the way in of whoever is updating.
 */
static const char *const ground[] = {
	"systemd-*", "dbus*", "polkit*", "user@*", "user-runtime-dir@*", "getty@*",
	"serial-getty@*", "console-getty*", "ssh*", "NetworkManager*", "networking.service",
	"ifup@*", "wpa_supplicant*", "dhcpcd*", "iwd*", "nftables*", "firewalld*", "lvm2-*",
	"dm-event*", "multipathd*", "iscsi*", "mdmonitor*", "zfs-*", "containerd*", "docker*",
	"podman*", "crio*", "netavark-*", "aardvark-dns*", "conmon*", "rebootless*", "emergency*",
	"rescue*", "auditd*", "dracut-*", "initrd-*", "plymouth-*", "elogind*",
};

static bool is_ground(const char *unit, char *const *keep)
{
	size_t i;

	for (i = 0; i < sizeof(ground) / sizeof(ground[0]); i++)
		if (!fnmatch(ground[i], unit, 0))
			return true;
	for (; keep && *keep; keep++)
		if (!fnmatch(*keep, unit, 0))
			return true;
	return false;
}

/* Units with a process that runs: not those of type oneshot, which only have been. */
static int list_running(char ***units)
{
	char *argv[] = { "systemctl", "list-units", "--type=service", "--state=running",
			 "--plain", "--no-legend", "--no-pager", NULL };
	_cleanup_free_ char *text = NULL;
	char *line, *save = NULL;
	int err = run_read(argv, ASK_SECONDS, &text);

	if (err > 0)
		return log_refusal(-EIO, "`systemctl list-units` failed with status %d", err);
	if (err)
		return err;
	for (line = strtok_r(text, "\n", &save); line && !err; line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, " \t")] = '\0';
		err = strv_add(units, line);
	}
	return err;
}

static int systemctl(const char *verb, char *const *units)
{
	_cleanup_strv_ char **argv = NULL;
	int err = strv_add(&argv, "systemctl");

	if (!err)
		err = strv_add(&argv, verb);
	if (!err)
		err = strv_add(&argv, "--");
	if (!err)
		err = strv_extend(&argv, units);
	return err ? err : run(argv, NULL, STOP_SECONDS);
}

/* podman's, of one that is carried: its name begins with the id. It comes to its end by itself (podman_keep.c). */
static bool is_healthcheck(const char *unit, const struct containers *list)
{
	const struct container *c;
	const char *id;

	for (c = list->container; c < list->container + list->nr; c++) {
		id = c->engine == &engine_podman ? podman_text(c->engine_data, "/id") : NULL;
		if (id && *id && !strncmp(unit, id, strlen(id)))
			return true;
	}
	return false;
}

static int choose(const struct config *config, const struct containers *list, char ***stopped)
{
	_cleanup_strv_ char **running = NULL;
	char **unit;
	int err = list_running(&running);

	for (unit = running; !err && unit && *unit; unit++)
		if (!is_ground(*unit, config->keep_services) && !is_healthcheck(*unit, list))
			err = strv_add(stopped, *unit);
	return err ? err : service_owners_spare(list, *stopped);
}

static void write_note(char *const *stopped)
{
	_cleanup_fclose_ FILE *f = fopen(NOTE, "we");

	for (; f && stopped && *stopped; stopped++)
		fprintf(f, "%s\n", *stopped);
}

/*
 * With its files open, journald would find them damaged after the jump, and put
 * them aside: it closes them and writes to /run, or goes back to the disk.
 */
static void move_journal(const char *where)
{
	char *argv[] = { "journalctl", "--quiet", (char *)where, NULL };

	if (access("/run/systemd/journal/socket", F_OK) < 0)
		return;
	if (run(argv, NULL, JOURNAL_SECONDS))
		log_warning("`journalctl %s` failed", where);
}

void services_start_left(void)
{
	_cleanup_fclose_ FILE *f = fopen(NOTE, "re");
	_cleanup_strv_ char **units = NULL;
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			strv_add(&units, line);
	}
	if (!f)
		return;
	if (units)
		log_warning("starting again what a rebootless that has ended had stopped");
	services_start(units);
}

int services_stop(const struct config *config, const struct containers *list, char ***stopped)
{
	char **unit;
	int err;

	if (access("/run/systemd/system", F_OK) < 0)
		return 0;
	err = config->stop_services ? choose(config, list, stopped) : 0;
	if (err) {
		/* nothing is stopped: nothing is to be started */
		strv_free(steal_ptr(*stopped));
		return err;
	}
	for (unit = *stopped; unit && *unit; unit++)
		log_info("stopping %s", *unit);
	write_note(*stopped);
	err = fault_hit(FAULT_STOP_SERVICES, NULL) ? 1 : 0;
	if (!err && strv_count(*stopped))
		err = systemctl("stop", *stopped);
	if (!err) {
		move_journal("--relinquish-var");
		return 0;
	}
	services_start(*stopped);
	return log_refusal(err < 0 ? err : -EIO,
			   "the host's services could not be stopped (%s); stop them yourself, or name them in keep-services",
			   err == -ETIMEDOUT ? "it took too long" : "systemctl stop failed");
}

void services_start(char *const *stopped)
{
	if (stopped && *stopped && systemctl("start", stopped))
		log_warning("not all services that were stopped could be started again; see `systemctl --failed`");
	if (!unlink(NOTE))
		move_journal("--flush");
}
