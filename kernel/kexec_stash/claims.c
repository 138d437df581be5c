// SPDX-License-Identifier: GPL-2.0-only
/*
 * The claims of a slot: who may have a range of memory
 *
 * A range has one owner; who comes second gets none of it, and a line says so.
 * First comes what the device tree reserves for others, wherever in it that
 * stands, then its slots, what the command line asks for, and the slots of the
 * command line.
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/crash_reserve.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_stash.h>
#include <linux/kstrtox.h>
#include <linux/libfdt.h>
#include <linux/memblock.h>
#include <linux/of_fdt.h>

#include <asm/sections.h>
#include <asm/setup.h>

#include "boot.h"
#include "fdt.h"
#include "slot.h"

/* Where a claim's why is put together: it is printed before there is another */
static char why[128] __initdata;

static bool __init take(struct kexec_claim *claim, u64 base, u64 size,
			const char *before, const char *name, const char *after)
{
	snprintf(why, sizeof(why), "lies over %s%s%s", before, name, after);
	*claim = (struct kexec_claim){ base, min(size, U64_MAX - base), why };
	return true;
}

/**
 * kexec_kho_claims() - whether KHO has handed over memory in a range
 * @base: physical address
 * @size: in bytes
 * @claim: set to what lies there
 *
 * Context: boot, before there is a linear map.
 * Return: true if there is something of KHO's.
 */
bool __init kexec_kho_claims(u64 base, u64 size, struct kexec_claim *claim)
{
	struct memblock_region *region;

	for_each_mem_region(region) {
		if (!memblock_is_kho_scratch(region) ||
		    !kexec_stash_overlaps(base, size, region->base,
					  region->size))
			continue;
		*claim = (struct kexec_claim){
			region->base, region->size,
			"lies over a scratch area of KHO"
		};
		return true;
	}
	claim->why = "lies over memory that KHO has preserved";
	return kho_find_preserved(base, size, &claim->base, &claim->size);
}

/* The device tree */

/*
 * Linux takes the first entry of a reg alone, and none where the cells are not
 * the root's; who wrote it meant all of them.
 */
static bool __init find_entry(int parent, int node, u64 base, u64 size,
			      struct kexec_claim *claim)
{
	const void *fdt = initial_boot_params;
	int ac = fdt_address_cells(fdt, parent);
	int sc = fdt_size_cells(fdt, parent);
	const __be32 *reg, *end;
	int len;

	reg = fdt_getprop(fdt, node, "reg", &len);
	if (!reg || ac < 1 || sc < 1)
		return false;
	for (end = reg + len / sizeof(*reg); end - reg >= ac + sc;) {
		u64 other = dt_mem_next_cell(ac, &reg);
		u64 other_size = dt_mem_next_cell(sc, &reg);

		if (kexec_stash_overlaps(base, size, other, other_size))
			return take(claim, other, other_size,
				    "/reserved-memory/",
				    fdt_get_name(fdt, node, NULL), "");
	}
	return false;
}

/*
 * Nodes of others that say where they are. The rest is placed around slots,
 * which are reserved by then.
 */
static bool __init find_node(u64 base, u64 size, struct kexec_claim *claim)
{
	const void *fdt = initial_boot_params;
	int parent = fdt_path_offset(fdt, "/reserved-memory");
	int node;

	if (parent < 0)
		return false;
	fdt_for_each_subnode(node, fdt, parent) {
		if (kexec_stash_node_enabled(fdt, node) &&
		    fdt_node_check_compatible(fdt, node,
					      KEXEC_STASH_COMPATIBLE) &&
		    find_entry(parent, node, base, size, claim))
			return true;
	}
	return false;
}

/* A slot that a kernel has as its memory is not reserved, but comes back */
static bool __init find_slot(u64 base, u64 size, struct kexec_claim *claim)
{
	struct kexec_stash_fault fault;
	struct kexec_stash_record rec;
	int node = -1;

	while ((node = kexec_stash_record_next(initial_boot_params, node)) >=
	       0) {
		if (!kexec_stash_record_read(initial_boot_params, node, &rec,
					     &fault) &&
		    kexec_stash_overlaps(base, size, rec.base, rec.size))
			return take(claim, rec.base, rec.size, "slot '",
				    rec.label, "' of the device tree");
	}
	return false;
}

/* The command line. Nobody has reserved what it asks for at an address yet. */

struct asked {
	const char *by;
	u64 base;
	u64 size;
};

static struct asked crash __initdata = { "crashkernel=" };
static struct asked cma __initdata = { "cma=" };
static struct asked ramoops __initdata = { "ramoops.mem_address=" };

static int __init note_cma(char *arg)
{
	u64 base, size;

	if (!arg || !IS_ENABLED(CONFIG_DMA_CMA))
		return 0;
	size = memparse(arg, &arg);
	if (*arg != '@')
		return 0;
	base = memparse(arg + 1, &arg);
	/* Anywhere in a larger range it is placed around slots */
	if (*arg != '-' || memparse(arg + 1, &arg) == base + size) {
		cma.base = base;
		cma.size = size;
	}
	return 0;
}
early_param("cma", note_cma);

static int __init note_ramoops_address(char *arg)
{
	return arg ? kstrtou64(arg, 0, &ramoops.base) : 0;
}
early_param("ramoops.mem_address", note_ramoops_address);

static int __init note_ramoops_size(char *arg)
{
	return arg && IS_ENABLED(CONFIG_PSTORE_RAM) ?
		       kstrtou64(arg, 0, &ramoops.size) :
		       0;
}
early_param("ramoops.mem_size", note_ramoops_size);

/* Not an early parameter: it depends on how much memory there is */
static void __init note_crash(void)
{
	unsigned long long size, base, low = 0, cma_size = 0;
	static bool noted __initdata;
	bool high = false;

	/* arch_reserve_crashkernel() looks for it later, and takes no other */
	if (!noted && IS_ENABLED(CONFIG_CRASH_RESERVE) &&
	    !parse_crashkernel(boot_command_line, memblock_phys_mem_size(),
			       &size, &base, &low, &cma_size, &high) &&
	    base) {
		crash.base = base;
		crash.size = size;
	}
	noted = true;
}

static bool __init over(u64 base, u64 size, const struct asked *asked)
{
	return kexec_stash_overlaps(base, size, asked->base, asked->size);
}

/* Those that memblock will not give what a slot has */
static const struct asked *__init find_asked(u64 base, u64 size)
{
	note_crash();
	if (over(base, size, &crash))
		return &crash;
	return over(base, size, &cma) ? &cma : NULL;
}

/**
 * kexec_claims_check() - whether a slot can be at a place
 * @base: physical address
 * @size: in bytes
 *
 * Slots of the tree are not looked at.
 *
 * Context: boot, before anything but kernel, initrd, dtb and what the tree
 * reserves is reserved.
 * Return: NULL if it can, or why it cannot; the next call overwrites that.
 */
const char *__init kexec_claims_check(u64 base, u64 size)
{
	phys_addr_t text = __pa_symbol(_text);
	struct kexec_claim claim;

	if (kexec_kho_claims(base, size, &claim))
		return claim.why;
	if (kexec_stash_overlaps(base, size, text, _end - _text))
		return "lies over the running kernel";
	if (kexec_stash_overlaps(base, size, phys_initrd_start,
				 phys_initrd_size))
		return "lies over the running kernel's initrd";
	if (kexec_stash_overlaps(base, size, initial_boot_params_pa,
				 fdt_totalsize(initial_boot_params)))
		return "lies over the running kernel's device tree";
	if (find_node(base, size, &claim))
		return claim.why;
	if (over(base, size, &ramoops)) {
		/* It asks nobody, so nobody else may have it */
		memblock_reserve(ramoops.base, ramoops.size);
		return "lies over what ramoops.mem_address= asks for";
	}
	if (kexec_fdt_overlaps_memreserve(initial_boot_params, base, size))
		return "lies over a memreserve entry of the device tree";
	if (!memblock_is_region_memory(base, size))
		return "is not all in RAM";
	/* It is all in one region, then */
	if (!memblock_is_map_memory(base))
		return "is in memory that is not Linux's";
	if (memblock_is_region_reserved(base, size))
		return "lies over memory that is reserved for something else";
	return NULL;
}

/**
 * kexec_claims_tell() - say what a slot of the device tree takes from others
 * @label: the slot's name
 * @base: physical address
 * @size: in bytes
 *
 * Their own lines say that there is no memory for them, but not why.
 */
void __init kexec_claims_tell(const char *label, u64 base, u64 size)
{
	const struct asked *asked = find_asked(base, size);

	if (asked)
		pr_notice("slot '%s' at %#llx stays: %s asks for memory in it, and gets none\n",
			  label, base, asked->by);
}

/**
 * kexec_claims_find() - whether a range is somebody's that memblock may not know
 * of
 * @base: physical address
 * @size: in bytes
 * @claim: set to whose it is; the next call overwrites its why
 *
 * Context: as kexec_claims_check().
 * Return: true if there is somebody.
 */
bool __init kexec_claims_find(u64 base, u64 size, struct kexec_claim *claim)
{
	const struct asked *asked = find_asked(base, size);

	if (!asked && over(base, size, &ramoops))
		asked = &ramoops;
	if (asked)
		return take(claim, asked->base, asked->size, "what ", asked->by,
			    " asks for");
	return find_slot(base, size, claim) || find_node(base, size, claim) ||
	       kexec_kho_claims(base, size, claim);
}

bool kexec_stash_excluded_range(const struct kimage *image, unsigned long start,
				unsigned long end)
{
	if (image->type == KEXEC_TYPE_CRASH)
		return false;
	for (int i = 0; i < kexec_nr_slots; i++) {
		const struct kexec_slot *slot = kexec_slots[i];

		if (kexec_stash_overlaps(slot->rec.base, slot->rec.size, start,
					 end - start + 1))
			return true;
	}
	return false;
}
