// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The checksums that a FIT has of its images
 */

#include "stage.h"
#include "utils.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <string.h>

#define CRC_LEN	4

static bool is_crc(const struct checksum *sum)
{
	return !strcmp(sum->algo, "crc32");
}

/* U-Boot's names are libcrypto's; others that this knows are none of a FIT */
static const char *start_digest(struct checksum *sum)
{
	static const char * const algos[] = { "md5", "sha1", "sha256", "sha384", "sha512" };
	const EVP_MD *md = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(algos); i++) {
		if (!strcmp(sum->algo, algos[i]))
			md = EVP_get_digestbyname(algos[i]);
	}
	sum->ctx = md ? EVP_MD_CTX_new() : NULL;
	if (!sum->ctx || !EVP_DigestInit_ex(sum->ctx, md, NULL))
		return "has no known algorithm";
	if ((unsigned int)EVP_MD_CTX_get_size(sum->ctx) != sum->len)
		return "has a value of the wrong length";
	return NULL;
}

const char *checksum_start(struct checksum *sum, const char *algo, const void *value, size_t len)
{
	memset(sum, 0, sizeof(*sum));
	snprintf(sum->algo, sizeof(sum->algo), "%s", algo);
	make_printable(sum->algo);
	if (strcmp(sum->algo, algo))
		return "has no known algorithm";
	if (len > sizeof(sum->want))
		return "has a value of the wrong length";
	memcpy(sum->want, value, len);
	sum->len = len;
	if (!is_crc(sum))
		return start_digest(sum);
	return len == CRC_LEN ? NULL : "has a value of the wrong length";
}

void checksum_update(struct checksum *sum, const void *buf, size_t len)
{
	if (is_crc(sum))
		sum->crc = crc32_z(sum->crc, buf, len);
	else
		EVP_DigestUpdate(sum->ctx, buf, len);
}

bool checksum_matches(struct checksum *sum)
{
	u8 value[DIGEST_LEN];
	int i;

	if (is_crc(sum)) {
		/* The most significant byte is the first */
		for (i = 0; i < CRC_LEN; i++)
			value[i] = sum->crc >> 8 * (CRC_LEN - 1 - i);
	} else {
		EVP_DigestFinal_ex(sum->ctx, value, NULL);
	}
	return !memcmp(value, sum->want, sum->len);
}

void checksum_free(struct checksum *sum)
{
	EVP_MD_CTX_free(sum->ctx);
	sum->ctx = NULL;
}
