// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Read kexec_stash= and the cpio with payloads
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include <linux/kexec_stash_record.h>

#include "cpio.h"
#include "early_cpio.h"
#include "param.h"
#include "walk_early.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define M		(1024ULL * 1024)
#define G		(1024 * M)
#define LABEL_31	"a234567890123456789012345678901"

/* In an allocation of its own length, where the sanitizer sees a read too far */
static void *exact(const void *bytes, size_t len)
{
	void *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return copy;
}

/* kexec_stash= */

static const struct {
	const char *name, *value;
	struct kexec_stash_want want;
} items[] = {
	{ "bytes", "a:134217728", { "a", 0, 128 * M, false } },
	{ "K", "a:131072K", { "a", 0, 128 * M, false } },
	{ "M", "a:128M", { "a", 0, 128 * M, false } },
	{ "G", "a:2G", { "a", 0, 2 * G, false } },
	{ "small letters", "a:128m", { "a", 0, 128 * M, false } },
	{ "hexadecimal", "a:0x8000000", { "a", 0, 128 * M, false } },
	{ "the smallest slot", "a:8M", { "a", 0, 8 * M, false } },
	{ "an address", "a:128M@0x50000000", { "a", 0x50000000, 128 * M, true } },
	{ "an address with a unit", "a:128M@1280M", { "a", 0x50000000, 128 * M, true } },
	{ "an address above 4 GiB", "a:128M@0x140000000", { "a", 0x140000000, 128 * M, true } },
	{ "address 0", "a:128M@0", { "a", 0, 128 * M, true } },
	{ "the last address", "a:8M@0xffffffffff600000", { "a", 0xffffffffff600000, 8 * M, true } },
	{ "the longest name", LABEL_31 ":8M", { LABEL_31, 0, 8 * M, false } },
	{ "all kinds of letters", "Az0-_.:8M", { "Az0-_.", 0, 8 * M, false } },
	{ "a comma behind it", "a:8M,", { "a", 0, 8 * M, false } },
	{ "another one behind it", "a:8M,b:16M", { "a", 0, 8 * M, false } },
};

static void test_item(void **state)
{
	size_t row = (size_t)*state;
	char *value = exact(items[row].value, strlen(items[row].value) + 1);
	const char *pos = value, *why = "";
	struct kexec_stash_want want;

	memset(&want, 0xff, sizeof(want));
	assert_int_equal(kexec_stash_param_next(&pos, &want, &why), 1);
	assert_string_equal(want.label, items[row].want.label);
	assert_int_equal(want.size, items[row].want.size);
	assert_int_equal(want.base, items[row].want.base);
	assert_int_equal(want.fixed, items[row].want.fixed);
	assert_null(walk_param(value));
	free(value);
}

static const char no_item[] = "is not <slot>:<size>[@<address>]";
static const char no_name[] = "its name cannot be that of a slot";
static const char no_size[] = "its size is not a number with K, M, G or no unit";
static const char no_address[] = "its address is not a number with K, M, G or no unit";

/* A bad item, the name that is known, and the fault */
static const struct {
	const char *item, *label, *why;
} bad_items[] = {
	{ "", "", no_item },
	{ "a", "", no_item },
	{ "128M", "", no_item },
	{ "a=128M", "", no_item },
	{ LABEL_31 "2:8M", "", no_item },
	{ ":128M", "", no_name },
	{ "-a:128M", "", no_name },
	{ "a/b:128M", "", no_name },
	{ "..:128M", "", no_name },
	{ "a:", "a", no_size },
	{ "a:M", "a", no_size },
	{ "a:-8M", "a", no_size },
	{ "a:+8M", "a", no_size },
	{ "a: 8M", "a", no_size },
	{ "a:8M ", "a", no_size },
	{ "a:8MB", "a", no_size },
	{ "a:8M:b", "a", no_size },
	{ "a:8X", "a", no_size },
	{ "a:0x", "a", no_size },
	{ "a:08M", "a", no_size },
	{ "a:18446744073709551616", "a", no_size },
	{ "a:0x10000000000000000", "a", no_size },
	{ "a:17592186044416M", "a", no_size },
	{ "a:100000000000000000000000000000000000M", "a", no_size },
	{ "a:128M@", "a", no_address },
	{ "a:128M@x", "a", no_address },
	{ "a:128M@0x50000000@", "a", no_address },
	{ "a:128M@@0x50000000", "a", no_address },
	{ "a:128M@0xffffffffffeM", "a", "its end is beyond all addresses" },
	{ "a:128M@0x500000000000000M", "a", no_address },
	{ "a:0", "a", "its size is less than 8 MiB" },
	{ "a:6M", "a", "its size is less than 8 MiB" },
	{ "a:9M", "a", "its size is not a multiple of 2 MiB" },
	{ "a:8388609", "a", "its size is not a multiple of 2 MiB" },
	{ "a:8M@0x50100000", "a", "its address is not a multiple of 2 MiB" },
	{ "a:8M@0xffffffffffa00000", "a", "its end is beyond all addresses" },
	{ "a:0xffffffffffe00000@0x200000", "a", "its end is beyond all addresses" },
};

/* The item behind it is taken */
static void test_bad_item(void **state)
{
	size_t row = (size_t)*state;
	struct kexec_stash_want want;
	char text[256], *value;
	const char *pos, *why = "";

	snprintf(text, sizeof(text), "%s,good:16M", bad_items[row].item);
	pos = exact(text, strlen(text) + 1);
	value = (char *)pos;
	assert_int_equal(kexec_stash_param_next(&pos, &want, &why), -EINVAL);
	assert_string_equal(why, bad_items[row].why);
	assert_string_equal(want.label, bad_items[row].label);
	assert_int_equal(kexec_stash_param_next(&pos, &want, &why), 1);
	assert_string_equal(want.label, "good");
	assert_int_equal(kexec_stash_param_next(&pos, &want, &why), 0);
	assert_null(walk_param(value));
	free(value);
}

static void test_no_items(void **state)
{
	const char *pos = "", *why;
	struct kexec_stash_want want;

	(void)state;
	assert_int_equal(kexec_stash_param_next(&pos, &want, &why), 0);
}

static void test_several_items(void **state)
{
	static const char *const labels[] = { "a", "b", "rescue-1" };
	const char *pos = "a:128M,b:64M@0x60000000,rescue-1:0x1000000", *why;
	struct kexec_stash_want want;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		assert_int_equal(kexec_stash_param_next(&pos, &want, &why), 1);
		assert_string_equal(want.label, labels[i]);
	}
	assert_int_equal(want.size, 16 * M);
	assert_false(want.fixed);
	assert_int_equal(kexec_stash_param_next(&pos, &want, &why), 0);
}

static void test_param_cut_off_and_changed(void **state)
{
	static const char good[] = "a:128M,b:64M@0x60000000,rescue-1:0x1000000@4G";
	static const char put[] = ",:@0xMkG9-/\x80\xff";

	(void)state;
	for (size_t i = 0; i < sizeof(good); i++) {
		char *value = exact(good, i + 1);

		value[i] = '\0';
		assert_null(walk_param(value));
		free(value);
		for (size_t j = 0; i + 1 < sizeof(good) && j < sizeof(put) - 1; j++) {
			value = exact(good, sizeof(good));
			value[i] = put[j];
			assert_null(walk_param(value));
			free(value);
		}
	}
}

/* The cpio */

/* The start of an initrd: files of two slots, one of the system, another archive, and gzip */
static struct cpio good_cpio(void)
{
	static const u8 gzip[] = { 0x1f, 0x8b, 8, '0', '7', '0', '7', '0' };
	struct cpio cpio = { 0 };

	cpio_add(&cpio, "kernel", S_IFDIR | 0755, "", 0);
	cpio_add_text(&cpio, "kernel/kexec/a/kernel", "an Image");
	cpio_add_text(&cpio, "kernel/kexec/a/kernel.sig", "\3\2\4");
	cpio_add_text(&cpio, "kernel/firmware/acpi/dsdt.aml", "a table");
	cpio_end(&cpio);
	cpio_zeros(&cpio, -cpio.len % 512);
	cpio_add_text(&cpio, "kernel/kexec/b/cmdline", "quiet");
	cpio_end(&cpio);
	cpio_zeros(&cpio, -cpio.len % 512);
	cpio.bytes = realloc(cpio.bytes, cpio.len + sizeof(gzip));
	assert_non_null(cpio.bytes);
	memcpy(cpio.bytes + cpio.len, gzip, sizeof(gzip));
	cpio.len += sizeof(gzip);
	return cpio;
}

static void check_entry(const struct cpio *cpio, u64 *pos, const char *name, const char *content)
{
	struct kexec_stash_cpio_file file;
	const char *why = "";

	assert_int_equal(kexec_stash_cpio_next(cpio->bytes, cpio->len, pos, &file, &why), 1);
	assert_string_equal(file.name, name);
	assert_int_equal(file.name_len, strlen(name));
	assert_int_equal(file.size, strlen(content));
	assert_memory_equal(cpio->bytes + file.data, content, strlen(content));
	assert_memory_equal(cpio->bytes + file.header, "070701", 6);
}

static void test_good_cpio(void **state)
{
	struct cpio cpio = good_cpio();
	struct kexec_stash_cpio_file file;
	const char *why;
	u64 pos = 0;

	(void)state;
	check_entry(&cpio, &pos, "kernel", "");
	check_entry(&cpio, &pos, "kernel/kexec/a/kernel", "an Image");
	check_entry(&cpio, &pos, "kernel/kexec/a/kernel.sig", "\3\2\4");
	check_entry(&cpio, &pos, "kernel/firmware/acpi/dsdt.aml", "a table");
	check_entry(&cpio, &pos, "kernel/kexec/b/cmdline", "quiet");
	assert_int_equal(kexec_stash_cpio_next(cpio.bytes, cpio.len, &pos, &file, &why), 0);
	assert_null(walk_cpio(cpio.bytes, cpio.len));
	free(cpio.bytes);
}

/* Payloads have no type that the kernel unpacks; the rest has not changed */
static void test_hidden_payload(void **state)
{
	static const bool hidden[] = { false, true, true, false, true };
	struct cpio cpio = good_cpio();
	struct kexec_stash_cpio_file file;
	const char *why;
	u64 pos = 0;

	(void)state;
	assert_null(walk_cpio(cpio.bytes, cpio.len));
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		assert_int_equal(kexec_stash_cpio_next(cpio.bytes, cpio.len, &pos, &file, &why), 1);
		assert_int_equal(!(file.mode & S_IFMT), hidden[i]);
	}
	free(cpio.bytes);
}

static void test_no_cpio(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{ "", 0 }, { "\0\0\0", 3 }, { "0", 1 }, { "07070", 5 }, { "\x1f\x8b\x08\0", 4 },
		{ "070707", 6 }, { "\000070701", 7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		void *initrd = exact(rows[i].bytes, rows[i].len);
		struct kexec_stash_cpio_file file;
		const char *why;
		u64 pos = 0;

		assert_int_equal(kexec_stash_cpio_next(initrd, rows[i].len, &pos, &file, &why), 0);
		free(initrd);
	}
}

/* Fields of a header */
#define FIELD(n)	(6 + 8 * (n))
#define MODE		FIELD(1)
#define SIZE		FIELD(6)
#define NAME_LEN	FIELD(11)

/* One file of 8 bytes; text put into its header at an offset, or cut off at a length */
static const struct {
	const char *name;
	int ret;
	const char *why;
	size_t offset, cut;
	const char *put;
} bad_cpios[] = {
	{ "cut off in the header", -EBADMSG, "ends inside a header", 0, 109, "" },
	{ "cut off in the magic's header", -EBADMSG, "ends inside a header", 0, 6, "" },
	{ "cut off in the name", -EBADMSG, "ends inside a name", 0, 131, "" },
	{ "cut off at the content", -EBADMSG, "ends inside a file", 0, 132, "" },
	{ "cut off in the content", -EBADMSG, "ends inside a file", 0, 139, "" },
	{ "cut off behind the content", 1, "", 0, 140, "" },
	{ "mode not hexadecimal", -EBADMSG, "has a header that is not hexadecimal", MODE, 0, "0x" },
	{ "size not hexadecimal", -EBADMSG, "has a header that is not hexadecimal", SIZE, 0, " " },
	{ "a name's length not hexadecimal", -EBADMSG, "has a header that is not hexadecimal",
	  NAME_LEN + 7, 0, "g" },
	{ "size of 4 GiB", -EBADMSG, "ends inside a file", SIZE, 0, "ffffffff" },
	{ "size one too large", -EBADMSG, "ends inside a file", SIZE, 0, "00000009" },
	{ "size in capitals", -EBADMSG, "ends inside a file", SIZE, 0, "0000000A" },
	{ "no name", -EBADMSG, "has a name of no length or too great a length", NAME_LEN, 0,
	  "00000000" },
	{ "a name of 4097 bytes", -EBADMSG, "has a name of no length or too great a length",
	  NAME_LEN, 0, "00001001" },
	{ "a name of 4 GiB", -EBADMSG, "has a name of no length or too great a length",
	  NAME_LEN, 0, "ffffffff" },
	{ "a name of 4096 bytes", -EBADMSG, "ends inside a name", NAME_LEN, 0, "00001000" },
	{ "a name without its end", -EBADMSG, "has a name without an end", NAME_LEN, 0,
	  "00000015" },
	{ "with a sum", 1, "", 0, 0, "070702" },
	{ "another format", 0, "", 0, 0, "070703" },
};

static void test_bad_cpio(void **state)
{
	size_t row = (size_t)*state, len;
	struct kexec_stash_cpio_file file;
	struct cpio cpio = { 0 };
	const char *why = "";
	void *initrd;
	u64 pos = 0;

	cpio_add_text(&cpio, "kernel/kexec/a/kernel", "an Image");
	assert_int_equal(cpio.len, 140);
	memcpy(cpio.bytes + bad_cpios[row].offset, bad_cpios[row].put, strlen(bad_cpios[row].put));
	len = bad_cpios[row].cut ? bad_cpios[row].cut : cpio.len;
	initrd = exact(cpio.bytes, len);
	assert_int_equal(kexec_stash_cpio_next(initrd, len, &pos, &file, &why), bad_cpios[row].ret);
	if (bad_cpios[row].ret == -EBADMSG) {
		assert_string_equal(why, bad_cpios[row].why);
		assert_int_equal(pos, 0);
	}
	free(initrd);
	free(cpio.bytes);
}

/* Entries before the break stay good, and the next name is known */
static void test_cpio_broken_behind_a_file(void **state)
{
	static const char name[] = "kernel/kexec/a/initrd";
	struct kexec_stash_cpio_file file;
	struct cpio cpio = { 0 };
	const char *why;
	u64 pos = 0;

	(void)state;
	cpio_add_text(&cpio, "kernel/kexec/a/kernel", "an Image");
	cpio_add_text(&cpio, name, "a ramdisk");
	check_entry(&cpio, &pos, "kernel/kexec/a/kernel", "an Image");
	assert_int_equal(kexec_stash_cpio_next(cpio.bytes, cpio.len - 4, &pos, &file, &why),
			 -EBADMSG);
	assert_string_equal(why, "ends inside a file");
	assert_string_equal(file.name, name);
	cpio.bytes[140] = 'x';
	assert_int_equal(kexec_stash_cpio_next(cpio.bytes, cpio.len, &pos, &file, &why), -EBADMSG);
	assert_string_equal(why, "has something else where a header should be");
	assert_null(file.name);
	free(cpio.bytes);
}

static void test_cpio_cut_off_and_changed(void **state)
{
	static const char put[] = "0f7T/.\x80";
	struct cpio cpio = good_cpio();

	(void)state;
	for (size_t i = 0; i < cpio.len; i++) {
		void *initrd = exact(cpio.bytes, i);

		assert_null(walk_cpio(initrd, i));
		free(initrd);
		for (size_t j = 0; j < sizeof(put); j++) {
			char *changed = exact(cpio.bytes, cpio.len);

			changed[i] = put[j];
			assert_null(walk_cpio(changed, cpio.len));
			free(changed);
		}
	}
	free(cpio.bytes);
}

/* Whose file an entry is */

static const char not_a_file[] = "is no file of a payload";
static const char no_folder[] = "is not in the folder of a slot";
static const char parent[] = "has '..' in its name";
static const char not_regular[] = "is not a regular file";

/* Taken for a payload's file */
static const struct {
	const char *name, *label;
	unsigned int id;
	bool sig;
} places[] = {
	{ "kernel/kexec/a/kernel", "a", KEXEC_STASH_KERNEL, false },
	{ "kernel/kexec/a/initrd", "a", KEXEC_STASH_INITRD, false },
	{ "kernel/kexec/a/dtb", "a", KEXEC_STASH_DTB, false },
	{ "kernel/kexec/a/cmdline", "a", KEXEC_STASH_NR_FILES, false },
	{ "kernel/kexec/a/kernel.sig", "a", KEXEC_STASH_KERNEL, true },
	{ "kernel/kexec/a/initrd.sig", "a", KEXEC_STASH_INITRD, true },
	{ "kernel/kexec/a/dtb.sig", "a", KEXEC_STASH_DTB, true },
	{ "./kernel/kexec/a/kernel", "a", KEXEC_STASH_KERNEL, false },
	{ "kernel/kexec/" LABEL_31 "/dtb", LABEL_31, KEXEC_STASH_DTB, false },
	{ "kernel/kexec/a..b/dtb", "a..b", KEXEC_STASH_DTB, false },
};

/* Refused as one, with the slot's name if it is known; without a reason, nobody's */
static const struct {
	const char *name, *why, *label;
	u32 mode;
} no_places[] = {
	{ "kernel/kexec/a", NULL, "", S_IFDIR | 0755 },
	{ "kernel/kexec/", NULL, "", S_IFDIR | 0755 },
	{ "kernel/kexec", NULL, "", S_IFREG },
	{ "init", NULL, "", S_IFREG },
	{ "kernel/x86/microcode/GenuineIntel.bin", NULL, "", S_IFREG },
	{ "kernel/kexecs/a/kernel", NULL, "", S_IFREG },
	{ "lib/kernel/kexec/a/kernel", NULL, "", S_IFREG },
	{ "/kernel/kexec/a/kernel", NULL, "", S_IFREG },
	{ "../a", NULL, "", S_IFREG },
	{ "kernel/kexec/a/cmdline.sig", not_a_file, "a", S_IFREG },
	{ "kernel/kexec/a/kernel.sig.sig", not_a_file, "a", S_IFREG },
	{ "kernel/kexec/a/.sig", not_a_file, "a", S_IFREG },
	{ "kernel/kexec/a/", not_a_file, "a", S_IFREG },
	{ "kernel/kexec/a/Kernel", not_a_file, "a", S_IFREG },
	{ "kernel/kexec/a/kernel/x", not_a_file, "a", S_IFREG },
	{ "kernel/kexec/a//kernel", not_a_file, "a", S_IFREG },
	{ "kernel/kexec/a/state", not_a_file, "a", S_IFREG },
	{ "kernel/kexec/a", "is not <slot>/<file>", "", S_IFREG },
	{ "kernel/kexec/" LABEL_31 "2/dtb", "is not <slot>/<file>", "", S_IFREG },
	{ "kernel/kexec//kernel", no_folder, "", S_IFREG },
	{ "kernel/kexec/./kernel", no_folder, "", S_IFREG },
	{ "kernel/kexec/a b/kernel", no_folder, "", S_IFREG },
	{ "kernel/kexec/../kernel", parent, "", S_IFREG },
	{ "kernel/kexec/a/../b/kernel", parent, "", S_IFREG },
	{ "kernel/kexec/a/..", parent, "", S_IFREG },
	{ "../kernel/kexec/a/kernel", parent, "", S_IFREG },
	{ "kernel/kexec/a/kernel", not_regular, "", S_IFLNK | 0777 },
	{ "kernel/kexec/a/kernel", not_regular, "", S_IFCHR | 0600 },
	{ "kernel/kexec/a/kernel", not_regular, "", 0644 },
};

/* The entry of that name and type, as the walk finds it */
static int place_of(const char *name, u32 mode, char *label, unsigned int *id, bool *sig,
		    const char **why)
{
	struct kexec_stash_cpio_file file;
	struct cpio cpio = { 0 };
	u64 pos = 0;
	int ret;

	cpio_add(&cpio, name, mode, "content", 7);
	assert_int_equal(kexec_stash_cpio_next(cpio.bytes, cpio.len, &pos, &file, why), 1);
	assert_int_equal(file.mode, mode);
	ret = kexec_stash_cpio_place(&file, label, id, sig, why);
	assert_null(walk_cpio(cpio.bytes, cpio.len));
	free(cpio.bytes);
	return ret;
}

static void test_place(void **state)
{
	size_t row = (size_t)*state;
	char label[KEXEC_STASH_LABEL_LEN];
	unsigned int id = ~0U;
	const char *why;
	bool sig;

	assert_int_equal(place_of(places[row].name, S_IFREG | 0644, label, &id, &sig, &why), 1);
	assert_string_equal(label, places[row].label);
	assert_int_equal(id, places[row].id);
	assert_int_equal(sig, places[row].sig);
}

static void test_no_place(void **state)
{
	size_t row = (size_t)*state;
	char label[KEXEC_STASH_LABEL_LEN];
	const char *why = NULL;
	unsigned int id;
	bool sig;

	assert_int_equal(place_of(no_places[row].name, no_places[row].mode, label, &id, &sig, &why),
			 no_places[row].why ? -EINVAL : 0);
	assert_string_equal(label, no_places[row].label);
	if (no_places[row].why)
		assert_string_equal(why, no_places[row].why);
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_no_items),
	cmocka_unit_test(test_several_items),
	cmocka_unit_test(test_param_cut_off_and_changed),
	cmocka_unit_test(test_good_cpio),
	cmocka_unit_test(test_hidden_payload),
	cmocka_unit_test(test_no_cpio),
	cmocka_unit_test(test_cpio_broken_behind_a_file),
	cmocka_unit_test(test_cpio_cut_off_and_changed),
};

/* A test for each row of a table, which begins with the row's name */
static int run_rows(const char *group, CMUnitTestFunction test, const void *table, size_t rows,
		    size_t row_size)
{
	struct CMUnitTest *tests = calloc(rows, sizeof(*tests));
	int failed;

	assert_non_null(tests);
	for (size_t i = 0; i < rows; i++) {
		memcpy(&tests[i].name, (const char *)table + i * row_size, sizeof(tests[i].name));
		tests[i].test_func = test;
		tests[i].initial_state = (void *)i;
	}
	failed = _cmocka_run_group_tests(group, tests, rows, NULL, NULL);
	free(tests);
	return failed;
}

int main(void)
{
	int failed = cmocka_run_group_tests_name("kexec_stash= and cpio", others, NULL, NULL);

	failed += run_rows("kexec_stash= taken", test_item, items, ARRAY_SIZE(items),
			   sizeof(items[0]));
	failed += run_rows("kexec_stash= refused", test_bad_item, bad_items, ARRAY_SIZE(bad_items),
			   sizeof(bad_items[0]));
	failed += run_rows("cpio at its edges", test_bad_cpio, bad_cpios, ARRAY_SIZE(bad_cpios),
			   sizeof(bad_cpios[0]));
	failed += run_rows("cpio, whose file", test_place, places, ARRAY_SIZE(places),
			   sizeof(places[0]));
	failed += run_rows("cpio, nobody's file", test_no_place, no_places, ARRAY_SIZE(no_places),
			   sizeof(no_places[0]));
	return failed ? 1 : 0;
}
