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
#include <linux/bitmap.h>
#include <linux/pagemap.h>
#include <linux/pipe_fs_i.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/splice.h>

#include "internal.h"

/* Pages in one go: as many as a huge page has. */
#define ADOPT_BATCH	512

/* ---- which frames are a file's ------------------------------------------ */

/* A bit for each frame, FRAMES of them in an entry. */
#define FRAMES		512
static DEFINE_XARRAY(adopted_frames);
static DEFINE_MUTEX(frames_lock);

static bool take_frame(unsigned long pfn)
{
	unsigned long *bits = xa_load(&adopted_frames, pfn / FRAMES);

	if (!bits) {
		bits = bitmap_zalloc(FRAMES, GFP_KERNEL);
		if (!bits)
			return false;
		if (xa_err(xa_store(&adopted_frames, pfn / FRAMES, bits, GFP_KERNEL))) {
			bitmap_free(bits);
			return false;
		}
	}
	return !__test_and_set_bit(pfn % FRAMES, bits);
}

static void put_frame(unsigned long pfn)
{
	unsigned long *bits = xa_load(&adopted_frames, pfn / FRAMES);

	__clear_bit(pfn % FRAMES, bits);
	if (bitmap_empty(bits, FRAMES)) {
		xa_erase(&adopted_frames, pfn / FRAMES);
		bitmap_free(bits);
	}
}

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
	mutex_lock(&frames_lock);
	put_frame(page_to_pfn(page));
	mutex_unlock(&frames_lock);
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

	if (page_to_pfn(page) < PRAMFS_LOWEST_PFN || PageReserved(page) ||
	    folio_test_hugetlb(folio) || folio_test_ksm(folio))
		return false;
	if (folio_test_anon(folio))
		return true;
	/* The file may have let go of the page, and be freed just now. */
	guard(rcu)();
	mapping = folio_mapping(folio);
	return mapping && shmem_mapping(mapping);
}

/* The i-th buffer from here on in a locked pipe. */
static struct pipe_buffer *buffer(struct pipe_inode_info *pipe, unsigned int i)
{
	return pipe_buf(pipe, pipe->tail + i);
}

/* How many pages that may be adopted stand at the pipe's end, at most max. */
static unsigned int count_pages(struct pipe_inode_info *pipe, unsigned int max)
{
	struct folio *asked = NULL;
	unsigned int n;

	max = min(max, pipe_occupancy(pipe->head, pipe->tail));
	for (n = 0; n < max; n++) {
		struct pipe_buffer *buf = buffer(pipe, n);
		struct folio *folio = page_folio(buf->page);

		if (!(buf->flags & PIPE_BUF_FLAG_GIFT) || buf->offset || buf->len != PAGE_SIZE ||
		    pipe_buf_confirm(pipe, buf) || !adoptable(buf->page))
			break;
		if (folio != asked && !pramfs_owner_has_room(folio))
			break;
		asked = folio;
	}
	return n;
}

/* How many of n indices from this one on have no page. */
static unsigned int count_holes(struct inode *inode, pgoff_t index, unsigned int n)
{
	unsigned long cached = index, pfn, pages;
	pgoff_t apart = index;

	if (xa_find(&inode->i_mapping->i_pages, &cached, index + n - 1, XA_PRESENT))
		n = cached > index ? cached - index : 0;	/* index is in the midst of a folio */
	if (pramfs_apart_next(inode, &apart, &pfn, &pages))
		n = min_t(pgoff_t, n, apart - index);
	return n;
}

static void put_frames(struct pipe_inode_info *pipe, unsigned int first, unsigned int end)
{
	mutex_lock(&frames_lock);
	while (first < end)
		put_frame(page_to_pfn(buffer(pipe, first++)->page));
	mutex_unlock(&frames_lock);
}

/* The frames of n buffers, up to the first that a file has already; how many. */
static unsigned int take_frames(struct pipe_inode_info *pipe, unsigned int n)
{
	unsigned int i = 0;

	mutex_lock(&frames_lock);
	while (i < n && take_frame(page_to_pfn(buffer(pipe, i)->page)))
		i++;
	mutex_unlock(&frames_lock);
	return i;
}

/* How many of n pages have a checksum now. */
static unsigned int note_checksums(struct inode *inode, pgoff_t index,
				   struct pipe_inode_info *pipe, unsigned int n)
{
	unsigned int i = 0;

	while (i < n && !pramfs_note_checksum(inode, index + i, buffer(pipe, i)->page))
		i++;
	return i;
}

/* Put pages of n buffers into a file; how many. */
static unsigned int store_pages(struct inode *inode, pgoff_t index, struct pipe_inode_info *pipe,
				unsigned int n)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	XA_STATE(xas, &pi->adopted, index);
	unsigned int i = 0;

	do {
		xas_lock(&xas);
		while (i < n) {
			xas_set(&xas, index + i);
			xas_store(&xas, buffer(pipe, i)->page);
			if (xas_error(&xas))
				break;
			get_page(buffer(pipe, i++)->page);
		}
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	WRITE_ONCE(pi->nr_adopted, pi->nr_adopted + i);
	return i;
}

/* The same where there may be something, and some of them may be a file's. */
static unsigned int adopt(struct inode *inode, pgoff_t index, struct pipe_inode_info *pipe,
			  unsigned int n)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	unsigned int taken, stored = 0;

	mutex_lock(&pi->held_lock);
	n = count_holes(inode, index, n);
	taken = take_frames(pipe, n);
	n = PRAMFS_SB(inode->i_sb)->verify ? note_checksums(inode, index, pipe, taken) : taken;
	if (n && !pramfs_charge_begin(inode, n)) {
		stored = store_pages(inode, index, pipe, n);
		pramfs_charge_end(inode, stored, true);
		pramfs_charge_end(inode, n - stored, false);
	}
	put_frames(pipe, stored, taken);
	while (n > stored)
		xa_erase(&pi->checksums, index + --n);
	mutex_unlock(&pi->held_lock);
	return stored;
}

/* Adopt what stands at the pipe's end; how many pages. The inode's rwsem is held, too. */
static unsigned int splice_pages(struct pipe_inode_info *pipe, struct inode *inode, loff_t pos,
				 size_t len)
{
	struct address_space *mapping = inode->i_mapping;
	unsigned int n = min_t(size_t, len >> PAGE_SHIFT, ADOPT_BATCH), i;

	n = offset_in_page(pos) ? 0 : count_pages(pipe, n);
	if (!n || pramfs_change_begin())
		return 0;
	filemap_invalidate_lock(mapping);	/* a fault could fill the holes */
	n = adopt(inode, pos >> PAGE_SHIFT, pipe, n);
	pos += (loff_t)n << PAGE_SHIFT;
	if (n && pos > i_size_read(inode))
		i_size_write(inode, pos);
	filemap_invalidate_unlock(mapping);
	pramfs_change_end();
	for (i = 0; i < n; i++)
		pipe_buf_release(pipe, buffer(pipe, i));
	pipe->tail += n;
	atomic64_add(n, &PRAMFS_SB(inode->i_sb)->counters.adopted);
	return n;
}

static int copy_buffer(struct pipe_inode_info *pipe, struct pipe_buffer *buf,
		       struct splice_desc *sd)
{
	struct inode *inode = file_inode(sd->u.file);
	int err = pipe_buf_confirm(pipe, buf);

	if (err)
		return err;
	atomic64_inc(&PRAMFS_SB(inode->i_sb)->counters.adopt_copied);
	return pramfs_write_page(inode, sd->pos, buf->page, buf->offset,
				 min_t(size_t, buf->len, sd->len));
}

/* Adopt, or copy one page, or wait for one. Bytes, or -errno. */
static ssize_t splice_some(struct pipe_inode_info *pipe, struct file *out, loff_t pos, size_t len,
			   unsigned int flags)
{
	struct splice_desc sd = {
		.total_len = min(len, PAGE_SIZE), .flags = flags, .pos = pos, .u.file = out,
	};
	ssize_t n = splice_pages(pipe, file_inode(out), pos, len) * PAGE_SIZE;

	if (!n)
		return __splice_from_pipe(pipe, &sd, copy_buffer);
	/* as __splice_from_pipe() does */
	if (wq_has_sleeper(&pipe->wr_wait))
		wake_up_interruptible(&pipe->wr_wait);
	kill_fasync(&pipe->fasync_writers, SIGIO, POLL_OUT);
	return n;
}

ssize_t pramfs_splice_write(struct pipe_inode_info *pipe, struct file *out, loff_t *ppos,
			    size_t len, unsigned int flags)
{
	struct inode *inode = file_inode(out);
	ssize_t done = 0, n;

	/* Where a limit is near, the generic way knows what to do. */
	if (!PRAMFS_SB(inode->i_sb)->adopt || len > inode->i_sb->s_maxbytes ||
	    *ppos > (loff_t)(inode->i_sb->s_maxbytes - len) ||
	    *ppos + len > rlimit(RLIMIT_FSIZE))
		return iter_file_splice_write(pipe, out, ppos, len, flags);
	pipe_lock(pipe);
	inode_lock(inode);
	n = file_modified(out);
	if (!n)
		n = pramfs_grow_to(inode, *ppos);
	if (n)
		goto out;
	do {
		n = splice_some(pipe, out, *ppos + done, len - done, flags);
		if (n > 0)
			done += n;
		cond_resched();
	} while (n > 0 && done < len && !pipe_empty(pipe->head, pipe->tail));
	*ppos += done;
out:
	inode_unlock(inode);
	pipe_unlock(pipe);
	return done ?: n;
}
