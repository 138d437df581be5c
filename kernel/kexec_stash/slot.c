// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slots: found in the device tree at boot, or reserved by early.c, and what
 * their payloads are good for
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/atomic.h>
#include <linux/crash_dump.h>
#include <linux/ioport.h>
#include <linux/kexec.h>
#include <linux/kexec_stash.h>
#include <linux/libfdt.h>
#include <linux/memblock.h>
#include <linux/of_fdt.h>
#include <linux/of_reserved_mem.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <asm/sections.h>

#include "../kexec_internal.h"
#include "early_parse.h"
#include "fdt.h"
#include "internal.h"

struct kexec_slot *kexec_slots[KEXEC_STASH_SLOTS_MAX];
unsigned int kexec_nr_slots;
atomic_t kexec_slots_generation;

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
	if (slot->sealed > slot->ahead)
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

void kexec_slot_set_file_size(struct kexec_slot *slot, unsigned int id,
			      u64 size)
{
	if (id == KEXEC_SLOT_CMDLINE) {
		slot->cmdline_len = size;
		return;
	}
	slot->rec.file[id].size = size;
	if (!size)
		kexec_slot_unmap(slot, id);
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

/* The tail is for what a load adds */
static u64 tail_offset(const struct kexec_slot *slot)
{
	return slot->rec.size - min(slot->rec.size, KEXEC_STASH_TAIL);
}

/*
 * Bytes from the slot's base that the staged kernel owns: its image_size, or
 * its file if that is longer
 */
static u64 kernel_end(const struct kexec_slot *slot)
{
	u64 size = slot->rec.file[KEXEC_STASH_KERNEL].size;
	struct kexec_stash_image image;
	const char *why;

	if (kexec_stash_image_read(__va(slot->rec.base), size, U64_MAX, &image,
				   &why))
		return size;
	return max(size, image.image_size);
}

/* Where an initrd goes if there is no kernel yet: few end behind this */
static u64 initrd_offset(const struct kexec_slot *slot)
{
	u64 end = slot->rec.file[KEXEC_STASH_KERNEL].size ? kernel_end(slot) :
							    slot->rec.size / 4;

	return ALIGN(end, KEXEC_STASH_ALIGN);
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
	struct kexec_stash_file *initrd = &slot->rec.file[KEXEC_STASH_INITRD];
	u64 tail = tail_offset(slot);

	switch (id) {
	case KEXEC_STASH_KERNEL:
		slot->rec.file[id].offset = 0;
		return ALIGN_DOWN(tail - min(tail, initrd->size),
				  KEXEC_STASH_ALIGN);
	case KEXEC_STASH_INITRD:
		if (!initrd->size)
			initrd->offset = initrd_offset(slot);
		return tail - min(tail, initrd->offset);
	case KEXEC_STASH_DTB:
		if (!slot->rec.file[id].size)
			slot->rec.file[id].offset = tail;
		return KEXEC_STASH_DTB_MAX;
	default:
		return KEXEC_STASH_BOOTARGS_LEN - 1;
	}
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
	u64 tail = tail_offset(slot), to;

	if (!end)
		end = kernel_end(slot);
	if (!initrd->size || end <= initrd->offset)
		return 0;
	to = ALIGN(end, KEXEC_STASH_ALIGN);
	if (to < end || to > tail || initrd->size > tail - to)
		return -ENOSPC;
	kexec_slot_unmap(slot, KEXEC_STASH_INITRD);
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
	return slot->sealed ? -ETXTBSY : 0;
}

/**
 * kexec_slot_verified() - whether a load need not look at a payload's bytes
 * @slot: the slot, locked
 *
 * LSMs may want to look at them all the same.
 *
 * Return: true if each file's digest was checked and it was cleaned, and it is sealed since.
 */
bool kexec_slot_verified(const struct kexec_slot *slot)
{
	bool any = false;

	if (!slot->sealed || slot->bad)
		return false;
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		const struct kexec_stash_file *file = &slot->rec.file[i];

		if (file->size && (!test_bit(i, &slot->verified) ||
				   slot->progress[i].cleaned < file->size))
			return false;
		any |= file->size;
	}
	return any;
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
	atomic_inc(&kexec_slots_generation);
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
	struct kexec_stash_file *initrd = &slot->rec.file[KEXEC_STASH_INITRD];
	u64 room = initrd->size ? initrd->offset : tail_offset(slot);
	u64 size = kexec_slot_file_size(slot, id), image_size;
	const void *buf = kexec_slot_file_addr(slot, id);
	const char *why = NULL;

	__clear_bit(id, &slot->dirty);
	if (killed_by_signal())
		why = "was not written to its end: its writer was killed";
	else if (!size)
		why = NULL;
	else if (id == KEXEC_STASH_KERNEL)
		arch_kexec_stash_image_check(buf, size, room, &image_size,
					     &why);
	else if (id == KEXEC_STASH_DTB)
		kexec_fdt_check(buf, size, &why);

	if (why) {
		__set_bit(id, &slot->bad);
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
	if (slot->writers)
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
	atomic_inc(&kexec_slots_generation);
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

/*
 * Boot. Flat tree first: of_reserved_mem asks about each node before it
 * reserves it, so that a record that cannot be right reserves nothing and takes
 * nothing from anybody.
 */

/*
 * Nodes that were asked about, since of_reserved_mem asks again when the memory
 * is ours already
 */
static struct {
	unsigned long node;
	int ret;
	phys_addr_t base;
	phys_addr_t size;
} judged[2 * KEXEC_STASH_SLOTS_MAX] __initdata;
static unsigned int nr_judged __initdata;
static unsigned int nr_accepted __initdata;

static void __init refuse(const struct kexec_stash_record *rec,
			  const struct kexec_stash_fault *fault)
{
	pr_err("slot '%s' at %#llx refused: %s%s%s %s%s%s\n", rec->label,
	       rec->base, fault->node, *fault->node ? ": " : "",
	       fault->property, fault->why, fault->other ? ", " : "",
	       fault->other ?: "");
}

/* What was said of a node, 1 if it was not asked about */
static int __init judged_before(unsigned long node)
{
	for (int i = 0; i < nr_judged; i++) {
		if (judged[i].node == node)
			return judged[i].ret;
	}
	return 1;
}

static bool __init is_refused(int node)
{
	return judged_before(node) < 0;
}

static int __init judge(unsigned long node, phys_addr_t *base,
			phys_addr_t *size)
{
	struct kexec_stash_fault fault = { "", "reg" };
	struct kexec_stash_record rec;

	if (kexec_stash_record_read(initial_boot_params, node, &rec, &fault) ||
	    kexec_stash_record_conflict(initial_boot_params, node, &rec,
					is_refused, &fault)) {
		refuse(&rec, &fault);
		return -EINVAL;
	}
	fault.why = kexec_claims_check(rec.base, rec.size);
	if (!fault.why && nr_accepted == KEXEC_STASH_SLOTS_MAX)
		fault.why = "is one slot too many";
	if (fault.why) {
		refuse(&rec, &fault);
		return -EINVAL;
	}
	kexec_claims_tell(rec.label, rec.base, rec.size);
	nr_accepted++;
	*base = rec.base;
	*size = rec.size;
	return 0;
}

static int __init kexec_stash_node_validate(unsigned long node,
					    phys_addr_t *align)
{
	int ret = judged_before(node);

	if (ret <= 0)
		return ret;
	/* A crash kernel has an area of its own; slots are none of its RAM */
	if (is_kdump_kernel())
		return -EINVAL;
	if (nr_judged == ARRAY_SIZE(judged))
		return -EINVAL;
	ret = judge(node, &judged[nr_judged].base, &judged[nr_judged].size);
	judged[nr_judged].node = node;
	judged[nr_judged++].ret = ret;
	return ret;
}

bool __init kexec_stash_early_slot(unsigned int i, phys_addr_t *base,
				    phys_addr_t *size)
{
	const struct kexec_stash_want *want;

	for (int j = 0; j < nr_judged; j++) {
		if (judged[j].ret || i--)
			continue;
		*base = judged[j].base;
		*size = judged[j].size;
		return true;
	}
	want = kexec_slot_reserved(i);
	if (want) {
		*base = want->base;
		*size = want->size;
	}
	return want;
}

static int __init kexec_stash_node_init(unsigned long node,
					struct reserved_mem *rmem)
{
	return 0;
}

static const struct reserved_mem_ops kexec_stash_rmem_ops = {
	.node_validate = kexec_stash_node_validate,
	.node_init = kexec_stash_node_init,
};

RESERVEDMEM_OF_DECLARE(kexec_stash, KEXEC_STASH_COMPATIBLE,
		       &kexec_stash_rmem_ops);

/**
 * kexec_slot_init() - make a zeroed slot one that can be locked and looked at
 * @slot: the slot
 */
void kexec_slot_init(struct kexec_slot *slot)
{
	mutex_init(&slot->lock);
	mutex_init(&slot->progress_lock);
	kexec_slot_verify_init(slot);
	init_waitqueue_head(&slot->state_wait);
	slot->state_changes = 1;
	for (int i = 0; i < KEXEC_SLOT_NR_FILES; i++)
		INIT_LIST_HEAD(&slot->xattrs[i]);
}

static struct kexec_slot *__init alloc_slot(const struct kexec_stash_record *rec)
{
	struct kexec_slot *slot = kzalloc_obj(*slot);

	if (!slot)
		return NULL;
	kexec_slot_init(slot);
	slot->rec = *rec;
	if (rec->bootargs) {
		slot->cmdline_len = strlen(rec->bootargs);
		memcpy(slot->cmdline, rec->bootargs, slot->cmdline_len);
	}
	slot->rec.bootargs = NULL;
	return slot;
}

/**
 * kexec_slot_holds_kernel() - whether this kernel runs in a slot
 * @rec: the slot's record
 *
 * A crash kernel does not, whatever its area lies in.
 *
 * Return: true if it does.
 */
bool __init kexec_slot_holds_kernel(const struct kexec_stash_record *rec)
{
	return rec->disabled && !is_kdump_kernel() &&
	       rec->base <= __pa_symbol(_text) &&
	       __pa_symbol(_end) <= rec->base + rec->size;
}

/*
 * The slot is ordinary memory of this kernel; what the record says of a payload
 * is history
 */
static void __init mark_used(struct kexec_slot *slot)
{
	slot->running = kexec_slot_holds_kernel(&slot->rec);
	slot->absent = !slot->running;
	slot->cmdline_len = 0;
	slot->rec.origin = KEXEC_STASH_FIRMWARE;
	memset(slot->rec.file, 0, sizeof(slot->rec.file));
}

/**
 * kexec_slot_take_signature() - make a signature that came with a payload the
 * file's own
 * @slot: the slot
 * @id: the file
 * @signature: what security.ima shall be
 * @len: its length in bytes
 *
 * If that cannot be, one line says why, and the file goes without.
 */
void __init kexec_slot_take_signature(struct kexec_slot *slot, unsigned int id,
				      const u8 *signature, u32 len)
{
	int ret = kexec_stash_set_signature(slot, id, signature, len);

	if (ret)
		kexec_slot_refuse(slot, id,
				  ret == -EINVAL ?
					  "its signature is not such as IMA takes" :
					  "no memory for its signature",
				  ret);
}

/* Make what the record says of signatures the files' own */
static void __init take_signatures(struct kexec_slot *slot)
{
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		struct kexec_stash_file *file = &slot->rec.file[i];
		const u8 *signature = file->signature;
		u32 len = file->signature_len;

		file->signature = NULL;
		file->signature_len = 0;
		if (len)
			kexec_slot_take_signature(slot, i, signature, len);
	}
}

static void __init add_slot(int node)
{
	struct kexec_stash_fault fault = { "", "reg" };
	struct kexec_stash_record rec;
	struct kexec_slot *slot;
	int ret, before;

	ret = kexec_stash_record_read(initial_boot_params, node, &rec, &fault);
	before = rec.disabled ? 0 : judged_before(node);
	if (before < 0)
		return;
	if (!ret && rec.disabled)
		ret = kexec_stash_record_conflict(initial_boot_params, node,
						  &rec, is_refused, &fault);
	/* Not asked about: more nodes than anybody has use for */
	if (!ret && (before || kexec_nr_slots == KEXEC_STASH_SLOTS_MAX))
		fault.why = "is one slot too many";
	if (fault.why) {
		refuse(&rec, &fault);
		return;
	}
	slot = alloc_slot(&rec);
	if (!slot)
		return;
	if (rec.disabled)
		mark_used(slot);
	take_signatures(slot);
	kexec_slots[kexec_nr_slots++] = slot;
}

static void __init add_reserved(void)
{
	const struct kexec_stash_want *want;
	struct kexec_slot *slot;

	for (int i = 0; (want = kexec_slot_reserved(i)); i++) {
		struct kexec_stash_record rec = {
			.base = want->base,
			.size = want->size,
		};

		strscpy(rec.label, want->label);
		slot = alloc_slot(&rec);
		if (slot)
			kexec_slots[kexec_nr_slots++] = slot;
	}
}

static int __init kexec_slots_init(void)
{
	int node = -1;

	if (!initial_boot_params || is_kdump_kernel())
		return 0;
	while ((node = kexec_stash_record_next(initial_boot_params, node)) >= 0)
		add_slot(node);
	add_reserved();
	kexec_slots_take_payloads();
	for (int i = 0; i < kexec_nr_slots; i++) {
		struct kexec_slot *slot = kexec_slots[i];

		slot->shown_state = kexec_slot_state(slot);
		pr_info("slot '%s' at %#llx, %llu MiB, %s\n", slot->rec.label,
			slot->rec.base, slot->rec.size / SZ_1M,
			slot->absent ?
				"used by this kernel" :
				kexec_slot_state_name(slot->shown_state));
	}
	return 0;
}
core_initcall(kexec_slots_init);

/* The innermost resource around another one */
static struct resource *__init resource_around(const struct resource *res)
{
	struct resource *around = &iomem_resource, *inside = around->child;

	while (inside) {
		if (resource_contains(inside, res)) {
			around = inside;
			inside = around->child;
		} else {
			inside = inside->sibling;
		}
	}
	return around;
}

/*
 * In /proc/iomem a slot is inside of what is "reserved", which is what user
 * space knows to keep off and which has been there since arch_initcall.
 * insert_resource() would put it around that where both are of one size.
 */
static int __init show_resources(void)
{
	for (int i = 0; i < kexec_nr_slots; i++) {
		struct kexec_slot *slot = kexec_slots[i];
		struct resource *res = &slot->res;

		if (slot->running || slot->absent)
			continue;
		*res = DEFINE_RES_NAMED(slot->rec.base, slot->rec.size,
					kasprintf(GFP_KERNEL, "Kexec stash: %s",
						  slot->rec.label),
					IORESOURCE_MEM | IORESOURCE_BUSY);
		if (request_resource(resource_around(res), res))
			pr_warn("slot '%s' cannot be shown in /proc/iomem\n",
				slot->rec.label);
	}
	return 0;
}
subsys_initcall(show_resources);
