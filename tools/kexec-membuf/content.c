// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a file that is to be a kernel or an initrd is, by its first bytes
 */

#include "stage.h"
#include "utils.h"

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

const char *content_compression(enum content content)
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

static u64 get_le32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u64)p[3] << 24;
}

const char *zboot_read(const u8 *head, size_t len, struct zboot *zboot)
{
	if (len < ZBOOT_LEN)
		return "is cut off";
	zboot->payload.offset = get_le32(head + ZBOOT_OFFSET);
	zboot->payload.size = get_le32(head + ZBOOT_SIZE);
	memcpy(zboot->comp, head + ZBOOT_COMP, ZBOOT_LEN - ZBOOT_COMP);
	zboot->comp[ZBOOT_LEN - ZBOOT_COMP] = '\0';
	make_printable(zboot->comp);
	if (zboot->payload.offset < ZBOOT_LEN || !zboot->payload.size)
		return "is an EFI zboot image with a broken header";
	return NULL;
}
