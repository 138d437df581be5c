// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device trees for the unit tests, see tree.h
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/kexec_stash_record.h>
#include <linux/libfdt.h>

#include "tree.h"

/* A libfdt call that sets up a test and must not fail */
static int must(int ret)
{
	if (ret < 0)
		fail_msg("setting up a tree: %s", fdt_strerror(ret));
	return ret;
}

void count_up(u8 *buf, int len, u8 first)
{
	for (int i = 0; i < len; i++)
		buf[i] = first + i;
}

static void put_counting(void *fdt, const char *name, int len, u8 first)
{
	u8 buf[256];

	count_up(buf, len, first);
	must(fdt_property(fdt, name, buf, len));
}

static void put_range(void *fdt, int cells, u64 base, u64 size)
{
	if (cells == 2) {
		fdt64_t reg[2] = { cpu_to_fdt64(base), cpu_to_fdt64(size) };

		must(fdt_property(fdt, "reg", reg, sizeof(reg)));
	} else {
		fdt32_t reg[2] = { cpu_to_fdt32(base), cpu_to_fdt32(size) };

		must(fdt_property(fdt, "reg", reg, sizeof(reg)));
	}
}

static void put_hash(void *fdt, const char *algo, int len, u8 first)
{
	must(fdt_begin_node(fdt, "hash-1"));
	must(fdt_property_string(fdt, "algo", algo));
	put_counting(fdt, "value", len, first);
	must(fdt_end_node(fdt));
}

static void put_record(void *fdt, int cells)
{
	must(fdt_begin_node(fdt, "kexec-stash@50000000"));
	must(fdt_property_string(fdt, "compatible", KEXEC_STASH_COMPATIBLE));
	put_range(fdt, cells, TREE_BASE, TREE_SLOT);
	must(fdt_property_string(fdt, "label", "a"));
	must(fdt_property_string(fdt, "origin", "early"));
	must(fdt_property_string(fdt, "bootargs", "console=ttyAMA0"));

	must(fdt_begin_node(fdt, "kernel"));
	must(fdt_property_u32(fdt, "data-offset", 0));
	must(fdt_property_u32(fdt, "data-size", 0x1ff0001));
	put_counting(fdt, "ima-signature", TREE_SIGNATURE_LEN, TREE_SIGNATURE_FIRST);
	put_hash(fdt, "sha256", 32, TREE_SHA256_FIRST);
	must(fdt_end_node(fdt));

	must(fdt_begin_node(fdt, "initrd"));
	must(fdt_property_u64(fdt, "data-offset", 0x2000000));
	must(fdt_property_u64(fdt, "data-size", 0x2800003));
	put_hash(fdt, "sha512", 64, TREE_SHA512_FIRST);
	must(fdt_end_node(fdt));

	must(fdt_begin_node(fdt, "dtb"));
	must(fdt_property_u64(fdt, "data-offset", 0x7a00000));
	must(fdt_property_u32(fdt, "data-size", 0x12345));
	put_hash(fdt, "sha384", 48, TREE_SHA384_FIRST);
	must(fdt_end_node(fdt));

	must(fdt_end_node(fdt));
}

static void *make(int cells, bool with_record)
{
	void *fdt = malloc(TREE_SIZE);

	assert_non_null(fdt);
	must(fdt_create(fdt, TREE_SIZE));
	must(fdt_finish_reservemap(fdt));
	must(fdt_begin_node(fdt, ""));
	must(fdt_property_u32(fdt, "#address-cells", cells));
	must(fdt_property_u32(fdt, "#size-cells", cells));
	must(fdt_property_string(fdt, "model", "unit test"));
	must(fdt_begin_node(fdt, "memory@40000000"));
	must(fdt_property_string(fdt, "device_type", "memory"));
	put_range(fdt, cells, 0x40000000, 0x80000000);
	must(fdt_end_node(fdt));
	if (with_record) {
		must(fdt_begin_node(fdt, "reserved-memory"));
		must(fdt_property_u32(fdt, "#address-cells", cells));
		must(fdt_property_u32(fdt, "#size-cells", cells));
		must(fdt_property(fdt, "ranges", "", 0));
		must(fdt_begin_node(fdt, "ramoops@48000000"));
		must(fdt_property_string(fdt, "compatible", "ramoops"));
		must(fdt_end_node(fdt));
		put_record(fdt, cells);
		must(fdt_end_node(fdt));
	}
	must(fdt_end_node(fdt));
	must(fdt_finish(fdt));
	must(fdt_open_into(fdt, fdt, TREE_SIZE));
	return fdt;
}

void *tree_empty(int cells)
{
	return make(cells, false);
}

void *tree_good(int cells)
{
	return make(cells, true);
}

/* Full path of an edit's node, and where its last component starts */
static char *edit_path(const struct edit *edit, char *path, size_t size)
{
	if (edit->node[0] == '/')
		snprintf(path, size, "%s", edit->node);
	else
		snprintf(path, size, "%s%s%s", TREE_NODE, edit->node[0] ? "/" : "", edit->node);
	return strrchr(path, '/') + 1;
}

void tree_edit(void *fdt, const struct edit *edit)
{
	char path[128];
	char *last = edit_path(edit, path, sizeof(path));
	fdt32_t cells[16];
	char fill[4096];
	int node, i;

	if (edit->kind == NODE) {
		last[-1] = '\0';
		node = must(fdt_path_offset(fdt, path[0] ? path : "/"));
		must(fdt_add_subnode(fdt, node, last));
		return;
	}
	node = must(fdt_path_offset(fdt, path));
	switch (edit->kind) {
	case DELETE:
		must(fdt_delprop(fdt, node, edit->property));
		break;
	case DELETE_NODE:
		must(fdt_del_node(fdt, node));
		break;
	case STRING:
		must(fdt_setprop_string(fdt, node, edit->property, edit->data));
		break;
	case CELLS:
		for (i = 0; i < edit->len; i++)
			cells[i] = cpu_to_fdt32(((const u32 *)edit->data)[i]);
		must(fdt_setprop(fdt, node, edit->property, cells, edit->len * sizeof(*cells)));
		break;
	case BYTES:
		must(fdt_setprop(fdt, node, edit->property, edit->data, edit->len));
		break;
	case BOTH_CELLS:
		must(fdt_setprop_u32(fdt, node, "#address-cells", edit->len));
		must(fdt_setprop_u32(fdt, node, "#size-cells", edit->len));
		break;
	case FILL:
		memset(fill, 'x', edit->len);
		must(fdt_setprop(fdt, node, edit->property, fill, edit->len));
		break;
	case NODE:
		break;
	}
}

void *tree_exact(void *fdt)
{
	void *copy;

	must(fdt_pack(fdt));
	copy = malloc(fdt_totalsize(fdt));
	assert_non_null(copy);
	memcpy(copy, fdt, fdt_totalsize(fdt));
	free(fdt);
	return copy;
}
