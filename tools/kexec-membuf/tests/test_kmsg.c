// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding the reason for a failed load in the kernel log
 */

#include "fixture.h"
#include "kmsg.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is found for slot "a", or NULL. The memory ends with the record, for ASan */
static const char *parse(const char *record)
{
	static char reason[KMSG_REASON_LEN];
	size_t len = strlen(record);
	char *copy = xmalloc(len ? len : 1);
	bool found;

	memcpy(copy, record, len);
	found = kmsg_parse(copy, len, "a", reason);
	free(copy);
	return found ? reason : NULL;
}

static void reason_is_the_text_behind_the_prefix(void **state)
{
	(void)state;
	assert_string_equal(parse("3,812,5140900,-;kexec_stash: slot 'a': kernel: is damaged\n"),
			    "slot 'a': kernel: is damaged");
	assert_string_equal(parse("4,1,0,-;kexec_stash: slot 'a': dtb: is broken"),
			    "slot 'a': dtb: is broken");
}

static void further_fields_and_lines_are_skipped(void **state)
{
	(void)state;
	assert_string_equal(parse("3,8,5,-,caller=T1;kexec_stash: slot 'a': x; y\n S=kexec\n"),
			    "slot 'a': x; y");
}

static void reason_without_a_slot_is_taken(void **state)
{
	(void)state;
	assert_string_equal(parse("3,8,5,-;kexec_stash: kernel_fd is no slot's\n"),
			    "kernel_fd is no slot's");
}

static void reason_of_another_slot_is_not_taken(void **state)
{
	(void)state;
	assert_null(parse("3,8,5,-;kexec_stash: slot 'b': kernel: is damaged\n"));
	assert_null(parse("3,8,5,-;kexec_stash: slot 'ab': kernel: is damaged\n"));
	assert_null(parse("3,8,5,-;kexec_stash: slot '': kernel: is damaged\n"));
	assert_null(parse("3,8,5,-;kexec_stash: slot '"));
}

static void other_subsystems_are_not_taken(void **state)
{
	(void)state;
	assert_null(parse("3,8,5,-;kexec_file: slot 'a': x\n"));
	assert_null(parse("3,8,5,-;x kexec_stash: slot 'a': x\n"));
	assert_null(parse("3,8,5,-;kexec_stash: "));
	assert_null(parse("3,8,5,-;kexec_stash:\n"));
}

static void what_is_no_complaint_is_not_taken(void **state)
{
	(void)state;
	assert_null(parse("5,8,5,-;kexec_stash: slot 'a': notice\n"));
	assert_null(parse("6,8,5,-;kexec_stash: slot 'a': loaded\n"));
	assert_null(parse("7,8,5,-;kexec_stash: slot 'a': debug\n"));
}

static void user_space_cannot_pose_as_the_kernel(void **state)
{
	(void)state;
	/* Facility 1, user, error */
	assert_null(parse("11,8,5,-;kexec_stash: slot 'a': all is well\n"));
	assert_null(parse("4294967299,8,5,-;kexec_stash: slot 'a': x\n"));
}

static void broken_records_are_survived(void **state)
{
	static const char good[] = "3,812,5140900,-;kexec_stash: slot 'a': kernel: is damaged\n";
	char buf[sizeof(good)];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) - 1; i++) {
		memcpy(buf, good, i);
		buf[i] = '\0';
		/* Shorter than the prefix and one more character is nothing */
		if (i <= strlen("3,812,5140900,-;kexec_stash: "))
			assert_null(parse(buf));
		else
			parse(buf);
	}
	assert_null(parse(""));
	assert_null(parse(";"));
	assert_null(parse("x,8,5,-;kexec_stash: slot 'a': x\n"));
	assert_null(parse("3;kexec_stash: slot 'a': x\n"));
}

static void too_long_a_reason_is_not_cut_but_skipped(void **state)
{
	char buf[2 * KMSG_REASON_LEN];
	int n;

	(void)state;
	n = sprintf(buf, "3,8,5,-;kexec_stash: ");
	memset(buf + n, 'x', KMSG_REASON_LEN);
	buf[n + KMSG_REASON_LEN] = '\0';
	assert_null(parse(buf));
	buf[n + KMSG_REASON_LEN - 1] = '\0';
	assert_int_equal(strlen(parse(buf)), KMSG_REASON_LEN - 1);
}

static void reason_is_made_printable(void **state)
{
	(void)state;
	assert_string_equal(parse("3,8,5,-;kexec_stash: slot 'a': \033[31mx\n"),
			    "slot 'a': ?[31mx");
}

static void only_what_was_logged_since_is_read(void **state)
{
	char reason[KMSG_REASON_LEN];
	int fd;

	(void)state;
	put_text("dev/kmsg", "3,1,5,-;kexec_stash: slot 'a': an old one\n");
	fd = kmsg_open(test_root);
	assert_true(fd >= 0);
	assert_false(kmsg_reason(fd, "a", reason));
	append_text("dev/kmsg", "3,2,5,-;kexec_stash: slot 'a': a new one\n");
	assert_true(kmsg_reason(fd, "a", reason));
	assert_string_equal(reason, "slot 'a': a new one");
	/* And once only */
	assert_false(kmsg_reason(fd, "a", reason));
	close(fd);
}

/* A packet pipe hands over one record for each read(), as the log does */
static void last_reason_counts(void **state)
{
	static const char * const records[] = {
		"3,1,5,-;kexec_stash: slot 'a': first\n",
		"3,2,5,-;kexec_stash: slot 'a': last\n",
		"3,3,5,-;kexec_stash: slot 'b': of another\n",
		"6,4,5,-;kexec_stash: slot 'a': no complaint\n",
	};
	char reason[KMSG_REASON_LEN];
	int fd[2];
	size_t i;

	(void)state;
	assert_int_equal(pipe2(fd, O_DIRECT | O_NONBLOCK), 0);
	for (i = 0; i < ARRAY_SIZE(records); i++)
		assert_int_equal(write(fd[1], records[i], strlen(records[i])), strlen(records[i]));
	assert_true(kmsg_reason(fd[0], "a", reason));
	assert_string_equal(reason, "slot 'a': last");
	close(fd[0]);
	close(fd[1]);
}

static void log_that_cannot_be_read_has_no_reason(void **state)
{
	char reason[KMSG_REASON_LEN];

	(void)state;
	remove_path("dev/kmsg");
	assert_true(kmsg_open(test_root) < 0);
	assert_false(kmsg_reason(-1, "a", reason));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reason_is_the_text_behind_the_prefix),
		cmocka_unit_test(further_fields_and_lines_are_skipped),
		cmocka_unit_test(reason_without_a_slot_is_taken),
		cmocka_unit_test(reason_of_another_slot_is_not_taken),
		cmocka_unit_test(other_subsystems_are_not_taken),
		cmocka_unit_test(what_is_no_complaint_is_not_taken),
		cmocka_unit_test(user_space_cannot_pose_as_the_kernel),
		cmocka_unit_test(broken_records_are_survived),
		cmocka_unit_test(too_long_a_reason_is_not_cut_but_skipped),
		cmocka_unit_test(reason_is_made_printable),
		fixture_test(only_what_was_logged_since_is_read),
		cmocka_unit_test(last_reason_counts),
		fixture_test(log_that_cannot_be_read_has_no_reason),
	};

	return cmocka_run_group_tests_name("kexec-membuf kernel log", tests, NULL, NULL);
}
