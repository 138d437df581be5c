// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading slots from the stash's file system, and finding that file system
 */

#include "fixture.h"
#include "command.h"
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TABLE_HEAD \
	"NAME         STATE    ORIGIN    BASE               SIZE   KERNEL   INITRD      DTB\n"

static int open_stash(void)
{
	int stash = stash_open(test_root);

	assert_true(stash >= 0);
	return stash;
}

static void slot_is_read(void **state)
{
	int stash = open_stash();
	struct slot slot;

	(void)state;
	put_staged_slot("a");
	assert_true(slot_read(stash, "a", &slot));
	assert_string_equal(slot.name, "a");
	assert_string_equal(slot.state, "staged");
	assert_string_equal(slot.origin, "firmware");
	assert_int_equal(slot.base, 0x50000000);
	assert_int_equal(slot.size, 0x8000000);
	assert_int_equal(slot.file_size[KEXEC_STASH_KERNEL], 64);
	assert_int_equal(slot.file_size[KEXEC_STASH_INITRD], 4096);
	assert_int_equal(slot.file_size[KEXEC_STASH_DTB], 0);
	close(stash);
}

static void slots_come_in_the_order_of_names(void **state)
{
	int stash = open_stash();
	struct slot *slots;
	size_t count;

	(void)state;
	put_slot("rescue", "empty");
	put_slot("b", "empty");
	put_slot("a", "empty");
	assert_true(slots_read(stash, &slots, &count));
	assert_int_equal(count, 3);
	assert_string_equal(slots[0].name, "a");
	assert_string_equal(slots[1].name, "b");
	assert_string_equal(slots[2].name, "rescue");
	free(slots);
	close(stash);
}

static void what_is_no_slot_is_left_out(void **state)
{
	int stash = open_stash();
	struct slot *slots;
	size_t count;

	(void)state;
	put_slot("a", "empty");
	put_text("sys/fs/kexec/a-file", "x");
	put_text("sys/fs/kexec/.hidden/state", "staged");
	put_text("sys/fs/kexec/no slot/state", "staged");
	assert_true(slots_read(stash, &slots, &count));
	assert_int_equal(count, 1);
	free(slots);
	close(stash);
}

static void large_base_and_size_are_read(void **state)
{
	int stash = open_stash();
	struct slot slot;

	(void)state;
	put_slot("a", "empty");
	put_text("sys/fs/kexec/a/base", "0xffffffffffe00000\n");
	put_text("sys/fs/kexec/a/size", "2097152");
	assert_true(slot_read(stash, "a", &slot));
	assert_int_equal(slot.base, 0xffffffffffe00000);
	assert_int_equal(slot.size, 0x200000);
	close(stash);
}

static void unlinked_file_is_one_that_is_not_there(void **state)
{
	int stash = open_stash();
	struct slot slot;

	(void)state;
	put_staged_slot("a");
	remove_path("sys/fs/kexec/a/initrd");
	assert_true(slot_read(stash, "a", &slot));
	assert_int_equal(slot.file_size[KEXEC_STASH_INITRD], 0);
	close(stash);
}

static void broken_number_is_named(void **state)
{
	static const char * const broken[] = {
		"", "0x", "-1", " 1", "+1", "1x", "0x10000000000000000", "99999999999999999999",
	};
	size_t i;

	(void)state;
	put_slot("a", "empty");
	for (i = 0; i < ARRAY_SIZE(broken); i++) {
		put_text("sys/fs/kexec/a/base", broken[i]);
		run("show", "a", NULL);
		assert_int_equal(status, STATUS_FAILED);
		assert_string_equal(out, "");
		assert_non_null(strstr(err, "slot 'a': base: cannot be read: "));
	}
}

static void broken_state_is_named(void **state)
{
	(void)state;
	put_slot("a", "empty");
	put_text("sys/fs/kexec/a/state", "a state that is much too long\n");
	run("list", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': state: cannot be read: File too large");
	put_data("sys/fs/kexec/a/state", "sta\0ged", 7);
	run("list", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': state: cannot be read: Invalid argument");
	remove_path("sys/fs/kexec/a/state");
	run("list", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': state: cannot be read: No such file or directory");
}

static void unknown_slot_lists_those_there_are(void **state)
{
	(void)state;
	put_slot("a", "empty");
	put_slot("b", "empty");
	run("show", "c", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'c': does not exist; there are: 'a', 'b'");
	run("load", "c", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'c': does not exist; there are: 'a', 'b'");
	assert_int_equal(fake.loads, 0);
}

static void unknown_slot_among_none(void **state)
{
	(void)state;
	run("show", "a", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': does not exist; there are none; reserve one at boot");
}

static void path_is_no_slot(void **state)
{
	(void)state;
	put_slot("a", "empty");
	run("show", "../kexec/a", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot '../kexec/a': does not exist; there are: 'a'");
	run("show", "a/", NULL);
	assert_int_equal(status, STATUS_FAILED);
	run("show", "", NULL);
	assert_int_equal(status, STATUS_FAILED);
}

static void loaded_slot_is_found(void **state)
{
	int stash = open_stash();
	struct slot slot;

	(void)state;
	put_slot("a", "running");
	put_slot("b", "loaded");
	assert_true(slot_find(stash, "loaded", &slot));
	assert_string_equal(slot.name, "b");
	put_slot("b", "staged");
	assert_true(slot_find(stash, "loaded", &slot));
	assert_string_equal(slot.name, "");
	close(stash);
}

static void user_is_told_that_root_may_mount(void **state)
{
	(void)state;
	fake.mounted = false;
	fake.euid = 1000;
	run("list", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("no stash is mounted on /sys/fs/kexec; run this as root, who may mount it");
	assert_int_equal(fake.mounts, 0);
}

static void root_mounts_the_stash(void **state)
{
	(void)state;
	fake.mounted = false;
	put_slot("a", "empty");
	run("list", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(err, "");
	assert_int_equal(fake.mounts, 1);
	run("list", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_int_equal(fake.mounts, 1);
}

static void failed_mount_is_said(void **state)
{
	(void)state;
	fake.mounted = false;
	fake.mount_ret = -EPERM;
	run("list", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("cannot mount the stash on /sys/fs/kexec: Operation not permitted");
	fake.mount_ret = -ENOENT;
	run("list", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("cannot mount the stash: there is no /sys/fs/kexec; mount /sys first, %s",
		     "or boot a kernel built with CONFIG_KEXEC_STASH");
}

static void kernel_without_stash_is_said(void **state)
{
	(void)state;
	fake.mounted = false;
	fake.mount_ret = -ENODEV;
	run("list", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("this kernel has no stash; boot one built with CONFIG_KEXEC_STASH");
	assert_int_equal(fake.mounts, 1);
}

static void stash_without_slots_is_an_empty_table(void **state)
{
	(void)state;
	run("list", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(out, TABLE_HEAD);
}

static void table_has_a_line_per_slot(void **state)
{
	static const char want[] = TABLE_HEAD
	"a            staged   firmware  0x50000000       128.0M       64     4.0K        -\n"
	"b            empty    none      0x50000000       128.0M        -        -        -\n";

	(void)state;
	put_staged_slot("a");
	put_slot("b", "empty");
	run("list", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(err, "");
	assert_string_equal(out, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(slot_is_read),
		fixture_test(slots_come_in_the_order_of_names),
		fixture_test(what_is_no_slot_is_left_out),
		fixture_test(large_base_and_size_are_read),
		fixture_test(unlinked_file_is_one_that_is_not_there),
		fixture_test(broken_number_is_named),
		fixture_test(broken_state_is_named),
		fixture_test(unknown_slot_lists_those_there_are),
		fixture_test(unknown_slot_among_none),
		fixture_test(path_is_no_slot),
		fixture_test(loaded_slot_is_found),
		fixture_test(kernel_without_stash_is_said),
		fixture_test(user_is_told_that_root_may_mount),
		fixture_test(root_mounts_the_stash),
		fixture_test(failed_mount_is_said),
		fixture_test(stash_without_slots_is_an_empty_table),
		fixture_test(table_has_a_line_per_slot),
	};

	return cmocka_run_group_tests_name("kexec-membuf slots", tests, NULL, NULL);
}
