// SPDX-License-Identifier: GPL-2.0-only
/*
 * The segments of an adopted image: all lie in its slot
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/kexec.h>
#include <linux/mm.h>

#include <asm/kexec_stash.h>

#include "adopt.h"
#include "slot.h"

static bool in_slot(const struct kexec_slot *slot, u64 mem, u64 size)
{
	return mem >= slot->rec.base && size <= slot->rec.size &&
	       mem - slot->rec.base <= slot->rec.size - size;
}

static bool buf_in_slot(const struct kexec_slot *slot, const void *buf)
{
	return buf && virt_addr_valid(buf) && in_slot(slot, __pa(buf), 1);
}

/* Start of a file of the slot that a range runs into, or 0 */
static u64 file_in_the_way(const struct kexec_adoption *adoption, u64 mem,
			   u64 size)
{
	const struct kexec_slot *slot = adoption->slot;

	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		const struct kexec_stash_file *file = &slot->rec.file[i];
		u64 len = i == KEXEC_STASH_KERNEL ? adoption->image_size :
						    file->size;
		u64 start = slot->rec.base + file->offset;

		if (file->size && kexec_stash_overlaps(start, len, mem, size))
			return start;
	}
	return 0;
}

/**
 * kexec_slot_is_free() - whether a payload leaves a range free
 * @adoption: what an image has of the slot
 * @mem: physical address
 * @size: in bytes
 *
 * Return: true if none of its files lies there.
 */
bool kexec_slot_is_free(const struct kexec_adoption *adoption, u64 mem,
			u64 size)
{
	return !file_in_the_way(adoption, mem, size);
}

/* Start of a segment that a range runs into, or 0 */
static u64 segment_in_the_way(const struct kimage *image, u64 mem, u64 size)
{
	for (int i = 0; image && i < image->nr_segments; i++) {
		const struct kexec_segment *segment = &image->segment[i];

		if (kexec_stash_overlaps(segment->mem, segment->memsz, mem, size))
			return segment->mem;
	}
	return 0;
}

/*
 * From the end of the slot, but for the hand-over page, so that kernel and
 * initrd of the next payload find the room they had. The other image, if there
 * is one, keeps what it has.
 */
static u64 find_room(const struct kexec_buf *kbuf,
		     const struct kexec_adoption *adoption,
		     const struct kimage *other)
{
	u64 base = adoption->slot->rec.base,
	    end = base + adoption->slot->rec.size - KEXEC_STASH_HANDOVER_SIZE;

	end = min_t(u64, end - 1, kbuf->buf_max) + 1;
	while (end - base >= kbuf->memsz) {
		u64 mem = ALIGN_DOWN(end - kbuf->memsz, kbuf->buf_align),
		    obstacle;

		if (mem < base || mem < kbuf->buf_min)
			return 0;
		obstacle = file_in_the_way(adoption, mem, kbuf->memsz) ?:
			   segment_in_the_way(kbuf->image, mem, kbuf->memsz) ?:
			   segment_in_the_way(other, mem, kbuf->memsz);
		if (!obstacle)
			return mem;
		end = obstacle;
		if (end < base)
			return 0;
	}
	return 0;
}

/*
 * The image that is loaded may be of the same slot: should this load fail, it is
 * to start as it would have. Where there is no room for both, the new one wins.
 */
static u64 place(const struct kexec_buf *kbuf,
		 const struct kexec_adoption *adoption)
{
	const struct kimage *other = NULL;

	if (buf_in_slot(adoption->slot, kbuf->buffer))
		return __pa(kbuf->buffer);
	if (kexec_image && kexec_adopted_slot(kexec_image) == adoption->slot)
		other = kexec_image;
	return find_room(kbuf, adoption, other) ?:
	       find_room(kbuf, adoption, NULL);
}

int kexec_adoption_locate(struct kexec_buf *kbuf)
{
	struct kexec_adoption *adoption = kbuf->image->adoption;
	u64 mem = kbuf->mem;

	if (mem == KEXEC_BUF_MEM_UNKNOWN)
		mem = place(kbuf, adoption);
	if (!in_slot(adoption->slot, mem, kbuf->memsz) || mem < kbuf->buf_min ||
	    mem + kbuf->memsz - 1 > kbuf->buf_max) {
		/* The first to fail has said why */
		if (adoption->err)
			return adoption->err;
		kexec_slot_complain(adoption->slot,
				    "no room for another %lu bytes that the load must add",
				    kbuf->memsz);
		adoption->err = -ENOSPC;
		return -ENOSPC;
	}
	kbuf->mem = mem;
	return 0;
}

/*
 * What lies there is cleaned once while the slot is sealed, which may have been
 * before. What a kernel owns behind its file it clears itself.
 */
static bool clean_in_place(struct kexec_slot *slot,
			   const struct kexec_segment *segment)
{
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		if (!slot->rec.file[i].size ||
		    segment->mem != __pa(kexec_slot_file_addr(slot, i)))
			continue;
		kexec_slot_clean(slot, i, segment->memsz);
		return true;
	}
	return false;
}

int kexec_adoption_load_segment(struct kimage *image, int idx)
{
	const struct kexec_segment *segment = &image->segment[idx];
	int ret;

	if (clean_in_place(image->adoption->slot, segment))
		return 0;
	ret = kexec_slot_write(image->adoption->slot, segment->mem,
			       segment->kbuf, segment->bufsz, segment->memsz);
	if (!ret)
		arch_kexec_stash_flush(__va(segment->mem), segment->memsz);
	return ret;
}

void *kexec_adoption_map_segment(const struct kimage *image, int idx)
{
	return kexec_slot_map(image->adoption->slot, image->segment[idx].mem,
			      image->segment[idx].memsz);
}
