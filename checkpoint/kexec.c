// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "kexec.h"

#define LOCKDOWN	"/sys/kernel/security/lockdown"
#define DISABLED	"/proc/sys/kernel/kexec_load_disabled"
#define LIMIT		"/proc/sys/kernel/kexec_load_limit_reboot"
#define PARTS_MAX	8

static long sys_kexec_load(unsigned long entry, unsigned long nr, struct kexec_segment *segment)
{
	return syscall(SYS_kexec_load, entry, nr, segment, (unsigned long)KEXEC_ARCH_DEFAULT);
}

static int explain(int err, const char *what)
{
	switch (err) {
	case ENOSYS:
		return log_refusal(-ENOSYS,
				   "%s: this kernel has no kexec_load (CONFIG_KEXEC is off)", what);
	case EPERM:
		return log_refusal(-EPERM,
				   "%s: not permitted (CAP_SYS_BOOT, lockdown, or a security module)",
				   what);
	case EBUSY:
		return log_refusal(-EBUSY, "%s: another load or unload is in progress; try again",
				   what);
	default:
		return log_syserr(err, "%s", what);
	}
}

static int check_lockdown(void)
{
	char text[128];
	char *mode, *end;

	/* not there: no lockdown, or securityfs not mounted; then kexec_load says EPERM */
	if (file_read_line(LOCKDOWN, text, sizeof(text)) < 0)
		return 0;
	mode = strchr(text, '[');
	end = mode ? strchr(mode, ']') : NULL;
	if (!end)
		return 0;
	*end = '\0';
	if (!strcmp(mode + 1, "none"))
		return 0;
	return log_refusal(-EPERM,
			   "the kernel is locked down (%s says [%s]), which forbids kexec_load; boot without lockdown (secure boot off, or no lockdown=)",
			   LOCKDOWN, mode + 1);
}

int kexec_check_allowed(void)
{
	char limit[32];
	uint64_t disabled = 0;
	int err;

	if (geteuid() != 0)
		return log_refusal(-EPERM, "only root can replace the kernel (effective uid is %u)",
				   (unsigned int)geteuid());
	err = check_lockdown();
	if (err)
		return err;
	if (!file_read_u64(DISABLED, &disabled) && disabled)
		return log_refusal(-EPERM,
				   "%s is %llu, which forbids it until the next boot (sysctl kernel.kexec_load_disabled)",
				   DISABLED, (unsigned long long)disabled);
	if (file_read_line(LIMIT, limit, sizeof(limit)) > 0) {
		if (!strcmp(limit, "0"))
			return log_refusal(-EPERM,
					   "%s is 0: no more loads are allowed until the next boot",
					   LIMIT);
		/* every call counts, the probe below too: do not use one up */
		if (limit[0] != '-')
			return 0;
	}
	/*
	 * Too many segments: refused with EINVAL after the permission checks
	 * and before anything is done. No segments at all would be an unload.
	 */
	if (sys_kexec_load(0, KEXEC_SEGMENT_MAX + 1, NULL) < 0 && errno != EINVAL)
		return explain(errno, "cannot load a kernel");
	return 0;
}

int kexec_is_loaded(void)
{
	uint64_t loaded;
	int err = file_read_u64("/sys/kernel/kexec_loaded", &loaded);

	if (err == -ENOENT)
		err = file_read_u64("/sys/kernel/kexec/loaded", &loaded);
	if (err)
		return log_syserr(-err, "cannot read /sys/kernel/kexec_loaded (is /sys mounted, has the kernel CONFIG_KEXEC?)");
	return loaded != 0;
}

int kexec_load_parts(uint64_t entry, const struct kexec_part *part, unsigned int nr)
{
	struct kexec_segment segment[PARTS_MAX];
	unsigned int i;

	if (nr > PARTS_MAX)
		return log_refusal(-E2BIG, "%u segments, at most %d", nr, PARTS_MAX);
	for (i = 0; i < nr; i++) {
		segment[i].buf = part[i].data;
		segment[i].bufsz = part[i].bytes;
		segment[i].mem = (const void *)(uintptr_t)part[i].addr;
		segment[i].memsz = part[i].memory;
	}
	if (sys_kexec_load(entry, nr, segment) < 0)
		return explain(errno, "kexec_load failed");
	return 0;
}

int kexec_unload(void)
{
	if (sys_kexec_load(0, 0, NULL) < 0)
		return explain(errno, "cannot unload the kernel");
	return 0;
}

int kexec_jump(void)
{
	reboot(LINUX_REBOOT_CMD_KEXEC);
	return log_syserr(errno, "the jump into the new kernel failed");
}
