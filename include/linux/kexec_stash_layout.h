/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things lie in a slot of the kexec stash
 *
 * Linux, U-Boot, the tool and the unit tests share this file. Its functions
 * know offsets and sizes only and touch no payload, but for
 * kexec_stash_kernel_end(), which reads the header of a kernel.
 */
#ifndef _LINUX_KEXEC_STASH_LAYOUT_H
#define _LINUX_KEXEC_STASH_LAYOUT_H

#include <linux/kexec_stash_record.h>

/* booting.rst: a dtb is at most 2 MiB and does not cross a 2 MiB boundary */
#define KEXEC_STASH_DTB_MAX SZ_2M

/*
 * The tail is the end of a slot. Staging keeps kernel and initrd out of it. It
 * holds the staged dtb, the dtb passed on, and the rest of what a load adds
 * (IMA measurement list, KHO, the hand-over page).
 */
#define KEXEC_STASH_TAIL (3 * SZ_2M)

/*
 * The hand-over page is the end of the tail. A kernel leaves its time stamps
 * there for the one that it starts in the slot. It has the largest page size
 * that a kernel may have, and holds nothing else.
 */
#define KEXEC_STASH_HANDOVER_SIZE SZ_64K

/* The smallest slot has room for one small kernel beside the tail */
#define KEXEC_STASH_SIZE_MIN (KEXEC_STASH_TAIL + SZ_2M)

/**
 * kexec_stash_overlaps() - whether two ranges overlap
 * @base: address or offset of the first range
 * @size: its size in bytes
 * @other: address or offset of the other range
 * @other_size: its size in bytes
 *
 * A device tree may hold any numbers: range_overlaps() and
 * memblock_addrs_overlap() know neither an empty range nor one that reaches
 * the end of all addresses or wraps around.
 *
 * Return: true if they have a byte in common.
 */
static inline bool kexec_stash_overlaps(u64 base, u64 size, u64 other,
					u64 other_size)
{
	return size && other_size &&
	       (base - other < other_size || other - base < size);
}

/**
 * kexec_stash_kernel_end() - where the memory ends that a kernel owns
 * @kernel: the Image at a slot's base
 * @size: its size in bytes
 *
 * Return: bytes from the slot's base: the Image's image_size, or @size if that
 * is more or the header says nothing.
 */
u64 kexec_stash_kernel_end(const void *kernel, u64 size);

/**
 * kexec_stash_place() - where a file goes
 * @rec: the slot
 * @id: the file
 * @kernel_end: bytes from the base that the kernel owns, 0 if there is none yet
 *
 * The kernel goes to the base, and the initrd behind what the kernel owns.
 * An initrd that is staged before the kernel goes to a quarter of the slot: few
 * kernels own more. The dtb goes to the start of the tail.
 *
 * Return: offset in bytes from the base; the slot's size if there is no place.
 */
u64 kexec_stash_place(const struct kexec_stash_record *rec,
		      enum kexec_stash_file_id id, u64 kernel_end);

/**
 * kexec_stash_room() - how large a file may be at its place
 * @rec: the slot
 * @id: the file
 * @offset: offset of the file in bytes from the base
 * @next: set to the name of the file that limits the room, or to NULL
 *
 * Return: bytes from @offset to the next file or to where such a file must end.
 */
u64 kexec_stash_room(const struct kexec_stash_record *rec,
		     enum kexec_stash_file_id id, u64 offset,
		     const char **next);

/**
 * kexec_stash_kernel_room() - how much a kernel may own if the initrd moves
 * @rec: the slot
 *
 * Return: bytes from the base to where the initrd would begin at the latest.
 */
u64 kexec_stash_kernel_room(const struct kexec_stash_record *rec);

#endif /* _LINUX_KEXEC_STASH_LAYOUT_H */
