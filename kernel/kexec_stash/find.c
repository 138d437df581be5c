// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding the slots when the kernel boots: those of the device tree, and those
 * that reserve.c has reserved
 *
 * of_reserved_mem asks about each node before it reserves it, so that a record
 * that cannot be right reserves nothing and takes nothing from anybody.
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/crash_dump.h>
#include <linux/ioport.h>
#include <linux/kexec_stash.h>
#include <linux/libfdt.h>
#include <linux/of_fdt.h>
#include <linux/of_reserved_mem.h>
#include <linux/slab.h>

#include <asm/sections.h>

#include "boot.h"
#include "param.h"
#include "slot.h"

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

static struct kexec_slot *__init alloc_slot(const struct kexec_stash_record *rec)
{
	struct kexec_slot *slot = kzalloc_obj(*slot);

	if (!slot)
		return NULL;
	kexec_slot_init(slot);
	kexec_slot_seal_init(slot);
	kexec_slot_fs_init(slot);
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

/**
 * kexec_slots_find() - make the table of slots
 *
 * From the device tree and kexec_stash=.
 *
 * Context: boot; slots are known to nobody yet.
 */
void __init kexec_slots_find(void)
{
	int node = -1;

	while ((node = kexec_stash_record_next(initial_boot_params, node)) >= 0)
		add_slot(node);
	add_reserved();
}

/**
 * kexec_slots_show() - say in the log which slots there are
 *
 * Context: boot; their payloads are in place.
 */
void __init kexec_slots_show(void)
{
	for (int i = 0; i < kexec_nr_slots; i++) {
		struct kexec_slot *slot = kexec_slots[i];

		slot->shown_state = kexec_slot_state(slot);
		pr_info("slot '%s' at %#llx, %llu MiB, %s\n", slot->rec.label,
			slot->rec.base, slot->rec.size / SZ_1M,
			slot->absent ?
				"used by this kernel" :
				kexec_slot_state_name(slot->shown_state));
	}
}

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

/**
 * kexec_slots_show_resources() - show slots in /proc/iomem
 *
 * Each is inside of what is "reserved", which is what user space knows to keep
 * off and which has been there since arch_initcall. insert_resource() would put
 * it around that where both are of one size.
 */
void __init kexec_slots_show_resources(void)
{
	static struct resource resources[KEXEC_STASH_SLOTS_MAX];

	for (int i = 0; i < kexec_nr_slots; i++) {
		const struct kexec_slot *slot = kexec_slots[i];
		struct resource *res = &resources[i];

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
}
