// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stage: what is written, what is refused before anything is, and what a failure leaves
 */

#include "fixture.h"
#include "command.h"
#include "stage.h"

#ifdef HAVE_LZ4
#include <lz4.h>
#include <lz4frame.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#include <zlib.h>
#include <zstd.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KERNEL_LEN	3000000
#define INITRD_LEN	700001
#define IMAGE_SIZE	0x900000

/* Slots of the fixture have 128 MiB */
#define ROOM		(0x8000000 - KEXEC_STASH_TAIL)

static u8 kernel[KERNEL_LEN];
static u8 initrd[INITRD_LEN];

/* A kernel is not just zeros, and not all noise */
static void make_kernel(void)
{
	u32 x = 1;
	size_t i;

	for (i = 0; i < sizeof(kernel); i++) {
		x = x * 1103515245 + 12345;
		kernel[i] = i % 3 ? x >> 24 : i >> 12;
	}
	/* Something to look back at from afar */
	memcpy(kernel + 2500000, kernel + 100000, 300000);
	make_image(kernel, 0, IMAGE_SIZE);
	for (i = 0; i < sizeof(initrd); i++)
		initrd[i] = i * 7 >> 4;
}

static char *put_source(const char *name, const void *data, size_t size)
{
	put_data(name, data, size);
	return xasprintf("%s", outside_path(name));
}

static int setup(void **state)
{
	make_kernel();
	if (fixture_setup(state))
		return -1;
	put_slot("a", "empty");
	return 0;
}

#define stage_test(f)	cmocka_unit_test_setup_teardown(f, setup, fixture_teardown)

/* What is in a slot before, to be found there afterwards */
static void put_old(const char *slot)
{
	put_staged_slot(slot);
}

static off_t stored_size(const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(test_root, path, &st, 0), 0);
	return st.st_size;
}

static void assert_old(const char *slot)
{
	char *path = xasprintf("sys/fs/kexec/%s/cmdline", slot);

	assert_content(path, "console=ttyAMA0 quiet", 21);
	free(path);
	path = xasprintf("sys/fs/kexec/%s/initrd", slot);
	assert_int_equal(stored_size(path), 4096);
	free(path);
}

static void assert_state(const char *slot, const char *state)
{
	char *path = xasprintf("sys/fs/kexec/%s/state", slot);
	char *line = xasprintf("%s\n", state);

	assert_content(path, line, strlen(line));
	free(line);
	free(path);
}

static void assert_emptied(const char *slot)
{
	static const char * const files[] = { "kernel", "initrd", "dtb", "cmdline" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		char *path = xasprintf("sys/fs/kexec/%s/%s", slot, files[i]);

		assert_content(path, "", 0);
		free(path);
	}
	assert_state(slot, "empty");
}

static void all_files_are_staged(void **state)
{
	size_t dtb_size;
	u8 *dtb = make_dtb(&dtb_size);
	char *k = put_source("Image", kernel, sizeof(kernel));
	char *i = put_source("initrd", initrd, sizeof(initrd));
	char *d = put_source("dtb", dtb, dtb_size);

	(void)state;
	run("stage", "a", "--kernel", k, "--initrd", i, "--dtb", d, "--command-line", "quiet rw",
	    NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_content("sys/fs/kexec/a/kernel", kernel, sizeof(kernel));
	assert_content("sys/fs/kexec/a/initrd", initrd, sizeof(initrd));
	assert_content("sys/fs/kexec/a/dtb", dtb, dtb_size);
	assert_content("sys/fs/kexec/a/cmdline", "quiet rw", 8);
	assert_state("a", "staged");
	assert_non_null(strstr(out, "slot 'a': staged in "));
	assert_non_null(strstr(out, "  kernel       3000000 bytes (2.9M)\n"));
	assert_non_null(strstr(out, "  initrd        700001 bytes (683.6K)\n"));
	assert_non_null(strstr(out, "  cmdline quiet rw\n"));
	assert_non_null(strstr(err, "slot 'a': kernel: 3000000 bytes (2.9M) written and compared"));
	assert_non_null(strstr(err, "slot 'a': cmdline: 8 bytes"));
	free(dtb);
	free(k);
	free(i);
	free(d);
}

static void what_is_not_given_is_emptied(void **state)
{
	char *k = put_source("Image", kernel, sizeof(kernel));

	(void)state;
	put_old("a");
	run("stage", "a", "--kernel", k, NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_content("sys/fs/kexec/a/kernel", kernel, sizeof(kernel));
	assert_content("sys/fs/kexec/a/initrd", "", 0);
	assert_content("sys/fs/kexec/a/cmdline", "", 0);
	assert_non_null(strstr(out, "  initrd  none\n"));
	assert_non_null(strstr(out, "  cmdline none\n"));
	free(k);
}

static void running_command_line_is_staged(void **state)
{
	char *k = put_source("Image", kernel, sizeof(kernel));

	(void)state;
	run("stage", "a", "--kernel", k, "--reuse-cmdline", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_content("sys/fs/kexec/a/cmdline", "root=/dev/vda quiet", 19);
	free(k);
}

static void json_has_the_documented_keys(void **state)
{
	static const char * const want[] = {
		"\"slot\": \"a\"", "\"state\": \"staged\"", "\"size\": 3000000", "\"image\": null",
		"\"unpacked_from\": null", "\"checked\": null", "\"initrd\": null", "\"dtb\": null",
		"\"cmdline\": \"\"", "\"configuration\": null", "\"stage_ns\": ",
	};
	char *k = put_source("Image", kernel, sizeof(kernel));
	char *source = xasprintf("\"source\": \"%s\"", k);
	size_t i;

	(void)state;
	run("stage", "a", "--kernel", k, "--json", NULL);
	assert_int_equal(status, STATUS_DONE);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		assert_non_null(strstr(out, want[i]));
	assert_non_null(strstr(out, source));
	free(source);
	free(k);
}

/* A process that writes into a pipe, which is standard input then */
static int feed(const void *data, size_t size, pid_t *pid)
{
	int fds[2], saved = dup(STDIN_FILENO);

	assert_int_equal(pipe(fds), 0);
	*pid = fork();
	if (!*pid) {
		close(fds[0]);
		_exit(write(fds[1], data, size) != (ssize_t)size);
	}
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	close(fds[1]);
	return saved;
}

static void feed_end(int saved, pid_t pid)
{
	int code;

	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_int_equal(waitpid(pid, &code, 0), pid);
	assert_int_equal(code, 0);
}

static void files_come_from_standard_input(void **state)
{
	char *k = put_source("Image", kernel, sizeof(kernel));
	pid_t pid;
	int saved;

	(void)state;
	saved = feed(kernel, sizeof(kernel), &pid);
	run("stage", "a", "--kernel", "-", NULL);
	feed_end(saved, pid);
	assert_int_equal(status, STATUS_DONE);
	assert_content("sys/fs/kexec/a/kernel", kernel, sizeof(kernel));

	saved = feed(initrd, sizeof(initrd), &pid);
	run("stage", "a", "--kernel", k, "--initrd", "-", NULL);
	feed_end(saved, pid);
	assert_int_equal(status, STATUS_DONE);
	assert_content("sys/fs/kexec/a/initrd", initrd, sizeof(initrd));
	free(k);
}

/* Compressed kernels */

static u8 *gzip(const void *data, size_t size, size_t *len)
{
	u8 *buf = xmalloc(size + 1000);
	z_stream z = { .next_in = (void *)data, .avail_in = size, .next_out = buf,
		       .avail_out = size + 1000 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	*len = z.total_out;
	deflateEnd(&z);
	return buf;
}

static u8 *zstd(const void *data, size_t size, int window_log, size_t *len)
{
	size_t bound = ZSTD_compressBound(size);
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	u8 *buf = xmalloc(bound);

	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	if (window_log)
		ZSTD_CCtx_setParameter(ctx, ZSTD_c_windowLog, window_log);
	*len = ZSTD_compress2(ctx, buf, bound, data, size);
	assert_false(ZSTD_isError(*len));
	ZSTD_freeCCtx(ctx);
	return buf;
}

static u8 *join(const void *a, size_t a_len, const void *b, size_t b_len)
{
	u8 *buf = xmalloc(a_len + b_len);

	memcpy(buf, a, a_len);
	memcpy(buf + a_len, b, b_len);
	return buf;
}

/* An EFI zboot image: its header, a little code, and the payload with its length behind it */
static u8 *zboot(const char *comp, const void *payload, size_t size, size_t *len)
{
	u8 *buf = xmalloc(size + 4096);
	size_t start = 2048, i;

	memset(buf, 0x55, size + 4096);
	memset(buf, 0, 0x40);
	memcpy(buf, "MZ\0\0zimg", 8);
	for (i = 0; i < 4; i++) {
		buf[8 + i] = start >> 8 * i;
		buf[12 + i] = size >> 8 * i;
	}
	memcpy(buf + 0x18, comp, strlen(comp));
	memcpy(buf + start, payload, size);
	*len = size + 4096;
	return buf;
}

static void stage_bytes(const void *data, size_t size)
{
	char *path = put_source("vmlinuz", data, size);

	run("stage", "a", "--kernel", path, NULL);
	free(path);
}

static void assert_unpacked(const char *from)
{
	char *text = xasprintf("3000000 bytes (2.9M), unpacked from %s\n", from);

	assert_int_equal(status, STATUS_DONE);
	assert_content("sys/fs/kexec/a/kernel", kernel, sizeof(kernel));
	assert_non_null(strstr(out, text));
	assert_null(strstr(err, "note:"));
	free(text);
}

static void gzip_is_unpacked(void **state)
{
	size_t len;
	u8 *packed = gzip(kernel, sizeof(kernel), &len);

	(void)state;
	stage_bytes(packed, len);
	assert_unpacked("gzip");
	free(packed);
}

static void gzip_members_are_one_stream(void **state)
{
	size_t a_len, b_len;
	u8 *a = gzip(kernel, 1000000, &a_len);
	u8 *b = gzip(kernel + 1000000, sizeof(kernel) - 1000000, &b_len);
	u8 *both = join(a, a_len, b, b_len);

	(void)state;
	stage_bytes(both, a_len + b_len);
	assert_unpacked("gzip");
	free(a);
	free(b);
	free(both);
}

static void padding_is_nothing(void **state)
{
	static const u8 zeros[5000];
	size_t g_len, z_len;
	u8 *g = gzip(kernel, sizeof(kernel), &g_len), *z = zstd(kernel, sizeof(kernel), 0, &z_len);
	u8 *padded = join(g, g_len, zeros, sizeof(zeros));

	(void)state;
	stage_bytes(padded, g_len + sizeof(zeros));
	assert_unpacked("gzip");
	free(padded);
	padded = join(z, z_len, zeros, sizeof(zeros));
	stage_bytes(padded, z_len + sizeof(zeros));
	assert_unpacked("zstd");
	free(padded);
	free(g);
	free(z);
}

static void what_is_appended_is_left_out_with_a_notice(void **state)
{
	size_t g_len, z_len;
	u8 *g = gzip(kernel, sizeof(kernel), &g_len), *z = zstd(kernel, sizeof(kernel), 0, &z_len);
	u8 *longer = join(g, g_len, initrd, 3000);

	(void)state;
	stage_bytes(longer, g_len + 3000);
	assert_int_equal(status, STATUS_DONE);
	assert_content("sys/fs/kexec/a/kernel", kernel, sizeof(kernel));
	assert_non_null(strstr(err, "': 3000 bytes behind the compressed data are left out\n"));
	free(longer);
	longer = join(z, z_len, "appended", 8);
	stage_bytes(longer, z_len + 8);
	assert_int_equal(status, STATUS_DONE);
	assert_content("sys/fs/kexec/a/kernel", kernel, sizeof(kernel));
	assert_non_null(strstr(err, "': 8 bytes behind the compressed data are left out\n"));
	free(longer);
	free(g);
	free(z);
}

static void zstd_is_unpacked(void **state)
{
	static const int windows[] = { 0, 10, 27 };
	size_t len, i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		u8 *packed = zstd(kernel, sizeof(kernel), windows[i], &len);

		stage_bytes(packed, len);
		assert_unpacked("zstd");
		free(packed);
	}
}

static void zstd_that_looks_back_too_far_is_refused(void **state)
{
	/* A frame header with a window of 256 MiB */
	static const u8 frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0, 18 << 3, 0, 0, 0 };

	(void)state;
	stage_bytes(frame, sizeof(frame));
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': kernel '%s': needs a window of more than 128 MiB to be unpacked; "
		     "pack it with a smaller one",
		     outside_path("vmlinuz"));
}

static void zstd_frames_are_one_stream(void **state)
{
	/* A frame to be skipped, as parallel writers have in front */
	static const u8 skip[] = { 0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z' };
	size_t a_len, b_len;
	u8 *a = zstd(kernel, 1000000, 0, &a_len);
	u8 *b = zstd(kernel + 1000000, sizeof(kernel) - 1000000, 0, &b_len);
	u8 *both = join(a, a_len, b, b_len);
	u8 *all = join(skip, sizeof(skip), both, a_len + b_len);

	(void)state;
	stage_bytes(all, sizeof(skip) + a_len + b_len);
	assert_unpacked("zstd");
	free(a);
	free(b);
	free(both);
	free(all);
}

static void zboot_is_unpacked(void **state)
{
	size_t g_len, z_len, len;
	u8 *g = gzip(kernel, sizeof(kernel), &g_len), *z = zstd(kernel, sizeof(kernel), 0, &z_len);
	u8 *image = zboot("gzip", g, g_len, &len);
	pid_t pid;
	int saved;

	(void)state;
	stage_bytes(image, len);
	assert_unpacked("zboot-gzip");
	free(image);
	image = zboot("zstd", z, z_len, &len);
	stage_bytes(image, len);
	assert_unpacked("zboot-zstd");
	/* Who feeds a pipe is not left alone with what is behind the payload */
	saved = feed(image, len, &pid);
	run("stage", "a", "--kernel", "-", NULL);
	feed_end(saved, pid);
	assert_unpacked("zboot-zstd");
	free(image);
	free(g);
	free(z);
}

/* What older kernels and other builds are packed with */

#if defined(HAVE_LZMA) || defined(HAVE_LZ4)
static void assert_unpacks(const char *name, const u8 *packed, size_t len)
{
	char *zboot_name = xasprintf("zboot-%s", name);
	size_t image_len;
	u8 *image = zboot(name, packed, len, &image_len);

	stage_bytes(packed, len);
	assert_unpacked(name);
	stage_bytes(image, image_len);
	assert_unpacked(zboot_name);
	stage_bytes(packed, len - 1);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(err, "is cut off: its compressed data has no end"));
	free(image);
	free(zboot_name);
}

static void assert_damage_is_found(u8 *packed, size_t len)
{
	memset(packed + len / 2, 0xff, 64);
	stage_bytes(packed, len);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(err, "': is damaged: "));
	assert_emptied("a");
	free(packed);
}
#endif

#ifdef HAVE_LZMA
static void xz_and_lzma_are_unpacked(void **state)
{
	size_t size = sizeof(kernel) + 1000, len = 0;
	lzma_stream stream = LZMA_STREAM_INIT;
	u8 *packed = xmalloc(size);
	lzma_options_lzma options;

	(void)state;
	assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, kernel, sizeof(kernel),
						 packed, &len, size), LZMA_OK);
	assert_unpacks("xz", packed, len);
	assert_damage_is_found(packed, len);

	packed = xmalloc(size);
	assert_int_equal(lzma_lzma_preset(&options, 6), 0);
	assert_int_equal(lzma_alone_encoder(&stream, &options), LZMA_OK);
	stream.next_in = kernel;
	stream.avail_in = sizeof(kernel);
	stream.next_out = packed;
	stream.avail_out = size;
	assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
	len = stream.total_out;
	lzma_end(&stream);
	assert_unpacks("lzma", packed, len);
	assert_damage_is_found(packed, len);
}

static void xz_that_looks_back_too_far_is_refused(void **state)
{
	size_t size = sizeof(kernel) + 1000, len = 0;
	lzma_options_lzma options;
	lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &options }, { LZMA_VLI_UNKNOWN, NULL } };
	u8 *packed = xmalloc(size);

	(void)state;
	assert_int_equal(lzma_lzma_preset(&options, 0), 0);
	options.dict_size = 256 << 20;
	assert_int_equal(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, kernel, 65536,
						   packed, &len, size), LZMA_OK);
	stage_bytes(packed, len);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(err, "needs a window of more than 128 MiB to be unpacked"));
	free(packed);
}
#endif

#ifdef HAVE_LZ4
static void lz4_is_unpacked(void **state)
{
	static const LZ4F_preferences_t preferences = {
		.frameInfo = { .contentChecksumFlag = LZ4F_contentChecksumEnabled },
	};
	size_t size = LZ4F_compressFrameBound(sizeof(kernel), &preferences), len, i;
	u8 *packed = xmalloc(size);

	(void)state;
	len = LZ4F_compressFrame(packed, size, kernel, sizeof(kernel), &preferences);
	assert_false(LZ4F_isError(len));
	assert_unpacks("lz4", packed, len);
	assert_damage_is_found(packed, len);

	/* As "lz4 -l" has it */
	size = LZ4_compressBound(sizeof(kernel));
	packed = xmalloc(size + 8);
	len = LZ4_compress_default((const char *)kernel, (char *)packed + 8, sizeof(kernel), size);
	memcpy(packed, "\x02\x21\x4c\x18", 4);
	for (i = 0; i < 4; i++)
		packed[4 + i] = len >> 8 * i;
	assert_unpacks("lz4", packed, len + 8);
	/* The whole of a block is looked at before the slot is changed */
	put_old("a");
	memset(packed + 8, 0xff, 64);
	stage_bytes(packed, len + 8);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': kernel '%s': is damaged: a block of it is wrong; %s",
		     outside_path("vmlinuz"), "get the file again");
	assert_old("a");
	free(packed);
}
#endif

/* What is no kernel, each in its own words; the slot stays as it is */

static void put_bytes(u8 *head, size_t offset, const char *bytes, size_t len)
{
	memset(head, 0, 0x300);
	memcpy(head, "MZ", 2);
	memcpy(head + offset, bytes, len);
}

static void other_files_are_refused_by_name(void **state)
{
	static const struct {
		size_t offset;
		const char *bytes;
		size_t len;
		const char *why;
	} others[] = {
#ifndef HAVE_LZMA
		{ 0, "\3757zXZ\0", 6, "is xz compressed: unpack it first" },
		{ 0, "\x5d\0\0\x80", 4, "is lzma compressed: unpack it first" },
#endif
#ifndef HAVE_LZ4
		{ 0, "\x04\x22\x4d\x18", 4, "is lz4 compressed: unpack it first" },
		{ 0, "\x02\x21\x4c\x18", 4, "is lz4 compressed: unpack it first" },
#endif
		{ 0, "BZh9", 4, "is bzip2 compressed: unpack it first" },
		{ 0, "\x89LZO\0", 5, "is lzo compressed: unpack it first" },
		{ 0, "\177ELF\2", 5,
		  "is an ELF file: give the Image that is built beside it (arch/arm64/boot/Image)"
		},
		{ 0x202, "HdrS", 4, "is a kernel for x86 (bzImage): give one for arm64" },
		{ 0x24, "\x18\x28\x6f\x01", 4,
		  "is a kernel for 32-bit ARM (zImage): give one for arm64" },
		{ 0x38, "RSC\x05", 4, "is a kernel for RISC-V: give one for arm64" },
		{ 0, "\x27\x05\x19\x56", 4,
		  "is a legacy image of U-Boot (uImage): give the Image that is in it" },
		{ 0, "\xd0\x0d\xfe\xed", 4, "is a FIT or a device tree: give a FIT with --fit" },
		{ 0, "070701", 6, "is a cpio archive: give an initrd with --initrd" },
		{ 0x80, "PE\0", 4, "is an EFI program, but not an arm64 Image" },
		{ 0, "#!/bin/sh", 9, "is not an arm64 Image" },
		{ 0, "\1\2\3\4zimg", 8, "is not an arm64 Image" },
	};
	u8 head[0x300];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		put_old("a");
		put_bytes(head, others[i].offset, others[i].bytes, others[i].len);
		stage_bytes(head, sizeof(head));
		assert_int_equal(status, STATUS_FAILED);
		assert_error("slot 'a': kernel '%s': %s", outside_path("vmlinuz"), others[i].why);
		assert_old("a");
		assert_state("a", "staged");
	}
}

static void assert_kernel_refused(const void *data, size_t size, const char *why)
{
	put_old("a");
	stage_bytes(data, size);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': kernel '%s': %s", outside_path("vmlinuz"), why);
	assert_old("a");
	assert_state("a", "staged");
}

static void images_that_cannot_run_are_refused(void **state)
{
	char *why;

	(void)state;
	make_image(kernel, 0x80000, IMAGE_SIZE);
	assert_kernel_refused(kernel, sizeof(kernel),
			      "has a text_offset, so it cannot run at the slot's base");
	make_image(kernel, 0, 0);
	assert_kernel_refused(kernel, sizeof(kernel), "has an image_size of 0");
	make_image(kernel, 0, 2000000);
	assert_kernel_refused(kernel, sizeof(kernel),
			      "is larger than its image_size of 2000000 bytes");
	make_image(kernel, 0, ROOM + 1);
	why = xasprintf("owns %llu bytes of memory (its image_size), %s %llu; take a larger slot",
			ROOM + 1ULL, "but the slot has room for", (u64)ROOM);
	assert_kernel_refused(kernel, sizeof(kernel), why);
	free(why);
	make_kernel();
	assert_kernel_refused(kernel, 60, "is not an arm64 Image");
	assert_kernel_refused("", 0, "is empty");
}

static void packed_images_that_cannot_run_are_refused_before_anything_is_changed(void **state)
{
	size_t g_len, len;
	u8 *g, *image;

	(void)state;
	g = gzip(initrd, sizeof(initrd), &g_len);
	assert_kernel_refused(g, g_len, "once it is unpacked, is not an arm64 Image");
	image = gzip(g, g_len, &len);
	assert_kernel_refused(image, len,
			      "once it is unpacked, is compressed once more: unpack it first");
	free(image);
	image = zboot("lzo", g, g_len, &len);
	assert_kernel_refused(image, len, "is an EFI zboot image, lzo compressed: unpack it first");
	free(image);
	image = zboot("gzip", g, g_len, &len);
	assert_kernel_refused(image, 4000, "is cut off: what it says is in it ends behind its end");
	assert_kernel_refused(image, 20, "is cut off");
	memset(image + 12, 0, 4);
	assert_kernel_refused(image, len, "is an EFI zboot image with a broken header");
	free(image);
	free(g);
}

static void damaged_kernels_leave_nothing(void **state)
{
	size_t g_len, z_len;
	u8 *g = gzip(kernel, sizeof(kernel), &g_len), *z = zstd(kernel, sizeof(kernel), 0, &z_len);
	static const char end[] =
		"is cut off: its compressed data has no end; get the file again\n";

	(void)state;
	put_old("a");
	stage_bytes(g, g_len - 9);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(err, end));
	assert_emptied("a");
	stage_bytes(z, z_len - 1);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(err, end));
	assert_emptied("a");

	g[g_len - 6] ^= 1;
	stage_bytes(g, g_len);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(err, "': is damaged: incorrect data check; get the file again\n"));
	assert_emptied("a");
	z[z_len - 1] ^= 1;
	stage_bytes(z, z_len);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(err, "': is damaged: "));
	assert_emptied("a");
	free(g);
	free(z);
}

static void zstd_larger_than_the_slot_is_refused(void **state)
{
	size_t len, size = 9 << 20;
	u8 *large = xmalloc(size), *packed;

	(void)state;
	put_text("sys/fs/kexec/a/size", "0xe00000\n");	/* 14 MiB: room for 8 */
	memset(large, 0x5a, size);
	make_image(large, 0, 7 << 20);
	packed = zstd(large, size, 0, &len);
	stage_bytes(packed, len);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': kernel '%s': unpacks to more than the %d bytes of room for it; %s",
		     outside_path("vmlinuz"), 8 << 20, "take a larger slot");
	free(packed);
	free(large);
}

/* Sources */

static void sources_that_cannot_be_read_are_named(void **state)
{
	char *k = put_source("Image", kernel, sizeof(kernel));
	const char *path = outside_path("nothing");

	(void)state;
	put_old("a");
	run("stage", "a", "--kernel", path, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': kernel '%s': cannot be opened: %s", path, strerror(ENOENT));
	run("stage", "a", "--kernel", k, "--initrd", path, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': initrd '%s': cannot be opened: %s", path, strerror(ENOENT));
	path = outside_path("proc");
	run("stage", "a", "--kernel", path, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': kernel '%s': is a directory; give a file", path);
	put_text("x", "");
	path = outside_path("x");
	run("stage", "a", "--kernel", k, "--initrd", path, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': initrd '%s': is empty", path);
	put_text("x", "no device tree, but long enough to be one");
	run("stage", "a", "--kernel", k, "--dtb", path, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': dtb '%s': is not a dtb; give another file", path);
	path = outside_path("sys/fs/kexec/a/initrd");
	run("stage", "a", "--kernel", k, "--initrd", path, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': initrd '%s': is in the slot itself; give another file", path);
	assert_old("a");
	assert_state("a", "staged");
	free(k);
}

static void dtb_larger_than_two_mib_is_refused(void **state)
{
	u8 *large = xmalloc(KEXEC_STASH_DTB_MAX + 1);
	char *k = put_source("Image", kernel, sizeof(kernel)), *d;
	pid_t pid;
	int saved;

	(void)state;
	memset(large, 0, KEXEC_STASH_DTB_MAX + 1);
	d = put_source("dtb", large, KEXEC_STASH_DTB_MAX + 1);
	run("stage", "a", "--kernel", k, "--dtb", d, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': dtb '%s': has 2097153 bytes, but there is room for 2097152; "
		     "take a larger slot",
		     d);
	saved = feed(large, KEXEC_STASH_DTB_MAX + 1, &pid);
	run("stage", "a", "--kernel", k, "--dtb", "-", NULL);
	feed_end(saved, pid);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': dtb from standard input: %s",
		     "is larger than the 2097152 bytes that a dtb may have");
	free(large);
	free(k);
	free(d);
}

/* What mkimage makes of an initrd: the next kernel would find nothing in it, and panic */
static void initrd_with_a_header_of_uboot_is_refused(void **state)
{
	char *k = put_source("Image", kernel, sizeof(kernel));
	u8 wrapped[300] = "\x27\x05\x19\x56";
	char *i;

	(void)state;
	put_old("a");
	i = put_source("uInitrd", wrapped, sizeof(wrapped));
	run("stage", "a", "--kernel", k, "--initrd", i, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': initrd '%s': is a legacy image of U-Boot (uImage): %s", i,
		     "strip its header of 64 bytes (dd bs=64 skip=1)");
	assert_old("a");
	assert_state("a", "staged");
	free(i);

	/* As it says: an archive may be that short */
	i = put_source("initrd", wrapped + 64, 2);
	run("stage", "a", "--kernel", k, "--initrd", i, NULL);
	assert_int_equal(status, STATUS_DONE);
	free(i);
	free(k);
}

static void initrd_without_room_is_refused_before_anything_is_changed(void **state)
{
	char *k, *i = put_source("initrd", initrd, sizeof(initrd));

	(void)state;
	put_old("a");
	/* 2 MiB of room behind the kernel, less what the kernel needs to the next 2 MiB */
	make_image(kernel, 0, ROOM - 0x1fffff);
	k = put_source("Image", kernel, sizeof(kernel));
	run("stage", "a", "--kernel", k, "--initrd", i, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': initrd '%s': has 700001 bytes, but there is room for 0; "
		     "take a larger slot or a smaller initrd",
		     i);
	assert_old("a");
	free(k);
	free(i);
}

static void source_that_fails_half_way_leaves_nothing(void **state)
{
	char *k = put_source("Image", kernel, sizeof(kernel));
	char *i = put_source("initrd", initrd, sizeof(initrd));

	(void)state;
	put_old("a");
	fake.read_ret = -EIO;
	fake.read_max = 2000000;
	run("stage", "a", "--kernel", k, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': kernel '%s': cannot be read: %s", k, strerror(EIO));
	assert_emptied("a");

	/* Cut off while it is read */
	fake.read_ret = 1;
	run("stage", "a", "--kernel", k, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': kernel '%s': ends after 2000000 of 3000000 bytes: %s", k,
		     "it was cut off; stage it again once it is whole");
	assert_emptied("a");
	free(k);
	free(i);
}

/* Slots */

static void full_slot_is_emptied(void **state)
{
	char *k = put_source("Image", kernel, sizeof(kernel));
	char *i = put_source("initrd", initrd, sizeof(initrd));

	(void)state;
	put_old("a");
	put_old("b");
	fake.write_ret = -ENOSPC;
	fake.write_max = KERNEL_LEN + 200000;
	run("stage", "a", "--kernel", k, "--initrd", i, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(err, "slot 'a': initrd: is larger than the 117440512 bytes "));
	assert_emptied("a");
	assert_old("b");
	free(k);
	free(i);
}

static void what_reads_back_wrong_is_not_staged(void **state)
{
	char *k = put_source("Image", kernel, sizeof(kernel));

	(void)state;
	fake.flip = 2500000;
	run("stage", "a", "--kernel", k, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': kernel: reads back otherwise than it was written, at byte 2490368; "
		     "somebody else writes to it, or the memory is faulty");
	assert_emptied("a");
	free(k);
}

static void payload_that_the_kernel_does_not_take_is_removed(void **state)
{
	char *k = put_source("Image", kernel, sizeof(kernel));

	(void)state;
	fake.staged_state = "bad";
	run("stage", "a", "--kernel", k, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(err, "kexec-membuf: slot 'a': is bad, not staged; see dmesg\n"));
	assert_emptied("a");
	put_text("sys/fs/kexec/a/reason", "kernel: is not an arm64 Image\n");
	run("stage", "a", "--kernel", k, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(strstr(err, "slot 'a': kernel: is not an arm64 Image; stage another one"));
	assert_emptied("a");
	free(k);
}

static void slots_that_cannot_be_changed_say_why(void **state)
{
	static const struct {
		const char *state;
		const char *why;
	} states[] = {
		{ "running", "this kernel runs in it; take another slot" },
		{ "loaded", "is loaded; unload it first, or take another slot" },
		{ "released",
		  "its memory was given back until the next boot; take another slot" },
	};
	char *k = put_source("Image", kernel, sizeof(kernel));
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		put_slot("a", states[i].state);
		run("stage", "a", "--kernel", k, NULL);
		assert_int_equal(status, STATUS_FAILED);
		assert_error("slot 'a': cannot be changed: %s", states[i].why);
		run("erase", "a", NULL);
		assert_int_equal(status, STATUS_FAILED);
		assert_error("slot 'a': cannot be changed: %s", states[i].why);
		assert_state("a", states[i].state);
	}
	run("stage", "c", "--kernel", k, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'c': does not exist; there are: 'a'");
	free(k);
}

static void errors_of_the_file_system_are_explained(void **state)
{
	static const struct {
		int err;
		const char *why;
	} errors[] = {
		{ EACCES, "Permission denied; run this as root" },
		{ ETXTBSY,
		  "the slot is loaded or in use; unload it, or close its files, first" },
		{ EBUSY,
		  "this kernel runs in the slot or has its memory, or a kexec is going on; "
		  "take another slot" },
		{ EIO, "Input/output error; see dmesg" },
	};
	char *k = put_source("Image", kernel, sizeof(kernel));
	size_t i;

	(void)state;
	put_old("a");
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		fake.open_ret = -errors[i].err;
		run("stage", "a", "--kernel", k, NULL);
		assert_int_equal(status, STATUS_FAILED);
		assert_error("slot 'a': kernel: cannot be changed: %s", errors[i].why);
		fake.open_ret = 0;
		fake.empty_ret = -errors[i].err;
		run("erase", "a", NULL);
		assert_int_equal(status, STATUS_FAILED);
		assert_error("slot 'a': kernel: cannot be changed: %s", errors[i].why);
		fake.empty_ret = 0;
	}
	assert_old("a");
	free(k);
}

static void second_stage_of_a_slot_is_refused(void **state)
{
	char *k = put_source("Image", kernel, sizeof(kernel));
	int fd = open(outside_path("sys/fs/kexec/a"), O_RDONLY | O_DIRECTORY);
	static const char * const commands[] = { "erase", "release" };
	size_t i;

	(void)state;
	assert_int_equal(flock(fd, LOCK_SH), 0);
	run("stage", "a", "--kernel", k, NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': is being staged or erased by another kexec-membuf; wait for it");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		run(commands[i], "a", NULL);
		assert_int_equal(status, STATUS_FAILED);
		assert_error("slot 'a': is being staged or erased by another kexec-membuf; "
			     "wait for it");
	}
	close(fd);
	run("stage", "a", "--kernel", k, NULL);
	assert_int_equal(status, STATUS_DONE);
	free(k);
}

/* How a child of ours ends that gets a signal with its first write */
static int end_by(int sig, bool ignored, const char *path)
{
	pid_t pid = fork();
	int code;

	if (!pid) {
		/* They may be ignored where this runs */
		signal(sig, ignored ? SIG_IGN : SIG_DFL);
		fake.signal = sig;
		run("stage", "a", "--kernel", path, NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &code, 0), pid);
	return code;
}

static void signals_leave_nothing_and_end_the_program(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	char *k = put_source("Image", kernel, sizeof(kernel));
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		int code;

		put_old("a");
		put_text("writes", "");
		code = end_by(signals[i], false, k);
		assert_true(WIFSIGNALED(code));
		assert_int_equal(WTERMSIG(code), signals[i]);
		/* At once, not at the end */
		assert_content("writes", "w", 1);
		assert_emptied("a");
	}
	/* As nohup does it */
	assert_int_equal(end_by(SIGHUP, true, k), 0);
	assert_state("a", "staged");
	free(k);
}

static void signal_ends_the_wait_for_a_pipe(void **state)
{
	pid_t pid;
	int fds[2], code;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
	pid = fork();
	if (!pid) {
		dup2(fds[0], STDIN_FILENO);
		close(fds[1]);
		signal(SIGTERM, SIG_DFL);
		run("stage", "a", "--kernel", "-", NULL);
		_exit(status);
	}
	assert_int_equal(write(fds[1], kernel, 1000000), 1000000);
	/* It has written what it could, and waits for more */
	while (stored_size("sys/fs/kexec/a/kernel") < 1000000 / UNPACK_PIECE_LEN * UNPACK_PIECE_LEN)
		usleep(1000);
	usleep(50000);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &code, 0), pid);
	assert_true(WIFSIGNALED(code));
	assert_int_equal(WTERMSIG(code), SIGTERM);
	assert_emptied("a");
	close(fds[0]);
	close(fds[1]);
}

/* Misuse */

static void wrong_arguments_are_misuse(void **state)
{
	(void)state;
	run("stage", "--kernel", "x", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("stage: the name of a slot is missing; see 'kexec-membuf stage --help'");
	run("stage", "a", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("stage: --kernel or --fit is missing; see 'kexec-membuf stage --help'");
	run("stage", "a", "--fit", "x", "--initrd", "y", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("stage: --fit excludes --kernel, --initrd and --dtb; "
		     "see 'kexec-membuf stage --help'");
	run("stage", "a", "--kernel", "-", "--initrd", "-", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("stage: only one file can come from standard input; "
		     "see 'kexec-membuf stage --help'");
	run("stage", "a", "--kernel", "x", "--command-line", "y", "--reuse-cmdline", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("stage: --command-line and --reuse-cmdline exclude each other; "
		     "see 'kexec-membuf stage --help'");
}

/* erase and release */

static void erase_empties_all_files(void **state)
{
	(void)state;
	put_old("a");
	put_old("b");
	run("erase", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(out, "slot 'a': erased\n");
	assert_string_equal(err, "");
	assert_emptied("a");
	assert_old("b");
	run("erase", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
}

static void release_writes_one(void **state)
{
	(void)state;
	put_text("sys/fs/kexec/a/release", "");
	run("release", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(out, "slot 'a': 128.0M given back until the next boot\n");
	assert_content("sys/fs/kexec/a/release", "1", 1);
	put_slot("a", "released");
	run("release", "a", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(out, "slot 'a': is released already\n");
	run("list", NULL);
	assert_non_null(strstr(out, "released"));
}

static void errors_of_release_are_explained(void **state)
{
	static const struct {
		int err;
		const char *why;
	} errors[] = {
		{ ENOTEMPTY, "it holds a payload; erase it first" },
		{ ETXTBSY,
		  "it is loaded, or a file of it is open for writing; "
		  "unload it, or wait for who writes" },
		{ EBUSY, "this kernel runs in it, or a kexec is going on; take another slot" },
		{ EIO, "Input/output error; see dmesg" },
	};
	size_t i;

	(void)state;
	run("release", "a", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("slot 'a': cannot be released: this kernel cannot do that; "
		     "boot one whose slots have a file 'release'");
	put_text("sys/fs/kexec/a/release", "");
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		fake.write_ret = -errors[i].err;
		run("release", "a", NULL);
		assert_int_equal(status, STATUS_FAILED);
		assert_error("slot 'a': cannot be released: %s", errors[i].why);
	}
	fake.open_ret = -EACCES;
	run("release", "a", NULL);
	assert_error("slot 'a': cannot be released: Permission denied; run this as root");
}

/* Progress */

static void progress_has_percent_rate_and_time(void **state)
{
	char line[160];

	(void)state;
	progress_start("b", "kernel", 40 << 20);
	progress_line(line, sizeof(line), 2000000000ULL, 10 << 20, 30 << 20);
	assert_string_equal(line, "b/kernel:  25%, 30.0M, 15.0M/s, 0:06 left");
	progress_start("b", "kernel", SOURCE_SIZE_UNKNOWN);
	progress_line(line, sizeof(line), 2000000000ULL, 10 << 20, 30 << 20);
	assert_string_equal(line, "b/kernel: 30.0M, 15.0M/s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stage_test(all_files_are_staged),
		stage_test(what_is_not_given_is_emptied),
		stage_test(running_command_line_is_staged),
		stage_test(json_has_the_documented_keys),
		stage_test(files_come_from_standard_input),
		stage_test(gzip_is_unpacked),
		stage_test(gzip_members_are_one_stream),
		stage_test(padding_is_nothing),
		stage_test(what_is_appended_is_left_out_with_a_notice),
		stage_test(zstd_is_unpacked),
		stage_test(zstd_that_looks_back_too_far_is_refused),
		stage_test(zstd_frames_are_one_stream),
		stage_test(zboot_is_unpacked),
#ifdef HAVE_LZMA
		stage_test(xz_and_lzma_are_unpacked),
		stage_test(xz_that_looks_back_too_far_is_refused),
#endif
#ifdef HAVE_LZ4
		stage_test(lz4_is_unpacked),
#endif
		stage_test(other_files_are_refused_by_name),
		stage_test(images_that_cannot_run_are_refused),
		stage_test(packed_images_that_cannot_run_are_refused_before_anything_is_changed),
		stage_test(damaged_kernels_leave_nothing),
		stage_test(zstd_larger_than_the_slot_is_refused),
		stage_test(sources_that_cannot_be_read_are_named),
		stage_test(dtb_larger_than_two_mib_is_refused),
		stage_test(initrd_with_a_header_of_uboot_is_refused),
		stage_test(initrd_without_room_is_refused_before_anything_is_changed),
		stage_test(source_that_fails_half_way_leaves_nothing),
		stage_test(full_slot_is_emptied),
		stage_test(what_reads_back_wrong_is_not_staged),
		stage_test(payload_that_the_kernel_does_not_take_is_removed),
		stage_test(slots_that_cannot_be_changed_say_why),
		stage_test(errors_of_the_file_system_are_explained),
		stage_test(second_stage_of_a_slot_is_refused),
		stage_test(signals_leave_nothing_and_end_the_program),
		stage_test(signal_ends_the_wait_for_a_pipe),
		stage_test(wrong_arguments_are_misuse),
		stage_test(erase_empties_all_files),
		stage_test(release_writes_one),
		stage_test(errors_of_release_are_explained),
		stage_test(progress_has_percent_rate_and_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
