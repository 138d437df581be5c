// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FITs and kernels that fuzzing starts from, see seeds.h
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/libfdt.h>
#include <zlib.h>
#include <zstd.h>

#include "seeds.h"

#define FIT_LEN		4096
#define KERNEL_LEN	512

static void must(bool done)
{
	if (done)
		return;
	fprintf(stderr, "seed: libfdt, zlib or libzstd failed\n");
	exit(1);
}

static void *make(size_t size)
{
	void *buf = calloc(1, size);

	must(buf);
	return buf;
}

/* With its data behind the tree, or in it */
static void add_image(void *fit, const char *name, const char *type, bool behind)
{
	static const u8 data[16] = "data", crc[4] = "crc";

	must(!fdt_begin_node(fit, name));
	must(!fdt_property_string(fit, "type", type));
	must(!fdt_property_string(fit, "arch", "arm64"));
	must(!fdt_property_string(fit, "compression", "none"));
	if (behind) {
		must(!fdt_property_u32(fit, "data-offset", 0));
		must(!fdt_property_u64(fit, "data-size", 16));
	} else {
		must(!fdt_property(fit, "data", data, sizeof(data)));
	}
	must(!fdt_begin_node(fit, "hash-1"));
	must(!fdt_property_string(fit, "algo", "crc32"));
	must(!fdt_property(fit, "value", crc, sizeof(crc)));
	must(!fdt_end_node(fit));
	must(!fdt_end_node(fit));
}

void *fit_seed(size_t *size)
{
	void *fit = make(FIT_LEN);

	must(!fdt_create(fit, FIT_LEN - 64));
	must(!fdt_finish_reservemap(fit));
	must(!fdt_begin_node(fit, ""));
	must(!fdt_begin_node(fit, "images"));
	add_image(fit, "kernel-1", "kernel", true);
	add_image(fit, "ramdisk-1", "ramdisk", false);
	add_image(fit, "fdt-1", "flat_dt", false);
	must(!fdt_end_node(fit));
	must(!fdt_begin_node(fit, "configurations"));
	must(!fdt_property_string(fit, "default", "conf-1"));
	must(!fdt_begin_node(fit, "conf-1"));
	must(!fdt_property_string(fit, "kernel", "kernel-1"));
	must(!fdt_property_string(fit, "ramdisk", "ramdisk-1"));
	must(!fdt_property_string(fit, "fdt", "fdt-1"));
	must(!fdt_property_string(fit, "loadables", "fpga-1"));
	must(!fdt_end_node(fit));
	must(!fdt_end_node(fit));
	must(!fdt_end_node(fit));
	must(!fdt_finish(fit));
	*size = fdt_totalsize(fit) + 64;
	return fit;
}

static u8 *make_kernel(void)
{
	u8 *kernel = make(KERNEL_LEN);
	size_t i;

	for (i = 64; i < KERNEL_LEN; i++)
		kernel[i] = i * i >> 3;
	memcpy(kernel, "MZ", 2);
	kernel[16 + 2] = 0x20;
	memcpy(kernel + 56, "ARM\x64", 4);
	return kernel;
}

void *gzip_seed(size_t *size)
{
	u8 *kernel = make_kernel(), *buf = make(2 * KERNEL_LEN);
	z_stream z = { .next_in = kernel, .avail_in = KERNEL_LEN, .next_out = buf,
		       .avail_out = 2 * KERNEL_LEN };

	must(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0) == Z_OK);
	must(deflate(&z, Z_FINISH) == Z_STREAM_END);
	*size = z.total_out;
	deflateEnd(&z);
	free(kernel);
	return buf;
}

void *zstd_seed(size_t *size)
{
	u8 *kernel = make_kernel(), *buf = make(2 * KERNEL_LEN);

	*size = ZSTD_compress(buf, 2 * KERNEL_LEN, kernel, KERNEL_LEN, 3);
	must(!ZSTD_isError(*size));
	free(kernel);
	return buf;
}

void *zboot_seed(size_t *size)
{
	size_t len;
	u8 *packed = zstd_seed(&len), *buf = make(64 + len);

	memcpy(buf, "MZ\0\0zimg", 8);
	buf[8] = 64;
	buf[12] = len;
	buf[13] = len >> 8;
	memcpy(buf + 0x18, "zstd", 4);
	memcpy(buf + 64, packed, len);
	*size = 64 + len;
	free(packed);
	return buf;
}
