// SPDX-License-Identifier: GPL-2.0
/*
 * give.c - held frames that become a process's memory as they are.
 *
 * CRIU restores memory by reading whole pages of an image into private anonymous
 * memory. With give=on the frames themselves are mapped there instead of copied.
 *
 * How: by the kernel's own way for a device driver to put pages of its choice into
 * holes of anonymous memory, migrate_vma_setup/pages/finalize() (mm/hmm). It makes
 * page tables and the anon_vma, charges each page to the reader's memory cgroup
 * (and fails as a page fault would), puts it on the LRU and accounts for it: such
 * a page is swapped, forked, locked, remapped, merged and dumped like any other.
 *
 * The file keeps its reference, and the image stays what it was until it is
 * deleted: a given page is mapped read-only and not as exclusively the
 * process's, so that the first write copies (do_wp_page() sees the reference).
 * Once the file has gone, a write takes the page over. This is the one thing that
 * is done to page table entries here (protect()), in the same critical section
 * in which they are made: mmap lock held for writing, page faults shut out, and
 * the mapping without VM_WRITE meanwhile, so that no other thread of the process
 * can write in between.
 *
 * While the file is there, its reference also keeps a given page from being
 * migrated or collapsed into a huge page; it can be swapped out, but not freed.
 * What somebody else has to have of it (a write to the file, a claim that needs
 * the page moved) gets a copy, see held.c.
 *
 * Not given, but copied: page cache of this kernel (nothing came through a
 * kexec), parts of pages, memory that is shared, of a file, of hugetlbfs, watched by
 * userfaultfd, a shadow stack or there already, or that may not be written to (EFAULT).
 *
 * What fills a page table and lies in the frames of a huge page is given as one,
 * see give_huge.c.
 *
 * Lock order: inode rwsem, mmap_lock, held_lock, folio lock.
 */
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/userfaultfd_k.h>

#include "internal.h"

/* Pages in one go: as many as a page table has. */
#define GIVE_BATCH	512

struct pramfs_give {
	struct mm_struct *mm;
	unsigned long start;		/* where page[0] goes */
	unsigned long nr;
	struct page *page[GIVE_BATCH];
	unsigned long src[GIVE_BATCH], dst[GIVE_BATCH];	/* of struct migrate_vma */
};

#ifdef PRAMFS_CAN_GIVE
/* For `rebootless check`, which asks for more memory where this is missing. */
MODULE_INFO(gives, "pages");

/*
 * Read-only, and no longer the process's alone: whoever writes, copies. Young,
 * and dirty for soft-dirty tracking, as after a first write.
 */
static int protect(pte_t *ptep, unsigned long addr, void *data)
{
	struct pramfs_give *g = data;
	struct page *page = g->page[(addr - g->start) >> PAGE_SHIFT];
	pte_t pte = ptep_get(ptep);

	if (!pte_present(pte) || pte_pfn(pte) != page_to_pfn(page))
		return 0;
	ClearPageAnonExclusive(page);
	set_pte_at(g->mm, addr, ptep, pte_wrprotect(pte_mkyoung(pte_mkdirty(pte))));
	return 0;
}

/* Where a copy would be allowed, as CRIU reads: memory is read-only only afterwards. */
static bool may_give_to(struct vm_area_struct *vma)
{
	return vma_is_anonymous(vma) && (vma->vm_flags & VM_WRITE) &&
	       !(vma->vm_flags & (VM_SHARED | VM_SPECIAL | VM_HUGETLB | VM_SHADOW_STACK)) &&
	       !userfaultfd_armed(vma);
}

/* Hand locked pages over to migrate_vma_finalize(), which unlocks and puts them. */
static void take_pages(struct pramfs_give *g)
{
	unsigned long i;

	for (i = 0; i < g->nr; i++) {
		struct page *page = g->page[i];

		get_page(page);
		lock_page(page);	/* nobody else can have it: it was reserved */
		g->dst[i] = migrate_pfn(page_to_pfn(page));
	}
}

/* Map g's pages as small ones; how many, from the first on. */
static unsigned long map_small(struct pramfs_give *g, struct migrate_vma *m)
{
	unsigned long holes = 0, mapped = 0;

	while (holes < g->nr && g->src[holes] == MIGRATE_PFN_MIGRATE)
		holes++;
	g->nr = holes;
	pramfs_held_unreserve(g->page, g->nr);
	take_pages(g);
	migrate_vma_pages(m);
	while (mapped < g->nr && (g->src[mapped] & MIGRATE_PFN_MIGRATE))
		mapped++;
	/* All of them: what was mapped behind a failure must be read-only as well. */
	if (g->nr)
		apply_to_page_range(g->mm, g->start, g->nr * PAGE_SIZE, protect, g);
	migrate_vma_finalize(m);
	return mapped;
}

/* Map g's pages; g->nr becomes the number of those that were, from the first on. */
static void map_pages(struct pramfs_give *g, struct pramfs_sb *sbi, struct vm_area_struct *vma)
{
	struct migrate_vma m = {
		.vma = vma, .src = g->src, .dst = g->dst,
		.start = g->start, .end = g->start + g->nr * PAGE_SIZE,
		.pgmap_owner = THIS_MODULE,
	};

	if (!pramfs_select_huge(sbi, &m, g->page)) {
		g->nr = 0;
		return;
	}
	vm_flags_clear(vma, VM_WRITE);	/* this shuts out page faults, too */
	if (migrate_vma_setup(&m))
		g->nr = 0;
	else if (pramfs_hole_is_huge(&m))
		g->nr = pramfs_map_huge(&m, g->page);
	else
		g->nr = map_small(g, &m);
	vm_flags_set(vma, VM_WRITE);
}

static int give(struct pramfs_give *g, struct inode *inode, pgoff_t index, unsigned long max)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	struct vm_area_struct *vma;
	int err = 0;

	g->nr = 0;
	if (mmap_write_lock_killable(g->mm))
		return -EINTR;
	vma = find_vma(g->mm, g->start);
	if (vma && vma->vm_start <= g->start && may_give_to(vma)) {
		/* not beyond a page table, so that what follows may be a huge page */
		max = min3(max, (vma->vm_end - g->start) >> PAGE_SHIFT,
			   (PMD_SIZE - (g->start & ~PMD_MASK)) >> PAGE_SHIFT);
		mutex_lock(&pi->held_lock);
		err = pramfs_held_reserved(inode, index, max, g->page, &g->nr);
		if (!err && g->nr && pramfs_reader_has_room(g->nr))
			map_pages(g, PRAMFS_SB(inode->i_sb), vma);
		else
			g->nr = 0;
		mutex_unlock(&pi->held_lock);
	}
	mmap_write_unlock(g->mm);
	return err;
}

static bool may_give(struct inode *inode, loff_t pos, struct iov_iter *to, size_t len)
{
	return PRAMFS_SB(inode->i_sb)->give && READ_ONCE(PRAMFS_I(inode)->held.left) &&
	       len >= PAGE_SIZE && !offset_in_page(pos) && user_backed_iter(to) &&
	       !offset_in_page(iter_iov_addr(to)) && iov_iter_single_seg_count(to) >= PAGE_SIZE &&
	       current->mm && !(current->flags & (PF_KTHREAD | PF_IO_WORKER));
}

ssize_t pramfs_give(struct inode *inode, loff_t pos, struct iov_iter *to, size_t len)
{
	struct pramfs_counters *c = &PRAMFS_SB(inode->i_sb)->counters;
	struct pramfs_give *g;
	ssize_t ret;

	if (!may_give(inode, pos, to, len))
		return 0;
	g = kvmalloc(sizeof(*g), GFP_KERNEL);
	if (!g)
		return 0;
	g->mm = current->mm;
	g->start = (unsigned long)iter_iov_addr(to);
	len = min(len, iov_iter_single_seg_count(to));
	inode_lock_shared(inode);
	ret = give(g, inode, pos >> PAGE_SHIFT, min_t(size_t, len >> PAGE_SHIFT, GIVE_BATCH));
	inode_unlock_shared(inode);
	if (!ret) {
		ret = g->nr << PAGE_SHIFT;
		iov_iter_advance(to, ret);
		atomic64_add(g->nr, &c->given);
	}
	kvfree(g);
	return ret;
}

void pramfs_tell_give(void)
{
}
#else
ssize_t pramfs_give(struct inode *inode, loff_t pos, struct iov_iter *to, size_t len)
{
	return 0;
}

void pramfs_tell_give(void)
{
	pr_info_once("give=on: not proven on this kernel, so pages are copied\n");
}
#endif
