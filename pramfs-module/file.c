// SPDX-License-Identifier: GPL-2.0
/*
 * file.c - regular files: page cache that nothing writes back or evicts, and
 * beside it pages that are not: see apart.c.
 *
 * Holes stay holes when they are read. Pages are charged to the instance when
 * they enter a file; after pages have left, pramfs_recount() compares.
 */
#include <linux/backing-dev.h>
#include <linux/falloc.h>
#include <linux/iversion.h>
#include <linux/pagemap.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "internal.h"

/* ---- accounting --------------------------------------------------------- */

static int charge_sb(struct inode *inode, long pages)
{
	struct pramfs_sb *sbi = PRAMFS_SB(inode->i_sb);

	if (sbi->max_pages &&
	    percpu_counter_compare(&sbi->pages, sbi->max_pages - pages + 1) >= 0)
		return -ENOSPC;
	percpu_counter_add(&sbi->pages, pages);
	return 0;
}

static void uncharge_sb(struct inode *inode, long pages)
{
	percpu_counter_sub(&PRAMFS_SB(inode->i_sb)->pages, pages);
}

/* Pages that were charged to the instance have entered the file. */
static void charge_inode(struct inode *inode, long pages)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);

	spin_lock(&pi->lock);
	pi->pages += pages;
	spin_unlock(&pi->lock);
	inode_add_bytes(inode, (loff_t)pages << PAGE_SHIFT);
}

int pramfs_charge_begin(struct inode *inode, long pages)
{
	return charge_sb(inode, pages);
}

void pramfs_charge_end(struct inode *inode, long pages, bool added)
{
	if (added)
		charge_inode(inode, pages);
	else
		uncharge_sb(inode, pages);
}

int pramfs_charge(struct inode *inode, long pages)
{
	int err = charge_sb(inode, pages);

	if (!err)
		charge_inode(inode, pages);
	return err;
}

/*
 * A page counts only after it has been added, so that whoever finds fewer
 * pages than were counted knows that some have left.
 */
void pramfs_recount(struct inode *inode)
{
	struct pramfs_inode *pi = PRAMFS_I(inode);
	unsigned long left = 0, there;

	spin_lock(&pi->lock);
	there = READ_ONCE(inode->i_mapping->nrpages) + pramfs_apart_pages(inode);
	if (pi->pages > there) {
		left = pi->pages - there;
		pi->pages = there;
	}
	spin_unlock(&pi->lock);
	if (left) {
		inode_sub_bytes(inode, (loff_t)left << PAGE_SHIFT);
		uncharge_sb(inode, left);
	}
}

/* ---- getting pages ------------------------------------------------------ */

/* A folio for [pos, pos + len) that is not there yet; comes locked. */
static struct folio *add_folio(struct address_space *mapping, loff_t pos, size_t len)
{
	struct inode *inode = mapping->host;
	long pages = max_t(long, 1, rounddown_pow_of_two(len) >> PAGE_SHIFT);
	struct folio *folio;
	long got = 0;

	if (charge_sb(inode, pages)) {
		pages = 1;
		len = 1;
		if (charge_sb(inode, pages))
			return ERR_PTR(-ENOSPC);
	}
	folio = __filemap_get_folio(mapping, pos >> PAGE_SHIFT, FGP_WRITEBEGIN | fgf_set_order(len),
				    mapping_gfp_mask(mapping));
	/* Somebody may have added it meanwhile: then it is complete already. */
	if (!IS_ERR(folio) && !folio_test_uptodate(folio)) {
		got = folio_nr_pages(folio);
		charge_inode(inode, got);
	}
	uncharge_sb(inode, pages - got);
	return folio;
}

static struct folio *get_folio(struct address_space *mapping, loff_t pos, size_t len)
{
	struct folio *folio;
	int err;

	err = pramfs_apart_activate(mapping->host, pos >> PAGE_SHIFT, (pos + len - 1) >> PAGE_SHIFT);
	if (err)
		return ERR_PTR(err);
	folio = __filemap_get_folio(mapping, pos >> PAGE_SHIFT, FGP_LOCK | FGP_WRITE, 0);
	if (!IS_ERR(folio))
		return folio;
	return add_folio(mapping, pos, len);
}

int pramfs_copy_to_cache(struct inode *inode, pgoff_t index, struct page *page)
{
	struct address_space *mapping = inode->i_mapping;
	gfp_t gfp = mapping_gfp_mask(mapping) | pramfs_spare_others();
	struct page *copy = alloc_page(gfp);
	struct folio *folio;
	int err;

	if (!copy)
		return -ENOMEM;
	copy_highpage(copy, page);
	folio = page_folio(copy);
	err = filemap_add_folio(mapping, folio, index, gfp);
	if (!err) {
		folio_mark_uptodate(folio);
		folio_unlock(folio);
	}
	folio_put(folio);
	return err;
}

static void make_uptodate(struct folio *folio)
{
	if (!folio_test_uptodate(folio)) {
		folio_zero_segment(folio, 0, folio_size(folio));
		folio_mark_uptodate(folio);
	}
}

/* Have a zeroed page where there was a hole. */
static int fill_hole(struct address_space *mapping, pgoff_t index, size_t len)
{
	struct folio *folio = get_folio(mapping, (loff_t)index << PAGE_SHIFT, len);

	if (IS_ERR(folio))
		return PTR_ERR(folio);
	make_uptodate(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

/* ---- read and write ----------------------------------------------------- */

/* Copy what is at pos, at most len bytes and not beyond one folio; -EIO. */
static ssize_t copy_some(struct inode *inode, loff_t pos, size_t len, struct iov_iter *to)
{
	struct address_space *mapping = inode->i_mapping;
	size_t offset = offset_in_page(pos), n;
	struct folio *folio;
	struct page *page;

	page = pramfs_apart_get(inode, pos >> PAGE_SHIFT);
	if (IS_ERR(page))
		return PTR_ERR(page);
	if (page) {
		n = copy_page_to_iter(page, offset, min(len, PAGE_SIZE - offset), to);
		put_page(page);
		return n;
	}
	folio = filemap_get_folio(mapping, pos >> PAGE_SHIFT);
	if (IS_ERR(folio))
		return iov_iter_zero(min(len, PAGE_SIZE - offset), to);
	if (!folio_test_uptodate(folio)) {	/* being written for the first time */
		folio_lock(folio);
		folio_unlock(folio);
	}
	offset = offset_in_folio(folio, pos);
	n = copy_folio_to_iter(folio, offset, min(len, folio_size(folio) - offset), to);
	folio_put(folio);
	return n;
}

/*
 * After a refusal to give, this much is copied before it is tried again: not more
 * than what the same page table maps, since to copy may bring a huge page there, in
 * which nothing can be given, and into the next one then, and so on.
 */
static size_t copy_after_refusal(const struct iov_iter *to)
{
	unsigned long addr = user_backed_iter(to) ? (unsigned long)iter_iov_addr(to) : 0;

	return min(32 * PAGE_SIZE, PMD_SIZE - (addr & ~PMD_MASK));
}

/* Give or copy what is at pos. */
static ssize_t read_some(struct inode *inode, loff_t pos, size_t len, struct iov_iter *to,
			 size_t *copy_first)
{
	struct pramfs_sb *sbi = PRAMFS_SB(inode->i_sb);
	ssize_t n;

	if (!sbi->give)
		return copy_some(inode, pos, len, to);
	if (!*copy_first) {
		n = pramfs_give(inode, pos, to, len);
		if (n)
			return n;
		*copy_first = copy_after_refusal(to);
	}
	n = copy_some(inode, pos, min(len, *copy_first), to);
	if (n > 0) {
		atomic64_add(DIV_ROUND_UP(n, PAGE_SIZE), &sbi->counters.give_copied);
		*copy_first -= min_t(size_t, *copy_first, n);
	}
	return n;
}

static ssize_t pramfs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t done = 0, ret = 0;
	size_t copy_first = 0;

	while (iov_iter_count(to)) {
		loff_t size = i_size_read(inode);
		size_t want;
		ssize_t n;

		if (iocb->ki_pos >= size)
			break;
		want = min_t(loff_t, iov_iter_count(to), size - iocb->ki_pos);
		n = read_some(inode, iocb->ki_pos, want, to, &copy_first);
		if (n <= 0) {
			ret = n ?: -EFAULT;
			break;
		}
		iocb->ki_pos += n;
		done += n;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
	file_accessed(iocb->ki_filp);
	return done ?: ret;
}

/*
 * What lies behind the end of a file in its last page may have been written
 * through a mapping; it must read as zeros once the file grows over it.
 */
static void zero_tail(struct inode *inode, loff_t size)
{
	struct folio *folio;

	if (!offset_in_page(size))
		return;
	if (pramfs_apart_activate(inode, size >> PAGE_SHIFT, size >> PAGE_SHIFT))
		return;
	folio = filemap_lock_folio(inode->i_mapping, size >> PAGE_SHIFT);
	if (IS_ERR(folio))
		return;
	folio_zero_segment(folio, offset_in_folio(folio, size),
			   offset_in_folio(folio, size) + PAGE_SIZE - offset_in_page(size));
	folio_unlock(folio);
	folio_put(folio);
}

int pramfs_grow_to(struct inode *inode, loff_t pos)
{
	int err;

	if (pos <= i_size_read(inode))
		return 0;
	err = pramfs_change_begin();
	if (err)
		return err;
	zero_tail(inode, i_size_read(inode));
	pramfs_change_end();
	return 0;
}

static ssize_t pramfs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	ssize_t ret;

	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		goto out;
	ret = file_remove_privs(file);
	if (ret)
		goto out;
	ret = file_update_time(file);
	if (ret)
		goto out;
	ret = pramfs_grow_to(inode, iocb->ki_pos);
	if (ret)
		goto out;
	ret = generic_perform_write(iocb, from);
out:
	inode_unlock(inode);
	return ret;
}

/* The change gate is passed here and left in write_end: no user memory is touched in between. */
static int pramfs_write_begin(pramfs_write_ctx ctx, struct address_space *mapping, loff_t pos,
			      unsigned int len, struct folio **foliop, void **fsdata)
{
	struct folio *folio;
	size_t from, to;
	int err;

	err = pramfs_change_begin();
	if (err)
		return err;
	folio = get_folio(mapping, pos, len);
	if (IS_ERR(folio)) {
		pramfs_change_end();
		return PTR_ERR(folio);
	}
	if (!folio_test_uptodate(folio)) {
		from = offset_in_folio(folio, pos);
		to = min(from + len, folio_size(folio));
		folio_zero_segments(folio, 0, from, to, folio_size(folio));
	}
	*foliop = folio;
	return 0;
}

static int pramfs_write_end(pramfs_write_ctx ctx, struct address_space *mapping, loff_t pos,
			    unsigned int len, unsigned int copied, struct folio *folio,
			    void *fsdata)
{
	struct inode *inode = mapping->host;
	size_t from = offset_in_folio(folio, pos);

	if (!folio_test_uptodate(folio)) {
		if (copied < len)
			folio_zero_range(folio, from + copied, len - copied);
		folio_mark_uptodate(folio);
	}
	if (pos + copied > i_size_read(inode))
		i_size_write(inode, pos + copied);
	folio_unlock(folio);
	folio_put(folio);
	pramfs_change_end();
	return copied;
}

int pramfs_write_page(struct inode *inode, loff_t pos, struct page *page, size_t offset, size_t n)
{
	struct address_space *mapping = inode->i_mapping;
	struct folio *folio;
	void *from, *fsdata;
	int err;

	n = min(n, PAGE_SIZE - offset_in_page(pos));
	err = pramfs_write_begin(NULL, mapping, pos, n, &folio, &fsdata);
	if (err)
		return err;
	from = kmap_local_page(page);
	memcpy_to_folio(folio, offset_in_folio(folio, pos), from + offset, n);
	kunmap_local(from);
	return pramfs_write_end(NULL, mapping, pos, n, n, folio, fsdata);
}

/* ---- size, holes -------------------------------------------------------- */

int pramfs_set_size(struct inode *inode, loff_t size)
{
	struct address_space *mapping = inode->i_mapping;
	loff_t old = i_size_read(inode);
	int err = 0;

	filemap_invalidate_lock(mapping);
	if (size > old) {
		zero_tail(inode, old);
		i_size_write(inode, size);
	} else {
		/* The page that is cut must be where its tail can be cleared. */
		if (offset_in_page(size))
			err = pramfs_apart_activate(inode, size >> PAGE_SHIFT, size >> PAGE_SHIFT);
		if (err)
			goto out;
		i_size_write(inode, size);
		PRAMFS_I(inode)->splitter = current;
		truncate_pagecache(inode, size);
		PRAMFS_I(inode)->splitter = NULL;
		pramfs_apart_drop(inode, (size + PAGE_SIZE - 1) >> PAGE_SHIFT, ULONG_MAX);
	}
	if (size != old)
		inode_set_mtime_to_ts(inode, inode_set_ctime_current(inode));
out:
	filemap_invalidate_unlock(mapping);
	pramfs_recount(inode);
	return err;
}

static int punch_hole(struct inode *inode, loff_t start, loff_t len)
{
	struct address_space *mapping = inode->i_mapping;
	pgoff_t first = (start + PAGE_SIZE - 1) >> PAGE_SHIFT;
	pgoff_t end = (start + len) >> PAGE_SHIFT;
	int err = 0;

	filemap_invalidate_lock(mapping);
	if (offset_in_page(start))
		err = pramfs_apart_activate(inode, start >> PAGE_SHIFT, start >> PAGE_SHIFT);
	if (!err && offset_in_page(start + len))
		err = pramfs_apart_activate(inode, end, end);
	if (!err) {
		PRAMFS_I(inode)->splitter = current;
		truncate_pagecache_range(inode, start, start + len - 1);
		PRAMFS_I(inode)->splitter = NULL;
		if (first < end)
			pramfs_apart_drop(inode, first, end - 1);
	}
	filemap_invalidate_unlock(mapping);
	pramfs_recount(inode);
	return err;
}

static bool page_is_there(struct inode *inode, pgoff_t index)
{
	pgoff_t at = index;
	unsigned long pfn, pages;

	if (xa_load(&inode->i_mapping->i_pages, index))
		return true;
	return pramfs_apart_next(inode, &at, &pfn, &pages) && at == index;
}

/* All or nothing where the limit is concerned: look first, then allocate. */
static int allocate_range(struct inode *inode, loff_t start, loff_t len, bool keep_size)
{
	struct pramfs_sb *sbi = PRAMFS_SB(inode->i_sb);
	pgoff_t index = start >> PAGE_SHIFT, end = (start + len + PAGE_SIZE - 1) >> PAGE_SHIFT, i;
	unsigned long missing = 0;
	int err = 0;

	if (end - index > totalram_pages())
		return -ENOSPC;
	for (i = index; i < end; i++)
		missing += !page_is_there(inode, i);
	if (sbi->max_pages && missing > sbi->max_pages -
	    min_t(u64, sbi->max_pages, percpu_counter_sum_positive(&sbi->pages)))
		return -ENOSPC;
	for (i = index; i < end && !err; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!page_is_there(inode, i))
			err = fill_hole(inode->i_mapping, i, 1);
		cond_resched();
	}
	if (!err && !keep_size && start + len > i_size_read(inode)) {
		zero_tail(inode, i_size_read(inode));
		i_size_write(inode, start + len);
	}
	return err;
}

static long pramfs_fallocate(struct file *file, int mode, loff_t start, loff_t len)
{
	struct inode *inode = file_inode(file);
	long err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	inode_lock(inode);
	err = pramfs_change_begin();
	if (err)
		goto out;
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		err = punch_hole(inode, start, len);
	} else {
		err = inode_newsize_ok(inode, start + len);
		if (!err)
			err = allocate_range(inode, start, len, mode & FALLOC_FL_KEEP_SIZE);
	}
	pramfs_change_end();
	if (!err)
		err = file_modified(file);
out:
	inode_unlock(inode);
	return err;
}

/* First index at or after this one where there is a page; ULONG_MAX: none. */
static pgoff_t next_data(struct inode *inode, pgoff_t index)
{
	unsigned long cached = index, pfn, pages;
	pgoff_t held = index;

	if (!xa_find(&inode->i_mapping->i_pages, &cached, ULONG_MAX, XA_PRESENT))
		cached = ULONG_MAX;
	if (!pramfs_apart_next(inode, &held, &pfn, &pages))
		held = ULONG_MAX;
	return min(max(cached, index), held);
}

/* Under held_lock, since a page that is being activated is for a while in neither place. */
static loff_t seek_hole_data(struct inode *inode, loff_t pos, int whence)
{
	loff_t size = i_size_read(inode);
	pgoff_t index, last;

	if (pos < 0 || pos >= size)
		return -ENXIO;
	index = pos >> PAGE_SHIFT;
	last = (size - 1) >> PAGE_SHIFT;
	if (whence == SEEK_DATA)
		index = next_data(inode, index);
	else
		while (index <= last && page_is_there(inode, index))
			index++;
	if (index > last)
		return whence == SEEK_DATA ? -ENXIO : size;
	return max((loff_t)index << PAGE_SHIFT, pos);
}

static loff_t pramfs_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(file, offset, whence);
	inode_lock(inode);
	mutex_lock(&PRAMFS_I(inode)->held_lock);
	offset = seek_hole_data(inode, offset, whence);
	mutex_unlock(&PRAMFS_I(inode)->held_lock);
	if (offset >= 0)
		offset = vfs_setpos(file, offset, inode->i_sb->s_maxbytes);
	inode_unlock(inode);
	return offset;
}

/* ---- mappings ----------------------------------------------------------- */

/* As on a frozen filesystem: who wants to change a sealed tree by a fault, waits. */
static vm_fault_t begin_by_fault(void)
{
	while (pramfs_change_begin())
		if (pramfs_gate_wait())
			return VM_FAULT_SIGBUS;
	return 0;
}

/* Have a page at this index of a mapping, if it is within the file. */
static vm_fault_t fill_by_fault(struct address_space *mapping, pgoff_t index)
{
	vm_fault_t ret;
	int err;

	ret = begin_by_fault();
	if (ret)
		return ret;
	filemap_invalidate_lock_shared(mapping);
	if (index < DIV_ROUND_UP(i_size_read(mapping->host), PAGE_SIZE))
		err = fill_hole(mapping, index, 1);
	else
		err = -ENOSPC;
	filemap_invalidate_unlock_shared(mapping);
	pramfs_change_end();
	if (!err)
		return 0;
	return err == -ENOSPC ? VM_FAULT_SIGBUS : vmf_error(err);
}

static vm_fault_t pramfs_fault(struct vm_fault *vmf)
{
	struct address_space *mapping = vmf->vma->vm_file->f_mapping;
	struct folio *folio;
	vm_fault_t ret;

	while (IS_ERR(folio = filemap_lock_folio(mapping, vmf->pgoff))) {
		ret = fill_by_fault(mapping, vmf->pgoff);
		if (ret)
			return ret;
	}
	if (vmf->pgoff >= DIV_ROUND_UP(i_size_read(mapping->host), PAGE_SIZE)) {
		folio_unlock(folio);
		folio_put(folio);
		return VM_FAULT_SIGBUS;
	}
	vmf->page = folio_file_page(folio, vmf->pgoff);
	return VM_FAULT_LOCKED;
}

static vm_fault_t pramfs_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	ret = begin_by_fault();
	if (ret)
		return ret;
	file_update_time(vmf->vma->vm_file);
	folio_lock(folio);
	if (folio->mapping != inode->i_mapping) {
		folio_unlock(folio);
		ret = VM_FAULT_NOPAGE;
	} else {
		ret = VM_FAULT_LOCKED;
	}
	pramfs_change_end();
	return ret;
}

static const struct vm_operations_struct pramfs_vm_operations = {
	.fault = pramfs_fault,
	.map_pages = filemap_map_pages,
	.page_mkwrite = pramfs_page_mkwrite,
};

static int pramfs_mmap(struct file *file, struct vm_area_struct *vma)
{
	file_accessed(file);
	vma->vm_ops = &pramfs_vm_operations;
	return 0;
}

static int pramfs_migrate_folio(struct address_space *mapping, struct folio *dst,
				struct folio *src, enum migrate_mode mode)
{
	int err;

	/* What a handover names must stay where it is. */
	if (!pramfs_change_trybegin())
		return -EAGAIN;
	err = filemap_migrate_folio(mapping, dst, src, mode);
	pramfs_change_end();
	return err;
}

/*
 * Nothing is ever dirty, since a folio that is dirty cannot be split at the end
 * of a file without a backing device (the kernel would account the part that is
 * cut off to one). What keeps clean pages from being dropped is the next one.
 */
static bool pramfs_dirty_folio(struct address_space *mapping, struct folio *folio)
{
	return false;
}

/*
 * Asked by whoever wants to drop a folio, and for a folio to be split: by our
 * own truncation and, to move what is too large to be moved whole, by a claim.
 */
static bool pramfs_release_folio(struct folio *folio, gfp_t gfp)
{
	return READ_ONCE(PRAMFS_I(folio->mapping->host)->splitter) == current ||
	       READ_ONCE(pramfs_claimer) == current;
}

static int pramfs_open(struct inode *inode, struct file *file)
{
	pramfs_opened(inode->i_sb);
	file->f_mode |= FMODE_CAN_ODIRECT;	/* accepted and ignored, as by tmpfs */
	return generic_file_open(inode, file);
}

const struct file_operations pramfs_file_operations = {
	.open = pramfs_open,
	.llseek = pramfs_llseek,
	.read_iter = pramfs_read_iter,
	.write_iter = pramfs_write_iter,
	.mmap = pramfs_mmap,
	.fsync = noop_fsync,
	.splice_read = copy_splice_read,
	.splice_write = pramfs_splice_write,
	.fallocate = pramfs_fallocate,
};

/* No ->read_folio: readahead would put empty pages beside the held frames. */
const struct address_space_operations pramfs_aops = {
	.write_begin = pramfs_write_begin,
	.write_end = pramfs_write_end,
	.dirty_folio = pramfs_dirty_folio,
	.release_folio = pramfs_release_folio,
	.migrate_folio = pramfs_migrate_folio,
};
