// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kfl - call kexec_file_load() with a test's arguments, and print the result
 *
 * usage: kfl [-f <flags>] [-i <initrd>] [-I <fd>] [-c <command line>] [-rwCNP] <kernel>
 *
 * Prints "OK" or the name of the error. -r opens the kernel for reading and writing, -w keeps a
 * second descriptor open for writing, -C gives up CAP_SYS_BOOT between the opening of the files and
 * the call. Without -c no command line is passed on. -I passes on a descriptor as it is, -N a
 * command line without an end, -P one at an invalid address.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uapi.h"

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "kfl: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	return fd;
}

static void drop_cap_sys_boot(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data)) {
		perror("kfl: capget");
		exit(2);
	}
	data[0].effective &= ~(1U << CAP_SYS_BOOT);
	if (syscall(SYS_capset, &header, data)) {
		perror("kfl: capset");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	const char *initrd = NULL, *cmdline = NULL;
	unsigned long flags = 0, cmdline_len = 0;
	int drop = 0, write_too = 0, mode = O_RDONLY;
	int kernel_fd, initrd_fd = -1, opt;

	while ((opt = getopt(argc, argv, "f:i:I:c:rwCNP")) != -1) {
		switch (opt) {
		case 'f':
			flags = strtoul(optarg, NULL, 0);
			break;
		case 'i':
			initrd = optarg;
			break;
		case 'I':
			initrd_fd = atoi(optarg);
			break;
		case 'c':
			cmdline = optarg;
			cmdline_len = strlen(cmdline) + 1;
			break;
		case 'N':
			cmdline = "without an end";
			cmdline_len = strlen(cmdline);
			break;
		case 'P':
			cmdline = (const char *)1;
			cmdline_len = 16;
			break;
		case 'r':
			mode = O_RDWR;
			break;
		case 'w':
			write_too = 1;
			break;
		case 'C':
			drop = 1;
			break;
		default:
			return 2;
		}
	}
	if (optind != argc - 1) {
		fprintf(stderr,
			"usage: kfl [-f flags] [-i initrd] [-I fd] [-c cmdline] [-rwCNP] kernel\n");
		return 2;
	}
	kernel_fd = open_file(argv[optind], mode);
	if (initrd)
		initrd_fd = open_file(initrd, O_RDONLY);
	else if (initrd_fd < 0 && !(flags & KEXEC_FILE_MEMBUF))
		flags |= KEXEC_FILE_NO_INITRAMFS;
	if (write_too)
		open_file(argv[optind], O_WRONLY);
	if (drop)
		drop_cap_sys_boot();
	if (syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, cmdline_len, cmdline, flags)) {
		puts(strerrorname_np(errno));
		return 1;
	}
	puts("OK");
	return 0;
}
