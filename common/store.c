// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/manifest.h"
#include "common/run.h"
#include "common/setup_data.h"
#include "common/store.h"
#include "pramfs-module/pramfs_format.h"

#define PARENT "/run/rebootless"
#define MODPROBE_SECONDS 120
#define OPEN_FILES 16
#define STORE_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

int store_load_module(void)
{
	char *argv[] = { "modprobe", "pramfs", NULL };
	bool fault = fault_hit(FAULT_LOAD_MODULE, NULL);
	int status;

	if (!fault && !access("/dev/pramfs", F_OK))
		return 0;
	status = fault ? 1 : run(argv, NULL, MODPROBE_SECONDS);
	if (status > 0)
		return log_refusal(-ENODEV,
				   "`modprobe pramfs` failed with status %d: is the module built for this kernel (dkms status)?",
				   status);
	return status;
}

/* Something is mounted there when it is on another device than its parent. */
bool store_is_mounted(void)
{
	struct stat store, parent;

	return !stat(STORE_DIR, &store) && !stat(PARENT, &parent) && store.st_dev != parent.st_dev;
}

int store_mount(bool zero_copy, bool verify)
{
	char options[128];

	/* No limits: what the containers have in memory has to fit, whatever its share. */
	snprintf(options, sizeof(options), "mode=0700,size=0,nr_inodes=0,adopt=%s,give=%s,verify=%s",
		 zero_copy ? "on" : "off", zero_copy ? "on" : "off", verify ? "on" : "off");

	if (store_is_mounted()) {
		if (mount(STORE_NAME, STORE_DIR, "pramfs", MS_REMOUNT | STORE_FLAGS, options) < 0)
			return log_syserr(errno, "cannot set the options of PramFS at %s", STORE_DIR);
		return 0;
	}
	if ((mkdir(PARENT, 0700) < 0 && errno != EEXIST) ||
	    (mkdir(STORE_DIR, 0700) < 0 && errno != EEXIST))
		return log_syserr(errno, "cannot make %s", STORE_DIR);
	if (fault_hit(FAULT_MOUNT_STORE, NULL) ||
	    mount(STORE_NAME, STORE_DIR, "pramfs", STORE_FLAGS, options) < 0)
		return log_syserr(errno, "cannot mount PramFS at %s", STORE_DIR);
	return 0;
}

/* A mount of this name that has come is taken over; otherwise an empty one would be made. */
int store_take_over(void)
{
	int err;

	if (store_is_mounted())
		return 0;
	if (setup_data_find(PRAMFS_SETUP_TYPE) < 0)
		return -ENOENT;
	err = store_load_module();
	return err ? err : store_mount(true, false);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	/* the mount point stays */
	if (!ftw->level && !strcmp(path, STORE_DIR))
		return 0;
	return remove(path) < 0 ? errno : 0;
}

int store_remove(const char *dir)
{
	int err = nftw(dir, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);

	if (err < 0 && errno == ENOENT)
		return 0;
	return err ? log_syserr(err > 0 ? err : errno, "cannot remove %s", dir) : 0;
}

static unsigned long long counted;

static int count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	if (type == FTW_F)
		counted += (unsigned long long)st->st_blocks * 512;
	return 0;
}

unsigned long long store_bytes(void)
{
	counted = 0;
	if (nftw(STORE_DIR, count_one, OPEN_FILES, FTW_PHYS | FTW_MOUNT) < 0)
		log_syserr(errno, "cannot look into %s", STORE_DIR);
	return counted;
}

int store_clear(void)
{
	return store_remove(STORE_DIR);
}

int store_unmount(void)
{
	if (store_is_mounted() && umount2(STORE_DIR, 0) < 0)
		return log_syserr(errno, "cannot unmount %s", STORE_DIR);
	return 0;
}

int store_log_open(void)
{
	int fd = open(STORE_DIR "/log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		      0600);

	if (fd < 0)
		log_warning("cannot write %s/log: %s", STORE_DIR, strerror(errno));
	log_set_file(fd);
	return fd;
}

void store_log_close(int *fd)
{
	log_set_file(-1);
	cleanup_close(fd);
	*fd = -1;
}
