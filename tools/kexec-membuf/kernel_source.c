// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel to be staged: what it is, unpacked as it is read
 */

#include "stage.h"
#include "utils.h"

#include <errno.h>
#include <string.h>

/* From here on only what is compressed in it is read; @content is set to how */
static bool open_zboot(struct kernel_source *kernel, enum content *content)
{
	struct source *src = kernel->src;
	struct zboot zboot;
	const char *why = zboot_read(src->peek, src->peek_len, &zboot);

	if (why) {
		source_error(src, "%s", why);
		return false;
	}
	for (*content = CONTENT_GZIP; *content <= CONTENT_LZ4; ++*content) {
		const char *name = content_compression(*content);

		/* Some kernels say how: "zstd22", "xzkern" */
		if (!strncmp(zboot.comp, name, strlen(name)) && unpack_known(*content))
			return source_narrow(src, &zboot.payload);
	}
	source_error(src, "is an EFI zboot image, %s compressed: unpack it first", zboot.comp);
	return false;
}

static bool look(struct kernel_source *kernel, const char *comp, enum content *content)
{
	const char *why, *name, *zboot = "";
	struct source *src = kernel->src;

	if (!source_peek(src))
		return false;
	*content = content_look(src->peek, src->peek_len, &why);
	name = content_compression(*content);
	if (*content == CONTENT_OTHER) {
		source_error(src, "%s", why);
		return false;
	}
	if (comp && strcmp(comp, "none") && strcmp(comp, name)) {
		source_error(src, "is said to be %s compressed, but is not", comp);
		return false;
	}
	if (*content == CONTENT_ZBOOT) {
		zboot = "zboot-";
		if (!open_zboot(kernel, content))
			return false;
	}
	if (*content != CONTENT_IMAGE && !unpack_known(*content)) {
		source_error(src, "is %s compressed: unpack it first", name);
		return false;
	}
	if (*content != CONTENT_IMAGE)
		snprintf(kernel->packed, sizeof(kernel->packed), "%s%s", zboot,
			 content_compression(*content));
	return true;
}

static bool check_unpacked(const struct kernel_source *kernel)
{
	const char *why = "is compressed once more: unpack it first";

	if (content_look(kernel->piece, kernel->len, &why) == CONTENT_IMAGE)
		return true;
	source_error(kernel->src, "%s%s", kernel->packed[0] ? "once it is unpacked, " : "",
		     why ? why : "is compressed once more: unpack it first");
	return false;
}

static bool check_image(struct kernel_source *kernel, u64 room)
{
	const char *why;
	int ret = kexec_stash_image_read(kernel->piece, kernel->len, room, &kernel->image, &why);

	if (ret == -ENOSPC)
		source_error(kernel->src, "owns %llu bytes of memory (its image_size), %s %llu; %s",
			     kernel->image.image_size, "but the slot has room for", room,
			     "take a larger slot");
	else if (ret)
		source_error(kernel->src, "%s", why);
	else if (!kernel->packed[0] && kernel->src->size != SOURCE_SIZE_UNKNOWN &&
		 kernel->src->size > kernel->image.image_size)
		source_error(kernel->src, "is larger than its image_size of %llu bytes",
			     kernel->image.image_size);
	else
		return true;
	return false;
}

bool kernel_source_start(struct kernel_source *kernel, struct source *src, const char *comp,
			 u64 room)
{
	enum content content;

	memset(kernel, 0, sizeof(*kernel));
	kernel->src = src;
	if (!look(kernel, comp, &content))
		return false;
	kernel->unpacker = unpack_start(src, content, room);
	if (!kernel->unpacker)
		return false;
	kernel->len = unpack_next(kernel->unpacker, &kernel->piece);
	if (kernel->len < 0)
		return false;
	return check_unpacked(kernel) && check_image(kernel, room);
}

void kernel_source_end(struct kernel_source *kernel)
{
	unpack_end(kernel->unpacker);
	kernel->unpacker = NULL;
}
