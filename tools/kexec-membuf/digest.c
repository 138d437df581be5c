// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hash algorithms by the kernel's names, and digests of a file's parts
 */

#include "digest.h"
#include "utils.h"

#include <linux/hash_info.h>
#include <openssl/evp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_LEN	0x100000

/* crypto/hash_info.c */
static const struct hash hashes[] = {
	[HASH_ALGO_MD4]			= { "md4", NULL, NID_md4 },
	[HASH_ALGO_MD5]			= { "md5", "MD5", NID_md5 },
	[HASH_ALGO_SHA1]		= { "sha1", "SHA1", NID_sha1 },
	[HASH_ALGO_RIPE_MD_160]		= { "rmd160", "RIPEMD160", NID_ripemd160 },
	[HASH_ALGO_SHA256]		= { "sha256", "SHA256", NID_sha256 },
	[HASH_ALGO_SHA384]		= { "sha384", "SHA384", NID_sha384 },
	[HASH_ALGO_SHA512]		= { "sha512", "SHA512", NID_sha512 },
	[HASH_ALGO_SHA224]		= { "sha224", "SHA224", NID_sha224 },
	[HASH_ALGO_RIPE_MD_128]		= { "rmd128", NULL, 0 },
	[HASH_ALGO_RIPE_MD_256]		= { "rmd256", NULL, 0 },
	[HASH_ALGO_RIPE_MD_320]		= { "rmd320", NULL, 0 },
	[HASH_ALGO_WP_256]		= { "wp256", NULL, 0 },
	[HASH_ALGO_WP_384]		= { "wp384", NULL, 0 },
	[HASH_ALGO_WP_512]		= { "wp512", NULL, 0 },
	[HASH_ALGO_TGR_128]		= { "tgr128", NULL, 0 },
	[HASH_ALGO_TGR_160]		= { "tgr160", NULL, 0 },
	[HASH_ALGO_TGR_192]		= { "tgr192", NULL, 0 },
	[HASH_ALGO_SM3_256]		= { "sm3", "SM3", NID_sm3 },
	[HASH_ALGO_STREEBOG_256]	= { "streebog256", NULL, NID_id_GostR3411_2012_256 },
	[HASH_ALGO_STREEBOG_512]	= { "streebog512", NULL, NID_id_GostR3411_2012_512 },
	/* Newer than the headers of Debian 12 */
	[HASH_ALGO_STREEBOG_512 + 1]	= { "sha3-256", "SHA3-256", NID_sha3_256 },
	[HASH_ALGO_STREEBOG_512 + 2]	= { "sha3-384", "SHA3-384", NID_sha3_384 },
	[HASH_ALGO_STREEBOG_512 + 3]	= { "sha3-512", "SHA3-512", NID_sha3_512 },
};

const struct hash *hash_by_number(unsigned int number)
{
	return number < ARRAY_SIZE(hashes) ? &hashes[number] : NULL;
}

const struct hash *hash_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hashes); i++) {
		if (!strcmp(hashes[i].name, name))
			return &hashes[i];
	}
	return NULL;
}

const struct hash *hash_by_nid(int nid)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hashes); i++) {
		if (nid && hashes[i].nid == nid)
			return &hashes[i];
	}
	return NULL;
}

unsigned int hash_number(const struct hash *hash)
{
	return hash - hashes;
}

EVP_MD_CTX *digest_start(const struct hash *hash)
{
	EVP_MD *md = hash->openssl ? EVP_MD_fetch(NULL, hash->openssl, NULL) : NULL;
	EVP_MD_CTX *ctx = NULL;

	if (!md)
		return NULL;
	ctx = EVP_MD_CTX_new();
	if (ctx && !EVP_DigestInit_ex2(ctx, md, NULL)) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_MD_free(md);
	return ctx;
}

unsigned int digest_end(EVP_MD_CTX *ctx, u8 *value)
{
	unsigned int len = 0;

	if (!EVP_DigestFinal_ex(ctx, value, &len))
		len = 0;
	EVP_MD_CTX_free(ctx);
	return len;
}

unsigned int hash_bytes(const struct hash *hash, const void *buf, size_t len, u8 *digest)
{
	EVP_MD_CTX *ctx = digest_start(hash);

	if (!ctx)
		return 0;
	EVP_DigestUpdate(ctx, buf, len);
	return digest_end(ctx, digest);
}

/* The bytes of a chunk that are in one of the parts */
static void update(EVP_MD_CTX *ctx, const struct digest *digest, const u8 *buf, u64 pos, size_t len)
{
	size_t i;

	for (i = 0; i < digest->nr_parts; i++) {
		u64 start = digest->parts[i].offset, end = start + digest->parts[i].size;

		if (start < pos)
			start = pos;
		if (end > pos + len)
			end = pos + len;
		if (start < end)
			EVP_DigestUpdate(ctx, buf + (start - pos), end - start);
	}
}

static int read_chunk(int fd, u8 *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(fd, buf + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;
		done += n;
	}
	return 0;
}

int digest_file(int fd, u64 size, struct digest *digests, size_t count)
{
	EVP_MD_CTX **ctx = xmalloc((count + 1) * sizeof(*ctx));
	u8 *buf = xmalloc(CHUNK_LEN);
	int ret = 0;
	size_t i;
	u64 pos;

	for (i = 0; i < count; i++)
		ctx[i] = digest_start(digests[i].hash);
	for (pos = 0; pos < size && !ret; pos += CHUNK_LEN) {
		size_t len = size - pos < CHUNK_LEN ? size - pos : CHUNK_LEN;

		ret = read_chunk(fd, buf, len);
		for (i = 0; i < count && !ret; i++) {
			if (ctx[i])
				update(ctx[i], &digests[i], buf, pos, len);
		}
	}
	for (i = 0; i < count; i++)
		digests[i].len = ctx[i] ? digest_end(ctx[i], digests[i].value) : 0;
	free(buf);
	free(ctx);
	return ret;
}

const char *hex(const u8 *buf, size_t len, char *str)
{
	size_t i;

	for (i = 0; i < len; i++)
		sprintf(str + 2 * i, "%02x", buf[i]);
	str[2 * len] = '\0';
	return str;
}
