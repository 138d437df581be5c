/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hash algorithms by the kernel's names, and digests of a file's parts
 */
#ifndef DIGEST_H
#define DIGEST_H

#include "signature.h"

#include <openssl/types.h>

#define DIGEST_LEN	64

/* Room for a digest in hexadecimal, the NUL included */
#define DIGEST_HEX_LEN	(2 * DIGEST_LEN + 1)

/**
 * struct hash - a hash algorithm
 * @name: the kernel's name of it, as in IMA policies
 * @openssl: libcrypto's name of it, NULL if it has none
 * @nid: libcrypto's number, or 0
 */
struct hash {
	const char *name;
	const char *openssl;
	int nid;
};

/**
 * hash_by_number() - find an algorithm by its number in the kernel's enum hash_algo
 * @number: any number
 *
 * Return: the algorithm, or NULL if the kernel has none of that number.
 */
const struct hash *hash_by_number(unsigned int number);

/**
 * hash_by_name() - find an algorithm by its name
 * @name: any string
 *
 * Return: the algorithm, or NULL if the kernel has none of that name.
 */
const struct hash *hash_by_name(const char *name);

/**
 * hash_by_nid() - find an algorithm by libcrypto's number
 * @nid: any number
 *
 * Return: the algorithm, or NULL if the kernel has none that is called so.
 */
const struct hash *hash_by_nid(int nid);

/**
 * hash_number() - the number of an algorithm
 * @hash: the algorithm
 *
 * Return: its number in the kernel's enum hash_algo.
 */
unsigned int hash_number(const struct hash *hash);

/**
 * hash_bytes() - digest of bytes
 * @hash: the algorithm
 * @buf: the bytes
 * @len: how many there are
 * @digest: DIGEST_LEN bytes, filled in
 *
 * Return: the digest's length, 0 if libcrypto does not have the algorithm.
 */
unsigned int hash_bytes(const struct hash *hash, const void *buf, size_t len, u8 *digest);

/**
 * digest_start() - begin the digest of bytes that come one after another
 * @hash: the algorithm
 *
 * Return: what EVP_DigestUpdate() takes, NULL if libcrypto does not have the algorithm.
 */
EVP_MD_CTX *digest_start(const struct hash *hash);

/**
 * digest_end() - finish a digest
 * @ctx: what digest_start() returned, which is freed
 * @value: DIGEST_LEN bytes, filled in
 *
 * Return: the digest's length.
 */
unsigned int digest_end(EVP_MD_CTX *ctx, u8 *value);

/**
 * struct digest - the digest of parts of a file
 * @hash: the algorithm
 * @parts: the parts, in the order of their offsets, not overlapping
 * @nr_parts: how many there are
 * @value: filled in
 * @len: filled in: length of @value, 0 if libcrypto does not have the algorithm
 */
struct digest {
	const struct hash *hash;
	const struct file_range *parts;
	size_t nr_parts;
	u8 value[DIGEST_LEN];
	unsigned int len;
};

/**
 * digest_file() - compute digests of a file
 * @fd: descriptor of the file; it is read once, from its start, for all digests
 * @size: its size in bytes
 * @digests: the digests
 * @count: how many there are
 *
 * Return: 0 or -errno; -EIO if the file is shorter than @size.
 */
int digest_file(int fd, u64 size, struct digest *digests, size_t count);

/**
 * hex() - bytes in hexadecimal
 * @buf: the bytes
 * @len: how many there are
 * @str: filled in, 2 * @len + 1 bytes
 *
 * Return: @str.
 */
const char *hex(const u8 *buf, size_t len, char *str);

#endif /* DIGEST_H */
