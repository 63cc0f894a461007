/* SPDX-License-Identifier: GPL-2.0 */
/*
 * initrd_contents.h - has an initramfs what an update needs?
 */
#ifndef REBOOTLESS_INITRD_CONTENTS_H
#define REBOOTLESS_INITRD_CONTENTS_H

#include <stdbool.h>

#define INITRD_RELEASE_MAX 128
#define INITRD_TEXT_MAX 4096

struct initrd_contents {
	bool restore;				/* the program rebootless-restore */
	bool hooks;				/* the dracut module that runs it */
	bool init;				/* rebootless-init: what can run before systemd, */
	bool systemd_init;			/* ... and the program that it starts then */
	unsigned int systemd;			/* version of the systemd in it, 0 = none, or not known */
	bool nft;				/* nft(8), by which the network is locked */
	bool lvm, mdadm, cryptsetup;		/* the programs that set up such disks */
	char words[INITRD_TEXT_MAX];		/* for the command line, of /etc/cmdline.d */
	char crypttab[INITRD_TEXT_MAX];
	bool module;				/* pramfs.ko, */
	char directory[INITRD_RELEASE_MAX];	/* ... in the modules of this kernel, */
	char vermagic[INITRD_RELEASE_MAX];	/* ... built for this one ("" = not known) */
	bool gives;				/* ... where it gives pages instead of copying them */
	char **modules;				/* the names of all kernel modules, '_' instead of '-' */
};

/*
 * Look into an initramfs: concatenated cpio archives, compressed or not; the
 * compressed parts are given to gzip, xz, zstd, lz4 ... and kept in memory for
 * that time. 0 or -errno (logged; contents are as they were).
 */
int initrd_inspect(const char *path, struct initrd_contents *contents);

void initrd_contents_free(struct initrd_contents *contents);
#define _cleanup_initrd_contents_ __attribute__((cleanup(initrd_contents_free)))

#endif
