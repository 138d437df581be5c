// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * secret - use memory that the kernel takes out of its linear map, page by page
 *
 * usage: secret <MiB>
 *
 * Uses memfd_secret(): each page is unmapped when it is first touched, and mapped again when the
 * process ends. Prints the number of pages.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t size, page = sysconf(_SC_PAGESIZE), i;
	char *map;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: secret <MiB>\n");
		return 2;
	}
	size = strtoul(argv[1], NULL, 0) << 20;
	fd = syscall(__NR_memfd_secret, 0);
	if (fd < 0 || ftruncate(fd, size)) {
		perror("secret");
		return 1;
	}
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		perror("secret: mmap");
		return 1;
	}
	for (i = 0; i < size; i += page)
		map[i] = 1;
	printf("%zu\n", size / page);
	return 0;
}
