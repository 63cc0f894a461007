// SPDX-License-Identifier: GPL-2.0
/*
 * format_check.c - what the records of a handover must say.
 *
 * One walk does it all. Checking an image is a walk that claims every frame as
 * it meets it; building a tree is the same walk, with the same checks, that
 * calls a visitor. Every loop is bounded by the bytes of the stream.
 */
#include "format_internal.h"

#define EXTENTS_AT_ONCE	64

/* The least an INODE record can take: nothing shorter has a file type. */
#define INODE_LEAST	(sizeof(struct pramfs_rec_head) + \
			 offsetof(struct pramfs_rec_inode, uid))

enum {
	INODE_DIR = 1,
	INODE_REACHED = 2,
};

/* What has to be remembered of an inode until the end of its mount. */
struct inode_state {
	u32 nlink;
	u32 seen;	/* links so far; of a directory 2 + subdirectories */
	u32 flags;
};

struct pramfs_walk {
	struct pramfs_stream s;
	const struct pramfs_visitor *v;
	int only;			/* mount to be told, < 0 = all */
	bool done;

	u64 records, extents, frames;
	u32 mounts;
	u32 before;			/* type of the record before, 0 = none */

	/* the mount at hand */
	struct pramfs_rec_mount mount;
	u32 nr_inodes, inodes;		/* announced, met */
	u64 entries;
	struct inode_state *inode;

	/* the inode at hand */
	u32 type;			/* S_IFMT bits */
	u64 size;
	u64 index, end_index;		/* bounds of the next extent */
	u64 unsummed;			/* pages of its extents without a checksum so far */

	/* scratch */
	struct pramfs_extent batch[EXTENTS_AT_ONCE];
	__le32 checksum[PRAMFS_CHECKSUM_BATCH];
	char names[PRAMFS_MAX_MOUNTS][PRAMFS_MAX_NAME + 1];
	char name[PRAMFS_MAX_XATTR_NAME + 1];
	char value[PRAMFS_MAX_XATTR_VALUE + 1];
};

static int refuse(struct pramfs_walk *w, enum pramfs_check_id check, u64 found, u64 expected)
{
	return pramfs_refuse(w->s.f, check, w->s.rec_pfn, w->s.rec_offset, found, expected);
}

static bool told(const struct pramfs_walk *w)
{
	return w->v && (w->only < 0 || w->mounts == (u32)w->only + 1);
}

/* ---- mounts ----------------------------------------------------------- */

static int get_mount(struct pramfs_walk *w)
{
	u32 len = w->s.tail, i;
	u64 most;
	char *name;
	int err;

	if (w->mounts == le32_to_cpu(w->s.root->nr_mounts))
		return refuse(w, PRAMFS_CHECK_MOUNT_COUNT, w->mounts + 1ull, w->mounts);
	if (!len || len > PRAMFS_MAX_NAME)
		return refuse(w, PRAMFS_CHECK_MOUNT_NAME, len, PRAMFS_MAX_NAME);
	err = pramfs_get_fixed(&w->s, &w->mount, sizeof(w->mount));
	if (err)
		return err;
	name = w->names[w->mounts];
	err = pramfs_get_tail(&w->s, name, len);
	if (err)
		return err;
	name[len] = 0;
	if (strlen(name) != len)
		return refuse(w, PRAMFS_CHECK_MOUNT_NAME, strlen(name), len);
	for (i = 0; i < w->mounts; i++)
		if (!strcmp(w->names[i], name))
			return refuse(w, PRAMFS_CHECK_MOUNT_TWICE, w->mounts, i);

	/* Nothing is allocated for inodes that the stream has no room for. */
	most = w->s.left / INODE_LEAST;
	if (most > ~0u)
		most = ~0u;
	if (!w->mount.nr_inodes || le64_to_cpu(w->mount.nr_inodes) > most)
		return refuse(w, PRAMFS_CHECK_INODE_COUNT, le64_to_cpu(w->mount.nr_inodes), most);
	w->nr_inodes = (u32)le64_to_cpu(w->mount.nr_inodes);
	w->inode = w->s.src->alloc(w->s.src->ctx, w->nr_inodes * sizeof(*w->inode));
	if (!w->inode)
		return -ENOMEM;
	w->inodes = 0;
	w->entries = 0;
	w->mounts++;
	if (told(w) && w->v->mount)
		return w->v->mount(w->v->ctx, w->mounts - 1, name, &w->mount);
	return 0;
}

/* Once all records of the mount are there. */
static int leave_mount(struct pramfs_walk *w)
{
	u64 entries = le64_to_cpu(w->mount.nr_dirents);
	u32 i;

	if (w->inodes != w->nr_inodes)
		return refuse(w, PRAMFS_CHECK_INODE_COUNT, w->inodes, w->nr_inodes);
	if (w->entries != entries)
		return refuse(w, PRAMFS_CHECK_ENTRY_COUNT, w->entries, entries);
	for (i = 0; i < w->nr_inodes; i++) {
		if (!(w->inode[i].flags & INODE_REACHED))
			return refuse(w, PRAMFS_CHECK_INODE_LINKS, 0, w->inode[i].nlink);
		if (w->inode[i].seen != w->inode[i].nlink)
			return refuse(w, PRAMFS_CHECK_INODE_LINKS, w->inode[i].seen,
				      w->inode[i].nlink);
	}
	w->s.src->free(w->s.src->ctx, w->inode);
	w->inode = NULL;
	w->done = w->only >= 0 && w->mounts == (u32)w->only + 1;
	return 0;
}

/* ---- inodes and what belongs to them ---------------------------------- */

static int check_size(struct pramfs_walk *w, u32 flags)
{
	u64 pages = w->size / PRAMFS_FRAME_SIZE + !!(w->size % PRAMFS_FRAME_SIZE);

	w->index = 0;
	w->end_index = 0;
	w->unsummed = 0;
	if (flags & ~(u32)PRAMFS_INODE_BEYOND_EOF || (flags && w->type != S_IFREG))
		return refuse(w, PRAMFS_CHECK_INODE_FLAGS, flags,
			      w->type == S_IFREG ? PRAMFS_INODE_BEYOND_EOF : 0);
	switch (w->type) {
	case S_IFREG:
		w->end_index = flags ? PRAMFS_END_INDEX : pages;
		fallthrough;
	case S_IFDIR:
		if (w->size >> 63)
			return refuse(w, PRAMFS_CHECK_INODE_SIZE, w->size, ~0ull >> 1);
		return 0;
	case S_IFLNK:
		if (!w->size || w->size > PRAMFS_MAX_TARGET)
			return refuse(w, PRAMFS_CHECK_INODE_SIZE, w->size, PRAMFS_MAX_TARGET);
		return 0;
	default:
		if (w->size)
			return refuse(w, PRAMFS_CHECK_INODE_SIZE, w->size, 0);
		return 0;
	}
}

/* What needs nothing but the record itself. */
static int check_inode(struct pramfs_walk *w, const struct pramfs_rec_inode *inode)
{
	const struct pramfs_time *time[] = {
		&inode->atime, &inode->mtime, &inode->ctime, &inode->btime
	};
	u32 mode = le32_to_cpu(inode->mode), nlink = le32_to_cpu(inode->nlink);
	u32 major = le32_to_cpu(inode->rdev_major), minor = le32_to_cpu(inode->rdev_minor);
	bool device = w->type == S_IFCHR || w->type == S_IFBLK;
	u32 i;

	/* These are the device numbers that dev_t has room for. */
	if (major > (device ? 0xfffu : 0))
		return refuse(w, PRAMFS_CHECK_INODE_DEVICE, major, device ? 0xfff : 0);
	if (minor > (device ? 0xfffffu : 0))
		return refuse(w, PRAMFS_CHECK_INODE_DEVICE, minor, device ? 0xfffff : 0);
	switch (w->type) {
	case S_IFREG: case S_IFDIR: case S_IFLNK: case S_IFCHR:
	case S_IFBLK: case S_IFIFO: case S_IFSOCK:
		break;
	default:
		return refuse(w, PRAMFS_CHECK_INODE_TYPE, mode, S_IFREG);
	}
	if (mode & ~(u32)(S_IFMT | 07777))
		return refuse(w, PRAMFS_CHECK_INODE_TYPE, mode, S_IFMT | 07777);
	if (!w->inodes && w->type != S_IFDIR)
		return refuse(w, PRAMFS_CHECK_INODE_ROOT, w->type, S_IFDIR);
	if (!inode->ino || le64_to_cpu(inode->ino) >= le64_to_cpu(w->mount.next_ino))
		return refuse(w, PRAMFS_CHECK_INODE_NUMBER, le64_to_cpu(inode->ino),
			      le64_to_cpu(w->mount.next_ino));
	if (le32_to_cpu(inode->uid) == ~0u || le32_to_cpu(inode->gid) == ~0u)
		return refuse(w, PRAMFS_CHECK_INODE_OWNER, ~0u, 0);
	if (nlink < (w->type == S_IFDIR ? 2 : 1))
		return refuse(w, PRAMFS_CHECK_INODE_LINKS, nlink, w->type == S_IFDIR ? 2 : 1);
	for (i = 0; i < 4; i++)
		if (le32_to_cpu(time[i]->nsec) >= 1000000000)
			return refuse(w, PRAMFS_CHECK_INODE_TIME, le32_to_cpu(time[i]->nsec),
				      999999999);
	return 0;
}

static int get_inode(struct pramfs_walk *w)
{
	struct pramfs_rec_inode inode;
	struct inode_state *state;
	int err;

	if (w->inodes == w->nr_inodes)
		return refuse(w, PRAMFS_CHECK_INODE_COUNT, w->inodes + 1ull, w->nr_inodes);
	err = pramfs_get_fixed(&w->s, &inode, sizeof(inode));
	if (err)
		return err;
	w->type = le32_to_cpu(inode.mode) & S_IFMT;
	w->size = le64_to_cpu(inode.size);
	err = check_inode(w, &inode);
	if (err)
		return err;
	err = check_size(w, le32_to_cpu(inode.flags));
	if (err)
		return err;
	state = &w->inode[w->inodes];
	state->nlink = le32_to_cpu(inode.nlink);
	if (w->type == S_IFDIR) {
		state->seen = 2;
		state->flags = INODE_DIR;
	}
	if (!w->inodes)
		state->flags |= INODE_REACHED;
	w->inodes++;
	if (told(w) && w->v->inode)
		return w->v->inode(w->v->ctx, w->inodes - 1, &inode);
	return 0;
}

static int get_xattr(struct pramfs_walk *w)
{
	struct pramfs_rec_xattr xattr;
	u32 name_len, value_len;
	int err;

	err = pramfs_get_fixed(&w->s, &xattr, sizeof(xattr));
	if (err)
		return err;
	name_len = le32_to_cpu(xattr.name_len);
	value_len = le32_to_cpu(xattr.value_len);
	if (!name_len || name_len > PRAMFS_MAX_XATTR_NAME)
		return refuse(w, PRAMFS_CHECK_XATTR_NAME, name_len, PRAMFS_MAX_XATTR_NAME);
	if (value_len > PRAMFS_MAX_XATTR_VALUE)
		return refuse(w, PRAMFS_CHECK_XATTR_VALUE, value_len, PRAMFS_MAX_XATTR_VALUE);
	if (w->s.tail != name_len + value_len)
		return refuse(w, PRAMFS_CHECK_RECORD_TAIL, w->s.tail, name_len + value_len);
	err = pramfs_get_tail(&w->s, w->name, name_len);
	if (err)
		return err;
	w->name[name_len] = 0;
	if (strlen(w->name) != name_len)
		return refuse(w, PRAMFS_CHECK_XATTR_NAME, strlen(w->name), name_len);
	err = pramfs_get_tail(&w->s, w->value, value_len);
	if (err)
		return err;
	w->value[value_len] = 0;
	if (told(w) && w->v->xattr)
		return w->v->xattr(w->v->ctx, w->inodes - 1, w->name, w->value, value_len);
	return 0;
}

static int get_target(struct pramfs_walk *w)
{
	u32 len = w->s.tail;
	int err;

	if (w->type != S_IFLNK)
		return refuse(w, PRAMFS_CHECK_TARGET_OWNER, w->type, S_IFLNK);
	/* The size was checked to be within the longest target. */
	if (len != w->size)
		return refuse(w, PRAMFS_CHECK_TARGET_LENGTH, len, w->size);
	err = pramfs_get_fixed(&w->s, NULL, 0);
	if (err)
		return err;
	err = pramfs_get_tail(&w->s, w->value, len);
	if (err)
		return err;
	w->value[len] = 0;
	if (strlen(w->value) != len)
		return refuse(w, PRAMFS_CHECK_TARGET_TEXT, strlen(w->value), len);
	if (told(w) && w->v->target)
		return w->v->target(w->v->ctx, w->inodes - 1, w->value, len);
	return 0;
}

static int get_extent(struct pramfs_walk *w, const struct pramfs_extent *extent)
{
	u64 index = le64_to_cpu(extent->index), frames = le64_to_cpu(extent->frames);
	u64 pfn = pramfs_extent_pfn(frames), pages = pramfs_extent_pages(frames);
	int err;

	if (index < w->index)
		return refuse(w, PRAMFS_CHECK_EXTENT_ORDER, index, w->index);
	if (index >= w->end_index || pages > w->end_index - index)
		return refuse(w, PRAMFS_CHECK_EXTENT_END, index, w->end_index);
	err = pramfs_own(w->s.owned, pfn, pages);
	if (err)
		return refuse(w, err == -ERANGE ? PRAMFS_CHECK_EXTENT_FRAME :
			      PRAMFS_CHECK_EXTENT_TWICE, pfn, pages);
	w->index = index + pages;
	w->extents++;
	w->frames += pages;
	w->unsummed += pages;
	if (told(w) && w->v->extent)
		return w->v->extent(w->v->ctx, w->inodes - 1, index, pfn, pages);
	return 0;
}

static int get_extents(struct pramfs_walk *w)
{
	u32 nr, i;
	int err;

	if (w->type != S_IFREG)
		return refuse(w, PRAMFS_CHECK_EXTENT_OWNER, w->type, S_IFREG);
	if (!w->s.tail || w->s.tail % sizeof(w->batch[0]))
		return refuse(w, PRAMFS_CHECK_RECORD_TAIL, w->s.tail, sizeof(w->batch[0]));
	err = pramfs_get_fixed(&w->s, NULL, 0);
	if (err)
		return err;
	while (w->s.tail) {
		nr = w->s.tail / (u32)sizeof(w->batch[0]);
		if (nr > EXTENTS_AT_ONCE)
			nr = EXTENTS_AT_ONCE;
		err = pramfs_get_tail(&w->s, w->batch, nr * (u32)sizeof(w->batch[0]));
		for (i = 0; i < nr && !err; i++)
			err = get_extent(w, &w->batch[i]);
		if (err)
			return err;
	}
	return 0;
}

/* Only files have extents, so that nothing else can have checksums. */
static int get_checksums(struct pramfs_walk *w)
{
	u32 nr;
	int err;

	if (!w->s.tail || w->s.tail % sizeof(w->checksum[0]))
		return refuse(w, PRAMFS_CHECK_RECORD_TAIL, w->s.tail, sizeof(w->checksum[0]));
	if (w->s.tail / sizeof(w->checksum[0]) > w->unsummed)
		return refuse(w, PRAMFS_CHECK_CHECKSUM_COUNT,
			      w->s.tail / sizeof(w->checksum[0]), w->unsummed);
	err = pramfs_get_fixed(&w->s, NULL, 0);
	while (w->s.tail && !err) {
		nr = w->s.tail / (u32)sizeof(w->checksum[0]);
		if (nr > PRAMFS_CHECKSUM_BATCH)
			nr = PRAMFS_CHECKSUM_BATCH;
		err = pramfs_get_tail(&w->s, w->checksum, nr * (u32)sizeof(w->checksum[0]));
		w->unsummed -= nr;
		if (!err && told(w) && w->v->checksums)
			err = w->v->checksums(w->v->ctx, w->inodes - 1, w->checksum, nr);
	}
	return err;
}

/* ---- entries ---------------------------------------------------------- */

static int check_name(struct pramfs_walk *w, u32 len)
{
	const char *name = w->name;

	if (strlen(name) != len || memchr(name, '/', len) || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return refuse(w, PRAMFS_CHECK_ENTRY_NAME, strlen(name), len);
	return 0;
}

/* That the tree stays a tree, and no inode has more entries than links. */
static int link_entry(struct pramfs_walk *w, u32 parent, u32 child)
{
	struct inode_state *p, *c;

	if (parent >= w->nr_inodes)
		return refuse(w, PRAMFS_CHECK_ENTRY_PARENT, parent, w->nr_inodes);
	if (child >= w->nr_inodes)
		return refuse(w, PRAMFS_CHECK_ENTRY_CHILD, child, w->nr_inodes);
	p = &w->inode[parent];
	c = &w->inode[child];
	if (p->flags != (INODE_DIR | INODE_REACHED))
		return refuse(w, PRAMFS_CHECK_ENTRY_PARENT, parent, w->nr_inodes);
	if (c->flags & INODE_DIR) {
		if (c->flags & INODE_REACHED)
			return refuse(w, PRAMFS_CHECK_ENTRY_CHILD, child, w->nr_inodes);
		if (p->seen == p->nlink)
			return refuse(w, PRAMFS_CHECK_INODE_LINKS, p->seen + 1ull, p->nlink);
		p->seen++;
	} else {
		if (c->seen == c->nlink)
			return refuse(w, PRAMFS_CHECK_INODE_LINKS, c->seen + 1ull, c->nlink);
		c->seen++;
	}
	c->flags |= INODE_REACHED;
	return 0;
}

static int get_dirent(struct pramfs_walk *w)
{
	struct pramfs_rec_dirent entry;
	u32 len = w->s.tail, parent, child;
	int err;

	/* Parents are known only when all inodes are. */
	if (w->inodes != w->nr_inodes)
		return refuse(w, PRAMFS_CHECK_INODE_COUNT, w->inodes, w->nr_inodes);
	if (w->entries == le64_to_cpu(w->mount.nr_dirents))
		return refuse(w, PRAMFS_CHECK_ENTRY_COUNT, w->entries + 1, w->entries);
	if (!len || len > PRAMFS_MAX_DENTRY)
		return refuse(w, PRAMFS_CHECK_ENTRY_NAME, len, PRAMFS_MAX_DENTRY);
	err = pramfs_get_fixed(&w->s, &entry, sizeof(entry));
	if (err)
		return err;
	err = pramfs_get_tail(&w->s, w->name, len);
	if (err)
		return err;
	w->name[len] = 0;
	err = check_name(w, len);
	if (err)
		return err;
	parent = le32_to_cpu(entry.parent);
	child = le32_to_cpu(entry.child);
	err = link_entry(w, parent, child);
	if (err)
		return err;
	w->entries++;
	if (told(w) && w->v->dirent)
		return w->v->dirent(w->v->ctx, parent, child, w->name, len);
	return 0;
}

/* ---- the stream ------------------------------------------------------- */

static int get_end(struct pramfs_walk *w)
{
	struct pramfs_rec_end end;
	u64 frames = le64_to_cpu(w->s.root->data_frames);
	int err;

	err = pramfs_get_fixed(&w->s, &end, sizeof(end));
	if (err)
		return err;
	if (w->s.left)
		return refuse(w, PRAMFS_CHECK_END_TRAILING, w->s.left, 0);
	if (w->mounts != le32_to_cpu(w->s.root->nr_mounts))
		return refuse(w, PRAMFS_CHECK_MOUNT_COUNT, w->mounts,
			      le32_to_cpu(w->s.root->nr_mounts));
	if (le64_to_cpu(end.records) != w->records)
		return refuse(w, PRAMFS_CHECK_END_RECORDS, w->records, le64_to_cpu(end.records));
	if (le64_to_cpu(end.extents) != w->extents)
		return refuse(w, PRAMFS_CHECK_END_EXTENTS, w->extents, le64_to_cpu(end.extents));
	if (le64_to_cpu(end.frames) != w->frames || frames != w->frames)
		return refuse(w, PRAMFS_CHECK_END_FRAMES, w->frames,
			      le64_to_cpu(end.frames) != w->frames ? le64_to_cpu(end.frames) :
			      frames);
	w->done = true;
	return 0;
}

#define BIT_OF(type)	(1u << PRAMFS_REC_##type)
#define OF_INODE	(BIT_OF(INODE) | BIT_OF(XATTR) | BIT_OF(TARGET) | BIT_OF(EXTENTS))
#define OF_START	1u	/* no record before */

/* The grammar of "The stream", in pramfs_format.h. */
static const struct rec_kind {
	u32 after;		/* types that it may follow */
	bool tail;
	int (*get)(struct pramfs_walk *w);
} rec_kinds[] = {
	[PRAMFS_REC_MOUNT] = { OF_START | OF_INODE | BIT_OF(DIRENT), true, get_mount },
	[PRAMFS_REC_INODE] = { BIT_OF(MOUNT) | OF_INODE, false, get_inode },
	[PRAMFS_REC_XATTR] = { BIT_OF(INODE) | BIT_OF(XATTR), true, get_xattr },
	[PRAMFS_REC_TARGET] = { BIT_OF(INODE) | BIT_OF(XATTR), true, get_target },
	[PRAMFS_REC_EXTENTS] = { OF_INODE, true, get_extents },
	[PRAMFS_REC_DIRENT] = { OF_INODE | BIT_OF(DIRENT), true, get_dirent },
	[PRAMFS_REC_END] = { OF_START | OF_INODE | BIT_OF(DIRENT), false, get_end },
};

/* What a record of this type ends: the inode, the mount. */
static int leave(struct pramfs_walk *w, u32 type)
{
	bool mount_ends = type == PRAMFS_REC_MOUNT || type == PRAMFS_REC_END;
	bool inode_ends = mount_ends || type == PRAMFS_REC_INODE || type == PRAMFS_REC_DIRENT;

	if (inode_ends && w->type == S_IFLNK &&
	    (w->before == PRAMFS_REC_INODE || w->before == PRAMFS_REC_XATTR))
		return refuse(w, PRAMFS_CHECK_TARGET_MISSING, 0, w->size);
	if (inode_ends)
		w->unsummed = 0;
	if (mount_ends && w->mounts)
		return leave_mount(w);
	return 0;
}

static int get_record(struct pramfs_walk *w)
{
	const struct rec_kind *kind;
	u32 type = 0;
	int err;

	err = pramfs_get_head(&w->s, &type);
	if (err)
		return err;
	if (type == PRAMFS_REC_CHECKSUMS) {
		w->records++;
		return get_checksums(w);
	}
	if (type & PRAMFS_REC_OPTIONAL) {
		w->records++;
		return pramfs_get_bytes(&w->s, NULL, w->s.fixed + w->s.tail);
	}
	if (!type || type > PRAMFS_REC_END) {
		refuse(w, PRAMFS_CHECK_RECORD_TYPE, type, PRAMFS_REC_END);
		return -EPROTONOSUPPORT;
	}
	kind = &rec_kinds[type];
	if (!(kind->after & 1u << w->before))
		return refuse(w, PRAMFS_CHECK_RECORD_ORDER, type, w->before);
	if (w->s.tail && !kind->tail)
		return refuse(w, PRAMFS_CHECK_RECORD_TAIL, w->s.tail, 0);
	err = leave(w, type);
	if (err || w->done)
		return err;
	err = kind->get(w);
	w->records++;
	w->before = type;
	return err;
}

static struct pramfs_walk *new_walk(const struct pramfs_source *src,
				    const struct pramfs_root *root, struct pramfs_finding *f)
{
	struct pramfs_walk *w = src->alloc(src->ctx, sizeof(*w));

	if (!w)
		return NULL;
	pramfs_stream_init(&w->s, src, root, f);
	w->only = -1;
	return w;
}

static int run_walk(struct pramfs_walk *w)
{
	int err = 0;

	while (!w->done && !err)
		err = get_record(w);
	w->s.src->free(w->s.src->ctx, w->inode);
	return err;
}

static int alloc_maps(const struct pramfs_source *src, struct pramfs_owned *owned)
{
	const u64 bits = 8 * sizeof(unsigned long);
	u64 words;
	u32 i;

	for (i = 0; i < owned->nr; i++) {
		words = (owned->range[i].frames + bits - 1) / bits;
		owned->range[i].map = src->alloc(src->ctx, words * sizeof(unsigned long));
		if (!owned->range[i].map)
			return -ENOMEM;
	}
	return 0;
}

int pramfs_check(const struct pramfs_source *src, const struct pramfs_root *root, u64 root_pfn,
		 struct pramfs_owned *owned, const struct pramfs_visitor *v,
		 struct pramfs_finding *f)
{
	struct pramfs_walk *w;
	int err;

	memset(owned, 0, sizeof(*owned));
	err = pramfs_check_root(root, root_pfn, f);
	if (err)
		return err;
	w = new_walk(src, root, f);
	if (!w)
		return -ENOMEM;
	w->v = v;
	pramfs_owned_bounds(root, owned);
	w->s.owned = owned;
	err = alloc_maps(src, owned);
	if (err)
		goto out;
	/* The root's own word about its frame was checked. */
	err = pramfs_own(owned, le64_to_cpu(root->pfn), 1);
	if (err)
		goto out;
	err = run_walk(w);
out:
	if (err)
		pramfs_owned_free(src, owned);
	src->free(src->ctx, w);
	return err;
}

int pramfs_walk(const struct pramfs_source *src, const struct pramfs_root *root, int mount,
		const struct pramfs_visitor *v, struct pramfs_finding *f)
{
	struct pramfs_walk *w;
	int err;

	err = pramfs_check_root(root, ~0ull, f);
	if (err)
		return err;
	if (mount >= 0 && (u32)mount >= le32_to_cpu(root->nr_mounts))
		return -ENOENT;
	w = new_walk(src, root, f);
	if (!w)
		return -ENOMEM;
	w->v = v;
	w->only = mount;
	err = run_walk(w);
	src->free(src->ctx, w);
	return err;
}
