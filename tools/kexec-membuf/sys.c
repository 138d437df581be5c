// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the tool asks the kernel to do, one function each
 */

#include "sys.h"
#include "slot.h"
#include "uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/reboot.h>

int sys_kexec_file_load(int kernel_fd, int initrd_fd, const char *cmdline, unsigned long flags)
{
	unsigned long len = cmdline ? strlen(cmdline) + 1 : 0;

	if (syscall(__NR_kexec_file_load, kernel_fd, initrd_fd, len, cmdline, flags))
		return -errno;
	return 0;
}

int sys_kexec_reboot(void)
{
	reboot(LINUX_REBOOT_CMD_KEXEC);
	return -errno;
}

int sys_systemctl_kexec(void)
{
	execlp("systemctl", "systemctl", "kexec", NULL);
	return -errno;
}

bool sys_is_stash(int dir)
{
	struct statfs st;

	return !fstatfs(dir, &st) && st.f_type == KEXEC_STASH_MAGIC;
}

int sys_mount_stash(void)
{
	if (mount("none", STASH_DIR, STASH_FSTYPE, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return -errno;
	return 0;
}

ssize_t sys_get_xattr(int fd, const char *name, void *buf, size_t size)
{
	ssize_t len = fgetxattr(fd, name, buf, size);

	return len < 0 ? -errno : len;
}

int sys_open(int dir, const char *path, int flags)
{
	int fd = openat(dir, path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

ssize_t sys_read(int fd, void *buf, size_t len)
{
	ssize_t n = TEMP_FAILURE_RETRY(read(fd, buf, len));

	return n < 0 ? -errno : n;
}

ssize_t sys_pread(int fd, void *buf, size_t len, u64 pos)
{
	ssize_t n = TEMP_FAILURE_RETRY(pread(fd, buf, len, pos));

	return n < 0 ? -errno : n;
}

ssize_t sys_write(int fd, const void *buf, size_t len)
{
	ssize_t n = TEMP_FAILURE_RETRY(write(fd, buf, len));

	return n < 0 ? -errno : n;
}

/* Truncating would leave security.ima, which would be a wrong one for what is written next */
int sys_empty_file(int dir, const char *path)
{
	if (unlinkat(dir, path, 0) && errno != ENOENT)
		return -errno;
	return 0;
}

void sys_close_written(int fd)
{
	close(fd);
}
