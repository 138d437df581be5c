// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exec and unload
 */

#include "fixture.h"
#include "command.h"

#include <linux/kexec.h>

#include <errno.h>
#include <string.h>

static void put_loaded_slot(void)
{
	put_slot("a", "running");
	put_staged_slot("b");
	put_text("sys/fs/kexec/b/state", "loaded\n");
	put_text("sys/kernel/kexec/loaded", "1\n");
}

static void exec_refuses_if_nothing_is_loaded(void **state)
{
	(void)state;
	put_staged_slot("a");
	run("exec", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_string_equal(out, "");
	assert_error("nothing is loaded; run 'kexec-membuf load SLOT' first");
	run("exec", "--force", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_string_equal(fake.calls, "");
}

static void exec_syncs_and_jumps(void **state)
{
	(void)state;
	put_loaded_slot();
	run("exec", NULL);
	assert_string_equal(out, "slot 'b': starting its kernel, 0 bytes to copy\n");
	assert_string_equal(fake.calls, "sr");
	assert_int_equal(fake.loads, 0);
	/* The fake kernel does not jump */
	assert_int_equal(status, STATUS_FAILED);
	assert_error("the loaded kernel cannot be started: %s; run this as root", strerror(EPERM));
}

static void exec_leaves_it_to_systemd_where_it_runs(void **state)
{
	(void)state;
	put_loaded_slot();
	put_text("run/systemd/system/x", "");
	run("exec", NULL);
	assert_string_equal(fake.calls, "sd");
	assert_int_equal(status, STATUS_FAILED);
	assert_error("cannot run 'systemctl kexec': %s; --force does without it", strerror(ENOENT));
}

static void exec_force_does_without_systemd(void **state)
{
	(void)state;
	put_loaded_slot();
	put_text("run/systemd/system/x", "");
	run("exec", "--force", NULL);
	assert_string_equal(fake.calls, "sr");
}

static void exec_tells_bytes_to_copy_of_any_image(void **state)
{
	(void)state;
	put_staged_slot("a");
	put_text("sys/kernel/kexec/loaded", "1\n");
	put_text("sys/kernel/kexec/copy_bytes", "34603008\n");
	run("exec", NULL);
	assert_string_equal(out,
			    "no slot: starting a kernel from elsewhere, 34603008 bytes to copy\n");
	assert_string_equal(fake.calls, "sr");
}

static void exec_does_not_jump_without_knowing(void **state)
{
	(void)state;
	put_loaded_slot();
	remove_path("sys/kernel/kexec/copy_bytes");
	run("exec", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("/sys/kernel/kexec/copy_bytes: cannot be read: No such file or directory");
	assert_string_equal(fake.calls, "");
}

static void loaded_is_found_at_its_former_place(void **state)
{
	(void)state;
	put_loaded_slot();
	remove_path("sys/kernel/kexec/loaded");
	put_text("sys/kernel/kexec_loaded", "1\n");
	run("exec", NULL);
	assert_string_equal(fake.calls, "sr");
	put_text("sys/kernel/kexec_loaded", "0\n");
	run("exec", NULL);
	assert_error("nothing is loaded; run 'kexec-membuf load SLOT' first");
}

static void kernel_without_kexec_is_said(void **state)
{
	static const char want[] =
		"there is no /sys/kernel/kexec/loaded; mount /sys, or boot a kernel that has kexec";

	(void)state;
	put_loaded_slot();
	remove_path("sys/kernel/kexec/loaded");
	run("exec", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("%s", want);
	run("unload", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("%s", want);
	assert_string_equal(fake.calls, "");
	assert_int_equal(fake.loads, 0);
}

static void broken_loaded_is_said(void **state)
{
	(void)state;
	put_loaded_slot();
	put_text("sys/kernel/kexec/loaded", "yes\n");
	run("exec", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("/sys/kernel/kexec/loaded: cannot be read: Invalid argument");
	assert_string_equal(fake.calls, "");
}

static void unload_lets_go(void **state)
{
	(void)state;
	put_loaded_slot();
	fake.load_state = NULL;
	run("unload", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(err, "");
	assert_string_equal(out, "slot 'b': unloaded\n");
	assert_int_equal(fake.loads, 1);
	assert_int_equal(fake.flags, KEXEC_FILE_UNLOAD);
	assert_string_equal(fake.kernel, "");
	assert_string_equal(fake.initrd, "");
	assert_false(fake.cmdline_given);
}

static void unload_of_another_image_says_so(void **state)
{
	(void)state;
	put_slot("a", "empty");
	fake.load_state = NULL;
	put_text("sys/kernel/kexec/loaded", "1\n");
	run("unload", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(out, "unloaded; it was no slot's\n");
}

static void unload_of_nothing_is_fine(void **state)
{
	(void)state;
	put_staged_slot("a");
	run("unload", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(out, "nothing is loaded\n");
	assert_int_equal(fake.loads, 0);
}

static void failed_unload_is_said(void **state)
{
	(void)state;
	put_loaded_slot();
	fake.load_ret = -EPERM;
	fake.euid = 1000;
	run("unload", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_string_equal(out, "");
	assert_error("cannot unload: the kernel does not permit it (EPERM); run this as root");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(exec_refuses_if_nothing_is_loaded),
		fixture_test(exec_syncs_and_jumps),
		fixture_test(exec_leaves_it_to_systemd_where_it_runs),
		fixture_test(exec_force_does_without_systemd),
		fixture_test(exec_tells_bytes_to_copy_of_any_image),
		fixture_test(exec_does_not_jump_without_knowing),
		fixture_test(loaded_is_found_at_its_former_place),
		fixture_test(kernel_without_kexec_is_said),
		fixture_test(broken_loaded_is_said),
		fixture_test(unload_lets_go),
		fixture_test(unload_of_another_image_says_so),
		fixture_test(unload_of_nothing_is_fine),
		fixture_test(failed_unload_is_said),
	};

	return cmocka_run_group_tests_name("kexec-membuf exec and unload", tests, NULL, NULL);
}
