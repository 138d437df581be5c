// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * load: what is asked of the kernel, what is told of the outcome
 */

#include "fixture.h"
#include "command.h"
#include "uapi.h"

#include <linux/kexec.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_DEBUG	0x8

static void payload_is_adopted_as_it_is(void **state)
{
	(void)state;
	put_staged_slot("a");
	put_staged_slot("b");
	put_text("sys/fs/kexec/b/kernel", "another kernel");
	run("load", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(err, "");
	assert_int_equal(fake.loads, 1);
	assert_int_equal(fake.flags, KEXEC_FILE_MEMBUF);
	assert_memory_equal(fake.kernel, "MZ@\xfa", 4);
	assert_string_equal(fake.initrd, "");
	assert_false(fake.cmdline_given);
}

static void facts_are_printed(void **state)
{
	static const char facts[] =
		"  kernel            64 bytes in place (64)\n"
		"  initrd          4096 bytes in place (4.0K)\n"
		"  dtb     none staged: the running tree is the base\n"
		"  verified: no, not all files have a recorded digest\n"
		"  to copy at exec: 0 bytes\n";
	char *end;

	(void)state;
	put_staged_slot("a");
	run("load", "a", NULL);
	/* How long it took is another number each time */
	assert_memory_equal(out, "slot 'a': loaded in ", 20);
	assert_in_range(strtod(out + 20, &end), 0, 10000);
	assert_memory_equal(end, " ms\n", 4);
	assert_string_equal(end + 4, facts);
}

static void initrd_from_a_file_is_passed(void **state)
{
	char *path;

	(void)state;
	put_staged_slot("a");
	put_text("my-initrd", "another initrd");
	path = xasprintf("%s", outside_path("my-initrd"));
	run("load", "a", "--initrd", path, NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(fake.initrd, "another initrd");
	assert_int_equal(fake.flags, KEXEC_FILE_MEMBUF);
	assert_non_null(strstr(out, " 14 bytes in place (14), placed there from "));
	assert_non_null(strstr(out, path));
	free(path);
}

static void initrd_can_be_left_out(void **state)
{
	(void)state;
	put_staged_slot("a");
	run("load", "a", "--no-initrd", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_int_equal(fake.flags, KEXEC_FILE_MEMBUF | KEXEC_FILE_NO_INITRAMFS);
	assert_string_equal(fake.initrd, "");
	assert_non_null(strstr(out, "\n  initrd  none\n"));
}

static void initrd_that_cannot_be_used_is_named(void **state)
{
	const char *path = outside_path("x");

	(void)state;
	put_staged_slot("a");
	run("load", "a", "--initrd", path, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': initrd '%s': cannot be opened: %s", path, strerror(ENOENT));

	put_text("x", "");
	run("load", "a", "--initrd", path, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': initrd '%s': is empty; give a file, or use --no-initrd", path);

	path = outside_path("proc");
	run("load", "a", "--initrd", path, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': initrd '%s': is no regular file; give a file, or use --no-initrd",
		     path);
	assert_int_equal(fake.loads, 0);
}

static void command_line_is_passed(void **state)
{
	(void)state;
	put_staged_slot("a");
	run("load", "a", "--command-line", "root=/dev/vdb rw", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(fake.cmdline, "root=/dev/vdb rw");
	run("load", "a", "--command-line=", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_true(fake.cmdline_given);
	assert_string_equal(fake.cmdline, "");
}

static void running_command_line_is_reused(void **state)
{
	(void)state;
	put_staged_slot("a");
	run("load", "a", "--reuse-cmdline", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_true(fake.cmdline_given);
	assert_string_equal(fake.cmdline, "root=/dev/vda quiet");
}

static void running_command_line_that_cannot_be_read_is_said(void **state)
{
	(void)state;
	put_staged_slot("a");
	remove_path("proc/cmdline");
	run("load", "a", "--reuse-cmdline", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': cmdline: /proc/cmdline cannot be read: No such file or directory");
	assert_int_equal(fake.loads, 0);
}

static void longest_command_line_fits_and_longer_is_refused(void **state)
{
	static const char too_long[] =
		"slot 'a': cmdline: is longer than 2047 bytes; give another --command-line";
	char line[KEXEC_STASH_BOOTARGS_LEN + 2];

	(void)state;
	put_staged_slot("a");
	memset(line, 'x', sizeof(line));
	line[KEXEC_STASH_BOOTARGS_LEN] = '\0';
	run("load", "a", "--command-line", line, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("%s", too_long);
	put_text("proc/cmdline", line);
	run("load", "a", "--reuse-cmdline", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("%s", too_long);
	assert_int_equal(fake.loads, 0);

	line[KEXEC_STASH_BOOTARGS_LEN - 1] = '\0';
	run("load", "a", "--command-line", line, NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(fake.cmdline, line);
	line[KEXEC_STASH_BOOTARGS_LEN - 1] = '\n';
	put_text("proc/cmdline", line);
	run("load", "a", "--reuse-cmdline", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_int_equal(strlen(fake.cmdline), KEXEC_STASH_BOOTARGS_LEN - 1);
}

static void debug_is_passed(void **state)
{
	(void)state;
	put_staged_slot("a");
	run("load", "a", "--debug", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_int_equal(fake.flags, KEXEC_FILE_MEMBUF | FILE_DEBUG);
}

static void slot_without_a_kernel_file_is_refused(void **state)
{
	(void)state;
	put_slot("a", "empty");
	remove_path("sys/fs/kexec/a/kernel");
	run("load", "a", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': kernel: there is none; stage one first");
	assert_int_equal(fake.loads, 0);
}

static void bytes_to_copy_are_a_failure(void **state)
{
	(void)state;
	put_staged_slot("a");
	put_text("sys/kernel/kexec/copy_bytes", "8192\n");
	run("load", "a", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(out, "to copy at exec: 8192 bytes\n"));
	assert_error("slot 'a': is loaded, but exec would copy 8192 bytes; %s",
		     "unload it and report this fault of the kernel");
}

static void unknown_bytes_to_copy_are_a_failure(void **state)
{
	(void)state;
	put_staged_slot("a");
	remove_path("sys/kernel/kexec/copy_bytes");
	run("load", "a", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("/sys/kernel/kexec/copy_bytes: cannot be read: No such file or directory");
}

static void kernels_own_reason_is_told(void **state)
{
	(void)state;
	put_staged_slot("a");
	put_text("sys/fs/kexec/a/reason", "kernel: an old reason\n");
	fake.load_ret = -ENOEXEC;
	fake.load_reason = "kernel: has a page size of 64K\n";
	run("load", "a", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_string_equal(out, "");
	assert_error("slot 'a': kernel: has a page size of 64K (ENOEXEC); %s",
		     "stage an uncompressed arm64 Image");
	/* A terminal need not mind what is in it */
	fake.load_reason = "\033[31mx\n";
	run("load", "a", NULL);
	assert_non_null(strstr(err, "slot 'a': ?[31mx (ENOEXEC)"));
}

static void kernels_own_reason_needs_no_advice_twice(void **state)
{
	(void)state;
	put_staged_slot("a");
	fake.load_ret = -EBADMSG;
	fake.load_reason = "initrd: was damaged, stage it again\n";
	run("load", "a", NULL);
	assert_error("slot 'a': initrd: was damaged, stage it again (EBADMSG)");
	fake.load_ret = -EINVAL;
	fake.load_reason = "initrd: is slot 'b''s\n";
	run("load", "a", NULL);
	assert_error("slot 'a': initrd: is slot 'b''s (EINVAL)");
}

static void older_reason_is_not_told(void **state)
{
	(void)state;
	put_staged_slot("a");
	put_text("sys/fs/kexec/a/reason", "kernel: an old reason\n");
	fake.load_ret = -EPERM;
	fake.euid = 1000;
	run("load", "a", NULL);
	assert_error("slot 'a': the kernel does not permit it (EPERM); run this as root");
}

static void kernel_without_reasons_is_no_failure(void **state)
{
	(void)state;
	put_staged_slot("a");
	remove_path("sys/fs/kexec/a/reason");
	fake.load_ret = -ENOSPC;
	run("load", "a", NULL);
	assert_error("slot 'a': No space left on device (ENOSPC); "
		     "take a larger slot or a smaller initrd");
}

static void each_error_has_a_reason_and_advice(void **state)
{
	static const struct {
		int err;
		const char *reason;
		const char *advice;
	} cases[] = {
		{ EPERM, "the kernel does not permit it (EPERM)",
		  "check CAP_SYS_BOOT and lockdown" },
		{ EACCES, "a security policy forbids it (EACCES)",
		  "see the audit log, and the rules and signatures of IMA or the security module" },
		{ EBUSY, "another kexec is under way, try again (EBUSY)",
		  "see dmesg" },
		{ ENODATA, "No data available (ENODATA)",
		  "stage one first" },
		{ EINVAL, "Invalid argument (EINVAL)",
		  "see dmesg" },
		{ ENOEXEC, "Exec format error (ENOEXEC)",
		  "stage an uncompressed arm64 Image" },
		{ EBADMSG, "Bad message (EBADMSG)",
		  "stage it again" },
		{ ENOSPC, "No space left on device (ENOSPC)",
		  "take a larger slot or a smaller initrd" },
		{ ETXTBSY, "Text file busy (ETXTBSY)",
		  "close it and try again" },
		{ ENOSYS, "this kernel has no kexec_file_load() (ENOSYS)",
		  "boot one that was built with CONFIG_KEXEC_FILE and CONFIG_KEXEC_STASH" },
		{ EKEYREJECTED, "Key was rejected by service (EKEYREJECTED)",
		  "sign it with a key that this kernel trusts" },
		{ ENOKEY, "Required key not available (ENOKEY)",
		  "sign it with a key that this kernel trusts" },
		{ ENOMEM, "Cannot allocate memory (ENOMEM)",
		  "free some and try again" },
		{ EIO, "Input/output error (EIO)",
		  "see dmesg" },
	};
	size_t i;

	(void)state;
	put_staged_slot("a");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fake.load_ret = -cases[i].err;
		run("load", "a", NULL);
		assert_int_equal(status, STATUS_FAILED);
		assert_string_equal(out, "");
		assert_error("slot 'a': %s; %s", cases[i].reason, cases[i].advice);
	}
}

static void causes_of_eperm_are_told_apart(void **state)
{
	static const char eperm[] = "slot 'a': the kernel does not permit it (EPERM)";

	(void)state;
	put_staged_slot("a");
	fake.load_ret = -EPERM;
	put_text("proc/sys/kernel/kexec_load_limit_reboot", "0\n");
	run("load", "a", NULL);
	assert_error("%s; kernel.kexec_load_limit_reboot is used up: %s", eperm,
		     "no loading before the next boot");
	put_text("proc/sys/kernel/kexec_load_disabled", "1\n");
	run("load", "a", NULL);
	assert_error("%s; kernel.kexec_load_disabled is set: %s", eperm,
		     "no loading before the next boot");
	fake.euid = 1000;
	run("load", "a", NULL);
	assert_error("%s; run this as root", eperm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(payload_is_adopted_as_it_is),
		fixture_test(facts_are_printed),
		fixture_test(initrd_from_a_file_is_passed),
		fixture_test(initrd_can_be_left_out),
		fixture_test(initrd_that_cannot_be_used_is_named),
		fixture_test(command_line_is_passed),
		fixture_test(running_command_line_is_reused),
		fixture_test(running_command_line_that_cannot_be_read_is_said),
		fixture_test(longest_command_line_fits_and_longer_is_refused),
		fixture_test(debug_is_passed),
		fixture_test(slot_without_a_kernel_file_is_refused),
		fixture_test(bytes_to_copy_are_a_failure),
		fixture_test(unknown_bytes_to_copy_are_a_failure),
		fixture_test(kernels_own_reason_is_told),
		fixture_test(kernels_own_reason_needs_no_advice_twice),
		fixture_test(older_reason_is_not_told),
		fixture_test(kernel_without_reasons_is_no_failure),
		fixture_test(each_error_has_a_reason_and_advice),
		fixture_test(causes_of_eperm_are_told_apart),
	};

	return cmocka_run_group_tests_name("kexec-membuf load", tests, NULL, NULL);
}
