// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Small files and sizes
 */

#include "fixture.h"

#include <errno.h>
#include <string.h>

static void line_is_read_without_its_end(void **state)
{
	char line[8];

	(void)state;
	put_text("f", "loaded\n");
	assert_int_equal(read_line_at(test_root, "f", line, sizeof(line)), 0);
	assert_string_equal(line, "loaded");
	put_text("f", "loaded");
	assert_int_equal(read_line_at(test_root, "f", line, sizeof(line)), 0);
	assert_string_equal(line, "loaded");
	put_data("f", "loaded", 7);
	assert_int_equal(read_line_at(test_root, "f", line, sizeof(line)), 0);
	assert_string_equal(line, "loaded");
	put_text("f", "");
	assert_int_equal(read_line_at(test_root, "f", line, sizeof(line)), 0);
	assert_string_equal(line, "");
}

static void longest_line_fits_and_longer_is_refused(void **state)
{
	char line[8];

	(void)state;
	put_text("f", "1234567");
	assert_int_equal(read_line_at(test_root, "f", line, sizeof(line)), 0);
	assert_string_equal(line, "1234567");
	put_text("f", "1234567\n");
	assert_int_equal(read_line_at(test_root, "f", line, sizeof(line)), 0);
	assert_string_equal(line, "1234567");
	put_text("f", "12345678");
	assert_int_equal(read_line_at(test_root, "f", line, sizeof(line)), -EFBIG);
	put_text("f", "12345678\n");
	assert_int_equal(read_line_at(test_root, "f", line, sizeof(line)), -EFBIG);
}

static void line_is_made_printable(void **state)
{
	char line[16];

	(void)state;
	put_text("f", "a\033[2Jb\177\303\244\nc\n");
	assert_int_equal(read_line_at(test_root, "f", line, sizeof(line)), 0);
	assert_string_equal(line, "a?[2Jb????c");
}

static void missing_file_is_an_error(void **state)
{
	char line[8];
	u64 val;

	(void)state;
	assert_int_equal(read_line_at(test_root, "f", line, sizeof(line)), -ENOENT);
	assert_int_equal(read_number_at(test_root, "f", &val), -ENOENT);
	assert_int_equal(read_at(test_root, "proc", line, sizeof(line)), -EISDIR);
}

static void sizes_are_short(void **state)
{
	char buf[HUMAN_SIZE_LEN];

	(void)state;
	assert_string_equal(human_size(0, buf), "0");
	assert_string_equal(human_size(1023, buf), "1023");
	assert_string_equal(human_size(1024, buf), "1.0K");
	assert_string_equal(human_size(34603008, buf), "33.0M");
	assert_string_equal(human_size(0xffffffffffffffff, buf), "16.0E");
}

static void durations_have_three_digits_behind_the_point(void **state)
{
	char buf[HUMAN_DURATION_LEN];

	(void)state;
	assert_string_equal(human_duration(0, buf), "0 ns");
	assert_string_equal(human_duration(999, buf), "999 ns");
	assert_string_equal(human_duration(1000, buf), "1.000 us");
	assert_string_equal(human_duration(999999, buf), "999.999 us");
	assert_string_equal(human_duration(1002003, buf), "1.002 ms");
	assert_string_equal(human_duration(70004000000, buf), "70.004 s");
	assert_string_equal(human_duration(0xffffffffffffffff, buf), "18446744073.709 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(line_is_read_without_its_end),
		fixture_test(longest_line_fits_and_longer_is_refused),
		fixture_test(line_is_made_printable),
		fixture_test(missing_file_is_an_error),
		fixture_test(sizes_are_short),
		fixture_test(durations_have_three_digits_behind_the_point),
	};

	return cmocka_run_group_tests_name("kexec-membuf utils", tests, NULL, NULL);
}
