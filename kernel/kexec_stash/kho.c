// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots and kexec handover (KHO): memory that is preserved stays where it is, so
 * it must not lie where the next kernel has a slot
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/crash_dump.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_stash.h>
#include <linux/kexec_stash_kho.h>
#include <linux/memblock.h>
#include <linux/of_fdt.h>

#include "boot.h"
#include "slot.h"

/*
 * Only movable pages may lie here, as they may in KHO's own scratch areas: what
 * is preserved is not movable, or is moved away when it is pinned
 */
static struct {
	u64 base;
	u64 size;
} movable_only[2 * KEXEC_STASH_SLOTS_MAX] __ro_after_init;
static unsigned int nr_movable_only __ro_after_init;

/*
 * Free parts of slots that are this kernel's memory. All that memblock gives to
 * somebody stays, and much of it is preserved: reserve_mem=, scratch areas.
 */
static struct {
	phys_addr_t base;
	phys_addr_t size;
} kept[32] __initdata;
static unsigned int nr_kept __initdata;

static bool __init find_free(u64 base, u64 size)
{
	phys_addr_t start, end;
	u64 i;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end,
				NULL) {
		start = max(start, base);
		end = min(end, base + size);
		if (start >= end)
			continue;
		kept[nr_kept].base = start;
		kept[nr_kept].size = end - start;
		return true;
	}
	return false;
}

static void __init keep(u64 base, u64 size)
{
	if (nr_movable_only == ARRAY_SIZE(movable_only))
		return;
	movable_only[nr_movable_only].base = base;
	movable_only[nr_movable_only++].size = size;
	while (nr_kept < ARRAY_SIZE(kept) && find_free(base, size)) {
		if (memblock_reserve(kept[nr_kept].base, kept[nr_kept].size))
			break;
		nr_kept++;
	}
}

/**
 * kexec_kho_keep_slots() - keep all but movable pages out of slots
 *
 * Where KHO is on. Slots that are reserved may be released one day; those that
 * are not are this kernel's memory from the start, and the page allocator has
 * it once memblock has given all else to everybody.
 *
 * Context: boot, all that others than the page allocator reserve for themselves
 * is reserved; before there is a linear map.
 */
void __init kexec_kho_keep_slots(void)
{
	struct kexec_stash_fault fault;
	struct kexec_stash_record rec;
	phys_addr_t base, size;
	struct kexec_claim claim;
	int node = -1;
	u64 sum = 0;

	if (!kho_is_enabled() || is_kdump_kernel())
		return;
	for (int i = 0; kexec_stash_early_slot(i, &base, &size); i++)
		keep(base, size);
	while ((node = kexec_stash_record_next(initial_boot_params, node)) >=
	       0) {
		if (kexec_stash_record_read(initial_boot_params, node, &rec,
					    &fault) ||
		    !rec.disabled)
			continue;
		if (kexec_kho_claims(rec.base, rec.size, &claim)) {
			pr_notice("slot '%s': %s\n", rec.label, claim.why);
			continue;
		}
		/* The kernel itself needs memory, too */
		sum += rec.size;
		if (sum <= memblock_phys_mem_size() / 2)
			keep(rec.base, rec.size);
	}
}

void __init kexec_stash_give_back(void)
{
	for (int i = 0; i < nr_kept; i++)
		memblock_phys_free(kept[i].base, kept[i].size);
}

bool kexec_stash_movable_only(phys_addr_t base, phys_addr_t size)
{
	for (int i = 0; i < nr_movable_only; i++) {
		if (kexec_stash_overlaps(base, size, movable_only[i].base,
					 movable_only[i].size))
			return true;
	}
	return false;
}

/* Return: whether the next kernel can be told that it does not get the slot */
static bool give_up(struct kexec_slot *slot)
{
	if (!(slot->running || slot->absent || READ_ONCE(slot->released)) ||
	    kexec_in_progress)
		return false;
	if (!xchg(&slot->preserved, true)) {
		pr_warn("slot '%s': memory in it is preserved by KHO, so the next kernel does not get it\n",
			slot->rec.label);
		atomic_inc(&kexec_slots_changes);
	}
	return true;
}

int kexec_stash_preserve(phys_addr_t base, phys_addr_t size)
{
	for (int i = 0; i < kexec_nr_slots; i++) {
		struct kexec_slot *slot = kexec_slots[i];

		if (!kexec_stash_overlaps(base, size, slot->rec.base, slot->rec.size) ||
		    give_up(slot))
			continue;
		pr_err("slot '%s': KHO cannot preserve memory in it\n",
		       slot->rec.label);
		return -EBUSY;
	}
	return 0;
}

/**
 * kexec_slot_kept_by_kho() - whether the next kernel must not have a slot
 * @slot: the slot, which is this kernel's memory
 *
 * Return: true if there is a scratch area in it, or memory was preserved.
 */
bool kexec_slot_kept_by_kho(const struct kexec_slot *slot)
{
	/* What was handed over goes no further where KHO is off */
	return READ_ONCE(slot->preserved) ||
	       (kho_is_enabled() &&
		kho_scratch_overlap(slot->rec.base, slot->rec.size));
}
