// SPDX-License-Identifier: GPL-2.0
/*
 * damage.c - change bytes of one page frame, for tests of damaged handovers.
 *
 *	insmod damage.ko pfn=N offset=O,... value=V,...
 *
 * Each byte gets the value at the same place. Loading then fails with
 * -ECANCELED: there is nothing to unload. (Values, not differences: busybox's
 * insmod tries a second time.)
 */
#include <linux/mm.h>
#include <linux/module.h>

static unsigned long pfn;
module_param(pfn, ulong, 0);
MODULE_PARM_DESC(pfn, "frame to change");

static ushort offset[PAGE_SIZE];
static unsigned int nr_offsets;
module_param_array(offset, ushort, &nr_offsets, 0);
MODULE_PARM_DESC(offset, "bytes to change");

static u8 value[PAGE_SIZE];
static unsigned int nr_values;
module_param_array(value, byte, &nr_values, 0);
MODULE_PARM_DESC(value, "what they get");

static int __init damage_init(void)
{
	u8 *page;

	if (!pfn_valid(pfn) || !nr_offsets || nr_offsets != nr_values)
		return -EINVAL;
	page = page_address(pfn_to_page(pfn));
	for (unsigned int i = 0; i < nr_offsets; i++) {
		if (offset[i] >= PAGE_SIZE)
			return -EINVAL;
		page[offset[i]] = value[i];
	}
	pr_info("damage: %u bytes of frame 0x%lx\n", nr_offsets, pfn);
	return -ECANCELED;
}

module_init(damage_init);
MODULE_DESCRIPTION("Change bytes of a page frame, for tests");
MODULE_LICENSE("GPL");
