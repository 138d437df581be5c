// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device trees: checking one that came from outside, and what a tree that is
 * passed on has of memory
 *
 * Only libfdt is used here, so that this runs in a test on the host as well.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kexec_stash_layout.h>
#include <linux/libfdt.h>
#include <linux/string.h>
#include <linux/types.h>

#include "fdt.h"

/* Each node and each property, so that what follows may walk them without care */
static int check_structure(const void *dtb)
{
	int node = 0, prop, len, depth = 0, ret;
	const char *name;

	while (node >= 0 && depth >= 0) {
		if (depth >= KEXEC_FDT_MAX_DEPTH)
			return -FDT_ERR_BADSTRUCTURE;
		fdt_for_each_property_offset(prop, dtb, node) {
			if (!fdt_getprop_by_offset(dtb, prop, &name, &len))
				return len;
		}
		if (prop != -FDT_ERR_NOTFOUND)
			return prop;
		node = fdt_next_node(dtb, node, &depth);
	}
	/* The tree ends where the root does, not inside of a node */
	if (depth >= 0)
		return -FDT_ERR_BADSTRUCTURE;
	ret = fdt_num_mem_rsv(dtb);
	return ret < 0 ? ret : 0;
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
 * kexec_fdt_bootargs() - the command line that a tree has of its own
 * @dtb: the tree, which kexec_fdt_check() found to be whole
 * @bootargs: set to it, in the tree; NULL if there is none, or an empty one
 * @why: set to what is wrong, on failure
 *
 * Return: 0 or -EINVAL.
 */
int kexec_fdt_bootargs(const void *dtb, const char **bootargs, const char **why)
{
	int len;
	const char *found = fdt_getprop(dtb, fdt_path_offset(dtb, "/chosen"),
					"bootargs", &len);

	*bootargs = NULL;
	if (!found)
		return 0;
	if (len < 1 || strnlen(found, len) != len - 1) {
		*why = "has bootargs that are no string";
		return -EINVAL;
	}
	if (*found)
		*bootargs = found;
	return 0;
}

/* Index of the memreserve entry with this very range, or a negative number */
static int find_mem_rsv(const void *fdt, u64 base, u64 size)
{
	u64 rsv_base, rsv_size;
	int i = fdt_num_mem_rsv(fdt);

	while (--i >= 0) {
		if (!fdt_get_mem_rsv(fdt, i, &rsv_base, &rsv_size) &&
		    rsv_base == base && rsv_size == size)
			break;
	}
	return i;
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
	return find_mem_rsv(fdt, base, size) < 0 ?
		       fdt_add_mem_rsv(fdt, base, size) :
		       0;
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
	int i = find_mem_rsv(fdt, base, size);

	return i < 0 ? 0 : fdt_del_mem_rsv(fdt, i);
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
		    kexec_stash_overlaps(base, size, rsv_base, rsv_size))
			return true;
	}
	return false;
}

static bool begins_with_any(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++) {
		if (!strncmp(name, *prefixes, strlen(*prefixes)))
			return true;
	}
	return false;
}

/**
 * kexec_fdt_del_props() - delete properties
 * @fdt: the tree, writable
 * @node: the node
 * @prefixes: what their names begin with; NULL is the last
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_del_props(void *fdt, int node, const char *const *prefixes)
{
	int prop = fdt_first_property_offset(fdt, node);

	while (prop >= 0) {
		const char *name;
		int len, ret;

		if (!fdt_getprop_by_offset(fdt, prop, &name, &len))
			return len;
		if (!begins_with_any(name, prefixes)) {
			prop = fdt_next_property_offset(fdt, prop);
			continue;
		}
		ret = fdt_delprop(fdt, node, name);
		if (ret)
			return ret;
		prop = fdt_first_property_offset(fdt, node);
	}
	return 0;
}

/**
 * kexec_fdt_forget_payloads() - leave nothing of records but their slots
 * @fdt: the tree, writable
 * @parent: offset of its /reserved-memory, or an error for none
 * @but: how many of the first records to leave as they are
 *
 * Return: 0, or -EINVAL if the tree is broken.
 */
int kexec_fdt_forget_payloads(void *fdt, int parent, unsigned int but)
{
	static const char *const names[] = { "bootargs", "hand-over", "origin",
					     NULL };
	int node, child, ret = 0;

	if (parent < 0)
		return 0;
	fdt_for_each_subnode(node, fdt, parent) {
		if (fdt_node_check_compatible(fdt, node,
					      KEXEC_STASH_COMPATIBLE) ||
		    (but && but--))
			continue;
		ret = kexec_fdt_del_props(fdt, node, names);
		while (!ret && (child = fdt_first_subnode(fdt, node)) >= 0)
			ret = fdt_del_node(fdt, child);
		if (ret)
			return -EINVAL;
	}
	return 0;
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
