// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/run.h"
#include "common/unit.h"

#define PID_DIR "/run/rebootless/pids"
#define UNIT_DIR "/run/systemd/system"
#define SHOW_SECONDS 30

static int write_drop_in(const char *unit, const char *text)
{
	char dir[512];

	if (strchr(unit, '/'))
		return log_refusal(-EINVAL, "\"%s\" is not the name of a unit", unit);
	snprintf(dir, sizeof(dir), UNIT_DIR "/%s.d", unit);
	return file_write(dir, UNIT_DROP_IN, 0644, text);
}

/* What it would run to stop is not run either, should it not take the process. */
int unit_hand_over(const char *name, const char *unit, pid_t pid, const char *subgroup)
{
	char text[768], file[300], number[16];
	int err;

	snprintf(file, sizeof(file), "%s.pid", name);
	snprintf(number, sizeof(number), "%d\n", (int)pid);
	err = file_write(PID_DIR, file, 0600, number);
	if (err)
		return err;
	snprintf(text, sizeof(text),
		 "# made by rebootless: the unit's process came through a kernel update\n"
		 "[Service]\nType=forking\nPIDFile=" PID_DIR "/%s\nGuessMainPID=no\n"
		 "ExecStartPre=\nExecStartPost=\nExecStop=\nExecStopPost=\n"
		 "ExecStart=\nExecStart=/bin/true\n%s%s%s", file,
		 subgroup ? "DelegateSubgroup=" : "", subgroup ? subgroup : "", subgroup ? "\n" : "");
	return write_drop_in(unit, text);
}

int unit_hold_back(const char *unit, const char *path)
{
	char text[PATH_MAX + 128];

	snprintf(text, sizeof(text),
		 "# made by rebootless: the unit's container waits to be restored\n"
		 "[Unit]\nConditionPathExists=!%s\n", path);
	return write_drop_in(unit, text);
}

bool unit_runs(const char *unit)
{
	char *argv[] = { "systemctl", "show", "--property=ActiveState", "--value", (char *)unit, NULL };
	_cleanup_free_ char *state = NULL;

	return !run_read(argv, SHOW_SECONDS, &state) && strcmp(state, "inactive\n") &&
	       strcmp(state, "failed\n");
}
