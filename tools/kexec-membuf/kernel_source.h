/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel to be staged: what it is, unpacked as it is read
 */
#ifndef KERNEL_SOURCE_H
#define KERNEL_SOURCE_H

#include "unpack.h"

#include <linux/kexec_stash_record.h>

/* Room for what a kernel was unpacked from, the NUL included */
#define KERNEL_PACKED_LEN	16

/**
 * struct kernel_source - a kernel to be staged
 * @src: where its bytes come from
 * @unpacker: unpacks them
 * @piece: its first bytes, unpacked
 * @len: how many these are
 * @image: what its header says
 * @size: its size in bytes, or SOURCE_SIZE_UNKNOWN
 * @packed: what it is unpacked from: "gzip", "zstd", "zboot-gzip", "zboot-zstd", "" for an Image
 */
struct kernel_source {
	struct source *src;
	struct unpacker *unpacker;
	const u8 *piece;
	ssize_t len;
	struct kexec_stash_image image;
	u64 size;
	char packed[KERNEL_PACKED_LEN];
};

/**
 * kernel_source_start() - find out what a kernel is, and begin to unpack it
 * @kernel: filled in, to be ended with kernel_source_end() also on failure
 * @src: where its bytes come from; stays the caller's
 * @comp: how it is said to be compressed: "gzip", "zstd" or "none"; NULL if nothing is said
 * @room: how much memory it may own
 *
 * Return: true, or false after a message if it cannot be staged.
 */
bool kernel_source_start(struct kernel_source *kernel, struct source *src, const char *comp,
			 u64 room);

/**
 * kernel_source_end() - free what kernel_source_start() filled in
 * @kernel: the kernel, or one that is all zero
 */
void kernel_source_end(struct kernel_source *kernel);

#endif /* KERNEL_SOURCE_H */
