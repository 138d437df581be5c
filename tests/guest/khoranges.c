// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khoranges - print the memory that kexec handover (KHO) has handed over, or is about to
 *
 * Lines of "<what> <physical address> <size>", both in hexadecimal: KHO's own tree, its scratch
 * areas as this kernel passes them on, and the memory of reserve_mem=.
 */
#include <endian.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int status;

static void range(const char *what, uint64_t start, uint64_t size)
{
	printf("%s %#" PRIx64 " %#" PRIx64 "\n", what, start, size);
}

static void fail(const char *path)
{
	perror(path);
	status = 1;
}

static void print_property(const char *name)
{
	uint64_t cells[2];
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/device-tree/chosen/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, cells, sizeof(cells)) != sizeof(cells))
		fail(path);
	else
		range(name, be64toh(cells[0]), be64toh(cells[1]));
	close(fd);
}

/* A line each, as text */
static void print_scratch(void)
{
	FILE *starts = fopen("/sys/kernel/debug/kho/out/scratch_phys", "r");
	FILE *sizes = fopen("/sys/kernel/debug/kho/out/scratch_len", "r");
	char start[64], size[64];

	if (!starts || !sizes) {
		fail("scratch areas");
		return;
	}
	while (fgets(start, sizeof(start), starts) && fgets(size, sizeof(size), sizes))
		range("scratch", strtoull(start, NULL, 0), strtoull(size, NULL, 0));
	fclose(starts);
	fclose(sizes);
}

/* A tree with a node for each, whose "start" and "size" are in the CPU's byte order */
static void print_reserve_mem(void)
{
	static const char path[] = "/sys/kernel/debug/kho/in/sub_fdts/memblock";
	static uint32_t tree[16384];
	int fd = open(path, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, tree, sizeof(tree));
	const char *names = (char *)tree + be32toh(tree[3]), *name;
	const uint32_t *at = (uint32_t *)((char *)tree + be32toh(tree[2]));
	uint64_t start = 0, len = 0;

	close(fd);
	if (size < 40) {
		fail(path);
		return;
	}
	for (;;) {
		switch (be32toh(*at++)) {
		case 1: /* a node begins */
			at += strlen((const char *)at) / 4 + 1;
			start = 0;
			len = 0;
			break;
		case 2: /* it ends */
			if (len)
				range("reserve_mem", start, len);
			start = 0;
			len = 0;
			break;
		case 3: /* a property */
			name = names + be32toh(at[1]);
			if (!strcmp(name, "start"))
				memcpy(&start, at + 2, 8);
			if (!strcmp(name, "size"))
				memcpy(&len, at + 2, 8);
			at += 2 + (be32toh(at[0]) + 3) / 4;
			break;
		case 4:
			break;
		default:
			return;
		}
	}
}

int main(void)
{
	print_property("linux,kho-fdt");
	print_property("linux,kho-scratch");
	print_scratch();
	print_reserve_mem();
	return status;
}
