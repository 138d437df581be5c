// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where things lie in a slot
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/kexec_stash_layout.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define K	1024ULL
#define M	(1024 * K)
#define TAIL	((u64)KEXEC_STASH_TAIL)
#define MAX	UINT64_MAX

#define KERNEL	KEXEC_STASH_KERNEL
#define INITRD	KEXEC_STASH_INITRD
#define DTB	KEXEC_STASH_DTB

static void test_overlaps(void **state)
{
	static const struct {
		u64 base, size, other, other_size;
		bool want;
	} rows[] = {
		{ 0x1000, 0x1000, 0x1000, 0x1000, true },
		{ 0x1000, 0x1000, 0x1fff, 1, true },
		{ 0x1000, 0x1000, 0, 0x1001, true },
		{ 0x1000, 0x1000, 0, MAX, true },
		{ 0x1000, 0x1000, 0x2000, 0x1000, false },
		{ 0x1000, 0x1000, 0, 0x1000, false },
		{ 0x1000, 0x1000, 0x2000, MAX, true },	/* it wraps around */
		{ 0x1000, 0x1000, 0x1800, 0, false },
		{ 0x1000, 0, 0x800, 0x1000, false },
		{ 0, 0, 0, 0, false },
		{ 0, MAX, 0, MAX, true },
		{ MAX, 1, MAX, 1, true },
		{ MAX, 1, MAX - 1, 1, false },
		{ MAX - 0xfff, 0x1000, MAX, 0x1000, true },
		{ MAX - 0xfff, 0x1000, 0, 0x1000, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(kexec_stash_overlaps(rows[i].base, rows[i].size, rows[i].other,
						      rows[i].other_size), rows[i].want);
		assert_int_equal(kexec_stash_overlaps(rows[i].other, rows[i].other_size,
						      rows[i].base, rows[i].size), rows[i].want);
	}
}

static void test_kernel_end(void **state)
{
	static const struct {
		u64 image_size, size, want;
	} rows[] = {
		{ 5 * M, 64, 5 * M }, { 64, 64, 64 }, { 63, 64, 64 }, { 0, 64, 64 },
		{ MAX, 64, MAX }, { 5 * M, 63, 63 }, { 5 * M, 0, 0 },
	};
	u8 image[64] = { 0 };

	(void)state;
	memcpy(image + 56, "ARM\x64", 4);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int byte = 0; byte < 8; byte++)
			image[16 + byte] = rows[i].image_size >> (8 * byte);
		assert_int_equal(kexec_stash_kernel_end(image, rows[i].size), rows[i].want);
	}
	image[56] = 'x';
	assert_int_equal(kexec_stash_kernel_end(image, 64), 64);
}

static void test_place(void **state)
{
	static const struct {
		u64 size, kernel_end, initrd, dtb;
	} rows[] = {
		{ 64 * M, 0, 16 * M, 64 * M - TAIL },
		{ 8 * M, 0, 2 * M, 2 * M },
		{ 12 * M, 0, 4 * M, 6 * M },
		{ 64 * M, 1, 2 * M, 64 * M - TAIL },
		{ 64 * M, 2 * M, 2 * M, 64 * M - TAIL },
		{ 64 * M, 2 * M + 1, 4 * M, 64 * M - TAIL },
		{ 64 * M, 64 * M - 1, 64 * M, 64 * M - TAIL },
		{ 64 * M, 64 * M, 64 * M, 64 * M - TAIL },
		{ 64 * M, MAX, 64 * M, 64 * M - TAIL },
		{ TAIL, 1, 2 * M, 0 },
		{ 2 * M, 1, 2 * M, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kexec_stash_record rec = { .size = rows[i].size };

		assert_int_equal(kexec_stash_place(&rec, KERNEL, rows[i].kernel_end), 0);
		assert_int_equal(kexec_stash_place(&rec, INITRD, rows[i].kernel_end),
				 rows[i].initrd);
		assert_int_equal(kexec_stash_place(&rec, DTB, rows[i].kernel_end), rows[i].dtb);
	}
}

/* A file of 0 bytes is not there */
struct file {
	u64 offset, size;
};

static struct kexec_stash_record record(u64 size, const struct file *files)
{
	struct kexec_stash_record rec = { .size = size };

	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		rec.file[i].offset = files[i].offset;
		rec.file[i].size = files[i].size;
	}
	return rec;
}

static void test_room(void **state)
{
	static const struct {
		u64 size;
		struct file files[KEXEC_STASH_NR_FILES];
		enum kexec_stash_file_id id;
		u64 offset, want;
		const char *next;
	} rows[] = {
		/* Empty slots */
		{ 64 * M, { { 0 } }, KERNEL, 0, 58 * M, NULL },
		{ 64 * M, { { 0 } }, INITRD, 16 * M, 42 * M, NULL },
		{ 64 * M, { { 0 } }, INITRD, 58 * M, 0, NULL },
		{ 64 * M, { { 0 } }, INITRD, 64 * M, 0, NULL },
		{ 64 * M, { { 0 } }, DTB, 58 * M, 2 * M, NULL },
		{ 2 * M, { { 0 } }, KERNEL, 0, 0, NULL },
		{ 2 * M, { { 0 } }, INITRD, 2 * M, 0, NULL },
		{ 2 * M, { { 0 } }, DTB, 0, 2 * M, NULL },
		/* What is there already */
		{ 64 * M, { { 0, 5 * M }, { 16 * M, M } }, KERNEL, 0, 16 * M, "initrd" },
		{ 64 * M, { { 0, 5 * M }, { 16 * M, M } }, INITRD, 16 * M, 42 * M, NULL },
		{ 64 * M, { { 0, 5 * M }, { 16 * M, M }, { 58 * M, M } }, DTB, 58 * M, 2 * M,
		  NULL },
		/* Places that another maker has chosen */
		{ 64 * M, { { 0, 5 * M }, { 32 * M, M }, { 16 * M, M } }, KERNEL, 0, 16 * M,
		  "dtb" },
		{ 64 * M, { { 0, 5 * M }, { 16 * M, M }, { 32 * M, M } }, INITRD, 16 * M, 16 * M,
		  "dtb" },
		{ 64 * M, { { 0, 5 * M }, { 17 * M, M }, { 16 * M, M } }, DTB, 16 * M, M,
		  "initrd" },
		{ 64 * M, { { 0 }, { 0 }, { 64 * M - 64 * K, 64 * K } }, DTB, 64 * M - 64 * K, 0,
		  NULL },
		{ 64 * M, { { 0 }, { 0 }, { 16 * M, M } }, DTB, 16 * M, 2 * M, NULL },
		{ 64 * M, { { 0 }, { 50 * M, 9 * M } }, DTB, 58 * M, 0, "initrd" },
		{ 64 * M, { { 0 }, { 60 * M, M } }, KERNEL, 0, 58 * M, NULL },
		{ 64 * M, { { 0, 64 * M } }, DTB, 58 * M, 0, "kernel" },
		{ 64 * M, { { 0, MAX } }, INITRD, 16 * M, 0, "kernel" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kexec_stash_record rec = record(rows[i].size, rows[i].files);
		const char *next = "unset";

		assert_int_equal(kexec_stash_room(&rec, rows[i].id, rows[i].offset, &next),
				 rows[i].want);
		if (rows[i].next)
			assert_string_equal(next, rows[i].next);
		else
			assert_null(next);
	}
}

static void test_kernel_room(void **state)
{
	static const struct {
		u64 size;
		struct file files[KEXEC_STASH_NR_FILES];
		u64 want;
	} rows[] = {
		{ 64 * M, { { 0 } }, 58 * M },
		{ 64 * M, { { 0, 5 * M }, { 16 * M, M } }, 56 * M },
		{ 64 * M, { { 0, 5 * M }, { 16 * M, 2 * M } }, 56 * M },
		{ 64 * M, { { 0, 5 * M }, { 16 * M, 2 * M }, { 58 * M, M } }, 56 * M },
		{ 64 * M, { { 0, 5 * M }, { 16 * M, 58 * M } }, 0 },
		{ 64 * M, { { 0, 5 * M }, { 16 * M, MAX } }, 0 },
		{ 64 * M, { { 0, 5 * M }, { 0 }, { 16 * M, M } }, 16 * M },
		{ 64 * M, { { 0, 5 * M }, { 32 * M, M }, { 16 * M, M } }, 14 * M },
		{ 2 * M, { { 0 } }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kexec_stash_record rec = record(rows[i].size, rows[i].files);

		assert_int_equal(kexec_stash_kernel_room(&rec), rows[i].want);
	}
}

/* A file that takes all its room overlaps no other one, whatever lies where */
static void test_full_file_is_in_nobodys_way(void **state)
{
	static const u64 places[] = { 0, 64 * K, 2 * M, 3 * M, 6 * M, 8 * M, 10 * M };
	static const u64 sizes[] = { 0, 1, M, 2 * M, 16 * M };
	struct kexec_stash_record rec = { .size = 16 * M };
	struct kexec_stash_file *a = &rec.file[KERNEL], *b = &rec.file[DTB];
	const char *next;
	u64 room;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places) * ARRAY_SIZE(sizes); i++) {
		a->size = sizes[i % ARRAY_SIZE(sizes)];
		b->offset = places[i / ARRAY_SIZE(sizes)];
		for (size_t j = 0; j < ARRAY_SIZE(places) * ARRAY_SIZE(sizes); j++) {
			u64 offset = places[j / ARRAY_SIZE(sizes)];

			b->size = sizes[j % ARRAY_SIZE(sizes)];
			room = kexec_stash_room(&rec, INITRD, offset, &next);
			assert_true(!room || offset + room <= rec.size - TAIL);
			assert_false(kexec_stash_overlaps(offset, room, a->offset, a->size));
			assert_false(kexec_stash_overlaps(offset, room, b->offset, b->size));
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_kernel_end),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_kernel_room),
		cmocka_unit_test(test_full_file_is_in_nobodys_way),
	};

	return cmocka_run_group_tests_name("layout of a slot", tests, NULL, NULL);
}
