/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the linker puts in place of the kernel, and of who asks it
 */
#ifndef FIXTURE_WRAP_H
#define FIXTURE_WRAP_H

#include <stdbool.h>
#include <sys/types.h>

int __wrap_sys_kexec_file_load(int kernel_fd, int initrd_fd, const char *cmdline,
			       unsigned long flags);
int __wrap_sys_kexec_reboot(void);
int __wrap_sys_systemctl_kexec(void);
bool __wrap_sys_is_stash(int dir);
int __wrap_sys_mount_stash(void);
void __wrap_sync(void);
uid_t __wrap_geteuid(void);

#endif /* FIXTURE_WRAP_H */
