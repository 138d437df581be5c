// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The header of an arm64 Image, as far as a kexec stash has to know it
 *
 * Linux and U-Boot each have a struct for it, with other names and in other
 * places; what is checked here has to be the same in both.
 */

#include <linux/errno.h>
#include <linux/kexec_stash_record.h>
#include <linux/string.h>

/*
 * Documentation/arch/arm64/booting.rst: a 64 byte header, little endian
 * whatever the kernel is
 */
#define IMAGE_HEADER_SIZE 64
#define IMAGE_TEXT_OFFSET 8
#define IMAGE_SIZE 16
#define IMAGE_FLAGS 24
#define IMAGE_MAGIC 56

static u64 get_le64(const u8 *p)
{
	u64 val = 0;
	int i;

	for (i = 7; i >= 0; i--)
		val = val << 8 | p[i];
	return val;
}

int kexec_stash_image_read(const void *buf, u64 len, u64 room,
			   struct kexec_stash_image *image, const char **why)
{
	const u8 *header = buf;

	if (len < IMAGE_HEADER_SIZE ||
	    memcmp(header + IMAGE_MAGIC, "ARM\x64", 4)) {
		*why = "is not an arm64 Image";
		return -ENOEXEC;
	}
	if (get_le64(header + IMAGE_TEXT_OFFSET)) {
		*why = "has a text_offset, so it cannot run at the slot's base";
		return -ENOEXEC;
	}
	image->image_size = get_le64(header + IMAGE_SIZE);
	image->flags = get_le64(header + IMAGE_FLAGS);
	if (!image->image_size) {
		*why = "has an image_size of 0";
		return -EINVAL;
	}
	if (image->image_size > room) {
		*why = "has an image_size larger than the room for it";
		return -ENOSPC;
	}
	return 0;
}
