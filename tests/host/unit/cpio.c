// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Make archives in the newc format, good ones and ones that no cpio makes, see cpio.h
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cpio.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static void append(struct cpio *cpio, const void *bytes, size_t len)
{
	cpio->bytes = realloc(cpio->bytes, cpio->len + len + 1);
	if (!cpio->bytes)
		abort();
	memcpy(cpio->bytes + cpio->len, bytes, len);
	cpio->len += len;
}

void cpio_zeros(struct cpio *cpio, size_t count)
{
	while (count--)
		append(cpio, "", 1);
}

static void append_field(struct cpio *cpio, u32 value)
{
	char digits[9];

	snprintf(digits, sizeof(digits), "%08x", value);
	append(cpio, digits, 8);
}

void cpio_add(struct cpio *cpio, const char *name, u32 mode, const void *content, size_t size)
{
	/* Inode, mode, owner, group, links, time, size, 4 device numbers, name's length, sum */
	const u32 fields[] = { 1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, strlen(name) + 1, 0 };

	append(cpio, "070701", 6);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		append_field(cpio, fields[i]);
	append(cpio, name, strlen(name) + 1);
	cpio_zeros(cpio, -cpio->len % 4);
	append(cpio, content, size);
	cpio_zeros(cpio, -cpio->len % 4);
}

void cpio_add_text(struct cpio *cpio, const char *name, const char *text)
{
	cpio_add(cpio, name, S_IFREG | 0644, text, strlen(text));
}

void cpio_end(struct cpio *cpio)
{
	cpio_add(cpio, "TRAILER!!!", 0, "", 0);
}
