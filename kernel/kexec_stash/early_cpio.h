/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cpio that payloads come in; tested on the host too
 */
#ifndef _KEXEC_STASH_EARLY_CPIO_H
#define _KEXEC_STASH_EARLY_CPIO_H

#include <linux/kexec_stash_record.h>
#include <linux/types.h>

/* Where in a cpio payloads are */
#define KEXEC_STASH_CPIO_FOLDER "kernel/kexec/"

/**
 * struct kexec_stash_cpio_file - one entry of a cpio
 * @name: its name with a NUL at the end, in the cpio
 * @name_len: length of the name without the NUL, in bytes
 * @header: where its header starts, in bytes from the buffer's start
 * @data: where its content starts, in bytes from the buffer's start
 * @size: length of its content in bytes
 * @mode: type and permissions
 */
struct kexec_stash_cpio_file {
	const char *name;
	u32 name_len;
	u64 header;
	u64 data;
	u64 size;
	u32 mode;
};

int kexec_stash_cpio_next(const void *buf, u64 len, u64 *pos,
			  struct kexec_stash_cpio_file *file, const char **why);
int kexec_stash_cpio_place(const struct kexec_stash_cpio_file *file,
			   char *label, unsigned int *id, bool *sig,
			   const char **why);
void kexec_stash_cpio_hide(void *buf, const struct kexec_stash_cpio_file *file);

#endif /* _KEXEC_STASH_EARLY_CPIO_H */
