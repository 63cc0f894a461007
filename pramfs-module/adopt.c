// SPDX-License-Identifier: GPL-2.0
/*
 * adopt.c - pages of processes that become pages of a file as they are.
 *
 * CRIU gives a task's pages to a pipe (vmsplice(2) with SPLICE_F_GIFT) and
 * splices the pipe into an image. With adopt=on we take a reference to each
 * whole page instead of copying it. What is not whole, not gifted, or not a
 * plain page of anonymous or shared memory is copied, and so is a page that a
 * file has already: processes share pages, a frame is handed over once.
 *
 * A page that was adopted is still mapped where it came from. Nobody may write
 * to it from then on, for the file would change: whoever dumps must keep the
 * processes stopped until the kexec, or delete the file before they run on. Even
 * killing them is not allowed, since a dying task writes (clear_child_tid, robust
 * futexes). With verify=on the seal counts what has changed.
 *
 * The pages stand in pramfs_inode.adopted, by index; no index is there and in the
 * page cache, or held, too. All changes under held_lock.
 */
#include <linux/idr.h>
#include <linux/pagemap.h>
#include <linux/pipe_fs_i.h>
#include <linux/shmem_fs.h>
#include <linux/splice.h>

#include "internal.h"

/* Frame numbers of all adopted pages: 1 bit each where they are dense. */
static DEFINE_IDA(adopted_frames);

/* ---- the pages of a file ------------------------------------------------ */

struct page *pramfs_adopted_get(struct inode *inode, pgoff_t index)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	struct page *page;

	if (!READ_ONCE(pi->nr_adopted))
		return NULL;
	mutex_lock(&pi->held_lock);
	page = xa_load(&pi->adopted, index);
	if (page)
		get_page(page);
	mutex_unlock(&pi->held_lock);
	return page;
}

static void let_go(struct inode *inode, pgoff_t index, struct page *page)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);

	xa_erase(&pi->adopted, index);
	xa_erase(&pi->checksums, index);	/* what is written there next is not judged by it */
	WRITE_ONCE(pi->nr_adopted, pi->nr_adopted - 1);
	ida_free(&adopted_frames, page_to_pfn(page));
	put_page(page);
}

int pramfs_adopted_activate(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	unsigned long index;
	struct page *page;
	int err = 0;

	if (!READ_ONCE(pi->nr_adopted))
		return 0;
	mutex_lock(&pi->held_lock);
	xa_for_each_range(&pi->adopted, index, page, first, last) {
		err = pramfs_copy_to_cache(inode, index, page);
		if (err)
			break;
		let_go(inode, index, page);
		cond_resched();
	}
	mutex_unlock(&pi->held_lock);
	return err;
}

void pramfs_adopted_drop(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	unsigned long index;
	struct page *page;

	if (!READ_ONCE(pi->nr_adopted))
		return;
	mutex_lock(&pi->held_lock);
	xa_for_each_range(&pi->adopted, index, page, first, last) {
		let_go(inode, index, page);
		cond_resched();
	}
	mutex_unlock(&pi->held_lock);
}

bool pramfs_adopted_next(struct inode *inode, pgoff_t *index, unsigned long *pfn,
			 unsigned long *pages)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	XA_STATE(xas, &pi->adopted, *index);
	struct page *page;

	*pages = 0;
	if (!READ_ONCE(pi->nr_adopted))
		return false;
	rcu_read_lock();
	xas_for_each(&xas, page, ULONG_MAX) {
		if (xas_retry(&xas, page))
			continue;
		if (!*pages) {
			*index = xas.xa_index;
			*pfn = page_to_pfn(page);
		} else if (xas.xa_index != *index + *pages || page_to_pfn(page) != *pfn + *pages) {
			break;
		}
		(*pages)++;
	}
	rcu_read_unlock();
	return *pages;
}

/* ---- taking them -------------------------------------------------------- */

/* Memory of a process alone, or of processes: not KSM's, not a file's, not huge. */
static bool adoptable(struct page *page)
{
	struct folio *folio = page_folio(page);
	struct address_space *mapping;

	if (page_to_pfn(page) < PRAMFS_LOWEST_PFN || page_to_pfn(page) > INT_MAX ||
	    PageReserved(page) || folio_test_hugetlb(folio) || folio_test_ksm(folio))
		return false;
	if (folio_test_anon(folio))
		return true;
	mapping = folio_mapping(folio);
	return mapping && shmem_mapping(mapping);
}

static bool is_hole(struct inode *inode, pgoff_t index)
{
	pgoff_t at = index;
	unsigned long pfn, pages;

	return !xa_load(&inode->i_mapping->i_pages, index) &&
	       !(pramfs_apart_next(inode, &at, &pfn, &pages) && at == index);
}

static int store(struct inode *inode, pgoff_t index, struct page *page)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	int err;

	err = ida_alloc_range(&adopted_frames, page_to_pfn(page), page_to_pfn(page), GFP_KERNEL);
	if (err < 0)
		return err;
	err = PRAMFS_SB(inode->i_sb)->verify ?
		pramfs_note_checksum(inode, index, page) : 0;
	if (err)
		goto out_frame;
	mutex_lock(&pi->held_lock);
	err = xa_insert(&pi->adopted, index, page, GFP_KERNEL);
	if (!err) {
		get_page(page);
		WRITE_ONCE(pi->nr_adopted, pi->nr_adopted + 1);
	}
	mutex_unlock(&pi->held_lock);
	if (!err)
		return 0;
out_frame:
	ida_free(&adopted_frames, page_to_pfn(page));
	return err;
}

/* True when the page is the file's now; inode rwsem is held. */
static bool adopt(struct inode *inode, loff_t pos, struct page *page)
{
	pgoff_t index = pos >> PAGE_SHIFT;
	bool done = false;

	if (!adoptable(page) || !pramfs_owner_has_room(page_folio(page)) || pramfs_change_begin())
		return false;
	if (is_hole(inode, index) && !pramfs_charge_begin(inode, 1)) {
		done = !store(inode, index, page);
		pramfs_charge_end(inode, 1, done);
		if (done && pos + PAGE_SIZE > i_size_read(inode))
			i_size_write(inode, pos + PAGE_SIZE);
	}
	pramfs_change_end();
	return done;
}

static int splice_buffer(struct pipe_inode_info *pipe, struct pipe_buffer *buf,
			 struct splice_desc *sd)
{
	struct inode *inode = file_inode(sd->u.file);
	struct pramfs_counters *c = &PRAMFS_SB(inode->i_sb)->counters;
	size_t n = min_t(size_t, buf->len, sd->len);
	int err;

	err = pipe_buf_confirm(pipe, buf);
	if (err)
		return err;
	if ((buf->flags & PIPE_BUF_FLAG_GIFT) && n == PAGE_SIZE && !buf->offset &&
	    !offset_in_page(sd->pos) && adopt(inode, sd->pos, buf->page)) {
		atomic64_inc(&c->adopted);
		return PAGE_SIZE;
	}
	atomic64_inc(&c->adopt_copied);
	return pramfs_write_page(inode, sd->pos, buf->page, buf->offset, n);
}

ssize_t pramfs_splice_write(struct pipe_inode_info *pipe, struct file *out, loff_t *ppos,
			    size_t len, unsigned int flags)
{
	struct splice_desc sd = { .total_len = len, .flags = flags, .pos = *ppos, .u.file = out };
	struct inode *inode = file_inode(out);
	ssize_t ret;

	/* Where a limit is near, the generic way knows what to do. */
	if (!PRAMFS_SB(inode->i_sb)->adopt || len > inode->i_sb->s_maxbytes ||
	    *ppos > (loff_t)(inode->i_sb->s_maxbytes - len) ||
	    *ppos + len > rlimit(RLIMIT_FSIZE))
		return iter_file_splice_write(pipe, out, ppos, len, flags);
	pipe_lock(pipe);
	inode_lock(inode);
	ret = file_modified(out);
	if (!ret)
		ret = pramfs_grow_to(inode, *ppos);
	if (!ret)
		ret = __splice_from_pipe(pipe, &sd, splice_buffer);
	inode_unlock(inode);
	pipe_unlock(pipe);
	if (ret > 0)
		*ppos += ret;
	return ret;
}
