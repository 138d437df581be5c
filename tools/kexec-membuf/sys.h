/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tool asks the kernel to do, one function each
 */
#ifndef SYS_H
#define SYS_H

#include <linux/types.h>

/* Mount point of the stash's file system, made by the kernel */
#define STASH_DIR	"/sys/fs/kexec"

/**
 * sys_kexec_file_load() - kexec_file_load(2)
 * @kernel_fd: the kernel, or -1
 * @initrd_fd: the initrd, or -1
 * @cmdline: the command line; NULL gives a length of 0, "" a command line that is empty
 * @flags: KEXEC_FILE_*
 *
 * Return: 0 or -errno.
 */
int sys_kexec_file_load(int kernel_fd, int initrd_fd, const char *cmdline, unsigned long flags);

/**
 * sys_kexec_reboot() - jump into the loaded image
 *
 * Return: -errno; on success it does not return.
 */
int sys_kexec_reboot(void);

/**
 * sys_systemctl_kexec() - have systemd stop all services and jump then
 *
 * The process becomes systemctl.
 *
 * Return: -errno; on success it does not return.
 */
int sys_systemctl_kexec(void);

/**
 * sys_is_stash() - whether a directory is the stash's file system
 * @dir: descriptor of the directory
 *
 * Return: true if it is.
 */
bool sys_is_stash(int dir);

/**
 * sys_mount_stash() - mount the stash's file system on STASH_DIR
 *
 * Return: 0 or -errno.
 */
int sys_mount_stash(void);

#endif /* SYS_H */
