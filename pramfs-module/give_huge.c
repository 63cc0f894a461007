// SPDX-License-Identifier: GPL-2.0
/*
 * give_huge.c - held frames that become a process's memory as one huge page.
 *
 * What was a huge page in the old kernel lies in frames that are one again: given
 * at once they cost a page table entry instead of 512, and the process keeps what it
 * had. Kernels know of huge pages in holes since 6.19 (MIGRATE_VMA_SELECT_COMPOUND).
 *
 * No exported function makes a huge page of frames. join() does what
 * prep_compound_page() does (mm/page_alloc.c, prep_compound_head() and _tail() in
 * mm/internal.h): read them again before a kernel is added to PRAMFS_CAN_GIVE_HUGE.
 *
 * The file's references to the 512 frames become as many to the huge page, and go one
 * by one as those would: put_page() of a part is one of the whole. While it has any,
 * the huge page can neither be split nor swapped out nor freed. A process that writes
 * gets its page table (do_huge_pmd_wp_page() sees the references), and a copy of the
 * small page that it writes to.
 *
 * A huge page that is parted later goes on a list of its memory cgroup, for which the
 * page fault that brings the first one allocates memory; whoever fills holes as we do
 * has to have that done, and cannot. So in each cgroup the first that fits is copied: if
 * the kernel takes a huge page for it, others can be given; else, after some tries, small
 * pages are.
 * That also is how the system's settings of huge pages are obeyed.
 */
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/pagemap.h>
#include <linux/poison.h>

#include "internal.h"

#ifdef PRAMFS_CAN_GIVE_HUGE
/* What pramfs_sb.huge_cgroups has of a cgroup, by its serial number: how often it was tried. */
enum { MAX_TRIES = 16, SEEN };

/* The cgroup that a process's memory is charged to. */
static struct mem_cgroup *cgroup_of(struct mm_struct *mm)
{
	return mem_cgroup_from_task(rcu_dereference(mm->owner));
}

static unsigned long serial_of(struct mm_struct *mm)
{
	struct mem_cgroup *memcg;

	guard(rcu)();
	memcg = cgroup_of(mm);
	return memcg ? memcg->css.serial_nr : 0;
}

/* The entry of addr for a huge page; NULL: there is not even the table for it. */
static pmd_t *entry_of(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, addr);
	return pud_none(*pud) || pud_leaf(*pud) ? NULL : pmd_offset(pud, addr);
}

/* A huge page is mapped there that is charged to the process's cgroup. */
static bool has_huge(struct mm_struct *mm, unsigned long addr)
{
	pmd_t *pmdp = entry_of(mm, addr);
	struct folio *folio;

	if (!pmdp)
		return false;
	guard(rcu)();
	guard(spinlock)(pmd_lockptr(mm, pmdp));
	if (!pmd_present(*pmdp) || !pmd_trans_huge(*pmdp))
		return false;
	folio = page_folio(pmd_page(*pmdp));
	return folio_test_anon(folio) && folio_memcg(folio) == cgroup_of(mm);
}

static bool fits(const struct migrate_vma *m, struct page **page)
{
	unsigned long pfn = page_to_pfn(page[0]), i;

	if (m->end - m->start != HPAGE_PMD_SIZE || !IS_ALIGNED(m->start, HPAGE_PMD_SIZE) ||
	    !IS_ALIGNED(pfn, HPAGE_PMD_NR) || (m->vma->vm_flags & VM_NOHUGEPAGE))
		return false;
	for (i = 1; i < HPAGE_PMD_NR; i++)
		if (page_to_pfn(page[i]) != pfn + i)
			return false;
	return true;
}

bool pramfs_select_huge(struct pramfs_sb *sbi, struct migrate_vma *m, struct page **page)
{
	unsigned long serial = serial_of(m->vma->vm_mm);
	unsigned long tries = xa_to_value(xa_load(&sbi->huge_cgroups, serial) ?: xa_mk_value(0));

	if (tries == SEEN) {
		if (fits(m, page))
			m->flags |= MIGRATE_VMA_SELECT_COMPOUND;
		return true;
	}
	/* as it is behind the first pages of what was copied */
	if (has_huge(m->vma->vm_mm, m->start))
		tries = SEEN;
	else if (tries < MAX_TRIES && fits(m, page))
		tries++;
	else
		return true;
	return xa_err(xa_store(&sbi->huge_cgroups, serial, xa_mk_value(tries), GFP_KERNEL)) ||
	       tries == SEEN;
}

bool pramfs_hole_is_huge(const struct migrate_vma *m)
{
	return m->src[0] == (MIGRATE_PFN_MIGRATE | MIGRATE_PFN_COMPOUND);
}

/* Frames to which nobody but the file has a reference; now not even the file. */
static bool freeze_all(struct page *head)
{
	unsigned long i;

	for (i = 0; i < HPAGE_PMD_NR; i++) {
		if (page_ref_freeze(head + i, 1))
			continue;
		while (i)
			page_ref_unfreeze(head + --i, 1);
		return false;
	}
	return true;
}

/* As prep_compound_page() does it. */
static void join(struct page *head)
{
	struct folio *folio = (struct folio *)head;
	unsigned long i;

	__SetPageHead(head);
	for (i = 1; i < HPAGE_PMD_NR; i++) {
		head[i].mapping = TAIL_MAPPING;
		set_page_private(head + i, 0);
		set_compound_head(head + i, head, HPAGE_PMD_ORDER);
	}
	folio->_flags_1 = (folio->_flags_1 & ~0xffUL) | HPAGE_PMD_ORDER;
#ifdef NR_PAGES_IN_LARGE_FOLIO
	folio->_nr_pages = HPAGE_PMD_NR;
#endif
	atomic_set(&folio->_large_mapcount, -1);
	if (IS_ENABLED(CONFIG_PAGE_MAPCOUNT))
		atomic_set(&folio->_nr_pages_mapped, 0);
	if (IS_ENABLED(CONFIG_MM_ID)) {
		folio->_mm_ids = 0;
		folio->_mm_id_mapcount[0] = -1;
		folio->_mm_id_mapcount[1] = -1;
	}
	atomic_set(&folio->_pincount, 0);
	atomic_set(&folio->_entire_mapcount, -1);
	INIT_LIST_HEAD(&folio->_deferred_list);
}

/* Read-only and no longer the process's alone, as protect() in give.c. */
static void protect(struct mm_struct *mm, unsigned long addr, struct page *head)
{
	pmd_t *pmdp = entry_of(mm, addr), pmd;
	spinlock_t *ptl = pmd_lock(mm, pmdp);

	pmd = *pmdp;
	if (pmd_trans_huge(pmd) && pmd_pfn(pmd) == page_to_pfn(head)) {
		ClearPageAnonExclusive(head);
		set_pmd_at(mm, addr, pmdp, pmd_wrprotect(pmd_mkyoung(pmd_mkdirty(pmd))));
	}
	spin_unlock(ptl);
}

unsigned long pramfs_map_huge(struct migrate_vma *m, struct page **page)
{
	struct page *head = page[0];
	bool mapped = false;

	if (freeze_all(head)) {
		pramfs_held_unreserve(page, HPAGE_PMD_NR);
		join(head);
		page_ref_unfreeze(head, HPAGE_PMD_NR + 1);	/* one is migrate_vma_finalize()'s */
		lock_page(head);
		m->dst[0] = migrate_pfn(page_to_pfn(head)) | MIGRATE_PFN_COMPOUND;
		migrate_vma_pages(m);
		mapped = m->src[0] & MIGRATE_PFN_MIGRATE;
		if (mapped)
			protect(m->vma->vm_mm, m->start, head);
	}
	migrate_vma_finalize(m);
	return mapped ? HPAGE_PMD_NR : 0;
}
#endif
