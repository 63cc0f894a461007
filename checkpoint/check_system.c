// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "checkpoint/check_internal.h"
#include "checkpoint/check_system.h"
#include "checkpoint/cmdline.h"
#include "checkpoint/initrd_contents.h"
#include "common/cleanup.h"
#include "common/run.h"

/* `criu check` tries all that CRIU needs: a second, on an emulated machine a minute. */
#define CRIU_SECONDS 180
/* It knows the mark by which containers are spared (CGROUP_SURVIVE) since then. */
#define SYSTEMD_MIN 255u

/* ---- the kernel that is to come --------------------------------------------------- */

static void check_module(const struct installed_kernel *to, const struct initrd_contents *c,
			 struct findings *findings)
{
	static const char again[] = "build it (dkms install pramfs/VERSION -k %s) and make the initramfs again (dracut -f --kver %s)";
	char advice[512];

	snprintf(advice, sizeof(advice), again, to->release, to->release);
	if (!c->module)
		findings_add(findings, NULL, 0, "%s has no pramfs.ko: %s", to->initrd, advice);
	else if (c->directory[0] && strcmp(c->directory, to->release))
		findings_add(findings, NULL, 0, "%s has pramfs.ko among the modules of kernel %s, expected %s: %s",
			     to->initrd, c->directory, to->release, advice);
	else if (!c->vermagic[0])
		findings_add(findings, NULL, 0, "pramfs.ko in %s does not say for which kernel it was built: %s",
			     to->initrd, advice);
	else if (strcmp(c->vermagic, to->release))
		findings_add(findings, NULL, 0, "pramfs.ko in %s was built for kernel %s, expected %s: %s",
			     to->initrd, c->vermagic, to->release, advice);
}

static void check_initrd(const struct installed_kernel *to, struct initrd_contents *c,
			 struct findings *findings)
{
	if (initrd_inspect(to->initrd, c)) {
		findings_add(findings, NULL, 0, "the initramfs %s cannot be looked into, see above", to->initrd);
		return;
	}
	if (!c->hooks)
		findings_add(findings, NULL, 0, "%s was made without the dracut module rebootless, so that no container would come back: make it again with dracut -f --kver %s (make install brings the module)",
			     to->initrd, to->release);
	else if (!c->restore)
		findings_add(findings, NULL, 0, "%s has no rebootless-restore, so that no container would come back: make it again with dracut -f --kver %s",
			     to->initrd, to->release);
	else if (!c->nft)
		findings_warn(findings, NULL, 0, "%s has no nft, so that peers may be told that nobody is here while containers are restored: install nftables and make it again with dracut -f --kver %s",
			      to->initrd, to->release);
	if (c->systemd && c->systemd < SYSTEMD_MIN)
		findings_add(findings, NULL, 0, "%s has systemd %u, which kills the restored containers at the switch to the real root: install systemd %u or later and make it again with dracut -f --kver %s",
			     to->initrd, c->systemd, SYSTEMD_MIN, to->release);
	check_module(to, c, findings);
}

int check_target(const struct installed_kernel *to, const char *banner,
		 struct initrd_contents *contents, struct findings *findings)
{
	size_t length = strcspn(banner, " ");

	if (length && (strlen(to->release) != length || strncmp(banner, to->release, length)))
		findings_add(findings, NULL, 0, "%s is kernel %.*s, but its modules and initramfs are those of %s: install that kernel's package again",
			     to->kernel, (int)length, banner, to->release);
	memset(contents, 0, sizeof(*contents));
	check_initrd(to, contents, findings);
	return 0;
}

void check_shell(const struct installed_kernel *to, enum restore_policy policy,
		 struct findings *findings)
{
	char action[16] = "";
	size_t i;

	if (policy != POLICY_SHELL)
		return;
	/* the last one counts */
	for (i = 0; cmdline_value(to->cmdline, "rd.emergency", i, action, sizeof(action)); i++)
		;
	if (!strcmp(action, "reboot") || !strcmp(action, "poweroff") || !strcmp(action, "halt"))
		findings_warn(findings, NULL, 0, "on-restore-failure = shell will open none, since rd.emergency=%s on the command line has dracut reset the machine when a shell is left, and every image would be lost: add rd.emergency=no to append",
			      action);
}

void check_selinux(const char *enforce, struct findings *findings)
{
	if (!access(enforce, F_OK))
		findings_add(findings, NULL, 0, "SELinux is on (%s exists): its policy is not loaded in the initramfs, and CRIU could restore nothing there; boot with selinux=0 to carry containers",
			     enforce);
}

/* ---- CRIU ----------------------------------------------------------------------------- */

struct version {
	unsigned int major, minor;
};

/* The first "N.N" behind `key` ("" = at the start). */
static bool parse_version(const char *text, const char *key, struct version *v)
{
	const char *at = strstr(text, key);

	return at && sscanf(at + strlen(key), " %u.%u", &v->major, &v->minor) == 2;
}

static bool before(const struct version *v, unsigned int major, unsigned int minor)
{
	return v->major < major || (v->major == major && v->minor < minor);
}

static void check_criu_for(const struct version *criu, const char *release, struct findings *findings)
{
	struct version kernel;

	if (!parse_version(release, "", &kernel) || before(&kernel, 7, 1) || !before(criu, 4, 2))
		return;
	findings_add(findings, NULL, 0, "CRIU %u.%u can dump nothing on kernel %s (UDP-Lite is gone since 7.1, and it insists on it): install CRIU 4.2 or later",
		     criu->major, criu->minor, release);
}

/* `criu check ...`: 0 when it is content; what it says goes nowhere. */
static int ask_criu(const char *option, const char *value)
{
	static const struct run_options quiet = { .log = "/dev/null" };
	char *argv[] = { "criu", "check", (char *)option, (char *)value, NULL };

	return run(argv, &quiet, CRIU_SECONDS);
}

static void ask_features(struct findings *findings)
{
	int status = ask_criu(NULL, NULL);

	if (status)
		findings_add(findings, NULL, 0, "CRIU does not work on the running kernel: `criu check` says what is missing (its status is %d)",
			     status);
	status = ask_criu("--feature", "network_lock_nftables");
	if (status)
		findings_add(findings, NULL, 0, "CRIU cannot lock the network by nftables (`criu check --feature network_lock_nftables`): the kernel's module nf_tables, or a CRIU built with libnftables, is missing");
}

static bool ask_version(struct version *criu)
{
	char *argv[] = { "criu", "--version", NULL };
	_cleanup_free_ char *output = NULL;

	return !run_read(argv, CRIU_SECONDS, &output) && output && parse_version(output, "Version:", criu);
}

bool criu_has_plugins(void)
{
	struct version criu;

	return ask_version(&criu) && !before(&criu, 4, 0);
}

int check_criu(const struct installed_kernel *to, struct findings *findings)
{
	struct utsname running;
	struct version criu;

	if (!ask_version(&criu)) {
		findings_add(findings, NULL, 0, "CRIU cannot be run (`criu --version`): install it, 4.2 or later");
		return 0;
	}
	uname(&running);
	/* from then on the configuration's scripts are run for every engine */
	if (before(&criu, 3, 19))
		findings_add(findings, NULL, 0, "CRIU is version %u.%u, expected at least 3.19, and 4.2 for kernels from 7.1 on",
			     criu.major, criu.minor);
	check_criu_for(&criu, running.release, findings);
	if (strcmp(running.release, to->release))
		check_criu_for(&criu, to->release, findings);
	ask_features(findings);
	return 0;
}
