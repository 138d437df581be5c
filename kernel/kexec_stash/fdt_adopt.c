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
#include <linux/kexec_stash_record.h>
#include <linux/libfdt.h>
#include <linux/string.h>

#include "fdt.h"

#define RESERVED_MEMORY "/reserved-memory"

/* Of a boot that is over: what the names in /chosen begin with */
static const char *const leftovers[] = {
	"kaslr-seed",
	"linux,booted-from-kexec",
	"linux,dmcryptkeys",
	"linux,elfcorehdr",
	"linux,ima-kexec-buffer",
	"linux,initrd-",
	"linux,kho-",
	"linux,sml-",
	"linux,uefi-",
	"linux,usable-memory-range",
	"rng-seed",
	"u-boot,version",
	NULL
};

static int check_cells(void *fdt, struct kexec_fdt_adoption *from)
{
	const void *running = from->running;

	if (kexec_fdt_same_cells(fdt, 0, running, 0))
		return 0;
	snprintf(from->why, sizeof(from->why),
		 "its root has #address-cells %d and #size-cells %d, that of the running tree %d and %d",
		 fdt_address_cells(fdt, 0), fdt_size_cells(fdt, 0),
		 fdt_address_cells(running, 0), fdt_size_cells(running, 0));
	return -FDT_ERR_BADNCELLS;
}

/*
 * The staged tree's idea of memory is a default at best: the running one's
 * takes its place
 */
static int replace_memory(void *fdt, struct kexec_fdt_adoption *from)
{
	int node = fdt_first_subnode(fdt, 0), ret;

	while (node >= 0) {
		if (kexec_fdt_is_kind(fdt, node, "memory")) {
			ret = fdt_del_node(fdt, node);
			if (ret)
				return ret;
			node = fdt_first_subnode(fdt, 0);
		} else {
			node = fdt_next_subnode(fdt, node);
		}
	}
	fdt_for_each_subnode(node, from->running, 0) {
		if (!kexec_fdt_is_kind(from->running, node, "memory"))
			continue;
		ret = kexec_fdt_copy_node(fdt, 0, from->running, node, 1);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Where firmware put a region, and whether it is one at all, wins over what the
 * board's tree would have
 */
static int place_region(void *fdt, int parent, const void *running, int region)
{
	const char *name = fdt_get_name(running, region, NULL);
	int node = name ? fdt_subnode_offset(fdt, parent, name) : -1;
	int ret;

	if (node < 0)
		return 0;
	ret = kexec_fdt_mirror_prop(fdt, node, running, region, "status");
	return ret ? ret :
		     kexec_fdt_copy_prop(fdt, node, running, region, "reg");
}

/* What names a region in the running tree must find one to name in this one */
static int keep_referable(void *fdt, int parent, const void *running,
			  int region)
{
	const char *name = fdt_get_name(running, region, NULL);
	int node = name ? fdt_subnode_offset(fdt, parent, name) : -1;
	u32 phandle;
	int ret;

	if (node < 0 || !fdt_get_phandle(running, region) ||
	    fdt_get_phandle(fdt, node))
		return 0;
	ret = fdt_generate_phandle(fdt, &phandle);
	return ret ? ret : fdt_setprop_u32(fdt, node, "phandle", phandle);
}

static int copy_regions(void *fdt, int parent, const void *running)
{
	int src = fdt_path_offset(running, RESERVED_MEMORY), child, ret;

	ret = kexec_fdt_copy_props(fdt, parent, running, src, false, "phandle");
	if (ret)
		return ret;
	fdt_for_each_subnode(child, running, src) {
		/* Slots are written anew from what is known of them now */
		if (!fdt_node_check_compatible(running, child,
					       KEXEC_STASH_COMPATIBLE))
			continue;
		ret = place_region(fdt, parent, running, child);
		if (!ret)
			ret = kexec_fdt_copy_node(fdt, parent, running, child,
						  2);
		if (!ret)
			ret = keep_referable(fdt, parent, running, child);
		if (ret)
			return ret;
	}
	return 0;
}

static int merge_reserved_memory(void *fdt, struct kexec_fdt_adoption *from)
{
	struct kexec_stash_fault fault;
	bool reserved = fdt_path_offset(from->running, RESERVED_MEMORY) >= 0 &&
			!kexec_stash_parent_check(from->running, &fault);
	int parent, ret = kexec_fdt_drop_slots(fdt);

	if (ret)
		return ret;
	if (!reserved && fdt_path_offset(fdt, RESERVED_MEMORY) < 0)
		return 0;
	parent = kexec_stash_record_parent(fdt);
	if (parent == -ENOSPC)
		return -FDT_ERR_NOSPACE;
	if (parent < 0) {
		if (kexec_stash_parent_check(fdt, &fault))
			snprintf(from->why, sizeof(from->why), "its %s %s",
				 fault.property, fault.why);
		return -FDT_ERR_BADNCELLS;
	}
	/* What the running kernel ignores is not true by being passed on */
	return reserved ? copy_regions(fdt, parent, from->running) : 0;
}

static bool is_available(const void *fdt, int node)
{
	int len;
	const char *status = fdt_getprop(fdt, node, "status", &len);

	return !status || (len > 0 && !strncmp(status, "ok", 2));
}

static const struct kexec_fdt_slot *
slot_over(const struct kexec_fdt_adoption *from, u64 base, u64 size)
{
	for (unsigned int i = 0; i < from->nr_slots; i++) {
		const struct kexec_fdt_slot *slot = &from->slots[i];

		if (size && (base - slot->base < slot->size ||
			     slot->base - base < size))
			return slot;
	}
	return NULL;
}

/* The slot that leaves no place of a size in a range, or NULL */
static const struct kexec_fdt_slot *
slot_in_the_way(const struct kexec_fdt_adoption *from, u64 base, u64 end,
		u64 size)
{
	const struct kexec_fdt_slot *slot, *first = NULL;

	/* Each time it begins behind a slot: as often as there are slots */
	while (base < end && size <= end - base) {
		slot = slot_over(from, base, size);
		if (!slot)
			return NULL;
		if (!first)
			first = slot;
		base = slot->base + slot->size;
	}
	return first;
}

static u64 read_cells(const fdt32_t **p, int cells)
{
	u64 val = 0;

	for (; cells; cells--)
		val = val << 32 | fdt32_ld((*p)++);
	return val;
}

/*
 * The slot that a region lies over, or, where it is for the next kernel to
 * place it, the one that leaves no room for it
 */
static const struct kexec_fdt_slot *
slot_under_region(const void *fdt, int parent, int region,
		  const struct kexec_fdt_adoption *from)
{
	int ac = fdt_address_cells(fdt, parent), sc = fdt_size_cells(fdt, parent);
	const struct kexec_fdt_slot *slot = NULL;
	int len, size_len, n;
	const fdt32_t *reg = fdt_getprop(fdt, region, "reg", &len);
	const fdt32_t *size = NULL;
	u64 want = 0;

	if (ac < 1 || ac > 2 || sc < 1 || sc > 2)
		return NULL;
	if (!reg) {
		size = fdt_getprop(fdt, region, "size", &size_len);
		reg = fdt_getprop(fdt, region, "alloc-ranges", &len);
		if (!size || size_len != sc * (int)sizeof(*size) || !reg)
			return NULL;
		want = read_cells(&size, sc);
	}
	for (n = len / (int)sizeof(*reg) / (ac + sc); n > 0; n--) {
		u64 base = read_cells(&reg, ac), range = read_cells(&reg, sc);

		slot = size ? slot_in_the_way(from, base, base + range, want) :
			      slot_over(from, base, range);
		/* Whoever looks for room needs but one range that has it */
		if (size ? !slot : !!slot)
			break;
	}
	return slot;
}

/* What the staged tree brings along, where it then lies */
static int check_regions(void *fdt, struct kexec_fdt_adoption *from)
{
	int parent = fdt_path_offset(fdt, RESERVED_MEMORY);
	int staged = fdt_path_offset(from->staged, RESERVED_MEMORY), child;

	fdt_for_each_subnode(child, fdt, parent) {
		const struct kexec_fdt_slot *slot;
		const char *name = fdt_get_name(fdt, child, NULL);

		if (!name || !is_available(fdt, child) ||
		    fdt_subnode_offset(from->staged, staged, name) < 0)
			continue;
		slot = slot_under_region(fdt, parent, child, from);
		if (!slot)
			continue;
		snprintf(from->why, sizeof(from->why),
			 "its " RESERVED_MEMORY "/%.64s lies over slot '%s'",
			 name, slot->label);
		return -FDT_ERR_EXISTS;
	}
	return 0;
}

static int copy_memreserve(void *fdt, struct kexec_fdt_adoption *from)
{
	int i, ret;

	for (i = 0; i < fdt_num_mem_rsv(from->running); i++) {
		u64 base, size;

		ret = fdt_get_mem_rsv(from->running, i, &base, &size);
		if (!ret)
			ret = kexec_fdt_keep_range(fdt, base, size);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * /chosen has the EFI pointers and what the last boot passed on; the command
 * line is the payload's own
 */
static int merge_chosen(void *fdt, struct kexec_fdt_adoption *from)
{
	int src = fdt_subnode_offset(from->running, 0, "chosen");
	int node = fdt_subnode_offset(fdt, 0, "chosen");
	int ret;

	if (node == -FDT_ERR_NOTFOUND)
		node = fdt_add_subnode(fdt, 0, "chosen");
	if (node < 0)
		return node;
	ret = kexec_fdt_del_props(fdt, node, leftovers);
	if (ret || src < 0)
		return ret;
	return kexec_fdt_copy_props(fdt, node, from->running, src, false,
				    "bootargs");
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
	int (*merge)(void *fdt, struct kexec_fdt_adoption *from);
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
 * @from: both trees and all slots
 *
 * What is carried over, and what is lost, is told in a table of docs/design.md.
 * What the staged tree says of the board stays.
 *
 * Return: 0, or a libfdt error and the reason in @from.
 */
int kexec_fdt_adopt(void *fdt, size_t size, struct kexec_fdt_adoption *from)
{
	const char *what = "size";
	int ret;

	*from->why = '\0';
	ret = open_without_memreserve(fdt, size, from->staged);
	for (size_t i = 0; !ret && i < ARRAY_SIZE(steps); i++) {
		what = steps[i].what;
		ret = steps[i].merge(fdt, from);
	}
	if (ret && !*from->why)
		snprintf(from->why, sizeof(from->why),
			 "cannot take over the running tree's %s: %s", what,
			 fdt_strerror(ret));
	return ret;
}
