// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a file that is to be a kernel or an initrd is, by its first bytes; a kernel to be staged
 */

#include "stage.h"
#include "utils.h"

#include <errno.h>
#include <string.h>

#define UIMAGE_MAGIC	"\x27\x05\x19\x56"
#define UIMAGE_IS	"is a legacy image of U-Boot (uImage): "

#define COMPRESSED(name)	"is " name " compressed: unpack it first"

static const struct magic {
	size_t offset;
	const char *bytes;
	size_t len;
	enum content content;
	const char *why;
} magics[] = {
#define MAGIC(offset, bytes, content, why)	{ offset, bytes, sizeof(bytes) - 1, content, why }
#define OTHER(offset, bytes, why)		MAGIC(offset, bytes, CONTENT_OTHER, why)
	MAGIC(0x04, "zimg", CONTENT_ZBOOT, NULL),
	MAGIC(0x38, "ARM\x64", CONTENT_IMAGE, NULL),
	MAGIC(0, "\x1f\x8b", CONTENT_GZIP, NULL),
	MAGIC(0, "\x28\xb5\x2f\xfd", CONTENT_ZSTD, NULL),
	MAGIC(0, "\3757zXZ\0", CONTENT_XZ, NULL),
	MAGIC(0, "\x04\x22\x4d\x18", CONTENT_LZ4, NULL),
	MAGIC(0, "\x02\x21\x4c\x18", CONTENT_LZ4, NULL),
	MAGIC(0, "\x5d\0\0", CONTENT_LZMA, NULL),
	OTHER(0, "BZh", COMPRESSED("bzip2")),
	OTHER(0, "\x89LZO\0", COMPRESSED("lzo")),
	OTHER(0, "\177ELF",
	      "is an ELF file: give the Image that is built beside it (arch/arm64/boot/Image)"),
	OTHER(0x202, "HdrS", "is a kernel for x86 (bzImage): give one for arm64"),
	OTHER(0x24, "\x18\x28\x6f\x01", "is a kernel for 32-bit ARM (zImage): give one for arm64"),
	OTHER(0x38, "RSC\x05", "is a kernel for RISC-V: give one for arm64"),
	OTHER(0, UIMAGE_MAGIC, UIMAGE_IS "give the Image that is in it"),
	OTHER(0, "\xd0\x0d\xfe\xed", "is a FIT or a device tree: give a FIT with --fit"),
	OTHER(0, "0707", "is a cpio archive: give an initrd with --initrd"),
	OTHER(0, "MZ", "is an EFI program, but not an arm64 Image"),
};

enum content content_look(const u8 *head, size_t len, const char **why)
{
	const struct magic *magic;

	for (magic = magics; magic < magics + ARRAY_SIZE(magics); magic++) {
		if (len < magic->offset + magic->len ||
		    memcmp(head + magic->offset, magic->bytes, magic->len))
			continue;
		/* "zimg" alone could be anything */
		if (magic->content == CONTENT_ZBOOT && memcmp(head, "MZ", 2))
			continue;
		*why = magic->why;
		return magic->content;
	}
	/* What a zstd stream may begin with beside a frame: 16 kinds of frames to be skipped */
	if (len >= 4 && (head[0] & 0xf0) == 0x50 && !memcmp(head + 1, "\x2a\x4d\x18", 3))
		return CONTENT_ZSTD;
	*why = "is not an arm64 Image";
	return CONTENT_OTHER;
}

const char *content_initrd_fault(const u8 *head, size_t len)
{
	if (len < sizeof(UIMAGE_MAGIC) - 1 || memcmp(head, UIMAGE_MAGIC, sizeof(UIMAGE_MAGIC) - 1))
		return NULL;
	return UIMAGE_IS "strip its header of 64 bytes (dd bs=64 skip=1)";
}

/* As FITs have it */
static const char *compression_name(enum content content)
{
	static const char * const names[] = {
		[CONTENT_GZIP] = "gzip",
		[CONTENT_ZSTD] = "zstd",
		[CONTENT_XZ] = "xz",
		[CONTENT_LZMA] = "lzma",
		[CONTENT_LZ4] = "lz4",
	};

	return content < ARRAY_SIZE(names) && names[content] ? names[content] : "none";
}

/* The kernel's drivers/firmware/efi/libstub/zboot-header.S */
#define ZBOOT_OFFSET	0x08
#define ZBOOT_SIZE	0x0c
#define ZBOOT_COMP	0x18
#define ZBOOT_LEN	0x38

/* From here on only what is compressed in it is read; @content is set to how */
static bool open_zboot(struct source *src, enum content *content)
{
	char comp[ZBOOT_LEN - ZBOOT_COMP + 1] = "";
	struct file_range payload;

	if (src->peek_len < ZBOOT_LEN) {
		source_error(src, "is cut off");
		return false;
	}
	payload.offset = get_le32(src->peek + ZBOOT_OFFSET);
	payload.size = get_le32(src->peek + ZBOOT_SIZE);
	if (payload.offset < ZBOOT_LEN || !payload.size) {
		source_error(src, "is an EFI zboot image with a broken header");
		return false;
	}
	memcpy(comp, src->peek + ZBOOT_COMP, ZBOOT_LEN - ZBOOT_COMP);
	make_printable(comp);
	for (*content = CONTENT_GZIP; *content <= CONTENT_LZ4; ++*content) {
		const char *name = compression_name(*content);

		/* Some kernels say how: "zstd22", "xzkern" */
		if (!strncmp(comp, name, strlen(name)) && unpack_known(*content))
			return source_narrow(src, &payload);
	}
	source_error(src, "is an EFI zboot image, %s compressed: unpack it first", comp);
	return false;
}

static bool look(struct kernel_source *kernel, const char *comp, enum content *content)
{
	const char *why, *name, *zboot = "";
	struct source *src = kernel->src;

	if (!source_peek(src))
		return false;
	*content = content_look(src->peek, src->peek_len, &why);
	name = compression_name(*content);
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
		if (!open_zboot(src, content))
			return false;
	}
	if (*content != CONTENT_IMAGE && !unpack_known(*content)) {
		source_error(src, "is %s compressed: unpack it first", name);
		return false;
	}
	if (*content != CONTENT_IMAGE)
		snprintf(kernel->packed, sizeof(kernel->packed), "%s%s", zboot,
			 compression_name(*content));
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
