// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/loopback.h"
#include "common/run.h"
#include "common/strv.h"
#include "restore/system.h"

#define MODPROBE_SECONDS 60
#define BUS_SECONDS 60

/*
 * CRIU reads sockets by sock_diag and locks networks by nftables; containers
 * have overlays and virtual links. The kernel asks for most of these itself,
 * but by a modprobe that looks below the real root only after the switch.
 */
static void load_modules(void)
{
	char *argv[] = { "modprobe", "--all", "--quiet", "overlay", "veth", "bridge", "tun",
			 "unix_diag", "inet_diag", "tcp_diag", "udp_diag", "raw_diag",
			 "af_packet_diag", "netlink_diag", "nf_tables", "nf_conntrack", NULL };

	/* one that this kernel has built in, or has no more, is no failure */
	if (run(argv, NULL, MODPROBE_SECONDS) < 0)
		log_warning("the modules that CRIU needs could not be loaded");
}

/* A name comes from a file: it must be no option, and no path. */
static bool is_module_name(const char *name)
{
	return *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")];
}

void system_load_drivers(char *const *drivers)
{
	_cleanup_strv_ char **argv = NULL;
	size_t words;
	int err = strv_split("modprobe --all --quiet --use-blacklist", &argv);

	words = strv_count(argv);
	for (; !err && drivers && *drivers; drivers++)
		if (is_module_name(*drivers))
			err = strv_add(&argv, *drivers);
	if (!err && strv_count(argv) > words && run(argv, NULL, MODPROBE_SECONDS))
		log_detail("not all drivers of disks and networks are there by now: udev comes to them later");
}

static int mount_cgroups(void)
{
	if (!access(CGROUP_ROOT "/cgroup.procs", F_OK))
		return 0;
	if (mount("cgroup2", CGROUP_ROOT, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "nsdelegate,memory_recursiveprot") < 0)
		return log_syserr(errno, "cannot mount cgroups at %s", CGROUP_ROOT);
	return 0;
}

/* Those that need it fail by themselves, and say so. */
static void start_bus(void)
{
	char *argv[] = { "systemctl", "start", "dbus.socket", "dbus.service", NULL };

	if (!access("/run/dbus/system_bus_socket", F_OK))
		return;
	if (run(argv, NULL, BUS_SECONDS))
		log_warning("the system bus could not be started: containers whose cgroups systemd makes cannot be restored now, but with `rebootless restore` later");
}

int system_prepare(const struct manifest *m)
{
	int err;

	load_modules();
	err = mount_cgroups();
	if (err)
		return err;
	/* without it CRIU takes the kernel for one that cannot repair TCP connections */
	err = loopback_up();
	if (err)
		return log_syserr(-err, "cannot bring up the loopback device");
	if (engines_need_systemd(&m->containers))
		start_bus();
	return 0;
}
