// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the time of a kexec goes: stamps of the architected counter, which runs
 * through it
 *
 * The kernel that goes leaves its stamps in the hand-over page, at the end of
 * the slot that the next one will run in; that one adds its own and shows them
 * all. Memory tells nothing of who wrote it, or when: what lies there is taken
 * for stamps only if it carries the number that is in the device tree, and each
 * stamp is believed only as far as it goes with the others.
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/kexec_stash.h>
#include <linux/kexec_stash_timing.h>
#include <linux/kobject.h>
#include <linux/libfdt.h>
#include <linux/memblock.h>
#include <linux/of_fdt.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/sysfs.h>
#include <linux/vmalloc.h>

#include <asm/kexec_stash.h>

#include "../kexec_internal.h"
#include "adopt.h"
#include "boot.h"
#include "fdt.h"
#include "slot.h"
#include "timing.h"

/* "kexecsts", first byte first */
#define HANDOVER_MAGIC 0x737473636578656bULL
#define HANDOVER_VERSION 1

/* More than these is no shutdown, no jump and no boot, in seconds */
#define SHUTDOWN_MAX 3600
#define JUMP_MAX 1
#define BOOT_MAX 3600

static const char *const stamp_names[KEXEC_NR_STAMPS] = {
	[KEXEC_STAMP_REBOOT] = "reboot",
	[KEXEC_STAMP_JUMP] = "jump",
	[KEXEC_STAMP_ENTRY] = "entry",
	[KEXEC_STAMP_INIT] = "init",
};

/* Those that this kernel shows */
static struct kexec_timing timing;

/* The page */

/**
 * kexec_handover_prepare() - fill in a hand-over page, but for the stamps
 * @page: the page
 * @handover: the number in the record that it goes with
 * @frequency: of the counter, in Hz
 *
 * Without stamps it is a page that tells of no kexec.
 */
void kexec_handover_prepare(struct kexec_handover_page *page, u64 handover,
			    u64 frequency)
{
	*page = (struct kexec_handover_page){
		.magic = cpu_to_le64(HANDOVER_MAGIC),
		.version = cpu_to_le64(HANDOVER_VERSION),
		.handover = cpu_to_le64(handover),
		.frequency = cpu_to_le64(frequency),
	};
}

/**
 * kexec_handover_stamp() - put the stamps into a hand-over page
 * @page: the page, prepared
 * @reboot: stamp of when the kernel began to shut down
 * @jump: stamp of the jump
 *
 * All that is left to do at the jump, which nobody wants to wait for.
 */
void kexec_handover_stamp(struct kexec_handover_page *page, u64 reboot,
			  u64 jump)
{
	page->reboot = cpu_to_le64(reboot);
	page->jump = cpu_to_le64(jump);
}

/**
 * kexec_handover_valid() - whether the kernel before this one wrote a page for
 * this one
 * @page: the page
 * @handover: the number in this kernel's record, 0 for none
 *
 * Return: true if it did. What it holds may be wild nevertheless.
 */
bool kexec_handover_valid(const struct kexec_handover_page *page, u64 handover)
{
	return handover && le64_to_cpu(page->magic) == HANDOVER_MAGIC &&
	       le64_to_cpu(page->version) == HANDOVER_VERSION &&
	       le64_to_cpu(page->handover) == handover;
}

static bool in_order(u64 from, u64 to, u64 frequency, unsigned int seconds)
{
	return from <= to && to - from <= frequency * seconds;
}

static void take_stamp(struct kexec_timing *t, enum kexec_stamp stamp,
		       u64 value)
{
	t->stamp[stamp] = value;
	__set_bit(stamp, &t->known);
}

/**
 * kexec_timing_judge() - take those stamps that can be true
 * @t: filled in; the stamp of init stays unknown
 * @page: a hand-over page that is valid, or NULL
 * @frequency: of the counter, in Hz
 * @entry: stamp of this kernel's entry
 * @now: the counter
 *
 * Each stamp is judged by the next: where one is unknown, so are those before
 * it.
 */
void kexec_timing_judge(struct kexec_timing *t,
			const struct kexec_handover_page *page, u64 frequency,
			u64 entry, u64 now)
{
	u64 reboot, jump;

	*t = (struct kexec_timing){ .frequency = frequency };
	if (!in_order(entry, now, frequency, BOOT_MAX))
		return;
	take_stamp(t, KEXEC_STAMP_ENTRY, entry);
	if (!page || le64_to_cpu(page->frequency) != frequency)
		return;
	reboot = le64_to_cpu(page->reboot);
	jump = le64_to_cpu(page->jump);
	if (!in_order(jump, entry, frequency, JUMP_MAX))
		return;
	take_stamp(t, KEXEC_STAMP_JUMP, jump);
	if (in_order(reboot, jump, frequency, SHUTDOWN_MAX))
		take_stamp(t, KEXEC_STAMP_REBOOT, reboot);
}

/* The kernel that goes */

static u64 reboot_stamp;

static u64 adoption_number(struct kexec_adoption *adoption)
{
	while (!adoption->handover)
		adoption->handover = get_random_u64();
	return adoption->handover;
}

/**
 * kexec_handover_number() - what ties the hand-over page to the next kernel's
 * tree
 * @image: an image that is adopted
 *
 * A page from an earlier time, whoever left it, does not have it.
 *
 * Return: the number, the same for the lifetime of the image, never 0.
 */
u64 kexec_handover_number(const struct kimage *image)
{
	return adoption_number(image->adoption);
}

/**
 * kexec_handover_open() - prepare the hand-over page of an image's slot
 * @adoption: what the image has of the slot
 * @mem: physical address of the page, in which nothing lies
 *
 * A load that cannot map it goes on without.
 */
void kexec_handover_open(struct kexec_adoption *adoption, u64 mem)
{
	struct kexec_handover_page *page;

	page = kexec_slot_map(adoption->slot, mem, sizeof(*page));
	if (!page)
		return;
	kexec_handover_prepare(page, adoption_number(adoption),
			       arch_kexec_stash_frequency());
	adoption->handover_page = page;
}

/**
 * kexec_handover_close() - undo kexec_handover_open(), if it was done
 * @adoption: what the image has of the slot
 */
void kexec_handover_close(struct kexec_adoption *adoption)
{
	vunmap(adoption->handover_page);
}

/* Before any other notifier shuts something down */
static int stamp_reboot(struct notifier_block *nb, unsigned long action,
			void *data)
{
	reboot_stamp = arch_kexec_stash_counter();
	return NOTIFY_DONE;
}

static struct notifier_block stamp_reboot_nb = {
	.notifier_call = stamp_reboot,
	.priority = INT_MAX,
};

void kexec_stash_stamp_jump(const struct kimage *image)
{
	struct kexec_handover_page *page;

	page = image->adoption ? image->adoption->handover_page : NULL;
	if (!page)
		return;
	kexec_handover_stamp(page, reboot_stamp, arch_kexec_stash_counter());
	arch_kexec_stash_flush(page, sizeof(*page));
}

/* The kernel that comes */

static struct kexec_handover_page found_page __initdata;
static bool found_valid __initdata;

/* The record of the slot that this kernel runs in; false if there is none */
static bool __init running_record(struct kexec_stash_record *rec)
{
	const void *fdt = initial_boot_params;
	struct kexec_stash_fault fault;
	int node = -1;

	while ((node = kexec_stash_record_next(fdt, node)) >= 0) {
		if (!kexec_stash_record_read(fdt, node, rec, &fault) &&
		    kexec_slot_holds_kernel(rec))
			return true;
	}
	return false;
}

/* No more than RAM that nobody has put anything into */
static bool __init may_be_read(u64 mem, u64 size)
{
	return memblock_is_region_memory(mem, size) &&
	       !memblock_is_region_reserved(mem, size) &&
	       !kexec_fdt_overlaps_memreserve(initial_boot_params, mem, size);
}

/**
 * kexec_handover_take() - take the time stamps that the kernel before this one
 * has left
 *
 * Context: memblock knows the memory, the kernel, the initrd and the device
 * tree, and has not been asked for memory.
 */
void __init kexec_handover_take(void)
{
	struct kexec_handover_page *page;
	struct kexec_stash_record rec;
	u64 mem;

	if (!running_record(&rec) || !rec.handover)
		return;
	mem = kexec_handover_mem(&rec);
	if (!may_be_read(mem, KEXEC_STASH_HANDOVER_SIZE))
		return;
	page = early_memremap(mem, sizeof(*page));
	if (!page)
		return;
	found_page = *page;
	found_valid = kexec_handover_valid(&found_page, rec.handover);
	if (found_valid) {
		/* Nobody takes it twice, say who is started with this tree */
		memset(page, 0, sizeof(*page));
		arch_kexec_stash_flush(page, sizeof(*page));
	}
	early_memunmap(page, sizeof(*page));
}

void kexec_stash_stamp_init(void)
{
	take_stamp(&timing, KEXEC_STAMP_INIT, arch_kexec_stash_counter());
}

static ssize_t timing_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	int len;

	if (timing.frequency)
		len = sysfs_emit(buf, "frequency %llu\n", timing.frequency);
	else
		len = sysfs_emit(buf, "frequency unknown\n");
	for (int i = 0; i < KEXEC_NR_STAMPS; i++) {
		if (test_bit(i, &timing.known))
			len += sysfs_emit_at(buf, len, "%s %llu\n",
					     stamp_names[i], timing.stamp[i]);
		else
			len += sysfs_emit_at(buf, len, "%s unknown\n",
					     stamp_names[i]);
	}
	return len;
}

static struct kobj_attribute timing_attr = __ATTR_RO(timing);

/* Late: the frequency is known once timers are up, and kexec has its folder */
static int __init kexec_timing_init(void)
{
	kexec_timing_judge(&timing, found_valid ? &found_page : NULL,
			   arch_kexec_stash_frequency(),
			   arch_kexec_stash_entry(),
			   arch_kexec_stash_counter());
	return register_reboot_notifier(&stamp_reboot_nb) ?:
	       sysfs_create_file(kexec_kobj, &timing_attr.attr);
}
late_initcall(kexec_timing_init);
