/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kexec_file_load() of a payload that lies where it will run
 */
#ifndef _UAPI_LINUX_KEXEC_MEMBUF_H
#define _UAPI_LINUX_KEXEC_MEMBUF_H

/*
 * Flag of kexec_file_load(): kernel_fd names the "kernel" file of a stash slot,
 * and the call fails where anything would have to be copied at kexec -e. Unless
 * given, initrd (initrd_fd of -1), device tree and command line (cmdline_len of
 * 0) come from the same slot.
 */
#define KEXEC_FILE_MEMBUF 0x00000100

/*
 * f_type of the stash's file system, as statfs(2) returns it and IMA's fsmagic=
 * takes it
 */
#define KEXEC_STASH_MAGIC 0x6b737468 /* "ksth" */

#endif /* _UAPI_LINUX_KEXEC_MEMBUF_H */
