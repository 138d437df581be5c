/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checksums that a FIT has of its images
 */
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include <linux/types.h>

#include <openssl/types.h>

/* Longest digest */
#define DIGEST_LEN		64

/* Room for the name of an algorithm, the NUL included */
#define CHECKSUM_ALGO_LEN	16

/**
 * struct checksum - a checksum that bytes must have
 * @algo: the algorithm: "crc32", "md5", "sha1", "sha256", "sha384" or "sha512"
 * @want: what it must be
 * @len: its length in bytes
 * @crc: the checksum so far, for "crc32"
 * @ctx: the digest so far, for all others
 */
struct checksum {
	char algo[CHECKSUM_ALGO_LEN];
	u8 want[DIGEST_LEN];
	unsigned int len;
	u32 crc;
	EVP_MD_CTX *ctx;
};

/**
 * checksum_start() - begin a checksum
 * @sum: filled in; to be freed with checksum_free() also on failure
 * @algo: the algorithm
 * @value: what it must be
 * @len: how many bytes there are at @value
 *
 * Return: NULL, or what is wrong with it.
 */
const char *checksum_start(struct checksum *sum, const char *algo, const void *value, size_t len);

/**
 * checksum_update() - take the next bytes
 * @sum: the checksum
 * @buf: the bytes
 * @len: how many there are
 */
void checksum_update(struct checksum *sum, const void *buf, size_t len);

/**
 * checksum_matches() - whether all bytes together have the checksum
 * @sum: the checksum; it takes no more bytes
 *
 * Return: true if they have.
 */
bool checksum_matches(struct checksum *sum);

/**
 * checksum_free() - free what checksum_start() filled in
 * @sum: the checksum
 */
void checksum_free(struct checksum *sum);

#endif /* CHECKSUM_H */
