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

#define pr_fmt(fmt) "kexec_membuf: " fmt

#include <linux/fs.h>
#include <linux/ima.h>
#include <linux/kexec_membuf.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "internal.h"

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

static int protect(struct kexec_slot *slot, bool readonly)
{
	return arch_kexec_stash_protect(__va(slot->rec.base), slot->rec.size,
					readonly);
}

static int check_sealable(const struct kexec_slot *slot)
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
	if (slot->writers)
		return kexec_slot_refuse(slot, KEXEC_STASH_KERNEL,
					 "the slot is open for writing",
					 -ETXTBSY);
	return 0;
}

static int seal_locked(struct kexec_slot *slot)
{
	unsigned long demands = ima_demands();
	int ret;

	if (!slot->sealed) {
		/* Who verified it ahead may have noted some after that was over */
		kexec_slot_forget_progress(slot);
		clear_last_pages(slot);
		ret = protect(slot, true);
		if (ret) {
			protect(slot, false);
			return kexec_slot_refuse(slot, KEXEC_STASH_KERNEL,
						 "the slot cannot be made read-only",
						 ret);
		}
	}
	if (!slot->sealed || demands & ~slot->ima_demands) {
		slot->inode_generation++;
		slot->ima_demands = demands;
	}
	slot->sealed++;
	return 0;
}

/**
 * kexec_slot_seal() - close a payload to all who could change it
 * @slot: the slot, not locked
 *
 * Seals add up; each is undone by a kexec_slot_unseal(). IMA remembers what it
 * found of an inode: what it found before the slot was sealed, or by a policy
 * that asked for less, says nothing now, so there are new inodes then. While
 * the slot stays sealed nothing is computed twice.
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

/* The last seal is gone; inodes are for the caller to put, without the lock */
static void open_up(struct kexec_slot *slot, struct inode **inodes)
{
	WARN_ON_ONCE(protect(slot, false));
	kexec_slot_forget_progress(slot);
	memcpy(inodes, slot->inodes, sizeof(slot->inodes));
	memset(slot->inodes, 0, sizeof(slot->inodes));
}

static void put_inodes(struct inode **inodes)
{
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++)
		iput(inodes[i]);
}

/**
 * kexec_slot_unseal() - undo one kexec_slot_seal()
 * @slot: the slot, not locked
 */
void kexec_slot_unseal(struct kexec_slot *slot)
{
	struct inode *inodes[KEXEC_STASH_NR_FILES] = {};

	scoped_guard(mutex, &slot->lock) {
		if (!--slot->sealed)
			open_up(slot, inodes);
		kexec_slot_changed(slot);
	}
	put_inodes(inodes);
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
	if (slot->writers ||
	    (state != KEXEC_SLOT_STAGED && state != KEXEC_SLOT_LOADED))
		return -EAGAIN;
	if (slot->ahead)
		return -EALREADY;
	ret = seal_locked(slot);
	if (!ret)
		slot->ahead = true;
	return ret;
}

/**
 * kexec_slot_unseal_ahead() - undo kexec_slot_seal_ahead(), if it was done
 * @slot: the slot, not locked
 *
 * Who is just verifying it notices.
 */
void kexec_slot_unseal_ahead(struct kexec_slot *slot)
{
	struct inode *inodes[KEXEC_STASH_NR_FILES] = {};

	scoped_guard(mutex, &slot->lock) {
		if (!slot->ahead)
			return;
		scoped_guard(mutex, &slot->progress_lock)
			slot->ahead = false;
		if (!--slot->sealed)
			open_up(slot, inodes);
	}
	put_inodes(inodes);
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

	for (;;) {
		mutex_lock(&slot->lock);
		if (slot->sealed != 1 || !slot->ahead)
			break;
		mutex_unlock(&slot->lock);
		kexec_slot_unseal_ahead(slot);
	}
	ret = kexec_slot_may_change(slot);
	if (ret)
		mutex_unlock(&slot->lock);
	return ret;
}

/**
 * kexec_slot_keep_inode() - let IMA remember what it found of a file until the
 * slot is unsealed
 * @slot: the slot, sealed
 * @id: the file
 * @inode: its inode
 */
void kexec_slot_keep_inode(struct kexec_slot *slot, unsigned int id,
			   struct inode *inode)
{
	scoped_guard(mutex, &slot->lock) {
		if (slot->inodes[id] == inode)
			return;
		ihold(inode);
		swap(slot->inodes[id], inode);
	}
	iput(inode);
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
