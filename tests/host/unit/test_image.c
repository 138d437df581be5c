// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Read the header of an arm64 Image
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/kexec_stash_record.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define HEADER_SIZE	64
#define IMAGE_SIZE	0x1fa0000ULL
#define FLAGS		0xaULL	/* little endian, 4K pages, anywhere in memory */

static void put_le64(u8 *p, u64 val)
{
	for (int i = 0; i < 8; i++)
		p[i] = val >> (8 * i);
}

/* The header of arch/arm64/kernel/head.S, with nothing behind it */
static u8 *good_header(void)
{
	u8 *header = calloc(1, HEADER_SIZE);

	assert_non_null(header);
	memcpy(header, "MZ\x40\xfa", 4);
	put_le64(header + 16, IMAGE_SIZE);
	put_le64(header + 24, FLAGS);
	memcpy(header + 56, "ARM\x64", 4);
	return header;
}

static void check(const u8 *header, u64 len, u64 room, int want, const char *want_why)
{
	struct kexec_stash_image image;
	const char *why = "";

	assert_int_equal(kexec_stash_image_read(header, len, room, &image, &why), want);
	assert_string_equal(why, want_why);
}

static void test_good_header(void **state)
{
	u8 *header = good_header();
	struct kexec_stash_image image;
	const char *why;

	(void)state;
	assert_int_equal(kexec_stash_image_read(header, HEADER_SIZE, 0x2000000, &image, &why), 0);
	assert_int_equal(image.image_size, IMAGE_SIZE);
	assert_int_equal(image.flags, FLAGS);
	free(header);
}

static void test_image_size_as_large_as_the_room(void **state)
{
	u8 *header = good_header();

	(void)state;
	check(header, HEADER_SIZE, IMAGE_SIZE, 0, "");
	free(header);
}

static void test_image_size_larger_than_the_room(void **state)
{
	static const u64 sizes[] = { IMAGE_SIZE, 1ULL << 32, 1ULL << 63, UINT64_MAX };
	u8 *header = good_header();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		put_le64(header + 16, sizes[i]);
		check(header, HEADER_SIZE, IMAGE_SIZE - 1, -ENOSPC,
		      "has an image_size larger than the room for it");
	}
	free(header);
}

static void test_image_size_0(void **state)
{
	u8 *header = good_header();

	(void)state;
	put_le64(header + 16, 0);
	check(header, HEADER_SIZE, 0x2000000, -EINVAL, "has an image_size of 0");
	free(header);
}

static void test_text_offset(void **state)
{
	u8 *header = good_header();

	(void)state;
	put_le64(header + 8, 0x80000);
	check(header, HEADER_SIZE, 0x2000000, -ENOEXEC,
	      "has a text_offset, so it cannot run at the slot's base");
	put_le64(header + 8, 1ULL << 63);
	check(header, HEADER_SIZE, 0x2000000, -ENOEXEC,
	      "has a text_offset, so it cannot run at the slot's base");
	free(header);
}

static void test_every_bit_of_the_magic(void **state)
{
	u8 *header = good_header();

	(void)state;
	for (int bit = 0; bit < 32; bit++) {
		header[56 + bit / 8] ^= 1 << bit % 8;
		check(header, HEADER_SIZE, 0x2000000, -ENOEXEC, "is not an arm64 Image");
		header[56 + bit / 8] ^= 1 << bit % 8;
	}
	free(header);
}

/* Each in an allocation of its own length, where the sanitizer sees a read too far */
static void test_every_short_length(void **state)
{
	u8 *header = good_header();

	(void)state;
	for (size_t len = 0; len < HEADER_SIZE; len++) {
		u8 *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, header, len);
		check(copy, len, 0x2000000, -ENOEXEC, "is not an arm64 Image");
		free(copy);
	}
	free(header);
}

/* The header is read in place in a file or a tree, and may be unaligned */
static void test_header_off_alignment(void **state)
{
	u8 *header = good_header(), *buf = malloc(HEADER_SIZE + 1);

	(void)state;
	assert_non_null(buf);
	memcpy(buf + 1, header, HEADER_SIZE);
	check(buf + 1, HEADER_SIZE, 0x2000000, 0, "");
	free(buf);
	free(header);
}

static void test_things_that_are_no_image(void **state)
{
	u8 buf[HEADER_SIZE];

	(void)state;
	memset(buf, 0, sizeof(buf));
	check(buf, sizeof(buf), 0x2000000, -ENOEXEC, "is not an arm64 Image");
	memset(buf, 0xff, sizeof(buf));
	check(buf, sizeof(buf), 0x2000000, -ENOEXEC, "is not an arm64 Image");
	memcpy(buf, "\x1f\x8b\x08", 3);		/* Image.gz */
	check(buf, sizeof(buf), 0x2000000, -ENOEXEC, "is not an arm64 Image");
	memcpy(buf, "\177ELF", 4);		/* vmlinux */
	check(buf, sizeof(buf), 0x2000000, -ENOEXEC, "is not an arm64 Image");
	memcpy(buf + 56, "RSC\x05", 4);	/* RISC-V's header is alike */
	check(buf, sizeof(buf), 0x2000000, -ENOEXEC, "is not an arm64 Image");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_header),
		cmocka_unit_test(test_image_size_as_large_as_the_room),
		cmocka_unit_test(test_image_size_larger_than_the_room),
		cmocka_unit_test(test_image_size_0),
		cmocka_unit_test(test_text_offset),
		cmocka_unit_test(test_every_bit_of_the_magic),
		cmocka_unit_test(test_every_short_length),
		cmocka_unit_test(test_header_off_alignment),
		cmocka_unit_test(test_things_that_are_no_image),
	};

	return cmocka_run_group_tests_name("image header", tests, NULL, NULL);
}
