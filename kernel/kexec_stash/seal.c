// SPDX-License-Identifier: GPL-2.0-only
/*
 * The seal: from the first look at a payload until the last image that adopted
 * it is gone, nobody changes it; what was verified ahead of a load stays sealed
 * until somebody wants to change it
 *
 * Files are closed to writers by fs.c, which asks kexec_slot_may_change(), and
 * there are no mappings of them to write through. The kernel's own linear map of
 * the slot is read-only; what a load adds is written through mappings of its
 * own, which are gone when it has been.
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/ima.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <asm/kexec_stash.h>

#include "slot.h"

/**
 * kexec_slot_seal_init() - make a slot one that can be sealed
 * @slot: the slot, zeroed
 */
void kexec_slot_seal_init(struct kexec_slot *slot)
{
	mutex_init(&slot->seal.ahead_lock);
}

/* The files that IMA, by the policy of now, takes no image without signatures of */
static unsigned long ima_demands(void)
{
	unsigned long demands = 0;

	if (ima_appraise_signature(READING_KEXEC_IMAGE))
		demands |= BIT(KEXEC_STASH_KERNEL) | BIT(KEXEC_STASH_DTB);
	if (ima_appraise_signature(READING_KEXEC_INITRAMFS))
		demands |= BIT(KEXEC_STASH_INITRD);
	return demands;
}

static void clear_last_pages(struct kexec_slot *slot)
{
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++)
		kexec_slot_clear_last_page(slot, i, slot->rec.file[i].size);
}

/**
 * kexec_slot_forget_verdict() - have LSMs look at a file anew
 * @slot: the slot, locked
 * @id: the file, not the command line
 */
void kexec_slot_forget_verdict(struct kexec_slot *slot, unsigned int id)
{
	iput(slot->seal.inodes[id]);
	slot->seal.inodes[id] = NULL;
}

static void forget_verdicts(struct kexec_slot *slot)
{
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++)
		kexec_slot_forget_verdict(slot, i);
}

/**
 * kexec_slot_forget_findings() - have all look anew at a payload
 * @slot: the slot, locked
 *
 * At what they found of its bytes, which may be others now.
 */
void kexec_slot_forget_findings(struct kexec_slot *slot)
{
	scoped_guard(mutex, &slot->seal.ahead_lock)
		slot->seal.epoch++;
	forget_verdicts(slot);
}

static int protect(struct kexec_slot *slot, bool readonly)
{
	return arch_kexec_stash_protect(__va(slot->rec.base), slot->rec.size,
					readonly);
}

static int check_sealable(struct kexec_slot *slot)
{
	if (slot->running)
		return kexec_slot_refuse(slot, KEXEC_STASH_KERNEL,
					 "this kernel runs in the slot",
					 -EBUSY);
	if (slot->released)
		return kexec_slot_refuse(slot, KEXEC_STASH_KERNEL,
					 "the slot was released, its memory is in use until the next boot",
					 -EBUSY);
	if (!slot->rec.file[KEXEC_STASH_KERNEL].size)
		return kexec_slot_refuse(slot, KEXEC_STASH_KERNEL,
					 "there is none, stage one first",
					 -ENODATA);
	if (slot->fs.writers)
		return kexec_slot_refuse(slot, KEXEC_STASH_KERNEL,
					 "the slot is open for writing",
					 -ETXTBSY);
	return 0;
}

static int seal_locked(struct kexec_slot *slot)
{
	unsigned long demands = ima_demands();
	int ret;

	if (!slot->seal.count) {
		clear_last_pages(slot);
		ret = protect(slot, true);
		if (ret) {
			protect(slot, false);
			return kexec_slot_refuse(slot, KEXEC_STASH_KERNEL,
						 "the slot cannot be made read-only",
						 ret);
		}
	}
	if (demands & ~slot->seal.demands)
		forget_verdicts(slot);
	slot->seal.demands = demands;
	slot->seal.count++;
	return 0;
}

/**
 * kexec_slot_seal() - close a payload to all who could change it
 * @slot: the slot, not locked
 *
 * Seals add up; each is undone by a kexec_slot_unseal(). While the slot stays
 * sealed nothing is computed twice, unless IMA's policy has come to demand more.
 *
 * Return: 0; -EBUSY if this kernel runs in the slot or has its memory; -ENODATA if there is no
 * kernel in it; -ETXTBSY while one of its files is open for writing; -ENOMEM.
 */
int kexec_slot_seal(struct kexec_slot *slot)
{
	int ret;

	guard(mutex)(&slot->lock);
	ret = check_sealable(slot) ?: seal_locked(slot);
	if (!ret)
		kexec_slot_changed(slot);
	return ret;
}

static void unseal_locked(struct kexec_slot *slot)
{
	if (--slot->seal.count)
		return;
	WARN_ON_ONCE(protect(slot, false));
	kexec_slot_forget_findings(slot);
}

/**
 * kexec_slot_unseal() - undo one kexec_slot_seal()
 * @slot: the slot, not locked
 */
void kexec_slot_unseal(struct kexec_slot *slot)
{
	guard(mutex)(&slot->lock);
	unseal_locked(slot);
	kexec_slot_changed(slot);
}

/**
 * kexec_slot_seal_ahead() - seal a payload that nobody loads yet, to verify it
 * @slot: the slot, not locked
 *
 * Undone by kexec_slot_unseal_ahead().
 *
 * Return: 0; -EAGAIN if there is no payload, it is damaged or is being written;
 * -EALREADY if it is sealed ahead; -ENOMEM.
 */
int kexec_slot_seal_ahead(struct kexec_slot *slot)
{
	enum kexec_slot_state state;
	int ret;

	guard(mutex)(&slot->lock);
	state = kexec_slot_state(slot);
	if (slot->fs.writers ||
	    (state != KEXEC_SLOT_STAGED && state != KEXEC_SLOT_LOADED))
		return -EAGAIN;
	if (slot->seal.ahead)
		return -EALREADY;
	ret = seal_locked(slot);
	if (!ret)
		slot->seal.ahead = true;
	return ret;
}

static void unseal_ahead_locked(struct kexec_slot *slot)
{
	if (!slot->seal.ahead)
		return;
	scoped_guard(mutex, &slot->seal.ahead_lock)
		slot->seal.ahead = false;
	unseal_locked(slot);
}

/**
 * kexec_slot_unseal_ahead() - undo kexec_slot_seal_ahead(), if it was done
 * @slot: the slot, not locked
 *
 * Who is just verifying it notices.
 */
void kexec_slot_unseal_ahead(struct kexec_slot *slot)
{
	guard(mutex)(&slot->lock);
	unseal_ahead_locked(slot);
}

/**
 * kexec_slot_lock_to_change() - lock a slot whose payload is about to change
 * @slot: the slot, not locked
 *
 * Breaks a seal that is there ahead of a load only.
 *
 * Return: 0, with the slot's lock held; otherwise as kexec_slot_may_change(),
 * without it.
 */
int kexec_slot_lock_to_change(struct kexec_slot *slot)
{
	int ret;

	mutex_lock(&slot->lock);
	if (slot->seal.count == 1)
		unseal_ahead_locked(slot);
	ret = kexec_slot_may_change(slot);
	if (ret)
		mutex_unlock(&slot->lock);
	return ret;
}

/*
 * An inode for LSMs that nobody else can have: no name leads to it, and what it
 * shows cannot change as long as it is there. Like the one that user space sees,
 * so that rules and labels are the same.
 */
static struct inode *new_sealed_inode(struct kexec_slot *slot, unsigned int id)
{
	static const struct file_operations nothing = {};
	const struct inode *shown = slot->fs.inodes[id];
	struct inode *inode = new_inode(shown->i_sb);

	if (!inode)
		return NULL;
	inode->i_ino = shown->i_ino;
	inode->i_mode = shown->i_mode;
	inode->i_uid = shown->i_uid;
	inode->i_gid = shown->i_gid;
	inode->i_fop = &nothing;
	simple_inode_init_ts(inode);
	i_size_write(inode, slot->rec.file[id].size);
	return inode;
}

/* Return: the inode, with a reference for the caller; NULL if there is no memory */
static struct inode *sealed_inode(struct kexec_slot *slot, unsigned int id)
{
	guard(mutex)(&slot->lock);
	if (!slot->seal.inodes[id])
		slot->seal.inodes[id] = new_sealed_inode(slot, id);
	if (slot->seal.inodes[id])
		ihold(slot->seal.inodes[id]);
	return slot->seal.inodes[id];
}

/**
 * kexec_slot_open_sealed() - open a file of a sealed slot, for LSMs to look at
 * @slot: the slot, sealed
 * @id: the file, not the command line
 * @any: an open file of the slot, beside which the one that is opened is seen
 *
 * LSMs remember what they find of its inode until the slot is unsealed. The file
 * is for them alone: nobody is told that it is opened, and it cannot be read.
 *
 * Return: the file, or an error pointer.
 */
struct file *kexec_slot_open_sealed(struct kexec_slot *slot, unsigned int id,
				    const struct file *any)
{
	struct inode *inode = sealed_inode(slot, id);
	struct path path = { .mnt = any->f_path.mnt };
	struct dentry *dir;
	struct file *file;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	dir = dget_parent(any->f_path.dentry);
	path.dentry = d_alloc(dir, &QSTR(kexec_slot_file_name(id)));
	dput(dir);
	if (!path.dentry) {
		iput(inode);
		return ERR_PTR(-ENOMEM);
	}
	d_instantiate(path.dentry, inode);
	file = dentry_open_nonotify(&path, O_RDONLY | O_LARGEFILE,
				    current_cred());
	dput(path.dentry);
	return file;
}

/**
 * kexec_slot_map() - map a part of a sealed slot to write to
 * @slot: the slot, sealed
 * @mem: physical address of its first page
 * @size: its size in bytes
 *
 * Only for what a load adds, never for what lies there and was checked.
 *
 * Return: address, for vunmap(); NULL if there is no memory.
 */
void *kexec_slot_map(const struct kexec_slot *slot, u64 mem, u64 size)
{
	unsigned long nr = PFN_UP(size);
	struct page **pages = kvmalloc_objs(*pages, nr);
	void *addr;

	if (!pages)
		return NULL;
	for (unsigned long i = 0; i < nr; i++)
		pages[i] = pfn_to_page(PFN_DOWN(mem) + i);
	addr = vmap(pages, nr, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return addr;
}

/**
 * kexec_slot_write() - put what a load adds into a sealed slot
 * @slot: the slot, sealed
 * @mem: physical address it goes to, of a page
 * @buf: the bytes, or NULL for none
 * @len: how many there are
 * @memsz: size in bytes of the place, of which the rest is cleared
 *
 * Return: 0 or -ENOMEM.
 */
int kexec_slot_write(const struct kexec_slot *slot, u64 mem, const void *buf,
		     u64 len, u64 memsz)
{
	while (memsz) {
		u64 size = min_t(u64, memsz, SZ_1M), bytes = min(len, size);
		void *to = kexec_slot_map(slot, mem, size);

		if (!to)
			return -ENOMEM;
		if (bytes)
			memcpy(to, buf, bytes);
		memset(to + bytes, 0, size - bytes);
		vunmap(to);
		mem += size;
		memsz -= size;
		buf += bytes;
		len -= bytes;
		cond_resched();
	}
	return 0;
}
