// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device tree for a kernel in a slot: check the staged one, and carry over from the running
 * one
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/kexec_stash_layout.h>
#include <linux/libfdt.h>

#include "fdt.h"
#include "tree.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define NOT_A_TREE	"is not a device tree"
#define BROKEN		"is a broken device tree"

#define RSV_RUNNING	0x7f000000
#define RSV_STAGED	0x7e000000

/* Firmware's version of the board's tree: a slot, pointers, addresses */
static void *running_tree(void)
{
	const struct edit edits[] = {
		edit_string("/", "serial-number", "4711"),
		edit_string("/", "model", "board as it runs"),
		edit_node("/chosen"),
		edit_string("/chosen", "bootargs", "old command line"),
		edit_cells("/chosen", "linux,uefi-system-table", 0, 0x7c000000),
		edit_string("/chosen", "stdout-path", "/serial@9000000"),
		edit_node("/aliases"),
		edit_string("/aliases", "ethernet0", "/ethernet@a000000"),
		edit_string("/aliases", "ethernet1", "/nowhere"),
		edit_string("/aliases", "serial0", "/serial@9000000"),
		edit_node("/ethernet@a000000"),
		edit_bytes("/ethernet@a000000", "local-mac-address", "\x52\x54\0\1\2\3"),
		edit_node("/serial@9000000"),
		edit_node("/firmware"),
		edit_node("/firmware/optee"),
		edit_string("/firmware/optee", "method", "smc"),
		edit_cells("/firmware/optee", "phandle", 7),
		edit_node("/psci"),
		edit_string("/psci", "compatible", "arm,psci-0.2"),
		edit_string("/psci", "method", "smc"),
		edit_node("/reserved-memory/tee@7d000000"),
		edit_cells("/reserved-memory/tee@7d000000", "reg", 0, 0x7d000000, 0, 0x100000),
		edit_bytes("/reserved-memory/tee@7d000000", "no-map", ""),
		edit_node("/reserved-memory/tee@7d000000/part"),
		edit_cells("/reserved-memory/tee@7d000000/part", "phandle", 9),
	};
	void *fdt = tree_good(2);

	for (size_t i = 0; i < ARRAY_SIZE(edits); i++)
		tree_edit(fdt, &edits[i]);
	assert_int_equal(fdt_add_mem_rsv(fdt, RSV_RUNNING, 0x10000), 0);
	return tree_exact(fdt);
}

/* A board's tree from a kernel's build: other memory, no firmware */
static void *staged_tree(const struct edit *edits, int nr_edits)
{
	const struct edit board[] = {
		edit_string("/", "model", "board as built"),
		edit_cells("/memory@40000000", "reg", 0, 0x40000000, 0, 0x1000),
		edit_node("/memory@80000000"),
		edit_string("/memory@80000000", "device_type", "memory"),
		edit_cells("/memory@80000000", "reg", 0, 0x80000000, 0, 0x1000),
		edit_node("/chosen"),
		edit_string("/chosen", "bootargs", "new command line"),
		edit_node("/ethernet@a000000"),
		edit_bytes("/ethernet@a000000", "local-mac-address", "\0\0\0\0\0\0"),
		edit_node("/serial@9000000"),
		edit_string("/serial@9000000", "compatible", "arm,pl011"),
	};
	void *fdt = tree_empty(2);

	for (size_t i = 0; i < ARRAY_SIZE(board); i++)
		tree_edit(fdt, &board[i]);
	for (int i = 0; i < nr_edits; i++)
		tree_edit(fdt, &edits[i]);
	assert_int_equal(fdt_add_mem_rsv(fdt, RSV_STAGED, 0x10000), 0);
	return tree_exact(fdt);
}

static const struct kexec_fdt_slot slots[] = {
	{ "a", 0x50000000, 0x8000000 },
	{ "b", 0x60000000, 0x8000000 },
	{ "c", 0x68000000, 0x8000000 },
	{ "high", 0x280000000, 0x8000000 },
};

static size_t room_for(const void *staged, const void *running)
{
	u32 size = fdt_totalsize(staged);

	return size + kexec_fdt_adopt_space(size, running);
}

static int adopt_into(void *fdt, size_t size, const void *staged, const void *running, char *why)
{
	struct kexec_fdt_adoption from = {
		.staged = staged,
		.running = running,
		.slots = slots,
		.nr_slots = ARRAY_SIZE(slots),
	};
	int ret = kexec_fdt_adopt(fdt, size, &from);

	assert_int_equal(!ret, !*from.why);
	memcpy(why, from.why, sizeof(from.why));
	return ret;
}

/* Adopt with just the room asked for; without @running from running_tree() */
static void *adopt(void *staged, const void *running)
{
	void *own = running ? NULL : running_tree();
	const void *from = running ? running : own;
	size_t size = room_for(staged, from);
	void *fdt = malloc(size);
	char refused[KEXEC_FDT_WHY_LEN];
	const char *why = "";

	assert_non_null(fdt);
	if (kexec_fdt_check(staged, fdt_totalsize(staged), &why))
		fail_msg("staged tree: %s", why);
	if (adopt_into(fdt, size, staged, from, refused))
		fail_msg("not adopted: %s", refused);
	assert_int_equal(fdt_check_full(fdt, size), 0);
	free(staged);
	free(own);
	return fdt;
}

static void assert_prop(const void *fdt, const char *path, const char *name, const void *want,
			int want_len)
{
	int len, node = fdt_path_offset(fdt, path);
	const void *val = fdt_getprop(fdt, node, name, &len);

	if (!val)
		fail_msg("%s: no property %s", path, name);
	assert_int_equal(len, want_len);
	assert_memory_equal(val, want, len);
}

static void assert_string(const void *fdt, const char *path, const char *name, const char *want)
{
	assert_prop(fdt, path, name, want, strlen(want) + 1);
}

static void assert_no_prop(const void *fdt, const char *path, const char *name)
{
	int node = fdt_path_offset(fdt, path);

	assert_true(node >= 0);
	assert_null(fdt_getprop(fdt, node, name, NULL));
}

static void assert_no_node(const void *fdt, const char *path)
{
	assert_int_equal(fdt_path_offset(fdt, path), -FDT_ERR_NOTFOUND);
}

static int nr_rsv(const void *fdt, u64 want)
{
	int n = 0;

	for (int i = 0; i < fdt_num_mem_rsv(fdt); i++) {
		u64 base, size;

		assert_int_equal(fdt_get_mem_rsv(fdt, i, &base, &size), 0);
		n += base == want;
	}
	return n;
}

/* Checking */

static void check(const void *dtb, u64 size, const char *want_why)
{
	const char *why = NULL;
	int ret = kexec_fdt_check(dtb, size, &why);

	if (want_why) {
		assert_int_equal(ret, -EINVAL);
		assert_string_equal(why, want_why);
	} else if (ret) {
		fail_msg("refused: %s", why);
	}
}

static void test_check_good_tree(void **state)
{
	void *fdt = running_tree(), *roomy = tree_good(1);

	(void)state;
	check(fdt, fdt_totalsize(fdt), NULL);
	check(roomy, TREE_SIZE, NULL);
	free(roomy);
	free(fdt);
}

static void test_check_no_tree(void **state)
{
	static const u64 text[8] = { 0x6e69622f2123 };

	(void)state;
	check(text, sizeof(text), NOT_A_TREE);
	check(text, 0, NOT_A_TREE);
}

static void test_check_size(void **state)
{
	void *fdt = tree_exact(tree_good(2));
	void *large = calloc(1, KEXEC_STASH_DTB_MAX);

	(void)state;
	assert_non_null(large);
	assert_int_equal(fdt_open_into(fdt, large, KEXEC_STASH_DTB_MAX), 0);
	check(large, KEXEC_STASH_DTB_MAX, NULL);
	check(large, KEXEC_STASH_DTB_MAX + 1, "is larger than 2 MiB");
	check(large, 1ULL << 32, "is larger than 2 MiB");
	free(large);
	free(fdt);
}

/* Each in an allocation of its own length, where the sanitizer sees a read too far */
static void test_check_truncated_file(void **state)
{
	void *fdt = tree_exact(tree_good(2));
	u32 size = fdt_totalsize(fdt);

	(void)state;
	for (u32 len = 0; len < size; len++) {
		void *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, fdt, len);
		check(copy, len, len < sizeof(struct fdt_header) ? NOT_A_TREE :
		      "is truncated: its header asks for more bytes than there are");
		free(copy);
	}
	free(fdt);
}

static void test_check_broken_header(void **state)
{
	static const struct {
		int offset;
		u32 value;
	} rows[] = {
		{ 4, 0 },		/* totalsize */
		{ 8, 0xfffffffc },	/* off_dt_struct */
		{ 8, 0 },
		{ 12, 0xffffffff },	/* off_dt_strings */
		{ 16, 0xfffffff8 },	/* off_mem_rsvmap */
		{ 20, 0 },		/* version */
		{ 20, 16 },
		{ 24, 18 },		/* last_comp_version */
		{ 32, 0xffffffff },	/* size_dt_strings */
		{ 36, 0xfffffffc },	/* size_dt_struct */
		{ 36, 0 },
		{ 36, 8 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 *fdt = tree_exact(tree_good(2));
		u32 size = fdt_totalsize(fdt);

		*(fdt32_t *)(fdt + rows[i].offset) = cpu_to_fdt32(rows[i].value);
		check(fdt, size, BROKEN);
		free(fdt);
	}
}

/* Words of the structure block, from its start: a root node with a property */
static void test_check_broken_structure(void **state)
{
	static const struct {
		int word;
		u32 value;
	} rows[] = {
		{ 0, 0 },		/* no tag there is */
		{ 0, FDT_END_NODE },	/* ends what did not begin */
		{ 0, FDT_END },		/* no root */
		{ 0, FDT_NOP },		/* no root where libfdt takes it for granted */
		{ 2, 0xdead },
		{ 3, 0x7fffffff },	/* length of the property */
		{ 3, 0xfffffff0 },
		{ 3, 0x10000 },
		{ 4, 0x7fffffff },	/* offset of its name */
		{ 4, 0xffffffff },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 *fdt = tree_exact(tree_good(2));
		fdt32_t *words = (fdt32_t *)(fdt + fdt_off_dt_struct(fdt));

		words[rows[i].word] = cpu_to_fdt32(rows[i].value);
		check(fdt, fdt_totalsize(fdt), BROKEN);
		free(fdt);
	}
}

static void test_check_strings_without_nul(void **state)
{
	u8 *fdt = tree_exact(tree_good(2));

	(void)state;
	memset(fdt + fdt_off_dt_strings(fdt), 'x', fdt_size_dt_strings(fdt));
	check(fdt, fdt_totalsize(fdt), BROKEN);
	free(fdt);
}

static void test_check_memreserve_without_end(void **state)
{
	u8 *fdt = tree_exact(tree_good(2));
	u32 from = fdt_off_mem_rsvmap(fdt);

	(void)state;
	/* From there to the tree's end without an entry of size 0 */
	fdt_set_off_mem_rsvmap(fdt, (fdt_totalsize(fdt) & ~7) - 8);
	check(fdt, fdt_totalsize(fdt), BROKEN);
	fdt_set_off_mem_rsvmap(fdt, from);
	check(fdt, fdt_totalsize(fdt), NULL);
	free(fdt);
}

/* It is the next kernel's running tree: nodes are copied from that, with all below them */
static void test_check_depth(void **state)
{
	(void)state;
	for (int depth = 15; depth <= 16; depth++) {
		void *fdt = tree_empty(2);
		int node = 0;

		/* The root is the first */
		for (int i = 0; i < depth; i++) {
			node = fdt_add_subnode(fdt, node, "x");
			assert_true(node > 0);
		}
		fdt = tree_exact(fdt);
		check(fdt, fdt_totalsize(fdt), depth > 15 ? BROKEN : NULL);
		free(fdt);
	}
}

static void test_check_ends_inside_a_node(void **state)
{
	u8 *fdt = tree_exact(tree_good(2));
	fdt32_t *end = (fdt32_t *)(fdt + fdt_off_dt_struct(fdt) + fdt_size_dt_struct(fdt));

	(void)state;
	/* Of the root's end and the tree's only the latter is left */
	assert_int_equal(fdt32_to_cpu(end[-2]), FDT_END_NODE);
	end[-2] = cpu_to_fdt32(FDT_NOP);
	check(fdt, fdt_totalsize(fdt), BROKEN);
	free(fdt);
}

/* Carrying over */

static void test_memory_is_the_running_trees(void **state)
{
	void *fdt = adopt(staged_tree(NULL, 0), NULL);
	const fdt32_t reg[] = { 0, cpu_to_fdt32(0x40000000), 0, cpu_to_fdt32(0x80000000) };

	(void)state;
	assert_prop(fdt, "/memory@40000000", "reg", reg, sizeof(reg));
	assert_string(fdt, "/memory@40000000", "device_type", "memory");
	assert_no_node(fdt, "/memory@80000000");
	free(fdt);
}

static void test_memory_without_device_type_is_replaced(void **state)
{
	const struct edit edits[] = {
		edit_delete("/memory@40000000", "device_type"),
		edit_delete("/memory@80000000", "device_type"),
		edit_node("/memory-controller@1000"),
	};
	void *fdt = adopt(staged_tree(edits, ARRAY_SIZE(edits)), NULL);
	const fdt32_t reg[] = { 0, cpu_to_fdt32(0x40000000), 0, cpu_to_fdt32(0x80000000) };

	(void)state;
	assert_prop(fdt, "/memory@40000000", "reg", reg, sizeof(reg));
	assert_string(fdt, "/memory@40000000", "device_type", "memory");
	assert_true(fdt_path_offset(fdt, "/memory-controller@1000") > 0);
	assert_no_node(fdt, "/memory@80000000");
	free(fdt);
}

static void test_board_is_the_staged_trees(void **state)
{
	void *fdt = adopt(staged_tree(NULL, 0), NULL);

	(void)state;
	assert_string(fdt, "/", "model", "board as built");
	assert_string(fdt, "/serial@9000000", "compatible", "arm,pl011");
	assert_no_node(fdt, "/aliases");
	free(fdt);
}

static void test_reserved_memory_is_carried_over(void **state)
{
	void *fdt = adopt(staged_tree(NULL, 0), NULL);
	const fdt32_t reg[] = { 0, cpu_to_fdt32(0x7d000000), 0, cpu_to_fdt32(0x100000) };
	const fdt32_t two = cpu_to_fdt32(2), nine = cpu_to_fdt32(9);

	(void)state;
	assert_prop(fdt, "/reserved-memory", "#address-cells", &two, sizeof(two));
	assert_prop(fdt, "/reserved-memory", "#size-cells", &two, sizeof(two));
	assert_prop(fdt, "/reserved-memory", "ranges", "", 0);
	assert_prop(fdt, "/reserved-memory/tee@7d000000", "reg", reg, sizeof(reg));
	assert_prop(fdt, "/reserved-memory/tee@7d000000", "no-map", "", 0);
	assert_prop(fdt, "/reserved-memory/tee@7d000000/part", "phandle", &nine, sizeof(nine));
	assert_string(fdt, "/reserved-memory/ramoops@48000000", "compatible", "ramoops");
	free(fdt);
}

static void test_slots_are_not_carried_over(void **state)
{
	void *fdt = adopt(staged_tree(NULL, 0), NULL);

	(void)state;
	assert_int_equal(kexec_stash_record_next(fdt, -1), -ENOENT);
	assert_no_node(fdt, TREE_NODE);
	free(fdt);
}

static void test_slots_of_the_staged_tree_are_dropped(void **state)
{
	const struct edit edits[] = {
		edit_node("/reserved-memory"),
		edit_cells("/reserved-memory", "#address-cells", 2),
		edit_cells("/reserved-memory", "#size-cells", 2),
		edit_node("/reserved-memory/x@1"),
		edit_string("/reserved-memory/x@1", "compatible", KEXEC_STASH_COMPATIBLE),
		edit_node("/reserved-memory/x@2"),
		edit_string("/reserved-memory/x@2", "compatible", KEXEC_STASH_COMPATIBLE),
		edit_string("/reserved-memory/x@2", "status", "disabled"),
	};
	void *fdt = adopt(staged_tree(edits, ARRAY_SIZE(edits)), NULL);

	(void)state;
	assert_int_equal(kexec_stash_record_next(fdt, -1), -ENOENT);
	free(fdt);
}

static void test_region_is_where_firmware_put_it(void **state)
{
	const struct edit edits[] = {
		edit_node("/reserved-memory"),
		edit_cells("/reserved-memory", "#address-cells", 2),
		edit_cells("/reserved-memory", "#size-cells", 2),
		edit_bytes("/reserved-memory", "ranges", ""),
		edit_node("/reserved-memory/tee@7d000000"),
		edit_cells("/reserved-memory/tee@7d000000", "reg", 0, 0x7d000000, 0, 0x1000),
		edit_string("/reserved-memory/tee@7d000000", "compatible", "board,tee"),
		edit_node("/reserved-memory/own@70000000"),
		edit_cells("/reserved-memory/own@70000000", "reg", 0, 0x70000000, 0, 0x1000),
	};
	void *fdt = adopt(staged_tree(edits, ARRAY_SIZE(edits)), NULL);
	const fdt32_t reg[] = { 0, cpu_to_fdt32(0x7d000000), 0, cpu_to_fdt32(0x100000) };

	(void)state;
	assert_prop(fdt, "/reserved-memory/tee@7d000000", "reg", reg, sizeof(reg));
	assert_string(fdt, "/reserved-memory/tee@7d000000", "compatible", "board,tee");
	assert_prop(fdt, "/reserved-memory/tee@7d000000", "no-map", "", 0);
	assert_true(fdt_path_offset(fdt, "/reserved-memory/own@70000000") > 0);
	free(fdt);
}

static void test_memreserve_is_the_running_trees(void **state)
{
	void *fdt = adopt(staged_tree(NULL, 0), NULL);

	(void)state;
	assert_int_equal(fdt_num_mem_rsv(fdt), 1);
	assert_int_equal(nr_rsv(fdt, RSV_RUNNING), 1);
	free(fdt);
}

/* As many as possible: they are gone, and so is their room */
static void test_many_memreserve_entries(void **state)
{
	void *few = staged_tree(NULL, 0), *large = malloc(KEXEC_STASH_DTB_MAX), *fdt, *want;

	(void)state;
	assert_non_null(large);
	assert_int_equal(fdt_open_into(few, large, KEXEC_STASH_DTB_MAX), 0);
	while (!fdt_add_mem_rsv(large, 0x50000000 + 0x1000ULL * fdt_num_mem_rsv(large), 0x1000) &&
	       fdt_num_mem_rsv(large) < 1000)
		;
	assert_int_equal(fdt_num_mem_rsv(large), 1000);
	assert_int_equal(fdt_pack(large), 0);
	want = adopt(few, NULL);
	fdt = adopt(large, NULL);
	assert_int_equal(fdt_pack(want), 0);
	assert_int_equal(fdt_pack(fdt), 0);
	assert_int_equal(fdt_totalsize(fdt), fdt_totalsize(want));
	assert_memory_equal(fdt, want, fdt_totalsize(want));
	free(want);
	free(fdt);
}

static void test_chosen(void **state)
{
	const fdt32_t table[] = { 0, cpu_to_fdt32(0x7c000000) };
	void *fdt = adopt(staged_tree(NULL, 0), NULL);

	(void)state;
	assert_string(fdt, "/chosen", "bootargs", "new command line");
	assert_prop(fdt, "/chosen", "linux,uefi-system-table", table, sizeof(table));
	assert_string(fdt, "/chosen", "stdout-path", "/serial@9000000");
	free(fdt);
}

static void test_efi_pointers_are_the_running_trees(void **state)
{
	const struct edit edits[] = {
		edit_cells("/chosen", "linux,uefi-system-table", 0, 0x11111111),
		edit_cells("/chosen", "linux,uefi-mmap-start", 0, 0x22222222),
		edit_cells("/chosen", "linux,other", 3),
	};
	const fdt32_t table[] = { 0, cpu_to_fdt32(0x7c000000) };
	void *running = tree_exact(tree_empty(2));
	void *fdt = adopt(staged_tree(edits, ARRAY_SIZE(edits)), NULL);

	(void)state;
	assert_prop(fdt, "/chosen", "linux,uefi-system-table", table, sizeof(table));
	assert_no_prop(fdt, "/chosen", "linux,uefi-mmap-start");
	assert_true(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "linux,other", NULL));
	free(fdt);
	fdt = adopt(staged_tree(edits, ARRAY_SIZE(edits)), running);
	assert_no_prop(fdt, "/chosen", "linux,uefi-system-table");
	assert_string(fdt, "/chosen", "bootargs", "new command line");
	free(fdt);
	free(running);
}

static void test_command_line_is_not_carried_over(void **state)
{
	const struct edit edits[] = { edit_delete_node("/chosen") };
	void *fdt = adopt(staged_tree(edits, 1), NULL);

	(void)state;
	assert_no_prop(fdt, "/chosen", "bootargs");
	assert_string(fdt, "/chosen", "stdout-path", "/serial@9000000");
	free(fdt);
}

static void test_firmware_nodes(void **state)
{
	const struct edit edits[] = {
		edit_node("/firmware"),
		edit_node("/firmware/scmi"),
	};
	void *fdt = adopt(staged_tree(edits, ARRAY_SIZE(edits)), NULL);

	(void)state;
	assert_string(fdt, "/firmware/optee", "method", "smc");
	assert_true(fdt_path_offset(fdt, "/firmware/scmi") > 0);
	free(fdt);
	fdt = adopt(staged_tree(NULL, 0), NULL);
	assert_string(fdt, "/firmware/optee", "method", "smc");
	assert_string(fdt, "/psci", "method", "smc");
	free(fdt);
}

static void test_addresses_and_serial_number(void **state)
{
	void *fdt = adopt(staged_tree(NULL, 0), NULL);

	(void)state;
	assert_prop(fdt, "/ethernet@a000000", "local-mac-address", "\x52\x54\0\1\2\3", 6);
	assert_no_prop(fdt, "/ethernet@a000000", "mac-address");
	assert_string(fdt, "/", "serial-number", "4711");
	free(fdt);
}

static void test_phandle_that_is_free_stays(void **state)
{
	void *fdt = adopt(staged_tree(NULL, 0), NULL);

	(void)state;
	assert_int_equal(fdt_node_offset_by_phandle(fdt, 7),
			 fdt_path_offset(fdt, "/firmware/optee"));
	free(fdt);
}

static void assert_own_phandle(const void *fdt, const char *path)
{
	int node = fdt_path_offset(fdt, path);

	assert_true(node > 0);
	assert_int_equal(fdt_node_offset_by_phandle(fdt, fdt_get_phandle(fdt, node)), node);
}

static void test_phandle_of_another_node_is_not_taken(void **state)
{
	const struct edit edits[] = {
		edit_cells("/serial@9000000", "phandle", 7),
		edit_cells("/ethernet@a000000", "phandle", 9),
	};
	void *fdt = adopt(staged_tree(edits, ARRAY_SIZE(edits)), NULL);

	(void)state;
	assert_int_equal(fdt_node_offset_by_phandle(fdt, 7),
			 fdt_path_offset(fdt, "/serial@9000000"));
	assert_own_phandle(fdt, "/firmware/optee");
	assert_own_phandle(fdt, "/reserved-memory/tee@7d000000/part");
	free(fdt);
}

static void test_nothing_to_carry_over(void **state)
{
	void *running = tree_exact(tree_empty(2));
	void *fdt = adopt(staged_tree(NULL, 0), running);

	(void)state;
	assert_string(fdt, "/", "model", "board as built");
	assert_no_node(fdt, "/reserved-memory");
	assert_no_node(fdt, "/firmware");
	assert_no_prop(fdt, "/", "serial-number");
	free(fdt);
	free(running);
}

static void test_forty_in_a_row_do_not_grow(void **state)
{
	void *staged = staged_tree(NULL, 0), *running = NULL;
	u32 size = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		void *copy = malloc(fdt_totalsize(staged)), *next;

		assert_non_null(copy);
		memcpy(copy, staged, fdt_totalsize(staged));
		next = adopt(copy, running);
		assert_int_equal(fdt_pack(next), 0);
		if (size)
			assert_int_equal(fdt_totalsize(next), size);
		size = fdt_totalsize(next);
		free(running);
		running = next;
	}
	free(running);
	free(staged);
}

/* With each room from none to enough: an error, and no byte written behind it */
static void test_no_room(void **state)
{
	void *staged = staged_tree(NULL, 0), *running = running_tree();
	size_t room, most = kexec_fdt_adopt_space(fdt_totalsize(staged), running);
	char why[KEXEC_FDT_WHY_LEN];
	int ret = -FDT_ERR_NOSPACE;

	(void)state;
	for (room = 0; ret && room < most; room++) {
		size_t size = fdt_totalsize(staged) + room;
		void *fdt = malloc(size);

		assert_non_null(fdt);
		ret = adopt_into(fdt, size, staged, running, why);
		if (ret)
			assert_int_equal(ret, -FDT_ERR_NOSPACE);
		free(fdt);
	}
	assert_int_equal(ret, 0);
	assert_true(room > 300);
	free(running);
	free(staged);
}

/* Any staged tree that passes the check is adopted without harm, or refused */
static void test_every_byte_changed(void **state)
{
	static const u8 masks[] = { 0x01, 0x02, 0x04, 0x40, 0x80, 0xff };
	u8 *staged = staged_tree(NULL, 0);
	void *running = running_tree();
	u32 staged_size = fdt_totalsize(staged);
	size_t size = room_for(staged, running);
	void *fdt = malloc(size);
	char refused[KEXEC_FDT_WHY_LEN];
	int adopted = 0;

	(void)state;
	assert_non_null(fdt);
	for (u32 i = 0; i < staged_size; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(masks); j++) {
			const char *why;

			staged[i] ^= masks[j];
			if (!kexec_fdt_check(staged, staged_size, &why) &&
			    !adopt_into(fdt, size, staged, running, refused)) {
				if (kexec_fdt_check(fdt, fdt_totalsize(fdt), &why))
					fail_msg("byte %u: the new tree %s", i, why);
				adopted++;
			}
			staged[i] ^= masks[j];
		}
	}
	/* Most of a tree's bytes are values, which mean nothing here */
	assert_true(adopted > staged_size);
	free(fdt);
	free(running);
	free(staged);
}

/* Ranges that devices write to */

static void test_keep_range_once(void **state)
{
	void *fdt = tree_good(2);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kexec_fdt_keep_range(fdt, 0x70000000, 0x10000), 0);
		assert_int_equal(kexec_fdt_keep_range(fdt, 0x71000000, 0x10000), 0);
		assert_int_equal(kexec_fdt_keep_range(fdt, 0x70000000, 0x20000), 0);
	}
	assert_int_equal(fdt_num_mem_rsv(fdt), 3);
	assert_int_equal(nr_rsv(fdt, 0x70000000), 2);
	assert_int_equal(nr_rsv(fdt, 0x71000000), 1);
	assert_int_equal(fdt_check_full(fdt, TREE_SIZE), 0);
	free(fdt);
}

static void test_overlap_with_memreserve(void **state)
{
	void *fdt = tree_good(2);

	(void)state;
	assert_int_equal(kexec_fdt_keep_range(fdt, 0x70000000, 0x10000), 0);
	assert_true(kexec_fdt_overlaps_memreserve(fdt, 0x6fff0000, 0x10001));
	assert_true(kexec_fdt_overlaps_memreserve(fdt, 0x7000ffff, 0x1000));
	assert_false(kexec_fdt_overlaps_memreserve(fdt, 0x6fff0000, 0x10000));
	assert_false(kexec_fdt_overlaps_memreserve(fdt, 0x70010000, 0x1000));
	free(fdt);
}

static void test_keep_range_without_room(void **state)
{
	void *fdt = tree_exact(tree_good(2));

	(void)state;
	assert_int_equal(kexec_fdt_keep_range(fdt, 0x70000000, 0x10000), -FDT_ERR_NOSPACE);
	assert_int_equal(fdt_num_mem_rsv(fdt), 0);
	free(fdt);
}

/* Just the named entry, and none that only begins there */
static void test_entry_is_dropped(void **state)
{
	void *fdt = tree_good(2);
	u64 base, size;

	(void)state;
	assert_int_equal(kexec_fdt_unreserve(fdt, 0x50800000, 0x1234), 0);
	assert_int_equal(kexec_fdt_keep_range(fdt, 0x50800000, 0x1234), 0);
	assert_int_equal(kexec_fdt_keep_range(fdt, 0x50800000, 0x2000), 0);
	assert_int_equal(kexec_fdt_unreserve(fdt, 0x50800000, 0x1233), 0);
	assert_int_equal(fdt_num_mem_rsv(fdt), 2);
	assert_int_equal(kexec_fdt_unreserve(fdt, 0x50800000, 0x1234), 0);
	assert_int_equal(fdt_num_mem_rsv(fdt), 1);
	assert_int_equal(fdt_get_mem_rsv(fdt, 0, &base, &size), 0);
	assert_int_equal(size, 0x2000);
	assert_int_equal(kexec_fdt_unreserve(fdt, 0x50800000, 0x1234), 0);
	assert_int_equal(fdt_num_mem_rsv(fdt), 1);
	assert_int_equal(fdt_check_full(fdt, TREE_SIZE), 0);
	free(fdt);
}

static void test_own_command_line(void **state)
{
	static const struct {
		struct edit edit;
		const char *bootargs;
		bool bad;
	} rows[] = {
		{ edit_string("/chosen", "bootargs", "root=/dev/vda1"), "root=/dev/vda1", false },
		{ edit_string("/chosen", "bootargs", ""), NULL, false },
		{ edit_delete("/chosen", "bootargs"), NULL, false },
		{ edit_delete_node("/chosen"), NULL, false },
		{ edit_bytes("/chosen", "bootargs", ""), NULL, true },
		{ edit_bytes("/chosen", "bootargs", "quiet"), NULL, true },
		{ edit_bytes("/chosen", "bootargs", "quiet\0splash\0"), NULL, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		void *fdt = staged_tree(&rows[i].edit, 1);
		const char *bootargs = "", *why = NULL;
		int ret = kexec_fdt_bootargs(fdt, &bootargs, &why);

		assert_int_equal(ret, rows[i].bad ? -EINVAL : 0);
		assert_int_equal(!bootargs, !rows[i].bootargs);
		if (bootargs)
			assert_string_equal(bootargs, rows[i].bootargs);
		if (rows[i].bad)
			assert_string_equal(why, "has bootargs that are no string");
		free(fdt);
	}
}

/* The first ones stay whole; of the others only the slot stays, in the same order */
static void test_forget_payloads(void **state)
{
	const struct edit handover = edit_cells("", "hand-over", 1, 2);

	(void)state;
	for (int but = 0; but <= 2; but++) {
		struct kexec_stash_record rec = { .label = "b", .base = 0x60000000,
						  .size = 0x200000, .bootargs = "quiet" };
		void *fdt = tree_good(2);
		struct kexec_stash_fault fault;
		int node = -1, parent;

		tree_edit(fdt, &handover);
		rec.file[KEXEC_STASH_KERNEL].size = 1;
		assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
		parent = fdt_path_offset(fdt, "/reserved-memory");
		assert_int_equal(kexec_fdt_forget_payloads(fdt, parent, but), 0);
		assert_int_equal(fdt_check_full(fdt, TREE_SIZE), 0);
		for (int i = 0; i < 2; i++) {
			node = kexec_stash_record_next(fdt, node);
			assert_true(node > 0);
			assert_int_equal(kexec_stash_record_read(fdt, node, &rec, &fault), 0);
			assert_string_equal(rec.label, i ? "a" : "b");
			assert_int_equal(!!rec.file[KEXEC_STASH_KERNEL].size, i < but);
			assert_int_equal(!!rec.bootargs, i < but);
			assert_int_equal(!!rec.handover, i && i < but);
			assert_int_equal(rec.origin, i && i < but ? KEXEC_STASH_EARLY :
								   KEXEC_STASH_FIRMWARE);
			assert_int_equal(fdt_first_subnode(fdt, node) >= 0, i < but);
		}
		assert_int_equal(kexec_stash_record_next(fdt, node), -ENOENT);
		free(fdt);
	}
}

/* Early boot overwrites a seed, the next kexec sets a new one: the tree does not grow */
static void test_squeeze_takes_out_what_was_deleted(void **state)
{
	void *fdt = tree_good(2);
	u32 size = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		u8 seed[128];
		int chosen, len;

		memset(seed, i, sizeof(seed));
		chosen = fdt_path_offset(fdt, "/chosen");
		if (chosen < 0)
			chosen = fdt_add_subnode(fdt, 0, "chosen");
		assert_int_equal(fdt_setprop(fdt, chosen, "rng-seed", seed, sizeof(seed)), 0);
		assert_int_equal(fdt_setprop_string(fdt, chosen, "bootargs", "quiet"), 0);
		assert_int_equal(kexec_fdt_squeeze(fdt), 0);
		assert_int_equal(fdt_pack(fdt), 0);
		assert_int_equal(fdt_check_full(fdt, TREE_SIZE), 0);
		if (!size)
			size = fdt_totalsize(fdt);
		assert_int_equal(fdt_totalsize(fdt), size);

		chosen = fdt_path_offset(fdt, "/chosen");
		assert_memory_equal(fdt_getprop(fdt, chosen, "rng-seed", &len), seed, sizeof(seed));
		assert_string_equal(fdt_getprop(fdt, chosen, "bootargs", NULL), "quiet");
		assert_true(fdt_path_offset(fdt, TREE_NODE) > 0);
		assert_int_equal(fdt_nop_property(fdt, chosen, "rng-seed"), 0);
		assert_int_equal(fdt_open_into(fdt, fdt, TREE_SIZE), 0);
	}
	free(fdt);
}

int main(void)
{
	static const struct CMUnitTest checks[] = {
		cmocka_unit_test(test_check_good_tree),
		cmocka_unit_test(test_check_no_tree),
		cmocka_unit_test(test_check_size),
		cmocka_unit_test(test_check_truncated_file),
		cmocka_unit_test(test_check_broken_header),
		cmocka_unit_test(test_check_broken_structure),
		cmocka_unit_test(test_check_strings_without_nul),
		cmocka_unit_test(test_check_memreserve_without_end),
		cmocka_unit_test(test_check_depth),
		cmocka_unit_test(test_check_ends_inside_a_node),
	};
	static const struct CMUnitTest adoptions[] = {
		cmocka_unit_test(test_memory_is_the_running_trees),
		cmocka_unit_test(test_memory_without_device_type_is_replaced),
		cmocka_unit_test(test_board_is_the_staged_trees),
		cmocka_unit_test(test_reserved_memory_is_carried_over),
		cmocka_unit_test(test_slots_are_not_carried_over),
		cmocka_unit_test(test_slots_of_the_staged_tree_are_dropped),
		cmocka_unit_test(test_region_is_where_firmware_put_it),
		cmocka_unit_test(test_memreserve_is_the_running_trees),
		cmocka_unit_test(test_many_memreserve_entries),
		cmocka_unit_test(test_chosen),
		cmocka_unit_test(test_efi_pointers_are_the_running_trees),
		cmocka_unit_test(test_command_line_is_not_carried_over),
		cmocka_unit_test(test_firmware_nodes),
		cmocka_unit_test(test_addresses_and_serial_number),
		cmocka_unit_test(test_phandle_that_is_free_stays),
		cmocka_unit_test(test_phandle_of_another_node_is_not_taken),
		cmocka_unit_test(test_nothing_to_carry_over),
		cmocka_unit_test(test_forty_in_a_row_do_not_grow),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_every_byte_changed),
		cmocka_unit_test(test_keep_range_once),
		cmocka_unit_test(test_overlap_with_memreserve),
		cmocka_unit_test(test_keep_range_without_room),
		cmocka_unit_test(test_entry_is_dropped),
		cmocka_unit_test(test_squeeze_takes_out_what_was_deleted),
		cmocka_unit_test(test_own_command_line),
		cmocka_unit_test(test_forget_payloads),
	};
	int failed;

	failed = cmocka_run_group_tests_name("dtb checked", checks, NULL, NULL);
	failed += cmocka_run_group_tests_name("dtb adopted", adoptions, NULL, NULL);
	return failed ? 1 : 0;
}
