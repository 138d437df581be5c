// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recorded digests
 */

#define pr_fmt(fmt) "kexec_membuf: " fmt

#include <crypto/sha2.h>
#include <linux/ima.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "internal.h"

union digest_ctx {
	struct sha256_ctx sha256;
	struct sha384_ctx sha384;
	struct sha512_ctx sha512;
};

static void digest_init(union digest_ctx *ctx, enum kexec_stash_hash hash)
{
	if (hash == KEXEC_STASH_SHA256)
		sha256_init(&ctx->sha256);
	else if (hash == KEXEC_STASH_SHA384)
		sha384_init(&ctx->sha384);
	else
		sha512_init(&ctx->sha512);
}

static void digest_update(union digest_ctx *ctx, enum kexec_stash_hash hash,
			  const u8 *buf, size_t len)
{
	if (hash == KEXEC_STASH_SHA256)
		sha256_update(&ctx->sha256, buf, len);
	else if (hash == KEXEC_STASH_SHA384)
		sha384_update(&ctx->sha384, buf, len);
	else
		sha512_update(&ctx->sha512, buf, len);
}

static void digest_final(union digest_ctx *ctx, enum kexec_stash_hash hash,
			 u8 *digest)
{
	if (hash == KEXEC_STASH_SHA256)
		sha256_final(&ctx->sha256, digest);
	else if (hash == KEXEC_STASH_SHA384)
		sha384_final(&ctx->sha384, digest);
	else
		sha512_final(&ctx->sha512, digest);
}

static void digest_buf(enum kexec_stash_hash hash, const u8 *buf, u64 len,
		       u8 *digest)
{
	union digest_ctx ctx;

	digest_init(&ctx, hash);
	/* Hundreds of MiB are seconds on a small CPU: let others have a turn */
	while (len) {
		size_t chunk = min_t(u64, len, SZ_1M);

		digest_update(&ctx, hash, buf, chunk);
		buf += chunk;
		len -= chunk;
		cond_resched();
	}
	digest_final(&ctx, hash, digest);
}

static const enum hash_algo hash_algos[KEXEC_STASH_NR_HASHES] = {
	[KEXEC_STASH_HASH_NONE] = HASH_ALGO__LAST,
	[KEXEC_STASH_SHA256] = HASH_ALGO_SHA256,
	[KEXEC_STASH_SHA384] = HASH_ALGO_SHA384,
	[KEXEC_STASH_SHA512] = HASH_ALGO_SHA512,
};

/* Whether IMA has the digest that is asked for; it looked since the seal */
static bool ima_has_digest(struct inode *inode, enum kexec_stash_hash hash,
			   u8 *digest)
{
	return inode && ima_inode_hash(inode, digest, KEXEC_STASH_DIGEST_LEN) ==
				hash_algos[hash];
}

/**
 * kexec_slot_check_digest() - compare a file with its recorded digest
 * @slot: the slot, sealed
 * @id: the file, not the command line
 * @inode: the file's inode, kept by kexec_slot_keep_inode(); NULL if no LSM was
 *	asked about it
 *
 * Once is enough while the slot stays sealed.
 *
 * Return: 0, also if none is recorded; -EBADMSG if it does not match. The file
 * is bad then.
 */
int kexec_slot_check_digest(struct kexec_slot *slot, unsigned int id,
			    struct inode *inode)
{
	const struct kexec_stash_file *file = &slot->rec.file[id];
	int len = kexec_stash_hash_len(file->hash);
	u8 digest[KEXEC_STASH_DIGEST_LEN];

	if (file->hash == KEXEC_STASH_HASH_NONE ||
	    test_bit(id, &slot->verified))
		return 0;
	if (!ima_has_digest(inode, file->hash, digest))
		digest_buf(file->hash, kexec_slot_file_addr(slot, id),
			   file->size, digest);
	if (!memcmp(digest, file->digest, len)) {
		set_bit(id, &slot->verified);
		return 0;
	}
	pr_err("slot '%s': %s: its %s is %*phN, not %*phN as recorded: stage it again\n",
	       slot->rec.label, kexec_slot_file_name(id),
	       kexec_stash_hash_name(file->hash), len, digest, len,
	       file->digest);
	scoped_guard(mutex, &slot->lock)
		__set_bit(id, &slot->bad);
	return -EBADMSG;
}
