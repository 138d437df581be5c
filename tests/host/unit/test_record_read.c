// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Read records: what is accepted, what is refused and why, and trees made to break the reader
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

#include "sane.h"
#include "tree.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define EDITS_MAX	4

#define LABEL_31	"abcdefghijklmnopqrstuvwxyz01234"

/* A change to the good tree that makes its record bad, and the fault to name */
struct refusal {
	const char *name;
	const char *node;
	const char *property;
	const char *why;
	struct edit edits[EDITS_MAX];
};

#define NOT_2M_BASE	"has a base that is not a multiple of 2 MiB"
#define NOT_2M_SIZE	"has a size that is not a multiple of 2 MiB"
#define NOT_ONE_RANGE	"is not one address and size"
#define BAD_CELLS	"has cells of an unknown size"
#define NO_STRING	"is missing or no string"
#define BAD_LABEL	"cannot name a slot"
#define BAD_NUMBER	"is missing or not 32 or 64 bits"
#define OUTSIDE		"reaches outside the slot"
#define OVERLAP		"overlaps another file"
#define BAD_ALGO	"is no known hash"
#define BAD_VALUE	"is not as long as its algo says"
#define BAD_BOOTARGS	"is no string or too long"
#define BAD_ORIGIN	"is not a known one"
#define BAD_HANDOVER	"is not 64 bits"
#define BAD_SIGNATURE	"is empty or too long"
#define NOT_EMPTY	"is not empty"
#define IGNORED		"is missing, so Linux ignores /reserved-memory"
#define UNLIKE_ROOT	"is not the root's, so Linux ignores /reserved-memory"

static const struct refusal refusals[] = {
	/* The range */
	{ "reg missing", "", "reg", "is missing", { edit_delete("", "reg") } },
	{ "reg empty", "", "reg", NOT_ONE_RANGE, { edit_bytes("", "reg", "") } },
	{ "reg short of a cell", "", "reg", NOT_ONE_RANGE,
	  { edit_cells("", "reg", 0, 0x50000000, 0) } },
	{ "reg of 32 bit cells in a 64 bit tree", "", "reg", NOT_ONE_RANGE,
	  { edit_cells("", "reg", 0x50000000, 0x8000000) } },
	{ "reg of 64 bit cells in a 32 bit tree", "", "reg", NOT_ONE_RANGE,
	  { edit_both_cells("/", 1), edit_both_cells("/reserved-memory", 1) } },
	{ "reg with a second range", "", "reg", NOT_ONE_RANGE,
	  { edit_cells("", "reg", 0, 0x50000000, 0, 0x8000000, 0, 0x60000000, 0, 0x8000000) } },
	{ "reg of odd length", "", "reg", NOT_ONE_RANGE,
	  { edit_bytes("", "reg", "\0\0\0\0\x50\0\0\0\0\0\0\0\x08\0\0") } },
	{ "0 address and size cells", "", "reg", BAD_CELLS,
	  { edit_both_cells("/", 0), edit_both_cells("/reserved-memory", 0) } },
	{ "3 address and size cells", "", "reg", BAD_CELLS,
	  { edit_both_cells("/", 3), edit_both_cells("/reserved-memory", 3) } },
	{ "0xffffffff address and size cells", "", "reg", BAD_CELLS,
	  { edit_both_cells("/", 0xffffffff), edit_both_cells("/reserved-memory", 0xffffffff) } },
	{ "cells of 5 bytes", "", "reg", BAD_CELLS,
	  { edit_bytes("/reserved-memory", "#address-cells", "\0\0\0\2\0") } },

	/* Its parent node, see __reserved_mem_check_root() */
	{ "cells unlike the root's", "", "#address-cells", UNLIKE_ROOT,
	  { edit_both_cells("/reserved-memory", 1) } },
	{ "address cells unlike the root's", "", "#address-cells", UNLIKE_ROOT,
	  { edit_cells("/reserved-memory", "#address-cells", 1) } },
	{ "size cells unlike the root's", "", "#size-cells", UNLIKE_ROOT,
	  { edit_cells("/reserved-memory", "#size-cells", 1) } },
	{ "the root has other cells", "", "#size-cells", UNLIKE_ROOT,
	  { edit_cells("/", "#size-cells", 1) } },
	{ "the root has no cells, which means 1", "", "#address-cells", UNLIKE_ROOT,
	  { edit_delete("/", "#address-cells"), edit_delete("/", "#size-cells") } },
	{ "address cells missing", "", "#address-cells", IGNORED,
	  { edit_delete("/reserved-memory", "#address-cells") } },
	{ "size cells missing", "", "#size-cells", IGNORED,
	  { edit_delete("/reserved-memory", "#size-cells") } },
	{ "size cells missing, and the root's are 1", "", "#size-cells", IGNORED,
	  { edit_cells("/", "#size-cells", 1),
	    edit_delete("/reserved-memory", "#size-cells") } },
	{ "cells of 3 bytes", "", "#address-cells", IGNORED,
	  { edit_bytes("/reserved-memory", "#address-cells", "\0\0\2") } },
	{ "ranges missing", "", "ranges", IGNORED,
	  { edit_delete("/reserved-memory", "ranges") } },
	{ "ranges missing, and more is wrong", "", "ranges", IGNORED,
	  { edit_delete("/reserved-memory", "ranges"), edit_delete("", "label"),
	    edit_delete("", "reg") } },

	{ "base 1 MiB off", "", "reg", NOT_2M_BASE,
	  { edit_cells("", "reg", 0, 0x50100000, 0, 0x8000000) } },
	{ "base 1 byte off", "", "reg", NOT_2M_BASE,
	  { edit_cells("", "reg", 0, 0x50000001, 0, 0x8000000) } },
	{ "size 1 MiB off", "", "reg", NOT_2M_SIZE,
	  { edit_cells("", "reg", 0, 0x50000000, 0, 0x8100000) } },
	{ "size 0", "", "reg", NOT_2M_SIZE, { edit_cells("", "reg", 0, 0x50000000, 0, 0) } },
	{ "range up to the end of 64 bits", "", "reg", "wraps around",
	  { edit_cells("", "reg", 0xffffffff, 0xffe00000, 0, 0x200000) } },
	{ "range beyond the end of 64 bits", "", "reg", "wraps around",
	  { edit_cells("", "reg", 0x80000000, 0, 0x80000000, 0x200000) } },
	{ "no-map", "", "no-map", "is set: a slot needs a linear mapping",
	  { edit_bytes("", "no-map", "") } },

	/* The slot's own words */
	{ "label missing", "", "label", NO_STRING, { edit_delete("", "label") } },
	{ "label of no bytes", "", "label", NO_STRING, { edit_bytes("", "label", "") } },
	{ "label without NUL", "", "label", NO_STRING, { edit_bytes("", "label", "a") } },
	{ "label of two strings", "", "label", NO_STRING, { edit_bytes("", "label", "a\0b\0") } },
	{ "label of 4096 letters without NUL", "", "label", NO_STRING,
	  { edit_fill("", "label", 4096) } },
	{ "label empty", "", "label", BAD_LABEL, { edit_string("", "label", "") } },
	{ "label of 32 letters", "", "label", BAD_LABEL,
	  { edit_string("", "label", LABEL_31 "5") } },
	{ "label with a slash", "", "label", BAD_LABEL, { edit_string("", "label", "a/b") } },
	{ "label ..", "", "label", BAD_LABEL, { edit_string("", "label", "..") } },
	{ "label that looks like an option", "", "label", BAD_LABEL,
	  { edit_string("", "label", "-a") } },
	{ "label with a space", "", "label", BAD_LABEL, { edit_string("", "label", "a b") } },
	{ "label with a newline", "", "label", BAD_LABEL, { edit_string("", "label", "a\n") } },
	{ "label with a byte above 127", "", "label", BAD_LABEL,
	  { edit_string("", "label", "a\xe4") } },
	{ "hand-over of 32 bits", "", "hand-over", BAD_HANDOVER,
	  { edit_cells("", "hand-over", 1) } },
	{ "hand-over of 96 bits", "", "hand-over", BAD_HANDOVER,
	  { edit_cells("", "hand-over", 0, 0, 1) } },
	{ "hand-over empty", "", "hand-over", BAD_HANDOVER, { edit_bytes("", "hand-over", "") } },
	{ "bootargs without NUL", "", "bootargs", BAD_BOOTARGS,
	  { edit_bytes("", "bootargs", "quiet") } },
	{ "bootargs of no bytes", "", "bootargs", BAD_BOOTARGS,
	  { edit_bytes("", "bootargs", "") } },
	{ "bootargs with a NUL inside", "", "bootargs", BAD_BOOTARGS,
	  { edit_bytes("", "bootargs", "quiet\0 init=/bin/sh\0") } },
	{ "origin unknown", "", "origin", BAD_ORIGIN, { edit_string("", "origin", "aliens") } },
	{ "origin empty", "", "origin", BAD_ORIGIN, { edit_string("", "origin", "") } },
	{ "origin without NUL", "", "origin", BAD_ORIGIN, { edit_bytes("", "origin", "early") } },

	/* Where the files are */
	{ "data-offset missing", "kernel", "data-offset", BAD_NUMBER,
	  { edit_delete("kernel", "data-offset") } },
	{ "data-offset empty", "initrd", "data-offset", BAD_NUMBER,
	  { edit_bytes("initrd", "data-offset", "") } },
	{ "data-offset of 3 bytes", "initrd", "data-offset", BAD_NUMBER,
	  { edit_bytes("initrd", "data-offset", "\2\0\0") } },
	{ "data-offset of 96 bits", "initrd", "data-offset", BAD_NUMBER,
	  { edit_cells("initrd", "data-offset", 0, 0, 0x2000000) } },
	{ "data-size missing", "dtb", "data-size", BAD_NUMBER,
	  { edit_delete("dtb", "data-size") } },
	{ "data-size of 7 bytes", "dtb", "data-size", BAD_NUMBER,
	  { edit_bytes("dtb", "data-size", "\0\0\0\0\0\x12\x34") } },
	{ "data-size of 96 bits", "dtb", "data-size", BAD_NUMBER,
	  { edit_cells("dtb", "data-size", 0, 0, 0x12345) } },
	{ "data-size 0 in 32 bits", "initrd", "data-size", "is 0",
	  { edit_cells("initrd", "data-size", 0) } },
	{ "data-size 0 in 64 bits", "initrd", "data-size", "is 0",
	  { edit_cells("initrd", "data-size", 0, 0) } },
	{ "kernel off the base", "kernel", "data-offset", "is not 0",
	  { edit_cells("kernel", "data-offset", 0x200000),
	    edit_cells("kernel", "data-size", 4096) } },
	{ "offset not a multiple of 64 KiB", "initrd", "data-offset",
	  "is not a multiple of 64 KiB", { edit_cells("initrd", "data-offset", 0x2001000) } },
	{ "kernel larger than the slot, 32 bits", "kernel", "data-size", OUTSIDE,
	  { edit_cells("kernel", "data-size", 0x8000001) } },
	{ "kernel larger than the slot, 64 bits", "kernel", "data-size", OUTSIDE,
	  { edit_cells("kernel", "data-size", 1, 0) } },
	{ "initrd one byte over the slot's end", "initrd", "data-size", OUTSIDE,
	  { edit_cells("initrd", "data-size", 0x6000001) } },
	{ "dtb behind the slot, 32 bits", "dtb", "data-size", OUTSIDE,
	  { edit_cells("dtb", "data-offset", 0x8010000) } },
	{ "dtb at the slot's end", "dtb", "data-size", OUTSIDE,
	  { edit_cells("dtb", "data-offset", 0x8000000) } },
	{ "dtb behind the slot, 64 bits", "dtb", "data-size", OUTSIDE,
	  { edit_cells("dtb", "data-offset", 1, 0x7a00000) } },
	{ "offset and size that wrap to a good end", "initrd", "data-size", OUTSIDE,
	  { edit_cells("initrd", "data-offset", 0xffffffff, 0xffff0000),
	    edit_cells("initrd", "data-size", 0, 0x20000) } },
	{ "size that wraps to a good end", "initrd", "data-size", OUTSIDE,
	  { edit_cells("initrd", "data-size", 0xffffffff, 0xfff00000) } },
	{ "32 bit offset and size with a sum over 4 GiB", "initrd", "data-size", OUTSIDE,
	  { edit_cells("initrd", "data-offset", 0xffff0000),
	    edit_cells("initrd", "data-size", 0x20000) } },
	{ "initrd over the kernel's last byte", "initrd", "data-offset", OVERLAP,
	  { edit_cells("initrd", "data-offset", 0x1ff0000) } },
	{ "initrd where the kernel is", "initrd", "data-offset", OVERLAP,
	  { edit_cells("initrd", "data-offset", 0) } },
	{ "initrd inside the kernel", "initrd", "data-offset", OVERLAP,
	  { edit_cells("initrd", "data-offset", 0x10000), edit_cells("initrd", "data-size", 1) } },
	{ "dtb over the initrd's last byte", "dtb", "data-offset", OVERLAP,
	  { edit_cells("dtb", "data-offset", 0x4800000) } },
	{ "dtb over the kernel, no initrd", "dtb", "data-offset", OVERLAP,
	  { edit_delete_node("initrd"), edit_cells("dtb", "data-offset", 0x1ff0000) } },

	/* Facts about their content */
	{ "algo missing", "kernel", "algo", NO_STRING, { edit_delete("kernel/hash-1", "algo") } },
	{ "algo without NUL", "kernel", "algo", NO_STRING,
	  { edit_bytes("kernel/hash-1", "algo", "sha256") } },
	{ "algo unknown", "kernel", "algo", BAD_ALGO,
	  { edit_string("kernel/hash-1", "algo", "md5") } },
	{ "algo in capitals", "kernel", "algo", BAD_ALGO,
	  { edit_string("kernel/hash-1", "algo", "SHA256") } },
	{ "algo empty", "kernel", "algo", BAD_ALGO, { edit_string("kernel/hash-1", "algo", "") } },
	{ "algo none", "kernel", "algo", BAD_ALGO,
	  { edit_string("kernel/hash-1", "algo", "none") } },
	{ "value missing", "kernel", "value", "is missing",
	  { edit_delete("kernel/hash-1", "value") } },
	{ "value empty", "kernel", "value", BAD_VALUE,
	  { edit_bytes("kernel/hash-1", "value", "") } },
	{ "sha256 truncated by a byte", "kernel", "value", BAD_VALUE,
	  { edit_fill("kernel/hash-1", "value", 31) } },
	{ "sha256 with a byte too many", "kernel", "value", BAD_VALUE,
	  { edit_fill("kernel/hash-1", "value", 33) } },
	{ "sha384 value named sha512", "dtb", "value", BAD_VALUE,
	  { edit_string("dtb/hash-1", "algo", "sha512") } },
	{ "sha512 value named sha384", "initrd", "value", BAD_VALUE,
	  { edit_string("initrd/hash-1", "algo", "sha384") } },
	{ "two hashes", "kernel", "hash-1", "is a second hash",
	  { edit_node("kernel/hash-2"), edit_string("kernel/hash-2", "algo", "sha512"),
	    edit_fill("kernel/hash-2", "value", 64) } },
	{ "ima-signature empty", "kernel", "ima-signature", BAD_SIGNATURE,
	  { edit_bytes("kernel", "ima-signature", "") } },
	{ "ima-signature too long", "initrd", "ima-signature", BAD_SIGNATURE,
	  { edit_fill("initrd", "ima-signature", KEXEC_STASH_SIGNATURE_LEN + 1) } },
	{ "ima-signature of the dtb empty", "dtb", "ima-signature", BAD_SIGNATURE,
	  { edit_bytes("dtb", "ima-signature", "") } },
	{ "authenticated with a string", "kernel", "authenticated", NOT_EMPTY,
	  { edit_string("kernel", "authenticated", "yes") } },
	{ "authenticated with an empty string", "initrd", "authenticated", NOT_EMPTY,
	  { edit_string("initrd", "authenticated", "") } },
	{ "authenticated with a number", "dtb", "authenticated", NOT_EMPTY,
	  { edit_cells("dtb", "authenticated", 0) } },
};

static void *edited_tree(const struct edit *edits)
{
	void *fdt = tree_good(2);

	for (int i = 0; i < EDITS_MAX && edits[i].node; i++)
		tree_edit(fdt, &edits[i]);
	return tree_exact(fdt);
}

static void test_refusal(void **state)
{
	const struct refusal *row = *state;
	void *fdt = edited_tree(row->edits);
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault = { 0 };
	int node = kexec_stash_record_next(fdt, -1);

	assert_true(node >= 0);
	assert_int_equal(kexec_stash_record_read(fdt, node, &rec, &fault), -EINVAL);
	assert_string_equal(fault.node, row->node);
	assert_string_equal(fault.property, row->property);
	assert_string_equal(fault.why, row->why);
	free(fdt);
}

/* A change to the good tree that keeps its record good */
struct acceptance {
	const char *name;
	void (*check)(const struct kexec_stash_record *rec);
	struct edit edits[EDITS_MAX];
};

static void is_disabled(const struct kexec_stash_record *rec)
{
	assert_true(rec->disabled);
}

static void is_enabled(const struct kexec_stash_record *rec)
{
	assert_false(rec->disabled);
}

static void is_firmware(const struct kexec_stash_record *rec)
{
	assert_int_equal(rec->origin, KEXEC_STASH_FIRMWARE);
}

static void is_runtime(const struct kexec_stash_record *rec)
{
	assert_int_equal(rec->origin, KEXEC_STASH_RUNTIME);
}

static void has_no_bootargs(const struct kexec_stash_record *rec)
{
	assert_null(rec->bootargs);
}

static void has_empty_bootargs(const struct kexec_stash_record *rec)
{
	assert_string_equal(rec->bootargs, "");
}

static void has_label_31(const struct kexec_stash_record *rec)
{
	assert_string_equal(rec->label, LABEL_31);
}

static void has_label_dots(const struct kexec_stash_record *rec)
{
	assert_string_equal(rec->label, "0-_.Z");
}

static void has_no_files(const struct kexec_stash_record *rec)
{
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++)
		assert_int_equal(rec->file[i].size, 0);
}

static void has_kernel_of_slot_size(const struct kexec_stash_record *rec)
{
	assert_int_equal(rec->file[KEXEC_STASH_KERNEL].size, TREE_SLOT);
}

static void has_initrd_to_the_end(const struct kexec_stash_record *rec)
{
	const struct kexec_stash_file *initrd = &rec->file[KEXEC_STASH_INITRD];

	assert_int_equal(initrd->offset + initrd->size, TREE_SLOT);
}

static void has_initrd_behind_kernel(const struct kexec_stash_record *rec)
{
	assert_int_equal(rec->file[KEXEC_STASH_INITRD].offset,
			 rec->file[KEXEC_STASH_KERNEL].size);
}

static void has_plain_kernel(const struct kexec_stash_record *rec)
{
	const struct kexec_stash_file *kernel = &rec->file[KEXEC_STASH_KERNEL];

	assert_int_equal(kernel->hash, KEXEC_STASH_HASH_NONE);
	assert_null(kernel->signature);
	assert_int_equal(kernel->signature_len, 0);
}

static void has_long_signature(const struct kexec_stash_record *rec)
{
	assert_int_equal(rec->file[KEXEC_STASH_DTB].signature_len, KEXEC_STASH_SIGNATURE_LEN);
}

static void has_authenticated_kernel(const struct kexec_stash_record *rec)
{
	assert_true(rec->file[KEXEC_STASH_KERNEL].authenticated);
	assert_false(rec->file[KEXEC_STASH_INITRD].authenticated);
	assert_false(rec->file[KEXEC_STASH_DTB].authenticated);
}

static void has_authenticated_dtb(const struct kexec_stash_record *rec)
{
	assert_false(rec->file[KEXEC_STASH_KERNEL].authenticated);
	assert_false(rec->file[KEXEC_STASH_INITRD].authenticated);
	assert_true(rec->file[KEXEC_STASH_DTB].authenticated);
}

static void has_high_base(const struct kexec_stash_record *rec)
{
	assert_int_equal(rec->base, 0x123450000000ULL);
	assert_int_equal(rec->size, 0x200000000ULL);
}

static void has_no_handover(const struct kexec_stash_record *rec)
{
	assert_int_equal(rec->handover, 0);
}

static void has_handover(const struct kexec_stash_record *rec)
{
	assert_int_equal(rec->handover, 0x123456789abcdef0ULL);
}

static void has_base_0(const struct kexec_stash_record *rec)
{
	assert_int_equal(rec->base, 0);
}

static const struct acceptance acceptances[] = {
	{ "status missing", is_enabled, { edit_string("", "label", "a") } },
	{ "status okay", is_enabled, { edit_string("", "status", "okay") } },
	{ "status ok", is_enabled, { edit_string("", "status", "ok") } },
	{ "status disabled", is_disabled, { edit_string("", "status", "disabled") } },
	{ "status fail is disabled", is_disabled, { edit_string("", "status", "fail") } },
	{ "status of no bytes is disabled", is_disabled, { edit_bytes("", "status", "") } },
	{ "status okay without NUL is disabled", is_disabled,
	  { edit_bytes("", "status", "okay") } },
	{ "status okay and more is disabled", is_disabled, { edit_string("", "status", "okay!") } },
	{ "other values of ranges", is_enabled,
	  { edit_cells("/reserved-memory", "ranges", 0, 0, 0, 0, 1, 0) } },
	{ "hand-over missing", has_no_handover, { edit_string("", "label", "a") } },
	{ "hand-over", has_handover, { edit_cells("", "hand-over", 0x12345678, 0x9abcdef0) } },
	{ "origin missing", is_firmware, { edit_delete("", "origin") } },
	{ "origin firmware", is_firmware, { edit_string("", "origin", "firmware") } },
	{ "origin runtime", is_runtime, { edit_string("", "origin", "runtime") } },
	{ "bootargs missing", has_no_bootargs, { edit_delete("", "bootargs") } },
	{ "bootargs empty", has_empty_bootargs, { edit_string("", "bootargs", "") } },
	{ "label of 31 letters", has_label_31, { edit_string("", "label", LABEL_31) } },
	{ "label of all kinds of characters", has_label_dots,
	  { edit_string("", "label", "0-_.Z") } },
	{ "empty slot", has_no_files,
	  { edit_delete_node("kernel"), edit_delete_node("initrd"), edit_delete_node("dtb") } },
	{ "kernel that fills the slot", has_kernel_of_slot_size,
	  { edit_delete_node("initrd"), edit_delete_node("dtb"),
	    edit_cells("kernel", "data-size", 0x8000000) } },
	{ "initrd up to the slot's last byte", has_initrd_to_the_end,
	  { edit_delete_node("dtb"), edit_cells("initrd", "data-size", 0, 0x6000000) } },
	{ "initrd right behind the kernel", has_initrd_behind_kernel,
	  { edit_cells("kernel", "data-size", 0x2000000) } },
	{ "no digest, no signature", has_plain_kernel,
	  { edit_delete_node("kernel/hash-1"), edit_delete("kernel", "ima-signature") } },
	{ "longest signature", has_long_signature,
	  { edit_fill("dtb", "ima-signature", KEXEC_STASH_SIGNATURE_LEN) } },
	{ "authenticated kernel", has_authenticated_kernel,
	  { edit_bytes("kernel", "authenticated", "") } },
	{ "authenticated dtb", has_authenticated_dtb,
	  { edit_bytes("dtb", "authenticated", "") } },
	{ "range above 4 GiB, 8 GiB large", has_high_base,
	  { edit_cells("", "reg", 0x1234, 0x50000000, 2, 0) } },
	{ "base 0", has_base_0, { edit_cells("", "reg", 0, 0, 0, 0x8000000) } },
	{ "properties and nodes that are not ours", is_enabled,
	  { edit_string("", "phandle", "x"), edit_node("fpga"), edit_node("kernel/signature-1"),
	    edit_string("kernel", "description", "Linux") } },
};

static void test_acceptance(void **state)
{
	const struct acceptance *row = *state;
	void *fdt = edited_tree(row->edits);
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault = { "", "", "", NULL };

	if (kexec_stash_record_read(fdt, kexec_stash_record_next(fdt, -1), &rec, &fault))
		fail_msg("refused: %s %s %s", fault.node, fault.property, fault.why);
	assert_null(record_insane(fdt, &rec));
	row->check(&rec);
	free(fdt);
}

static void check_counting(const u8 *buf, int len, u8 first)
{
	u8 want[256];

	count_up(want, len, first);
	assert_memory_equal(buf, want, len);
}

static void check_good(int cells)
{
	void *fdt = tree_exact(tree_good(cells));
	const struct kexec_stash_file *file;
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault;
	int node = kexec_stash_record_next(fdt, -1);

	assert_int_equal(kexec_stash_record_read(fdt, node, &rec, &fault), 0);
	assert_null(record_insane(fdt, &rec));
	assert_string_equal(rec.label, "a");
	assert_int_equal(rec.base, TREE_BASE);
	assert_int_equal(rec.size, TREE_SLOT);
	assert_false(rec.disabled);
	assert_int_equal(rec.origin, KEXEC_STASH_EARLY);
	assert_string_equal(rec.bootargs, "console=ttyAMA0");

	file = &rec.file[KEXEC_STASH_KERNEL];
	assert_int_equal(file->offset, 0);
	assert_int_equal(file->size, 0x1ff0001);
	assert_int_equal(file->hash, KEXEC_STASH_SHA256);
	check_counting(file->digest, 32, TREE_SHA256_FIRST);
	assert_int_equal(file->signature_len, TREE_SIGNATURE_LEN);
	check_counting(file->signature, TREE_SIGNATURE_LEN, TREE_SIGNATURE_FIRST);
	assert_false(file->authenticated);

	file = &rec.file[KEXEC_STASH_INITRD];
	assert_int_equal(file->offset, 0x2000000);
	assert_int_equal(file->size, 0x2800003);
	assert_int_equal(file->hash, KEXEC_STASH_SHA512);
	check_counting(file->digest, 64, TREE_SHA512_FIRST);
	assert_null(file->signature);

	file = &rec.file[KEXEC_STASH_DTB];
	assert_int_equal(file->offset, 0x7a00000);
	assert_int_equal(file->size, 0x12345);
	assert_int_equal(file->hash, KEXEC_STASH_SHA384);
	check_counting(file->digest, 48, TREE_SHA384_FIRST);

	assert_int_equal(kexec_stash_record_next(fdt, node), -ENOENT);
	free(fdt);
}

static void test_good_1_cell(void **state)
{
	(void)state;
	check_good(1);
}

static void test_good_2_cells(void **state)
{
	(void)state;
	check_good(2);
}

/* A message about a refused slot needs its name and place, whichever of them is wrong */
static void test_name_and_place_of_refused(void **state)
{
	const struct edit bad_file[EDITS_MAX] = { edit_delete("dtb", "data-size") };
	const struct edit bad_label[EDITS_MAX] = { edit_string("", "label", "/") };
	const struct edit bad_base[EDITS_MAX] = {
		edit_cells("", "reg", 0, 0x50000001, 0, 0x8000000)
	};
	const struct edit no_both[EDITS_MAX] = {
		edit_delete("", "label"), edit_delete("", "reg")
	};
	const struct edit no_ranges[EDITS_MAX] = { edit_delete("/reserved-memory", "ranges") };
	const struct {
		const struct edit *edits;
		const char *label;
		u64 base, size;
	} rows[] = {
		{ bad_file, "a", TREE_BASE, TREE_SLOT },
		{ bad_label, "", TREE_BASE, TREE_SLOT },
		{ bad_base, "a", TREE_BASE + 1, TREE_SLOT },
		{ no_both, "", 0, 0 },
		{ no_ranges, "a", TREE_BASE, TREE_SLOT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		void *fdt = edited_tree(rows[i].edits);
		struct kexec_stash_record rec;
		struct kexec_stash_fault fault;
		int node = kexec_stash_record_next(fdt, -1);

		assert_int_equal(kexec_stash_record_read(fdt, node, &rec, &fault), -EINVAL);
		assert_string_equal(rec.label, rows[i].label);
		assert_int_equal(rec.base, rows[i].base);
		assert_int_equal(rec.size, rows[i].size);
		free(fdt);
	}
}

static void test_longest_bootargs(void **state)
{
	char args[KEXEC_STASH_BOOTARGS_LEN + 1];
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault;
	int too_long;

	(void)state;
	for (too_long = 0; too_long <= 1; too_long++) {
		struct edit edits[EDITS_MAX] = { { STRING, "", "bootargs", args, 0 } };
		void *fdt;
		int ret;

		memset(args, 'x', sizeof(args));
		args[KEXEC_STASH_BOOTARGS_LEN - 1 + too_long] = '\0';
		fdt = edited_tree(edits);
		ret = kexec_stash_record_read(fdt, kexec_stash_record_next(fdt, -1), &rec, &fault);
		if (too_long) {
			assert_int_equal(ret, -EINVAL);
			assert_string_equal(fault.property, "bootargs");
			assert_string_equal(fault.why, BAD_BOOTARGS);
		} else {
			assert_int_equal(ret, 0);
			assert_string_equal(rec.bootargs, args);
		}
		free(fdt);
	}
}

static void test_label_ok(void **state)
{
	static const char * const good[] = { "a", "A", "0", "rescue", "a-b_c.d", "timing",
					     LABEL_31 };
	static const char * const bad[] = { "", "-", ".", "_", "..", ".a", "a/", "a b", "a\t", "a@",
					    LABEL_31 "5", LABEL_31 LABEL_31, "\x80" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(kexec_stash_label_ok(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(kexec_stash_label_ok(bad[i]));
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(kexec_stash_file_name(KEXEC_STASH_KERNEL), "kernel");
	assert_string_equal(kexec_stash_file_name(KEXEC_STASH_INITRD), "initrd");
	assert_string_equal(kexec_stash_file_name(KEXEC_STASH_DTB), "dtb");
	assert_string_equal(kexec_stash_origin_name(KEXEC_STASH_FIRMWARE), "firmware");
	assert_string_equal(kexec_stash_origin_name(KEXEC_STASH_EARLY), "early");
	assert_string_equal(kexec_stash_origin_name(KEXEC_STASH_RUNTIME), "runtime");
	assert_string_equal(kexec_stash_hash_name(KEXEC_STASH_SHA256), "sha256");
	assert_string_equal(kexec_stash_hash_name(KEXEC_STASH_SHA384), "sha384");
	assert_string_equal(kexec_stash_hash_name(KEXEC_STASH_SHA512), "sha512");
	assert_int_equal(kexec_stash_hash_len(KEXEC_STASH_HASH_NONE), 0);
	assert_int_equal(kexec_stash_hash_len(KEXEC_STASH_SHA256), 32);
	assert_int_equal(kexec_stash_hash_len(KEXEC_STASH_SHA384), 48);
	assert_int_equal(kexec_stash_hash_len(KEXEC_STASH_SHA512), 64);
}

/* Walking */

static void test_next_without_reserved_memory(void **state)
{
	void *fdt = tree_exact(tree_empty(2));

	(void)state;
	assert_int_equal(kexec_stash_record_next(fdt, -1), -ENOENT);
	free(fdt);
}

static void test_next_without_record(void **state)
{
	const struct edit edits[EDITS_MAX] = { edit_delete_node("") };
	void *fdt = edited_tree(edits);

	(void)state;
	assert_int_equal(kexec_stash_record_next(fdt, -1), -ENOENT);
	free(fdt);
}

static void test_next_looks_nowhere_else(void **state)
{
	const struct edit edits[EDITS_MAX] = {
		edit_delete_node(""),
		edit_string("/memory@40000000", "compatible", KEXEC_STASH_COMPATIBLE),
		edit_node("/reserved-memory/ramoops@48000000/x"),
		edit_string("/reserved-memory/ramoops@48000000/x", "compatible",
			    KEXEC_STASH_COMPATIBLE),
	};
	void *fdt = edited_tree(edits);

	(void)state;
	assert_int_equal(kexec_stash_record_next(fdt, -1), -ENOENT);
	free(fdt);
}

static void test_next_takes_compatible_from_a_list(void **state)
{
	const struct edit edits[EDITS_MAX] = {
		edit_bytes("", "compatible", "vendor,stash\0" KEXEC_STASH_COMPATIBLE "\0")
	};
	const struct edit longer[EDITS_MAX] = {
		edit_string("", "compatible", KEXEC_STASH_COMPATIBLE "-2")
	};
	void *fdt = edited_tree(edits);

	(void)state;
	assert_true(kexec_stash_record_next(fdt, -1) >= 0);
	free(fdt);
	fdt = edited_tree(longer);
	assert_int_equal(kexec_stash_record_next(fdt, -1), -ENOENT);
	free(fdt);
}

/* Whether a label was used before is kexec_stash_record_conflict()'s to see */
static void test_next_finds_a_label_twice_and_disabled_ones(void **state)
{
	const struct edit edits[] = {
		edit_node("/reserved-memory/kexec-stash@60000000"),
		edit_string("/reserved-memory/kexec-stash@60000000", "compatible",
			    KEXEC_STASH_COMPATIBLE),
		edit_string("/reserved-memory/kexec-stash@60000000", "label", "a"),
		edit_string("/reserved-memory/kexec-stash@60000000", "status", "disabled"),
		edit_cells("/reserved-memory/kexec-stash@60000000", "reg",
			   0, 0x60000000, 0, 0x8000000),
	};
	void *fdt = tree_good(2);
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault;
	int node = -1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++)
		tree_edit(fdt, &edits[i]);
	fdt = tree_exact(fdt);

	node = kexec_stash_record_next(fdt, node);
	assert_int_equal(kexec_stash_record_read(fdt, node, &rec, &fault), 0);
	assert_string_equal(rec.label, "a");
	assert_int_equal(rec.base, 0x60000000);
	assert_true(rec.disabled);
	node = kexec_stash_record_next(fdt, node);
	assert_int_equal(kexec_stash_record_read(fdt, node, &rec, &fault), 0);
	assert_string_equal(rec.label, "a");
	assert_int_equal(rec.base, TREE_BASE);
	assert_false(rec.disabled);
	assert_int_equal(kexec_stash_record_next(fdt, node), -ENOENT);
	free(fdt);
}

/* Two records that exclude each other */

/* The good tree with one more slot. A new node comes first among its siblings: "a" is the second */
static void *two_slots(const char *label, u32 base, u32 size)
{
	const struct edit edits[] = {
		edit_node("/reserved-memory/kexec-stash@1"),
		edit_string("/reserved-memory/kexec-stash@1", "compatible", KEXEC_STASH_COMPATIBLE),
		edit_string("/reserved-memory/kexec-stash@1", "label", label),
		edit_cells("/reserved-memory/kexec-stash@1", "reg", 0, base, 0, size),
	};
	void *fdt = tree_good(2);

	for (size_t i = 0; i < ARRAY_SIZE(edits); i++)
		tree_edit(fdt, &edits[i]);
	return tree_exact(fdt);
}

static int conflict(const void *fdt, int node, bool (*refused)(int node),
		    struct kexec_stash_fault *fault)
{
	struct kexec_stash_record rec;

	assert_int_equal(kexec_stash_record_read(fdt, node, &rec, fault), 0);
	return kexec_stash_record_conflict(fdt, node, &rec, refused, fault);
}

static bool refuse_all(int node)
{
	(void)node;
	return true;
}

static bool refuse_none(int node)
{
	(void)node;
	return false;
}

static void check_conflict(void *fdt, const char *property, const char *why)
{
	struct kexec_stash_fault fault = { 0 };
	int first = kexec_stash_record_next(fdt, -1);
	int second = kexec_stash_record_next(fdt, first);

	assert_int_equal(conflict(fdt, first, NULL, &fault), 0);
	assert_int_equal(conflict(fdt, second, refuse_all, &fault), 0);
	if (why) {
		assert_int_equal(conflict(fdt, second, NULL, &fault), -EINVAL);
		assert_int_equal(conflict(fdt, second, refuse_none, &fault), -EINVAL);
		assert_string_equal(fault.node, "");
		assert_string_equal(fault.property, property);
		assert_string_equal(fault.why, why);
		if (strcmp(property, "label"))
			assert_string_equal(fault.other, "b");
		else
			assert_null(fault.other);
	} else {
		assert_int_equal(conflict(fdt, second, NULL, &fault), 0);
	}
	free(fdt);
}

static void test_conflict_of_labels(void **state)
{
	(void)state;
	check_conflict(two_slots("a", 0x60000000, 0x8000000), "label", "is used twice");
	check_conflict(two_slots("A", 0x60000000, 0x8000000), NULL, NULL);
	check_conflict(two_slots("aa", 0x60000000, 0x8000000), NULL, NULL);
}

static void test_conflict_of_ranges(void **state)
{
	static const struct {
		u32 base, size;
		bool overlap;
	} rows[] = {
		{ 0x50000000, 0x8000000, true },
		{ 0x52000000, 0x200000, true },
		{ 0x40000000, 0x40000000, true },
		{ 0x4fe00000, 0x400000, true },
		{ 0x57e00000, 0x400000, true },
		{ 0x4fe00000, 0x200000, false },
		{ 0x58000000, 0x200000, false },
		{ 0, 0x50000000, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_conflict(two_slots("b", rows[i].base, rows[i].size), "reg",
			       rows[i].overlap ? "overlaps another slot" : NULL);
}

static void test_refused_record_is_in_nobodys_way(void **state)
{
	void *fdt = two_slots("a", 0x50000000, 0x8000001);
	struct kexec_stash_fault fault;
	int first = kexec_stash_record_next(fdt, -1);

	(void)state;
	assert_int_equal(conflict(fdt, kexec_stash_record_next(fdt, first), NULL, &fault), 0);
	free(fdt);
}

/* Trees made to break the reader: the sanitizers and record_insane() watch */

static void walk_if_header_ok(const void *fdt, int size, const char *what, int at)
{
	const char *why;

	if (fdt_check_header(fdt) || fdt_totalsize(fdt) > (u32)size)
		return;
	why = walk_records(fdt);
	if (why)
		fail_msg("%s at byte %d: %s", what, at, why);
}

static void test_every_byte_changed(void **state)
{
	static const u8 masks[] = { 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff };
	u8 *fdt = tree_exact(tree_good(2));
	int size = fdt_totalsize(fdt);

	(void)state;
	for (int i = 0; i < size; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(masks); j++) {
			fdt[i] ^= masks[j];
			walk_if_header_ok(fdt, size, "changed", i);
			fdt[i] ^= masks[j];
		}
	}
	free(fdt);
}

static void test_every_word_replaced(void **state)
{
	static const u32 words[] = { 0, 1, 2, 3, 4, 9, 0x7fffffff, 0x80000000, 0xfffffff0,
				     0xffffffff };
	u8 *fdt = tree_exact(tree_good(2));
	int size = fdt_totalsize(fdt);

	(void)state;
	for (int i = 0; i + 4 <= size; i += 4) {
		fdt32_t *word = (fdt32_t *)(fdt + i), old = *word;

		for (size_t j = 0; j < ARRAY_SIZE(words); j++) {
			*word = cpu_to_fdt32(words[j]);
			walk_if_header_ok(fdt, size, "word replaced", i);
		}
		*word = old;
	}
	free(fdt);
}

static u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* Cut off at every length, with a matching header: only the contents are broken */
static void test_cut_off_at_every_byte(void **state)
{
	void *fdt = tree_exact(tree_good(2));
	u32 size = fdt_totalsize(fdt), cut;

	(void)state;
	for (cut = fdt_off_dt_struct(fdt); cut < size; cut++) {
		u32 strings = min_u32(fdt_off_dt_strings(fdt), cut);
		void *copy = malloc(cut);

		assert_non_null(copy);
		memcpy(copy, fdt, cut);
		fdt_set_totalsize(copy, cut);
		fdt_set_size_dt_struct(copy, min_u32(fdt_size_dt_struct(fdt),
						     cut - fdt_off_dt_struct(fdt)));
		fdt_set_off_dt_strings(copy, strings);
		fdt_set_size_dt_strings(copy, cut - strings);
		walk_if_header_ok(copy, cut, "cut off", cut);
		free(copy);
	}
	free(fdt);
}

/* U-Boot's fdt_check_header() does not look at the alignment of the structure block */
static void test_structure_block_off_alignment(void **state)
{
	void *fdt = tree_good(2);
	u32 size = fdt_totalsize(fdt), from;
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault;

	(void)state;
	assert_int_equal(fdt_pack(fdt), 0);
	from = fdt_off_dt_struct(fdt);
	memmove((char *)fdt + from + 1, (char *)fdt + from, fdt_totalsize(fdt) - from);
	fdt_set_off_dt_struct(fdt, from + 1);
	fdt_set_off_dt_strings(fdt, fdt_off_dt_strings(fdt) + 1);
	fdt_set_totalsize(fdt, size);
	assert_int_equal(kexec_stash_record_read(fdt, kexec_stash_record_next(fdt, -1), &rec,
						 &fault), 0);
	free(fdt);
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_good_1_cell),
	cmocka_unit_test(test_good_2_cells),
	cmocka_unit_test(test_name_and_place_of_refused),
	cmocka_unit_test(test_longest_bootargs),
	cmocka_unit_test(test_label_ok),
	cmocka_unit_test(test_names),
	cmocka_unit_test(test_next_without_reserved_memory),
	cmocka_unit_test(test_next_without_record),
	cmocka_unit_test(test_next_looks_nowhere_else),
	cmocka_unit_test(test_next_takes_compatible_from_a_list),
	cmocka_unit_test(test_next_finds_a_label_twice_and_disabled_ones),
	cmocka_unit_test(test_conflict_of_labels),
	cmocka_unit_test(test_conflict_of_ranges),
	cmocka_unit_test(test_refused_record_is_in_nobodys_way),
	cmocka_unit_test(test_every_byte_changed),
	cmocka_unit_test(test_every_word_replaced),
	cmocka_unit_test(test_cut_off_at_every_byte),
	cmocka_unit_test(test_structure_block_off_alignment),
};

int main(void)
{
	struct CMUnitTest refused[ARRAY_SIZE(refusals)] = { 0 };
	struct CMUnitTest accepted[ARRAY_SIZE(acceptances)] = { 0 };
	int failed;

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		refused[i].name = refusals[i].name;
		refused[i].test_func = test_refusal;
		refused[i].initial_state = (void *)&refusals[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(acceptances); i++) {
		accepted[i].name = acceptances[i].name;
		accepted[i].test_func = test_acceptance;
		accepted[i].initial_state = (void *)&acceptances[i];
	}
	failed = cmocka_run_group_tests_name("record refused", refused, NULL, NULL);
	failed += cmocka_run_group_tests_name("record accepted", accepted, NULL, NULL);
	failed += cmocka_run_group_tests_name("record read", others, NULL, NULL);
	return failed ? 1 : 0;
}
