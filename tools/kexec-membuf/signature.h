/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a file's signatures are: what security.ima holds, an appended signature, a signed PE image
 *
 * All bytes are untrusted. Nothing of a signature itself is looked at here.
 */
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include <linux/types.h>

/* Behind an appended signature: struct module_signature and the marker */
#define MODSIG_TRAILER_LEN	40

/* As much of a PE image's start as its headers may take; arm64's own take 64 KiB */
#define PE_HEAD_LEN	0x20000

/**
 * enum ima_kind - what security.ima holds
 * @IMA_KIND_HASH: a digest of the file
 * @IMA_KIND_SIGNATURE: a signature of a digest of the file
 * @IMA_KIND_VERITY: a signature of the file's fs-verity digest
 * @IMA_KIND_OTHER: anything else
 */
enum ima_kind {
	IMA_KIND_HASH,
	IMA_KIND_SIGNATURE,
	IMA_KIND_VERITY,
	IMA_KIND_OTHER
};

/**
 * struct ima_xattr - what security.ima holds
 * @kind: what it is
 * @type: its first byte
 * @version: version of the signature's format: 2 signs the digest, 3 signs the digest with its kind
 * @algo: number of the hash algorithm, see hash_by_number()
 * @key_id: last four bytes of the key's identifier
 * @data: the digest, or the signature
 * @len: its length in bytes
 */
struct ima_xattr {
	enum ima_kind kind;
	u8 type;
	u8 version;
	u8 algo;
	u8 key_id[4];
	const u8 *data;
	size_t len;
};

/**
 * ima_xattr_read() - look at the content of security.ima
 * @buf: the content
 * @len: its length in bytes
 * @xattr: filled in; its pointer leads into @buf
 *
 * Return: NULL, or what is wrong with it.
 */
const char *ima_xattr_read(const u8 *buf, size_t len, struct ima_xattr *xattr);

/**
 * struct file_range - a part of a file
 * @offset: where it starts
 * @size: its length in bytes
 */
struct file_range {
	u64 offset;
	u64 size;
};

/**
 * modsig_find() - find the signature that is appended to a file
 * @tail: the file's last bytes
 * @len: how many there are at @tail; MODSIG_TRAILER_LEN are enough
 * @file_size: size of the file
 * @message: set to where the PKCS#7 message is; the bytes before it are signed. A size of 0 if
 *	nothing is appended
 *
 * Return: NULL, or what is wrong with what is appended.
 */
const char *modsig_find(const u8 *tail, size_t len, u64 file_size, struct file_range *message);

/**
 * struct pe_image - what is signed of a PE image
 * @message: where the PKCS#7 message is, with what is around it; a size of 0 if there is none, or
 *	the file is no PE image
 * @signed_parts: what its digest is made of, in order
 * @nr_parts: how many these are
 */
struct pe_image {
	struct file_range message;
	struct file_range *signed_parts;
	size_t nr_parts;
};

/**
 * pe_read() - read the headers of a PE image, as the kernel does before it verifies one
 * @head: the file's first bytes
 * @len: how many there are at @head; PE_HEAD_LEN if the file has so many
 * @file_size: size of the file
 * @pe: filled in, to be freed with pe_free(), also on failure
 *
 * Return: NULL, or what is wrong with the signature.
 */
const char *pe_read(const u8 *head, size_t len, u64 file_size, struct pe_image *pe);

/**
 * pe_message() - find the PKCS#7 message in the entry that a PE image has for it
 * @entry: the bytes that pe_read() found
 * @len: how many there are
 * @message: set to where the message is in them
 *
 * Return: NULL, or what is wrong with the signature.
 */
const char *pe_message(const u8 *entry, size_t len, struct file_range *message);

/**
 * pe_free() - free what pe_read() filled in
 * @pe: the image
 */
void pe_free(struct pe_image *pe);

#endif /* SIGNATURE_H */
