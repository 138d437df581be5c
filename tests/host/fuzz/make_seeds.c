// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Write the seeds of all fuzzers: make_seeds <folder>, with a folder for each fuzzer in it
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/libfdt.h>
#include <linux/types.h>

#include "cpio.h"
#include "seeds.h"

static void save(const char *folder, const char *name, const void *buf, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	if (!file || fwrite(buf, 1, size, file) != size || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void save_image(const char *folder, const char *name, u8 size_byte, u8 text_offset)
{
	u8 buf[8 + 64] = { 0 };

	buf[3] = 8;		/* room of 128 MiB */
	memcpy(buf + 8, "MZ", 2);
	buf[8 + 8 + 2] = text_offset;
	buf[8 + 16 + 2] = size_byte;
	buf[8 + 24] = 0xa;
	memcpy(buf + 8 + 56, "ARM\x64", 4);
	save(folder, name, buf, sizeof(buf));
}

static void save_pe(const char *folder, const char *name)
{
	u8 buf[512] = "MZ";

	buf[60] = 64;				/* to the PE header */
	memcpy(buf + 64, "PE", 2);
	buf[64 + 6] = 1;			/* a section */
	memcpy(buf + 88, "\x0b\x02", 2);	/* the optional header */
	buf[88 + 61] = 2;			/* 512 bytes of headers, */
	buf[88 + 108] = 5;			/* with 5 directories, */
	buf[88 + 112 + 34] = 1;			/* one the signature, at 64 KiB, */
	buf[88 + 112 + 37] = 1;			/* of 256 bytes */
	buf[240 + 17] = 1;			/* 256 bytes, */
	buf[240 + 21] = 2;			/* behind the headers */
	save(folder, name, buf, sizeof(buf));
}

static void save_stage(const char *folder)
{
	static const struct {
		const char *name;
		void *(*make)(size_t *size);
	} seeds[] = {
		{ "fuzz_stage/fit", fit_seed },
		{ "fuzz_stage/gzip", gzip_seed },
		{ "fuzz_stage/zstd", zstd_seed },
		{ "fuzz_stage/zboot", zboot_seed },
		{}
	};
	size_t size;
	void *buf;

	save_pe(folder, "fuzz_stage/pe");
	save(folder, "fuzz_stage/xattr", "\3\2\4abcd\0\4efgh", 13);
	for (size_t i = 0; seeds[i].name; i++) {
		buf = seeds[i].make(&size);
		save(folder, seeds[i].name, buf, size);
		free(buf);
	}
}

static void save_early(const char *folder)
{
	static const char param[] = "a:128M,b:0x8000000@4G,rescue-1:65536K@0x60000000";
	struct cpio cpio = { 0 };

	save(folder, "fuzz_early_param/good", param, strlen(param));
	cpio_add_text(&cpio, "kernel/kexec/a/kernel", "an Image");
	cpio_add_text(&cpio, "kernel/kexec/a/kernel.sig", "\3\2\4");
	cpio_end(&cpio);
	cpio_zeros(&cpio, -cpio.len % 512);
	cpio_add_text(&cpio, "./kernel/kexec/b/cmdline", "quiet");
	cpio_add_text(&cpio, "init", "#!/bin/sh");
	cpio_end(&cpio);
	save(folder, "fuzz_early_cpio/good", cpio.bytes, cpio.len);
	free(cpio.bytes);
}

int main(int argc, char **argv)
{
	void *running = running_seed(), *staged = staged_seed();

	if (argc != 2) {
		fprintf(stderr, "usage: make_seeds <folder>\n");
		return 2;
	}
	save(argv[1], "fuzz_record/running", running, fdt_totalsize(running));
	save(argv[1], "fuzz_record/staged", staged, fdt_totalsize(staged));
	save(argv[1], "fuzz_fdt/running", running, fdt_totalsize(running));
	save(argv[1], "fuzz_fdt/staged", staged, fdt_totalsize(staged));
	save_image(argv[1], "fuzz_image/good", 0x20, 0);
	save_image(argv[1], "fuzz_image/empty", 0, 0);
	save_image(argv[1], "fuzz_image/text_offset", 0x20, 8);
	save_early(argv[1]);
	save_stage(argv[1]);
	free(running);
	free(staged);
	return 0;
}
