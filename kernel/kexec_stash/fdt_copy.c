// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying from the running device tree to the next kernel's
 *
 * A phandle means nothing in another tree. Properties that consist of phandles
 * are not copied. A region of memory is looked up by its name instead.
 */

#include <linux/libfdt.h>
#include <linux/string.h>

#include "fdt.h"

#define REGIONS_MAX 8

/* Lists of phandles, and what each tree has of its own */
static const char *const not_copied[] = {
	"assigned-clock-parents", "assigned-clocks", "bootargs", "clocks",
	"cpu", "cpu-idle-states", "display", "dmas", "domain-idle-states",
	"interconnects", "interrupt-parent", "interrupts-extended",
	"iommu-addresses", "iommus", "l2-cache", "linux,phandle", "mboxes",
	"msi-parent", "next-level-cache", "nvmem-cells", "operating-points-v2",
	"panel", "performance-domains", "phandle", "phys", "power-domains",
	"resets", "shmem", "sram", NULL
};

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && !strcmp(name + len - end_len, end);
}

static bool is_copied(const char *name)
{
	for (int i = 0; not_copied[i]; i++) {
		if (!strcmp(name, not_copied[i]))
			return false;
	}
	return !ends_in(name, "-supply") && !ends_in(name, "-gpios") &&
	       strncmp(name, "pinctrl-", 8);
}

/**
 * kexec_fdt_read_cells() - read a number of a property
 * @prop: its first byte
 * @cells: how many cells it has
 *
 * Return: the number, of the last two cells.
 */
u64 kexec_fdt_read_cells(const void *prop, int cells)
{
	const fdt32_t *cell = prop;
	u64 val = 0;

	while (cells--)
		val = val << 32 | fdt32_ld(cell++);
	return val;
}

/**
 * kexec_fdt_is_kind() - whether a node is one of memory, of a CPU, ..
 * @fdt: the tree
 * @node: its offset
 * @kind: its name, without the unit address, or its device_type: a board's tree
 *	may leave that out, for firmware to add
 *
 * Return: true if it is.
 */
bool kexec_fdt_is_kind(const void *fdt, int node, const char *kind)
{
	int len, kind_len = strlen(kind);
	const char *found = fdt_get_name(fdt, node, &len);

	if (found && len >= kind_len && !memcmp(found, kind, kind_len) &&
	    (!found[kind_len] || found[kind_len] == '@'))
		return true;
	found = fdt_getprop(fdt, node, "device_type", &len);
	return found && len == kind_len + 1 && !memcmp(found, kind, len);
}

/**
 * kexec_fdt_same_cells() - whether ranges below two nodes are written alike
 * @trees: both trees
 * @node: node of the next kernel's tree
 * @src: node of the running tree
 *
 * Return: true if ranges can be copied as they are.
 */
bool kexec_fdt_same_cells(const struct kexec_fdt_adoption *trees, int node,
			  int src)
{
	return fdt_address_cells(trees->fdt, node) ==
		       fdt_address_cells(trees->running, src) &&
	       fdt_size_cells(trees->fdt, node) ==
		       fdt_size_cells(trees->running, src);
}

/**
 * kexec_fdt_make_subnode() - find a node, or add it
 * @fdt: the tree, writable
 * @parent: its parent
 * @name: its name
 *
 * Return: offset of the node, or a libfdt error.
 */
int kexec_fdt_make_subnode(void *fdt, int parent, const char *name)
{
	int node = fdt_subnode_offset(fdt, parent, name);

	return node == -FDT_ERR_NOTFOUND ? fdt_add_subnode(fdt, parent, name) :
					   node;
}

/* The phandle that a region of reserved memory has in the next tree, or 0 */
static u32 map_region(const struct kexec_fdt_adoption *trees, u32 phandle)
{
	const void *running = trees->running;
	int region = fdt_node_offset_by_phandle(running, phandle);
	const char *name = fdt_get_name(running, region, NULL);
	int node = fdt_path_offset(trees->fdt, "/reserved-memory");

	if (!name || fdt_parent_offset(running, region) !=
			     fdt_path_offset(running, "/reserved-memory"))
		return 0;
	node = fdt_subnode_offset(trees->fdt, node, name);
	return node < 0 ? 0 : fdt_get_phandle(trees->fdt, node);
}

static int copy_regions(const struct kexec_fdt_adoption *trees, int node,
			const fdt32_t *val, int len)
{
	fdt32_t regions[REGIONS_MAX];
	u32 phandle;

	if (len % sizeof(*val) || len > (int)sizeof(regions))
		return 0;
	for (int i = 0; i < len / (int)sizeof(*val); i++) {
		phandle = map_region(trees, fdt32_ld(&val[i]));
		if (!phandle)
			return 0;
		regions[i] = cpu_to_fdt32(phandle);
	}
	return fdt_setprop(trees->fdt, node, "memory-region", regions, len);
}

static int copy_val(const struct kexec_fdt_adoption *trees, int node,
		    const char *name, const void *val, int len)
{
	if (!strcmp(name, "memory-region"))
		return copy_regions(trees, node, val, len);
	return is_copied(name) ? fdt_setprop(trees->fdt, node, name, val, len) :
				 0;
}

/**
 * kexec_fdt_copy_named() - copy some properties, where there are
 * @trees: both trees
 * @node: node of the next kernel's tree
 * @src: node of the running tree
 * @names: their names; NULL is the last
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_copy_named(const struct kexec_fdt_adoption *trees, int node,
			 int src, const char *const *names)
{
	int len, ret = 0;

	for (; *names && !ret; names++) {
		const void *val = fdt_getprop(trees->running, src, *names, &len);

		if (val)
			ret = copy_val(trees, node, *names, val, len);
	}
	return ret;
}

/**
 * kexec_fdt_mirror_named() - copy some properties, and delete the others of them
 * @trees: both trees
 * @node: node of the next kernel's tree
 * @src: node of the running tree
 * @names: their names; NULL is the last
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_mirror_named(const struct kexec_fdt_adoption *trees, int node,
			   int src, const char *const *names)
{
	int ret = kexec_fdt_del_props(trees->fdt, node, names);

	return ret ? ret : kexec_fdt_copy_named(trees, node, src, names);
}

/**
 * kexec_fdt_copy_props() - copy a node's properties
 * @trees: both trees
 * @node: node of the next kernel's tree
 * @src: node of the running tree
 * @replace: also those that @node has
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_copy_props(const struct kexec_fdt_adoption *trees, int node,
			 int src, bool replace)
{
	int prop, len, ret;

	fdt_for_each_property_offset(prop, trees->running, src) {
		const char *name;
		const void *val = fdt_getprop_by_offset(trees->running, prop,
							&name, &len);

		if (!val)
			return len;
		if (!replace && fdt_getprop(trees->fdt, node, name, NULL))
			continue;
		ret = copy_val(trees, node, name, val, len);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * What has a phandle in the running tree can be named by one in this tree: by
 * the same one, unless another node has that here
 */
static int keep_phandle(const struct kexec_fdt_adoption *trees, int node,
			int src)
{
	u32 phandle = fdt_get_phandle(trees->running, src);
	int ret = 0;

	if (!phandle || fdt_get_phandle(trees->fdt, node))
		return 0;
	if (fdt_node_offset_by_phandle(trees->fdt, phandle) >= 0)
		ret = fdt_generate_phandle(trees->fdt, &phandle);
	return ret ? ret :
		     fdt_setprop_u32(trees->fdt, node, "phandle", phandle);
}

/**
 * kexec_fdt_copy_node() - copy a node with all below it
 * @trees: both trees
 * @parent: node of the next kernel's tree
 * @src: node of the running tree; where @parent has one of its name, only what
 *	that lacks is copied
 * @depth: how deep it will be
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_copy_node(const struct kexec_fdt_adoption *trees, int parent,
			int src, int depth)
{
	const char *name = fdt_get_name(trees->running, src, NULL);
	int node, child, ret;

	if (!name || depth > KEXEC_FDT_MAX_DEPTH)
		return -FDT_ERR_BADSTRUCTURE;
	node = kexec_fdt_make_subnode(trees->fdt, parent, name);
	if (node < 0)
		return node;
	ret = kexec_fdt_copy_props(trees, node, src, false);
	if (!ret)
		ret = keep_phandle(trees, node, src);
	fdt_for_each_subnode(child, trees->running, src) {
		if (ret)
			break;
		/* What is written to is behind the start of this node */
		ret = kexec_fdt_copy_node(trees, node, child, depth + 1);
	}
	return ret;
}
