/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the linker puts in place of the kernel, and of who asks it
 */
#ifndef FIXTURE_WRAP_H
#define FIXTURE_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

int __wrap_sys_kexec_file_load(int kernel_fd, int initrd_fd, const char *cmdline,
			       unsigned long flags);
int __wrap_sys_kexec_reboot(void);
int __wrap_sys_systemctl_kexec(void);
bool __wrap_sys_is_stash(int dir);
int __wrap_sys_mount_stash(void);
ssize_t __wrap_sys_get_xattr(int fd, const char *name, void *buf, size_t size);
int __wrap_sys_open(int dir, const char *path, int flags);
ssize_t __wrap_sys_read(int fd, void *buf, size_t len);
ssize_t __wrap_sys_pread(int fd, void *buf, size_t len, u64 pos);
ssize_t __wrap_sys_write(int fd, const void *buf, size_t len);
int __wrap_sys_empty_file(int dir, const char *path);
void __wrap_sys_close_written(int fd);
/* What is behind them */
ssize_t __real_sys_read(int fd, void *buf, size_t len);
ssize_t __real_sys_pread(int fd, void *buf, size_t len, u64 pos);
ssize_t __real_sys_write(int fd, const void *buf, size_t len);
void __wrap_sync(void);
uid_t __wrap_geteuid(void);

#endif /* FIXTURE_WRAP_H */
