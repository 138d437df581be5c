// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz the header of an arm64 Image: the first 8 bytes are the room, the rest is the file
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kexec_stash_record.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct kexec_stash_image image;
	const char *why = NULL;
	u64 room;
	int ret;

	if (size < sizeof(room))
		return 0;
	memcpy(&room, data, sizeof(room));
	data += sizeof(room);
	size -= sizeof(room);
	ret = kexec_stash_image_read(data, size, room, &image, &why);
	if (ret ? !why : size < 64 || !image.image_size || image.image_size > room)
		abort();
	if (ret && ret != -ENOEXEC && ret != -EINVAL && ret != -ENOSPC)
		abort();
	return 0;
}
