/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _UNIT_CPIO_H
#define _UNIT_CPIO_H

#include <linux/types.h>

/**
 * struct cpio - an archive in the newc format that is being made
 * @bytes: what there is of it, to be freed
 * @len: how much that is
 */
struct cpio {
	char *bytes;
	size_t len;
};

/**
 * cpio_add() - append an entry
 * @cpio: the archive
 * @name: its name
 * @mode: type and permissions
 * @content: its content
 * @size: length of the content in bytes
 */
void cpio_add(struct cpio *cpio, const char *name, u32 mode, const void *content, size_t size);

/**
 * cpio_add_text() - append a regular file
 * @cpio: the archive
 * @name: its name
 * @text: its content
 */
void cpio_add_text(struct cpio *cpio, const char *name, const char *text);

/**
 * cpio_end() - append the end of an archive; another one may follow
 * @cpio: the archive
 */
void cpio_end(struct cpio *cpio);

/**
 * cpio_zeros() - append zeros, as stock cpio does to fill a block
 * @cpio: the archive
 * @count: how many
 */
void cpio_zeros(struct cpio *cpio, size_t count);

#endif /* _UNIT_CPIO_H */
