/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a file that is to be a kernel or an initrd is, by its first bytes
 *
 * All bytes are untrusted.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <linux/types.h>

/**
 * struct file_range - a part of a file
 * @offset: where it starts
 * @size: its length in bytes
 */
struct file_range {
	u64 offset;
	u64 size;
};

/* As many of a file's first bytes as content_look() looks at */
#define CONTENT_HEAD_LEN	0x206

/**
 * enum content - what a file is
 * @CONTENT_IMAGE: an arm64 Image
 * @CONTENT_GZIP: compressed with gzip
 * @CONTENT_ZSTD: compressed with zstd
 * @CONTENT_ZBOOT: an EFI zboot image
 * @CONTENT_OTHER: no kernel for this machine, or one that cannot be unpacked here
 */
enum content {
	CONTENT_IMAGE,
	CONTENT_GZIP,
	CONTENT_ZSTD,
	CONTENT_ZBOOT,
	CONTENT_OTHER
};

/**
 * content_look() - find out what a file is
 * @head: its first bytes
 * @len: how many there are at @head
 * @why: set to what it is and what to do, for CONTENT_OTHER
 *
 * Return: what it is.
 */
enum content content_look(const u8 *head, size_t len, const char **why);

/**
 * content_initrd_fault() - find out whether a file can be no initrd
 * @head: its first bytes
 * @len: how many there are at @head
 *
 * Hardly anything can be known of it: the kernel unpacks it, and knows more archives than one.
 *
 * Return: what it is and what to do, or NULL.
 */
const char *content_initrd_fault(const u8 *head, size_t len);

/* Longest name of a compression in a zboot header, the NUL included */
#define ZBOOT_COMP_LEN	33

/**
 * struct zboot - the header of an EFI zboot image
 * @payload: where the compressed Image is
 * @comp: how it is compressed, made printable: "gzip", "zstd"
 */
struct zboot {
	struct file_range payload;
	char comp[ZBOOT_COMP_LEN];
};

/**
 * zboot_read() - read the header of an EFI zboot image
 * @head: its first bytes
 * @len: how many there are at @head
 * @zboot: filled in
 *
 * Return: NULL, or what is wrong with it.
 */
const char *zboot_read(const u8 *head, size_t len, struct zboot *zboot);

#endif /* CONTENT_H */
