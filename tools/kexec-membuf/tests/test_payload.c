// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a payload says of itself: Image header, device tree and command line, good and broken
 */

#include "fixture.h"
#include "command.h"
#include "slot.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

/* dtb_read() of a copy that ends where the tree does, so that a read behind it is found */
static const char *read_copy(const void *fdt, size_t size, struct dtb_info *info)
{
	void *copy = xmalloc(size ? size : 1);
	const char *why;

	memcpy(copy, fdt, size);
	why = dtb_read(copy, size, info);
	free(copy);
	return why;
}

static void dtb_tells_model_and_compatible(void **state)
{
	struct dtb_info info;
	size_t size;
	void *fdt = make_dtb(&size);

	(void)state;
	assert_null(read_copy(fdt, size, &info));
	assert_string_equal(info.model, "ACME Board");
	assert_int_equal(info.nr_compatible, 2);
	assert_string_equal(info.compatible[0], "acme,board");
	assert_string_equal(info.compatible[1], "acme,soc");
	dtb_free(&info);
	assert_null(info.model);
	assert_int_equal(info.nr_compatible, 0);
	free(fdt);
}

static void dtb_with_room_behind_it_is_read(void **state)
{
	struct dtb_info info;
	size_t size;
	void *fdt = make_dtb(&size);

	(void)state;
	assert_null(read_copy(fdt, 4096, &info));
	dtb_free(&info);
	free(fdt);
}

static void dtb_cut_anywhere_is_refused(void **state)
{
	struct dtb_info info;
	size_t size, n;
	void *fdt = make_dtb(&size);

	(void)state;
	for (n = 0; n < size; n++) {
		assert_string_equal(read_copy(fdt, n, &info), "is a truncated dtb");
		dtb_free(&info);
	}
	free(fdt);
}

static void something_else_is_no_dtb(void **state)
{
	unsigned char image[64];
	struct dtb_info info;

	(void)state;
	make_image(image, 0, 0x900000);
	assert_string_equal(read_copy(image, sizeof(image), &info), "is not a dtb");
	dtb_free(&info);
}

/* Refused or read, but nothing outside the tree is touched, and strings are clean */
static void dtb_with_any_bit_flipped_is_survived(void **state)
{
	struct dtb_info info;
	int refused = 0, i;
	size_t size, bit;
	void *fdt = make_dtb(&size);
	unsigned char *p = fdt;

	(void)state;
	for (bit = 0; bit < size * 8; bit++) {
		p[bit / 8] ^= 1 << bit % 8;
		if (read_copy(fdt, size, &info))
			refused++;
		for (i = 0; i < info.nr_compatible; i++)
			assert_null(strpbrk(info.compatible[i], "\n\033\177"));
		dtb_free(&info);
		p[bit / 8] ^= 1 << bit % 8;
	}
	/* Flips in names and values make another good tree; those in the structure do not */
	assert_in_range(refused, 100, size * 8 - 100);
	free(fdt);
}

static void dtb_offsets_outside_of_it_are_refused(void **state)
{
	/* off_dt_struct, off_dt_strings, off_mem_rsvmap, size_dt_strings, size_dt_struct */
	static const int fields[] = { 8, 12, 16, 32, 36 };
	static const u32 values[] = { 0xffffffff, 0x80000000, 0x7ffffffc, 0x10000 };
	struct dtb_info info;
	size_t size, i, j;
	void *fdt = make_dtb(&size);
	fdt32_t *p, old;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		p = (fdt32_t *)((char *)fdt + fields[i]);
		old = *p;
		for (j = 0; j < ARRAY_SIZE(values); j++) {
			*p = cpu_to_fdt32(values[j]);
			assert_non_null(read_copy(fdt, size, &info));
			dtb_free(&info);
		}
		*p = old;
	}
	free(fdt);
}

static void dtb_strings_without_end_are_left_out(void **state)
{
	struct dtb_info info;
	char *model, *compatible;
	size_t size;
	void *fdt = make_dtb(&size);

	(void)state;
	model = fdt_getprop_w(fdt, 0, "model", NULL);
	model[strlen(model)] = '!';
	compatible = fdt_getprop_w(fdt, 0, "compatible", NULL);
	compatible[sizeof("acme,board\0acme,soc") - 1] = '!';
	assert_null(read_copy(fdt, size, &info));
	assert_null(info.model);
	assert_int_equal(info.nr_compatible, 0);
	dtb_free(&info);
	free(fdt);
}

static void dtb_without_model_and_compatible_is_fine(void **state)
{
	struct dtb_info info;
	char fdt[512] __attribute__((aligned(8)));

	(void)state;
	assert_int_equal(fdt_create_empty_tree(fdt, sizeof(fdt)), 0);
	assert_null(read_copy(fdt, sizeof(fdt), &info));
	assert_null(info.model);
	assert_int_equal(info.nr_compatible, 0);
	dtb_free(&info);
}

static void dtb_strings_are_made_printable(void **state)
{
	struct dtb_info info;
	char *model;
	size_t size;
	void *fdt = make_dtb(&size);

	(void)state;
	model = fdt_getprop_w(fdt, 0, "model", NULL);
	model[0] = '\033';
	assert_null(read_copy(fdt, size, &info));
	assert_string_equal(info.model, "?CME Board");
	dtb_free(&info);
	free(fdt);
}

static void show_tells_all_about_a_slot(void **state)
{
	static const char want[] =
		"slot:         a\n"
		"state:        staged\n"
		"origin:       firmware\n"
		"base:         0x50000000\n"
		"size:         0x8000000 (128.0M)\n"
		"verified:     no\n"
		"kernel:       64 bytes (64)\n"
		"  image_size: 9437184 bytes (9.0M)\n"
		"initrd:       4096 bytes (4.0K)\n"
		"dtb:          280 bytes (280)\n"
		"  model:      ACME Board\n"
		"  compatible: acme,board acme,soc\n"
		"cmdline:      console=ttyAMA0 quiet\n";
	size_t size;
	void *fdt = make_dtb(&size);

	(void)state;
	put_staged_slot("a");
	put_data("sys/fs/kexec/a/dtb", fdt, 280);
	free(fdt);
	assert_true(size <= 280);
	run("show", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(err, "");
	assert_string_equal(out, want);
}

static void show_tells_of_an_empty_slot(void **state)
{
	static const char want[] =
		"slot:         a\n"
		"state:        empty\n"
		"origin:       none\n"
		"base:         0x50000000\n"
		"size:         0x8000000 (128.0M)\n"
		"verified:     no\n"
		"kernel:       none\n"
		"initrd:       none\n"
		"dtb:          none\n"
		"cmdline:      none\n";

	(void)state;
	put_slot("a", "empty");
	run("show", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(out, want);
}

static void show_kernel(const void *data, size_t size, const char *why)
{
	char *line = xasprintf("  error:      %s\n", why);

	put_data("sys/fs/kexec/a/kernel", data, size);
	run("show", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_non_null(strstr(out, line));
	assert_null(strstr(out, "image_size:"));
	free(line);
}

static void show_tells_what_is_wrong_with_a_kernel(void **state)
{
	unsigned char header[64];

	(void)state;
	put_staged_slot("a");
	make_image(header, 0, 0x900000);
	show_kernel(header, 63, "is not an arm64 Image");
	header[56] ^= 1;
	show_kernel(header, 64, "is not an arm64 Image");
	make_image(header, 0x80000, 0x900000);
	show_kernel(header, 64, "has a text_offset, so it cannot run at the slot's base");
	make_image(header, 0, 0);
	show_kernel(header, 64, "has an image_size of 0");
	make_image(header, 0, 0x8000001);
	show_kernel(header, 64, "has an image_size larger than the room for it");
	make_image(header, 0, 0xffffffffffffffff);
	show_kernel(header, 64, "has an image_size larger than the room for it");
}

static void show_tells_what_is_wrong_with_a_dtb(void **state)
{
	char *large = xmalloc(KEXEC_STASH_DTB_MAX + 1);
	size_t size;
	void *fdt = make_dtb(&size);

	(void)state;
	put_staged_slot("a");
	put_data("sys/fs/kexec/a/dtb", fdt, size - 1);
	run("show", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_non_null(strstr(out, "\n  error:      is a truncated dtb\n"));

	memset(large, 0, KEXEC_STASH_DTB_MAX + 1);
	memcpy(large, fdt, size);
	put_data("sys/fs/kexec/a/dtb", large, KEXEC_STASH_DTB_MAX + 1);
	run("show", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_non_null(strstr(out, "\n  error:      is larger than 2 MiB\n"));
	put_data("sys/fs/kexec/a/dtb", large, KEXEC_STASH_DTB_MAX);
	run("show", "a", NULL);
	assert_non_null(strstr(out, "\n  model:      ACME Board\n"));
	free(large);
	free(fdt);
}

static void show_tells_of_a_command_line_it_cannot_read(void **state)
{
	char line[KEXEC_STASH_BOOTARGS_LEN + 1];

	(void)state;
	put_staged_slot("a");
	memset(line, 'x', sizeof(line));
	put_data("sys/fs/kexec/a/cmdline", line, KEXEC_STASH_BOOTARGS_LEN);
	run("show", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_non_null(strstr(out, "\ncmdline:      cannot be read: File too large\n"));
	put_data("sys/fs/kexec/a/cmdline", line, KEXEC_STASH_BOOTARGS_LEN - 1);
	run("show", "a", NULL);
	assert_non_null(strstr(out, "\ncmdline:      xxxx"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dtb_tells_model_and_compatible),
		cmocka_unit_test(dtb_with_room_behind_it_is_read),
		cmocka_unit_test(dtb_cut_anywhere_is_refused),
		cmocka_unit_test(something_else_is_no_dtb),
		cmocka_unit_test(dtb_with_any_bit_flipped_is_survived),
		cmocka_unit_test(dtb_offsets_outside_of_it_are_refused),
		cmocka_unit_test(dtb_strings_without_end_are_left_out),
		cmocka_unit_test(dtb_without_model_and_compatible_is_fine),
		cmocka_unit_test(dtb_strings_are_made_printable),
		fixture_test(show_tells_all_about_a_slot),
		fixture_test(show_tells_of_an_empty_slot),
		fixture_test(show_tells_what_is_wrong_with_a_kernel),
		fixture_test(show_tells_what_is_wrong_with_a_dtb),
		fixture_test(show_tells_of_a_command_line_it_cannot_read),
	};

	return cmocka_run_group_tests_name("kexec-membuf payload", tests, NULL, NULL);
}
