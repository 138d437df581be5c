/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tool asks the kernel to do, one function each
 */
#ifndef SYS_H
#define SYS_H

#include <linux/types.h>

#include <sys/types.h>

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

/**
 * sys_get_xattr() - read an extended attribute of a file
 * @fd: the file's descriptor
 * @name: name of the attribute
 * @buf: filled in
 * @size: bytes there are at @buf
 *
 * Return: its length, or -errno: -ENODATA if there is none, -ERANGE if @buf is too small.
 */
ssize_t sys_get_xattr(int fd, const char *name, void *buf, size_t size);

/* As openat(), with O_CLOEXEC, read(), pread() and write(), but for interruptions; or -errno */
int sys_open(int dir, const char *path, int flags);
ssize_t sys_read(int fd, void *buf, size_t len);
ssize_t sys_pread(int fd, void *buf, size_t len, u64 pos);
ssize_t sys_write(int fd, const void *buf, size_t len);

/**
 * sys_empty_file() - empty a payload's file, and drop its extended attributes
 * @dir: descriptor of the stash's directory
 * @path: the file's path below it
 *
 * Return: 0, also if there is no file, or -errno.
 */
int sys_empty_file(int dir, const char *path);

/**
 * sys_close_written() - close a payload's file that was written
 * @fd: the file's descriptor
 *
 * The kernel looks now whether it is what it should be; the slot's state tells.
 */
void sys_close_written(int fd);

#endif /* SYS_H */
