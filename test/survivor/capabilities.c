// SPDX-License-Identifier: GPL-2.0
/* Credentials: capability sets, secure bits, user and group ids, supplementary groups. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "survivor.h"

static const char *const keys[] = {
	"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "Uid", "Gid", "Groups", "NoNewPrivs",
};

#define NR (sizeof(keys) / sizeof(keys[0]))

/* Of the child that has given most away, and of one with mixed ids */
static char poor_values[NR][256], mixed_values[NR][256];
static pid_t poor, mixed;

static void set_caps(unsigned int effective, unsigned int permitted, unsigned int inheritable)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { effective, permitted, inheritable } };

	must(syscall(SYS_capset, &header, data));
}

#define BIT(cap) (1U << (cap))

static void poor_set_up(void)
{
	unsigned int few = BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_KILL) | BIT(CAP_CHOWN);

	must(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME, 0, 0, 0));
	must(prctl(PR_CAPBSET_DROP, CAP_MKNOD, 0, 0, 0));
	must(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP | SECBIT_NOROOT));
	must(setgroups(3, (gid_t[]){ 7, 4242, 6000 }));
	must(setresgid(1001, 1002, 1003));
	must(setresuid(2001, 2002, 2003));
	set_caps(BIT(CAP_KILL), few, BIT(CAP_KILL) | BIT(CAP_CHOWN));
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
	/* Else a process that has changed its ids cannot be looked into. */
	must(prctl(PR_SET_DUMPABLE, 1));
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void poor_check(void)
{
	expect_num("child: secure bits", SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP | SECBIT_NOROOT,
		   prctl(PR_GET_SECUREBITS));
	expect_num("child: bounding set", 0, prctl(PR_CAPBSET_READ, CAP_MKNOD));
	expect_num("child: dumpable", 1, prctl(PR_GET_DUMPABLE));
}

static void mixed_set_up(void)
{
	setfsuid(3001);
	setfsgid(3002);
}

static void note(pid_t pid, char (*values)[256])
{
	for (size_t i = 0; i < NR; i++)
		snprintf(values[i], 256, "%.250s", proc_status(pid, keys[i]));
}

static void set_up(void)
{
	poor = helper(poor_set_up, poor_check);
	mixed = helper(mixed_set_up, NULL);
	note(poor, poor_values);
	note(mixed, mixed_values);
	must(strstr(poor_values[5], "2002") ? 0 : -1);
	must(strstr(mixed_values[5], "3001") ? 0 : -1);
}

static void check(void)
{
	char what[64];

	for (size_t i = 0; i < NR; i++) {
		snprintf(what, sizeof(what), "%s of one without rights", keys[i]);
		expect_text(what, poor_values[i], proc_status(poor, keys[i]));
		snprintf(what, sizeof(what), "%s of one with other file ids", keys[i]);
		expect_text(what, mixed_values[i], proc_status(mixed, keys[i]));
	}
	helper_check(poor);
}

static void lose_ambient(void)
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static void lose_effective(void)
{
	set_caps(0, BIT(CAP_KILL), 0);
}

static void file_ids(void)
{
	setfsuid(0);
}

static void drop_more(void)
{
	prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0);
}

static void sabotage(int which)
{
	switch (which) {
	case 1: helper_do(poor, lose_ambient); break;
	case 2: helper_do(poor, lose_effective); break;
	case 3: helper_do(mixed, file_ids); break;
	case 4: helper_do(mixed, drop_more); break;
	}
}

const struct survivor survivor_capabilities = {
	.name = "capabilities",
	.keeps = "capability sets, secure bits, user, group and file ids, supplementary groups",
	.set_up = set_up,
	.check = check,
	.sabotage = sabotage,
	.sabotages = 4,
};
