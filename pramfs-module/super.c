// SPDX-License-Identifier: GPL-2.0
/*
 * super.c - instances of PramFS: mount options, limits, names.
 *
 * The source of a mount is the name of the instance: the same name mounted
 * twice is the same tree, and the name is how the next kernel's mount finds it.
 */
#include <linux/exportfs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/parser.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/iversion.h>

#include "internal.h"

DEFINE_MUTEX(pramfs_mounts_lock);
LIST_HEAD(pramfs_mounts);

static struct kmem_cache *inode_cache;

/* ---- inode life --------------------------------------------------------- */

static void init_once(void *p)
{
	struct pramfs_inode *pi = p;

	inode_init_once(&pi->vfs_inode);
	mutex_init(&pi->held_lock);
	spin_lock_init(&pi->lock);
	init_rwsem(&pi->xattr_lock);
	INIT_LIST_HEAD(&pi->xattrs);
}

static struct inode *pramfs_alloc_inode(struct super_block *sb)
{
	struct pramfs_inode *pi = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);

	if (!pi)
		return NULL;
	memset(&pi->held, 0, sizeof(pi->held));
	xa_init(&pi->adopted);
	xa_init(&pi->checksums);
	pi->nr_adopted = 0;
	mt_init_flags(&pi->entries, MT_FLAGS_ALLOC_RANGE);
	pi->next_position = 0;
	pi->pages = 0;
	pi->seal_gen = 0;
	pi->splitter = NULL;
	return &pi->vfs_inode;
}

static void pramfs_free_inode(struct inode *inode)
{
	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	kmem_cache_free(inode_cache, PRAMFS_I(inode));
}

static void pramfs_evict_inode(struct inode *inode)
{
	struct pramfs_sb *sbi = PRAMFS_SB(inode->i_sb);
	struct pramfs_inode *pi = PRAMFS_I(inode);

	truncate_inode_pages_final(&inode->i_data);
	if (!sbi->opening) {
		pramfs_apart_drop(inode, 0, ULONG_MAX);
		pramfs_recount(inode);
	}
	xa_destroy(&pi->checksums);
	pramfs_held_free(inode);
	mtree_destroy(&pi->entries);
	pramfs_xattrs_free(inode);
	clear_inode(inode);
	pramfs_uncount_inodes(inode->i_sb, 1);
}

static int pramfs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct pramfs_sb *sbi = PRAMFS_SB(dentry->d_sb);
	u64 id = huge_encode_dev(dentry->d_sb->s_dev);

	buf->f_type = PRAMFS_SUPER_MAGIC;
	buf->f_bsize = PAGE_SIZE;
	buf->f_namelen = NAME_MAX;
	buf->f_fsid = u64_to_fsid(id);
	if (sbi->max_pages) {
		buf->f_blocks = sbi->max_pages;
		buf->f_bfree = sbi->max_pages -
			min_t(u64, sbi->max_pages, percpu_counter_sum_positive(&sbi->pages));
		buf->f_bavail = buf->f_bfree;
	}
	if (sbi->max_inodes) {
		buf->f_files = sbi->max_inodes;
		buf->f_ffree = sbi->max_inodes - atomic64_read(&sbi->inodes);
	}
	return 0;
}

static int pramfs_show_options(struct seq_file *seq, struct dentry *root)
{
	struct pramfs_sb *sbi = PRAMFS_SB(root->d_sb);

	if (sbi->max_pages)
		seq_printf(seq, ",size=%lluk", sbi->max_pages << (PAGE_SHIFT - 10));
	if (sbi->max_inodes)
		seq_printf(seq, ",nr_inodes=%llu", sbi->max_inodes);
	if (sbi->adopt)
		seq_puts(seq, ",adopt=on");
	if (sbi->give)
		seq_puts(seq, ",give=on");
	if (sbi->verify)
		seq_puts(seq, ",verify=on");
	seq_printf(seq, ",mode=%03ho", sbi->mode);
	if (!uid_eq(sbi->uid, GLOBAL_ROOT_UID))
		seq_printf(seq, ",uid=%u", from_kuid_munged(&init_user_ns, sbi->uid));
	if (!gid_eq(sbi->gid, GLOBAL_ROOT_GID))
		seq_printf(seq, ",gid=%u", from_kgid_munged(&init_user_ns, sbi->gid));
	return 0;
}

static const struct super_operations pramfs_super_operations = {
	.alloc_inode = pramfs_alloc_inode,
	.free_inode = pramfs_free_inode,
	.evict_inode = pramfs_evict_inode,
	.drop_inode = pramfs_drop_inode,
	.statfs = pramfs_statfs,
	.show_options = pramfs_show_options,
};

/* ---- file handles ------------------------------------------------------- */

static struct inode *handle_inode(struct super_block *sb, u64 ino, u32 generation)
{
	struct inode *inode = ilookup(sb, ino);

	if (inode && generation && inode->i_generation != generation) {
		iput(inode);
		inode = NULL;
	}
	return inode ?: ERR_PTR(-ESTALE);
}

static struct dentry *fh_to_dentry(struct super_block *sb, struct fid *fid, int len, int type)
{
	return generic_fh_to_dentry(sb, fid, len, type, handle_inode);
}

static const struct export_operations pramfs_export_operations = {
	.encode_fh = generic_encode_ino32_fh,
	.fh_to_dentry = fh_to_dentry,
};

/* ---- mounting ----------------------------------------------------------- */

enum { OPT_SIZE, OPT_NR_INODES, OPT_MODE, OPT_UID, OPT_GID, OPT_ADOPT, OPT_GIVE, OPT_VERIFY };

static const struct constant_table on_off[] = {
	{ "off", false },
	{ "on", true },
	{}
};

static const struct fs_parameter_spec pramfs_parameters[] = {
	fsparam_string("size", OPT_SIZE),
	fsparam_string("nr_inodes", OPT_NR_INODES),
	fsparam_u32oct("mode", OPT_MODE),
	fsparam_uid("uid", OPT_UID),
	fsparam_gid("gid", OPT_GID),
	fsparam_enum("adopt", OPT_ADOPT, on_off),
	fsparam_enum("give", OPT_GIVE, on_off),
	fsparam_enum("verify", OPT_VERIFY, on_off),
	{}
};

struct pramfs_context {
	u64 max_pages, max_inodes;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	bool has_size, has_inodes;
	bool adopt, give, verify;
	bool has_adopt, has_give, has_verify;
};

static int parse_number(struct fs_context *fc, struct fs_parameter *param, bool percent, u64 *value)
{
	char *end;

	*value = memparse(param->string, &end);
	if (percent && *end == '%') {
		*value = mult_frac((u64)totalram_pages() << PAGE_SHIFT, *value, 100);
		end++;
	}
	if (end == param->string || *end)
		return invalf(fc, "pramfs: %s=%s: expected a number%s", param->key, param->string,
			      percent ? " of bytes, with k, m or g behind it, or a percentage of RAM" :
			      ", with k, m or g behind it");
	return 0;
}

static int pramfs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct pramfs_context *ctx = fc->fs_private;
	struct fs_parse_result result;
	u64 value;
	int opt, err = 0;

	opt = fs_parse(fc, pramfs_parameters, param, &result);
	if (opt < 0)
		return opt;
	switch (opt) {
	case OPT_SIZE:
		err = parse_number(fc, param, true, &value);
		if (!err) {
			ctx->max_pages = DIV_ROUND_UP_ULL(value, PAGE_SIZE);
			ctx->has_size = true;
		}
		break;
	case OPT_NR_INODES:
		err = parse_number(fc, param, false, &value);
		if (!err) {
			ctx->max_inodes = value;
			ctx->has_inodes = true;
		}
		break;
	case OPT_MODE:
		ctx->mode = result.uint_32 & 07777;
		break;
	case OPT_UID:
		ctx->uid = result.uid;
		break;
	case OPT_GID:
		ctx->gid = result.gid;
		break;
	case OPT_ADOPT:
		ctx->adopt = result.uint_32;
		ctx->has_adopt = true;
		break;
	case OPT_GIVE:
		ctx->give = result.uint_32;
		ctx->has_give = true;
		break;
	case OPT_VERIFY:
		ctx->verify = result.uint_32;
		ctx->has_verify = true;
		break;
	}
	return err;
}

static int new_root(struct super_block *sb, struct pramfs_sb *sbi)
{
	struct inode *root = pramfs_new_inode(&nop_mnt_idmap, sb, NULL, S_IFDIR | sbi->mode, 0);

	if (IS_ERR(root))
		return PTR_ERR(root);
	root->i_uid = sbi->uid;
	root->i_gid = sbi->gid;
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

/*
 * mount(8) makes the instance before it looks where to attach it. Were that to fail,
 * all that came would go with the last reference. So it has one more until something
 * in it is opened: by then somebody has it where it was to be.
 */
static void keep_until_opened(struct super_block *sb)
{
	atomic_inc(&sb->s_active);
	PRAMFS_SB(sb)->unopened = true;
}

void pramfs_opened(struct super_block *sb)
{
	struct pramfs_sb *sbi = PRAMFS_SB(sb);

	/* Never the last one: whoever opens came by a mount, which has its own. */
	if (READ_ONCE(sbi->unopened) && xchg(&sbi->unopened, false))
		deactivate_super(sb);
}

static int pramfs_fill_super(struct super_block *sb)
{
	struct pramfs_sb *sbi = PRAMFS_SB(sb);
	int err;

	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_magic = PRAMFS_SUPER_MAGIC;
	sb->s_op = &pramfs_super_operations;
	sb->s_export_op = &pramfs_export_operations;
	sb->s_xattr = pramfs_xattr_handlers;
	sb->s_time_gran = 1;
	sb->s_flags |= SB_NOSEC | SB_I_VERSION;
	pramfs_no_dcache(sb);
	sbi->sb = sb;
	guard(mutex)(&pramfs_mounts_lock);
	/* A seal has looked at the list, and undoes later what it did to all on it. */
	if (pramfs_is_sealed())
		return -EBUSY;
	if (pramfs_came_mounts(sbi->name)) {
		sbi->opening = true;
		err = pramfs_open_mount(sb, sbi->name);
		if (err)
			return err;
		sbi->opening = false;
		keep_until_opened(sb);
	} else {
		err = new_root(sb, sbi);
		if (err)
			return err;
	}
	list_add_tail(&sbi->list, &pramfs_mounts);
	return 0;
}

/* What a mount says of pages, at the first mount and at each remount. */
static void set_page_options(struct pramfs_sb *sbi, const struct pramfs_context *ctx)
{
	if (ctx->has_adopt)
		sbi->adopt = ctx->adopt;
	if (ctx->has_give)
		sbi->give = ctx->give;
	if (ctx->has_verify)
		sbi->verify = ctx->verify;
	if (sbi->give)
		pramfs_tell_give();
}

static int same_name(struct super_block *sb, struct fs_context *fc)
{
	return !strcmp(PRAMFS_SB(sb)->name, ((struct pramfs_sb *)fc->s_fs_info)->name);
}

static struct pramfs_sb *alloc_sb(struct fs_context *fc)
{
	struct pramfs_context *ctx = fc->fs_private;
	struct pramfs_sb *sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);

	if (!sbi)
		return NULL;
	if (percpu_counter_init(&sbi->pages, 0, GFP_KERNEL)) {
		kfree(sbi);
		return NULL;
	}
	INIT_LIST_HEAD(&sbi->list);
	xa_init(&sbi->huge_cgroups);
	strscpy(sbi->name, fc->source, sizeof(sbi->name));
	sbi->max_pages = ctx->max_pages;
	sbi->max_inodes = ctx->max_inodes;
	sbi->mode = ctx->mode;
	sbi->uid = ctx->uid;
	sbi->gid = ctx->gid;
	atomic64_set(&sbi->next_ino, 1);
	set_page_options(sbi, ctx);
	return sbi;
}

static void free_sb(struct pramfs_sb *sbi)
{
	if (!sbi)
		return;
	percpu_counter_destroy(&sbi->pages);
	xa_destroy(&sbi->huge_cgroups);
	kfree(sbi);
}

static int pramfs_get_tree(struct fs_context *fc)
{
	struct super_block *sb;
	int err;

	if (!fc->source || !*fc->source)
		return invalf(fc, "pramfs: the source is the name of the instance, for example: mount -t pramfs pramfs /run/pramfs");
	if (strlen(fc->source) > PRAMFS_MAX_NAME)
		return invalf(fc, "pramfs: the name %s is longer than %d bytes", fc->source,
			      PRAMFS_MAX_NAME);
	fc->s_fs_info = alloc_sb(fc);
	if (!fc->s_fs_info)
		return -ENOMEM;
	sb = sget_fc(fc, same_name, set_anon_super_fc);
	if (IS_ERR(sb))
		return PTR_ERR(sb);
	if (!sb->s_root) {
		err = pramfs_fill_super(sb);
		if (err) {
			deactivate_locked_super(sb);
			return err;
		}
		sb->s_flags |= SB_ACTIVE;
	} else if ((fc->sb_flags ^ sb->s_flags) & SB_RDONLY) {
		deactivate_locked_super(sb);
		return invalf(fc, "pramfs: %s is mounted already, %s", fc->source,
			      fc->sb_flags & SB_RDONLY ? "writable" : "read-only");
	} else if (READ_ONCE(PRAMFS_SB(sb)->unopened)) {
		/* The mount before may have failed: this one is the first. */
		set_page_options(PRAMFS_SB(sb), fc->fs_private);
	}
	fc->root = dget(sb->s_root);
	return 0;
}

static int pramfs_reconfigure(struct fs_context *fc)
{
	struct pramfs_context *ctx = fc->fs_private;
	struct pramfs_sb *sbi = PRAMFS_SB(fc->root->d_sb);

	if (pramfs_is_sealed())
		return -EBUSY;
	if (ctx->has_size && ctx->max_pages &&
	    percpu_counter_sum_positive(&sbi->pages) > ctx->max_pages)
		return invalf(fc, "pramfs: size=: more is in use already: %lld KiB",
			      percpu_counter_sum_positive(&sbi->pages) << (PAGE_SHIFT - 10));
	if (ctx->has_inodes && ctx->max_inodes && atomic64_read(&sbi->inodes) > ctx->max_inodes)
		return invalf(fc, "pramfs: nr_inodes=: more are in use already: %lld",
			      atomic64_read(&sbi->inodes));
	if (ctx->has_size)
		sbi->max_pages = ctx->max_pages;
	if (ctx->has_inodes)
		sbi->max_inodes = ctx->max_inodes;
	set_page_options(sbi, ctx);
	return 0;
}

static void pramfs_free_fc(struct fs_context *fc)
{
	free_sb(fc->s_fs_info);		/* NULL once a super block has taken it */
	kfree(fc->fs_private);
}

static const struct fs_context_operations pramfs_context_operations = {
	.parse_param = pramfs_parse_param,
	.get_tree = pramfs_get_tree,
	.reconfigure = pramfs_reconfigure,
	.free = pramfs_free_fc,
};

static int pramfs_init_fs_context(struct fs_context *fc)
{
	struct pramfs_context *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);

	if (!ctx)
		return -ENOMEM;
	ctx->mode = 0700;
	ctx->uid = GLOBAL_ROOT_UID;
	ctx->gid = GLOBAL_ROOT_GID;
	/* All of RAM: what is preserved may well be most of it. Half as many inodes as pages. */
	ctx->max_pages = totalram_pages();
	ctx->max_inodes = totalram_pages() / 2;
	fc->fs_private = ctx;
	fc->ops = &pramfs_context_operations;
	return 0;
}

static void pramfs_kill_sb(struct super_block *sb)
{
	struct pramfs_sb *sbi = PRAMFS_SB(sb);

	mutex_lock(&pramfs_mounts_lock);
	list_del_init(&sbi->list);
	mutex_unlock(&pramfs_mounts_lock);
	pramfs_kill_anon_super(sb);
	free_sb(sbi);
}

void pramfs_count_pages(struct pramfs_ioc_status *st)
{
	struct pramfs_sb *sbi;

	mutex_lock(&pramfs_mounts_lock);
	list_for_each_entry(sbi, &pramfs_mounts, list) {
		st->adopted_pages += atomic64_read(&sbi->counters.adopted);
		st->adopt_copied_pages += atomic64_read(&sbi->counters.adopt_copied);
		st->given_pages += atomic64_read(&sbi->counters.given);
		st->give_copied_pages += atomic64_read(&sbi->counters.give_copied);
	}
	mutex_unlock(&pramfs_mounts_lock);
}

static struct file_system_type pramfs_type = {
	.owner = THIS_MODULE,
	.name = "pramfs",
	.init_fs_context = pramfs_init_fs_context,
	.parameters = pramfs_parameters,
	.kill_sb = pramfs_kill_sb,
};
MODULE_ALIAS_FS("pramfs");

int pramfs_super_init(void)
{
	int err;

	inode_cache = kmem_cache_create("pramfs_inode", sizeof(struct pramfs_inode), 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, init_once);
	if (!inode_cache)
		return -ENOMEM;
	err = register_filesystem(&pramfs_type);
	if (err)
		kmem_cache_destroy(inode_cache);
	return err;
}

void pramfs_super_exit(void)
{
	unregister_filesystem(&pramfs_type);
	rcu_barrier();		/* inodes are freed after a grace period */
	kmem_cache_destroy(inode_cache);
}
