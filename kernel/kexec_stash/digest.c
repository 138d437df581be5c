// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recorded digests, and how far a sealed payload has been hashed and cleaned
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/ima.h>
#include <linux/kexec_stash.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "internal.h"

static void digest_init(union kexec_slot_digest_ctx *ctx, enum kexec_stash_hash hash)
{
	if (hash == KEXEC_STASH_SHA256)
		sha256_init(&ctx->sha256);
	else if (hash == KEXEC_STASH_SHA384)
		sha384_init(&ctx->sha384);
	else
		sha512_init(&ctx->sha512);
}

static void digest_update(union kexec_slot_digest_ctx *ctx, enum kexec_stash_hash hash,
			  const u8 *buf, size_t len)
{
	if (hash == KEXEC_STASH_SHA256)
		sha256_update(&ctx->sha256, buf, len);
	else if (hash == KEXEC_STASH_SHA384)
		sha384_update(&ctx->sha384, buf, len);
	else
		sha512_update(&ctx->sha512, buf, len);
}

static void digest_final(union kexec_slot_digest_ctx *ctx, enum kexec_stash_hash hash,
			 u8 *digest)
{
	if (hash == KEXEC_STASH_SHA256)
		sha256_final(&ctx->sha256, digest);
	else if (hash == KEXEC_STASH_SHA384)
		sha384_final(&ctx->sha384, digest);
	else
		sha512_final(&ctx->sha512, digest);
}

/*
 * Hash and clean the next bytes of a file, these while they are in the cache.
 * Ahead of a load few, since a load may have to wait for it.
 */
static void do_chunk(struct kexec_slot *slot, unsigned int id,
		     enum kexec_stash_hash hash, bool ahead)
{
	struct kexec_slot_progress *progress = &slot->progress[id];
	u8 *buf = kexec_slot_file_addr(slot, id) + progress->hashed;
	u64 left = slot->rec.file[id].size - progress->hashed;
	size_t len = min_t(u64, left, ahead ? SZ_256K : SZ_1M);

	if (!progress->hashed)
		digest_init(&progress->ctx, hash);
	digest_update(&progress->ctx, hash, buf, len);
	arch_kexec_stash_flush(buf, len);
	progress->hashed += len;
	progress->cleaned = max(progress->cleaned, progress->hashed);
	if (len == left)
		digest_final(&progress->ctx, hash, progress->digest);
}

/*
 * The digest of a sealed file. All who want it do a part of the work: what has
 * been hashed since the seal is never hashed again.
 */
static int digest_file(struct kexec_slot *slot, unsigned int id,
		       enum kexec_stash_hash hash, bool ahead, u8 *digest)
{
	struct kexec_slot_progress *progress = &slot->progress[id];

	for (;; cond_resched()) {
		guard(mutex)(&slot->progress_lock);
		/* Ahead of a load a seal is broken by who wants to write */
		if (ahead && !slot->ahead)
			return -EINTR;
		if (progress->hashed == slot->rec.file[id].size) {
			memcpy(digest, progress->digest,
			       KEXEC_STASH_DIGEST_LEN);
			return 0;
		}
		do_chunk(slot, id, hash, ahead);
	}
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

/*
 * What is found holds as long as the seal does. Ahead of a load it may have been
 * broken since the last byte was hashed.
 */
static int compare(struct kexec_slot *slot, unsigned int id, bool ahead,
		   const u8 *digest)
{
	const struct kexec_stash_file *file = &slot->rec.file[id];
	int len = kexec_stash_hash_len(file->hash);

	guard(mutex)(&slot->lock);
	if (ahead && !slot->ahead)
		return -EINTR;
	if (!memcmp(digest, file->digest, len)) {
		set_bit(id, &slot->verified);
		return 0;
	}
	kexec_slot_complain(slot,
			    "%s: its %s is %*phN, not %*phN as recorded: stage it again",
			    kexec_slot_file_name(id),
			    kexec_stash_hash_name(file->hash), len, digest, len,
			    file->digest);
	__set_bit(id, &slot->bad);
	kexec_slot_changed(slot);
	return -EBADMSG;
}

/* From here on, and by the next kernel, it can be told that it changed */
static int record(struct kexec_slot *slot, unsigned int id,
		  enum kexec_stash_hash hash, const u8 *digest)
{
	struct kexec_stash_file *file = &slot->rec.file[id];

	guard(mutex)(&slot->lock);
	if (!slot->ahead)
		return -EINTR;
	memcpy(file->digest, digest, KEXEC_STASH_DIGEST_LEN);
	file->hash = hash;
	atomic_inc(&kexec_slots_generation);
	set_bit(id, &slot->verified);
	return 0;
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
	u8 digest[KEXEC_STASH_DIGEST_LEN];

	if (file->hash == KEXEC_STASH_HASH_NONE ||
	    test_bit(id, &slot->verified))
		return 0;
	if (!ima_has_digest(inode, file->hash, digest))
		digest_file(slot, id, file->hash, false, digest);
	return compare(slot, id, false, digest);
}

/**
 * kexec_slot_check_ahead() - compare a file with its recorded digest, or record
 * one, ahead of a load
 * @slot: the slot, with a seal by kexec_slot_seal_ahead()
 * @id: the file, not the command line
 *
 * A load that comes meanwhile does its part of it, and does nothing again.
 *
 * Return: 0; -EBADMSG as kexec_slot_check_digest(); -EINTR if the seal was
 * broken.
 */
int kexec_slot_check_ahead(struct kexec_slot *slot, unsigned int id)
{
	const struct kexec_stash_file *file = &slot->rec.file[id];
	enum kexec_stash_hash hash = file->hash;
	u8 digest[KEXEC_STASH_DIGEST_LEN];
	int ret;

	if (test_bit(id, &slot->verified))
		return 0;
	if (hash == KEXEC_STASH_HASH_NONE)
		hash = KEXEC_STASH_SHA256;
	ret = digest_file(slot, id, hash, true, digest);
	if (ret)
		return ret;
	return file->hash == KEXEC_STASH_HASH_NONE ?
		       record(slot, id, hash, digest) :
		       compare(slot, id, true, digest);
}

static void clean(struct kexec_slot *slot, unsigned int id, u64 len)
{
	struct kexec_slot_progress *progress = &slot->progress[id];

	if (len <= progress->cleaned)
		return;
	arch_kexec_stash_flush(kexec_slot_file_addr(slot, id) +
				       progress->cleaned,
			       len - progress->cleaned);
	progress->cleaned = len;
}

/**
 * kexec_slot_clean() - make a file visible to a kernel that starts with its
 * caches off
 * @slot: the slot, sealed
 * @id: the file, not the command line
 * @len: how many bytes from its start, which may be more than it has
 *
 * What was cleaned since the seal is not cleaned again: nobody can have written
 * to it.
 */
void kexec_slot_clean(struct kexec_slot *slot, unsigned int id, u64 len)
{
	guard(mutex)(&slot->progress_lock);
	clean(slot, id, len);
}

/**
 * kexec_slot_clean_kernel_ahead() - clean all that a kernel owns, ahead of a load
 * @slot: the slot, with a seal by kexec_slot_seal_ahead()
 *
 * It owns more than its file; what it finds there it clears itself.
 *
 * Return: 0; -ENOEXEC, -EINVAL or -ENOSPC if it is no kernel; -EINTR if the seal
 * was broken.
 */
int kexec_slot_clean_kernel_ahead(struct kexec_slot *slot)
{
	const unsigned int id = KEXEC_STASH_KERNEL;
	struct kexec_stash_image image;
	const char *why;
	int ret;

	guard(mutex)(&slot->progress_lock);
	if (!slot->ahead)
		return -EINTR;
	ret = kexec_stash_image_read(kexec_slot_file_addr(slot, id),
				     slot->rec.file[id].size, slot->rec.size,
				     &image, &why);
	if (!ret)
		clean(slot, id, image.image_size);
	return ret;
}

/**
 * kexec_slot_forget_progress() - begin anew with digests and cleaning
 * @slot: the slot, locked
 */
void kexec_slot_forget_progress(struct kexec_slot *slot)
{
	guard(mutex)(&slot->progress_lock);
	memset(slot->progress, 0, sizeof(slot->progress));
	slot->verified = 0;
}
