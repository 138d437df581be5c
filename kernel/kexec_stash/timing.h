/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KEXEC_STASH_TIMING_H
#define _KEXEC_STASH_TIMING_H

#include <linux/init.h>
#include <linux/kexec_stash_record.h>
#include <linux/types.h>

struct kexec_adoption;
struct kimage;

/**
 * struct kexec_handover_page - what a kernel leaves for the one that it starts
 * @magic: that it is one
 * @version: of what follows
 * @handover: the number in the slot's record
 * @frequency: of the counter, in Hz
 * @reboot: stamp of when the reboot notifiers were called
 * @jump: stamp of the jump
 *
 * An interface between kernels: at the start of the slot's last
 * KEXEC_STASH_HANDOVER_SIZE bytes, little endian, see docs/design.md.
 */
struct kexec_handover_page {
	__le64 magic;
	__le64 version;
	__le64 handover;
	__le64 frequency;
	__le64 reboot;
	__le64 jump;
};

/**
 * enum kexec_stamp - moments of a kexec, in their order
 * @KEXEC_STAMP_REBOOT: the kernel before this one began to shut down
 * @KEXEC_STAMP_JUMP: it was about to jump
 * @KEXEC_STAMP_ENTRY: this kernel's first instructions
 * @KEXEC_STAMP_INIT: it starts its first process
 * @KEXEC_NR_STAMPS: how many there are
 */
enum kexec_stamp {
	KEXEC_STAMP_REBOOT,
	KEXEC_STAMP_JUMP,
	KEXEC_STAMP_ENTRY,
	KEXEC_STAMP_INIT,
	KEXEC_NR_STAMPS
};

/**
 * struct kexec_timing - what is known of a kexec's moments
 * @frequency: of the counter, in Hz; 0 if it is not known
 * @stamp: values of the counter
 * @known: bits of those that are known
 */
struct kexec_timing {
	u64 frequency;
	u64 stamp[KEXEC_NR_STAMPS];
	unsigned long known;
};

/* Physical address of a slot's hand-over page */
static inline u64 kexec_handover_mem(const struct kexec_stash_record *rec)
{
	return rec->base + rec->size - KEXEC_STASH_HANDOVER_SIZE;
}

#ifdef CONFIG_KEXEC_STASH_TIMING

void __init kexec_handover_take(void);
void kexec_handover_open(struct kexec_adoption *adoption, u64 mem);
void kexec_handover_close(struct kexec_adoption *adoption);
u64 kexec_handover_number(const struct kimage *image);
void kexec_handover_prepare(struct kexec_handover_page *page, u64 handover,
			    u64 frequency);
void kexec_handover_stamp(struct kexec_handover_page *page, u64 reboot,
			  u64 jump);
bool kexec_handover_valid(const struct kexec_handover_page *page, u64 handover);
void kexec_timing_judge(struct kexec_timing *t,
			const struct kexec_handover_page *page, u64 frequency,
			u64 entry, u64 now);

#else /* !CONFIG_KEXEC_STASH_TIMING */

static inline void kexec_handover_take(void)
{
}

static inline void kexec_handover_open(struct kexec_adoption *adoption, u64 mem)
{
}

static inline void kexec_handover_close(struct kexec_adoption *adoption)
{
}

static inline u64 kexec_handover_number(const struct kimage *image)
{
	return 0;
}

#endif /* CONFIG_KEXEC_STASH_TIMING */

#endif /* _KEXEC_STASH_TIMING_H */
