/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KEXEC_STASH_ADOPT_H
#define _KEXEC_STASH_ADOPT_H

#include <linux/kexec.h>
#include <linux/types.h>

struct file;
struct kexec_handover_page;
struct kexec_slot;

/**
 * struct kexec_adoption - what an image has of a slot
 * @slot: the slot
 * @any: a file of the slot that the caller has opened; NULL once the image is
 *	loaded
 * @part: what of the load is being looked at, in words
 * @strict: KEXEC_FILE_MEMBUF was given: the rest of the payload is the slot's
 *	own unless said otherwise
 * @check: KEXEC_FILE_MEMBUF_CHECK was given: nothing is written to the slot, in
 *	which another image may lie
 * @fdt: what the next kernel's tree starts from, NULL for the running tree or
 *	once the image is loaded
 * @image_size: bytes from the slot's base that the kernel owns
 * @err: why the image cannot be put together, which mainline's loader forgets
 *	while it looks for another place for the kernel
 * @handover: see kexec_handover_number(); 0 until it was asked for
 * @handover_page: mapped to write to, NULL if there are to be no time stamps.
 *	timing.c has both
 */
struct kexec_adoption {
	struct kexec_slot *slot;
	struct file *any;
	const char *part;
	bool strict;
	bool check;
	void *fdt;
	u64 image_size;
	int err;
	u64 handover;
	struct kexec_handover_page *handover_page;
};

/* The slot that an image will run in, NULL if it was not adopted */
static inline struct kexec_slot *kexec_adopted_slot(const struct kimage *image)
{
	return image->adoption ? image->adoption->slot : NULL;
}

/* segment.c */
bool kexec_slot_is_free(const struct kexec_adoption *adoption, u64 mem,
			u64 size);

#endif /* _KEXEC_STASH_ADOPT_H */
