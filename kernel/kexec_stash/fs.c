// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file system: a directory for each slot, a file for each file of its
 * payload
 *
 * A file system of its own, with its own magic, so that what hangs on inodes
 * and xattrs (IMA, EVM, SELinux) covers a payload by the rules that cover a
 * kernel on disk. Inodes of payload files live as long as the kernel does; bytes
 * and xattrs belong to the slot. All stay when the file system is unmounted.
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/iversion.h>
#include <linux/kexec.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/xattr.h>

#include "slot.h"

/* A slot's directory shows its payload's files, and then its facts */
#define NR_ENTRIES (KEXEC_SLOT_NR_FILES + KEXEC_SLOT_NR_FACTS)

#define ROOT_INO 1UL
#define ENTRY_INO(slot, id) (KEXEC_SLOT_INO(slot) + 1 + (id))

static struct simple_xattr_cache xattr_cache;

/* Keeps inodes of sealed slots possible where no user has it mounted */
static struct vfsmount *stash_mnt;

/**
 * kexec_slot_fs_init() - make a slot one that can be shown
 * @slot: the slot, zeroed
 */
void kexec_slot_fs_init(struct kexec_slot *slot)
{
	for (int i = 0; i < KEXEC_SLOT_NR_FILES; i++)
		INIT_LIST_HEAD(&slot->fs.xattrs[i]);
}

static const char *entry_name(unsigned int id)
{
	if (id < KEXEC_SLOT_NR_FILES)
		return kexec_slot_file_name(id);
	return kexec_slot_fact_name(id - KEXEC_SLOT_NR_FILES);
}

static struct kexec_slot *inode_slot(const struct inode *inode)
{
	return kexec_slots[kexec_inode_slot_nr(inode)];
}

/* The payload's files */

/*
 * As much is copied under the slot's lock as can be copied without a page fault.
 * Who has the memory that is missing brought in holds no lock that a load, or
 * kexec -e, waits for: it may be on a file system that does not answer.
 */
#define COPY_MAX SZ_1M

static size_t read_some(struct kexec_slot *slot, unsigned int id, u64 pos,
			struct iov_iter *to, size_t *left)
{
	u64 size;

	guard(mutex)(&slot->lock);
	size = kexec_slot_file_size(slot, id);
	*left = pos < size ? min3(iov_iter_count(to), size - pos, COPY_MAX) : 0;
	guard(pagefault)();
	return copy_to_iter(kexec_slot_file_addr(slot, id) + pos, *left, to);
}

static ssize_t payload_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	size_t copied, left, done = 0;

	for (;;) {
		copied = read_some(inode_slot(inode), kexec_inode_entry(inode),
				   iocb->ki_pos, to, &left);
		iocb->ki_pos += copied;
		done += copied;
		if (!left)
			return done;
		if (fatal_signal_pending(current))
			return done ?: -EINTR;
		if (!copied && fault_in_iov_iter_writeable(to, left) == left)
			return done ?: -EFAULT;
		cond_resched();
	}
}

static size_t copy_in(void *to, size_t count, struct iov_iter *from)
{
	guard(pagefault)();
	return copy_from_iter(to, count, from);
}

/* Return: bytes written, 0 if none is there to be copied, or an error */
static ssize_t write_some(struct kexec_slot *slot, unsigned int id, u64 pos,
			  struct iov_iter *from)
{
	u64 size = kexec_slot_file_size(slot, id), room;
	size_t copied, count = iov_iter_count(from);
	void *addr;
	int ret;

	ret = kexec_slot_may_change(slot);
	if (ret)
		return ret;
	kexec_slot_touch(slot, id);
	room = kexec_slot_file_room(slot, id);
	if (pos > room || count > room - pos ||
	    (id == KEXEC_STASH_KERNEL && kexec_slot_make_way(slot, pos + count)))
		return kexec_slot_no_space(slot, id, room);

	addr = kexec_slot_file_addr(slot, id);
	copied = copy_in(addr + pos, min(count, COPY_MAX), from);
	if (!copied)
		return 0;
	if (pos > size)
		memset(addr + size, 0, pos - size);
	if (pos + copied > size) {
		kexec_slot_clear_last_page(slot, id, pos + copied);
		kexec_slot_set_file_size(slot, id, pos + copied);
	}
	/*
	 * With the first bytes of it, not step by step; what does not fit is
	 * found at its close
	 */
	if (id == KEXEC_STASH_KERNEL)
		kexec_slot_make_way(slot, 0);
	return copied;
}

static ssize_t write_step(struct inode *inode, u64 pos, struct iov_iter *from)
{
	struct kexec_slot *slot = inode_slot(inode);
	unsigned int id = kexec_inode_entry(inode);
	ssize_t ret;

	guard(mutex)(&slot->lock);
	ret = write_some(slot, id, pos, from);
	i_size_write(inode, kexec_slot_file_size(slot, id));
	kexec_slot_changed(slot);
	return ret;
}

/* Half a file, not to be taken for a whole one */
static ssize_t write_failed(struct inode *inode, ssize_t err)
{
	struct kexec_slot *slot = inode_slot(inode);
	unsigned int id = kexec_inode_entry(inode);

	guard(mutex)(&slot->lock);
	if (test_bit(id, &slot->dirty))
		kexec_slot_mark_bad(slot, id);
	return err;
}

static ssize_t write_all(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	size_t left, done = 0;
	ssize_t ret;

	while ((left = min(iov_iter_count(from), COPY_MAX))) {
		ret = write_step(inode, iocb->ki_pos, from);
		if (!ret && fault_in_iov_iter_readable(from, left) == left)
			ret = -EFAULT;
		else if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret < 0)
			return done ?: write_failed(inode, ret);
		iocb->ki_pos += ret;
		done += ret;
		cond_resched();
	}
	return done;
}

static ssize_t payload_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret > 0)
		ret = file_update_time(iocb->ki_filp) ?: write_all(iocb, from);
	/* What IMA has hashed meanwhile is neither the old bytes nor these */
	inode_inc_iversion(inode);
	inode_unlock(inode);
	return ret;
}

static int payload_open(struct inode *inode, struct file *file)
{
	struct kexec_slot *slot = inode_slot(inode);
	int ret;

	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	ret = kexec_slot_lock_to_change(slot);
	if (ret)
		return ret;
	slot->fs.writers++;
	mutex_unlock(&slot->lock);
	return 0;
}

static int payload_release(struct inode *inode, struct file *file)
{
	struct kexec_slot *slot = inode_slot(inode);
	unsigned int id = kexec_inode_entry(inode);

	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	guard(mutex)(&slot->lock);
	slot->fs.writers--;
	if (test_bit(id, &slot->dirty))
		kexec_slot_check_staged(slot, id);
	kexec_slot_changed(slot);
	kexec_slot_verify_later(slot);
	return 0;
}

static const struct file_operations payload_fops = {
	.open = payload_open,
	.release = payload_release,
	.read_iter = payload_read_iter,
	.write_iter = payload_write_iter,
	.llseek = generic_file_llseek,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
	.mmap_prepare = kexec_slot_mmap_prepare,
	.fsync = noop_fsync,
};

static int empty_file(struct inode *inode)
{
	struct kexec_slot *slot = inode_slot(inode);
	int ret;

	ret = kexec_slot_lock_to_change(slot);
	if (ret)
		return ret;
	kexec_slot_empty_file(slot, kexec_inode_entry(inode));
	i_size_write(inode, 0);
	inode_inc_iversion(inode);
	kexec_slot_changed(slot);
	kexec_slot_verify_later(slot);
	mutex_unlock(&slot->lock);
	return 0;
}

static int payload_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			   struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int ret = setattr_prepare(idmap, dentry, attr);

	if (ret)
		return ret;
	if (attr->ia_valid & ATTR_SIZE) {
		/*
		 * Emptied or written from its start; there is no use in half a
		 * kernel
		 */
		if (attr->ia_size)
			return -EINVAL;
		ret = empty_file(inode);
		if (ret)
			return ret;
	}
	setattr_copy(idmap, inode, attr);
	return 0;
}

static ssize_t payload_listxattr(struct dentry *dentry, char *buffer,
				 size_t size)
{
	struct inode *inode = d_inode(dentry);

	return simple_xattr_list(inode,
				 &inode_slot(inode)->fs.xattrs[kexec_inode_entry(inode)],
				 buffer, size);
}

static const struct inode_operations payload_iops = {
	.setattr = payload_setattr,
	.listxattr = payload_listxattr,
};

/* Extended attributes */

/* Of a payload's file, whether user space sees the inode or the seal has made it */
static bool has_xattrs(const struct inode *inode)
{
	return S_ISREG(inode->i_mode) && inode->i_ino >= KEXEC_SLOT_INO(0) &&
	       kexec_inode_entry(inode) < KEXEC_SLOT_NR_FILES;
}

static int security_xattr_get(const struct xattr_handler *handler,
			      struct dentry *dentry, struct inode *inode,
			      const char *name, void *buffer, size_t size)
{
	if (!has_xattrs(inode))
		return -EOPNOTSUPP;
	return simple_xattr_get(&xattr_cache,
				&inode_slot(inode)->fs.xattrs[kexec_inode_entry(inode)],
				xattr_full_name(handler, name), buffer, size);
}

/* Whether a value of security.ima is a signature, which a record can hold */
static bool is_signature(const void *value, size_t size)
{
	return size && size <= KEXEC_STASH_SIGNATURE_LEN &&
	       *(const u8 *)value == KEXEC_STASH_SIGNATURE_TYPE;
}

/* What security.ima says goes into the record, for the next kernel to find */
static int record_signature(struct kexec_stash_file *file, const void *value,
			    size_t size)
{
	u8 *signature = NULL;

	if (value && is_signature(value, size)) {
		signature = kmemdup(value, size, GFP_KERNEL);
		if (!signature)
			return -ENOMEM;
	}
	kfree(file->signature);
	file->signature = signature;
	file->signature_len = signature ? size : 0;
	atomic_inc(&kexec_slots_changes);
	return 0;
}

static int set_xattr(struct kexec_slot *slot, unsigned int id, const char *name,
		     const void *value, size_t size, int flags)
{
	bool recorded = id != KEXEC_SLOT_CMDLINE &&
			!strcmp(name, XATTR_NAME_IMA);
	struct simple_xattr *old;

	old = simple_xattr_set(&xattr_cache, &slot->fs.xattrs[id], name, value,
			       size, flags);
	if (IS_ERR(old))
		return PTR_ERR(old);
	/* Where it is being removed, its name may go with it */
	simple_xattr_free_rcu(old);
	if (!recorded)
		return 0;
	kexec_slot_forget_verdict(slot, id);
	return record_signature(&slot->rec.file[id], value, size);
}

static void drop_xattrs(struct kexec_slot *slot, unsigned int id)
{
	struct simple_xattr *xattr, *next;

	list_for_each_entry_safe(xattr, next, &slot->fs.xattrs[id], node)
		set_xattr(slot, id, xattr->name, NULL, 0, 0);
}

static int security_xattr_set(const struct xattr_handler *handler,
			      struct mnt_idmap *idmap, struct dentry *dentry,
			      struct inode *inode, const char *name,
			      const void *value, size_t size, int flags)
{
	struct kexec_slot *slot;
	int ret;

	if (!has_xattrs(inode))
		return -EOPNOTSUPP;
	slot = inode_slot(inode);
	scoped_guard(mutex, &slot->lock) {
		/* The next kernel has been told of the signatures */
		ret = kexec_in_progress ?
			      -EBUSY :
			      set_xattr(slot, kexec_inode_entry(inode),
					xattr_full_name(handler, name), value,
					size, flags);
	}
	if (!ret)
		inode_set_ctime_current(inode);
	return ret;
}

static const struct xattr_handler security_xattr_handler = {
	.prefix = XATTR_SECURITY_PREFIX,
	.get = security_xattr_get,
	.set = security_xattr_set,
};

static const struct xattr_handler *const stash_xattr_handlers[] = {
	&security_xattr_handler, NULL
};

/**
 * kexec_slot_take_signature() - make a signature that came with a payload the
 * file's own, where IMA looks for it
 * @slot: the slot, which nobody else knows of yet
 * @id: a file of its payload
 * @signature: what security.ima shall be
 * @len: its length in bytes
 *
 * If that cannot be, one line says why, and the file goes without.
 */
void __init kexec_slot_take_signature(struct kexec_slot *slot, unsigned int id,
				      const u8 *signature, u32 len)
{
	if (!is_signature(signature, len))
		kexec_slot_refuse(slot, id,
				  "its signature is not such as IMA takes", 0);
	else if (set_xattr(slot, id, XATTR_NAME_IMA, signature, len, 0))
		kexec_slot_refuse(slot, id, "no memory for its signature", 0);
}

/* Facts */

static const struct inode_operations fact_iops = {
	.setattr = simple_setattr,
};

/* Directories */

static struct inode *stash_iget(struct super_block *sb, u64 ino);

static struct dentry *slot_lookup(struct inode *dir, struct dentry *dentry,
				  unsigned int flags)
{
	struct inode *inode = NULL;

	for (int id = 0; id < NR_ENTRIES; id++) {
		if (!strcmp(dentry->d_name.name, entry_name(id)))
			inode = stash_iget(dir->i_sb,
					   ENTRY_INO(kexec_inode_slot_nr(dir), id));
	}
	return d_splice_alias(inode, dentry);
}

static int slot_iterate(struct file *file, struct dir_context *ctx)
{
	unsigned long slot = kexec_inode_slot_nr(file_inode(file));

	if (!dir_emit_dots(file, ctx))
		return 0;
	for (; ctx->pos - 2 < NR_ENTRIES; ctx->pos++) {
		const char *name = entry_name(ctx->pos - 2);

		if (!dir_emit(ctx, name, strlen(name),
			      ENTRY_INO(slot, ctx->pos - 2), DT_REG))
			break;
	}
	return 0;
}

/*
 * The file stays, as an empty one: what it would be staged to has not gone away
 */
static int slot_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	int ret;

	if (inode->i_fop != &payload_fops)
		return -EPERM;
	/* As with truncate(): not under those who read it as a whole */
	ret = get_write_access(inode);
	if (ret)
		return ret;
	ret = empty_file(inode);
	put_write_access(inode);
	if (ret)
		return ret;
	scoped_guard(mutex, &inode_slot(inode)->lock)
		drop_xattrs(inode_slot(inode), kexec_inode_entry(inode));
	d_drop(dentry);
	return 0;
}

static const struct inode_operations slot_dir_iops = {
	.lookup = slot_lookup,
	.unlink = slot_unlink,
};

static const struct file_operations slot_dir_fops = {
	.read = generic_read_dir,
	.iterate_shared = slot_iterate,
	.llseek = generic_file_llseek,
};

static struct dentry *root_lookup(struct inode *dir, struct dentry *dentry,
				  unsigned int flags)
{
	struct inode *inode = NULL;

	for (int i = 0; i < kexec_nr_slots; i++) {
		if (!kexec_slots[i]->absent &&
		    !strcmp(dentry->d_name.name, kexec_slots[i]->rec.label))
			inode = stash_iget(dir->i_sb, KEXEC_SLOT_INO(i));
	}
	return d_splice_alias(inode, dentry);
}

static int root_iterate(struct file *file, struct dir_context *ctx)
{
	if (!dir_emit_dots(file, ctx))
		return 0;
	for (; ctx->pos - 2 < kexec_nr_slots; ctx->pos++) {
		const struct kexec_slot *slot = kexec_slots[ctx->pos - 2];

		if (slot->absent)
			continue;
		if (!dir_emit(ctx, slot->rec.label, strlen(slot->rec.label),
			      KEXEC_SLOT_INO(ctx->pos - 2), DT_DIR))
			return 0;
	}
	return 0;
}

static const struct inode_operations root_iops = {
	.lookup = root_lookup,
};

static const struct file_operations root_fops = {
	.read = generic_read_dir,
	.iterate_shared = root_iterate,
	.llseek = generic_file_llseek,
};

static void init_inode(struct inode *inode, umode_t mode,
		       const struct inode_operations *iops,
		       const struct file_operations *fops)
{
	inode->i_mode = mode;
	inode->i_op = iops;
	inode->i_fop = fops;
	if (S_ISDIR(mode))
		set_nlink(inode, 2);
}

static void init_file_inode(struct inode *inode)
{
	struct kexec_slot *slot = inode_slot(inode);
	unsigned int id = kexec_inode_entry(inode);

	if (id >= KEXEC_SLOT_NR_FILES) {
		init_inode(inode,
			   S_IFREG | kexec_slot_fact_mode(id - KEXEC_SLOT_NR_FILES),
			   &fact_iops, &kexec_slot_fact_fops);
		return;
	}
	init_inode(inode, S_IFREG | 0600, &payload_iops, &payload_fops);
	i_size_write(inode, kexec_slot_file_size(slot, id));
}

static struct inode *stash_iget(struct super_block *sb, u64 ino)
{
	struct inode *inode = iget_locked(sb, ino);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(inode_state_read_once(inode) & I_NEW))
		return inode;

	simple_inode_init_ts(inode);
	if (ino == ROOT_INO)
		init_inode(inode, S_IFDIR | 0755, &root_iops, &root_fops);
	else if (!(ino & 0xff))
		init_inode(inode, S_IFDIR | 0755, &slot_dir_iops,
			   &slot_dir_fops);
	else
		init_file_inode(inode);
	unlock_new_inode(inode);
	return inode;
}

/**
 * kexec_stash_file_slot() - what an open file of the stash shows
 * @file: any open file
 * @id: set to the file of the payload
 *
 * Return: the slot, NULL if @file is no file of a payload.
 */
struct kexec_slot *kexec_stash_file_slot(struct file *file, unsigned int *id)
{
	struct inode *inode = file_inode(file);

	if (inode->i_sb->s_magic != KEXEC_STASH_MAGIC ||
	    inode->i_fop != &payload_fops)
		return NULL;
	*id = kexec_inode_entry(inode);
	return inode_slot(inode);
}

static const struct super_operations stash_sops = {
	.statfs = simple_statfs,
	.drop_inode = inode_just_drop,
};

static int stash_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct inode *inode;

	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_magic = KEXEC_STASH_MAGIC;
	sb->s_op = &stash_sops;
	sb->s_xattr = stash_xattr_handlers;
	sb->s_time_gran = 1;
	sb->s_flags |= SB_I_VERSION;
	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;

	inode = stash_iget(sb, ROOT_INO);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	sb->s_root = d_make_root(inode);
	return sb->s_root ? 0 : -ENOMEM;
}

static int stash_get_tree(struct fs_context *fc)
{
	return get_tree_single(fc, stash_fill_super);
}

static const struct fs_context_operations stash_context_ops = {
	.get_tree = stash_get_tree,
};

static int stash_init_fs_context(struct fs_context *fc)
{
	fc->ops = &stash_context_ops;
	return 0;
}

static struct file_system_type stash_fs_type = {
	.name = "kexec_stash",
	.init_fs_context = stash_init_fs_context,
	.kill_sb = kill_anon_super,
};

/*
 * A payload's files have their inodes from now on: what is mapped of them hangs
 * on these, and what LSMs remember of them
 */
static int __init make_inodes(void)
{
	for (int i = 0; i < kexec_nr_slots; i++) {
		for (int id = 0; id < KEXEC_SLOT_NR_FILES; id++) {
			struct inode *inode =
				stash_iget(stash_mnt->mnt_sb, ENTRY_INO(i, id));

			if (IS_ERR(inode))
				return PTR_ERR(inode);
			kexec_slots[i]->fs.inodes[id] = inode;
		}
	}
	return 0;
}

/**
 * kexec_fs_init() - let the file system be mounted, and mount it for the kernel
 *
 * Return: 0 or a negative errno.
 */
int __init kexec_fs_init(void)
{
	int ret = sysfs_create_mount_point(fs_kobj, "kexec");

	if (ret)
		return ret;
	ret = register_filesystem(&stash_fs_type);
	if (ret)
		goto remove;
	stash_mnt = kern_mount(&stash_fs_type);
	if (!IS_ERR(stash_mnt))
		return make_inodes();
	ret = PTR_ERR(stash_mnt);
	unregister_filesystem(&stash_fs_type);
remove:
	sysfs_remove_mount_point(fs_kobj, "kexec");
	return ret;
}
