// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where things lie in a slot of the kexec stash, see
 * <linux/kexec_stash_layout.h>
 */

#include <linux/kernel.h>
#include <linux/kexec_stash_layout.h>

static u64 tail_offset(const struct kexec_stash_record *rec)
{
	return rec->size > KEXEC_STASH_TAIL ? rec->size - KEXEC_STASH_TAIL : 0;
}

static u64 align_down(u64 offset)
{
	return offset & -(u64)KEXEC_STASH_ALIGN;
}

u64 kexec_stash_kernel_end(const void *kernel, u64 size)
{
	struct kexec_stash_image image;
	const char *why;

	if (kexec_stash_image_read(kernel, size, ~0ULL, &image, &why) ||
	    image.image_size < size)
		return size;
	return image.image_size;
}

u64 kexec_stash_place(const struct kexec_stash_record *rec,
		      enum kexec_stash_file_id id, u64 kernel_end)
{
	switch (id) {
	case KEXEC_STASH_KERNEL:
		return 0;
	case KEXEC_STASH_INITRD:
		if (!kernel_end)
			kernel_end = rec->size / 4;
		/* The header of a kernel may ask for any number */
		return kernel_end < rec->size ?
			       align_down(kernel_end + KEXEC_STASH_ALIGN - 1) :
			       rec->size;
	default:
		return tail_offset(rec);
	}
}

u64 kexec_stash_room(const struct kexec_stash_record *rec,
		     enum kexec_stash_file_id id, u64 offset,
		     const char **next)
{
	u64 end = tail_offset(rec);
	int i;

	*next = NULL;
	if (id == KEXEC_STASH_DTB)
		end = (offset < end ? offset : end) + KEXEC_STASH_DTB_MAX;
	for (i = 0; i < KEXEC_STASH_NR_FILES && offset < end; i++) {
		const struct kexec_stash_file *file = &rec->file[i];

		if (i == id ||
		    !kexec_stash_overlaps(offset, end - offset, file->offset,
					  file->size))
			continue;
		end = file->offset;
		*next = kexec_stash_file_name(i);
	}
	return end > offset ? end - offset : 0;
}

u64 kexec_stash_kernel_room(const struct kexec_stash_record *rec)
{
	const struct kexec_stash_file *dtb = &rec->file[KEXEC_STASH_DTB];
	u64 initrd_size = rec->file[KEXEC_STASH_INITRD].size;
	u64 end = tail_offset(rec);

	if (dtb->size && dtb->offset < end)
		end = dtb->offset;
	return align_down(end > initrd_size ? end - initrd_size : 0);
}
