// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Write the seeds of all fuzzers: make_seeds <folder>, with a folder for each fuzzer in it
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/libfdt.h>
#include <linux/types.h>

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
	return 0;
}
