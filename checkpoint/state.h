/* SPDX-License-Identifier: GPL-2.0 */
/*
 * state.h - /run/rebootless: which kernel this program has loaded.
 *
 * The kernel says only that some kernel is loaded, not which. So a load leaves
 * a note: boot_id of the running kernel and address of the root page. What
 * this catches: a note from before a reboot; a kernel that another tool has
 * unloaded (kexec_loaded is 0); a kernel that was there before us (kexec_loaded
 * is 1 and there is no note); an arena that was released or claimed anew.
 * What it cannot catch: another tool that loads a kernel over ours, with
 * kexec_load or kexec_file_load. Nothing in /proc or /sys changes by that, and
 * no call reads a loaded image back. Such a kernel starts without the
 * handover, as if the machine had been reset.
 */
#ifndef REBOOTLESS_STATE_H
#define REBOOTLESS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define STATE_DIR "/run/rebootless"
#define STATE_LOADED STATE_DIR "/loaded"

/*
 * Make the directory (0700, root's) and lock it against other load, unload and
 * fire. Returns the descriptor that holds the lock, or -errno (logged);
 * -EBUSY: somebody has it.
 */
int state_lock(void);

struct state {
	bool there;		/* a note of this boot is there */
	uint64_t root;		/* address of the root page then */
	char release[128];	/* of the loaded kernel */
};

/* A note of another boot is no note. 0 or -errno (logged). */
int state_read(struct state *state);
int state_write(uint64_t root, const char *release);
/* Fine when there is none. */
int state_remove(void);

#endif
