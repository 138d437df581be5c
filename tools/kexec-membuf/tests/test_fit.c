// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stage --fit: what is taken out of a FIT, and what is refused
 */

#include "fixture.h"
#include "command.h"
#include "stage.h"

#include <libfdt.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIT_LEN		0x80000
#define KERNEL_LEN	100000
#define INITRD_LEN	30001
#define IMAGE_SIZE	0x900000

static u8 kernel[KERNEL_LEN];
static u8 initrd[INITRD_LEN];
static u8 *dtb;
static size_t dtb_size;

/* The FIT that a test changes, and what lies behind it in the file */
static char fit[FIT_LEN];
static char behind[FIT_LEN];
static size_t behind_len;

static int at(const char *path)
{
	int node = fdt_path_offset(fit, path);

	assert_true(node >= 0);
	return node;
}

static void add_node(const char *parent, const char *name)
{
	assert_true(fdt_add_subnode(fit, at(parent), name) >= 0);
}

static void set(const char *path, const char *property, const void *value, int len)
{
	assert_int_equal(fdt_setprop(fit, at(path), property, value, len), 0);
}

static void set_string(const char *path, const char *property, const char *value)
{
	set(path, property, value, strlen(value) + 1);
}

static void set_number(const char *path, const char *property, u32 value)
{
	assert_int_equal(fdt_setprop_u32(fit, at(path), property, value), 0);
}

static void drop(const char *path, const char *property)
{
	assert_int_equal(fdt_delprop(fit, at(path), property), 0);
}

static void add_hash(const char *image, const char *name, const char *algo, const void *data,
		     size_t len)
{
	char *path = xasprintf("%s/%s", image, name);
	u8 value[DIGEST_LEN];
	unsigned int n = 4;
	uLong crc;

	if (strcmp(algo, "crc32")) {
		assert_true(EVP_Digest(data, len, value, &n, EVP_get_digestbyname(algo), NULL));
	} else {
		crc = crc32(0, data, len);
		value[0] = crc >> 24;
		value[1] = crc >> 16;
		value[2] = crc >> 8;
		value[3] = crc;
	}
	assert_true(n);
	add_node(image, name);
	set_string(path, "algo", algo);
	set(path, "value", value, n);
	free(path);
}

static void add_image(const char *name, const char *type, const void *data, size_t len)
{
	char *path = xasprintf("/images/%s", name);

	add_node("/images", name);
	set_string(path, "type", type);
	set_string(path, "arch", "arm64");
	set_string(path, "compression", "none");
	set(path, "data", data, len);
	free(path);
}

static void make_fit(void)
{
	assert_int_equal(fdt_create_empty_tree(fit, sizeof(fit)), 0);
	behind_len = 0;
	add_node("/", "images");
	add_image("kernel-1", "kernel", kernel, sizeof(kernel));
	add_hash("/images/kernel-1", "hash-1", "sha256", kernel, sizeof(kernel));
	add_image("ramdisk-1", "ramdisk", initrd, sizeof(initrd));
	add_hash("/images/ramdisk-1", "hash-1", "crc32", initrd, sizeof(initrd));
	add_image("fdt-1", "flat_dt", dtb, dtb_size);
	add_hash("/images/fdt-1", "hash-1", "sha1", dtb, dtb_size);
	add_node("/", "configurations");
	set_string("/configurations", "default", "conf-1");
	/* The last one comes first */
	add_node("/configurations", "conf-2");
	set_string("/configurations/conf-2", "kernel", "kernel-1");
	add_node("/configurations", "conf-1");
	set_string("/configurations/conf-1", "kernel", "kernel-1");
	set_string("/configurations/conf-1", "ramdisk", "ramdisk-1");
	set_string("/configurations/conf-1", "fdt", "fdt-1");
}

static int setup(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(kernel); i++)
		kernel[i] = i * 31 >> 5;
	make_image(kernel, 0, IMAGE_SIZE);
	for (i = 0; i < sizeof(initrd); i++)
		initrd[i] = i * 7 >> 4;
	if (fixture_setup(state))
		return -1;
	dtb = make_dtb(&dtb_size);
	put_staged_slot("a");
	make_fit();
	return 0;
}

static int teardown(void **state)
{
	free(dtb);
	return fixture_teardown(state);
}

#define fit_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

/* With the data of its images behind it, as mkimage -E has it */
static void put_behind(const char *image, const void *data, size_t len)
{
	char *path = xasprintf("/images/%s", image);

	drop(path, "data");
	set_number(path, "data-offset", behind_len);
	set_number(path, "data-size", len);
	memcpy(behind + behind_len, data, len);
	behind_len += (len + 3) & ~3UL;
	free(path);
}

static void stage_conf(const char *conf)
{
	size_t len;
	char *path, *buf;

	assert_int_equal(fdt_pack(fit), 0);
	len = (fdt_totalsize(fit) + 3) & ~3UL;
	buf = xmalloc(len + behind_len);
	memset(buf, 0, len);
	memcpy(buf, fit, fdt_totalsize(fit));
	memcpy(buf + len, behind, behind_len);
	put_data("x.itb", buf, len + behind_len);
	free(buf);
	path = xasprintf("%s%s%s", outside_path("x.itb"), conf ? "#" : "", conf ? conf : "");
	run("stage", "a", "--fit", path, NULL);
	free(path);
	/* To be changed further */
	assert_int_equal(fdt_open_into(fit, fit, sizeof(fit)), 0);
}

static void stage_fit(void)
{
	stage_conf(NULL);
}

static void assert_staged(void)
{
	assert_int_equal(status, STATUS_DONE);
	assert_content("sys/fs/kexec/a/kernel", kernel, sizeof(kernel));
	assert_content("sys/fs/kexec/a/initrd", initrd, sizeof(initrd));
	assert_content("sys/fs/kexec/a/dtb", dtb, dtb_size);
	assert_content("sys/fs/kexec/a/cmdline", "", 0);
}

/* The slot is as it was */
static void assert_refused(const char *why)
{
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': FIT '%s': %s", outside_path("x.itb"), why);
	assert_content("sys/fs/kexec/a/state", "staged\n", 7);
	assert_content("sys/fs/kexec/a/cmdline", "console=ttyAMA0 quiet", 21);
}

static void default_configuration_is_staged(void **state)
{
	(void)state;
	stage_fit();
	assert_staged();
	assert_non_null(strstr(out, "  configuration 'conf-1'\n"));
	assert_non_null(strstr(out, ", image 'kernel-1', sha256 checked\n"));
	assert_non_null(strstr(out, ", image 'ramdisk-1', crc32 checked\n"));
	assert_null(strstr(err, "note: "));
}

static void configuration_can_be_chosen(void **state)
{
	(void)state;
	stage_conf("conf-2");
	assert_int_equal(status, STATUS_DONE);
	assert_content("sys/fs/kexec/a/kernel", kernel, sizeof(kernel));
	assert_content("sys/fs/kexec/a/initrd", "", 0);
	assert_non_null(strstr(out, "  configuration 'conf-2'\n"));
}

static void data_may_lie_behind_the_tree(void **state)
{
	u32 offset[2] = {}, size[2] = {};

	(void)state;
	put_behind("kernel-1", kernel, sizeof(kernel));
	put_behind("ramdisk-1", initrd, sizeof(initrd));
	stage_fit();
	assert_staged();

	/* The same in 64 bits */
	offset[1] = cpu_to_fdt32((sizeof(kernel) + 3) & ~3UL);
	size[1] = cpu_to_fdt32(sizeof(initrd));
	set("/images/ramdisk-1", "data-offset", offset, sizeof(offset));
	set("/images/ramdisk-1", "data-size", size, sizeof(size));
	stage_fit();
	assert_staged();
}

static void data_may_have_a_position(void **state)
{
	size_t tree;

	(void)state;
	put_behind("kernel-1", kernel, sizeof(kernel));
	drop("/images/kernel-1", "data-offset");
	/* Room for it first: the tree's size must not change any more */
	set_number("/images/kernel-1", "data-position", 0);
	assert_int_equal(fdt_pack(fit), 0);
	tree = (fdt_totalsize(fit) + 3) & ~3UL;
	set_number("/images/kernel-1", "data-position", tree);
	stage_fit();
	assert_staged();
}

static void all_hashes_are_checked(void **state)
{
	static const char * const algos[] = {
		"crc32", "md5", "sha1", "sha256", "sha384", "sha512"
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(algos); i++) {
		make_fit();
		add_hash("/images/kernel-1", "hash-2", algos[i], kernel, sizeof(kernel));
		stage_fit();
		assert_staged();
		/* The first one is right, the second one is that of something else */
		make_fit();
		add_hash("/images/kernel-1", "hash-2", algos[i], kernel, sizeof(kernel) - 1);
		stage_fit();
		assert_int_equal(status, STATUS_FAILED);
		assert_error("slot 'a': kernel '%s', image 'kernel-1': does not have its %s; "
			     "get the file again",
			     outside_path("x.itb"), algos[i]);
		assert_content("sys/fs/kexec/a/state", "empty\n", 6);
		assert_content("sys/fs/kexec/a/kernel", "", 0);
	}
}

static void hash_is_of_the_packed_bytes_and_all_of_them(void **state)
{
	uLongf len = sizeof(kernel) + 1000;
	u8 *packed = xmalloc(len);
	z_stream z = { .next_in = kernel, .avail_in = sizeof(kernel), .next_out = packed,
		       .avail_out = len };

	(void)state;
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	/* With a tail that unpacking has no use for */
	memset(packed + z.total_out, 0, 500);
	len = z.total_out + 500;
	set("/images/kernel-1", "data", packed, len);
	set_string("/images/kernel-1", "compression", "gzip");
	fdt_del_node(fit, at("/images/kernel-1/hash-1"));
	add_hash("/images/kernel-1", "hash-1", "sha256", packed, len);
	fake.read_step = 997;
	stage_fit();
	assert_staged();
	assert_non_null(strstr(out, "unpacked from gzip, image 'kernel-1', sha256 checked\n"));

	set_string("/images/kernel-1", "compression", "zstd");
	stage_fit();
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': kernel '%s', image 'kernel-1': %s", outside_path("x.itb"),
		     "is said to be zstd compressed, but is not");
	free(packed);
}

static void image_without_hash_is_taken_with_a_notice(void **state)
{
	(void)state;
	fdt_del_node(fit, at("/images/ramdisk-1/hash-1"));
	stage_fit();
	assert_staged();
	assert_non_null(strstr(err, "note: slot 'a': initrd "));
	assert_non_null(strstr(err, "'ramdisk-1': has no hash: it is not known to be whole\n"));
}

static void loadables_are_named(void **state)
{
	static const char names[] = "tee-1\0fpga-1";

	(void)state;
	set("/configurations/conf-1", "loadables", names, sizeof(names));
	stage_fit();
	assert_staged();
	assert_non_null(strstr(err, ": its loadables 'tee-1', 'fpga-1' are not used\n"));
}

static void configurations_that_cannot_be_staged_are_refused(void **state)
{
	static const char two[] = "fdt-1\0fdt-1";

	(void)state;
	stage_conf("conf-3");
	assert_refused("has no configuration 'conf-3'; there are: 'conf-1', 'conf-2'");
	drop("/configurations", "default");
	stage_fit();
	assert_refused("has no default configuration: name one (FILE#CONF); "
		       "there are: 'conf-1', 'conf-2'");
	make_fit();
	set("/configurations/conf-1", "fdt", two, sizeof(two));
	stage_fit();
	assert_refused("configuration 'conf-1' has more than one fdt; "
		       "overlays are not applied here");
	make_fit();
	drop("/configurations/conf-1", "kernel");
	stage_fit();
	assert_refused("configuration 'conf-1' has no kernel");
	make_fit();
	set_string("/configurations/conf-1", "ramdisk", "ramdisk-9");
	stage_fit();
	assert_refused("configuration 'conf-1' names an image 'ramdisk-9', which is not there");
	make_fit();
	fdt_del_node(fit, at("/configurations"));
	stage_fit();
	assert_refused("is no FIT: it has no images or no configurations");
	/* What U-Boot would not look at */
	make_fit();
	add_node("/images", "kernel@2");
	stage_fit();
	assert_refused("has a node 'kernel@2', and no name may have a '@'");
}

static void images_that_cannot_be_staged_are_refused(void **state)
{
	static const struct {
		const char *image;
		const char *property;
		const char *value;
		const char *why;
	} cases[] = {
		{ "kernel-1", "type", "firmware",
		  "image 'kernel-1' is of type 'firmware', not 'kernel'" },
		{ "kernel-1", "arch", "x86_64", "image 'kernel-1' is for 'x86_64', not for arm64" },
		{ "kernel-1", "arch", "arm", "image 'kernel-1' is for 'arm', not for arm64" },
		{ "kernel-1", "compression", "lzo",
		  "image 'kernel-1' is lzo compressed: unpack it first" },
		{ "fdt-1", "compression", "gzip",
		  "image 'fdt-1' is gzip compressed: unpack it first" },
		{ "ramdisk-1", "type", "kernel",
		  "image 'ramdisk-1' is of type 'kernel', not 'ramdisk'" },
		{ "kernel-1/hash-1", "algo", "crc16",
		  "image 'kernel-1': hash-1 (crc16) has no known algorithm" },
		{ "kernel-1/hash-1", "algo", "longer-than-all-",
		  "image 'kernel-1': hash-1 (longer-than-all-) has no known algorithm" },
		{ "kernel-1/hash-1", "algo", "sha512",
		  "image 'kernel-1': hash-1 (sha512) has a value of the wrong length" },
		{ "kernel-1/hash-1", "algo", "crc32",
		  "image 'kernel-1': hash-1 (crc32) has a value of the wrong length" },
		{ "kernel-1/hash-1", "value", NULL,
		  "image 'kernel-1': hash-1 has no algo or no value" },
		{ "kernel-1", "data", NULL, "image 'kernel-1' has no data" },
		{ "kernel-1", "data", "", "image 'kernel-1' is empty" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *path = xasprintf("/images/%s", cases[i].image);

		make_fit();
		if (!cases[i].value)
			drop(path, cases[i].property);
		else if (!cases[i].value[0])
			set(path, cases[i].property, "", 0);
		else
			set_string(path, cases[i].property, cases[i].value);
		stage_fit();
		assert_refused(cases[i].why);
		free(path);
	}
	make_fit();
	add_node("/images/kernel-1", "cipher");
	stage_fit();
	assert_refused("image 'kernel-1' is encrypted, which only U-Boot can undo");
	make_fit();
	for (i = 2; i < FIT_SUMS_MAX + 2; i++) {
		char *name = xasprintf("hash-%zu", i);

		add_hash("/images/kernel-1", name, "crc32", kernel, sizeof(kernel));
		free(name);
	}
	stage_fit();
	assert_refused("image 'kernel-1' has more than 8 hashes");
}

static void places_outside_the_file_are_refused(void **state)
{
	static const u32 far[2] = { 0xffffffff, 0xffffffff };
	static const char cut[] = "is cut off: image 'kernel-1' ends behind its end";

	(void)state;
	put_behind("kernel-1", kernel, sizeof(kernel));
	behind_len -= 4;
	stage_fit();
	assert_refused(cut);
	behind_len += 4;
	set("/images/kernel-1", "data-offset", far, sizeof(far));
	stage_fit();
	assert_refused("image 'kernel-1' has no good data-offset");
	set("/images/kernel-1", "data-offset", far, 3);
	stage_fit();
	assert_refused("image 'kernel-1' has no good data-offset");
	set_number("/images/kernel-1", "data-offset", 0);
	set("/images/kernel-1", "data-size", far, sizeof(far));
	stage_fit();
	assert_refused(cut);
	set_number("/images/kernel-1", "data-size", 0);
	stage_fit();
	assert_refused("image 'kernel-1' is empty");
	drop("/images/kernel-1", "data-size");
	stage_fit();
	assert_refused("image 'kernel-1' has no good data-size");
	set_number("/images/kernel-1", "data-size", 64);
	set("/images/kernel-1", "data-position", far, sizeof(far));
	stage_fit();
	assert_refused(cut);
	set("/images/kernel-1", "data-position", far, 5);
	stage_fit();
	assert_refused("image 'kernel-1' has no good data-position");
}

static void stage_file(const void *data, size_t len)
{
	put_data("x.itb", data, len);
	run("stage", "a", "--fit", outside_path("x.itb"), NULL);
}

static void what_is_no_fit_is_refused(void **state)
{
	const char *path = outside_path("x.itb");

	(void)state;
	stage_file(kernel, sizeof(kernel));
	assert_refused("is no FIT");
	stage_file(fit, 30);
	assert_refused("is no FIT");
	stage_file("", 0);
	assert_refused("is empty");
	stage_file(dtb, dtb_size);
	assert_refused("is no FIT: it has no images or no configurations");
	assert_int_equal(fdt_pack(fit), 0);
	stage_file(fit, fdt_totalsize(fit) - 1);
	assert_refused("is cut off; get the file again");
	/* Nodes of old trees have paths, not names */
	fdt_set_version(fit, 15);
	stage_file(fit, fdt_totalsize(fit));
	assert_refused("is damaged; get the file again");
	fdt_set_version(fit, 17);
	memset(fit + fdt_off_dt_struct(fit), 0xff, 64);
	stage_file(fit, fdt_totalsize(fit));
	assert_refused("is damaged; get the file again");
	remove_path("x.itb");
	run("stage", "a", "--fit", path, NULL);
	assert_refused("cannot be opened: No such file or directory");
}

static void pipe_is_refused(void **state)
{
	int fds[2], saved = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(pipe(fds), 0);
	dup2(fds[0], STDIN_FILENO);
	run("stage", "a", "--fit", "-", NULL);
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': FIT from standard input: is no file: a FIT is not read in order; "
		     "put it into a file first");
}

static void name_of_the_file_may_have_a_hash_sign(void **state)
{
	char *path;

	(void)state;
	assert_int_equal(fdt_pack(fit), 0);
	put_data("x#1.itb", fit, fdt_totalsize(fit));
	path = xasprintf("%s", outside_path("x#1.itb"));
	run("stage", "a", "--fit", path, NULL);
	assert_staged();
	free(path);
	path = xasprintf("%s#conf-2", outside_path("x#1.itb"));
	run("stage", "a", "--fit", path, NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_content("sys/fs/kexec/a/initrd", "", 0);
	free(path);
}

static void names_are_made_printable(void **state)
{
	(void)state;
	set_string("/configurations", "default", "co\033[2Jnf");
	stage_fit();
	assert_refused("has no configuration 'co?[2Jnf'; there are: 'conf-1', 'conf-2'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fit_test(default_configuration_is_staged),
		fit_test(configuration_can_be_chosen),
		fit_test(data_may_lie_behind_the_tree),
		fit_test(data_may_have_a_position),
		fit_test(all_hashes_are_checked),
		fit_test(hash_is_of_the_packed_bytes_and_all_of_them),
		fit_test(image_without_hash_is_taken_with_a_notice),
		fit_test(loadables_are_named),
		fit_test(configurations_that_cannot_be_staged_are_refused),
		fit_test(images_that_cannot_be_staged_are_refused),
		fit_test(places_outside_the_file_are_refused),
		fit_test(what_is_no_fit_is_refused),
		fit_test(pipe_is_refused),
		fit_test(name_of_the_file_may_have_a_hash_sign),
		fit_test(names_are_made_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
