/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time stamps of a kexec from a slot of the stash
 */
#ifndef _LINUX_KEXEC_STASH_TIMING_H
#define _LINUX_KEXEC_STASH_TIMING_H

struct kimage;

#ifdef CONFIG_KEXEC_STASH_TIMING

/**
 * kexec_stash_stamp_jump() - leave time stamps for the kernel to come
 * @image: the image that is about to be jumped to
 *
 * They go into the hand-over page of the slot that @image was adopted from, and
 * to memory. Any other image gets none.
 *
 * Context: one CPU, interrupts off, the MMU on.
 */
void kexec_stash_stamp_jump(const struct kimage *image);

/**
 * kexec_stash_stamp_init() - note when the first process is started
 */
void kexec_stash_stamp_init(void);

#else /* !CONFIG_KEXEC_STASH_TIMING */

static inline void kexec_stash_stamp_jump(const struct kimage *image)
{
}

static inline void kexec_stash_stamp_init(void)
{
}

#endif /* CONFIG_KEXEC_STASH_TIMING */

#endif /* _LINUX_KEXEC_STASH_TIMING_H */
