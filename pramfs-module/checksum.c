// SPDX-License-Identifier: GPL-2.0
/*
 * checksum.c - verify=on: a CRC32C for every page of a file, from the moment at
 * which the page is adopted (or of the seal, for others) to the one at which the
 * next kernel reads it.
 *
 * In the old kernel they stand in pramfs_inode.checksums, by index; the seal
 * compares, counts pages that have changed, and hands the new checksums over. A
 * few change of right: the kernel writes a thread's CPU to its rseq area as CRIU's
 * parasite, which runs after the capture, returns to user space. In the new kernel they came with the handover, one for each held
 * page, by its ordinal (held.c).
 */
#include <linux/crc32c.h>
#include <linux/highmem.h>

#include "internal.h"

u32 pramfs_checksum(struct page *page)
{
	void *p = kmap_local_page(page);
	u32 crc = ~crc32c(~0u, p, PAGE_SIZE);

	kunmap_local(p);
	return crc;
}

int pramfs_note_checksum(struct inode *inode, pgoff_t index, struct page *page)
{
	return xa_err(xa_store(&PRAMFS_I(inode)->checksums, index,
			       xa_mk_value(pramfs_checksum(page)), GFP_KERNEL));
}

bool pramfs_has_changed(struct inode *inode, pgoff_t index, u32 crc)
{
	void *noted = xa_load(&PRAMFS_I(inode)->checksums, index);

	return noted && xa_to_value(noted) != crc;
}

int pramfs_check_came(struct inode *inode, pgoff_t index, struct page *page, u32 expected)
{
	u32 crc = pramfs_checksum(page);

	if (crc == expected)
		return 0;
	pr_err("%s: inode %lu, page %lu in frame 0x%lx: CRC 0x%08x, sealed with 0x%08x\n",
	       PRAMFS_SB(inode->i_sb)->name, (unsigned long)inode->i_ino, index,
	       page_to_pfn(page), crc, expected);
	return -EIO;
}
