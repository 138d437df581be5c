// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * timing: what the tool makes of the kernel's time stamps
 */

#include "fixture.h"
#include "command.h"

#include <stdlib.h>
#include <string.h>

#define TIMING	"sys/kernel/kexec/timing"

/* What a table and its reason look like */
#define WHAT_SHUTDOWN	"from the start of the shutdown to the jump\n"
#define WHAT_JUMP	"from the jump to kernel entry\n"
#define WHAT_BOOT	"from kernel entry to the first process\n"
#define WHAT_TOTAL	"from the start of the shutdown to the first process\n"
#define NOT_ADOPTED \
	"this kernel runs in no slot: the one before it could not leave time stamps\n"
#define LEFT_NONE	"slot 'b': no time stamps of the kernel before it that can be true\n"
#define BAD_REBOOT	"slot 'b': the time stamp of the shutdown cannot be true\n"
#define NO_FREQUENCY	"nothing is known: the kernel does not know how fast its counter runs\n"

static void put_timing(const char *frequency, const char *reboot, const char *jump,
		       const char *entry, const char *init)
{
	char *text = xasprintf("frequency %s\nreboot %s\njump %s\nentry %s\ninit %s\n", frequency,
			       reboot, jump, entry, init);

	put_text(TIMING, text);
	free(text);
}

static void assert_json(const char *shutdown, const char *jump, const char *boot,
			const char *total)
{
	char *want = xasprintf("{\n  \"shutdown_ns\": %s,\n  \"jump_ns\": %s,\n"
			       "  \"boot_ns\": %s,\n  \"total_ns\": %s\n}\n",
			       shutdown, jump, boot, total);

	run("timing", "--json", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(err, "");
	assert_string_equal(out, want);
	free(want);
}

static void all_is_known_after_an_adopted_kexec(void **state)
{
	(void)state;
	put_slot("a", "empty");
	put_slot("b", "running");
	put_timing("62500000", "307203505", "315036252", "315304284", "678744791");
	run("timing", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(err, "");
	assert_string_equal(out, "shutdown    125.323 ms   " WHAT_SHUTDOWN
				 "jump          4.288 ms   " WHAT_JUMP
				 "boot           5.815 s   " WHAT_BOOT
				 "total          5.944 s   " WHAT_TOTAL);
	assert_json("125323952", "4288512", "5815048112", "5944660576");
}

static void only_the_boot_is_known_after_another(void **state)
{
	(void)state;
	put_slot("a", "empty");
	put_timing("1000000000", "unknown", "unknown", "0", "70004000001");
	run("timing", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(out, "shutdown       unknown   " WHAT_SHUTDOWN
				 "jump           unknown   " WHAT_JUMP
				 "boot          70.004 s   " WHAT_BOOT
				 "total          unknown   " WHAT_TOTAL NOT_ADOPTED);
	assert_json("null", "null", "70004000001", "null");
}

static void adopted_kernel_without_stamps_is_told_apart(void **state)
{
	(void)state;
	put_slot("b", "running");
	put_timing("1000", "unknown", "unknown", "5", "6");
	run("timing", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_non_null(strstr(out, "boot          1.000 ms   " WHAT_BOOT));
	assert_non_null(strstr(out, LEFT_NONE));

	put_timing("1000", "unknown", "4", "5", "6");
	run("timing", NULL);
	assert_non_null(strstr(out, "shutdown       unknown   " WHAT_SHUTDOWN));
	assert_non_null(strstr(out, "jump          1.000 ms   " WHAT_JUMP));
	assert_non_null(strstr(out, BAD_REBOOT));
	assert_json("null", "1000000", "1000000", "null");
}

static void nothing_is_known_without_a_frequency(void **state)
{
	(void)state;
	put_slot("b", "running");
	put_timing("unknown", "1", "2", "3", "4");
	run("timing", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_non_null(strstr(out, NO_FREQUENCY));
	assert_json("null", "null", "null", "null");
	put_timing("0", "1", "2", "3", "4");
	assert_json("null", "null", "null", "null");
}

/* The kernel does not show such, but if it did nothing must be made of it */
static void what_cannot_be_is_unknown(void **state)
{
	(void)state;
	put_timing("1000000000", "4", "3", "2", "1");
	assert_json("null", "null", "null", "null");
	put_timing("1000000000", "0", "18446744073709551614", "18446744073709551614",
		   "18446744073709551614");
	assert_json("null", "0", "0", "null");
	put_timing("1", "0", "0", "0", "9223372036");
	assert_json("0", "0", "9223372036000000000", "9223372036000000000");
	put_timing("1", "0", "0", "0", "9223372037");
	assert_json("0", "0", "null", "null");
	/* No rounding on the way, and no overflow */
	put_timing("18446744073709551614", "0", "0", "0", "18446744073709551614");
	assert_json("0", "0", "1000000000", "1000000000");
	put_timing("3", "0", "1", "2", "3");
	assert_json("333333333", "333333333", "333333333", "1000000000");
}

static void other_content_is_refused(void **state)
{
	static const char * const texts[] = {
		"", "\n", "frequency 1\n", "frequency 1\nreboot 1\njump 1\nentry 1\ninit 1",
		"frequency 1\nreboot 1\njump 1\nentry 1\n", "reboot 1\nfrequency 1\n",
		"frequency 1\nreboot 1\njump 1\nentry -1\ninit 1\n",
		"frequency 1\nreboot  1\njump 1\nentry 1\ninit 1\n",
		"frequency 1\nreboot 1x\njump 1\nentry 1\ninit 1\n",
		"frequency 1\nreboot 18446744073709551616\njump 1\nentry 1\ninit 1\n",
		"frequency 1\nreboot unknown!\njump 1\nentry 1\ninit 1\n",
		"frequency 1\nreboot\njump 1\nentry 1\ninit 1\n",
		"frequency 1\nreboot \x20\njump 1\nentry 1\ninit 1\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		put_text(TIMING, texts[i]);
		run("timing", NULL);
		assert_int_equal(status, STATUS_FAILED);
		assert_string_equal(out, "");
		assert_error("/%s: is none that this program understands; update it", TIMING);
	}
	put_text(TIMING, "frequency 1\nreboot 1\njump 1\nentry 1\ninit 1\nlater 1\n");
	run("timing", NULL);
	assert_int_equal(status, STATUS_DONE);
}

static void older_kernel_is_told(void **state)
{
	(void)state;
	put_slot("a", "running");
	run("timing", "--json", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_string_equal(out, "");
	assert_error("this kernel takes no time stamps: there is no /sys/kernel/kexec/timing");
	put_text(TIMING "/x", "");
	run("timing", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("/sys/kernel/kexec/timing: cannot be read: Is a directory");
}

/* Beside the slots, but none of them */
static void list_does_not_show_it(void **state)
{
	(void)state;
	put_slot("a", "empty");
	put_timing("1", "1", "1", "1", "1");
	run("list", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_null(strstr(out, "timing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(all_is_known_after_an_adopted_kexec),
		fixture_test(only_the_boot_is_known_after_another),
		fixture_test(adopted_kernel_without_stamps_is_told_apart),
		fixture_test(nothing_is_known_without_a_frequency),
		fixture_test(what_cannot_be_is_unknown),
		fixture_test(other_content_is_refused),
		fixture_test(older_kernel_is_told),
		fixture_test(list_does_not_show_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
