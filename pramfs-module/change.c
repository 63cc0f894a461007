// SPDX-License-Identifier: GPL-2.0
/*
 * change.c - the gate that a seal shuts.
 *
 * Every change of a tree passes through it, for as short as it takes and never
 * while user memory is touched: a fault on a file of ours may have to pass too.
 */
#include <linux/percpu-rwsem.h>
#include <linux/wait.h>

#include "internal.h"

static struct percpu_rw_semaphore seal_lock;
static bool sealed;
static DECLARE_WAIT_QUEUE_HEAD(gate_wait);

int pramfs_change_init(void)
{
	return percpu_init_rwsem(&seal_lock);
}

void pramfs_change_exit(void)
{
	percpu_free_rwsem(&seal_lock);
}

int pramfs_change_begin(void)
{
	percpu_down_read(&seal_lock);
	if (likely(!sealed))
		return 0;
	percpu_up_read(&seal_lock);
	return -EROFS;
}

bool pramfs_change_trybegin(void)
{
	if (!percpu_down_read_trylock(&seal_lock))
		return false;
	if (likely(!sealed))
		return true;
	percpu_up_read(&seal_lock);
	return false;
}

void pramfs_change_end(void)
{
	percpu_up_read(&seal_lock);
}

bool pramfs_is_sealed(void)
{
	return READ_ONCE(sealed);
}

void pramfs_gate_shut(void)
{
	percpu_down_write(&seal_lock);
	WRITE_ONCE(sealed, true);
	percpu_up_write(&seal_lock);
}

void pramfs_gate_open(void)
{
	percpu_down_write(&seal_lock);
	WRITE_ONCE(sealed, false);
	percpu_up_write(&seal_lock);
	wake_up_all(&gate_wait);
}

int pramfs_gate_wait(void)
{
	return wait_event_killable(gate_wait, !READ_ONCE(sealed)) ? -EINTR : 0;
}
