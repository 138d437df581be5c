/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How slots come about when the kernel boots
 */
#ifndef _KEXEC_STASH_BOOT_H
#define _KEXEC_STASH_BOOT_H

#include <linux/init.h>
#include <linux/kexec_stash_layout.h>
#include <linux/types.h>

struct kexec_slot;
struct kexec_stash_want;

/**
 * struct kexec_claim - memory that somebody has, or will ask for
 * @base: physical address
 * @size: in bytes, 0 for none
 * @why: why a slot cannot be there
 */
struct kexec_claim {
	u64 base;
	u64 size;
	const char *why;
};

/* claims.c */
const char *__init kexec_claims_check(u64 base, u64 size);
void __init kexec_claims_tell(const char *label, u64 base, u64 size);
bool __init kexec_claims_find(u64 base, u64 size, struct kexec_claim *claim);
bool __init kexec_kho_claims(u64 base, u64 size, struct kexec_claim *claim);

/* find.c */
bool __init kexec_slot_holds_kernel(const struct kexec_stash_record *rec);
void __init kexec_slots_find(void);
void __init kexec_slots_show(void);
void __init kexec_slots_show_resources(void);

/* reserve.c */
void __init kexec_slots_reserve(void);
const struct kexec_stash_want *__init kexec_slot_reserved(unsigned int i);

/* early.c */
#ifdef CONFIG_KEXEC_STASH_EARLY
void __init kexec_slots_take_payloads(void);
#else
static inline void kexec_slots_take_payloads(void)
{
}
#endif

/* kho.c */
void __init kexec_kho_keep_slots(void);
bool kexec_slot_kept_by_kho(const struct kexec_slot *slot);

#endif /* _KEXEC_STASH_BOOT_H */
