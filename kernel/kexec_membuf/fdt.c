// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device tree that a kernel in a slot is given: the one staged beside it,
 * and what firmware alone knows
 *
 * A board's tree as a kernel's build makes it knows neither how much memory
 * there is nor what lies in it; the running tree does. Only libfdt is used
 * here, so that this runs in a test on the host as well. The running tree is
 * trusted, the staged one is not.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kexec_stash_record.h>
#include <linux/libfdt.h>
#include <linux/string.h>
#include <linux/types.h>

#include "fdt.h"

/*
 * No tree that firmware makes is deeper; the walk below stays off the end of
 * the stack
 */
#define MAX_DEPTH 16

/*
 * Each tag and each property's name and length, so that what follows may walk
 * it without care
 */
static int check_structure(const void *dtb)
{
	int offset, next = 0, depth = 0, len, ret;
	const char *name;
	u32 tag;

	/* libfdt takes offset 0 for the root, whatever is there */
	if (fdt_next_tag(dtb, 0, &next) != FDT_BEGIN_NODE)
		return -FDT_ERR_BADSTRUCTURE;
	next = 0;
	do {
		offset = next;
		tag = fdt_next_tag(dtb, offset, &next);
		if (next < 0)
			return next;
		switch (tag) {
		case FDT_BEGIN_NODE:
			if (++depth > MAX_DEPTH)
				return -FDT_ERR_BADSTRUCTURE;
			break;
		case FDT_END_NODE:
			if (!depth--)
				return -FDT_ERR_BADSTRUCTURE;
			break;
		case FDT_PROP:
			if (!fdt_getprop_by_offset(dtb, offset, &name, &len))
				return len;
			break;
		default:
			break;
		}
	} while (tag != FDT_END);
	ret = fdt_num_mem_rsv(dtb);
	return ret < 0 ? ret : depth ? -FDT_ERR_BADSTRUCTURE : 0;
}

/**
 * kexec_fdt_check() - check a device tree that came from outside
 * @dtb: the tree
 * @size: bytes there are at @dtb
 * @why: set to what is wrong, on failure
 *
 * Return: 0 or -EINVAL.
 */
int kexec_fdt_check(const void *dtb, u64 size, const char **why)
{
	if (size > KEXEC_STASH_DTB_MAX) {
		*why = "is larger than 2 MiB";
		return -EINVAL;
	}
	if (size < sizeof(struct fdt_header) || fdt_magic(dtb) != FDT_MAGIC) {
		*why = "is not a device tree";
		return -EINVAL;
	}
	if (fdt_totalsize(dtb) > size) {
		*why = "is truncated: its header asks for more bytes than there are";
		return -EINVAL;
	}
	/*
	 * In older ones, unmade for 20 years, names may lie outside the strings
	 * block
	 */
	if (fdt_check_header(dtb) || fdt_version(dtb) < 17 ||
	    check_structure(dtb)) {
		*why = "is a broken device tree";
		return -EINVAL;
	}
	return 0;
}

/**
 * kexec_fdt_adopt_space() - room that kexec_fdt_adopt() may need beyond the
 * staged tree
 * @running: the running tree
 *
 * Return: an upper bound in bytes.
 */
size_t kexec_fdt_adopt_space(const void *running)
{
	/*
	 * All of the running tree may be carried over at the worst, with names
	 * new to the staged one's strings
	 */
	return fdt_totalsize(running) + SZ_4K;
}

static int copy_props(void *fdt, int node, const void *src, int src_node,
		      const char *skip)
{
	int prop;

	fdt_for_each_property_offset(prop, src, src_node) {
		const char *name;
		int len, ret;
		const void *val = fdt_getprop_by_offset(src, prop, &name, &len);

		if (!val)
			return len;
		if (fdt_getprop(fdt, node, name, NULL) ||
		    (skip && !strcmp(name, skip)))
			continue;
		ret = fdt_setprop(fdt, node, name, val, len);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * A phandle that the staged tree has given to another node would lead its users
 * astray
 */
static int drop_foreign_phandle(void *fdt, int node)
{
	u32 phandle = fdt_get_phandle(fdt, node);
	int ret;

	if (!phandle)
		return 0;
	/* Found first, so looked for without this one */
	ret = fdt_delprop(fdt, node, "phandle");
	if (ret && ret != -FDT_ERR_NOTFOUND)
		return ret;
	ret = fdt_delprop(fdt, node, "linux,phandle");
	if (ret && ret != -FDT_ERR_NOTFOUND)
		return ret;
	if (fdt_node_offset_by_phandle(fdt, phandle) != -FDT_ERR_NOTFOUND)
		return 0;
	return fdt_setprop_u32(fdt, node, "phandle", phandle);
}

/*
 * Copy a node with all below it; where there is one of its name, only what that
 * lacks
 */
static int copy_node(void *fdt, int parent, const void *src, int src_node,
		     int depth)
{
	int name_len, node, child, ret;
	const char *name = fdt_get_name(src, src_node, &name_len);

	if (!name)
		return name_len;
	if (depth > MAX_DEPTH)
		return -FDT_ERR_BADSTRUCTURE;
	node = fdt_subnode_offset_namelen(fdt, parent, name, name_len);
	if (node == -FDT_ERR_NOTFOUND) {
		node = fdt_add_subnode_namelen(fdt, parent, name, name_len);
		if (node < 0)
			return node;
		ret = copy_props(fdt, node, src, src_node, NULL);
		if (!ret)
			ret = drop_foreign_phandle(fdt, node);
	} else if (node >= 0) {
		ret = copy_props(fdt, node, src, src_node, "phandle");
	} else {
		return node;
	}
	if (ret)
		return ret;

	fdt_for_each_subnode(child, src, src_node) {
		ret = copy_node(fdt, node, src, child, depth + 1);
		if (ret)
			return ret;
		/*
		 * Written to before it, or not at all: this node has not moved,
		 * but look it up all the same
		 */
		node = fdt_subnode_offset_namelen(fdt, parent, name, name_len);
		if (node < 0)
			return node;
	}
	return 0;
}

/*
 * By its name too: a board's tree may leave out the device_type, for firmware
 * to add
 */
static bool is_memory(const void *fdt, int node)
{
	int len;
	const char *name = fdt_get_name(fdt, node, &len);
	const char *type;

	if (name && len >= 6 && !memcmp(name, "memory", 6) &&
	    (!name[6] || name[6] == '@'))
		return true;
	type = fdt_getprop(fdt, node, "device_type", &len);
	return type && len == sizeof("memory") && !memcmp(type, "memory", len);
}

/*
 * Ranges are carried over as they are, which makes sense only where the cells
 * are the same
 */
static bool same_cells(const void *fdt, int node, const void *running, int src)
{
	return fdt_address_cells(fdt, node) ==
		       fdt_address_cells(running, src) &&
	       fdt_size_cells(fdt, node) == fdt_size_cells(running, src);
}

/**
 * kexec_fdt_drop_slots() - drop the records of slots
 * @fdt: the tree, writable
 *
 * Those in a staged tree, say one saved from a running system, are not what
 * there is now; a crash kernel has no business with any.
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_drop_slots(void *fdt)
{
	int node, ret;

	while ((node = kexec_stash_record_next(fdt, -1)) >= 0) {
		ret = fdt_del_node(fdt, node);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * The staged tree's idea of memory is a default at best: the running one's
 * takes its place
 */
static int replace_memory(void *fdt, const void *running)
{
	int node = fdt_first_subnode(fdt, 0), ret;

	while (node >= 0) {
		if (is_memory(fdt, node)) {
			ret = fdt_del_node(fdt, node);
			if (ret)
				return ret;
			node = fdt_first_subnode(fdt, 0);
		} else {
			node = fdt_next_subnode(fdt, node);
		}
	}
	fdt_for_each_subnode(node, running, 0) {
		if (!is_memory(running, node))
			continue;
		ret = copy_node(fdt, 0, running, node, 1);
		if (ret)
			return ret;
	}
	return 0;
}

/* Where firmware put a region wins over where the board's tree would have it */
static int place_region(void *fdt, int parent, const void *running, int region)
{
	int len, reg_len, node;
	const char *name = fdt_get_name(running, region, &len);
	const void *reg = fdt_getprop(running, region, "reg", &reg_len);

	if (!name)
		return len;
	node = fdt_subnode_offset_namelen(fdt, parent, name, len);
	if (node < 0 || !reg)
		return 0;
	return fdt_setprop(fdt, node, "reg", reg, reg_len);
}

static int copy_reserved_memory(void *fdt, const void *running)
{
	int src = fdt_path_offset(running, "/reserved-memory");
	int node, child, ret;

	if (src == -FDT_ERR_NOTFOUND)
		return 0;
	if (src < 0)
		return src;
	node = fdt_path_offset(fdt, "/reserved-memory");
	if (node == -FDT_ERR_NOTFOUND)
		node = fdt_add_subnode(fdt, 0, "reserved-memory");
	if (node < 0)
		return node;
	ret = copy_props(fdt, node, running, src, "phandle");
	if (ret)
		return ret;
	if (!same_cells(fdt, node, running, src))
		return -FDT_ERR_BADNCELLS;

	fdt_for_each_subnode(child, running, src) {
		/* Slots are written anew from what is known of them now */
		if (!fdt_node_check_compatible(running, child,
					       KEXEC_STASH_COMPATIBLE))
			continue;
		ret = place_region(fdt, node, running, child);
		if (!ret)
			ret = copy_node(fdt, node, running, child, 2);
		if (ret)
			return ret;
	}
	return 0;
}

static int copy_memreserve(void *fdt, const void *running)
{
	int i, ret;

	for (i = 0; i < fdt_num_mem_rsv(running); i++) {
		u64 base, size;

		ret = fdt_get_mem_rsv(running, i, &base, &size);
		if (!ret)
			ret = kexec_fdt_keep_range(fdt, base, size);
		if (ret)
			return ret;
	}
	return 0;
}

/* A node at the root with all that the staged tree lacks of it */
static int copy_root_node(void *fdt, const void *running, const char *name)
{
	int src = fdt_subnode_offset(running, 0, name);

	return src < 0 ? 0 : copy_node(fdt, 0, running, src, 1);
}

/* EFI pointers in a tree saved from an earlier boot lead nowhere now */
static int drop_efi_pointers(void *fdt, int chosen)
{
	int prop = fdt_first_property_offset(fdt, chosen);

	while (prop >= 0) {
		const char *name;
		int len, ret;

		if (!fdt_getprop_by_offset(fdt, prop, &name, &len))
			return len;
		if (strncmp(name, "linux,uefi-", 11)) {
			prop = fdt_next_property_offset(fdt, prop);
			continue;
		}
		ret = fdt_delprop(fdt, chosen, name);
		if (ret)
			return ret;
		prop = fdt_first_property_offset(fdt, chosen);
	}
	return 0;
}

/*
 * /chosen has the EFI pointers and what the last boot passed on; the command
 * line is the payload's own
 */
static int copy_chosen(void *fdt, const void *running)
{
	int src = fdt_subnode_offset(running, 0, "chosen");
	int node = fdt_subnode_offset(fdt, 0, "chosen");
	int ret;

	if (node == -FDT_ERR_NOTFOUND)
		node = fdt_add_subnode(fdt, 0, "chosen");
	if (node < 0)
		return node;
	ret = drop_efi_pointers(fdt, node);
	if (ret || src < 0)
		return ret;
	return copy_props(fdt, node, running, src, "bootargs");
}

/* Firmware writes MAC addresses to the nodes that the ethernet aliases name */
static int copy_mac_address(void *fdt, const void *running, const char *path,
			    const char *prop)
{
	int src = fdt_path_offset(running, path);
	int node = fdt_path_offset(fdt, path);
	const void *val;
	int len;

	if (src < 0 || node < 0)
		return 0;
	val = fdt_getprop(running, src, prop, &len);
	return val ? fdt_setprop(fdt, node, prop, val, len) : 0;
}

static int copy_mac_addresses(void *fdt, const void *running)
{
	int aliases = fdt_path_offset(running, "/aliases");
	int prop, ret;

	fdt_for_each_property_offset(prop, running, aliases) {
		const char *name;
		int len;
		const char *path =
			fdt_getprop_by_offset(running, prop, &name, &len);

		if (!path || strncmp(name, "ethernet", 8) ||
		    strnlen(path, len) != len - 1)
			continue;
		ret = copy_mac_address(fdt, running, path, "mac-address");
		if (!ret)
			ret = copy_mac_address(fdt, running, path,
					       "local-mac-address");
		if (ret)
			return ret;
	}
	return 0;
}

static int copy_serial_number(void *fdt, const void *running)
{
	int len;
	const void *val = fdt_getprop(running, 0, "serial-number", &len);

	return val ? fdt_setprop(fdt, 0, "serial-number", val, len) : 0;
}

/**
 * kexec_fdt_adopt() - make the next kernel's tree from a staged and the running
 * one
 * @fdt: buffer for the new tree
 * @size: its size in bytes: that of @staged and kexec_fdt_adopt_space()
 * @staged: the staged tree, which kexec_fdt_check() found to be whole
 * @running: the running tree
 *
 * Carried over: memory, reserved memory and memreserve entries, /chosen but for
 * the command line, /firmware, /psci, MAC addresses and the serial number. What
 * the staged tree says of the board stays.
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_adopt(void *fdt, size_t size, const void *staged,
		    const void *running)
{
	int ret;

	ret = fdt_open_into(staged, fdt, size);
	if (!ret && !same_cells(fdt, 0, running, 0))
		ret = -FDT_ERR_BADNCELLS;
	if (!ret)
		ret = kexec_fdt_drop_slots(fdt);
	if (!ret)
		ret = replace_memory(fdt, running);
	if (!ret)
		ret = copy_reserved_memory(fdt, running);
	if (!ret)
		ret = copy_memreserve(fdt, running);
	if (!ret)
		ret = copy_chosen(fdt, running);
	if (!ret)
		ret = copy_root_node(fdt, running, "firmware");
	if (!ret)
		ret = copy_root_node(fdt, running, "psci");
	if (!ret)
		ret = copy_mac_addresses(fdt, running);
	if (!ret)
		ret = copy_serial_number(fdt, running);
	return ret;
}

/**
 * kexec_fdt_keep_range() - have a memreserve entry for a range, once
 * @fdt: the tree, writable
 * @base: physical address
 * @size: size in bytes
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_keep_range(void *fdt, u64 base, u64 size)
{
	u64 rsv_base, rsv_size;
	int i, ret;

	for (i = 0; i < fdt_num_mem_rsv(fdt); i++) {
		ret = fdt_get_mem_rsv(fdt, i, &rsv_base, &rsv_size);
		if (ret)
			return ret;
		if (rsv_base == base && rsv_size == size)
			return 0;
	}
	return fdt_add_mem_rsv(fdt, base, size);
}

/**
 * kexec_fdt_unreserve() - drop a memreserve entry
 * @fdt: the tree, writable
 * @base: physical address that the entry has
 * @size: size in bytes that it has
 *
 * Return: 0, also if there is no such entry, or a libfdt error.
 */
int kexec_fdt_unreserve(void *fdt, u64 base, u64 size)
{
	u64 rsv_base, rsv_size;

	for (int i = 0; i < fdt_num_mem_rsv(fdt); i++) {
		int ret = fdt_get_mem_rsv(fdt, i, &rsv_base, &rsv_size);

		if (ret)
			return ret;
		if (rsv_base == base && rsv_size == size)
			return fdt_del_mem_rsv(fdt, i);
	}
	return 0;
}

/**
 * kexec_fdt_overlaps_memreserve() - whether a range runs into a memreserve entry
 * @fdt: the tree
 * @base: physical address
 * @size: size in bytes
 *
 * Return: true if it does.
 */
bool kexec_fdt_overlaps_memreserve(const void *fdt, u64 base, u64 size)
{
	u64 rsv_base, rsv_size;
	int i;

	for (i = 0; i < fdt_num_mem_rsv(fdt); i++) {
		if (!fdt_get_mem_rsv(fdt, i, &rsv_base, &rsv_size) &&
		    base < rsv_base + rsv_size && rsv_base < base + size)
			return true;
	}
	return false;
}

/**
 * kexec_fdt_only_slots() - whether a node tells of slots and of nothing else
 * @fdt: the tree
 * @node: its offset, a child of the root
 *
 * Return: true for a /reserved-memory that has no other children than records.
 */
bool kexec_fdt_only_slots(const void *fdt, int node)
{
	const char *name = fdt_get_name(fdt, node, NULL);
	int child;

	if (!name || strcmp(name, "reserved-memory"))
		return false;
	fdt_for_each_subnode(child, fdt, node) {
		if (fdt_node_check_compatible(fdt, child,
					      KEXEC_STASH_COMPATIBLE))
			return false;
	}
	return true;
}

/**
 * kexec_fdt_squeeze() - take out what was deleted in place
 * @fdt: the tree, writable
 *
 * Early boot overwrites rng-seed with FDT_NOP tags, kexec adds a new one: the
 * tree would grow with every kexec. The room is given back by fdt_pack().
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_squeeze(void *fdt)
{
	char *block = (char *)fdt + fdt_off_dt_struct(fdt);
	int offset, next = 0, to = 0;
	u32 tag;

	do {
		offset = next;
		tag = fdt_next_tag(fdt, offset, &next);
		if (next < 0)
			return next;
		if (tag == FDT_NOP)
			continue;
		memmove(block + to, block + offset, next - offset);
		to += next - offset;
	} while (tag != FDT_END);
	fdt_set_size_dt_struct(fdt, to);
	return 0;
}
