// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * JSON: the keys that kexec-membuf(8) documents, read back with json-c
 */

#include "fixture.h"
#include "command.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static struct json_object *parse_out(void)
{
	struct json_object *obj = json_tokener_parse(out);

	assert_int_equal(status, STATUS_DONE);
	assert_non_null(obj);
	return obj;
}

/* The member at a path of keys separated by '.'; the test fails if it is not there */
static struct json_object *get(struct json_object *obj, const char *path)
{
	char *copy = xasprintf("%s", path), *rest = copy, *key;

	while ((key = strsep(&rest, "."))) {
		if (!json_object_object_get_ex(obj, key, &obj))
			fail_msg("no %s in %s", path, out);
	}
	free(copy);
	return obj;
}

static const char *get_string(struct json_object *obj, const char *path)
{
	obj = get(obj, path);
	assert_int_equal(json_object_get_type(obj), json_type_string);
	return json_object_get_string(obj);
}

static u64 get_number(struct json_object *obj, const char *path)
{
	obj = get(obj, path);
	assert_int_equal(json_object_get_type(obj), json_type_int);
	return json_object_get_uint64(obj);
}

static void list_has_the_documented_keys(void **state)
{
	struct json_object *obj, *slot;

	(void)state;
	put_staged_slot("a");
	put_slot("b", "empty");
	run("list", "--json", NULL);
	obj = parse_out();
	assert_int_equal(json_object_object_length(obj), 1);
	assert_int_equal(json_object_array_length(get(obj, "slots")), 2);

	slot = json_object_array_get_idx(get(obj, "slots"), 0);
	assert_int_equal(json_object_object_length(slot), 9);
	assert_string_equal(get_string(slot, "name"), "a");
	assert_string_equal(get_string(slot, "state"), "staged");
	assert_string_equal(get_string(slot, "origin"), "firmware");
	assert_int_equal(get_number(slot, "base"), 0x50000000);
	assert_int_equal(get_number(slot, "size"), 0x8000000);
	assert_int_equal(json_object_get_boolean(get(slot, "verified")), 0);
	assert_int_equal(get_number(slot, "kernel.size"), 64);
	assert_int_equal(get_number(slot, "initrd.size"), 4096);
	assert_null(get(slot, "dtb"));

	slot = json_object_array_get_idx(get(obj, "slots"), 1);
	assert_string_equal(get_string(slot, "origin"), "none");
	assert_null(get(slot, "kernel"));
	assert_null(get(slot, "initrd"));
	json_object_put(obj);
}

static void list_without_slots_is_an_empty_array(void **state)
{
	struct json_object *obj;

	(void)state;
	run("list", "--json", NULL);
	obj = parse_out();
	assert_int_equal(json_object_get_type(get(obj, "slots")), json_type_array);
	assert_int_equal(json_object_array_length(get(obj, "slots")), 0);
	json_object_put(obj);
}

static void show_has_the_documented_keys(void **state)
{
	struct json_object *obj, *compatible;
	size_t size;
	void *fdt = make_dtb(&size);

	(void)state;
	put_staged_slot("a");
	put_data("sys/fs/kexec/a/dtb", fdt, size);
	free(fdt);
	run("show", "a", "--json", NULL);
	obj = parse_out();
	assert_int_equal(json_object_object_length(obj), 10);
	assert_string_equal(get_string(obj, "name"), "a");
	assert_int_equal(get_number(obj, "kernel.size"), 64);
	assert_int_equal(get_number(obj, "kernel.image_size"), 0x900000);
	assert_int_equal(get_number(obj, "initrd.size"), 4096);
	assert_int_equal(get_number(obj, "dtb.size"), size);
	assert_string_equal(get_string(obj, "dtb.model"), "ACME Board");
	compatible = get(obj, "dtb.compatible");
	assert_int_equal(json_object_array_length(compatible), 2);
	assert_string_equal(json_object_get_string(json_object_array_get_idx(compatible, 1)),
			    "acme,soc");
	assert_string_equal(get_string(obj, "cmdline"), "console=ttyAMA0 quiet");
	json_object_put(obj);
}

static void show_has_errors_beside_what_is_broken(void **state)
{
	struct json_object *obj;

	(void)state;
	put_staged_slot("a");
	put_text("sys/fs/kexec/a/kernel", "MZ");
	put_text("sys/fs/kexec/a/dtb", "no dtb, and longer than the header of one would be");
	remove_path("sys/fs/kexec/a/cmdline");
	put_text("sys/fs/kexec/a/cmdline/x", "");
	run("show", "--json", "a", NULL);
	obj = parse_out();
	assert_string_equal(get_string(obj, "kernel.error"), "is not an arm64 Image");
	assert_false(json_object_object_get_ex(get(obj, "kernel"), "image_size", NULL));
	assert_string_equal(get_string(obj, "dtb.error"), "is not a dtb");
	assert_false(json_object_object_get_ex(get(obj, "dtb"), "model", NULL));
	assert_null(get(obj, "cmdline"));
	json_object_put(obj);
}

static void quotes_and_control_characters_are_harmless(void **state)
{
	struct json_object *obj;

	(void)state;
	put_staged_slot("a");
	put_text("sys/fs/kexec/a/cmdline", "a=\"b c\" \\ \t\n\377 /dev/x");
	run("show", "--json", "a", NULL);
	obj = parse_out();
	assert_string_equal(get_string(obj, "cmdline"), "a=\"b c\" \\ ??? /dev/x");
	json_object_put(obj);
}

static void large_addresses_are_exact(void **state)
{
	struct json_object *obj;

	(void)state;
	put_slot("a", "empty");
	put_text("sys/fs/kexec/a/base", "0xffffffffffe00000\n");
	run("show", "--json", "a", NULL);
	obj = parse_out();
	assert_int_equal(get_number(obj, "base"), 0xffffffffffe00000);
	json_object_put(obj);
}

static void load_has_the_documented_keys(void **state)
{
	struct json_object *obj;

	(void)state;
	put_staged_slot("a");
	run("load", "a", "--json", NULL);
	obj = parse_out();
	assert_int_equal(json_object_object_length(obj), 6);
	assert_string_equal(get_string(obj, "slot"), "a");
	assert_null(get(obj, "verified"));
	assert_int_equal(get_number(obj, "in_place.kernel"), 64);
	assert_int_equal(get_number(obj, "in_place.initrd"), 4096);
	assert_int_equal(get_number(obj, "in_place.dtb"), 0);
	assert_null(get(obj, "initrd_file"));
	assert_int_equal(get_number(obj, "copy_bytes"), 0);
	assert_in_range(get_number(obj, "load_ns"), 1, 10000000000);
	json_object_put(obj);
}

static void load_says_what_was_verified_before(void **state)
{
	struct json_object *obj;

	(void)state;
	put_staged_slot("a");
	put_text("sys/fs/kexec/a/verified", "1\n");
	run("load", "a", "--json", NULL);
	obj = parse_out();
	assert_string_equal(get_string(obj, "verified"), "before");
	json_object_put(obj);
}

static void exec_has_the_documented_keys(void **state)
{
	struct json_object *obj;

	(void)state;
	put_slot("a", "loaded");
	put_text("sys/kernel/kexec/loaded", "1\n");
	run("exec", "--json", NULL);
	/* It failed to jump, as all do that come back */
	assert_int_equal(status, STATUS_FAILED);
	status = STATUS_DONE;
	obj = parse_out();
	assert_int_equal(json_object_object_length(obj), 2);
	assert_string_equal(get_string(obj, "slot"), "a");
	assert_int_equal(get_number(obj, "copy_bytes"), 0);
	json_object_put(obj);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(list_has_the_documented_keys),
		fixture_test(list_without_slots_is_an_empty_array),
		fixture_test(show_has_the_documented_keys),
		fixture_test(show_has_errors_beside_what_is_broken),
		fixture_test(quotes_and_control_characters_are_harmless),
		fixture_test(large_addresses_are_exact),
		fixture_test(load_has_the_documented_keys),
		fixture_test(load_says_what_was_verified_before),
		fixture_test(exec_has_the_documented_keys),
	};

	return cmocka_run_group_tests_name("kexec-membuf JSON", tests, NULL, NULL);
}
