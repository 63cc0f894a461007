// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "host.h"

#define BOOT_PARAMS "/sys/kernel/boot_params/data"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static int read_boot_params(struct boot_params *bp)
{
	char buf[sizeof(*bp) + 1];
	int n = file_read(BOOT_PARAMS, buf, sizeof(buf));

	if (n < 0)
		return log_syserr(-n, "cannot read the running kernel's boot parameters from %s",
				  BOOT_PARAMS);
	if (n != (int)sizeof(*bp))
		return log_refusal(-EINVAL, "%s has %d bytes, expected %zu", BOOT_PARAMS, n,
				   sizeof(*bp));
	memcpy(bp, buf, sizeof(*bp));
	return 0;
}

/* Does the first "flags" line of /proc/cpuinfo have this word? */
static int cpu_has(const char *flag, bool *has)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/cpuinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	*has = false;
	if (!f)
		return log_syserr(errno, "cannot read /proc/cpuinfo");
	while (getline(&line, &size, f) > 0) {
		char *word, *save = NULL;

		if (strncmp(line, "flags", 5))
			continue;
		for (word = strtok_r(line, " \t\n", &save); word; word = strtok_r(NULL, " \t\n", &save))
			if (!strcmp(word, flag))
				*has = true;
		return 0;
	}
	return 0;
}

/* How many are in a list like "0-3,8"; at least 1. */
static uint32_t list_count(const char *path)
{
	char text[1024], *p = text;
	uint32_t count = 0;

	if (file_read_line(path, text, sizeof(text)) <= 0)
		return 1;
	while (*p) {
		unsigned long from = strtoul(p, &p, 10), to = from;

		if (*p == '-')
			to = strtoul(p + 1, &p, 10);
		if (to >= from)
			count += (uint32_t)(to - from + 1);
		if (*p != ',')
			break;
		p++;
	}
	return count ? count : 1;
}

static int read_crash_regions(struct host *host)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/iomem", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!f)
		return log_syserr(errno, "cannot read /proc/iomem");
	while (getline(&line, &size, f) > 0) {
		uint64_t start, end;

		if (!strstr(line, " : Crash kernel") ||
		    sscanf(line, " %" SCNx64 "-%" SCNx64, &start, &end) != 2 || end <= start)
			continue;
		if (host->nr_crash == sizeof(host->crash) / sizeof(host->crash[0]))
			break;
		host->crash[host->nr_crash++] = (struct pramfs_arena){ start, end - start + 1 };
	}
	return 0;
}

int host_read(struct host *host)
{
	int n, err;

	memset(host, 0, sizeof(*host));
	n = file_read_line("/proc/cmdline", host->cmdline, sizeof(host->cmdline));
	if (n < 0)
		return log_syserr(-n, "cannot read /proc/cmdline");
	host->cpus = list_count("/sys/devices/system/cpu/possible");
	host->nodes = list_count("/sys/devices/system/node/online");
	err = read_boot_params(&host->boot_params);
	if (!err)
		err = cpu_has("la57", &host->la57);
	if (!err)
		err = read_crash_regions(host);
	return err;
}

int host_boot_id(char id[HOST_BOOT_ID_MAX])
{
	int n = file_read_line(BOOT_ID, id, HOST_BOOT_ID_MAX);

	if (n <= 0)
		return log_syserr(n ? -n : EINVAL, "cannot read %s", BOOT_ID);
	return 0;
}

bool host_is_this_boot(const char *id)
{
	char now[HOST_BOOT_ID_MAX];

	return id && !host_boot_id(now) && !strcmp(id, now);
}
