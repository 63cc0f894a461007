// SPDX-License-Identifier: GPL-2.0
/*
 * device.c - /dev/pramfs, see pramfs_ioctl.h.
 */
#include <linux/capability.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/io.h>

#include "internal.h"

static DEFINE_MUTEX(pramfs_op_lock);

struct read_state {
	char __user *to;
	u64 pos;		/* where the reader is */
	u64 at;			/* where the page begins that is being told */
	size_t left, done;
};

static int read_page(void *ctx, const void *page)
{
	struct read_state *r = ctx;
	size_t skip, n;

	if (r->pos >= r->at && r->pos < r->at + PAGE_SIZE && r->left) {
		skip = r->pos - r->at;
		n = min(r->left, PAGE_SIZE - skip);
		if (copy_to_user(r->to + r->done, page + skip, n))
			return -EFAULT;
		r->done += n;
		r->pos += n;
		r->left -= n;
	}
	r->at += PAGE_SIZE;
	return 0;
}

static ssize_t device_read(struct file *file, char __user *to, size_t len, loff_t *pos)
{
	struct read_state r = { .to = to, .pos = *pos, .left = len };
	int err;

	if (*pos < 0)
		return -EINVAL;
	if (mutex_lock_interruptible(&pramfs_op_lock))
		return -ERESTARTSYS;
	err = pramfs_sealed_pages(read_page, &r);
	if (!err && !r.at)
		err = pramfs_came_pages(read_page, &r);
	mutex_unlock(&pramfs_op_lock);
	if (err)
		return err;
	*pos = r.pos;
	return r.done;
}

static long do_claim(void __user *arg)
{
	struct pramfs_ioc_claim *c = memdup_user(arg, sizeof(*c));
	long err;

	if (IS_ERR(c))
		return PTR_ERR(c);
	if (c->reserved) {
		err = -EINVAL;
		goto out;
	}
	err = pramfs_claim(c);
	if (copy_to_user(arg, c, sizeof(*c)) && !err) {
		pramfs_release();
		err = -EFAULT;
	}
	/* The loaded kernel will look into the root page: it must not go with us. */
	if (!err)
		__module_get(THIS_MODULE);
out:
	kfree(c);
	return err;
}

static long do_release(void)
{
	if (pramfs_is_sealed())
		return -EBUSY;
	if (pramfs_is_claimed())
		module_put(THIS_MODULE);
	pramfs_release();
	return 0;
}

static long do_seal(void __user *arg)
{
	struct pramfs_ioc_seal out;
	long err;

	err = pramfs_seal(&out);
	if (!err && copy_to_user(arg, &out, sizeof(out))) {
		pramfs_unseal();
		err = -EFAULT;
	}
	return err;
}

static long do_status(void __user *arg)
{
	struct pramfs_ioc_status st = {
		.format_major = PRAMFS_FORMAT_MAJOR,
		.format_minor = PRAMFS_FORMAT_MINOR,
	};

	pramfs_came_status(&st);
	if (pramfs_is_claimed()) {
		st.flags |= PRAMFS_CLAIMED;
		st.arena_bytes = (u64)pramfs_arena_frames() << PAGE_SHIFT;
		st.root = virt_to_phys(pramfs_claimed_root());
	}
	if (pramfs_is_sealed())
		st.flags |= PRAMFS_SEALED;
	pramfs_count_pages(&st);
	return copy_to_user(arg, &st, sizeof(st)) ? -EFAULT : 0;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *p = (void __user *)arg;
	long ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (mutex_lock_interruptible(&pramfs_op_lock))
		return -ERESTARTSYS;
	switch (cmd) {
	case PRAMFS_IOC_CLAIM:
		ret = do_claim(p);
		break;
	case PRAMFS_IOC_RELEASE:
		ret = do_release();
		break;
	case PRAMFS_IOC_SEAL:
		ret = do_seal(p);
		break;
	case PRAMFS_IOC_UNSEAL:
		pramfs_unseal();
		ret = 0;
		break;
	case PRAMFS_IOC_STATUS:
		ret = do_status(p);
		break;
	case PRAMFS_IOC_DISCARD:
		ret = pramfs_discard();
		break;
	case PRAMFS_IOC_FREEZE:
		ret = pramfs_freeze(file, arg);
		break;
	case PRAMFS_IOC_THAW:
		ret = pramfs_thaw(file, current->files);
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&pramfs_op_lock);
	return ret;
}

static int device_open(struct inode *inode, struct file *file)
{
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/* For each process that closes it, at the latest when it ends. */
static int device_flush(struct file *file, fl_owner_t owner)
{
	return pramfs_thaw(file, owner);
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.flush = device_flush,
	.read = device_read,
	.llseek = default_llseek,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pramfs",
	.mode = 0600,
	.fops = &device_operations,
};

int pramfs_device_init(void)
{
	return misc_register(&device);
}

void pramfs_device_exit(void)
{
	misc_deregister(&device);
}
