// SPDX-License-Identifier: GPL-2.0-only
/*
 * The claims of a slot: who may have a range of memory
 */

#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/kexec.h>
#include <linux/kexec_membuf.h>
#include <linux/memblock.h>
#include <linux/of_fdt.h>

#include <asm/sections.h>

#include "fdt.h"
#include "internal.h"

static bool __init overlaps(u64 base, u64 size, u64 other, u64 other_size)
{
	return base < other + other_size && other < base + size;
}

/**
 * kexec_claims_check() - whether a slot can be at a place
 * @base: physical address
 * @size: in bytes
 *
 * What only the machine knows.
 *
 * Context: boot, before anything but kernel, initrd, dtb and former nodes is
 * reserved.
 * Return: NULL if it can, or why it cannot.
 */
const char *__init kexec_claims_check(u64 base, u64 size)
{
	phys_addr_t text = __pa_symbol(_text);

	if (!memblock_is_region_memory(base, size))
		return "is not all in RAM";
	/* It is all in one region, then */
	if (!memblock_is_map_memory(base))
		return "is in memory that is not Linux's";
	if (overlaps(base, size, text, _end - _text))
		return "lies over the running kernel";
	if (phys_initrd_size &&
	    overlaps(base, size, phys_initrd_start, phys_initrd_size))
		return "lies over the running kernel's initrd";
	if (memblock_is_region_reserved(base, size) ||
	    kexec_fdt_overlaps_memreserve(initial_boot_params, base, size))
		return "lies over memory that is reserved for something else";
	return NULL;
}

bool kexec_membuf_excluded_range(const struct kimage *image,
				 unsigned long start, unsigned long end)
{
	if (image->type == KEXEC_TYPE_CRASH)
		return false;
	for (int i = 0; i < kexec_nr_slots; i++) {
		const struct kexec_slot *slot = kexec_slots[i];

		if (start < slot->rec.base + slot->rec.size &&
		    slot->rec.base <= end)
			return true;
	}
	return false;
}
