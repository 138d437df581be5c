/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KEXEC_STASH_SEAL_H
#define _KEXEC_STASH_SEAL_H

#include <linux/kexec_stash_record.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct file;
struct inode;
struct kexec_slot;

/**
 * struct kexec_slot_seal - whether a slot is sealed, and what LSMs found since
 * @count: number of kexec images that adopted it or are about to, and one if
 *	@ahead; nobody may change the payload while there are any
 * @ahead: sealed ahead of a load, to be verified. A writer breaks this seal.
 *	Changes under @ahead_lock, too
 * @ahead_lock: held while the payload is read ahead of a load; taken inside the
 *	slot's lock
 * @epoch: another number once what was found of the bytes does not hold any
 *	longer. Changes under @ahead_lock
 * @inodes: of the files that LSMs have looked at: what they remember of these,
 *	they found of sealed bytes
 * @demands: bits of the files that IMA demanded a signature of, when it was
 *	first asked about one of @inodes
 */
struct kexec_slot_seal {
	unsigned int count;
	bool ahead;
	struct mutex ahead_lock; /* see above */
	unsigned int epoch;
	struct inode *inodes[KEXEC_STASH_NR_FILES];
	unsigned long demands;
};

void kexec_slot_seal_init(struct kexec_slot *slot);
int kexec_slot_seal(struct kexec_slot *slot);
void kexec_slot_unseal(struct kexec_slot *slot);
int kexec_slot_seal_ahead(struct kexec_slot *slot);
void kexec_slot_unseal_ahead(struct kexec_slot *slot);
int kexec_slot_lock_to_change(struct kexec_slot *slot);
void kexec_slot_forget_findings(struct kexec_slot *slot);
void kexec_slot_forget_verdict(struct kexec_slot *slot, unsigned int id);
struct file *kexec_slot_open_sealed(struct kexec_slot *slot, unsigned int id,
				    const struct file *any);
void *kexec_slot_map(const struct kexec_slot *slot, u64 mem, u64 size);
int kexec_slot_write(const struct kexec_slot *slot, u64 mem, const void *buf,
		     u64 len, u64 memsz);

#endif /* _KEXEC_STASH_SEAL_H */
