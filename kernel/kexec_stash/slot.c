// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slots, and what their payloads are good for
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/kexec.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include <asm/kexec_stash.h>

#include "../kexec_internal.h"
#include "fdt.h"
#include "slot.h"

struct kexec_slot *kexec_slots[KEXEC_STASH_SLOTS_MAX];
unsigned int kexec_nr_slots;
atomic_t kexec_slots_changes;

/**
 * kexec_slot_init() - make a zeroed slot one that can be locked and looked at
 * @slot: the slot
 */
void kexec_slot_init(struct kexec_slot *slot)
{
	mutex_init(&slot->lock);
	init_waitqueue_head(&slot->state_wait);
	slot->state_changes = 1;
}

const char *kexec_slot_file_name(unsigned int id)
{
	return id == KEXEC_SLOT_CMDLINE ? KEXEC_STASH_CMDLINE :
					  kexec_stash_file_name(id);
}

const char *kexec_slot_state_name(enum kexec_slot_state state)
{
	static const char *const names[] = {
		[KEXEC_SLOT_EMPTY] = "empty",
		[KEXEC_SLOT_STAGED] = "staged",
		[KEXEC_SLOT_LOADED] = "loaded",
		[KEXEC_SLOT_RUNNING] = "running",
		[KEXEC_SLOT_BAD] = "bad",
		[KEXEC_SLOT_RELEASED] = "released",
	};

	return names[state];
}

/* Of all slots: lines are few */
static DEFINE_MUTEX(reason_lock);

/**
 * kexec_slot_complain() - say what is wrong with a payload
 * @slot: the slot
 * @fmt: as of printf(), without a line feed
 *
 * In the log, and in the slot's file "reason".
 */
void kexec_slot_complain(struct kexec_slot *slot, const char *fmt, ...)
{
	va_list args;

	guard(mutex)(&reason_lock);
	va_start(args, fmt);
	vscnprintf(slot->reason, sizeof(slot->reason), fmt, args);
	va_end(args);
	pr_err("slot '%s': %s\n", slot->rec.label, slot->reason);
}

/**
 * kexec_slot_get_reason() - what was said last
 * @slot: the slot
 * @buf: where it goes; empty where nothing was since kexec_slot_clear_reason()
 * @size: of @buf, in bytes
 */
void kexec_slot_get_reason(const struct kexec_slot *slot, char *buf, size_t size)
{
	guard(mutex)(&reason_lock);
	strscpy(buf, slot->reason, size);
}

/**
 * kexec_slot_clear_reason() - begin anew with what is said
 * @slot: the slot
 */
void kexec_slot_clear_reason(struct kexec_slot *slot)
{
	guard(mutex)(&reason_lock);
	*slot->reason = '\0';
}

/**
 * kexec_slot_refuse() - say why a payload is not taken
 * @slot: the slot
 * @id: the file that is at fault
 * @why: what is wrong with it
 * @err: what the caller is told
 *
 * Return: @err.
 */
int kexec_slot_refuse(struct kexec_slot *slot, unsigned int id, const char *why,
		      int err)
{
	kexec_slot_complain(slot, "%s: %s", kexec_slot_file_name(id), why);
	return err;
}

/**
 * kexec_slot_no_space() - say that a file does not fit
 * @slot: the slot
 * @id: the file
 * @room: how long it may be, in bytes
 *
 * Return: -ENOSPC.
 */
int kexec_slot_no_space(struct kexec_slot *slot, unsigned int id, u64 room)
{
	kexec_slot_complain(slot,
			    "%s: is larger than the %llu bytes of room for it",
			    kexec_slot_file_name(id), room);
	return -ENOSPC;
}

/**
 * kexec_slot_state() - what a slot is good for just now
 * @slot: the slot, locked
 *
 * A file is bad from the first byte that is written to it until its writer has
 * closed it: nobody may take half of it for the whole.
 *
 * Return: the state.
 */
enum kexec_slot_state kexec_slot_state(struct kexec_slot *slot)
{
	if (slot->running)
		return KEXEC_SLOT_RUNNING;
	if (slot->released)
		return KEXEC_SLOT_RELEASED;
	if (slot->seal.count > slot->seal.ahead)
		return KEXEC_SLOT_LOADED;
	if (slot->bad || slot->dirty)
		return KEXEC_SLOT_BAD;
	if (slot->rec.file[KEXEC_STASH_KERNEL].size)
		return KEXEC_SLOT_STAGED;
	for (int i = 0; i < KEXEC_SLOT_NR_FILES; i++) {
		/* Without its kernel it is no payload yet */
		if (kexec_slot_file_size(slot, i))
			return KEXEC_SLOT_BAD;
	}
	return KEXEC_SLOT_EMPTY;
}

/**
 * kexec_slot_changed() - wake those who wait for another state, if it is one
 * @slot: the slot, locked
 */
void kexec_slot_changed(struct kexec_slot *slot)
{
	enum kexec_slot_state state = kexec_slot_state(slot);

	if (state == slot->shown_state)
		return;
	slot->shown_state = state;
	WRITE_ONCE(slot->state_changes, slot->state_changes + 1);
	wake_up_interruptible_poll(&slot->state_wait, EPOLLPRI | EPOLLERR);
}

/**
 * kexec_slot_mark_bad() - note that a file is damaged or incomplete
 * @slot: the slot, locked
 * @id: the file
 *
 * It is until it is emptied.
 */
void kexec_slot_mark_bad(struct kexec_slot *slot, unsigned int id)
{
	__set_bit(id, &slot->bad);
	kexec_slot_changed(slot);
}

/**
 * kexec_slot_file_addr() - where a file's bytes are
 * @slot: the slot, locked or sealed
 * @id: the file
 *
 * Return: address in the linear map, or inside @slot for the command line.
 */
void *kexec_slot_file_addr(struct kexec_slot *slot, unsigned int id)
{
	if (id == KEXEC_SLOT_CMDLINE)
		return slot->cmdline;
	return __va(slot->rec.base + slot->rec.file[id].offset);
}

/**
 * kexec_slot_file_size() - how long a file is
 * @slot: the slot, locked or sealed
 * @id: the file
 *
 * Return: size in bytes, 0 if it is not there.
 */
u64 kexec_slot_file_size(const struct kexec_slot *slot, unsigned int id)
{
	return id == KEXEC_SLOT_CMDLINE ? slot->cmdline_len :
					  slot->rec.file[id].size;
}

/* What is mapped of a file and still there comes back with the next access */
static void unmap_file(struct kexec_slot *slot, unsigned int id)
{
	if (slot->fs.inodes[id])
		unmap_mapping_range(slot->fs.inodes[id]->i_mapping, 0, 0, 1);
}

void kexec_slot_set_file_size(struct kexec_slot *slot, unsigned int id,
			      u64 size)
{
	if (id == KEXEC_SLOT_CMDLINE) {
		slot->cmdline_len = size;
		return;
	}
	slot->rec.file[id].size = size;
	if (!size)
		unmap_file(slot, id);
}

/**
 * kexec_slot_clear_last_page() - clear what lies behind a file in its last page
 * @slot: the slot, locked and not sealed
 * @id: the file
 * @size: where it ends, in bytes
 *
 * Mappings show it and a load hands it on, but it is nobody's.
 */
void kexec_slot_clear_last_page(struct kexec_slot *slot, unsigned int id,
				u64 size)
{
	if (id != KEXEC_SLOT_CMDLINE)
		memset(kexec_slot_file_addr(slot, id) + size, 0,
		       PAGE_ALIGN(size) - size);
}

static u64 kernel_end(const struct kexec_slot *slot)
{
	return kexec_stash_kernel_end(__va(slot->rec.base),
				      slot->rec.file[KEXEC_STASH_KERNEL].size);
}

/**
 * kexec_slot_file_room() - find the place for a file, and how long it may
 * become
 * @slot: the slot, locked
 * @id: the file; if it is empty, its offset is set
 *
 * An initrd makes way for a kernel (kexec_slot_make_way()), as far as it can.
 *
 * Return: the largest size in bytes, 0 if there is no place at all.
 */
u64 kexec_slot_file_room(struct kexec_slot *slot, unsigned int id)
{
	struct kexec_stash_file *file = &slot->rec.file[id];
	const char *next;

	if (id == KEXEC_SLOT_CMDLINE)
		return KEXEC_STASH_BOOTARGS_LEN - 1;
	if (!file->size)
		file->offset = kexec_stash_place(&slot->rec, id,
						 kernel_end(slot));
	return id == KEXEC_STASH_KERNEL ?
		       kexec_stash_kernel_room(&slot->rec) :
		       kexec_stash_room(&slot->rec, id, file->offset, &next);
}

/**
 * kexec_slot_make_way() - move the initrd out of the way of a growing kernel
 * @slot: the slot, locked
 * @end: bytes from the base that the kernel needs, or 0: those that its header
 *	asks for
 *
 * A kernel that is a little larger than the one before must not need another
 * order of writing.
 *
 * Return: 0, or -ENOSPC if the initrd does not fit behind it. Nothing is moved
 * then.
 */
int kexec_slot_make_way(struct kexec_slot *slot, u64 end)
{
	struct kexec_stash_file *initrd = &slot->rec.file[KEXEC_STASH_INITRD];
	void *base = __va(slot->rec.base);
	const char *next;
	u64 to;

	if (!end)
		end = kernel_end(slot);
	if (!initrd->size || end <= initrd->offset)
		return 0;
	to = kexec_stash_place(&slot->rec, KEXEC_STASH_INITRD, end);
	if (initrd->size >
	    kexec_stash_room(&slot->rec, KEXEC_STASH_INITRD, to, &next))
		return -ENOSPC;
	unmap_file(slot, KEXEC_STASH_INITRD);
	memmove(base + to, base + initrd->offset, initrd->size);
	initrd->offset = to;
	kexec_slot_clear_last_page(slot, KEXEC_STASH_INITRD, initrd->size);
	return 0;
}

/**
 * kexec_slot_may_change() - whether a slot's payload may be written to
 * @slot: the slot, locked
 *
 * Return: 0; -ETXTBSY while it is loaded; -EBUSY if this kernel runs in it, has
 * its memory or is about to go.
 */
int kexec_slot_may_change(const struct kexec_slot *slot)
{
	/* The next kernel has been told what is in the slots */
	if (slot->running || slot->released || kexec_in_progress)
		return -EBUSY;
	return slot->seal.count ? -ETXTBSY : 0;
}

/**
 * kexec_slot_touch() - note that a file is about to be written to by user space
 * @slot: the slot, locked
 * @id: the file
 *
 * Its recorded digest does not hold any longer, nor what the boot stage found of
 * a signature, and until kexec_slot_check_staged() nobody may take it for whole.
 * security.ima stays, as it does with any file that is written to: whether it
 * still fits is for those to find who ask for it.
 */
void kexec_slot_touch(struct kexec_slot *slot, unsigned int id)
{
	slot->rec.origin = KEXEC_STASH_RUNTIME;
	__set_bit(id, &slot->dirty);
	if (id != KEXEC_SLOT_CMDLINE) {
		slot->rec.file[id].hash = KEXEC_STASH_HASH_NONE;
		slot->rec.file[id].authenticated = false;
	}
	atomic_inc(&kexec_slots_changes);
}

/**
 * kexec_slot_empty_file() - remove a file from a payload
 * @slot: the slot, locked
 * @id: the file
 */
void kexec_slot_empty_file(struct kexec_slot *slot, unsigned int id)
{
	kexec_slot_touch(slot, id);
	kexec_slot_set_file_size(slot, id, 0);
	__clear_bit(id, &slot->dirty);
	__clear_bit(id, &slot->bad);
	kexec_slot_clear_reason(slot);
}

static bool killed_by_signal(void)
{
	return fatal_signal_pending(current) ||
	       ((current->flags & PF_EXITING) &&
		(current->signal->group_exit_code & 0x7f));
}

/**
 * kexec_slot_check_kernel() - whether the kernel can run at its slot's base, on
 * this CPU
 * @slot: the slot, locked or sealed
 * @room: bytes from the slot's base that the kernel may own
 * @image_size: set to the bytes that it owns
 * @why: set to what is wrong, on failure
 *
 * The conditions are those of Documentation/arch/arm64/booting.rst; mainline's
 * loader checks them again, without saying which one failed.
 *
 * Return: 0, -ENOEXEC or -EINVAL.
 */
int kexec_slot_check_kernel(struct kexec_slot *slot, u64 room, u64 *image_size,
			    const char **why)
{
	u64 size = slot->rec.file[KEXEC_STASH_KERNEL].size;
	struct kexec_stash_image image;
	int ret;

	ret = kexec_stash_image_read(__va(slot->rec.base), size, room, &image,
				     why);
	if (ret)
		return ret == -ENOSPC ? -EINVAL : ret;
	*why = size > image.image_size ?
		       "has a file larger than its image_size" :
		       arch_kexec_stash_image_fault(image.flags);
	*image_size = image.image_size;
	return *why ? -EINVAL : 0;
}

/**
 * kexec_slot_check_staged() - look at a file that was just written
 * @slot: the slot, locked
 * @id: the file
 *
 * Finds what can be known without a digest: that its writer got to the end,
 * that a kernel is an Image and has room for its image_size, that a device tree
 * is one. A file that is not is bad until it is emptied, with a line in the log.
 *
 * Return: 0 or -EINVAL.
 */
int kexec_slot_check_staged(struct kexec_slot *slot, unsigned int id)
{
	u64 size = kexec_slot_file_size(slot, id), room, image_size;
	const char *why = NULL, *next;

	__clear_bit(id, &slot->dirty);
	if (killed_by_signal()) {
		why = "was not written to its end: its writer was killed";
	} else if (size && id == KEXEC_STASH_KERNEL) {
		room = kexec_stash_room(&slot->rec, id, 0, &next);
		kexec_slot_check_kernel(slot, room, &image_size, &why);
	} else if (size && id == KEXEC_STASH_DTB) {
		kexec_fdt_check(kexec_slot_file_addr(slot, id), size, &why);
	}

	if (why) {
		kexec_slot_mark_bad(slot, id);
		return kexec_slot_refuse(slot, id, why, -EINVAL);
	}
	kexec_slot_clear_reason(slot);
	if (!slot->rec.file[KEXEC_STASH_KERNEL].size && size)
		pr_notice("slot '%s': kernel: there is none yet, the slot is bad without\n",
			  slot->rec.label);
	return 0;
}

static int check_releasable(const struct kexec_slot *slot)
{
	int ret = kexec_slot_may_change(slot);

	if (ret)
		return ret;
	if (slot->fs.writers)
		return -ETXTBSY;
	for (int i = 0; i < KEXEC_SLOT_NR_FILES; i++) {
		if (kexec_slot_file_size(slot, i))
			return -ENOTEMPTY;
	}
	return 0;
}

static int release_locked(struct kexec_slot *slot)
{
	void *start = __va(slot->rec.base), *end = start + slot->rec.size;
	int ret;

	if (slot->released)
		return 0;
	ret = check_releasable(slot);
	if (!ret)
		ret = arch_kexec_stash_prepare_release(start, slot->rec.size);
	if (ret)
		return ret;
	slot->released = true;
	kexec_slot_changed(slot);
	atomic_inc(&kexec_slots_changes);
	pr_info("slot '%s': its %llu MiB are this kernel's memory until the next boot\n",
		slot->rec.label, slot->rec.size / SZ_1M);
	/* Not by memblock's list, which others walk without a lock */
	for (struct page *page = virt_to_page(start); start < end; page++) {
		free_reserved_page(page);
		start += PAGE_SIZE;
	}
	return 0;
}

/**
 * kexec_slot_release() - give an empty slot's memory back to this kernel
 * @slot: the slot, not locked
 *
 * For good: pages that others have cannot be called in. The next kernel gets
 * the slot as it gets one that this kernel ran in. No load may look at the slot
 * meanwhile; the thread that verifies ahead does not, since the slot is empty.
 *
 * Return: 0, also if that was done before; -ENOTEMPTY if there is a file in it;
 * -ETXTBSY while it is loaded or a file of it is open for writing; -EBUSY if
 * this kernel runs in it, is about to go, or loads an image; -ENOMEM.
 */
int kexec_slot_release(struct kexec_slot *slot)
{
	int ret;

	if (!kexec_trylock())
		return -EBUSY;
	scoped_guard(mutex, &slot->lock)
		ret = release_locked(slot);
	kexec_unlock();
	return ret;
}
