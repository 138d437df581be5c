/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KEXEC_STASH_VERIFY_H
#define _KEXEC_STASH_VERIFY_H

#include <crypto/sha2.h>
#include <linux/init.h>
#include <linux/kexec_stash_record.h>
#include <linux/kthread.h>
#include <linux/types.h>

struct inode;
struct kexec_slot;

union kexec_slot_digest_ctx {
	struct sha256_ctx sha256;
	struct sha384_ctx sha384;
	struct sha512_ctx sha512;
};

/**
 * struct kexec_slot_progress - how far a file was looked at
 * @hashed: bytes from its start that are hashed
 * @cleaned: bytes from its start that are cleaned to the point of coherency
 * @ctx: the hash so far
 * @digest: the digest, once all are hashed
 */
struct kexec_slot_progress {
	u64 hashed;
	u64 cleaned;
	union kexec_slot_digest_ctx ctx;
	u8 digest[KEXEC_STASH_DIGEST_LEN];
};

/**
 * struct kexec_slot_verify - what was found of a sealed payload
 * @epoch: of the seal, that all below holds for
 * @verified: bits of the files whose digest was checked
 * @progress: of each file
 * @work: verifies the slot, some time after it was staged
 *
 * All but @work under the seal's ahead_lock.
 */
struct kexec_slot_verify {
	unsigned int epoch;
	unsigned long verified;
	struct kexec_slot_progress progress[KEXEC_STASH_NR_FILES];
	struct kthread_delayed_work work;
};

int __init kexec_verify_init(void);
bool kexec_slot_verified(struct kexec_slot *slot);
void kexec_slot_verify_later(struct kexec_slot *slot);
int kexec_slot_check_digest(struct kexec_slot *slot, unsigned int id,
			    struct inode *inode);
int kexec_slot_check_ahead(struct kexec_slot *slot, unsigned int id);
void kexec_slot_clean(struct kexec_slot *slot, unsigned int id, u64 len);

#endif /* _KEXEC_STASH_VERIFY_H */
