/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots of the kexec stash and kexec handover (KHO)
 */
#ifndef _LINUX_KEXEC_STASH_KHO_H
#define _LINUX_KEXEC_STASH_KHO_H

#include <linux/types.h>

#ifdef CONFIG_KEXEC_STASH

/**
 * kexec_stash_movable_only() - whether only movable pages may be in a range
 * @base: physical address of a page block
 * @size: its size in bytes
 *
 * With KHO, slots that are or may become this kernel's memory are such: what is
 * preserved would be lost when the next kernel has the slot.
 *
 * Return: true if the range runs into one.
 */
bool kexec_stash_movable_only(phys_addr_t base, phys_addr_t size);

/**
 * kexec_stash_give_back() - free the memory that was kept from memblock
 *
 * Context: memblock is about to hand all that is free to the page allocator.
 */
void kexec_stash_give_back(void);

/**
 * kexec_stash_preserve() - note that KHO is about to preserve memory
 * @base: physical address
 * @size: size in bytes
 *
 * A slot that it lies in is not offered to the next kernel.
 *
 * Context: any but atomic.
 * Return: 0, or -EBUSY if the slot is not this kernel's memory, or the next
 * kernel was told of it already.
 */
int kexec_stash_preserve(phys_addr_t base, phys_addr_t size);

#else /* !CONFIG_KEXEC_STASH */

static inline bool kexec_stash_movable_only(phys_addr_t base, phys_addr_t size)
{
	return false;
}

static inline void kexec_stash_give_back(void)
{
}

static inline int kexec_stash_preserve(phys_addr_t base, phys_addr_t size)
{
	return 0;
}

#endif /* CONFIG_KEXEC_STASH */

#endif /* _LINUX_KEXEC_STASH_KHO_H */
