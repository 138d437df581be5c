// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verifying a sealed payload: its recorded digests, and how far it has been
 * hashed and cleaned to the point of coherency
 *
 * Once a payload is staged, a thread of low priority seals it, checks its
 * digests, or records those that are not there, and cleans it, so that a load
 * need do none of this.
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/ima.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/suspend.h>

#include <asm/kexec_stash.h>

#include "slot.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "kexec_stash."

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

/* What was found since the seal; begins anew with each */
static struct kexec_slot_verify *findings(struct kexec_slot *slot)
{
	struct kexec_slot_verify *verify = &slot->verify;

	lockdep_assert_held(&slot->seal.ahead_lock);
	if (verify->epoch != slot->seal.epoch) {
		verify->epoch = slot->seal.epoch;
		verify->verified = 0;
		memset(verify->progress, 0, sizeof(verify->progress));
	}
	return verify;
}

static bool is_verified(struct kexec_slot *slot, unsigned int id)
{
	guard(mutex)(&slot->seal.ahead_lock);
	return test_bit(id, &findings(slot)->verified);
}

static void note_verified(struct kexec_slot *slot, unsigned int id)
{
	guard(mutex)(&slot->seal.ahead_lock);
	__set_bit(id, &findings(slot)->verified);
}

/**
 * kexec_slot_verified() - whether a load need not look at a payload's bytes
 * @slot: the slot, locked
 *
 * LSMs may want to look at them all the same.
 *
 * Return: true if each file's digest was checked and it was cleaned, and it is
 * sealed since.
 */
bool kexec_slot_verified(struct kexec_slot *slot)
{
	const struct kexec_slot_verify *verify;
	bool any = false;

	if (!slot->seal.count || slot->bad)
		return false;
	guard(mutex)(&slot->seal.ahead_lock);
	verify = findings(slot);
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		const struct kexec_stash_file *file = &slot->rec.file[i];

		if (file->size && (!test_bit(i, &verify->verified) ||
				   verify->progress[i].cleaned < file->size))
			return false;
		any |= file->size;
	}
	return any;
}

/*
 * Hash and clean the next bytes of a file, these while they are in the cache.
 * Ahead of a load few, since a load may have to wait for it.
 */
static void do_chunk(struct kexec_slot *slot, unsigned int id,
		     enum kexec_stash_hash hash, bool ahead)
{
	struct kexec_slot_progress *progress = &findings(slot)->progress[id];
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
	const struct kexec_slot_progress *progress;

	for (;; cond_resched()) {
		guard(mutex)(&slot->seal.ahead_lock);
		/* A writer has broken the seal */
		if (ahead && !slot->seal.ahead)
			return -EINTR;
		progress = &findings(slot)->progress[id];
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
	if (ahead && !slot->seal.ahead)
		return -EINTR;
	if (!memcmp(digest, file->digest, len)) {
		note_verified(slot, id);
		return 0;
	}
	kexec_slot_complain(slot,
			    "%s: its %s is %*phN, not %*phN as recorded: stage it again",
			    kexec_slot_file_name(id),
			    kexec_stash_hash_name(file->hash), len, digest, len,
			    file->digest);
	kexec_slot_mark_bad(slot, id);
	return -EBADMSG;
}

/* From here on, and by the next kernel, it can be told that it changed */
static int record(struct kexec_slot *slot, unsigned int id,
		  enum kexec_stash_hash hash, const u8 *digest)
{
	struct kexec_stash_file *file = &slot->rec.file[id];

	guard(mutex)(&slot->lock);
	if (!slot->seal.ahead)
		return -EINTR;
	memcpy(file->digest, digest, KEXEC_STASH_DIGEST_LEN);
	file->hash = hash;
	atomic_inc(&kexec_slots_changes);
	note_verified(slot, id);
	return 0;
}

/**
 * kexec_slot_check_digest() - compare a file with its recorded digest
 * @slot: the slot, sealed
 * @id: the file, not the command line
 * @inode: of the file that LSMs have looked at; NULL if none was asked
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

	if (file->hash == KEXEC_STASH_HASH_NONE || is_verified(slot, id))
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
 * Return: 0; -EBADMSG as kexec_slot_check_digest(); -EINTR if a writer has broken
 * the seal.
 */
int kexec_slot_check_ahead(struct kexec_slot *slot, unsigned int id)
{
	const struct kexec_stash_file *file = &slot->rec.file[id];
	enum kexec_stash_hash hash = file->hash;
	u8 digest[KEXEC_STASH_DIGEST_LEN];
	int ret;

	if (is_verified(slot, id))
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
	struct kexec_slot_progress *progress = &findings(slot)->progress[id];

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
	guard(mutex)(&slot->seal.ahead_lock);
	clean(slot, id, len);
}

/* A kernel owns more than its file; what it finds there it clears itself */
static int clean_kernel_ahead(struct kexec_slot *slot)
{
	const unsigned int id = KEXEC_STASH_KERNEL;
	struct kexec_stash_image image;
	const char *why;
	int ret;

	guard(mutex)(&slot->seal.ahead_lock);
	if (!slot->seal.ahead)
		return -EINTR;
	ret = kexec_stash_image_read(kexec_slot_file_addr(slot, id),
				     slot->rec.file[id].size, slot->rec.size,
				     &image, &why);
	if (!ret)
		clean(slot, id, image.image_size);
	return ret;
}

/* A payload is several files: wait until nobody has written for so long */
#define VERIFY_DELAY HZ

static bool verify_ahead = true;
static struct kthread_worker *worker;

static int verify(struct kexec_slot *slot)
{
	int ret = 0;

	for (int i = 0; i < KEXEC_STASH_NR_FILES && !ret; i++) {
		if (slot->rec.file[i].size)
			ret = kexec_slot_check_ahead(slot, i);
	}
	return ret ?: clean_kernel_ahead(slot);
}

static void verify_func(struct kthread_work *work)
{
	struct kexec_slot *slot =
		container_of(work, struct kexec_slot, verify.work.work);

	if (system_state < SYSTEM_RUNNING) {
		kexec_slot_verify_later(slot);
		return;
	}
	if (!READ_ONCE(verify_ahead) || kexec_slot_seal_ahead(slot))
		return;
	if (verify(slot))
		kexec_slot_unseal_ahead(slot);
}

/**
 * kexec_slot_verify_later() - verify a payload once nobody has changed it for a
 * while
 * @slot: the slot, locked or not
 */
void kexec_slot_verify_later(struct kexec_slot *slot)
{
	if (worker && READ_ONCE(verify_ahead))
		kthread_mod_delayed_work(worker, &slot->verify.work,
					 VERIFY_DELAY);
}

static void verify_all(void)
{
	for (int i = 0; i < kexec_nr_slots; i++)
		kexec_slot_verify_later(kexec_slots[i]);
}

/* What was verified so far is as if it had not been */
static void forget_all(void)
{
	for (int i = 0; i < kexec_nr_slots; i++) {
		/* Who is just verifying it notices, and need not be waited for long */
		kexec_slot_unseal_ahead(kexec_slots[i]);
		kthread_cancel_delayed_work_sync(&kexec_slots[i]->verify.work);
		kexec_slot_unseal_ahead(kexec_slots[i]);
	}
}

static int set_verify_ahead(const char *val, const struct kernel_param *kp)
{
	int ret = param_set_bool(val, kp);

	if (ret || !worker)
		return ret;
	if (verify_ahead)
		verify_all();
	else
		forget_all();
	return 0;
}

static const struct kernel_param_ops verify_ahead_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_verify_ahead,
	.get = param_get_bool,
};

module_param_cb(verify_ahead, &verify_ahead_ops, &verify_ahead, 0644);

/*
 * The kernel that resumed this one has put its memory back from a disk, through
 * caches that nobody has cleaned since: no verdict holds any longer. An image
 * that is loaded is as good as it was once its slot is clean again.
 */
static int clean_again(struct notifier_block *nb, unsigned long action,
		       void *data)
{
	if (action != PM_POST_HIBERNATION)
		return NOTIFY_DONE;
	forget_all();
	for (int i = 0; i < kexec_nr_slots; i++) {
		struct kexec_slot *slot = kexec_slots[i];

		guard(mutex)(&slot->lock);
		if (!slot->seal.count)
			continue;
		arch_kexec_stash_flush(__va(slot->rec.base), slot->rec.size);
		kexec_slot_forget_findings(slot);
	}
	verify_all();
	return NOTIFY_OK;
}

static struct notifier_block clean_again_nb = {
	.notifier_call = clean_again,
};

/**
 * kexec_verify_init() - begin to verify what is staged
 *
 * Return: 0 or a negative errno.
 */
int __init kexec_verify_init(void)
{
	struct kthread_worker *thread;

	if (!kexec_nr_slots)
		return 0;
	for (int i = 0; i < kexec_nr_slots; i++)
		kthread_init_delayed_work(&kexec_slots[i]->verify.work,
					  verify_func);
	thread = kthread_run_worker(0, "kexec_verify");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	set_user_nice(thread->task, MAX_NICE);
	worker = thread;
	verify_all();
	return register_pm_notifier(&clean_again_nb);
}
