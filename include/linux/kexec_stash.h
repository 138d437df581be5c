/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kexec of a payload that lies where it will run: the calls that kexec, the
 * device tree code and drivers make
 *
 * See Documentation/admin-guide/kexec-stash.rst
 */
#ifndef _LINUX_KEXEC_STASH_H
#define _LINUX_KEXEC_STASH_H

#include <linux/errno.h>
#include <linux/types.h>

struct cpumask;
struct kexec_buf;
struct kimage;

/*
 * For adopted images alone: who calls asks kexec_adoption_in_place() first, which
 * is false without the stash
 */

/**
 * kexec_adoption_locate() - place a segment inside the adopted slot
 * @kbuf: the segment; its mem is set
 *
 * Adopted files stay where they are, all else goes to free room in the slot,
 * from its end.
 *
 * Return: 0, or -ENOSPC if there is no room.
 */
int kexec_adoption_locate(struct kexec_buf *kbuf);

/**
 * kexec_adoption_load_segment() - put a segment into the slot
 * @image: the image being loaded
 * @idx: index of the segment
 *
 * Nothing is done for what lies there already.
 *
 * Return: 0 or -ENOMEM.
 */
int kexec_adoption_load_segment(struct kimage *image, int idx);

/**
 * kexec_adoption_map_segment() - map a segment in the slot to write to
 * @image: the loaded image
 * @idx: index of the segment, one that the load has added
 *
 * Return: address, for vunmap(); NULL if there is no memory.
 */
void *kexec_adoption_map_segment(const struct kimage *image, int idx);

/**
 * kexec_adoption_drop_bufs() - forget the buffers that are the slot itself
 * @image: the image; kernel_buf and initrd_buf are cleared where they
 *	must not be freed
 */
void kexec_adoption_drop_bufs(struct kimage *image);

/**
 * kexec_adoption_release() - give the slot back
 * @image: the image that is about to be freed
 *
 * The slot is no longer sealed after the last image that adopted it is gone.
 */
void kexec_adoption_release(struct kimage *image);

/**
 * kexec_adoption_failed() - say that an image cannot be loaded
 * @image: the image, about to be freed
 * @err: why, a negative errno
 *
 * Nothing is said again where the slot's part of it has said why.
 */
void kexec_adoption_failed(const struct kimage *image, int err);

/**
 * kexec_stash_base_fdt() - the device tree that the passed-on one starts from
 * @image: the image being loaded
 *
 * Of the tree in the slot and the running one, of which it has what firmware
 * alone knows.
 *
 * Return: the tree; the running one as it is if there is none in the slot.
 */
const void *kexec_stash_base_fdt(const struct kimage *image);

#ifdef CONFIG_KEXEC_STASH

/* What kexec_file_load() takes beside mainline's flags */
#define KEXEC_STASH_FILE_FLAGS (KEXEC_FILE_MEMBUF | KEXEC_FILE_MEMBUF_CHECK)

/**
 * kexec_adoption_check_flags() - whether the flags of a load go together
 * @flags: flags given to kexec_file_load()
 *
 * Return: 0, or -EINVAL with a line in the log.
 */
int kexec_adoption_check_flags(unsigned long flags);

/**
 * kexec_adopt_kernel() - take a slot's kernel where it lies
 * @image: the image being loaded; its kernel_buf and kernel_buf_len are set
 * @kernel_fd: descriptor given to kexec_file_load()
 * @flags: flags given to kexec_file_load()
 *
 * Does for a file of the stash what kernel_read_file_from_fd() does for others,
 * in the same order and with the same LSM hooks, but without reading: the
 * buffer is the slot itself, sealed until kexec_adoption_release().
 *
 * Context: kexec lock held.
 * Return: size in bytes; -ENODEV if @kernel_fd is not a slot's kernel and
 * @flags do not ask for one (read it as a file then); -EINVAL with
 * KEXEC_FILE_MEMBUF and an ordinary file; -ENODATA for
 * an empty slot; -EBUSY for the running one; -ETXTBSY while it is open for
 * writing; -EBADMSG where the recorded digest does not match; -ENOEXEC or
 * -EINVAL for an Image that cannot run here; an LSM's error.
 */
ssize_t kexec_adopt_kernel(struct kimage *image, int kernel_fd,
			   unsigned long flags);

/**
 * kexec_adopt_initrd() - take the slot's initrd where it lies
 * @image: the image being loaded; its initrd_buf and initrd_buf_len are set
 * @initrd_fd: descriptor given to kexec_file_load(); negative: the
 *	slot's own, if it has one, where KEXEC_FILE_MEMBUF was given
 *
 * Where a kernel was read from a file and is, byte by byte, the one that lies
 * beside the initrd, the slot is adopted now: kexec-tools hands over a copy of
 * the kernel, but the initrd as it is.
 *
 * Context: kexec lock held.
 * Return: size in bytes, 0 for none; -ENODEV if @initrd_fd is an ordinary file
 * or @image is not adopted (read it as a file then); -EINVAL for a file of
 * another slot; otherwise as kexec_adopt_kernel().
 */
ssize_t kexec_adopt_initrd(struct kimage *image, int initrd_fd);

/**
 * kexec_adopt_rest() - take the slot's device tree, and its command line where
 * none was given
 * @image: the image being loaded, its cmdline_buf set if a command
 *	line was given
 * @kernel_fd: descriptor given to kexec_file_load(), which IMA
 *	measures the command line for
 *
 * Context: kexec lock held.
 * Return: 0, also where @image is not adopted; -EINVAL for a broken dtb or one
 * over 2 MiB; otherwise as kexec_adopt_kernel().
 */
int kexec_adopt_rest(struct kimage *image, int kernel_fd);

/**
 * kexec_stash_fixup_fdt() - tell the next kernel of slots
 * @image: the image being loaded, adopted or not
 * @fdt: the passed-on device tree
 *
 * A crash kernel is told of no slot.
 *
 * Return: 0 or a negative errno, with a line in the log.
 */
int kexec_stash_fixup_fdt(const struct kimage *image, void *fdt);

/**
 * kexec_stash_fdt_space() - bytes to spare in the passed-on device tree
 *
 * kexec_stash_fixup_fdt() adds records, and writes them again at exec, as slots
 * may be staged into between load and exec.
 *
 * Return: an upper bound.
 */
size_t kexec_stash_fdt_space(void);

/**
 * kexec_stash_early_slot() - where slots are, before memory management is up
 * @i: which one, from 0
 * @base: set to the physical address of its first byte
 * @size: set to its size in bytes
 *
 * For the architecture to map them so that kexec_slot_seal() can make them
 * read-only, each as a whole.
 *
 * Return: true, false if there are no more.
 */
bool kexec_stash_early_slot(unsigned int i, phys_addr_t *base,
			    phys_addr_t *size);

/**
 * kexec_stash_excluded_range() - whether memory must be kept free of an
 * image's segments
 * @image: the image being loaded
 * @start: physical address of the first byte
 * @end: physical address of the last byte
 *
 * The slot that this kernel runs in is its ordinary memory; an ordinary kexec
 * leaves it alone nevertheless, so that the next kernel gets it back. A crash
 * kernel's image has an area of its own, which may lie in that slot.
 *
 * Return: true if the range runs into a slot, and @image is no crash kernel's.
 */
bool kexec_stash_excluded_range(const struct kimage *image, unsigned long start,
				unsigned long end);

/**
 * kexec_stash_early_init() - take the time stamps of the kernel before this one,
 * and reserve the slots that kexec_stash= asks for
 *
 * Those that the device tree has are left as they are. With KHO, the free memory
 * of slots that it does not reserve is kept until kexec_stash_give_back().
 *
 * Context: memblock knows the memory, the device tree's reserved memory is
 * reserved, and nobody else has been given any.
 */
void kexec_stash_early_init(void);

#else /* !CONFIG_KEXEC_STASH */

#define KEXEC_STASH_FILE_FLAGS 0

static inline int kexec_adoption_check_flags(unsigned long flags)
{
	return 0;
}

static inline ssize_t kexec_adopt_kernel(struct kimage *image, int kernel_fd,
					 unsigned long flags)
{
	return -ENODEV;
}

static inline ssize_t kexec_adopt_initrd(struct kimage *image, int initrd_fd)
{
	return -ENODEV;
}

static inline int kexec_adopt_rest(struct kimage *image, int kernel_fd)
{
	return 0;
}

static inline size_t kexec_stash_fdt_space(void)
{
	return 0;
}

static inline int kexec_stash_fixup_fdt(const struct kimage *image, void *fdt)
{
	return 0;
}

static inline bool kexec_stash_early_slot(unsigned int i, phys_addr_t *base,
					  phys_addr_t *size)
{
	return false;
}

static inline bool kexec_stash_excluded_range(const struct kimage *image,
					      unsigned long start,
					      unsigned long end)
{
	return false;
}

static inline void kexec_stash_early_init(void)
{
}

#endif /* CONFIG_KEXEC_STASH */

#endif /* _LINUX_KEXEC_STASH_H */
