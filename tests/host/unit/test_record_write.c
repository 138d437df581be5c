// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Write and remove records: round trips, no growth, no room, trees that cannot be written to
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/kexec_stash_record.h>
#include <linux/libfdt.h>
#include <linux/sizes.h>

#include "sane.h"
#include "tree.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define SLOTS	KEXEC_STASH_SLOTS_MAX

static u8 signature[KEXEC_STASH_SIGNATURE_LEN];

static struct kexec_stash_record plain_record(const char *label, u64 base)
{
	struct kexec_stash_record rec = { .base = base, .size = 0x8000000 };

	snprintf(rec.label, sizeof(rec.label), "%s", label);
	return rec;
}

static void add_file(struct kexec_stash_record *rec, enum kexec_stash_file_id id, u64 offset,
		     u64 size, enum kexec_stash_hash hash)
{
	struct kexec_stash_file *file = &rec->file[id];

	file->offset = offset;
	file->size = size;
	file->hash = hash;
	count_up(file->digest, kexec_stash_hash_len(hash), 0x20 * (id + 1));
}

static struct kexec_stash_record full_record(const char *label, u64 base)
{
	struct kexec_stash_record rec = plain_record(label, base);

	rec.origin = KEXEC_STASH_RUNTIME;
	rec.bootargs = "root=/dev/vda1 quiet";
	add_file(&rec, KEXEC_STASH_KERNEL, 0, 0x1ff0001, KEXEC_STASH_SHA256);
	add_file(&rec, KEXEC_STASH_INITRD, 0x2000000, 0x2800003, KEXEC_STASH_SHA512);
	add_file(&rec, KEXEC_STASH_DTB, 0x7a00000, 0x12345, KEXEC_STASH_SHA384);
	rec.file[KEXEC_STASH_INITRD].signature = signature;
	rec.file[KEXEC_STASH_INITRD].signature_len = 71;
	rec.file[KEXEC_STASH_DTB].authenticated = true;
	return rec;
}

/* The largest record: nothing takes more room in a tree */
static struct kexec_stash_record largest_record(char *bootargs)
{
	struct kexec_stash_record rec = full_record("abcdefghijklmnopqrstuvwxyz01234",
						    0xfedcba9876400000ULL);

	memset(bootargs, 'x', KEXEC_STASH_BOOTARGS_LEN - 1);
	bootargs[KEXEC_STASH_BOOTARGS_LEN - 1] = '\0';
	rec.bootargs = bootargs;
	rec.disabled = true;
	rec.handover = ~0ULL;
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		add_file(&rec, i, rec.file[i].offset, rec.file[i].size, KEXEC_STASH_SHA512);
		rec.file[i].signature = signature;
		rec.file[i].signature_len = KEXEC_STASH_SIGNATURE_LEN;
		rec.file[i].authenticated = true;
	}
	return rec;
}

static void assert_file_equal(const struct kexec_stash_file *got,
			      const struct kexec_stash_file *want)
{
	assert_int_equal(got->offset, want->offset);
	assert_int_equal(got->size, want->size);
	assert_int_equal(got->hash, want->hash);
	assert_memory_equal(got->digest, want->digest, sizeof(got->digest));
	assert_int_equal(got->signature_len, want->signature_len);
	if (want->signature_len)
		assert_memory_equal(got->signature, want->signature, want->signature_len);
	assert_int_equal(got->authenticated, want->authenticated);
}

static void assert_record_equal(const struct kexec_stash_record *got,
				const struct kexec_stash_record *want)
{
	assert_string_equal(got->label, want->label);
	assert_int_equal(got->base, want->base);
	assert_int_equal(got->size, want->size);
	assert_int_equal(got->disabled, want->disabled);
	assert_int_equal(got->handover, want->handover);
	assert_int_equal(got->origin, want->origin);
	assert_int_equal(!got->bootargs, !want->bootargs);
	if (want->bootargs)
		assert_string_equal(got->bootargs, want->bootargs);
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++)
		assert_file_equal(&got->file[i], &want->file[i]);
}

/* Read the record of a label; returns how many have that label */
static int find(const void *fdt, const char *label, struct kexec_stash_record *found)
{
	int node = -1, n = 0;

	while ((node = kexec_stash_record_next(fdt, node)) >= 0) {
		struct kexec_stash_record rec;
		struct kexec_stash_fault fault;

		if (kexec_stash_record_read(fdt, node, &rec, &fault))
			fail_msg("written, but refused: %s %s %s", fault.node, fault.property,
				 fault.why);
		assert_null(record_insane(fdt, &rec));
		if (!strcmp(rec.label, label)) {
			*found = rec;
			n++;
		}
	}
	return n;
}

static int count(const void *fdt)
{
	int node = -1, n = 0;

	while ((node = kexec_stash_record_next(fdt, node)) >= 0)
		n++;
	return n;
}

static void assert_whole(const void *fdt)
{
	assert_int_equal(fdt_check_full(fdt, fdt_totalsize(fdt)), 0);
}

/* Write into a tree with exactly the room that kexec_stash_record_space() asks for */
static void *with_room_for(void *fdt, const struct kexec_stash_record *rec)
{
	size_t size;
	void *roomy;

	assert_int_equal(fdt_pack(fdt), 0);
	size = fdt_totalsize(fdt) + kexec_stash_record_space(rec);
	roomy = malloc(size);
	assert_non_null(roomy);
	assert_int_equal(fdt_open_into(fdt, roomy, size), 0);
	free(fdt);
	return roomy;
}

static void round_trip(void *fdt, const struct kexec_stash_record *rec)
{
	struct kexec_stash_record found;

	fdt = with_room_for(fdt, rec);
	assert_int_equal(kexec_stash_record_write(fdt, rec), 0);
	assert_whole(fdt);
	assert_int_equal(find(fdt, rec->label, &found), 1);
	assert_record_equal(&found, rec);
	free(fdt);
}

static void test_round_trips(void **state)
{
	char bootargs[KEXEC_STASH_BOOTARGS_LEN];
	struct kexec_stash_record recs[] = {
		plain_record("a", 0x50000000),
		full_record("a", 0x50000000),
		full_record("b", 0xffc00000),
		full_record("rescue", 0),
		full_record("x", 0),
	};
	struct kexec_stash_record largest = largest_record(bootargs);

	(void)state;
	recs[2].size = 0x200000;
	memset(recs[2].file, 0, sizeof(recs[2].file));
	recs[3].disabled = true;
	recs[4].origin = KEXEC_STASH_FIRMWARE;
	recs[4].bootargs = "";
	for (size_t i = 0; i < ARRAY_SIZE(recs); i++) {
		for (int cells = 1; cells <= 2; cells++) {
			round_trip(tree_empty(cells), &recs[i]);
			round_trip(tree_good(cells), &recs[i]);
		}
	}
	round_trip(tree_empty(2), &largest);
	round_trip(tree_good(2), &largest);
}

static void test_reserved_memory_is_made_with_the_roots_cells(void **state)
{
	struct kexec_stash_record rec = full_record("a", 0x50000000);

	(void)state;
	for (int cells = 1; cells <= 2; cells++) {
		void *fdt = tree_empty(cells);
		int node, len;

		assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
		node = fdt_path_offset(fdt, "/reserved-memory");
		assert_non_null(fdt_getprop(fdt, node, "#address-cells", NULL));
		assert_non_null(fdt_getprop(fdt, node, "#size-cells", NULL));
		assert_int_equal(fdt_address_cells(fdt, node), cells);
		assert_int_equal(fdt_size_cells(fdt, node), cells);
		assert_non_null(fdt_getprop(fdt, node, "ranges", &len));
		assert_int_equal(len, 0);
		free(fdt);
	}
}

static void test_node_names(void **state)
{
	static const struct {
		u64 base;
		const char *path;
	} rows[] = {
		{ 0, "/reserved-memory/kexec-stash@0" },
		{ 0x200000, "/reserved-memory/kexec-stash@200000" },
		{ 0x50000000, "/reserved-memory/kexec-stash@50000000" },
		{ 0x100000000, "/reserved-memory/kexec-stash@100000000" },
		{ 0xabcdef0000000000, "/reserved-memory/kexec-stash@abcdef0000000000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kexec_stash_record rec = plain_record("a", rows[i].base);
		void *fdt = tree_empty(2);

		assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
		assert_true(fdt_path_offset(fdt, rows[i].path) > 0);
		free(fdt);
	}
}

static void test_only_what_is_there_is_written(void **state)
{
	struct kexec_stash_record rec = plain_record("a", 0x50000000);
	void *fdt = tree_empty(2);
	int node;

	(void)state;
	add_file(&rec, KEXEC_STASH_KERNEL, 0, 4096, KEXEC_STASH_HASH_NONE);
	assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
	node = kexec_stash_record_next(fdt, -1);
	assert_null(fdt_getprop(fdt, node, "status", NULL));
	assert_null(fdt_getprop(fdt, node, "origin", NULL));
	assert_null(fdt_getprop(fdt, node, "bootargs", NULL));
	assert_int_equal(fdt_subnode_offset(fdt, node, "initrd"), -FDT_ERR_NOTFOUND);
	assert_int_equal(fdt_subnode_offset(fdt, node, "dtb"), -FDT_ERR_NOTFOUND);
	node = fdt_subnode_offset(fdt, node, "kernel");
	assert_true(node > 0);
	assert_int_equal(fdt_first_subnode(fdt, node), -FDT_ERR_NOTFOUND);
	assert_null(fdt_getprop(fdt, node, "ima-signature", NULL));
	assert_null(fdt_getprop(fdt, node, "authenticated", NULL));
	free(fdt);
}

static void test_files_are_in_order(void **state)
{
	struct kexec_stash_record rec = full_record("a", 0x50000000);
	void *fdt = tree_empty(2);
	int node;

	(void)state;
	assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
	node = fdt_first_subnode(fdt, kexec_stash_record_next(fdt, -1));
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		assert_string_equal(fdt_get_name(fdt, node, NULL), kexec_stash_file_name(i));
		node = fdt_next_subnode(fdt, node);
	}
	assert_int_equal(node, -FDT_ERR_NOTFOUND);
	free(fdt);
}

static void test_same_label_is_replaced(void **state)
{
	struct kexec_stash_record rec = plain_record("a", 0x50000000), found;
	void *fdt = tree_good(2);	/* with a full "a" at the same base */

	(void)state;
	assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
	assert_int_equal(count(fdt), 1);
	assert_int_equal(find(fdt, "a", &found), 1);
	assert_record_equal(&found, &rec);

	rec = full_record("a", 0x60000000);
	assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
	assert_int_equal(count(fdt), 1);
	assert_int_equal(find(fdt, "a", &found), 1);
	assert_record_equal(&found, &rec);
	free(fdt);
}

static void slot_label(char *label, int i)
{
	snprintf(label, KEXEC_STASH_LABEL_LEN, "slot-%d", i);
}

static void test_eight_slots(void **state)
{
	struct kexec_stash_record found;
	char label[KEXEC_STASH_LABEL_LEN];
	void *fdt = tree_empty(2);

	(void)state;
	for (int i = 0; i < SLOTS; i++) {
		struct kexec_stash_record rec;

		slot_label(label, i);
		rec = full_record(label, 0x50000000 + i * 0x8000000ULL);
		assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
	}
	assert_whole(fdt);
	assert_int_equal(count(fdt), SLOTS);
	for (int i = 0; i < SLOTS; i++) {
		struct kexec_stash_record rec;

		slot_label(label, i);
		rec = full_record(label, 0x50000000 + i * 0x8000000ULL);
		assert_int_equal(find(fdt, label, &found), 1);
		assert_record_equal(&found, &rec);
	}
	free(fdt);
}

/* Each kernel does this: read all records of the old tree, write them into the new one */
static void copy_records(const void *from, void *to)
{
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault;
	int node = -1;

	while ((node = kexec_stash_record_next(from, node)) >= 0) {
		assert_int_equal(kexec_stash_record_read(from, node, &rec, &fault), 0);
		assert_int_equal(kexec_stash_record_write(to, &rec), 0);
	}
}

static u32 pack(void *fdt)
{
	assert_int_equal(fdt_pack(fdt), 0);
	return fdt_totalsize(fdt);
}

static u32 packed_size(void *fdt)
{
	u32 size = pack(fdt);

	assert_int_equal(fdt_open_into(fdt, fdt, TREE_SIZE), 0);
	return size;
}

static void test_a_hundred_rewrites_do_not_grow_the_tree(void **state)
{
	char label[KEXEC_STASH_LABEL_LEN];
	void *fdt[2] = { tree_good(2), malloc(TREE_SIZE) };
	u32 size;

	(void)state;
	assert_non_null(fdt[1]);
	for (int i = 1; i < SLOTS; i++) {
		struct kexec_stash_record rec;

		slot_label(label, i);
		rec = full_record(label, 0x60000000 + i * 0x8000000ULL);
		assert_int_equal(kexec_stash_record_write(fdt[0], &rec), 0);
	}
	/* The first copy may add strings that the tree did not have */
	assert_int_equal(fdt_open_into(fdt[0], fdt[1], TREE_SIZE), 0);
	copy_records(fdt[0], fdt[1]);
	size = packed_size(fdt[1]);
	for (int i = 0; i < 100; i++) {
		void *from = fdt[(i + 1) % 2], *to = fdt[i % 2];

		assert_int_equal(fdt_open_into(from, to, TREE_SIZE), 0);
		copy_records(from, to);
		assert_whole(to);
		assert_int_equal(packed_size(to), size);
		assert_int_equal(count(to), SLOTS);
	}
	free(fdt[0]);
	free(fdt[1]);
}

static void test_a_hundred_removals_do_not_grow_the_tree(void **state)
{
	struct kexec_stash_record rec = full_record("b", 0x60000000);
	void *fdt = tree_good(2);
	u32 size;

	(void)state;
	assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
	size = packed_size(fdt);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(kexec_stash_record_remove(fdt, "b"), 0);
		assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
		assert_int_equal(packed_size(fdt), size);
	}
	free(fdt);
}

/* With each room from none to enough: -ENOSPC, a whole tree, no half record, the other as it was */
static void no_room(void *(*make)(int cells), const struct kexec_stash_record *rec)
{
	struct kexec_stash_record before, found;
	u32 room, size;
	int records, ret = -ENOSPC;
	void *tree = make(2);

	size = pack(tree);
	records = find(tree, "a", &before);
	for (room = 0; ret; room++) {
		void *fdt = malloc(size + room);

		assert_non_null(fdt);
		assert_int_equal(fdt_open_into(tree, fdt, size + room), 0);
		ret = kexec_stash_record_write(fdt, rec);
		assert_whole(fdt);
		assert_int_equal(find(fdt, "a", &found), records);
		if (records)
			assert_record_equal(&found, &before);
		if (ret) {
			assert_int_equal(ret, -ENOSPC);
			assert_int_equal(count(fdt), records);
		} else {
			assert_int_equal(count(fdt), records + 1);
		}
		free(fdt);
	}
	assert_in_range(room, 200, kexec_stash_record_space(rec));
	free(tree);
}

static void test_no_room(void **state)
{
	struct kexec_stash_record rec = full_record("b", 0x60000000);

	(void)state;
	no_room(tree_empty, &rec);
	no_room(tree_good, &rec);
}

static void test_no_room_leaves_no_reserved_memory_by_halves(void **state)
{
	struct kexec_stash_record rec = plain_record("b", 0x60000000);
	void *tree = tree_empty(2);
	u32 size = pack(tree);

	(void)state;
	for (u32 room = 0; room < 120; room++) {
		void *fdt = malloc(size + room);
		int node;

		assert_non_null(fdt);
		assert_int_equal(fdt_open_into(tree, fdt, size + room), 0);
		assert_int_equal(kexec_stash_record_write(fdt, &rec), -ENOSPC);
		node = fdt_path_offset(fdt, "/reserved-memory");
		if (node >= 0)
			assert_non_null(fdt_getprop(fdt, node, "ranges", NULL));
		free(fdt);
	}
	free(tree);
}

static void assert_cannot_hold(int cells, const struct kexec_stash_record *rec)
{
	void *fdt = tree_good(cells);
	struct kexec_stash_record found;

	assert_int_equal(kexec_stash_record_write(fdt, rec), -ERANGE);
	assert_whole(fdt);
	assert_int_equal(count(fdt), 1);
	assert_int_equal(find(fdt, "a", &found), 1);
	free(fdt);
}

static void test_cells_that_cannot_hold_the_range(void **state)
{
	struct kexec_stash_record rec = plain_record("b", 1ULL << 32);

	(void)state;
	assert_cannot_hold(1, &rec);
	rec = plain_record("b", 0x60000000);
	rec.size = 1ULL << 32;
	assert_cannot_hold(1, &rec);
}

static void test_cells_of_unknown_size(void **state)
{
	static const u32 sizes[] = { 0, 3, 4, 5, 0xffffffff };
	struct kexec_stash_record rec = plain_record("b", 0x60000000);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *fdt = tree_empty(2);

		assert_int_equal(fdt_setprop_u32(fdt, 0, "#address-cells", sizes[i]), 0);
		assert_int_equal(kexec_stash_record_write(fdt, &rec), -ERANGE);
		assert_whole(fdt);
		assert_int_equal(count(fdt), 0);
		free(fdt);
	}
}

/* Of two slots at one base, writing one removes the other, good or bad */
static void test_base_of_another_label(void **state)
{
	const struct edit rows[] = {
		edit_string("", "status", "okay"),
		edit_string("", "label", "/"),
		edit_delete("", "label"),
		edit_delete("", "reg"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kexec_stash_record rec = full_record("b", TREE_BASE), found;
		void *fdt = tree_good(2);

		tree_edit(fdt, &rows[i]);
		assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
		assert_whole(fdt);
		assert_int_equal(count(fdt), 1);
		assert_int_equal(find(fdt, "b", &found), 1);
		assert_record_equal(&found, &rec);
		free(fdt);
	}
}

static void test_name_of_what_is_no_record(void **state)
{
	const struct edit edit = edit_string("", "compatible", "shared-dma-pool");
	struct kexec_stash_record rec = plain_record("b", TREE_BASE);
	void *fdt = tree_good(2);

	(void)state;
	tree_edit(fdt, &edit);
	assert_int_equal(kexec_stash_record_write(fdt, &rec), -EEXIST);
	assert_whole(fdt);
	assert_int_equal(count(fdt), 0);
	assert_true(fdt_path_offset(fdt, TREE_NODE) > 0);
	free(fdt);
}

#define CHILD	"/reserved-memory/pool"

/* A /reserved-memory that Linux ignores, and whether it is repaired */
struct repair {
	const char *name;
	bool repaired;
	struct edit edits[6];
};

/* It begins as a node with just a child, beside a root of two cells */
static const struct repair repairs[] = {
	{ "nothing in it", true, { edit_delete_node(CHILD) } },
	{ "no property", true, { edit_string(CHILD, "compatible", "shared-dma-pool") } },
	{ "cells of 1", true,
	  { edit_cells("/reserved-memory", "#address-cells", 1),
	    edit_cells("/reserved-memory", "#size-cells", 1),
	    edit_bytes("/reserved-memory", "ranges", "") } },
	{ "one of the cells of 1", true,
	  { edit_cells("/reserved-memory", "#address-cells", 2),
	    edit_cells("/reserved-memory", "#size-cells", 1),
	    edit_bytes("/reserved-memory", "ranges", "") } },
	{ "no ranges", true,
	  { edit_cells("/reserved-memory", "#address-cells", 2),
	    edit_cells("/reserved-memory", "#size-cells", 2) } },
	{ "cells of the wrong length", true,
	  { edit_cells("/reserved-memory", "#address-cells", 0, 2),
	    edit_bytes("/reserved-memory", "#size-cells", ""),
	    edit_bytes("/reserved-memory", "ranges", "") } },
	{ "child with reg", false,
	  { edit_cells("/reserved-memory", "#address-cells", 1),
	    edit_cells("/reserved-memory", "#size-cells", 1),
	    edit_bytes("/reserved-memory", "ranges", ""),
	    edit_cells(CHILD, "reg", 0x70000000, 0x100000) } },
	{ "child with reg, no ranges", false,
	  { edit_cells("/reserved-memory", "#address-cells", 2),
	    edit_cells("/reserved-memory", "#size-cells", 2),
	    edit_cells(CHILD, "reg", 0, 0x70000000, 0, 0x100000) } },
	{ "child with size", false, { edit_cells(CHILD, "size", 0x100000) } },
	{ "child with alloc-ranges", false,
	  { edit_cells(CHILD, "alloc-ranges", 0x60000000, 0x10000000) } },
	{ "child with alignment", false, { edit_cells(CHILD, "alignment", 0x10000) } },
};

static void *ignored_tree(const struct repair *row)
{
	const struct edit begin[] = { edit_node("/reserved-memory"), edit_node(CHILD) };
	void *fdt = tree_empty(2);

	for (size_t i = 0; i < ARRAY_SIZE(begin); i++)
		tree_edit(fdt, &begin[i]);
	for (size_t i = 0; i < ARRAY_SIZE(row->edits) && row->edits[i].node; i++)
		tree_edit(fdt, &row->edits[i]);
	return fdt;
}

static void test_repair(void **state)
{
	struct kexec_stash_record rec = full_record("a", 0x123450000000), found;
	const struct repair *row = *state;
	struct kexec_stash_fault fault = { 0 };
	void *fdt = ignored_tree(row), *before = malloc(TREE_SIZE);

	assert_int_equal(kexec_stash_parent_check(fdt, &fault), -EINVAL);
	assert_non_null(strstr(fault.why, "so Linux ignores /reserved-memory"));
	assert_non_null(before);
	memcpy(before, fdt, TREE_SIZE);
	if (row->repaired) {
		round_trip(ignored_tree(row), &rec);
		assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
		assert_int_equal(kexec_stash_parent_check(fdt, &fault), 0);
		assert_int_equal(find(fdt, "a", &found), 1);
		assert_record_equal(&found, &rec);
		assert_int_equal(count(fdt), 1);
	} else {
		assert_int_equal(kexec_stash_record_parent(fdt), -ERANGE);
		assert_int_equal(kexec_stash_record_write(fdt, &rec), -ERANGE);
		assert_memory_equal(fdt, before, TREE_SIZE);
	}
	assert_whole(fdt);
	free(before);
	free(fdt);
}

/* As Linux does it if the root says nothing, unlike libfdt */
static void test_root_without_cells(void **state)
{
	struct kexec_stash_record rec = full_record("a", 0x50000000);
	void *fdt = tree_empty(1);
	int node;

	(void)state;
	assert_int_equal(fdt_delprop(fdt, 0, "#address-cells"), 0);
	assert_int_equal(fdt_delprop(fdt, 0, "#size-cells"), 0);
	round_trip(tree_exact(fdt), &rec);
	fdt = tree_empty(2);
	assert_int_equal(fdt_delprop(fdt, 0, "#address-cells"), 0);
	node = kexec_stash_record_parent(fdt);
	assert_true(node > 0);
	assert_int_equal(fdt_address_cells(fdt, node), 1);
	assert_int_equal(fdt_size_cells(fdt, node), 2);
	free(fdt);
}

static void test_tree_of_an_old_version(void **state)
{
	struct kexec_stash_record rec = plain_record("b", 0x60000000);
	void *fdt = tree_empty(2);

	(void)state;
	fdt_set_version(fdt, 16);
	assert_int_equal(kexec_stash_record_write(fdt, &rec), -EINVAL);
	assert_int_equal(fdt_open_into(fdt, fdt, TREE_SIZE), 0);
	assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
	free(fdt);
}

static void test_remove(void **state)
{
	struct kexec_stash_record found;
	void *fdt = tree_good(2);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct kexec_stash_record rec = full_record(i ? "aa" : "A", 0x60000000 + i * SZ_2M);

		rec.disabled = i;
		assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
	}
	assert_int_equal(kexec_stash_record_remove(fdt, "b"), 0);
	assert_int_equal(kexec_stash_record_remove(fdt, ""), 0);
	assert_int_equal(count(fdt), 3);
	assert_int_equal(kexec_stash_record_remove(fdt, "a"), 0);
	assert_int_equal(count(fdt), 2);
	assert_int_equal(find(fdt, "a", &found), 0);
	assert_int_equal(find(fdt, "A", &found), 1);
	assert_int_equal(find(fdt, "aa", &found), 1);
	assert_int_equal(kexec_stash_record_remove(fdt, "aa"), 0);
	assert_int_equal(count(fdt), 1);
	assert_whole(fdt);
	assert_true(fdt_path_offset(fdt, "/reserved-memory/ramoops@48000000") > 0);
	free(fdt);
}

static void test_remove_takes_all_of_a_label(void **state)
{
	static const char * const nodes[] = { "kexec-stash@60000000", "kexec-stash@70000000" };
	void *fdt = tree_good(2);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		int node = fdt_add_subnode(fdt, fdt_path_offset(fdt, "/reserved-memory"), nodes[i]);

		fdt_setprop_string(fdt, node, "compatible", KEXEC_STASH_COMPATIBLE);
		fdt_setprop_string(fdt, node, "label", "a");
	}
	assert_int_equal(count(fdt), 3);
	assert_int_equal(kexec_stash_record_remove(fdt, "a"), 0);
	assert_int_equal(count(fdt), 0);
	assert_whole(fdt);
	free(fdt);
}

static void test_remove_where_there_is_none(void **state)
{
	void *fdt = tree_empty(2);

	(void)state;
	assert_int_equal(kexec_stash_record_remove(fdt, "a"), 0);
	assert_whole(fdt);
	free(fdt);
}

/* Writing into a broken tree may fail, and stays inside it: the sanitizers watch */
static void test_every_byte_changed(void **state)
{
	static const u8 masks[] = { 0x01, 0x04, 0x10, 0x80, 0xff };
	struct kexec_stash_record rec = full_record("b", 0x60000000);
	void *good = tree_good(2);
	u32 room = kexec_stash_record_space(&rec), size = pack(good);
	u8 *fdt = malloc(size + room);

	(void)state;
	assert_non_null(fdt);
	for (u32 i = 0; i < size; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(masks); j++) {
			const char *why;
			int ret;

			assert_int_equal(fdt_open_into(good, fdt, size + room), 0);
			fdt[i] ^= masks[j];
			if (fdt_check_header(fdt) || fdt_totalsize(fdt) > size + room)
				continue;
			ret = kexec_stash_record_write(fdt, &rec);
			if (ret && ret != -EINVAL && ret != -ENOSPC && ret != -ERANGE &&
			    ret != -EEXIST)
				fail_msg("byte %u: error %d", i, ret);
			why = fdt_check_header(fdt) ? NULL : walk_records(fdt);
			if (why)
				fail_msg("byte %u: %s", i, why);
			kexec_stash_record_remove(fdt, "b");
		}
	}
	free(fdt);
	free(good);
}

static int set_up(void **state)
{
	(void)state;
	count_up(signature, sizeof(signature), 3);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_reserved_memory_is_made_with_the_roots_cells),
		cmocka_unit_test(test_node_names),
		cmocka_unit_test(test_only_what_is_there_is_written),
		cmocka_unit_test(test_files_are_in_order),
		cmocka_unit_test(test_same_label_is_replaced),
		cmocka_unit_test(test_eight_slots),
		cmocka_unit_test(test_a_hundred_rewrites_do_not_grow_the_tree),
		cmocka_unit_test(test_a_hundred_removals_do_not_grow_the_tree),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_no_room_leaves_no_reserved_memory_by_halves),
		cmocka_unit_test(test_cells_that_cannot_hold_the_range),
		cmocka_unit_test(test_cells_of_unknown_size),
		cmocka_unit_test(test_base_of_another_label),
		cmocka_unit_test(test_name_of_what_is_no_record),
		cmocka_unit_test(test_root_without_cells),
		cmocka_unit_test(test_tree_of_an_old_version),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_remove_takes_all_of_a_label),
		cmocka_unit_test(test_remove_where_there_is_none),
		cmocka_unit_test(test_every_byte_changed),
	};
	struct CMUnitTest repaired[ARRAY_SIZE(repairs)] = { 0 };
	int failed;

	for (size_t i = 0; i < ARRAY_SIZE(repairs); i++) {
		repaired[i].name = repairs[i].name;
		repaired[i].test_func = test_repair;
		repaired[i].initial_state = (void *)&repairs[i];
	}
	failed = cmocka_run_group_tests_name("record write", tests, set_up, NULL);
	failed += cmocka_run_group_tests_name("repaired", repaired, NULL, NULL);
	return failed ? 1 : 0;
}
