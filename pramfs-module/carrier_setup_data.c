// SPDX-License-Identifier: GPL-2.0
/*
 * carrier_setup_data.c - the next kernel is told by the x86 boot protocol.
 *
 * The boot loader puts our root page into the setup_data list (pramfs_format.h,
 * "The way in"). boot_params is not exported to modules, so the list is read
 * where the kernel shows it to everybody: under /sys.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mmzone.h>

#include "internal.h"

#define SETUP_DATA_DIR	"/sys/kernel/boot_params/setup_data"
#define MAX_NODES	1024	/* the kernel itself sets no bound */

/* Up to len bytes from the start of node nr's file; bytes read or -errno. */
static ssize_t read_node(unsigned int nr, const char *what, void *buf, size_t len)
{
	char path[sizeof(SETUP_DATA_DIR) + 24];
	struct file *file;
	loff_t pos = 0;
	ssize_t ret;

	snprintf(path, sizeof(path), SETUP_DATA_DIR "/%u/%s", nr, what);
	file = filp_open(path, O_RDONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = kernel_read(file, buf, len, &pos);
	filp_close(file, NULL);
	return ret;
}

static int node_type(unsigned int nr, u32 *type)
{
	char text[24];
	ssize_t n;

	n = read_node(nr, "type", text, sizeof(text) - 1);
	if (n < 0)
		return n;
	text[n] = 0;
	return kstrtou32(strim(text), 0, type);
}

/*
 * The node's data are what follows its head of 16 bytes. The root says itself
 * where it lies; that it is there and reserved is checked before it is used.
 */
static int node_root(unsigned int nr, unsigned long *pfn)
{
	struct {
		u8 head[offsetofend(struct pramfs_root, pfn)];
	} root;
	const struct pramfs_root *r = (const void *)&root;
	ssize_t n;
	u64 at;

	n = read_node(nr, "data", root.head + 16, sizeof(root) - 16);
	if (n < 0)
		return n;
	if (n != sizeof(root) - 16 || r->magic != cpu_to_le64(PRAMFS_ROOT_MAGIC)) {
		pr_err("boot node %u is of our type, but not a root page: nothing can be found by it\n", nr);
		return -EUCLEAN;
	}
	at = le64_to_cpu(r->pfn);
	if (at < PRAMFS_LOWEST_PFN || at >> PRAMFS_PFN_BITS || !pfn_valid(at)) {
		pr_err("boot node %u: the root page says that it lies in frame 0x%llx, where no memory is\n",
		       nr, at);
		return -EUCLEAN;
	}
	if (!PageReserved(pfn_to_page(at))) {
		pr_err("boot node %u: frame 0x%llx, where the root page should be, is in use\n", nr, at);
		return -EUCLEAN;
	}
	*pfn = at;
	return 0;
}

int pramfs_carrier_find(unsigned long *pfn)
{
	unsigned int nr;
	u32 type;
	int err;

	for (nr = 0; nr < MAX_NODES; nr++) {
		err = node_type(nr, &type);
		if (err == -ENOENT)
			break;
		if (err) {
			pr_err("cannot read " SETUP_DATA_DIR "/%u/type: %d\n", nr, err);
			return err;
		}
		if (type == PRAMFS_SETUP_TYPE)
			return node_root(nr, pfn);
	}
	/* No list at all is what a machine without any node shows; no /sys is another matter. */
	if (!nr) {
		struct file *file = filp_open("/sys/kernel/boot_params", O_RDONLY | O_DIRECTORY, 0);

		if (IS_ERR(file)) {
			pr_err("/sys is not mounted: cannot see what the old kernel handed over\n");
			return -ENXIO;
		}
		filp_close(file, NULL);
	}
	return -ENOENT;
}
