// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots without a bootloader's help: reserved where kexec_stash= asks for them
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/crash_dump.h>
#include <linux/kexec.h>
#include <linux/kexec_stash.h>
#include <linux/memblock.h>
#include <linux/of_fdt.h>
#include <linux/string.h>

#include "boot.h"
#include "param.h"

/* The parameter */

/* Not all of them may be possible */
static struct kexec_stash_want wants[2 * KEXEC_STASH_SLOTS_MAX] __initdata;
static unsigned int nr_wants __initdata;

static const char *__init add_want(const struct kexec_stash_want *want)
{
	for (int i = 0; i < nr_wants; i++) {
		if (!strcmp(wants[i].label, want->label))
			return "a slot of this name was asked for before";
	}
	if (nr_wants == ARRAY_SIZE(wants))
		return "is one slot too many";
	wants[nr_wants++] = *want;
	return NULL;
}

static int __init parse_kexec_stash(char *arg)
{
	const char *pos = arg, *item = arg, *why;
	struct kexec_stash_want want;
	int ret;

	if (!arg)
		return -EINVAL;
	while ((ret = kexec_stash_param_next(&pos, &want, &why))) {
		if (ret > 0)
			why = add_want(&want);
		if (why)
			pr_err("kexec_stash=: '%.*s': %s\n",
			       (int)strcspn(item, ","), item, why);
		item = pos;
	}
	return 0;
}
early_param("kexec_stash", parse_kexec_stash);

/*
 * What is to be ZONE_MOVABLE is not known yet. It is the end of each node, or
 * all above 4 GiB that is not mirrored.
 */
static bool movable_at_end __initdata;
static bool movable_above_4g __initdata;

static int __init note_kernelcore(char *arg)
{
	if (arg && parse_option_str(arg, "mirror"))
		movable_above_4g = true;
	else
		movable_at_end = true;
	return 0;
}
early_param("kernelcore", note_kernelcore);

static int __init note_movablecore(char *arg)
{
	movable_at_end = true;
	return 0;
}
early_param("movablecore", note_movablecore);

/* Reserving */

static struct kexec_stash_want reserved[KEXEC_STASH_SLOTS_MAX] __initdata;
static unsigned int nr_reserved __initdata;

/* Return: why memory is not such as slots are made of, or NULL */
static const char *__init check_kind(u64 base, u64 size)
{
	struct memblock_region *region;

	for_each_mem_region(region) {
		if (!kexec_stash_overlaps(base, size, region->base,
					  region->size))
			continue;
		if (memblock_is_hotpluggable(region))
			return "is in memory that may be unplugged";
		if (memblock_is_mirror(region))
			return "is in mirrored memory";
	}
	return NULL;
}

/* Return: the place for a slot in free memory, 0 if there is none */
static u64 __init fit(u64 start, u64 end, u64 size)
{
	struct kexec_claim claim;
	u64 base;

	while (start < end && end - start >= size) {
		base = movable_at_end ?
			       ALIGN(start, KEXEC_STASH_ALIGN) :
			       ALIGN_DOWN(end - size, KEXEC_STASH_ALIGN);
		if (base < start || base > end - size)
			return 0;
		if (!kexec_claims_find(base, size, &claim))
			return base;
		if (movable_at_end)
			start = claim.base + claim.size;
		else
			end = claim.base;
	}
	return 0;
}

static u64 __init find_between(u64 from, u64 to, u64 size)
{
	phys_addr_t start, end;
	u64 i, base, found = 0;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end,
				NULL) {
		base = fit(max(start, from), min(end, to), size);
		if (!base || check_kind(base, size))
			continue;
		found = base;
		if (movable_at_end)
			break;
	}
	return found;
}

static bool __init some_mirrored(void)
{
	struct memblock_region *region;

	for_each_mem_region(region) {
		if (memblock_is_mirror(region))
			return true;
	}
	return false;
}

static u64 __init find_place(const struct kexec_stash_want *want)
{
	u64 base = 0;

	if (!movable_above_4g || !some_mirrored())
		base = find_between(SZ_4G, U64_MAX, want->size);
	if (base)
		return base;
	/* 0 stands for nothing */
	base = find_between(KEXEC_STASH_ALIGN, SZ_4G, want->size);
	if (base)
		pr_notice("slot '%s': no room above 4 GiB, so it takes memory that devices may need\n",
			  want->label);
	else
		pr_err("slot '%s': no room for the %llu MiB that kexec_stash= asks for\n",
		       want->label, want->size / SZ_1M);
	return base;
}

/* Return: why a slot cannot be where it was asked for, or NULL */
static const char *__init check_place(const struct kexec_stash_want *want)
{
	struct kexec_claim claim;
	const char *why;

	if (kexec_claims_find(want->base, want->size, &claim))
		return claim.why;
	why = kexec_claims_check(want->base, want->size);
	return why ?: check_kind(want->base, want->size);
}

/* Whether the device tree has a slot of that name, good or not; and how many */
static bool __init in_tree(const char *label, unsigned int *nr)
{
	struct kexec_stash_fault fault;
	struct kexec_stash_record rec;
	int node = -1;

	*nr = 0;
	while ((node = kexec_stash_record_next(initial_boot_params, node)) >=
	       0) {
		kexec_stash_record_read(initial_boot_params, node, &rec,
					&fault);
		if (!strcmp(rec.label, label))
			return true;
		++*nr;
	}
	return false;
}

static void __init reserve_slot(struct kexec_stash_want *want)
{
	const char *why = NULL;
	unsigned int nr;

	if (in_tree(want->label, &nr)) {
		pr_notice("slot '%s': is in the device tree, so kexec_stash= changes nothing\n",
			  want->label);
		return;
	}
	if (want->fixed) {
		why = check_place(want);
	} else {
		want->base = find_place(want);
		if (!want->base)
			return;
	}
	if (!why && nr + nr_reserved >= KEXEC_STASH_SLOTS_MAX)
		why = "is one slot too many";
	if (!why && memblock_reserve(want->base, want->size))
		why = "cannot be reserved";
	if (why)
		pr_err("slot '%s' at %#llx refused: what kexec_stash= asks for %s\n",
		       want->label, want->base, why);
	else
		reserved[nr_reserved++] = *want;
}

/**
 * kexec_slots_reserve() - reserve the slots that kexec_stash= asks for
 *
 * Context: as kexec_stash_early_init().
 */
void __init kexec_slots_reserve(void)
{
	if (!nr_wants)
		return;
	if (is_kdump_kernel()) {
		pr_notice("a crash kernel has no memory to spare: kexec_stash= is ignored\n");
		return;
	}
	/* First those that can be at one place only */
	for (int fixed = 1; fixed >= 0; fixed--) {
		for (int i = 0; i < nr_wants; i++) {
			if (wants[i].fixed == fixed)
				reserve_slot(&wants[i]);
		}
	}
}

/**
 * kexec_slot_reserved() - a slot that was reserved for kexec_stash=
 * @i: which one, from 0
 *
 * Return: what was asked for, with its base; NULL if there are no more.
 */
const struct kexec_stash_want *__init kexec_slot_reserved(unsigned int i)
{
	return i < nr_reserved ? &reserved[i] : NULL;
}
