// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying from one device tree to another
 *
 * A phandle means nothing in another tree. Properties that consist of them are
 * not copied, but for regions of memory, which are looked up by name.
 */

#include <linux/libfdt.h>
#include <linux/string.h>

#include "fdt.h"

#define REGIONS_MAX 8

static const char *const phandle_lists[] = {
	"assigned-clock-parents",
	"assigned-clocks",
	"clocks",
	"cpu",
	"cpu-idle-states",
	"display",
	"dmas",
	"domain-idle-states",
	"interconnects",
	"interrupt-parent",
	"interrupts-extended",
	"iommu-addresses",
	"iommus",
	"l2-cache",
	"linux,phandle",
	"mboxes",
	"msi-parent",
	"next-level-cache",
	"nvmem-cells",
	"operating-points-v2",
	"panel",
	"performance-domains",
	"phys",
	"power-domains",
	"resets",
	"shmem",
	"sram",
	NULL
};

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && !strcmp(name + len - end_len, end);
}

static bool is_phandle_list(const char *name)
{
	for (int i = 0; phandle_lists[i]; i++) {
		if (!strcmp(name, phandle_lists[i]))
			return true;
	}
	return ends_in(name, "-supply") || ends_in(name, "-gpios") ||
	       !strncmp(name, "pinctrl-", 8);
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
 * @fdt: the tree
 * @node: node of @fdt
 * @src: the other tree
 * @src_node: node of @src
 *
 * Return: true if they are: as they are they can be copied.
 */
bool kexec_fdt_same_cells(const void *fdt, int node, const void *src,
			  int src_node)
{
	return fdt_address_cells(fdt, node) ==
		       fdt_address_cells(src, src_node) &&
	       fdt_size_cells(fdt, node) == fdt_size_cells(src, src_node);
}

/* The phandle that a region of reserved memory has in the other tree, or 0 */
static u32 map_region(const void *fdt, const void *src, u32 phandle)
{
	int region = fdt_node_offset_by_phandle(src, phandle);
	const char *name = fdt_get_name(src, region, NULL);
	int node = fdt_path_offset(fdt, "/reserved-memory");

	if (!name || fdt_parent_offset(src, region) !=
			     fdt_path_offset(src, "/reserved-memory"))
		return 0;
	node = fdt_subnode_offset(fdt, node, name);
	return node < 0 ? 0 : fdt_get_phandle(fdt, node);
}

static int copy_regions(void *fdt, int node, const void *src, const fdt32_t *val,
			int len)
{
	fdt32_t regions[REGIONS_MAX];
	u32 phandle;

	if (len % sizeof(*val) || len > (int)sizeof(regions))
		return 0;
	for (int i = 0; i < len / (int)sizeof(*val); i++) {
		phandle = map_region(fdt, src, fdt32_ld(&val[i]));
		if (!phandle)
			return 0;
		regions[i] = cpu_to_fdt32(phandle);
	}
	return fdt_setprop(fdt, node, "memory-region", regions, len);
}

static int copy_val(void *fdt, int node, const void *src, const char *name,
		    const void *val, int len)
{
	if (!strcmp(name, "memory-region"))
		return copy_regions(fdt, node, src, val, len);
	return is_phandle_list(name) ? 0 :
				       fdt_setprop(fdt, node, name, val, len);
}

/**
 * kexec_fdt_copy_prop() - copy a property, where there is one
 * @fdt: the tree, writable
 * @node: node of @fdt
 * @src: the other tree
 * @src_node: node of @src
 * @name: the property's name
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_copy_prop(void *fdt, int node, const void *src, int src_node,
			const char *name)
{
	int len;
	const void *val = fdt_getprop(src, src_node, name, &len);

	return val ? copy_val(fdt, node, src, name, val, len) : 0;
}

/**
 * kexec_fdt_mirror_prop() - copy a property, or delete it where there is none
 * @fdt: the tree, writable
 * @node: node of @fdt
 * @src: the other tree
 * @src_node: node of @src
 * @name: the property's name
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_mirror_prop(void *fdt, int node, const void *src, int src_node,
			  const char *name)
{
	int ret = fdt_delprop(fdt, node, name);

	if (ret && ret != -FDT_ERR_NOTFOUND)
		return ret;
	return kexec_fdt_copy_prop(fdt, node, src, src_node, name);
}

/**
 * kexec_fdt_copy_props() - copy a node's properties
 * @fdt: the tree, writable
 * @node: node of @fdt
 * @src: the other tree
 * @src_node: node of @src
 * @replace: also those that @node has
 * @skip: one that is not copied, or NULL
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_copy_props(void *fdt, int node, const void *src, int src_node,
			 bool replace, const char *skip)
{
	int prop;

	fdt_for_each_property_offset(prop, src, src_node) {
		const char *name;
		int len, ret;
		const void *val = fdt_getprop_by_offset(src, prop, &name, &len);

		if (!val)
			return len;
		if ((skip && !strcmp(name, skip)) ||
		    (!replace && fdt_getprop(fdt, node, name, NULL)))
			continue;
		ret = copy_val(fdt, node, src, name, val, len);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * A phandle that this tree has given to another node would lead its users
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
	if (ret)
		return ret;
	if (fdt_node_offset_by_phandle(fdt, phandle) != -FDT_ERR_NOTFOUND)
		return 0;
	return fdt_setprop_u32(fdt, node, "phandle", phandle);
}

/**
 * kexec_fdt_copy_node() - copy a node with all below it
 * @fdt: the tree, writable
 * @parent: node of @fdt
 * @src: the other tree
 * @src_node: node of @src; where @parent has one of its name, only what that
 *	lacks is copied
 * @depth: how deep it will be
 *
 * Return: 0 or a libfdt error.
 */
int kexec_fdt_copy_node(void *fdt, int parent, const void *src, int src_node,
			int depth)
{
	int name_len, node, child, ret;
	const char *name = fdt_get_name(src, src_node, &name_len);

	if (!name)
		return name_len;
	if (depth > KEXEC_FDT_MAX_DEPTH)
		return -FDT_ERR_BADSTRUCTURE;
	node = fdt_subnode_offset_namelen(fdt, parent, name, name_len);
	if (node == -FDT_ERR_NOTFOUND) {
		node = fdt_add_subnode_namelen(fdt, parent, name, name_len);
		if (node < 0)
			return node;
		ret = kexec_fdt_copy_props(fdt, node, src, src_node, false,
					   NULL);
		if (!ret)
			ret = drop_foreign_phandle(fdt, node);
	} else if (node >= 0) {
		ret = kexec_fdt_copy_props(fdt, node, src, src_node, false,
					   "phandle");
	} else {
		return node;
	}
	if (ret)
		return ret;

	fdt_for_each_subnode(child, src, src_node) {
		ret = kexec_fdt_copy_node(fdt, node, src, child, depth + 1);
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
