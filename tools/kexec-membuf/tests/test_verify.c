// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * verify: what is asked of the kernel, what its answer is told as, and what could prove a payload
 */

#include "fixture.h"
#include "command.h"
#include "slot.h"
#include "uapi.h"

#include <libfdt.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const u8 ima_sig[] = { 3, 2, 4, 0xde, 0xad, 0xbe, 0xef, 0, 3, 'a', 'b', 'c' };

static void kernel_is_asked_and_nothing_loaded(void **state)
{
	(void)state;
	put_staged_slot("a");
	run("verify", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(err, "");
	assert_int_equal(fake.loads, 1);
	assert_int_equal(fake.flags, KEXEC_FILE_MEMBUF | KEXEC_FILE_MEMBUF_CHECK);
	assert_memory_equal(fake.kernel, "MZ@\xfa", 4);
	assert_false(fake.cmdline_given);
	assert_string_equal(out, "slot:     a, staged\n"
				 "kernel:   64 bytes (64), no digest recorded\n"
				 "  not signed\n"
				 "initrd:   4096 bytes (4.0K), no digest recorded\n"
				 "  not signed\n"
				 "dtb:      none\n"
				 "verdict:  would be adopted\n");
}

static void refusal_is_the_kernels(void **state)
{
	(void)state;
	put_staged_slot("a");
	fake.load_ret = -EACCES;
	fake.load_reason = "kernel: is not let pass by a security module\n";
	run("verify", "a", NULL);
	assert_int_equal(status, STATUS_REFUSED);
	assert_string_equal(err, "");
	assert_non_null(strstr(out, "\nverdict:  would be refused: kernel: is not let pass "));
	assert_non_null(strstr(out, " module (EACCES); see the audit log, and the rules"));
	/* No load is possible whatever the payload */
	put_text("proc/sys/kernel/kexec_load_disabled", "1\n");
	fake.load_ret = -EPERM;
	run("verify", "a", NULL);
	assert_int_equal(status, STATUS_REFUSED);
	assert_non_null(strstr(out, "(EPERM); kernel.kexec_load_disabled is set: "));
}

static void what_is_no_answer_is_a_failure(void **state)
{
	(void)state;
	put_staged_slot("a");
	fake.load_ret = -EPERM;
	fake.euid = 1000;
	run("verify", "a", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': the kernel does not permit it (EPERM); run this as root");
	fake.load_ret = -EBUSY;
	run("verify", "a", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': another kexec is under way, try again (EBUSY); see dmesg");
	run("verify", "b", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'b': does not exist; there are: 'a'");
	fake.loads = 0;
	remove_path("sys/fs/kexec/a/reason");
	run("verify", "a", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': this kernel cannot be asked; load it to find out");
	assert_string_equal(out, "");
	assert_int_equal(fake.loads, 0);
}

static void json_has_the_documented_keys(void **state)
{
	static const char * const want[] = {
		"\"slot\": \"a\"", "\"state\": \"staged\"", "\"recorded\": null", "\"dtb\": null",
		"\"ima\": \"IMA signature\"", "\"key\": \"deadbeef\"", "\"key_known\": false",
		"\"appended\": false", "\"pe\": false", "\"verdict\": \"refused\"",
		"\"error\": \"ENOKEY\"", "\"why\": \"initrd: x (ENOKEY); sign it with a key that ",
	};
	size_t i;

	(void)state;
	put_staged_slot("a");
	put_xattr("a", "kernel", ima_sig, sizeof(ima_sig));
	fake.load_ret = -ENOKEY;
	fake.load_reason = "initrd: x\n";
	run("verify", "a", "--json", NULL);
	assert_int_equal(status, STATUS_REFUSED);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		if (!strstr(out, want[i]))
			fail_msg("no '%s' in:\n%s", want[i], out);
	}
}

static void signatures_and_keys_are_told(void **state)
{
	static const char appended[] = "bytes~Module signature appended~\n";
	static const u8 digest[] = { 4, 4, 1, 2, 3 };

	(void)state;
	put_staged_slot("a");
	put_xattr("a", "kernel", ima_sig, sizeof(ima_sig));
	put_xattr("a", "initrd", digest, sizeof(digest));
	put_text("sys/fs/kexec/a/dtb", appended);
	run("verify", "a", NULL);
	assert_non_null(strstr(out, "\n  signed: IMA signature by key deadbeef, which is not in "));
	assert_non_null(strstr(out, "\n  security.ima: a digest, no signature\n  not signed\n"));
	assert_non_null(strstr(out, "\n  signed: appended signature\nverdict:"));
	put_text("proc/keys", "01 I------ 1 perm 1f0f0000 0 0 keyring   .ima: 1\n"
		 "02 I--Q--- 1 perm 39010000 0 0 asymmetri An X509.x: 00: X509.rsa beefdead []\n"
		 "03 I--Q--- 1 perm 39010000 0 0 asymmetri Some one: 01: X509.rsa deadbeef []\n");
	run("verify", "a", NULL);
	assert_non_null(strstr(out, " by key deadbeef, which is in /proc/keys\n"));
}

static void put_cells(void *fdt)
{
	assert_int_equal(fdt_property_u32(fdt, "#address-cells", 2), 0);
	assert_int_equal(fdt_property_u32(fdt, "#size-cells", 2), 0);
}

/* A tree with a record of slot "a", whose kernel has a digest and 64 bytes */
static void put_record(void)
{
	static const u8 value[32];
	char fdt[2048];

	assert_int_equal(fdt_create(fdt, sizeof(fdt)), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	put_cells(fdt);
	assert_int_equal(fdt_begin_node(fdt, "reserved-memory"), 0);
	put_cells(fdt);
	assert_int_equal(fdt_property(fdt, "ranges", NULL, 0), 0);
	assert_int_equal(fdt_begin_node(fdt, "kexec-stash@50000000"), 0);
	assert_int_equal(fdt_property_string(fdt, "compatible", "linux,kexec-stash"), 0);
	assert_int_equal(fdt_property_string(fdt, "label", "a"), 0);
	assert_int_equal(fdt_property(fdt, "reg", "\0\0\0\0\x50\0\0\0\0\0\0\0\x08\0\0\0", 16), 0);
	assert_int_equal(fdt_begin_node(fdt, "kernel"), 0);
	assert_int_equal(fdt_property_u32(fdt, "data-offset", 0), 0);
	assert_int_equal(fdt_property_u32(fdt, "data-size", 64), 0);
	assert_int_equal(fdt_begin_node(fdt, "hash-1"), 0);
	assert_int_equal(fdt_property_string(fdt, "algo", "sha256"), 0);
	assert_int_equal(fdt_property(fdt, "value", value, sizeof(value)), 0);
	assert_int_equal(fdt_end_node(fdt) + fdt_end_node(fdt) + fdt_end_node(fdt), 0);
	assert_int_equal(fdt_end_node(fdt) + fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	put_data("sys/firmware/fdt", fdt, fdt_totalsize(fdt));
}

static void recorded_digest_is_told_while_it_counts(void **state)
{
	(void)state;
	put_staged_slot("a");
	put_record();
	run("verify", "a", NULL);
	assert_non_null(strstr(out, "kernel:   64 bytes (64), sha256 recorded\n"));
	assert_non_null(strstr(out, "initrd:   4096 bytes (4.0K), no digest recorded\n"));
	put_text("sys/fs/kexec/a/origin", "runtime\n");
	run("verify", "a", NULL);
	assert_non_null(strstr(out, "kernel:   64 bytes (64), no digest recorded\n"));
	put_text("sys/fs/kexec/a/origin", "firmware\n");
	put_text("sys/fs/kexec/a/kernel", "another kernel");
	run("verify", "a", NULL);
	assert_non_null(strstr(out, "kernel:   14 bytes (14), no digest recorded\n"));
	put_text("sys/firmware/fdt", "no tree");
	run("verify", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
}

/* Bytes that nobody has checked; each copy ends where they do: a read behind them is found */

static void *copy_of(const void *data, size_t size)
{
	void *copy = xmalloc(size ? size : 1);

	memcpy(copy, data, size);
	return copy;
}

static void xattr_cut_anywhere_is_survived(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n <= sizeof(ima_sig); n++) {
		struct signatures sigs = {};
		u8 *copy = copy_of(ima_sig, n);

		signature_ima(copy, n, &sigs);
		assert_non_null(sigs.ima);
		assert_string_equal(sigs.key, n < 9 ? "" : "deadbeef");
		free(copy);
	}
}

static bool is_signed_pe(const u8 *data, size_t size)
{
	u8 *copy = copy_of(data, size);
	bool found = signature_pe(copy, size);

	free(copy);
	return found;
}

static void pe_header_cut_or_flipped_anywhere_is_survived(void **state)
{
	/* Up to the size in its fifth data directory */
	u8 pe[64 + 24 + 112 + 40] = "MZ";
	size_t i;

	(void)state;
	pe[60] = 64;
	memcpy(pe + 64, "PE", 2);
	memcpy(pe + 88, "\x0b\x02", 2);
	pe[88 + 108] = 5;
	assert_false(is_signed_pe(pe, sizeof(pe)));
	pe[88 + 112 + 36] = 8;
	assert_true(is_signed_pe(pe, sizeof(pe)));
	pe[88 + 108] = 4;
	assert_false(is_signed_pe(pe, sizeof(pe)));
	pe[88 + 108] = 5;
	for (i = 0; i < sizeof(pe); i++)
		assert_false(is_signed_pe(pe, i));
	for (i = 0; i < 8 * sizeof(pe); i++) {
		pe[i / 8] ^= 1 << i % 8;
		is_signed_pe(pe, sizeof(pe));
		pe[i / 8] ^= 1 << i % 8;
	}
	memset(pe + 60, 0xff, 4);
	assert_false(is_signed_pe(pe, sizeof(pe)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(kernel_is_asked_and_nothing_loaded),
		fixture_test(refusal_is_the_kernels),
		fixture_test(what_is_no_answer_is_a_failure),
		fixture_test(json_has_the_documented_keys),
		fixture_test(signatures_and_keys_are_told),
		fixture_test(recorded_digest_is_told_while_it_counts),
		cmocka_unit_test(xattr_cut_anywhere_is_survived),
		cmocka_unit_test(pe_header_cut_or_flipped_anywhere_is_survived),
	};

	return cmocka_run_group_tests_name("kexec-membuf verify", tests, NULL, NULL);
}
