// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device tree that a kernel in a slot is given: the one staged beside it,
 * and what firmware alone knows
 *
 * A board's tree as a kernel's build makes it knows neither how much memory
 * there is nor what lies in it; the running tree does. One that was saved from
 * a running system has left-overs of that. The running tree is trusted, the
 * staged one is not.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kexec_stash_layout.h>
#include <linux/libfdt.h>
#include <linux/string.h>

#include "fdt.h"

#define RESERVED_MEMORY "/reserved-memory"

/* Of a boot that is over: what the names in /chosen begin with */
static const char *const leftovers[] = {
	"kaslr-seed", "linux,booted-from-kexec", "linux,dmcryptkeys",
	"linux,elfcorehdr", "linux,ima-kexec-buffer", "linux,initrd-",
	"linux,kho-", "linux,sml-", "linux,uefi-",
	"linux,usable-memory-range", "rng-seed", "u-boot,version", NULL
};

static int check_cells(struct kexec_fdt_adoption *trees)
{
	const void *fdt = trees->fdt, *running = trees->running;

	if (kexec_fdt_same_cells(trees, 0, 0))
		return 0;
	snprintf(trees->why, sizeof(trees->why),
		 "its root has #address-cells %d and #size-cells %d, that of the running tree %d and %d",
		 fdt_address_cells(fdt, 0), fdt_size_cells(fdt, 0),
		 fdt_address_cells(running, 0), fdt_size_cells(running, 0));
	return -FDT_ERR_BADNCELLS;
}

/*
 * The staged tree's idea of memory is a default at best: the running one's
 * takes its place
 */
static int replace_memory(struct kexec_fdt_adoption *trees)
{
	int node = fdt_first_subnode(trees->fdt, 0), ret;

	while (node >= 0) {
		if (!kexec_fdt_is_kind(trees->fdt, node, "memory")) {
			node = fdt_next_subnode(trees->fdt, node);
			continue;
		}
		ret = fdt_del_node(trees->fdt, node);
		if (ret)
			return ret;
		node = fdt_first_subnode(trees->fdt, 0);
	}
	fdt_for_each_subnode(node, trees->running, 0) {
		if (!kexec_fdt_is_kind(trees->running, node, "memory"))
			continue;
		ret = kexec_fdt_copy_node(trees, 0, node, 1);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Where firmware put a region, and whether it is one at all, wins over what the
 * board's tree would have
 */
static int copy_region(struct kexec_fdt_adoption *trees, int parent, int region)
{
	static const char *const status[] = { "status", NULL };
	static const char *const reg[] = { "reg", NULL };
	const char *name = fdt_get_name(trees->running, region, NULL);
	int node, ret = 0;

	/* Slots are written anew from what is known of them now */
	if (!name || !fdt_node_check_compatible(trees->running, region,
						KEXEC_STASH_COMPATIBLE))
		return 0;
	node = fdt_subnode_offset(trees->fdt, parent, name);
	if (node >= 0)
		ret = kexec_fdt_mirror_named(trees, node, region, status);
	if (node >= 0 && !ret)
		ret = kexec_fdt_copy_named(trees, node, region, reg);
	return ret ? ret : kexec_fdt_copy_node(trees, parent, region, 2);
}

static int copy_regions(struct kexec_fdt_adoption *trees, int parent)
{
	int src = fdt_path_offset(trees->running, RESERVED_MEMORY), child;
	int ret = kexec_fdt_copy_props(trees, parent, src, false);

	fdt_for_each_subnode(child, trees->running, src) {
		if (ret)
			break;
		ret = copy_region(trees, parent, child);
	}
	return ret;
}

static int merge_reserved_memory(struct kexec_fdt_adoption *trees)
{
	struct kexec_stash_fault fault;
	bool reserved = fdt_path_offset(trees->running, RESERVED_MEMORY) >= 0 &&
			!kexec_stash_parent_check(trees->running, &fault);
	int parent;

	/* They are not what there is now */
	if (kexec_stash_record_remove(trees->fdt, NULL))
		return -FDT_ERR_BADSTRUCTURE;
	if (!reserved && fdt_path_offset(trees->fdt, RESERVED_MEMORY) < 0)
		return 0;
	parent = kexec_stash_record_parent(trees->fdt);
	if (parent == -ENOSPC)
		return -FDT_ERR_NOSPACE;
	if (parent < 0) {
		if (kexec_stash_parent_check(trees->fdt, &fault))
			snprintf(trees->why, sizeof(trees->why), "its %s %s",
				 fault.property, fault.why);
		return -FDT_ERR_BADNCELLS;
	}
	/* What the running kernel ignores is not true by being passed on */
	return reserved ? copy_regions(trees, parent) : 0;
}

static const struct kexec_fdt_slot *
slot_over(const struct kexec_fdt_adoption *trees, u64 base, u64 size)
{
	for (unsigned int i = 0; i < trees->nr_slots; i++) {
		const struct kexec_fdt_slot *slot = &trees->slots[i];

		if (kexec_stash_overlaps(base, size, slot->base, slot->size))
			return slot;
	}
	return NULL;
}

/* The slot that leaves no place of a size in a range, or NULL */
static const struct kexec_fdt_slot *
slot_in_the_way(const struct kexec_fdt_adoption *trees, u64 base, u64 end,
		u64 size)
{
	const struct kexec_fdt_slot *slot, *first = NULL;

	/* Each time it begins behind a slot: as often as there are slots */
	while (base < end && size <= end - base) {
		slot = slot_over(trees, base, size);
		if (!slot)
			return NULL;
		if (!first)
			first = slot;
		base = slot->base + slot->size;
	}
	return first;
}

/*
 * The slot that a region lies over, or, where it is for the next kernel to
 * place it, the one that leaves no room for it
 */
static const struct kexec_fdt_slot *
slot_under_region(const struct kexec_fdt_adoption *trees, int parent, int region)
{
	int ac = fdt_address_cells(trees->fdt, parent);
	int sc = fdt_size_cells(trees->fdt, parent);
	const struct kexec_fdt_slot *slot = NULL;
	int len, size_len, n;
	const fdt32_t *size = NULL;
	const fdt32_t *reg = fdt_getprop(trees->fdt, region, "reg", &len);
	u64 want = 0, base, range;

	if (ac < 1 || ac > 2 || sc < 1 || sc > 2)
		return NULL;
	if (!reg) {
		size = fdt_getprop(trees->fdt, region, "size", &size_len);
		reg = fdt_getprop(trees->fdt, region, "alloc-ranges", &len);
		if (!size || size_len != sc * (int)sizeof(*size) || !reg)
			return NULL;
		want = kexec_fdt_read_cells(size, sc);
	}
	n = len / (int)sizeof(*reg) / (ac + sc);
	for (; n > 0; n--, reg += ac + sc) {
		base = kexec_fdt_read_cells(reg, ac);
		range = kexec_fdt_read_cells(reg + ac, sc);
		slot = size ? slot_in_the_way(trees, base, base + range, want) :
			      slot_over(trees, base, range);
		/* Whoever looks for room needs but one range that has it */
		if (size ? !slot : !!slot)
			break;
	}
	return slot;
}

/* What the staged tree brings along, where it then lies */
static int check_regions(struct kexec_fdt_adoption *trees)
{
	int parent = fdt_path_offset(trees->fdt, RESERVED_MEMORY);
	int staged = fdt_path_offset(trees->staged, RESERVED_MEMORY), child;

	fdt_for_each_subnode(child, trees->fdt, parent) {
		const char *name = fdt_get_name(trees->fdt, child, NULL);
		const struct kexec_fdt_slot *slot;

		if (!name || !kexec_stash_node_enabled(trees->fdt, child) ||
		    fdt_subnode_offset(trees->staged, staged, name) < 0)
			continue;
		slot = slot_under_region(trees, parent, child);
		if (!slot)
			continue;
		snprintf(trees->why, sizeof(trees->why),
			 "its " RESERVED_MEMORY "/%.64s lies over slot '%s'",
			 name, slot->label);
		return -FDT_ERR_EXISTS;
	}
	return 0;
}

static int copy_memreserve(struct kexec_fdt_adoption *trees)
{
	u64 base, size;
	int i, ret = 0;

	for (i = 0; i < fdt_num_mem_rsv(trees->running) && !ret; i++) {
		ret = fdt_get_mem_rsv(trees->running, i, &base, &size);
		if (!ret)
			ret = kexec_fdt_keep_range(trees->fdt, base, size);
	}
	return ret;
}

/* /chosen has the EFI pointers and what the last boot passed on */
static int merge_chosen(struct kexec_fdt_adoption *trees)
{
	int src = fdt_subnode_offset(trees->running, 0, "chosen");
	int node = kexec_fdt_make_subnode(trees->fdt, 0, "chosen"), ret;

	if (node < 0)
		return node;
	ret = kexec_fdt_del_props(trees->fdt, node, leftovers);
	return ret || src < 0 ? ret :
				kexec_fdt_copy_props(trees, node, src, false);
}

/* Which memory was reserved when the staged tree was made is over, too */
static int open_without_memreserve(void *fdt, size_t size, const void *staged)
{
	int ret = fdt_open_into(staged, fdt, size);

	if (ret)
		return ret;
	memset((char *)fdt + fdt_off_mem_rsvmap(fdt), 0,
	       sizeof(struct fdt_reserve_entry));
	ret = fdt_pack(fdt);
	return ret ? ret : fdt_open_into(fdt, fdt, size);
}

static const struct {
	const char *what;
	int (*merge)(struct kexec_fdt_adoption *trees);
} steps[] = {
	{ "root", check_cells },
	{ "memory", replace_memory },
	{ RESERVED_MEMORY, merge_reserved_memory },
	{ RESERVED_MEMORY, check_regions },
	{ "memreserve entries", copy_memreserve },
	{ "/chosen", merge_chosen },
	{ "firmware", kexec_fdt_copy_firmware },
};

/**
 * kexec_fdt_adopt_space() - room that kexec_fdt_adopt() may need beyond the
 * staged tree
 * @staged_size: size of the staged tree in bytes
 * @running: the running tree
 *
 * Return: an upper bound in bytes.
 */
size_t kexec_fdt_adopt_space(size_t staged_size, const void *running)
{
	/*
	 * All of the running tree may be carried over at the worst, with names
	 * new to the staged one's strings, and each CPU's node be told that it
	 * has none
	 */
	return staged_size / 2 + fdt_totalsize(running) + SZ_4K;
}

/**
 * kexec_fdt_adopt() - make the next kernel's tree from a staged and the running
 * one
 * @fdt: buffer for the new tree
 * @size: its size in bytes: that of the staged tree and kexec_fdt_adopt_space()
 * @trees: both trees and all slots
 *
 * What is carried over, and what is lost, is told in a table of docs/design.md.
 * What the staged tree says of the board stays.
 *
 * Return: 0, or a libfdt error and the reason in @trees.
 */
int kexec_fdt_adopt(void *fdt, size_t size, struct kexec_fdt_adoption *trees)
{
	const char *what = "size";
	int ret;

	*trees->why = '\0';
	trees->fdt = fdt;
	ret = open_without_memreserve(fdt, size, trees->staged);
	for (size_t i = 0; !ret && i < ARRAY_SIZE(steps); i++) {
		what = steps[i].what;
		ret = steps[i].merge(trees);
	}
	if (ret && !*trees->why)
		snprintf(trees->why, sizeof(trees->why),
			 "cannot take over the running tree's %s: %s", what,
			 fdt_strerror(ret));
	return ret;
}
